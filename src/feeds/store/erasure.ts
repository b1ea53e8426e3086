// Bodies that are gone: because their author wished it, because they expired, or because there is no room.
import { decodeBody } from '../body.ts'
import { type Entry, FLAG_SEALED, HASH_SIZE, VERSION } from '../entry.ts'
import { type CheckedRun, entriesOf, eraseBodies, lastOf, placesOf, type Run } from '../run.ts'
import { forgetDerived } from './derived.ts'
import { feedOfPlace, placeOf, seqOfPlace } from './schema.ts'
import { type FeedState, type Stored, type StoredRun, toFeedState } from './stored.ts'

/** How `"type": "erase"` looks in canonical DAG-CBOR: a run without these bytes holds no wish to erase. */
const ERASE_MARK = Buffer.from('dtypeeerase')
/** Most bodies that one wish can name. */
export const MAX_ERASED_PER_WISH = 1_024

/** A run's records without the bodies that their author already asked to erase. */
export function applyErasures(store: Stored, place: number, run: Run): Uint8Array {
  const rows = store.all('SELECT place FROM erasures WHERE place BETWEEN ? AND ?', place, place + run.count - 1)
  if (rows.length === 0) return run.records
  return eraseBodies(run, new Set(rows.map((row) => seqOfPlace(row.place as number))))
}

/** Obeys the wishes to erase that a run brings, before anything of it is served. */
export function noteWishes(store: Stored, feed: FeedState, run: CheckedRun): void {
  if (feed.isWhole) return
  if (Buffer.from(run.records.buffer, run.records.byteOffset, run.records.length).indexOf(ERASE_MARK) < 0) return
  for (const entry of entriesOf(run)) {
    if (entry.seq > (feed.last ?? Infinity)) break // not the author's any more
    const wish = placeOf(feed.num, entry.seq)
    const isNew = (seq: number): boolean =>
      store.run('INSERT OR IGNORE INTO erasures VALUES (?, ?)', placeOf(feed.num, seq), wish) > 0
    eraseStored(
      store,
      feed,
      wishOf(entry).filter((seq) => seq < entry.seq && isNew(seq))
    )
  }
}

/** The seqs that an entry of type erase names; none for any other entry. */
function wishOf(entry: Entry): number[] {
  if (entry.body === undefined || entry.version !== VERSION || (entry.flags & FLAG_SEALED) !== 0) return []
  const body = decodeBody(entry.body)
  if (body.type !== 'erase' || !Array.isArray(body.seq)) return []
  return body.seq.filter((seq) => Number.isSafeInteger(seq) && seq > 0).slice(0, MAX_ERASED_PER_WISH)
}

/** Drops stored bodies and what was derived from them; the headers stay. @returns bytes freed */
export function eraseStored(store: Stored, feed: FeedState, seqs: readonly number[]): number {
  if (feed.isWhole) return 0
  let freed = 0
  const left = new Set(seqs)
  for (const seq of [...left].sort((a, b) => a - b)) {
    if (!left.has(seq)) continue
    const row = store.rows(feed, seq, seq)[0]
    if (row === undefined) continue
    const inRow = new Set([...left].filter((other) => other >= row.first && other <= lastOf(row)))
    freed += row.records.length - rewriteRow(store, feed, row, inRow)
    for (const done of inRow) left.delete(done)
  }
  if (freed !== 0) store.run('UPDATE feeds SET bytes = bytes - ? WHERE num = ?', freed, feed.num)
  return freed
}

function rewriteRow(store: Stored, feed: FeedState, row: StoredRun, seqs: ReadonlySet<number>): number {
  const records = eraseBodies(row, seqs)
  store.run('UPDATE runs SET records = ? WHERE place = ?', records, placeOf(feed.num, row.first))
  for (const entry of entriesOf(row))
    if (seqs.has(entry.seq)) forgetDerived(store, placeOf(feed.num, entry.seq), entry, row.arrivedMs, feed.isOwn)
  return records.length
}

/** Erases the bodies whose time has come. @returns how many */
export function eraseExpired(store: Stored, nowMs: number, limit = 256): number {
  return store.write(() => {
    const rows = store.all('SELECT at, place FROM expiries WHERE at <= ? ORDER BY at LIMIT ?', nowMs, limit)
    for (const [num, seqs] of byFeed(rows.map((row) => row.place as number))) {
      const feed = store.feedByNumber(num)
      if (feed !== undefined) eraseStored(store, feed, seqs)
      for (const seq of seqs) store.run('INSERT OR IGNORE INTO expired VALUES (?)', placeOf(num, seq))
    }
    for (const row of rows)
      store.run('DELETE FROM expiries WHERE at = ? AND place = ?', row.at as number, row.place as number)
    return rows.length
  })
}

/** Erases one slice of the oldest bodies of feeds that have grown above their limit in bytes. @returns bytes freed */
export function eraseOverLimits(store: Stored, runs: number): number {
  return store.write(() => {
    let freed = 0
    const over = store.all(
      'SELECT * FROM feeds WHERE own = 0 AND whole = 0 AND bytes > max_bytes AND bare < height AND priority IS NOT NULL'
    )
    for (const row of over) {
      if (runs <= 0) break
      const feed = toFeedState(row)!
      let over = feed.bytes - feed.maxBytes!
      for (const run of store.rows(feed, Math.max(feed.low, (row.bare as number) + 1), feed.height).slice(0, runs)) {
        if (over <= 0) break
        runs--
        const part = eraseRun(store, feed, run)
        over -= part
        freed += part
        store.run('UPDATE feeds SET bare = ? WHERE num = ?', lastOf(run), feed.num)
      }
    }
    return freed
  })
}

/** What making room has come to: bytes freed, and the arrival number from which on to look further. */
export interface MadeRoom {
  freed: number
  next: number
  isEnd: boolean
}

/**
 * Makes room with one slice: erases bodies of others' feeds of one priority, those first that are here for longest, until
 * `bytes` were freed.
 * @param from arrival number to begin at
 */
export function eraseForRoom(
  store: Stored,
  { bytes, priority, from, runs }: { bytes: number; priority: number; from: number; runs: number }
): MadeRoom {
  return store.write(() => {
    const made: MadeRoom = { freed: 0, next: from, isEnd: false }
    const rows = store.rowsByArrival(from, runs)
    for (const row of rows) {
      if (made.freed >= bytes) return made
      made.next = row.arrival + row.count
      const feed = store.feed(row.feed)!
      if (feed.priority === priority && !feed.isOwn) made.freed += eraseRun(store, feed, row)
    }
    return { ...made, isEnd: rows.length < runs }
  })
}

/** Erases the bodies of a stored run; where a body is shorter than the hash it would leave, it stays. @returns bytes freed */
function eraseRun(store: Stored, feed: FeedState, run: StoredRun): number {
  const seqs = placesOf(run.records, run.count).flatMap(({ isErased, bodySize }, i) =>
    isErased || bodySize <= HASH_SIZE ? [] : run.first + i
  )
  return eraseStored(store, feed, seqs)
}

/** Bytes of records by priority, own feeds and own devices' (0) too; NULL stands for what is not wanted any more. */
export function usageByPriority(store: Stored): { priority: number | undefined; feeds: number; bytes: number }[] {
  return store
    .all('SELECT priority, count(*) AS feeds, sum(bytes) AS bytes FROM feeds WHERE height > 0 GROUP BY priority')
    .map((row) => ({
      priority: (row.priority as number | null) ?? undefined,
      feeds: row.feeds as number,
      bytes: row.bytes as number
    }))
}

/** The same by feed, a page at a time. @param after the number of the last feed of the page before */
export function feedUsage(
  store: Stored,
  { after, limit }: { after: number; limit: number }
): { num: number; key: Uint8Array; priority: number | undefined; entries: number; bytes: number }[] {
  const sql =
    'SELECT num, key, priority, height - low + 1 AS entries, bytes FROM feeds WHERE num > ? AND height > 0 ORDER BY num LIMIT ?'
  return store.all(sql, after, limit).map((row) => ({
    num: row.num as number,
    key: row.key as Uint8Array,
    priority: (row.priority as number | null) ?? undefined,
    entries: row.entries as number,
    bytes: row.bytes as number
  }))
}

/** What this store has erased of a feed at its author's wish: seqs, after the wish at that seq. */
export function erasuresOf(store: Stored, feed: FeedState, afterWish = 0): number[] {
  const rows = store.all(
    'SELECT place FROM erasures WHERE place BETWEEN ? AND ? AND wish > ? AND wish <= ?',
    placeOf(feed.num, 0),
    placeOf(feed.num + 1, 0) - 1,
    placeOf(feed.num, afterWish),
    placeOf(feed.num, feed.height)
  )
  return rows.map((row) => seqOfPlace(row.place as number))
}

/**
 * Why a stored entry has no body: its author wished so, or its time was over. 'dropped': there was no room for it, here or
 * where it came from, or its time was over there.
 */
export function whyGone(store: Stored, place: number): 'erased' | 'expired' | 'dropped' {
  if (store.get('SELECT 1 FROM erasures WHERE place = ?', place) !== undefined) return 'erased'
  return store.get('SELECT 1 FROM expired WHERE place = ?', place) === undefined ? 'dropped' : 'expired'
}

/** Remembers that a holder said it erased these bodies of an own feed. */
export function noteErasedAt(store: Stored, feed: FeedState, holder: string, seqs: readonly number[]): void {
  store.write(() => {
    for (const seq of seqs) {
      store.run(
        'INSERT OR IGNORE INTO erased_at SELECT place, ? FROM erasures WHERE place = ?',
        holder,
        placeOf(feed.num, seq)
      )
    }
  })
}

/** How many holders said that they erased this body. */
export function holdersThatErased(store: Stored, place: number): number {
  return Number(store.get('SELECT count(*) AS n FROM erased_at WHERE place = ?', place)?.n ?? 0)
}

function byFeed(places: readonly number[]): Map<number, number[]> {
  const result = new Map<number, number[]>()
  for (const place of places) {
    const num = feedOfPlace(place)
    result.set(num, [...(result.get(num) ?? []), seqOfPlace(place)])
  }
  return result
}
