// Feeds in a file, to be carried by hand. The file is a sequence of runs and fork proofs, each checked on import exactly
// as if a peer had sent it: a stick is trusted no more than a stranger.
import { HASH_SIZE, KEY_SIZE, SIGNATURE_SIZE } from './entry.ts'
import { FeedError } from './errors.ts'
import { decodeForkProof } from './fork.ts'
import { type CheckedRun, checkRun, idAt, lastOf, MAX_RUN_BYTES, type Run } from './run.ts'
import { isServed } from './store/limits.ts'
import type { FeedState, FeedStore } from './store/store.ts'

/** First bytes of every archive. */
export const ARCHIVE_MAGIC = Buffer.from('comrade-feeds/1\n')
const KIND = { run: 1, fork: 2 } as const
const RUN_HEAD_SIZE = 1 + KEY_SIZE + 4 + 1 + SIGNATURE_SIZE + HASH_SIZE
const MAX_ITEM_SIZE = RUN_HEAD_SIZE + MAX_RUN_BYTES
/** Runs taken in with one transaction. */
const IMPORT_BATCH = 32

/** How much was written or read. */
export interface ArchiveCount {
  entries: number
  bytes: number
}

/**
 * The archive of these feeds, in order, as chunks: magic, then for each item its size (u32) and
 * kind u8 (1) ‖ feed 32 ‖ first u32 ‖ count u8 ‖ signature 64 ‖ prev 32 ‖ records, or kind u8 (2) ‖ fork proof.
 */
export function* exportFeeds(
  store: FeedStore,
  feeds: readonly FeedState[]
): Generator<{ chunk: Uint8Array; entries: number }> {
  yield { chunk: ARCHIVE_MAGIC, entries: 0 }
  for (const feed of feeds) {
    const proof = store.forkProof(feed)
    if (proof !== undefined) yield { chunk: item(Buffer.concat([Uint8Array.of(KIND.fork), proof])), entries: 0 }
    // One row at a time, so that the store may be written to between two chunks.
    for (let seq = feed.low; seq <= feed.height;) {
      const [row] = store.rowsUp(feed, seq, seq)
      if (row === undefined || !isServed(feed, row)) break
      yield { chunk: item(encodeRun(row)), entries: row.count }
      seq = lastOf(row) + 1
    }
  }
}

/**
 * Takes in an archive. After each feed `onFeedEnd` may want further ones, by what that feed has brought. Feeds that are not wanted are skipped; what is already here is not counted.
 * @throws FeedError ARCHIVE_FORMAT when the file is not an archive or is cut off (what came before stays), or the code
 * of what is invalid in it
 */
export async function importFeeds(
  store: FeedStore,
  chunks: AsyncIterable<Uint8Array>,
  onFeedEnd?: () => void | Promise<void>
): Promise<ArchiveCount> {
  const count: ArchiveCount = { entries: 0, bytes: 0 }
  const batch: CheckedRun[] = []
  const flush = (): void => {
    const outcomes = store.ingest(batch.splice(0), { isAsked: true })
    for (const outcome of outcomes) if (outcome.kind === 'stored') count.entries += outcome.to - outcome.from + 1
  }
  let feed: Uint8Array | undefined
  try {
    for await (const bytes of items(chunks)) {
      count.bytes += bytes.length
      const item = bytes[0] === KIND.fork ? decodeForkProof(bytes.subarray(1)) : checkRun(decodeRun(bytes))
      const isOther = feed !== undefined && Buffer.compare(feed, item.feed) !== 0
      feed = item.feed
      if (isOther || batch.length >= IMPORT_BATCH) flush()
      if (isOther) await onFeedEnd?.()
      if ('branches' in item) store.acceptForkProof(item)
      else batch.push(item)
    }
  } finally {
    flush() // also before a failure is told of: what came before it is good
  }
  return count
}

/**
 * A whole feed in one piece, as an archive's items: what is sent of an identity log inside a message.
 * @throws FeedError NOT_FOUND when its beginning is not here
 */
export function packFeed(store: FeedStore, feed: FeedState): Uint8Array {
  if (feed.low !== 1) throw new FeedError('NOT_FOUND', 'the first entry of this feed is not stored here')
  const runs = store.rows(feed, 1, feed.height).filter((run) => lastOf(run) <= feed.height)
  return Buffer.concat(runs.map((run) => item(encodeRun(run))))
}

/**
 * Reads what {@link packFeed} has written, and checks it as a whole: every run, and that they are one feed from its
 * first entry on. Whoever calls it limits the size.
 * @param feed whose it has to be: of another one no signature is verified. @default any
 * @throws FeedError ARCHIVE_FORMAT, or the code of what is invalid
 */
export function unpackFeed(bytes: Uint8Array, feed?: Uint8Array): CheckedRun[] {
  const runs: CheckedRun[] = []
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at < buffer.length;) {
    const end = buffer.length - at < 4 ? Infinity : at + 4 + buffer.readUInt32BE(at)
    if (end > buffer.length) throw new FeedError('ARCHIVE_FORMAT', 'the feed is cut off: its last run is not whole')
    const claimed = decodeRun(buffer.subarray(at + 4, end))
    if (feed !== undefined && Buffer.compare(claimed.feed, feed) !== 0)
      throw new FeedError('ARCHIVE_FORMAT', 'it is another feed than the one expected')
    const run = checkRun(claimed)
    if (!continues(runs.at(-1), run))
      throw new FeedError('ARCHIVE_FORMAT', `the run at seq ${run.first} does not continue the one before it`)
    runs.push(run)
    at = end
  }
  if (runs.length === 0) throw new FeedError('ARCHIVE_FORMAT', 'the feed has no entries')
  return runs
}

/** Whether a run follows on another; without one, whether it begins a feed. */
function continues(before: CheckedRun | undefined, run: CheckedRun): boolean {
  if (before === undefined) return run.first === 1
  return (
    Buffer.compare(before.feed, run.feed) === 0 &&
    run.first === lastOf(before) + 1 &&
    Buffer.compare(idAt(before, before.count - 1), run.prev) === 0
  )
}

function item(bytes: Uint8Array): Uint8Array {
  const size = Buffer.allocUnsafe(4)
  size.writeUInt32BE(bytes.length)
  return Buffer.concat([size, bytes])
}

/** A run as an archive has it, without its size. */
export function encodeRun(run: Run): Uint8Array {
  const place = Buffer.allocUnsafe(5)
  place.writeUInt32BE(run.first)
  place[4] = run.count
  return Buffer.concat([Uint8Array.of(KIND.run), run.feed, place, run.signature, run.prev, run.records])
}

/** Reads what {@link encodeRun} has written; nothing of it is checked. @throws FeedError ARCHIVE_FORMAT */
export function decodeRun(bytes: Uint8Array): Run {
  if (bytes[0] !== KIND.run || bytes.length < RUN_HEAD_SIZE)
    throw new FeedError('ARCHIVE_FORMAT', `an archive holds runs and fork proofs, found kind ${bytes[0]}`)
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 1
  const take = (size: number): Uint8Array => view.subarray(at, (at += size))
  return {
    feed: take(KEY_SIZE),
    first: Buffer.from(take(4)).readUInt32BE(),
    count: take(1)[0],
    signature: take(SIGNATURE_SIZE),
    prev: take(HASH_SIZE),
    records: view.subarray(at)
  }
}

/** Cuts a byte stream into an archive's items, holding at most one of them in memory. */
async function* items(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let buffer = Buffer.alloc(0)
  let hasMagic = false
  for await (const chunk of chunks) {
    buffer = Buffer.concat([buffer, chunk])
    if (!hasMagic && buffer.length >= ARCHIVE_MAGIC.length) {
      if (!buffer.subarray(0, ARCHIVE_MAGIC.length).equals(ARCHIVE_MAGIC))
        throw new FeedError(
          'ARCHIVE_FORMAT',
          'this file is not an archive of feeds: it does not begin with "comrade-feeds/1"'
        )
      buffer = buffer.subarray(ARCHIVE_MAGIC.length)
      hasMagic = true
    }
    while (hasMagic && buffer.length >= 4) {
      const size = buffer.readUInt32BE()
      if (size < 1 || size > MAX_ITEM_SIZE)
        throw new FeedError('ARCHIVE_FORMAT', `an item of an archive has 1 to ${MAX_ITEM_SIZE} bytes, found ${size}`)
      if (buffer.length < 4 + size) break
      yield buffer.subarray(4, 4 + size)
      buffer = buffer.subarray(4 + size)
    }
  }
  if (!hasMagic) throw new FeedError('ARCHIVE_FORMAT', 'this file is not an archive of feeds: it is too short')
  if (buffer.length > 0)
    throw new FeedError(
      'ARCHIVE_FORMAT',
      'the archive is cut off: its last item is not whole. What came before it was taken in'
    )
}
