// Which session fetches which feed, so that two friends who both have it do not both send it.

export class FeedClaims {
  readonly #holders = new Map<number, object>()
  readonly #listeners = new Map<object, (num: number) => void>()

  /** @param onFree is told of each feed that somebody else has let go, to look whether something is still missing */
  join(holder: object, onFree: (num: number) => void): void {
    this.#listeners.set(holder, onFree)
  }

  /** @returns whether this holder may fetch the feed */
  take(num: number, holder: object): boolean {
    const current = this.#holders.get(num)
    if (current !== undefined) return current === holder
    this.#holders.set(num, holder)
    return true
  }

  release(num: number, holder: object): void {
    if (this.#holders.get(num) !== holder) return
    this.#holders.delete(num)
    for (const [other, onFree] of this.#listeners) if (other !== holder) onFree(num)
  }

  releaseAll(holder: object): void {
    this.#listeners.delete(holder)
    for (const [num, current] of [...this.#holders]) if (current === holder) this.release(num, holder)
  }
}
