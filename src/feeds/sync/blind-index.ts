// Recognises the blinded ids of one session: made when the first one arrives, from all feeds that are wanted here.
import type { FeedState, FeedStore } from '../store/store.ts'
import { BLINDED_SIZE, blindFeeds, packBlinded } from './blind.ts'

export class BlindIndex {
  readonly #store: FeedStore
  readonly #salt: Uint8Array
  /** Ids and the feed numbers they stand for; packed, because there is one index a connection. */
  #ids: Uint8Array | undefined
  #nums = new Uint32Array()
  /** A hash table of positions in them, from 1 on; 0 is a free slot. */
  #slots = new Uint32Array()
  #mask = 0
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
    for (let slot = slotOf(id, 0, this.#mask); this.#slots[slot] !== 0; slot = (slot + 1) & this.#mask) {
      const position = this.#slots[slot] - 1
      const start = position * BLINDED_SIZE
      if (Buffer.compare(this.#ids!.subarray(start, start + BLINDED_SIZE), id) === 0) return this.#nums[position]
    }
    return undefined
  }

  /** Ids are random: a table of twice as many slots, where what collides goes into the next free one. */
  #make(): void {
    const rows = this.#store.all('SELECT num, key FROM feeds WHERE priority IS NOT NULL')
    this.#ids = packBlinded(
      this.#salt,
      rows.map((row) => row.key as Uint8Array)
    )
    this.#nums = Uint32Array.from(rows, (row) => row.num as number)
    const size = 2 ** Math.ceil(Math.log2(rows.length * 2 + 2))
    this.#mask = size - 1
    this.#slots = new Uint32Array(size)
    for (let position = 0; position < rows.length; position++) {
      let slot = slotOf(this.#ids, position * BLINDED_SIZE, this.#mask)
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask
      this.#slots[slot] = position + 1
    }
  }
}

/** The slot at which an id is looked for first: its first four bytes, cut to the table's size. */
function slotOf(ids: Uint8Array, offset: number, mask: number): number {
  return ((ids[offset] << 24) | (ids[offset + 1] << 16) | (ids[offset + 2] << 8) | ids[offset + 3]) & mask
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1')
}
