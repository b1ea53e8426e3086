// Entries that go altogether, headers too: below or above a feed's limits, or all of a feed that is not wanted any more. In
// slices of a bounded number of entries; between two of them the store is as whole as ever.
import { HASH_SIZE } from '../entry.ts'
import { entriesOf, idsOf, lastOf } from '../run.ts'
import { forgetDerived } from './derived.ts'
import { bottomOf } from './limits.ts'
import { placeOf, prefixOf } from './schema.ts'
import { type FeedState, idOf, type Stored, type StoredRun, toFeedState, toRun } from './stored.ts'

/** Entries deleted at once where a feed is newly bounded; what is left goes in slices. */
const FIRST_SLICE = 1_024

/**
 * Brings a feed's height to where its bound lies. Call it in a transaction.
 * @param before the bound until now
 */
export function fitTop(store: Stored, feed: FeedState, before: number | undefined): void {
  if (feed.isOwn) return
  const { last = Infinity } = feed
  if (feed.height > last) {
    setTop(store, feed, last)
    deleteAbove(store, store.feedByNumber(feed.num)!, FIRST_SLICE)
  } else if (before !== undefined && last > before && feed.frozen === undefined) raiseTop(store, feed)
}

/** With a higher bound, a run that reached beyond the old one is let go, so that it is fetched and indexed as a whole. */
function raiseTop(store: Stored, feed: FeedState): void {
  while (deleteAbove(store, feed, FIRST_SLICE) > 0) continue
  const top = store.rows(feed, feed.height, feed.height)[0]
  if (top === undefined || lastOf(top) === feed.height) return
  setTop(store, feed, top.first - 1)
  deleteAbove(store, store.feedByNumber(feed.num)!, FIRST_SLICE)
}

function setTop(store: Stored, feed: FeedState, height: number): void {
  if (height < feed.low) return empty(store, feed)
  store.run(
    'UPDATE feeds SET height = ?, head = ?, changed = ? WHERE num = ?',
    ...[height, idOf(store, feed, height)!, store.nextChange(), feed.num]
  )
}

function empty(store: Stored, { num }: FeedState): void {
  store.run(
    `UPDATE feeds SET low = 1, height = 0, head = x'', bare = 0, changed = ? WHERE num = ?`,
    store.nextChange(),
    num
  )
}

/** Deletes runs that lie wholly above the feed's height. @returns entries deleted */
function deleteAbove(store: Stored, feed: FeedState, limit: number): number {
  const rows = store.all(
    'SELECT * FROM runs WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT ?',
    ...[placeOf(feed.num, feed.height + 1), placeOf(feed.num + 1, 0) - 1, limit]
  )
  return deleteRows(
    store,
    feed,
    rows.map((row) => toRun(row, feed.key)),
    limit
  )
}

/** Deletes runs that lie wholly below a seq, from the oldest up. @returns entries deleted */
function deleteBelow(store: Stored, feed: FeedState, seq: number, limit: number): number {
  if (feed.height === 0 || feed.low >= seq) return 0
  const rows = store.rows(feed, feed.low, Math.min(seq - 1, feed.low + limit - 1)).filter((row) => lastOf(row) < seq)
  const deleted = deleteRows(store, feed, rows, limit)
  if (deleted === 0) return 0
  const low = feed.low + deleted
  store.run(
    'DELETE FROM erasures WHERE place BETWEEN ? AND ? AND wish < ?',
    ...[placeOf(feed.num, 0), placeOf(feed.num, low) - 1, placeOf(feed.num, low)]
  )
  if (low > feed.height) empty(store, feed)
  else store.run('UPDATE feeds SET low = ? WHERE num = ?', low, feed.num)
  return deleted
}

/** Deletes all that is held of a feed. Call it in a transaction. */
export function deleteAll(store: Stored, feed: FeedState): void {
  while (deleteBelow(store, store.feedByNumber(feed.num)!, Infinity, FIRST_SLICE) > 0) continue
}

function deleteRows(store: Stored, feed: FeedState, rows: readonly StoredRun[], limit: number): number {
  let [deleted, bytes] = [0, 0]
  for (const row of rows) {
    if (deleted >= limit) break
    deleteRow(store, feed, row)
    deleted += row.count
    bytes += row.records.length
  }
  if (deleted === 0) return 0
  store.keepArrival()
  store.run('UPDATE feeds SET bytes = bytes - ? WHERE num = ?', bytes, feed.num)
  return deleted
}

function deleteRow(store: Stored, feed: FeedState, row: StoredRun): void {
  const place = placeOf(feed.num, row.first)
  const ids = idsOf(row)
  for (let i = 0; i < row.count; i++)
    store.run('DELETE FROM ids WHERE prefix = ? AND place = ?', prefixOf(ids, i * HASH_SIZE), place + i)
  for (const entry of entriesOf(row)) forgetDerived(store, placeOf(feed.num, entry.seq), entry, row.arrivedMs)
  for (const table of ['erased_at', 'expired'])
    store.run(`DELETE FROM ${table} WHERE place BETWEEN ? AND ?`, place, place + row.count - 1)
  store.run('DELETE FROM runs WHERE place = ?', place)
}

/** Deletes one slice of what limits no longer cover. @returns entries deleted; 0 when nothing is left to delete */
export function deleteBeyondLimits(store: Stored, limit: number): number {
  return store.write(() => {
    let deleted = 0
    const rows = store.all(
      'SELECT * FROM feeds WHERE own = 0 AND (low < height - newest + 1 OR height = last OR (height = 0 AND bytes > 0))'
    )
    for (const row of rows) {
      if (deleted >= limit) break
      const feed = toFeedState(row)!
      deleted += deleteAbove(store, feed, limit - deleted)
      if (deleted < limit) deleted += deleteBelow(store, feed, bottomOf(feed, feed.height), limit - deleted)
    }
    return deleted
  })
}

/** Deletes one slice of the feeds that are not wanted. @returns entries deleted; 0 when nothing is left to delete */
export function deleteUnwanted(store: Stored, limit: number): number {
  return store.write(() => {
    let deleted = 0
    for (const row of store.all('SELECT * FROM feeds WHERE priority IS NULL AND own = 0 AND bytes > 0')) {
      if (deleted >= limit) break
      const feed = toFeedState(row)!
      deleted += deleteAbove(store, feed, limit - deleted)
      if (deleted < limit) deleted += deleteBelow(store, feed, Infinity, limit - deleted)
    }
    return deleted
  })
}
