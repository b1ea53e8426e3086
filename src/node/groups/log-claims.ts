// No log is fetched from two peers at once: whoever is new to a group and connected with ten of its members would be sent
// all of it ten times. Shared by all sessions of a node.
import type { Hex } from '../../groups/index.ts'

/** Nobody waits longer than this for whoever fetches now: it may be slow, or be told lies. */
const MAX_WAIT_MS = 10_000

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

async function withinLimit(before: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, MAX_WAIT_MS)
  timer.unref()
  await Promise.race([before, promise])
  clearTimeout(timer)
}
