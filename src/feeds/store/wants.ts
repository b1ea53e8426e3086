// Which feeds are to be kept, and how much of each. The whole set is given each time, and only what differs is written: with
// ten thousand feeds a change of one must cost no more than a look at the others.
import { FeedError } from '../errors.ts'
import { fitTop } from './deletion.ts'
import type { Counters } from './placement.ts'
import { MAX_FEEDS } from './schema.ts'
import type { FeedState, Row, Stored } from './stored.ts'

/** A feed to be kept, how dear it is (0 own, 1 followed, 2 further away), and how much of it. */
export interface WantedFeed {
  feed: Uint8Array
  priority: number
  /** Runs with erased bodies are not taken: an identity log says nothing when a body is missing. @default false */
  isWhole?: boolean
  /** Only this many of the newest entries are kept and fetched. @default all */
  newest?: number
  /** Nothing above this seq is taken, served or fetched: the device was revoked there. @default no bound */
  last?: number
  /**
   * Above so many bytes of records, the oldest bodies are erased; headers stay. Of a feed that is whole, nothing more is
   * taken. @default no bound
   */
  maxBytes?: number
}

type Limits = Required<Pick<WantedFeed, 'priority' | 'isWhole'>> & Pick<WantedFeed, 'newest' | 'last' | 'maxBytes'>

interface Kept extends Limits {
  num: number
  isOwn: boolean
  /** Of {@link Wants.set}, the last one that named it. */
  round: number
}

/** What became different. */
export interface WantChanges {
  /** Feeds that are wanted and were not, or no longer are. */
  wanted: number[]
  /** Feeds of which more or less is kept than before. */
  limited: number[]
}

export class Wants {
  readonly #stored: Stored
  readonly #counters: Counters
  /** What the table says, by feed key; read again after somebody else has written to it. */
  #kept: Map<string, Kept> | undefined
  #round = 0

  constructor(stored: Stored, counters: Counters) {
    this.#stored = stored
    this.#counters = counters
  }

  /** The table was changed by others, or a transaction failed. */
  reload(): void {
    this.#kept = undefined
  }

  /** Makes these the wanted feeds; own ones stay. Nothing is written when nothing differs. */
  set(wanted: readonly WantedFeed[]): WantChanges {
    const kept = (this.#kept ??= this.#load())
    const round = ++this.#round
    const differing = new Map<string, WantedFeed>()
    for (const want of wanted) {
      const name = nameOf(want.feed)
      const known = kept.get(name)
      if (known !== undefined) known.round = round
      if (known === undefined || !isSame(known, want)) differing.set(name, want)
      else differing.delete(name)
    }
    const ended = [...kept].filter(([, known]) => known.round !== round && !known.isOwn)
    if (differing.size === 0 && ended.length === 0) return { wanted: [], limited: [] }
    return this.#stored.write(() => this.#write(differing, ended))
  }

  #write(differing: Map<string, WantedFeed>, ended: [string, Kept][]): WantChanges {
    const kept = this.#kept!
    const changes: WantChanges = { wanted: [], limited: [] }
    for (const [name, want] of differing) {
      const known = kept.get(name)
      const { num, isOwn } = this.want(want, known === undefined)
      kept.set(name, { ...limitsOf(want), num, isOwn, round: this.#round })
      if (known === undefined) changes.wanted.push(num)
      else if (!isOwn) changes.limited.push(num)
    }
    for (const [name, { num }] of ended) {
      this.#stored.run('UPDATE feeds SET priority = NULL, changed = ? WHERE num = ?', ++this.#counters.change, num)
      kept.delete(name)
      changes.wanted.push(num)
    }
    return changes
  }

  /** Writes one want. Call it in a transaction. @param isNew the feed was not wanted before */
  want(want: WantedFeed, isNew: boolean): FeedState {
    const before = this.#stored.feed(want.feed)
    const changed = isNew ? ++this.#counters.change : 0
    const { priority, isWhole, newest = null, last = null, maxBytes = null } = limitsOf(want)
    this.#stored.run(
      `INSERT INTO feeds (key, priority, changed, wanted, whole, newest, last, max_bytes) VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7)
       ON CONFLICT DO UPDATE SET priority = ?2, changed = max(changed, ?3), wanted = max(wanted, ?3), whole = ?4,
         newest = ?5, last = ?6, max_bytes = ?7`,
      ...[want.feed, priority, changed, isWhole ? 1 : 0, newest, last, maxBytes]
    )
    const feed = this.#stored.feed(want.feed)!
    if (feed.num >= MAX_FEEDS) throw new FeedError('STORE_IO', `a store holds at most ${MAX_FEEDS} feeds`)
    if (feed.height > 0 && before?.last !== feed.last) fitTop(this.#stored, feed, before?.last)
    return feed
  }

  #load(): Map<string, Kept> {
    const rows = this.#stored.all(
      'SELECT num, key, priority, whole, own, newest, last, max_bytes FROM feeds WHERE priority IS NOT NULL'
    )
    return new Map(rows.map((row) => [nameOf(row.key as Uint8Array), toKept(row)]))
  }
}

function toKept(row: Row): Kept {
  return {
    num: row.num as number,
    priority: row.priority as number,
    isWhole: row.whole === 1,
    isOwn: row.own === 1,
    newest: (row.newest as number | null) ?? undefined,
    last: (row.last as number | null) ?? undefined,
    maxBytes: (row.max_bytes as number | null) ?? undefined,
    round: 0
  }
}

function limitsOf({ priority, isWhole = false, newest, last, maxBytes }: WantedFeed): Limits {
  return { priority, isWhole, newest, last, maxBytes }
}

function isSame(kept: Kept, want: WantedFeed): boolean {
  return (
    kept.priority === want.priority &&
    kept.isWhole === (want.isWhole ?? false) &&
    kept.newest === want.newest &&
    kept.last === want.last &&
    kept.maxBytes === want.maxBytes
  )
}

/** Whoever wants feeds names them by the same objects each time; written out, each would cost more than all the rest. */
const names = new WeakMap<Uint8Array, string>()

function nameOf(key: Uint8Array): string {
  let known = names.get(key)
  if (known === undefined) {
    known = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
    names.set(key, known)
  }
  return known
}
