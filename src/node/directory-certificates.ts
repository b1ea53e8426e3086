// Certificates of the directory keys, made ahead wherever the root key is: a year of them takes half a second, so they
// are made a few at a time.
import { setImmediate } from 'node:timers/promises'
import { certify, type DirectoryBook, directorySeed } from '../trust/index.ts'

/** How far ahead there are certificates, in days. */
export const CERTIFIED_DAYS = 400
/** When fewer are left, more are made. */
const LEAST_DAYS = 370
/** Certificates made before others get their turn: about three milliseconds. */
const SLICE = 4
/** Certificates that are stored at once. */
const BATCH = 40

/**
 * Makes the certificates that are missing. Call it again each day, and when a device was revoked.
 * @param options.generation how many devices the identity log has revoked
 * @param options.days how far ahead. @default 400
 * @param options.signal ends it; what was stored until then stays
 * @returns how many were made
 */
export async function keepCertified(
  book: DirectoryBook,
  {
    rootSeed,
    generation,
    today,
    days = CERTIFIED_DAYS,
    signal
  }: { rootSeed: Uint8Array; generation: number; today: number; days?: number; signal: AbortSignal }
): Promise<number> {
  const seed = directorySeed(rootSeed, generation)
  const until = book.seed?.generation === generation ? book.certifiedUntil(today) : undefined
  if (until !== undefined && until - today >= Math.min(days, LEAST_DAYS)) return 0
  let made = 0
  for (let day = until === undefined ? today : until + 1; day <= today + days;) {
    const batch = []
    while (batch.length < BATCH && day <= today + days) {
      batch.push(certify(rootSeed, generation, day++))
      if (batch.length % SLICE === 0) await setImmediate()
      if (signal.aborted) return made
    }
    book.certify(generation, seed, batch)
    made += batch.length
  }
  return made
}
