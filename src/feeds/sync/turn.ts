// Keeps bulk work from holding up everything else on the event loop: frames that are already in memory would otherwise be
// taken in one after the other in microtasks, before any timer or other peer gets its turn.
import { setImmediate } from 'node:timers/promises'

/** How long work may go on before others are let in, in ms. */
const SLICE_MS = 10

export class Turn {
  #since = performance.now()
  #isFresh = true

  /** Call it between two pieces of work: waits for one round of the event loop when the slice is used up. */
  async giveWay(): Promise<void> {
    const now = performance.now()
    if (this.#isFresh) {
      this.#since = now
      this.#isFresh = false
      globalThis.setImmediate(() => (this.#isFresh = true))
      return
    }
    if (now - this.#since < SLICE_MS) return
    await setImmediate()
  }
}
