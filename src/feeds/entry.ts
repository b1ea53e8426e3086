// One element of a feed: a 112-byte header that is chained and signed, and a body that can be erased.
// This file holds the header's layout and the one function that says whether an entry is valid.
import { hash } from 'node:crypto'
import { checkBody, MAX_BODY_SIZE } from './body.ts'
import { FeedError } from './errors.ts'
import { isUsableKey, verifySignature } from './signature.ts'

export const HEADER_SIZE = 112
export const HASH_SIZE = 32
export const KEY_SIZE = 32
export const SIGNATURE_SIZE = 64
/** Largest body in bytes that a header may announce. */
export { MAX_BODY_SIZE }
/** The version that this program writes and renders. Entries of other versions are chained and relayed, never rendered. */
export const VERSION = 1
/** Header flag: the body is ciphertext, so its bytes are not checked as DAG-CBOR. */
export const FLAG_SEALED = 1

const ZERO_HASH = new Uint8Array(HASH_SIZE)
const OFFSET = { version: 0, flags: 1, feed: 2, seq: 34, time: 38, prev: 44, bodyHash: 76, bodySize: 108 } as const

export interface Header {
  version: number
  flags: number
  /** Ed25519 public key, 32 bytes: the feed's id. */
  feed: Uint8Array
  /** From 1, no gaps. */
  seq: number
  /** Unix ms by the author's clock. A claim, never a rule. */
  time: number
  /** Id of the entry before; zeros at seq 1. */
  prev: Uint8Array
  /** sha256 of the body's bytes. */
  bodyHash: Uint8Array
  /** Bytes, 0 to 65,536. */
  bodySize: number
}

/** What a reader gets: the header's fields, the id, and the body's bytes unless they were erased. */
export interface Entry extends Header {
  id: Uint8Array
  body: Uint8Array | undefined
}

/** An entry as it arrives alone (gossip, vectors): bytes that nobody has checked yet. */
export interface LooseEntry {
  header: Uint8Array
  /** Absent when it was erased or is to be pulled later. */
  body?: Uint8Array
  /** Absent when a later entry of the chain carries the signature. */
  signature?: Uint8Array
}

/** sha256, the only hash of the feeds layer. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}

/** An entry's id: sha256 of its header. The signature is not part of it, so that it can travel apart from it. */
export const entryId = sha256

/** Lays a header out in its 112 bytes, big-endian. The caller answers for the ranges of its fields. */
export function encodeHeader(header: Header): Uint8Array {
  const bytes = Buffer.allocUnsafe(HEADER_SIZE)
  bytes[OFFSET.version] = header.version
  bytes[OFFSET.flags] = header.flags
  bytes.set(header.feed, OFFSET.feed)
  bytes.writeUInt32BE(header.seq, OFFSET.seq)
  bytes.writeUIntBE(header.time, OFFSET.time, 6)
  bytes.set(header.prev, OFFSET.prev)
  bytes.set(header.bodyHash, OFFSET.bodyHash)
  bytes.writeUInt32BE(header.bodySize, OFFSET.bodySize)
  return bytes
}

/** Reads the fields of a header. @throws FeedError HEADER_SIZE when there are not exactly 112 bytes. */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length !== HEADER_SIZE) {
    throw new FeedError('HEADER_SIZE', `a header has ${HEADER_SIZE} bytes, not ${bytes.length}`)
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    version: view[OFFSET.version],
    flags: view[OFFSET.flags],
    feed: bytes.subarray(OFFSET.feed, OFFSET.seq),
    seq: view.readUInt32BE(OFFSET.seq),
    time: view.readUIntBE(OFFSET.time, 6),
    prev: bytes.subarray(OFFSET.prev, OFFSET.bodyHash),
    bodyHash: bytes.subarray(OFFSET.bodyHash, OFFSET.bodySize),
    bodySize: view.readUInt32BE(OFFSET.bodySize)
  }
}

/**
 * Says whether an entry is valid, and returns it decoded. Rules are checked in this order, and the first one that
 * fails names the error:
 *
 * Header
 *  1. It has exactly 112 bytes                                        HEADER_SIZE
 *  2. In version 1, flags other than bit 0 (sealed) are 0             FLAGS
 *  3. feed encodes a y below p (RFC 8032, 5.1.3) that is not of small
 *     order; that it is on the curve shows with the signature          FEED_KEY
 *  4. seq is at least 1                                               SEQ_ZERO
 *  5. At seq 1, prev is zeros                                         PREV_NOT_ZERO
 *  6. body size is at most 65,536                                     BODY_TOO_LARGE
 *
 * Chain, where `previous` is given (undefined: the place in the chain is not judged here)
 *  7. feed is that of the entry before                                FEED_MISMATCH
 *  8. seq is one more than that of the entry before                   SEQ_MISMATCH
 *  9. prev is the id of the entry before                              PREV_MISMATCH
 *
 * Signature, where it is given (an entry without one is authenticated by the next signature in its chain)
 * 10. It has 64 bytes                                                 SIGNATURE_SIZE
 * 11. S is below the group order (RFC 8032, 5.1.7)                    SIGNATURE_MALLEABLE
 * 12. R is not of small order                                         SIGNATURE_SMALL_ORDER
 * 13. It is Ed25519 by feed over "comrade/entry/1\0" ‖ id             SIGNATURE_INVALID
 *
 * Body, where it is given (an erased one has left its hash and size in the header)
 * 14. It has the size that the header says                            BODY_SIZE
 * 15. Its sha256 is the header's body hash                            BODY_HASH
 * 16. In version 1 and not sealed: strict DAG-CBOR, a map with `type` and `salt`; see body.ts    CBOR_*, BODY_*
 *
 * The time is a claim and makes nothing invalid. A version other than 1 is valid where the chain allows it.
 *
 * @throws FeedError with the code above
 */
export function validateEntry(entry: LooseEntry, previous?: { feed: Uint8Array; seq: number; id: Uint8Array }): Entry {
  const header = decodeHeader(entry.header)
  checkHeader(header)
  if (previous !== undefined) checkChain(header, previous)
  const id = entryId(entry.header)
  if (entry.signature !== undefined) verifySignature(header.feed, id, entry.signature)
  if (entry.body !== undefined) checkBodyAgainst(header, entry.body)
  return { ...header, id, body: entry.body }
}

/** Rules 2 to 6. */
export function checkHeader(header: Header): void {
  if (header.version === VERSION && (header.flags & ~FLAG_SEALED) !== 0) {
    throw new FeedError('FLAGS', `only flag bit 0 is defined in version 1, found 0x${header.flags.toString(16)}`)
  }
  if (!isUsableKey(header.feed)) {
    throw new FeedError('FEED_KEY', 'a feed is a canonical Ed25519 public key that is not of small order')
  }
  if (header.seq === 0) throw new FeedError('SEQ_ZERO', 'the first entry of a feed has seq 1, found 0')
  if (header.seq === 1 && Buffer.compare(header.prev, ZERO_HASH) !== 0) {
    throw new FeedError('PREV_NOT_ZERO', 'the first entry of a feed has zeros in place of an entry before it')
  }
  if (header.bodySize > MAX_BODY_SIZE) {
    throw new FeedError(
      'BODY_TOO_LARGE',
      `a body has at most ${MAX_BODY_SIZE} bytes, the header says ${header.bodySize}`
    )
  }
}

/** Rules 7 to 9. */
function checkChain(header: Header, previous: { feed: Uint8Array; seq: number; id: Uint8Array }): void {
  if (Buffer.compare(header.feed, previous.feed) !== 0) {
    throw new FeedError('FEED_MISMATCH', 'the entry belongs to another feed than the one before it')
  }
  if (header.seq !== previous.seq + 1) {
    throw new FeedError('SEQ_MISMATCH', `expected seq ${previous.seq + 1}, found ${header.seq}`)
  }
  if (Buffer.compare(header.prev, previous.id) !== 0) {
    throw new FeedError('PREV_MISMATCH', `seq ${header.seq} does not follow from the entry before it`)
  }
}

/** Rules 14 to 16. */
function checkBodyAgainst(header: Header, body: Uint8Array): void {
  if (body.length !== header.bodySize) {
    throw new FeedError('BODY_SIZE', `the header says ${header.bodySize} bytes of body, found ${body.length}`)
  }
  if (Buffer.compare(sha256(body), header.bodyHash) !== 0) {
    throw new FeedError('BODY_HASH', "the body's sha256 is not the one in the header")
  }
  checkBodyBytes(header.version, header.flags, body)
}

/** Rule 16. */
export function checkBodyBytes(version: number, flags: number, body: Uint8Array): void {
  if (version === VERSION && (flags & FLAG_SEALED) === 0) checkBody(body)
}
