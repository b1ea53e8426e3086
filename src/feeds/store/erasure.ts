// Bodies that are gone: because their author wished it, because they expired, or because there is no room.
import { decodeBody } from '../body.ts'
import { type Entry, FLAG_SEALED, VERSION } from '../entry.ts'
import { type CheckedRun, entriesOf, eraseBodies, lastOf, type Run } from '../run.ts'
import { forgetDerived } from './derived.ts'
import { feedOfPlace, placeOf, seqOfPlace } from './schema.ts'
import type { FeedState, Stored, StoredRun } from './stored.ts'

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
    if (seqs.has(entry.seq)) forgetDerived(store, placeOf(feed.num, entry.seq), entry, row.arrivedMs)
  return records.length
}

/** Erases the bodies whose time has come. @returns how many */
export function eraseExpired(store: Stored, nowMs: number, limit = 256): number {
  return store.write(() => {
    const rows = store.all('SELECT at, place FROM expiries WHERE at <= ? ORDER BY at LIMIT ?', nowMs, limit)
    for (const [num, seqs] of byFeed(rows.map((row) => row.place as number))) {
      const feed = store.feedByNumber(num)
      if (feed !== undefined) eraseStored(store, feed, seqs)
    }
    for (const row of rows)
      store.run('DELETE FROM expiries WHERE at = ? AND place = ?', row.at as number, row.place as number)
    return rows.length
  })
}

/**
 * Makes room: erases bodies, furthest away and oldest first, never own ones, until `bytes` were freed.
 * @returns bytes freed; less when there is nothing left to erase
 */
export function eraseForRoom(store: Stored, bytes: number): number {
  return store.write(() => {
    let freed = 0
    const rows = store.all(
      `SELECT runs.place, runs.count FROM runs JOIN feeds ON feeds.num = runs.place >> 32
       WHERE feeds.own = 0 AND feeds.whole = 0 AND coalesce(feeds.priority, 3) > 0 AND length(records) > count * 44
       ORDER BY coalesce(feeds.priority, 3) DESC, arrival LIMIT 256`
    )
    for (const row of rows) {
      if (freed >= bytes) break
      const place = row.place as number
      const feed = store.feedByNumber(feedOfPlace(place))!
      freed += eraseStored(
        store,
        feed,
        Array.from({ length: row.count as number }, (_, i) => seqOfPlace(place) + i)
      )
    }
    return freed
  })
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
