// Writes that are asked for in the same breath are one transaction: what a disk takes for one, it takes for all of them.
import { Turn } from '../../feeds/index.ts'

/** Writes in one transaction, at most: nothing else is done while it runs. */
const MAX_TOGETHER = 64

interface Waiting {
  work: () => unknown
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
}

export class GatheredWrites {
  readonly #write: (work: () => void) => void
  readonly #turn: Turn
  #waiting: Waiting[] = []

  /**
   * @param write runs its argument in one transaction
   * @param turn lets others have their turn
   */
  constructor(write: (work: () => void) => void, turn: Turn = new Turn()) {
    this.#write = write
    this.#turn = turn
  }

  /** Runs `work` in a transaction. Where it throws, it alone is undone: it may be called once more by itself. */
  run<T>(work: () => T): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.#waiting.length === 0) void this.#flush()
      this.#waiting.push({ work, resolve, reject })
    }) as Promise<T>
  }

  async #flush(): Promise<void> {
    await Promise.resolve() // what is asked for in the same breath
    await this.#turn.giveWay()
    const all = this.#waiting
    this.#waiting = []
    for (let i = 0; i < all.length; i += MAX_TOGETHER) this.#runTogether(all.slice(i, i + MAX_TOGETHER))
  }

  #runTogether(together: readonly Waiting[]): void {
    const results: unknown[] = []
    try {
      this.#write(() => {
        for (const { work } of together) results.push(work())
      })
    } catch (error) {
      if (together.length === 1) return together[0].reject(error)
      return together.forEach((each) => this.#runTogether([each]))
    }
    together.forEach(({ resolve }, i) => resolve(results[i]))
  }
}
