// What the peer lacks: pushes to it what is new, announces what it cannot be pushed, shows it forks, and tells it up to where
// in our changes it has heard everything.
import { erasuresOf } from '../store/erasure.ts'
import type { Extension, FeedState, FeedStore } from '../store/store.ts'
import type { BlindIndex } from './blind-index.ts'
import { ZERO_HEAD } from './diff.ts'
import * as message from './messages.ts'
import { HEAD_SIZE } from './reconcileset.ts'
import type { RunSender } from './run-sender.ts'

/** How long nothing must have been sent before the peer is told our position, in ms. */
const POSITION_DELAY_MS = 300
/** Feeds named in one frame. */
export const FEEDS_PER_FRAME = 2_048

export interface AnnouncerOptions {
  store: FeedStore
  index: BlindIndex
  sender: RunSender
  send: (frame: Uint8Array) => Promise<void>
  onError: (error: unknown) => void
  isShared: (num: number) => boolean
  /** The feed that the peer's own device writes, if that is known. */
  peerFeed: () => Uint8Array | undefined
  /** Our counter as the hello told it. */
  position: number
}

export class Announcer {
  readonly #options: AnnouncerOptions
  readonly #store: FeedStore
  /** Heights that the peer is known to have, where that is not what we had when it was last compared. */
  readonly #theirs = new Map<number, number>()
  /** Feeds of which we lacked, up to that seq, what the peer asked for. */
  readonly #owed = new Map<number, number>()
  /** Feeds whose fork the peer was shown: once is enough, and a proof is larger than what asks for it. */
  readonly #proven = new Set<number>()
  /** Feeds that changed while the peer could not be told yet. */
  readonly #news = new Set<number>()
  #position: number
  #positionTimer: NodeJS.Timeout | undefined
  #isSendingNews = false
  #isLive = false

  constructor(options: AnnouncerOptions) {
    this.#options = options
    this.#store = options.store
    this.#position = options.position
  }

  /** From now on the peer hears of changes at once; of those until now, with the next frame. */
  goLive(): Promise<void> {
    this.#isLive = true
    return this.#flushNews()
  }

  stop(): void {
    this.#isLive = false
    clearTimeout(this.#positionTimer)
  }

  /** How high the peer is known to hold a feed, if that is not what is held here. */
  heightOf(num: number): number | undefined {
    return this.#theirs.get(num)
  }

  /** The peer said how much of a feed it holds. */
  noteHeight(num: number, height: number): void {
    this.#theirs.set(num, height)
  }

  /** The peer sent an entry: it has that, and may have more. */
  noteReceived(num: number, seq: number): void {
    this.#theirs.set(num, Math.max(seq, this.#theirs.get(num) ?? 0))
  }

  /** The peer should hear what we have of a feed. */
  add(feed: FeedState): void {
    this.#news.add(feed.num)
    this.#flushNewsSoon()
  }

  /** The peer no longer wants a feed; it may want it again later. */
  drop(feed: FeedState): void {
    this.#proven.delete(feed.num)
  }

  /** Of what is asked for, the peer will have what is here; of what is missing here it is told when it comes. */
  noteWant(feed: FeedState, want: message.Want): void {
    this.#theirs.set(feed.num, Math.max(Math.min(want.to, feed.height), this.#theirs.get(feed.num) ?? 0))
    if (want.from < feed.low) this.#owed.set(feed.num, want.isDown ? feed.low - 1 : want.from)
  }

  /** A feed grew by what somebody else brought, or was written here. */
  extend({ feed, from, to }: Extension): void {
    if (!this.#isLive) {
      this.#news.add(feed.num)
      return
    }
    if (!this.#options.isShared(feed.num)) return
    if (to < feed.height) return this.#tellOlder(feed, from)
    // Where nothing is known, the peer has what we had: nothing, when these are the first entries that are here.
    const theirs = this.#theirs.get(feed.num) ?? (from === feed.low ? 0 : from - 1)
    if (theirs >= to) return
    if (theirs < from - 1) {
      this.#news.add(feed.num)
      this.#flushNewsSoon()
      return
    }
    this.#theirs.set(feed.num, to)
    this.#options.sender.push(feed, this.#options.index.nameOf(feed), theirs + 1, to)
  }

  /**
   * Tells the author at the other end which of its bodies were erased here since it was last told.
   * @param told the newest wish in its feed of which it knows @returns what it knows now
   */
  tellErased(told: number): number {
    const key = this.#options.peerFeed()
    const feed = key && this.#store.feed(key)
    // While older entries are still to come, wishes among them would be passed over for good.
    if (!feed || feed.height === 0 || feed.low > 1) return told
    const seqs = erasuresOf(this.#store, feed, told)
    for (let i = 0; i < seqs.length; i += FEEDS_PER_FRAME) {
      this.#send(message.encodeErased(this.#options.index.nameOf(feed), seqs.slice(i, i + FEEDS_PER_FRAME)))
    }
    return feed.height
  }

  /** Shows the peer the proof of a fork. */
  prove(feed: FeedState): void {
    if (this.#proven.has(feed.num)) return
    const proof = this.#store.forkProof(feed)
    if (proof === undefined) return
    this.#proven.add(feed.num)
    this.#send(message.encodeFork(proof))
  }

  /** Names these feeds to the peer, with our position when it has heard everything up to there. */
  async sendHave(feeds: FeedState[]): Promise<void> {
    // While pushes wait to be sent, not everything up to our counter has been told.
    const position = this.#options.sender.isIdle ? this.#store.counter : 0
    if (position > 0) this.#position = position
    for (let i = 0; i === 0 || i < feeds.length; i += FEEDS_PER_FRAME) {
      const part = feeds.slice(i, i + FEEDS_PER_FRAME)
      const have = part.map((feed) => ({
        id: this.#options.index.nameOf(feed),
        height: feed.height,
        head: headOf(feed)
      }))
      await this.#options.send(message.encodeHave(i + FEEDS_PER_FRAME < feeds.length ? 0 : position, have))
    }
  }

  /** When nothing is left to be sent for a while, tells the peer that it has heard everything. */
  tellPositionSoon(): void {
    if (!this.#isLive) return
    clearTimeout(this.#positionTimer)
    this.#positionTimer = setTimeout(() => {
      if (
        !this.#store.isOpen ||
        this.#position === this.#store.counter ||
        !this.#options.sender.isIdle ||
        this.#news.size > 0
      )
        return
      this.#position = this.#store.counter
      this.#send(message.encodeNumber(message.KIND.position, this.#position))
    }, POSITION_DELAY_MS)
    this.#positionTimer.unref()
  }

  /** Older entries came that the peer had asked for in vain. */
  #tellOlder(feed: FeedState, from: number): void {
    const owed = this.#owed.get(feed.num)
    if (owed === undefined || from > owed) return
    this.#owed.delete(feed.num)
    this.#news.add(feed.num)
    this.#flushNewsSoon()
  }

  #flushNewsSoon(): void {
    if (!this.#isLive || this.#isSendingNews || this.#news.size === 0) return
    this.#isSendingNews = true
    setImmediate(() => {
      this.#isSendingNews = false
      this.#flushNews().catch((error: unknown) => this.#options.onError(error))
    })
  }

  async #flushNews(): Promise<void> {
    const feeds = [...this.#news]
      .flatMap((num) => this.#store.feedByNumber(num) ?? [])
      .filter((feed) => feed.priority !== undefined)
    this.#news.clear()
    if (feeds.length > 0) await this.sendHave(feeds)
  }

  #send(frame: Uint8Array): void {
    this.#options.send(frame).catch((error: unknown) => this.#options.onError(error))
  }
}

/** The first bytes of a head, as peers name it; zeros where nothing is held. */
export function headOf(feed: FeedState): Uint8Array {
  return feed.height === 0 ? ZERO_HEAD : feed.head.subarray(0, HEAD_SIZE)
}
