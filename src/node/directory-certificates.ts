// Certificates of the directory keys, made ahead wherever the root key is: a year of them takes half a second, so they
// are made a few at a time.
import { setImmediate } from 'node:timers/promises'
import { certify, type DirectoryBook, directorySeed } from '../trust/index.ts'

/** How far ahead there are certificates, in days. */
export const CERTIFIED_DAYS = 400
/** When fewer are left, more are made. */
const LEAST_DAYS = 370
/** Certificates made before others get their turn: about five milliseconds. */
const SLICE = 4
/** Certificates that are stored at once. */
const BATCH = 40

/**
 * Makes the certificates that are missing, the nearest days first. Call it again each day, and when a device was revoked.
 * @param generation how many devices the identity log has revoked
 * @param signal ends it; what was stored until then stays
 */
export async function keepCertified(
  book: DirectoryBook,
  {
    rootSeed,
    generation,
    today,
    signal
  }: { rootSeed: Uint8Array; generation: number; today: number; signal: AbortSignal }
): Promise<void> {
  const seed = directorySeed(rootSeed, generation)
  const isPresent = book.seed?.generation === generation
  const until = isPresent ? book.certifiedUntil(today) : undefined
  if (until !== undefined && until - today >= LEAST_DAYS) return
  for (let day = until === undefined ? today : until + 1; day <= today + CERTIFIED_DAYS;) {
    const batch = []
    // Today and tomorrow are published at once: they do not wait for the rest.
    const size = day === today ? 2 : BATCH
    while (batch.length < size && day <= today + CERTIFIED_DAYS) {
      batch.push(certify(rootSeed, generation, day++))
      if (batch.length % SLICE === 0) await setImmediate()
      if (signal.aborted) return
    }
    book.certify(generation, seed, batch)
  }
}
