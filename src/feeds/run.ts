// A run: up to 64 consecutive entries of one feed under one signature. Runs are what is stored and what is sent; an
// entry's header is recomputed from its run, so feed, seq, prev and body hash are not stored per entry.
import { hash } from 'node:crypto'
import {
  checkBodyBytes,
  checkHeader,
  decodeHeader,
  type Entry,
  encodeHeader,
  FLAG_SEALED,
  HASH_SIZE,
  HEADER_SIZE,
  type Header,
  MAX_BODY_SIZE,
  sha256,
  SIGNATURE_SIZE,
  VERSION
} from './entry.ts'
import { FeedError } from './errors.ts'
import { entrySigningBytes, type SigningKey, verifySignature } from './signature.ts'

/** Most entries under one signature. */
export const MAX_RUN_ENTRIES = 64
/** Most bytes of records in one run. */
export const MAX_RUN_BYTES = 262_144
/** version u8 ‖ flags u8 ‖ time u48 ‖ size u32, before the body or, when it was erased, the body's hash. */
export const RECORD_HEAD_SIZE = 12
/** Set in a record's size when the body was erased: 32 bytes of body hash follow instead of it. */
const ERASED_BIT = 0x8000_0000
const RECORD = { version: 0, flags: 1, time: 2, size: 8 } as const
const HEADER = { version: 0, flags: 1, feed: 2, seq: 34, time: 38, prev: 44, bodyHash: 76, bodySize: 108 } as const

/** Consecutive entries and the signature of the last one. Unchecked until {@link checkRun} has seen it. */
export interface Run {
  /** Public key, 32 bytes. */
  feed: Uint8Array
  /** seq of the first entry. */
  first: number
  /** Entries, 1 to 64. */
  count: number
  /** Id of the entry before the first; zeros when first is 1. */
  prev: Uint8Array
  /** By the feed's key over the last entry. */
  signature: Uint8Array
  /** The entries' records, one after the other. */
  records: Uint8Array
}

/** A run whose hashes, bodies and signature hold. */
export interface CheckedRun extends Run {
  /** The ids of its entries, 32 bytes each. */
  ids: Uint8Array
}

/** Where one record lies in a run's bytes. */
export interface RecordPlace {
  offset: number
  /** Bytes of the whole record. */
  length: number
  /** The header's body size, also when the body itself is gone. */
  bodySize: number
  isErased: boolean
}

/** seq of a run's last entry. */
export function lastOf(run: { first: number; count: number }): number {
  return run.first + run.count - 1
}

/** The id of the entry at `index` of a checked run. */
export function idAt(run: CheckedRun, index: number): Uint8Array {
  return run.ids.subarray(index * HASH_SIZE, (index + 1) * HASH_SIZE)
}

/**
 * Checks a run as a whole: form, headers, bodies, the chain inside it, and the signature of its last entry. It costs two
 * hashes an entry and one verification. Whether it continues what is stored is the store's question.
 * @throws FeedError RUN_FORMAT, or what {@link ./entry.ts validateEntry} throws
 */
export function checkRun(run: Run): CheckedRun {
  const checked = checkRunContent(run)
  verifySignature(run.feed, idAt(checked, run.count - 1), run.signature)
  return checked
}

/** All of {@link checkRun} but the signature, for a caller who verifies that by itself before the run is stored. */
export function checkRunContent(run: Run): CheckedRun {
  checkForm(run)
  const ids = Buffer.allocUnsafeSlow(run.count * HASH_SIZE)
  walk(run, (_header, id, index, place) => {
    ids.set(id, index * HASH_SIZE)
    if (place.isErased) return
    const body = bodyAt(run.records, place)
    checkBodyBytes(run.records[place.offset + RECORD.version], run.records[place.offset + RECORD.flags], body)
  })
  return { ...run, ids }
}

/** Decodes a run that was checked before (it comes from the store): its entries from seq `from` on. */
export function entriesOf(run: Run, from = run.first): Entry[] {
  const entries: Entry[] = []
  walk(run, (header, id, index, place) => {
    if (run.first + index < from) return
    const body = place.isErased ? undefined : bodyAt(run.records, place)
    entries.push({ ...decodeHeader(Uint8Array.from(header)), id: Uint8Array.from(id), body })
  })
  return entries
}

/** The ids of a run that was checked before. */
export function idsOf(run: Run): Uint8Array {
  const ids = Buffer.allocUnsafeSlow(run.count * HASH_SIZE)
  walk(run, (_header, id, index) => ids.set(id, index * HASH_SIZE))
  return ids
}

/** The 112-byte headers of a run from seq `from` on: what a fork proof shows. */
export function headersOf(run: Run, from: number): Uint8Array[] {
  const headers: Uint8Array[] = []
  walk(run, (header, _id, index) => {
    if (run.first + index >= from) headers.push(Uint8Array.from(header))
  })
  return headers
}

/** The part of a checked run that starts at seq `from`. */
export function tailOf(run: CheckedRun, from: number): CheckedRun {
  if (from <= run.first) return run
  const skipped = from - run.first
  const places = placesOf(run.records, run.count)
  return {
    feed: run.feed,
    first: from,
    count: run.count - skipped,
    prev: idAt(run, skipped - 1),
    signature: run.signature,
    records: run.records.subarray(places[skipped].offset),
    ids: run.ids.subarray(skipped * HASH_SIZE)
  }
}

/** The records of a run's entries from seq `from` to `to`. */
export function recordsBetween(run: Run, from: number, to: number): Uint8Array {
  const places = placesOf(run.records, run.count)
  const last = places[to - run.first]
  return run.records.subarray(places[from - run.first].offset, last.offset + last.length)
}

/** One entry's record: its header's fields that cannot be recomputed, and its body. */
export function packRecord(entry: { version?: number; flags?: number; time: number; body: Uint8Array }): Uint8Array {
  const record = Buffer.allocUnsafe(RECORD_HEAD_SIZE + entry.body.length)
  record[RECORD.version] = entry.version ?? VERSION
  record[RECORD.flags] = entry.flags ?? 0
  record.writeUIntBE(entry.time, RECORD.time, 6)
  record.writeUInt32BE(entry.body.length, RECORD.size)
  record.set(entry.body, RECORD_HEAD_SIZE)
  return record
}

/** The run of one entry that came with its own signature (as over gossip) and was validated; without a body, as if that was erased. */
export function runOfEntry(entry: Entry, signature: Uint8Array): CheckedRun {
  const { feed, seq: first, prev, id, body } = entry
  const records = body === undefined ? packErased(entry) : packRecord({ ...entry, body })
  return { feed, first, count: 1, prev, signature, records, ids: id }
}

function packErased(entry: Header): Uint8Array {
  const record = Buffer.from(packRecord({ ...entry, body: entry.bodyHash }))
  record.writeUInt32BE((entry.bodySize | ERASED_BIT) >>> 0, RECORD.size)
  return record
}

/** The same records without the bodies at these seqs: each leaves its hash. */
export function eraseBodies(run: Run, seqs: ReadonlySet<number>): Uint8Array {
  const parts = placesOf(run.records, run.count).map((place, index) => {
    const record = run.records.subarray(place.offset, place.offset + place.length)
    return place.isErased || !seqs.has(run.first + index) ? record : eraseRecord(record, place)
  })
  return Buffer.concat(parts)
}

function eraseRecord(record: Uint8Array, place: RecordPlace): Uint8Array {
  const erased = Buffer.allocUnsafe(RECORD_HEAD_SIZE + HASH_SIZE)
  erased.set(record.subarray(0, RECORD_HEAD_SIZE))
  erased.writeUInt32BE((place.bodySize | ERASED_BIT) >>> 0, RECORD.size)
  erased.set(sha256(record.subarray(RECORD_HEAD_SIZE)), RECORD_HEAD_SIZE)
  return erased
}

/** Finds the records of a run. @throws FeedError RUN_FORMAT, BODY_TOO_LARGE */
export function placesOf(records: Uint8Array, count: number): RecordPlace[] {
  const places: RecordPlace[] = []
  let offset = 0
  for (let i = 0; i < count; i++) {
    const place = placeAt(records, offset)
    places.push(place)
    offset += place.length
  }
  if (offset !== records.length)
    throw new FeedError('RUN_FORMAT', `${records.length - offset} bytes after the last record of a run`)
  return places
}

function placeAt(records: Uint8Array, offset: number): RecordPlace {
  if (offset + RECORD_HEAD_SIZE > records.length) throw new FeedError('RUN_FORMAT', 'a run ends inside a record')
  const at = offset + RECORD.size
  const size = ((records[at] << 24) | (records[at + 1] << 16) | (records[at + 2] << 8) | records[at + 3]) >>> 0
  const isErased = size >= ERASED_BIT
  const bodySize = isErased ? size - ERASED_BIT : size
  if (bodySize > MAX_BODY_SIZE)
    throw new FeedError('BODY_TOO_LARGE', `a body has at most ${MAX_BODY_SIZE} bytes, a record says ${bodySize}`)
  const length = RECORD_HEAD_SIZE + (isErased ? HASH_SIZE : bodySize)
  if (offset + length > records.length) throw new FeedError('RUN_FORMAT', 'a run ends inside a record')
  return { offset, length, bodySize, isErased }
}

function bodyAt(records: Uint8Array, place: RecordPlace): Uint8Array {
  return records.subarray(place.offset + RECORD_HEAD_SIZE, place.offset + place.length)
}

function checkForm(run: Run): void {
  if (run.count < 1 || run.count > MAX_RUN_ENTRIES)
    throw new FeedError('RUN_FORMAT', `a run has 1 to ${MAX_RUN_ENTRIES} entries, not ${run.count}`)
  if (run.records.length > MAX_RUN_BYTES)
    throw new FeedError('RUN_FORMAT', `a run has at most ${MAX_RUN_BYTES} bytes, not ${run.records.length}`)
  if (run.prev.length !== HASH_SIZE)
    throw new FeedError('RUN_FORMAT', `the id before a run has ${HASH_SIZE} bytes, not ${run.prev.length}`)
  if (run.signature.length !== SIGNATURE_SIZE)
    throw new FeedError('SIGNATURE_SIZE', `a signature has ${SIGNATURE_SIZE} bytes, not ${run.signature.length}`)
  if (lastOf(run) > 0xffff_ffff) throw new FeedError('RUN_FORMAT', 'the last seq of a feed is 4,294,967,295')
  checkHeader({
    version: VERSION,
    flags: 0,
    feed: run.feed,
    seq: run.first,
    time: 0,
    prev: run.prev,
    bodyHash: run.prev,
    bodySize: 0
  })
}

type Visit = (header: Uint8Array, id: Uint8Array, index: number, place: RecordPlace) => void

/** Recomputes header and id of each record. What is handed to `visit` is reused for the next one. */
function walk(run: Run, visit: Visit): void {
  const header = Buffer.allocUnsafeSlow(HEADER_SIZE)
  const id = Buffer.allocUnsafeSlow(HASH_SIZE)
  const records = run.records
  header.set(run.feed, HEADER.feed)
  id.set(run.prev)
  let offset = 0
  for (let index = 0; index < run.count; index++) {
    const place = placeAt(records, offset)
    header[HEADER.version] = records[offset + RECORD.version]
    header[HEADER.flags] = records[offset + RECORD.flags]
    if (header[0] === VERSION && (header[1] & ~FLAG_SEALED) !== 0) checkFlags(header[1])
    header.writeUInt32BE(run.first + index, HEADER.seq)
    for (let i = 0; i < 6; i++) header[HEADER.time + i] = records[offset + RECORD.time + i]
    header.set(id, HEADER.prev)
    const content = bodyAt(records, place)
    if (place.isErased) header.set(content, HEADER.bodyHash)
    else hashInto(content, header, HEADER.bodyHash)
    header.writeUInt32BE(place.bodySize, HEADER.bodySize)
    hashInto(header, id, 0)
    visit(header, id, index, place)
    offset += place.length
  }
  if (offset !== records.length)
    throw new FeedError('RUN_FORMAT', `${records.length - offset} bytes after the last record of a run`)
}

/** A digest as a binary string costs a third of one in a Buffer of its own; this is the hot path of sync. */
function hashInto(bytes: Uint8Array, target: Buffer, offset: number): void {
  target.write(hash('sha256', bytes, 'binary'), offset, HASH_SIZE, 'latin1')
}

function checkFlags(flags: number): never {
  throw new FeedError('FLAGS', `only flag bit 0 is defined in version 1, found 0x${flags.toString(16)}`)
}

/** Whether one of a checked run's entries has a sealed body. */
export function holdsSealed(run: Run): boolean {
  return placesOf(run.records, run.count).some(
    ({ offset, isErased }) => !isErased && (run.records[offset + RECORD.flags] & FLAG_SEALED) !== 0
  )
}

/**
 * Makes and signs the runs that continue a feed with these bodies: every 64th entry and the last one are signed.
 * @param flags of all these entries: {@link FLAG_SEALED} when the bodies are ciphertext
 */
export function signRuns(
  key: SigningKey,
  place: { first: number; prev: Uint8Array },
  bodies: readonly Uint8Array[],
  time: number,
  flags = 0
): CheckedRun[] {
  const runs: CheckedRun[] = []
  let { first, prev } = place
  let next = 0
  while (next < bodies.length) {
    const records: Uint8Array[] = []
    const ids: Uint8Array[] = []
    let size = 0
    while (next < bodies.length && records.length < MAX_RUN_ENTRIES) {
      const body = bodies[next]
      if (size + RECORD_HEAD_SIZE + body.length > MAX_RUN_BYTES) break
      const header: Header = {
        version: VERSION,
        flags,
        feed: key.publicKey,
        seq: first + records.length,
        time,
        prev: ids.at(-1) ?? prev,
        bodyHash: sha256(body),
        bodySize: body.length
      }
      ids.push(sha256(encodeHeader(header)))
      records.push(packRecord({ flags, time, body }))
      size += RECORD_HEAD_SIZE + body.length
      next++
    }
    const last = ids.at(-1)!
    runs.push({
      feed: key.publicKey,
      first,
      count: records.length,
      prev,
      signature: key.sign(entrySigningBytes(last)),
      records: Buffer.concat(records),
      ids: Buffer.concat(ids)
    })
    first += records.length
    prev = last
  }
  return runs
}

/** Consecutive runs as one: the last signature covers them all. The caller answers for their order and the limits. */
export function joinRuns(runs: readonly Run[]): Run {
  if (runs.length === 1) return runs[0]
  return {
    feed: runs[0].feed,
    first: runs[0].first,
    count: runs.reduce((sum, run) => sum + run.count, 0),
    prev: runs[0].prev,
    signature: runs[runs.length - 1].signature,
    records: Buffer.concat(runs.map((run) => run.records))
  }
}
