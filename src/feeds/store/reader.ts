// Reading entries out of the store: by place, by id, by time, by thread, tag and words.
import type { Entry } from '../entry.ts'
import { entriesOf } from '../run.ts'
import { feedOfPlace, placeOf, seqOfPlace } from './schema.ts'
import type { FeedState, Stored } from './stored.ts'

/** An entry and when it got here. */
export interface StoredEntry extends Entry {
  /** Feed number and seq in one: see schema.ts. */
  place: number
  arrivedMs: number
}

/** The entry of a feed at seq, or undefined when it is not stored. */
export function entryAt(store: Stored, feed: FeedState, seq: number): StoredEntry | undefined {
  return entriesBetween(store, feed, seq, seq)[0]
}

/** Stored entries of a feed from seq `from` to `to`, in order. */
export function entriesBetween(store: Stored, feed: FeedState, from: number, to: number): StoredEntry[] {
  const highest = Math.min(to, feed.height)
  if (highest < from) return []
  return store
    .rows(feed, from, highest)
    .flatMap((row) => entriesOf(row, from).map((entry) => withPlace(feed.num, row.arrivedMs, entry)))
    .filter((entry) => entry.seq <= highest)
}

/** The entry with this id, or undefined. */
export function entryById(store: Stored, id: Uint8Array): StoredEntry | undefined {
  for (const place of store.ids.find(id)) {
    const entry = entryAtPlace(store, place)
    if (entry !== undefined && Buffer.compare(entry.id, id) === 0) return entry
  }
  return undefined
}

export function entryAtPlace(store: Stored, place: number): StoredEntry | undefined {
  const feed = store.feedByNumber(feedOfPlace(place))
  return feed && entryAt(store, feed, seqOfPlace(place))
}

/** A point in the timeline: entries older than this one come after it. */
export interface TimelinePoint {
  timeMs: number
  place: number
}

export interface TimelineQuery {
  /** Only of these feeds (numbers). Default: of one's own and of those that are followed. */
  feeds?: ReadonlySet<number>
  /** Only bodies of these types. Default: of every type. */
  types?: readonly string[]
  before?: TimelinePoint
  limit: number
}

/** What lies further away is read when it is asked for by name, or as part of a thread. */
const NEAR_FEEDS = 'SELECT num FROM feeds WHERE priority <= 1'

/** Entries newest first by the time they are shown with, ties by place. */
export function timeline(store: Stored, query: TimelineQuery): StoredEntry[] {
  const before = query.before ?? { timeMs: Number.MAX_SAFE_INTEGER, place: Number.MAX_SAFE_INTEGER }
  const types = query.types ?? store.all('SELECT name FROM types').map((row) => row.name as string)
  const points = types.flatMap((type) => pointsOfType(store, type, query, before))
  points.sort((a, b) => b.timeMs - a.timeMs || b.place - a.place)
  return points.slice(0, query.limit).flatMap((point) => entryAtPlace(store, point.place) ?? [])
}

function pointsOfType(store: Stored, type: string, query: TimelineQuery, before: TimelinePoint): TimelinePoint[] {
  const points: TimelinePoint[] = []
  const feeds = query.feeds && JSON.stringify([...query.feeds])
  const rows = store.all(
    `SELECT time, place FROM timeline WHERE type = (SELECT num FROM types WHERE name = ?1) AND (time, place) < (?2, ?3)
     ${feeds === undefined ? `AND place >> 32 IN (${NEAR_FEEDS})` : 'AND place >> 32 IN (SELECT value FROM json_each(?5))'}
     ORDER BY time DESC, place DESC LIMIT ?4`,
    ...[type, before.timeMs, before.place, query.limit, ...(feeds === undefined ? [] : [feeds])]
  )
  for (const row of rows) points.push({ timeMs: row.time as number, place: row.place as number })
  return points
}

/** Blobs that stored posts have, as binary CIDs, with the place of the post. @param after only what was indexed later @param limit @default all */
export function blobsOfPosts(store: Stored, after = 0, limit = -1): { num: number; place: number; cid: Uint8Array }[] {
  return store.all('SELECT num, place, cid FROM blobs WHERE num > ? ORDER BY num LIMIT ?', after, limit).map((row) => ({
    num: row.num as number,
    place: row.place as number,
    cid: row.cid as Uint8Array
  }))
}

/** Whether a post that can be read here has this file. */
export function isBlobOfPost(store: Stored, cid: Uint8Array): boolean {
  return placeOfBlob(store, cid) !== undefined
}

/** The place of a post that has this file: of several, the one that was indexed first. */
export function placeOfBlob(store: Stored, cid: Uint8Array): number | undefined {
  return store.get('SELECT place FROM blobs WHERE cid = ? ORDER BY num LIMIT 1', cid)?.place as number | undefined
}

type MarkQuery = Pick<TimelineQuery, 'before' | 'limit' | 'feeds'>

/** Entries with this tag, newest first. */
export function entriesByTag(store: Stored, tag: string, query: MarkQuery): StoredEntry[] {
  return entriesMarked(store, 'tags WHERE tag = ?', tag, query)
}

/** Posts that mention this person, newest first. */
export function entriesByMention(store: Stored, did: string, query: MarkQuery): StoredEntry[] {
  return entriesMarked(store, 'mentions WHERE did = ?', did, query)
}

function entriesMarked(store: Stored, where: string, value: string, query: MarkQuery): StoredEntry[] {
  const before = query.before ?? { timeMs: Number.MAX_SAFE_INTEGER, place: Number.MAX_SAFE_INTEGER }
  const rows = store.all(
    `SELECT place FROM ${where} AND (time, place) < (?, ?) AND place >> 32 IN (${feedsClause(query.feeds)}) ORDER BY time DESC, place DESC LIMIT ?`,
    ...[value, before.timeMs, before.place, ...feedsValue(query.feeds), query.limit]
  )
  return rows.flatMap((row) => entryAtPlace(store, row.place as number) ?? [])
}

/** Entries that hold all of these words, newest places first. */
export function entriesByWords(
  store: Stored,
  words: string,
  query: Pick<TimelineQuery, 'before' | 'limit' | 'feeds'>
): StoredEntry[] {
  const terms = words.split(/[\s\0]+/u).filter((word) => word.length > 0)
  if (terms.length === 0) return []
  const match = terms.map((word) => `"${word.replaceAll('"', '""')}"`).join(' ')
  const rows = store.all(
    `SELECT rowid AS place FROM search WHERE text MATCH ? AND rowid >> 32 IN (${feedsClause(query.feeds)}) ORDER BY rowid DESC LIMIT 10000`,
    match,
    ...feedsValue(query.feeds)
  )
  const entries = rows.flatMap((row) => entryAtPlace(store, row.place as number) ?? [])
  return entries
    .map((entry) => ({ entry, timeMs: shownTime(entry) }))
    .filter(
      ({ entry, timeMs }) =>
        query.before === undefined ||
        timeMs < query.before.timeMs ||
        (timeMs === query.before.timeMs && entry.place < query.before.place)
    )
    .sort((a, b) => b.timeMs - a.timeMs || b.entry.place - a.entry.place)
    .slice(0, query.limit)
    .map(({ entry }) => entry)
}

function feedsClause(feeds: ReadonlySet<number> | undefined): string {
  return feeds === undefined ? NEAR_FEEDS : 'SELECT value FROM json_each(?)'
}

function feedsValue(feeds: ReadonlySet<number> | undefined): string[] {
  return feeds === undefined ? [] : [JSON.stringify([...feeds])]
}

/** The time an entry is shown with: its author's claim, but no later than it arrived. */
export function shownTime(entry: { time: number; arrivedMs: number }): number {
  return Math.min(entry.time, entry.arrivedMs)
}

/** Everything that is stored, in numbers. */
export function storeSize(store: Stored): { feeds: number; entries: number; bytes: number } {
  const sums = store.get(
    'SELECT count(*) AS feeds, coalesce(sum(height - low + 1), 0) AS entries FROM feeds WHERE height > 0'
  )!
  const pages = store.get('PRAGMA page_count')!.page_count as number
  const pageSize = store.get('PRAGMA page_size')!.page_size as number
  return { feeds: sums.feeds as number, entries: sums.entries as number, bytes: pages * pageSize }
}

function withPlace(num: number, arrivedMs: number, entry: Entry): StoredEntry {
  return { ...entry, place: placeOf(num, entry.seq), arrivedMs }
}
