// Which session fetches which feed, so that two friends who both have it do not both send it.

/** How long a session may bring nothing of a feed before another one may fetch it as well, in ms. */
const LIMIT_MS = 30_000

interface Claim {
  holder: object
  renewedMs: number
}

export class FeedClaims {
  readonly #claims = new Map<number, Claim>()
  readonly #listeners = new Map<object, (num: number) => void>()
  readonly #limitMs: number
  /** Feeds that somebody waits for, so that the claim's end is noticed. */
  readonly #timers = new Map<number, NodeJS.Timeout>()

  /** @param options.limitMs how long a claim holds when nothing comes. @default 30_000 */
  constructor({ limitMs = LIMIT_MS }: { limitMs?: number } = {}) {
    this.#limitMs = limitMs
  }

  /** @param onFree is told of each feed that somebody else has let go, to look whether something is still missing */
  join(holder: object, onFree: (num: number) => void): void {
    this.#listeners.set(holder, onFree)
  }

  /** @returns whether this holder may fetch the feed */
  take(num: number, holder: object): boolean {
    const claim = this.#claims.get(num)
    if (claim === undefined) this.#claims.set(num, { holder, renewedMs: performance.now() })
    else if (claim.holder !== holder) this.#watch(num, claim)
    return claim === undefined || claim.holder === holder
  }

  /** The holder has brought something of the feed. */
  renew(num: number, holder: object): void {
    const claim = this.#claims.get(num)
    if (claim?.holder === holder) claim.renewedMs = performance.now()
  }

  release(num: number, holder: object): void {
    if (this.#claims.get(num)?.holder !== holder) return
    this.#claims.delete(num)
    clearTimeout(this.#timers.get(num))
    this.#timers.delete(num)
    for (const [other, onFree] of this.#listeners) if (other !== holder) onFree(num)
  }

  releaseAll(holder: object): void {
    this.#listeners.delete(holder)
    for (const [num, claim] of [...this.#claims]) if (claim.holder === holder) this.release(num, holder)
  }

  #watch(num: number, claim: Claim): void {
    if (this.#timers.has(num)) return
    const leftMs = claim.renewedMs + this.#limitMs - performance.now()
    const timer = setTimeout(
      () => {
        this.#timers.delete(num)
        if (performance.now() - claim.renewedMs < this.#limitMs) this.#watch(num, claim)
        else this.release(num, claim.holder)
      },
      Math.max(1, Math.ceil(leftMs))
    )
    this.#timers.set(num, timer.unref())
  }
}
