// The door of the feeds layer: signed append-only feeds, their store, and how they get from node to node. It knows keys
// and bytes, not people.
export { type ArchiveCount, exportFeeds, importFeeds, packFeed, unpackFeed } from './archive.ts'
export { type Body, decodeBody, encodeBody, renderable } from './body.ts'
export type { Contact, DeviceAdd, DeviceRevoke, Erase, KnownBody, Post, Profile, Reaction } from './body.ts'
export { decode as decodeCbor, encode as encodeCbor } from './cbor.ts'
export { cidToEntryId, entryCid, formatEntryId, parseEntryId } from './entry-id.ts'
export {
  type Entry,
  entryId,
  FLAG_SEALED,
  type Header,
  HEADER_SIZE,
  type LooseEntry,
  MAX_BODY_SIZE,
  sha256,
  validateEntry,
  VERSION
} from './entry.ts'
export { FeedError, type FeedErrorCode, type InvalidCode, type RefusalCode } from './errors.ts'
export { decodeForkProof, encodeForkProof, type ForkProof, verifyForkProof } from './fork.ts'
export { encodeGossip, type GossipVerdict, gossipId, judgeGossip, topicName, topicSecret } from './gossip.ts'
export { type CheckedRun, checkRun, entriesOf, headersOf, holdsSealed, lastOf, type Run } from './run.ts'
export { type Sentence, type SentenceTable, type SentenceValue, speaker, textOf } from './sentence.ts'
export { PAUSE_SENTENCES, sayPause } from './sentences.ts'
export {
  agree,
  entrySigningBytes,
  generateSeed,
  isUsableKey,
  isValidSignature,
  type Signer,
  type SigningKey,
  signingKey
} from './signature.ts'
export { migrate } from './store/database.ts'
export { eraseExpired, feedUsage, holdersThatErased, usageByPriority, whyGone } from './store/erasure.ts'
export { bodyOf } from './store/derived.ts'
export { Indexer } from './store/indexer.ts'
export { isAnswered, type IsCounted, isLinkedFrom, linksTo, reactionsByFeed, repliesByFeed } from './store/links.ts'
export {
  blobsOfPosts,
  entriesBetween,
  entriesByMention,
  entriesByTag,
  entriesByWords,
  entryAt,
  entryAtPlace,
  entryById,
  isBlobOfPost,
  placeOfBlob,
  shownTime,
  type StoredEntry,
  storeSize,
  timeline,
  type TimelinePoint
} from './store/reader.ts'
export { ENDLESS_ROOM, type Room } from './store/room.ts'
export { feedOfPlace, seqOfPlace } from './store/schema.ts'
export { type Extension, type FeedState, FeedStore, type WantedFeed } from './store/store.ts'
export { isStray, packStray, type Stray, Strays, unpackStray } from './store/strays.ts'
export { type Quota, Trimmer } from './store/trimmer.ts'
export { BLINDED_SIZE, blindFeeds, NONCE_SIZE, sessionSalt } from './sync/blind.ts'
export { FeedClaims } from './sync/feed-claims.ts'
export { FrameQueue, framePrefix } from './sync/frame-queue.ts'
export { type MessageStream, messageStreamPair } from './sync/message-stream.ts'
export { Reconciliation, type ReconItem } from './sync/reconcile.ts'
export { type SyncOptions, type SyncProgress, SyncSession } from './sync/session.ts'
export { Turn } from './sync/turn.ts'
export { withStream } from './sync/with-stream.ts'
export { type Appended, FeedWriter, MAX_BATCH } from './writer.ts'
