// What travels over gossip, and what becomes of it: one fresh entry with its own signature, under a topic whose name
// tells an outsider nothing. The pubsub itself is the node's; here are bytes and verdicts.
import { createHmac } from 'node:crypto'
import { type Entry, HEADER_SIZE, sha256, SIGNATURE_SIZE, validateEntry } from './entry.ts'
import { FeedError } from './errors.ts'
import { entriesOf, headersOf, lastOf, runOfEntry, type Run } from './run.ts'
import { isOutgrown } from './store/limits.ts'
import type { FeedState, FeedStore } from './store/store.ts'

/** Bodies up to this size travel with their entry; longer ones are pulled by sync. Bytes. */
export const MAX_GOSSIP_BODY = 4_096
const SECRET_DOMAIN = Buffer.from('comrade/topic/secret/1\0')
const TOPIC_BYTES = 16
/** How long an entry that came another way is still passed on: as long as gossipsub remembers a message. */
const FRESH_MS = 120_000

/** The topic secret that follows from an author's public key: whoever knows the key can compute it. */
export function topicSecret(author: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([SECRET_DOMAIN, author]))
}

/**
 * The name of a feed's topic in the month of `timeMs` (UTC): a keyed hash, so that names cannot be linked from month to
 * month, nor from feed to feed.
 * @param secret of the feed's author
 */
export function topicName(secret: Uint8Array, feed: Uint8Array, timeMs: number): string {
  const month = new Date(timeMs).toISOString().slice(0, 7)
  return `/comrade/feed/1/${createHmac('sha256', secret)
    .update(month)
    .update(feed)
    .digest('hex')
    .slice(0, TOPIC_BYTES * 2)}`
}

/** A run's last entry as a message: header ‖ signature ‖ body, the latter only up to 4 KiB. */
export function encodeGossip(run: Run): Uint8Array {
  const entry = entriesOf(run, lastOf(run))[0]
  const body = entry.body !== undefined && entry.body.length <= MAX_GOSSIP_BODY ? entry.body : new Uint8Array()
  return Buffer.concat([headerOf(run), run.signature, body])
}

/**
 * gossipsub's message id: sha256 of the whole message. (The entry's id alone would let anybody who forwards an entry
 * with a spoiled signature or body make others drop the true one as a duplicate: ids are marked before messages are judged.)
 */
export const gossipId = sha256

/** An entry that came over gossip and is valid by itself. */
export interface GossipEntry {
  entry: Entry
  signature: Uint8Array
}

/** @throws FeedError when the entry is not valid */
export function decodeGossip(data: Uint8Array): GossipEntry {
  const bodyAt = HEADER_SIZE + SIGNATURE_SIZE
  if (data.length < bodyAt || data.length > bodyAt + MAX_GOSSIP_BODY) {
    throw new FeedError(
      'FRAME_FORMAT',
      `a gossip message has ${bodyAt} to ${bodyAt + MAX_GOSSIP_BODY} bytes, not ${data.length}`
    )
  }
  const signature = data.subarray(HEADER_SIZE, bodyAt)
  const body = data.length > bodyAt ? data.subarray(bodyAt) : undefined
  return { entry: validateEntry({ header: data.subarray(0, HEADER_SIZE), signature, body }), signature }
}

/** What gossipsub is told, and whether something is left to be pulled by sync. */
export interface GossipVerdict {
  verdict: 'accept' | 'ignore' | 'reject'
  pull?: { feed: FeedState; height: number }
}

/**
 * Judges a message, and stores its entry when that fits. gossipsub marks a message as seen before it asks, so what is
 * only out of order must be accepted (and pulled), else it is lost for two minutes.
 * - not valid, or not of this topic → reject
 * - of a feed that is not wanted, or for which there is no room → ignore
 * - already stored → accept for two minutes after it arrived (it may have come by sync a moment before, and those who
 *   hear it only from us still wait for it), then ignore
 * - next in its chain, with its body → stored, accept
 * - valid with a gap before it, or without its body → accept, and pull
 * - contradicting what is stored → the fork is proven or looked for, ignore
 */
export function judgeGossip(
  store: FeedStore,
  topicFeed: Uint8Array,
  data: Uint8Array,
  origin?: unknown
): GossipVerdict {
  let message: GossipEntry
  try {
    message = decodeGossip(Uint8Array.from(data))
  } catch {
    return { verdict: 'reject' } // whatever is wrong with it, its sender should have seen it
  }
  const { entry, signature } = message
  if (Buffer.compare(entry.feed, topicFeed) !== 0) return { verdict: 'reject' }
  const feed = store.feed(entry.feed)
  if (feed?.priority === undefined || !store.mayGrow(feed)) return { verdict: 'ignore' }
  if (feed.frozen !== undefined && entry.seq >= feed.frozen) return { verdict: 'ignore' }
  const isMissing = entry.body === undefined && entry.seq > feed.height
  const isBeyond = entry.seq > (feed.last ?? Infinity)
  if (isBeyond) return { verdict: 'ignore' }
  const isFarAbove = feed.height === 0 ? entry.seq > 1 : isOutgrown(feed, entry.seq) && entry.seq > feed.height + 1
  if (isMissing || isFarAbove) return { verdict: 'accept', pull: { feed, height: entry.seq } }
  if (entry.body === undefined && entry.seq < feed.low) return { verdict: 'ignore' }
  const [outcome] = store.ingest([runOfEntry(entry, signature)], { origin })
  if (outcome.kind === 'stored') return { verdict: 'accept' }
  if (outcome.kind === 'gap' && entry.seq > feed.height) return { verdict: 'accept', pull: { feed, height: entry.seq } }
  if (outcome.kind === 'known') return { verdict: isFresh(store, feed, entry.seq) ? 'accept' : 'ignore' }
  if (outcome.kind === 'diverges') return { verdict: 'ignore', pull: { feed, height: entry.seq } }
  return { verdict: 'ignore' }
}

function headerOf(run: Run): Uint8Array {
  const headers = headersOf(run, lastOf(run))
  return headers[headers.length - 1]
}

function isFresh(store: FeedStore, feed: FeedState, seq: number): boolean {
  const [row] = store.rows(feed, seq, seq)
  return row !== undefined && Date.now() - row.arrivedMs < FRESH_MS
}
