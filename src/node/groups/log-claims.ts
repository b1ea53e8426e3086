// No log is fetched from two peers at once: whoever is new to a group and connected with ten of its members would be sent
// all of it ten times. Shared by all sessions of a node.
import type { Hex } from '../../groups/index.ts'

/** Whoever fetches and brings nothing new for this long is waited for no longer: it may be slow, or be told lies. */
const IDLE_MS = 10_000
/** Nobody waits for longer than this many times that: what is fetched so slowly may come twice. */
const MAX_WAITS = 6

export class LogClaims {
  readonly #idleMs: number
  /** The end of the line, by group. */
  readonly #last = new Map<Hex, Promise<void>>()
  /** How often logs have grown while somebody waited. */
  readonly #growth = new Map<Hex, number>()

  constructor({ idleMs = IDLE_MS }: { idleMs?: number } = {}) {
    this.#idleMs = idleMs
  }

  /** How long a claim is kept while nothing comes, in ms. */
  get idleMs(): number {
    return this.#idleMs
  }

  /**
   * Resolves when it is one's turn to fetch this log: when those before are done, or bring nothing, and at the latest
   * after a minute.
   * @returns lets the next one in
   */
  async take(group: Hex): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#last.get(group)
    const line = Promise.all([before, promise]).then(() => {
      if (this.#last.get(group) !== line) return
      this.#last.delete(group)
      this.#growth.delete(group)
    })
    this.#last.set(group, line)
    if (before === undefined) return resolve
    for (let waits = 0; waits < MAX_WAITS; waits++) {
      const growth = this.#growth.get(group)
      if ((await settlesWithin(before, this.#idleMs)) || this.#growth.get(group) === growth) break
    }
    return resolve
  }

  /** Whoever fetches this log has brought something new. */
  noteGrown(group: Hex): void {
    if (this.#last.has(group)) this.#growth.set(group, (this.#growth.get(group) ?? 0) + 1)
  }
}

/** The claims of one session: each is kept until the peer has brought what it has, or brings nothing more. */
export class ClaimedLogs {
  readonly #claims: LogClaims
  readonly #held = new Map<Hex, { release: () => void; missing: number; timer?: NodeJS.Timeout }>()

  constructor(claims: LogClaims) {
    this.#claims = claims
  }

  /** Waits for one's turn. @returns whether the log is still wanted then, and is held */
  async take(group: Hex, isWanted: () => boolean): Promise<boolean> {
    if (this.#held.has(group)) return isWanted()
    const release = await this.#claims.take(group)
    const isHeld = isWanted() && !this.#held.has(group)
    if (isHeld) this.#held.set(group, { release, missing: Infinity })
    else release()
    return isHeld
  }

  /** The peer has so many operations that are missing here. */
  expect(group: Hex, missing: number): void {
    const held = this.#held.get(group)
    if (held === undefined) return
    held.missing = missing
    this.noteBrought(group, 0)
  }

  noteBrought(group: Hex, count: number, { hasGrown = false } = {}): void {
    if (hasGrown) this.#claims.noteGrown(group)
    const held = this.#held.get(group)
    if (held === undefined) return
    held.missing -= count
    clearTimeout(held.timer)
    if (held.missing <= 0) return this.release(group)
    held.timer = setTimeout(() => this.release(group), this.#claims.idleMs)
    held.timer.unref()
  }

  release(group: Hex): void {
    const held = this.#held.get(group)
    clearTimeout(held?.timer)
    this.#held.delete(group)
    held?.release()
  }
}

async function settlesWithin(work: Promise<void>, limitMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), limitMs)
  timer.unref()
  const isSettled = await Promise.race([work.then(() => true), promise])
  clearTimeout(timer)
  return isSettled
}
