// No log is fetched from two peers at once: whoever is new to a group and connected with ten of its members would be sent
// all of it ten times. Shared by all sessions of a node.
import type { Hex } from '../../groups/index.ts'

/** Nobody waits longer than this for whoever fetches now: it may be slow, or be told lies. */
const MAX_WAIT_MS = 10_000
/** A claim ends when nothing has come for this long. */
const IDLE_MS = 10_000

export class LogClaims {
  /** The end of the line, by group. */
  readonly #last = new Map<Hex, Promise<void>>()

  /** Resolves when it is one's turn to fetch this log, at the latest after 10 s. @returns lets the next one in */
  async take(group: Hex): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#last.get(group)
    const line = Promise.all([before, promise]).then(() => {
      if (this.#last.get(group) === line) this.#last.delete(group)
    })
    this.#last.set(group, line)
    if (before !== undefined) await withinLimit(before)
    return resolve
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

  noteBrought(group: Hex, count: number): void {
    const held = this.#held.get(group)
    if (held === undefined) return
    held.missing -= count
    clearTimeout(held.timer)
    if (held.missing <= 0) return this.release(group)
    held.timer = setTimeout(() => this.release(group), IDLE_MS)
    held.timer.unref()
  }

  release(group: Hex): void {
    const held = this.#held.get(group)
    clearTimeout(held?.timer)
    this.#held.delete(group)
    held?.release()
  }
}

async function withinLimit(before: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, MAX_WAIT_MS)
  timer.unref()
  await Promise.race([before, promise])
  clearTimeout(timer)
}
