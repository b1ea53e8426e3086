// How entries answer each other: replies, threads and reactions, found and counted. Feeds are looked at one by one, so that
// nobody who answers thousands of times hides what others have answered.
import type { Entry } from '../entry.ts'
import { entryAtPlace, type StoredEntry } from './reader.ts'
import { placeOf, prefixOf, seqOfPlace } from './schema.ts'
import type { Row, Stored } from './stored.ts'

/** Kinds of links between entries. */
export const LINK = { root: 0, reply: 1, reaction: 2 } as const

/** Feeds that are looked at for what they have linked to one entry. */
const MAX_LINKING = 1_024
/** The links of a kind (?2) to an entry (?1), feed by feed: one that has very many costs no more than the others. */
const LINKS = 'SELECT place FROM links WHERE target = ?1 AND kind = ?2'
const LINKING_FEEDS = `WITH RECURSIVE linking (num) AS (
  SELECT (${LINKS} ORDER BY place LIMIT 1) >> 32
  UNION ALL
  SELECT (${LINKS} AND place >= (linking.num + 1) << 32 ORDER BY place LIMIT 1) >> 32 FROM linking WHERE linking.num IS NOT NULL
  LIMIT ${MAX_LINKING})`
const LINKS_OF_FEED = `${LINKS} AND place BETWEEN linking.num << 32 AND ((linking.num + 1) << 32) - 1`

/**
 * Entries that name this one as their thread's root, or answer or react to it, in the order of their places. When there are
 * more than `limit`, each feed has the same share of it. Each is opened when it is asked for.
 */
export function* linksTo(
  store: Stored,
  id: Uint8Array,
  kind: keyof typeof LINK,
  limit = 1_000
): Generator<StoredEntry> {
  const link = [prefixOf(id), LINK[kind]]
  const rows = store.all(`${LINKS} ORDER BY place LIMIT ?3`, ...link, limit + 1)
  const found = rows.length <= limit ? rows : linksInShares(store, link, limit)
  for (const { place } of found) {
    const entry = entryAtPlace(store, place as number)
    if (entry !== undefined) yield entry
  }
}

function linksInShares(store: Stored, link: number[], limit: number): Row[] {
  const feeds = store.all(`${LINKING_FEEDS} SELECT num FROM linking WHERE num IS NOT NULL`, ...link)
  const share = Math.max(1, Math.floor(limit / feeds.length))
  const last = `(${LINKS_OF_FEED} ORDER BY place LIMIT 1 OFFSET ?3)`
  return store.all(
    `${LINKING_FEEDS} SELECT links.place FROM linking JOIN links ON target = ?1 AND kind = ?2
     AND place BETWEEN linking.num << 32 AND coalesce(${last}, ((linking.num + 1) << 32) - 1) ORDER BY links.place LIMIT ?4`,
    ...[...link, share - 1, limit]
  )
}

/** Whether an entry of one of these feeds (numbers) answers this one, or reacts to it. Of those that were erased nobody can know. */
export function isLinkedFrom(store: Stored, id: Uint8Array, feeds: Iterable<number>): boolean {
  const target = prefixOf(id)
  const sql = `SELECT 1 FROM links WHERE target = ? AND kind = ? AND place BETWEEN ? AND ?
    AND place NOT IN (SELECT place FROM erasures) LIMIT 1`
  for (const feed of feeds)
    for (const kind of Object.values(LINK))
      if (store.get(sql, target, kind, placeOf(feed, 0), placeOf(feed + 1, 0) - 1) !== undefined) return true
  return false
}

/** Replies of one feed to one entry that are counted. */
const MAX_REPLIES = 256

/** Whether there is anything to count: most entries have no answer, and a look is cheap. */
export function isAnswered(store: Stored, id: Uint8Array): boolean {
  const sql = 'SELECT 1 FROM links WHERE target = ? AND kind IN (?, ?) LIMIT 1'
  return store.get(sql, prefixOf(id), LINK.reply, LINK.reaction) !== undefined
}

/** Whether an entry counts: its author may be blocked, or have ended its device before. */
export type IsCounted = (entry: Pick<Entry, 'feed' | 'seq'>) => boolean

/** How often feeds have answered an entry: 256 times at most, and 1,024 of them. */
export function repliesByFeed(
  store: Stored,
  id: Uint8Array,
  isCounted: IsCounted = () => true
): { feed: Uint8Array; count: number }[] {
  const link = [prefixOf(id), LINK.reply]
  const rows = store.all(
    `${LINKING_FEEDS} SELECT feeds.num, feeds.key, (${LINKS_OF_FEED} ORDER BY place DESC LIMIT 1) AS last,
     (SELECT count(*) FROM (${LINKS_OF_FEED} LIMIT ?3)) AS count FROM linking JOIN feeds ON feeds.num = linking.num`,
    ...[...link, MAX_REPLIES]
  )
  return rows.map((row) => {
    const [feed, num] = [row.key as Uint8Array, row.num as number]
    const counts = ({ place }: Row): boolean => isCounted({ feed, seq: seqOfPlace(place as number) })
    if (counts({ place: row.last })) return { feed, count: row.count as number }
    const range = [placeOf(num, 0), placeOf(num + 1, 0) - 1]
    const replies = store.all(
      `${LINKS} AND place BETWEEN ?3 AND ?4 ORDER BY place LIMIT ?5`,
      ...link,
      ...range,
      MAX_REPLIES
    )
    return { feed, count: replies.filter(counts).length }
  })
}

const REACTIONS = 'SELECT feed FROM reactions WHERE target = ?1'
const REACTING_FEEDS = `WITH RECURSIVE reacting (num) AS (
  SELECT (${REACTIONS} ORDER BY feed LIMIT 1)
  UNION ALL
  SELECT (${REACTIONS} AND feed > reacting.num ORDER BY feed LIMIT 1) FROM reacting WHERE reacting.num IS NOT NULL
  LIMIT ${MAX_LINKING})`

/** How feeds have reacted to an entry, 1,024 of them at most: each emoji of a feed once. */
export function reactionsByFeed(
  store: Stored,
  id: Uint8Array,
  isCounted: IsCounted = () => true
): { feed: Uint8Array; emoji: string }[] {
  const rows = store.all(
    `${REACTING_FEEDS} SELECT feeds.key, emoji, min(place) AS place FROM reacting
     JOIN reactions ON target = ?1 AND feed = reacting.num JOIN feeds ON feeds.num = reacting.num GROUP BY feed, emoji`,
    prefixOf(id)
  )
  return rows
    .map((row) => ({
      feed: row.key as Uint8Array,
      emoji: row.emoji as string,
      seq: seqOfPlace(row.place as number)
    }))
    .filter(isCounted)
    .map(({ feed, emoji }) => ({ feed, emoji }))
}
