// What this side lacks: compares what the peer says it has with what is stored, asks for the difference, and looks for the
// place where two histories of one feed part.
import type { CheckedRun } from '../run.ts'
import { lastOf } from '../run.ts'
import { bottomOf, hasGap } from '../store/limits.ts'
import type { FeedState, FeedStore, IngestOutcome } from '../store/store.ts'
import type { BlindIndex } from './blind-index.ts'
import { diffFeed, ZERO_HEAD } from './diff.ts'
import type { FeedClaims } from './feed-claims.ts'
import * as message from './messages.ts'
import { type FetchPlan, RunFetcher } from './run-fetcher.ts'

export interface CatchUpOptions {
  store: FeedStore
  index: BlindIndex
  claims: FeedClaims
  send: (frame: Uint8Array) => void
  /** Whether the peer wants this feed too. */
  isShared: (num: number) => boolean
  /** How high the peer is known to hold a feed, if that is not what is held here. */
  heightOf: (num: number) => number | undefined
  /** The fork is known here, or was found: the peer should see the proof. */
  onFork: (feed: FeedState) => void
  /** Something that was asked for has come, or was asked for just now. */
  onProgress: () => void
  /** There is no room for something that the peer has: it is not asked for. */
  onLeftOut: () => void
}

export class CatchUp {
  readonly #options: CatchUpOptions
  readonly #store: FeedStore
  readonly #fetcher: RunFetcher
  /** Feeds of which the peer has more than we have fetched. */
  readonly #ahead = new Map<number, number>()
  /** Feeds of which the peer has nothing older than we hold. */
  readonly #hasNoOlder = new Set<number>()
  /** Where heads differ: the fork lies at or above `low` and below `high`. */
  readonly #probes = new Map<number, { low: number; high: number; isMoved: boolean }>()
  #isLive = false

  constructor(options: CatchUpOptions) {
    this.#options = options
    this.#store = options.store
    this.#fetcher = new RunFetcher(options.claims, (plans) => this.#sendWants(plans))
    options.claims.join(this.#fetcher, (num) => this.reconsider(num))
  }

  /** Nothing is asked for, or waits to be. */
  get isIdle(): boolean {
    return this.#fetcher.isIdle
  }

  /** Entries that are being fetched from this peer and have not come. */
  get missing(): number {
    return this.#fetcher.missing
  }

  /** Both sides have compared what they share: what was interrupted earlier can go on. */
  goLive(): void {
    this.#isLive = true
    for (const feed of this.#store.feedsWithGap()) if (this.#options.isShared(feed.num)) this.#fetchOlder(feed)
  }

  stop(): void {
    this.#isLive = false
    this.#fetcher.stop()
  }

  /** Acts on what the peer says it has of a feed. */
  compare(feed: FeedState, height: number, head: Uint8Array): void {
    const step = diffFeed(feed, { height, head })
    if (step.kind === 'prove') this.#options.onFork(feed)
    else if (step.kind === 'nothing' || step.kind === 'behind') {
      this.#hasNoOlder.delete(feed.num) // it says so again because it has got more of it
      if (this.#isLive && height >= feed.low - 1) this.#fetchOlder(feed) // below that, nothing joins what is here
    } else if (step.kind === 'probe') {
      this.#probes.set(feed.num, { low: feed.low, high: feed.height + 1, isMoved: true })
      this.#probe(feed)
    } else if (step.kind === 'want') {
      this.#ahead.set(feed.num, step.to)
      if (feed.isOwn) this.#store.events.emit('ownAhead', { feed, height })
      this.#fetch(feed)
    }
  }

  /** Fetches a feed up to `height`, of which something was heard elsewhere. */
  pull(feed: FeedState, height: number): void {
    if (!this.#isLive || height <= feed.height) return
    this.#ahead.set(feed.num, Math.max(height, this.#ahead.get(feed.num) ?? 0))
    this.#fetch(feed)
  }

  /** Another session let a feed go, or the feed grew by what another one brought. */
  reconsider(num: number): void {
    if (!this.#isLive || !this.#store.isOpen) return
    const feed = this.#store.feedByNumber(num)
    if (feed?.priority === undefined || !this.#options.isShared(num)) return
    if (this.#ahead.has(num)) this.#fetch(feed)
    else if (hasGap(feed) && (this.#options.heightOf(num) ?? feed.height) >= feed.low - 1) this.#fetchOlder(feed)
  }

  /** More of a feed is wanted than before, or less. */
  adjust(feed: FeedState): void {
    this.#hasNoOlder.delete(feed.num)
    const height = this.#options.heightOf(feed.num)
    if (height !== undefined) this.pull(feed, height)
    this.reconsider(feed.num)
  }

  /** A feed is no longer wanted: should it be again, it is asked for anew. */
  forget(num: number): void {
    this.#ahead.delete(num)
    this.#hasNoOlder.delete(num)
    this.#probes.delete(num)
  }

  /** A feed grew, whoever brought it: what is missing of it may be another part now. */
  noteGrown(feed: FeedState): void {
    if (this.#ahead.has(feed.num)) this.reconsider(feed.num)
  }

  /** A run of the peer's was stored, or was not. */
  takeOutcome(feed: FeedState, run: CheckedRun, outcome: IngestOutcome): void {
    const last = lastOf(run)
    if (outcome.kind === 'stored') {
      if (this.#fetcher.advance(feed.num, outcome.to - outcome.from + 1)) this.#options.onProgress()
      else this.#fetchOlder(feed) // it was pushed into a feed of which nothing was here
    }
    if (outcome.kind === 'frozen') {
      this.#probes.delete(feed.num)
      this.#options.onFork(feed)
    }
    if (outcome.kind === 'gap' && run.first > feed.height) {
      this.#ahead.set(feed.num, Math.max(last, this.#ahead.get(feed.num) ?? 0))
      this.#fetch(feed)
    }
    this.#moveProbe(feed, last, outcome)
  }

  /** The peer has sent all it has of the oldest wants. */
  takeDone(count: number): void {
    const ended = this.#fetcher.done(count)
    if (ended.length > 0) this.#options.onProgress()
    for (const plan of ended) {
      const feed = this.#store.feedByNumber(plan.num)
      if (feed === undefined) continue
      this.#probe(feed)
      const isOlder = plan.to < plan.low
      const hasGrown = feed.low !== plan.low || feed.height !== plan.height // older ones may have come in a run that reaches up to new ones
      // What the peer did not send although it said it has it is not asked for again until it says so anew.
      if (!hasGrown && isOlder) this.#hasNoOlder.add(plan.num)
      else if (!hasGrown) this.#ahead.delete(plan.num)
      this.#fetch(feed)
      this.#fetchOlder(feed)
    }
  }

  /** Asks for what is missing at the top of a feed, if the peer has it. */
  #fetch(feed: FeedState): void {
    const height = this.#ahead.get(feed.num)
    if (height === undefined || feed.priority === undefined) return
    const step = diffFeed(feed, { height, head: ZERO_HEAD })
    if (step.kind !== 'want') this.#ahead.delete(feed.num)
    else this.#want(feed, step)
  }

  /** Asks for the older entries of a feed that was fetched from its newest down and was interrupted. */
  #fetchOlder(feed: FeedState): void {
    if (feed.priority === undefined || !hasGap(feed) || this.#hasNoOlder.has(feed.num)) return
    this.#want(feed, { from: bottomOf(feed, feed.height), to: feed.low - 1, isDown: true })
  }

  #want(feed: FeedState, { from, to, isDown }: Pick<FetchPlan, 'from' | 'to' | 'isDown'>): void {
    if (!this.#store.mayGrow(feed)) return this.#options.onLeftOut()
    this.#fetcher.want({ ...held(feed), from, to, isDown, priority: feed.priority! })
  }

  /** Narrows down where a feed forked; the next question follows when the peer is done with this one. */
  #moveProbe(feed: FeedState, last: number, outcome: IngestOutcome): void {
    const probe = this.#probes.get(feed.num)
    if (outcome.kind === 'diverges')
      this.#probes.set(feed.num, { low: probe?.low ?? feed.low, high: outcome.before, isMoved: true })
    else if (outcome.kind === 'known' && probe !== undefined)
      this.#probes.set(feed.num, { low: last + 1, high: probe.high, isMoved: true })
    if (probe === undefined && !this.#fetcher.has(feed.num)) this.#probe(feed)
  }

  /** Asks for one run in the middle of where a feed may have forked. */
  #probe(feed: FeedState): void {
    const probe = this.#probes.get(feed.num)
    if (probe === undefined) return
    if (!probe.isMoved || probe.low >= probe.high || feed.priority === undefined) {
      this.#probes.delete(feed.num)
      return
    }
    probe.isMoved = false
    const middle = Math.floor((probe.low + probe.high) / 2)
    this.#want(feed, { from: middle, to: middle, isDown: false })
  }

  #sendWants(plans: FetchPlan[]): void {
    const wants = plans.flatMap((plan) => {
      const feed = this.#store.feedByNumber(plan.num)
      return feed === undefined
        ? []
        : { id: this.#options.index.nameOf(feed), from: plan.from, to: plan.to, isDown: plan.isDown }
    })
    this.#options.onProgress()
    this.#options.send(message.encodeWant(wants))
  }
}

function held(feed: FeedState): { num: number; low: number; height: number } {
  return { num: feed.num, low: feed.low, height: feed.height }
}
