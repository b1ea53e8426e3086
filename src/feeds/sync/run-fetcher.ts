// The asking half of a session: which feeds are to be fetched from this peer, dearest first, a bounded number at a time.
import type { FeedClaims } from './feed-claims.ts'

/** Wants under way at a time: enough to keep a fast peer busy, few enough that a dear feed gets in soon. */
const MAX_OUTSTANDING = 1_024

export interface FetchPlan {
  num: number
  from: number
  to: number
  isDown: boolean
  priority: number
  /** What was held when the plan was made: shows at its end whether the peer sent anything. */
  low: number
  height: number
}

export class RunFetcher {
  readonly #claims: FeedClaims
  readonly #ask: (plans: FetchPlan[]) => void
  /** By feed number: what is to be asked for, and what was. The latter in the order of asking. */
  readonly #waiting = new Map<number, FetchPlan>()
  #outstanding: FetchPlan[] = []
  /** Of each feed that is being fetched, how many of its entries are still to come. */
  readonly #active = new Map<number, number>()
  #missing = 0
  #isScheduled = false

  constructor(claims: FeedClaims, ask: (plans: FetchPlan[]) => void) {
    this.#claims = claims
    this.#ask = ask
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#outstanding.length === 0
  }

  /** Entries that were asked for, or will be, and have not come: as many as the peer says it has. */
  get missing(): number {
    return this.#missing
  }

  /** Whether a feed is being fetched here. */
  has(num: number): boolean {
    return this.#active.has(num)
  }

  /** Plans to fetch, unless another session fetches this feed: then that one's end brings us back to it. */
  want(plan: FetchPlan): void {
    if (this.has(plan.num) || !this.#claims.take(plan.num, this)) return
    this.#expect(plan.num, plan.to - plan.from + 1)
    this.#waiting.set(plan.num, plan)
    this.#schedule()
  }

  /** The peer brought so many entries of a feed. @returns whether it is one that it was asked for */
  advance(num: number, entries: number): boolean {
    const left = this.#active.get(num)
    if (left === undefined) return false
    this.#claims.renew(num, this)
    this.#expect(num, Math.max(0, left - entries))
    return true
  }

  /** The peer has sent all it has of the oldest wants. @returns them */
  done(count: number): FetchPlan[] {
    const ended = this.#outstanding.splice(0, count)
    for (const plan of ended) this.#expectNothing(plan.num)
    for (const plan of ended) this.#claims.release(plan.num, this)
    if (this.#waiting.size > 0) this.#schedule()
    return ended
  }

  /** Leaves everything to other sessions. */
  stop(): void {
    this.#waiting.clear()
    this.#outstanding = []
    this.#active.clear()
    this.#missing = 0
    this.#claims.releaseAll(this)
  }

  #expect(num: number, entries: number): void {
    this.#missing += entries - (this.#active.get(num) ?? 0)
    this.#active.set(num, entries)
  }

  #expectNothing(num: number): void {
    this.#missing -= this.#active.get(num) ?? 0
    this.#active.delete(num)
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    const room = MAX_OUTSTANDING - this.#outstanding.length
    if (room <= 0 || this.#waiting.size === 0) return
    const plans = [...this.#waiting.values()].sort((a, b) => a.priority - b.priority).slice(0, room)
    for (const plan of plans) this.#waiting.delete(plan.num)
    this.#outstanding.push(...plans)
    this.#ask(plans)
  }
}
