// How long each level of privacy holds a vouch or ballot back, and how long it then waits to see it again.
import { randomInt } from 'node:crypto'
import type { Config } from '../config.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** All in ms. */
export interface StemTiming {
  /** Mean of how long one's own operations are held back. */
  readonly meanMs: number
  /** Longest that they are held back. */
  readonly capMs: number
  /** Longest that somebody else's is kept before it is passed on: a random time up to it. */
  readonly hopMs: number
  /** An operation that was passed on is given this time to be seen, and a random one with this mean on top. */
  readonly patienceMs: number
}

/**
 * By level of privacy. Patience is many times what the whole way takes when nobody holds anything up, and the random
 * part of it keeps whoever loses patience first from being the one who began.
 */
export const STEM_TIMINGS: Readonly<Record<Config['privacy'], StemTiming>> = {
  convenience: { meanMs: 0, capMs: 0, hopMs: 50, patienceMs: 1_500 },
  guarded: { meanMs: 10 * MINUTE_MS, capMs: 2 * HOUR_MS, hopMs: 200, patienceMs: 30_000 },
  safety: { meanMs: 6 * HOUR_MS, capMs: 72 * HOUR_MS, hopMs: 500, patienceMs: 5 * MINUTE_MS }
}

/** No level holds anything back for longer. */
export const LONGEST_HOLD_MS = STEM_TIMINGS.safety.capMs

/** From 0 to below 1, of a generator that cannot be foretold. */
export type Random = () => number

const RANDOM_STEPS = 2 ** 47

export const secureRandom: Random = () => randomInt(RANDOM_STEPS) / RANDOM_STEPS

/** How long an own operation is held back: exponential, so that what has passed says nothing of what is left. */
export function heldBackMs({ meanMs, capMs }: StemTiming, random: Random): number {
  return Math.min(capMs, exponential(meanMs, random))
}

/** How long an operation that was passed on may stay unseen. */
export function embargoMs({ patienceMs }: StemTiming, random: Random): number {
  return patienceMs + exponential(patienceMs, random)
}

/** How long somebody else's operation is kept before it goes on. */
export function hopMs({ hopMs }: StemTiming, random: Random): number {
  return hopMs * random()
}

/** Any order of these, each as likely. */
export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const list = [...items]
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[list[i], list[j]] = [list[j], list[i]]
  }
  return list
}

function exponential(meanMs: number, random: Random): number {
  return -Math.log(1 - random()) * meanMs
}
