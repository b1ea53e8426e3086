// Recognises the blinded ids of one session: made when the first one arrives, from all feeds that are wanted here.
import type { FeedState, FeedStore } from '../store/store.ts'
import { BLINDED_SIZE, blindFeeds } from './blind.ts'

export class BlindIndex {
  readonly #store: FeedStore
  readonly #salt: Uint8Array
  /** Ids and the feed numbers they stand for, sorted by id; packed, because there is one index a connection. */
  #ids: Uint8Array | undefined
  #nums = new Uint32Array()
  /** Feeds that were wanted after the index was made, or named by this side before. */
  readonly #added = new Map<string, number>()

  constructor(store: FeedStore, salt: Uint8Array) {
    this.#store = store
    this.#salt = salt
  }

  /** The id under which this session names a feed. */
  idOf(feed: FeedState): Uint8Array {
    const [id] = blindFeeds(this.#salt, [feed.key])
    return id
  }

  /** Names a feed, and will recognise the name without looking at all feeds. */
  nameOf(feed: FeedState): Uint8Array {
    const id = this.idOf(feed)
    if (this.#ids === undefined) this.#added.set(keyOf(id), feed.num)
    return id
  }

  /** A feed is wanted from now on. */
  add(feed: FeedState): void {
    if (this.#ids !== undefined) this.#added.set(keyOf(this.idOf(feed)), feed.num)
  }

  /** The wanted feed that a blinded id stands for, or undefined: then it says nothing to us. */
  find(id: Uint8Array): FeedState | undefined {
    const num = this.#added.get(keyOf(id)) ?? this.#search(id)
    const feed = num === undefined ? undefined : this.#store.feedByNumber(num)
    return feed?.priority === undefined ? undefined : feed
  }

  #search(id: Uint8Array): number | undefined {
    if (this.#ids === undefined) this.#make()
    const ids = this.#ids!
    let [low, high] = [0, this.#nums.length - 1]
    while (low <= high) {
      const middle = (low + high) >> 1
      const order = Buffer.compare(ids.subarray(middle * BLINDED_SIZE, (middle + 1) * BLINDED_SIZE), id)
      if (order === 0) return this.#nums[middle]
      if (order < 0) low = middle + 1
      else high = middle - 1
    }
    return undefined
  }

  #make(): void {
    const feeds = this.#store.all('SELECT num, key FROM feeds WHERE priority IS NOT NULL')
    const blinded = blindFeeds(
      this.#salt,
      feeds.map((row) => row.key as Uint8Array)
    )
    const order = Uint32Array.from(blinded.keys()).sort((a, b) => Buffer.compare(blinded[a], blinded[b]))
    this.#ids = new Uint8Array(order.length * BLINDED_SIZE)
    order.forEach((index, position) => this.#ids!.set(blinded[index], position * BLINDED_SIZE))
    this.#nums = order.map((index) => feeds[index].num as number)
  }
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1')
}
