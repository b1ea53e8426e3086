// Gossip of feeds: which topics are subscribed, what is published on them, and what becomes of what arrives.
import type { PeerId } from '@libp2p/interface'
import { encodeGossip, type Extension, type FeedState, type FeedStore, judgeGossip, topicName } from '../feeds/index.ts'
import { type Gossip, type Judge, MAX_TOPICS, type Verdict } from './gossip.ts'
import type { TopicShare } from './gossip-topics.ts'

/** How often topics are looked at again: the month may have turned, other feeds may have become active. */
const REFRESH_MS = 10 * 60_000
/** How long feeds that come to be wanted wait for each other, in ms. */
const REFRESH_DELAY_MS = 100
/** Around the turn of a month both names are subscribed: clocks differ. */
const CLOCK_SKEW_MS = 24 * 3_600_000

export interface GossipServiceOptions {
  store: FeedStore
  gossip: Gossip
  /** Registers the judge, and takes the names of topics. */
  share: (judge: Judge) => TopicShare
  /** The topic secret of a feed's author. */
  secretOf: (feed: Uint8Array) => Uint8Array
  /** Fetches by sync what gossip only told of. */
  pull: (feed: FeedState, height: number, from: PeerId) => void
}

export class GossipService {
  readonly #options: GossipServiceOptions
  readonly #share: TopicShare
  /** Feed by topic. */
  readonly #topics = new Map<string, Uint8Array>()
  /** The topic of the feed that was published last, computed anew every ten minutes. */
  #own: { num: number; period: number; topic: string } | undefined
  /** Own feeds that grew, by number. */
  readonly #unpublished = new Set<number>()
  #publishing: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  #soon: NodeJS.Timeout | undefined
  readonly #onWanted = (): void => this.#refreshSoon()
  readonly #onExtended = ({ feed, to }: Extension): void => {
    if (feed.isOwn && to === feed.height) this.#publishSoon(feed)
  }

  constructor(options: GossipServiceOptions) {
    this.#options = options
    this.#share = options.share((topic, data, from) => this.judge(topic, data, from))
  }

  /** Call it after the network has started. */
  start(): void {
    const { store } = this.#options
    store.events.on('wanted', this.#onWanted)
    store.events.on('extended', this.#onExtended)
    this.#timer = setInterval(() => this.refresh(), REFRESH_MS)
    this.#timer.unref()
    this.refresh()
  }

  stop(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
    clearImmediate(this.#publishing)
    this.#timer = this.#soon = undefined
    this.#options.store.events.off('wanted', this.#onWanted)
    this.#options.store.events.off('extended', this.#onExtended)
  }

  /** Judges a message: what {@link Gossip} asks for each one. */
  judge(topic: string, data: Uint8Array, from: PeerId): Verdict {
    const feed = this.#topics.get(topic)
    if (feed === undefined) return 'ignore'
    const { verdict, pull } = judgeGossip(this.#options.store, feed, data, this)
    if (pull !== undefined) this.#options.pull(pull.feed, pull.height, from)
    return verdict
  }

  /** Subscribes own feeds (an author who is not in the topic's mesh reaches few), then those that were active last, up to the limit. */
  refresh(): void {
    const feeds = this.#options.store.nearFeeds(MAX_TOPICS)
    this.#topics.clear()
    for (const feed of feeds) {
      const names = topicsOf(this.#options.secretOf(feed.key), feed.key, Date.now())
      if (this.#topics.size + names.length > MAX_TOPICS) break
      for (const name of names) this.#topics.set(name, feed.key)
    }
    this.#share.subscribe(new Set(this.#topics.keys()))
  }

  /** Somebody's topic secret is another one now, perhaps one's own. */
  onSecretsChanged(): void {
    this.#own = undefined
    this.#refreshSoon()
  }

  #refreshSoon(): void {
    if (this.#timer === undefined) return
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      this.refresh()
    }, REFRESH_DELAY_MS)
  }

  /** After sync has pushed to those who are connected: gossip is for all others, who can wait for a turn. */
  #publishSoon({ num }: FeedState): void {
    if (this.#unpublished.size === 0) this.#publishing = setImmediate(() => this.#publishAll())
    this.#unpublished.add(num)
  }

  #publishAll(): void {
    const feeds = [...this.#unpublished].flatMap((num) => this.#options.store.feedByNumber(num) ?? [])
    this.#unpublished.clear()
    for (const feed of feeds) this.#publish(feed)
  }

  #ownTopic(feed: FeedState): string {
    const period = Math.floor(Date.now() / REFRESH_MS)
    if (this.#own?.num !== feed.num || this.#own.period !== period) {
      this.#own = { num: feed.num, period, topic: topicName(this.#options.secretOf(feed.key), feed.key, Date.now()) }
    }
    return this.#own.topic
  }

  /** Tells of the head only: whoever lacks what is before it pulls that. */
  #publish(feed: FeedState): void {
    const [row] = this.#options.store.rowsDown(feed, feed.height, feed.height)
    const topic = this.#ownTopic(feed)
    if (row !== undefined) this.#options.gossip.publish(topic, encodeGossip(row)).catch(() => {}) // the network is stopping; sync carries it later
  }
}

/** The topic's name now and, near the turn of a month, its other name. */
function topicsOf(secret: Uint8Array, feed: Uint8Array, nowMs: number): string[] {
  const [before, after] = [nowMs - CLOCK_SKEW_MS, nowMs + CLOCK_SKEW_MS].map((time) => topicName(secret, feed, time))
  return before === after ? [before] : [before, after]
}
