// The messages of /comrade/sync/1, packed by hand: one byte of kind, then fixed fields, big-endian. docs/protocol.md has
// the same for implementers. Decoders take hostile bytes and throw FRAME_FORMAT; they allocate no more than they were sent.
import { zstdCompressSync, zstdDecompressSync, constants } from 'node:zlib'
import { HASH_SIZE, SIGNATURE_SIZE } from '../entry.ts'
import { FeedError } from '../errors.ts'
import { MAX_RUN_BYTES, MAX_RUN_ENTRIES, type Run } from '../run.ts'
import { EPOCH_SIZE } from '../store/store.ts'
import { BLINDED_SIZE, NONCE_SIZE } from './blind.ts'
import { HEAD_SIZE } from './reconcileset.ts'

export const KIND = {
  hello: 0x00,
  reconcile: 0x01,
  have: 0x02,
  want: 0x03,
  runs: 0x04,
  packed: 0x05,
  done: 0x06,
  credit: 0x07,
  position: 0x08,
  fork: 0x09,
  drop: 0x0a,
  erased: 0x0b
} as const

export const SYNC_VERSION = 1
/** Bytes of records that a RUNS frame aims at. */
export const RUNS_TARGET_SIZE = 65_536
/** Most bytes that a compressed frame may unpack to. */
export const MAX_UNPACKED_SIZE = 1_048_576
/** More runs than fit into the size that is aimed at: each costs a verification, whatever it is compressed to. */
const MAX_RUNS = 1_024
/** Memory that unpacking may ask for, as the logarithm of a window's size (RFC 8878, 3.1.1.1.2). */
const MAX_WINDOW_LOG = 20
const RESUME_SIZE = 8
const HAVE_SIZE = BLINDED_SIZE + 4 + HEAD_SIZE
const WANT_SIZE = BLINDED_SIZE + 9
const RUN_HEAD_SIZE = BLINDED_SIZE + 4 + 1 + SIGNATURE_SIZE + 4
const ZERO_HASH = new Uint8Array(HASH_SIZE)
const MAX_U48 = 2 ** 48 - 1

/** First on the stream, from both sides. */
export interface Hello {
  /** Whether compressed frames are welcome. */
  takesPacked: boolean
  nonce: Uint8Array
  epoch: Uint8Array
  /** The sender's change counter. */
  counter: number
  /** How far the sender has followed the receiver's counter, and a tag over both epochs and the shared set. */
  resume?: { cursor: number; tag: Uint8Array }
}

/** A feed and how much of it the sender has. */
export interface Have {
  id: Uint8Array
  height: number
  head: Uint8Array
}

export interface Want {
  id: Uint8Array
  from: number
  to: number
  /** From the newest to the oldest. */
  isDown: boolean
}

/** A run under its feed's blinded id; `feed` is filled in by whoever recognises it. */
export type BlindedRun = Omit<Run, 'feed'> & { id: Uint8Array }

export function encodeHello(hello: Hello): Uint8Array {
  const flags = (hello.takesPacked ? 1 : 0) | (hello.resume === undefined ? 0 : 2)
  const head = Uint8Array.of(KIND.hello, SYNC_VERSION, flags)
  const resume = hello.resume === undefined ? [] : [u48(hello.resume.cursor), hello.resume.tag]
  return Buffer.concat([head, hello.nonce, hello.epoch, u48(hello.counter), ...resume])
}

export function decodeHello(frame: Uint8Array): Hello {
  const reader = new Reader(frame)
  if (reader.u8() !== KIND.hello) throw bad('a sync stream begins with a hello')
  const version = reader.u8()
  if (version !== SYNC_VERSION) throw bad(`version ${SYNC_VERSION} was expected, found ${version}`)
  const flags = reader.u8()
  const hello: Hello = {
    takesPacked: (flags & 1) !== 0,
    nonce: reader.copy(NONCE_SIZE),
    epoch: reader.copy(EPOCH_SIZE),
    counter: reader.u48()
  }
  if ((flags & 2) !== 0) hello.resume = { cursor: reader.u48(), tag: reader.copy(RESUME_SIZE) }
  reader.end()
  return hello
}

export function encodeReconcile(message: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(KIND.reconcile), message])
}

/** @param position the sender's counter up to which everything has been told with this frame */
export function encodeHave(position: number, feeds: readonly Have[]): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(KIND.have),
    u48(position),
    ...feeds.flatMap((feed) => [feed.id, u32(feed.height), feed.head])
  ])
}

export function decodeHave(frame: Uint8Array): { position: number; feeds: Have[] } {
  const reader = new Reader(frame, 1)
  const position = reader.u48()
  const feeds = reader.list(HAVE_SIZE, () => ({
    id: reader.copy(BLINDED_SIZE),
    height: reader.u32(),
    head: reader.copy(HEAD_SIZE)
  }))
  return { position, feeds }
}

export function encodeWant(wants: readonly Want[]): Uint8Array {
  const parts = wants.flatMap((want) => [want.id, u32(want.from), u32(want.to), Uint8Array.of(want.isDown ? 1 : 0)])
  return Buffer.concat([Uint8Array.of(KIND.want), ...parts])
}

export function decodeWant(frame: Uint8Array): Want[] {
  const reader = new Reader(frame, 1)
  return reader.list(WANT_SIZE, () => {
    const want = { id: reader.copy(BLINDED_SIZE), from: reader.u32(), to: reader.u32(), isDown: reader.u8() === 1 }
    if (want.from < 1 || want.to < want.from) throw bad(`a want from ${want.from} to ${want.to}`)
    return want
  })
}

/** The bytes of one run in a RUNS frame: id ‖ first ‖ count ‖ size ‖ signature ‖ prev (unless first is 1) ‖ records. */
export function encodeRun(id: Uint8Array, run: Run): Uint8Array[] {
  const head = Buffer.allocUnsafe(RUN_HEAD_SIZE)
  head.set(id)
  head.writeUInt32BE(run.first, BLINDED_SIZE)
  head[BLINDED_SIZE + 4] = run.count
  head.writeUInt32BE(run.records.length, BLINDED_SIZE + 5)
  head.set(run.signature, BLINDED_SIZE + 9)
  return run.first === 1 ? [head, run.records] : [head, run.prev, run.records]
}

export function encodeRuns(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(KIND.runs), ...parts])
}

/** A RUNS frame compressed with zstd: kind ‖ size of the frame inside ‖ data. The frame itself, when that is smaller. */
export function packRuns(frame: Uint8Array): Uint8Array {
  const data = zstdCompressSync(frame, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
  if (data.length + 5 >= frame.length) return frame
  return Buffer.concat([Uint8Array.of(KIND.packed), u32(frame.length), data])
}

/** Undoes {@link packRuns}. The size is checked before anything is made, and the output can't grow beyond it. */
export function unpackRuns(frame: Uint8Array): Uint8Array {
  const reader = new Reader(frame, 1)
  const size = reader.u32()
  if (size < 1 || size > MAX_UNPACKED_SIZE)
    throw bad(`a packed frame holds 1 to ${MAX_UNPACKED_SIZE} bytes, not ${size}`)
  let inner: Uint8Array
  try {
    inner = zstdDecompressSync(frame.subarray(5), {
      maxOutputLength: size,
      params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG }
    })
  } catch (error) {
    throw new FeedError('FRAME_FORMAT', 'a packed frame does not unpack to the size it says', { cause: error })
  }
  if (inner.length !== size || inner[0] !== KIND.runs)
    throw bad('a packed frame holds a frame of runs of the size it says')
  return inner
}

export function decodeRuns(frame: Uint8Array): BlindedRun[] {
  const reader = new Reader(frame, 1)
  const runs: BlindedRun[] = []
  while (!reader.isAtEnd) {
    const id = reader.view(BLINDED_SIZE)
    const first = reader.u32()
    const count = reader.u8()
    const size = reader.u32()
    if (runs.length === MAX_RUNS) throw bad(`more than ${MAX_RUNS} runs`)
    if (first < 1 || count < 1 || count > MAX_RUN_ENTRIES || size > MAX_RUN_BYTES) throw bad('a run is out of bounds')
    const signature = reader.view(SIGNATURE_SIZE)
    const prev = first === 1 ? ZERO_HASH : reader.view(HASH_SIZE)
    runs.push({ id, first, count, signature, prev, records: reader.view(size) })
  }
  return runs
}

export function encodeNumber(kind: number, value: number): Uint8Array {
  return Buffer.concat([Uint8Array.of(kind), kind === KIND.position ? u48(value) : u32(value)])
}

export function decodeNumber(frame: Uint8Array): number {
  const reader = new Reader(frame, 1)
  const value = frame[0] === KIND.position ? reader.u48() : reader.u32()
  reader.end()
  return value
}

export function encodeFork(proof: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(KIND.fork), proof])
}

export function encodeDrop(ids: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(KIND.drop), ...ids])
}

export function decodeDrop(frame: Uint8Array): Uint8Array[] {
  const reader = new Reader(frame, 1)
  return reader.list(BLINDED_SIZE, () => reader.copy(BLINDED_SIZE))
}

export function encodeErased(id: Uint8Array, seqs: readonly number[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(KIND.erased), id, ...seqs.map(u32)])
}

export function decodeErased(frame: Uint8Array): { id: Uint8Array; seqs: number[] } {
  const reader = new Reader(frame, 1)
  const id = reader.copy(BLINDED_SIZE)
  return { id, seqs: reader.list(4, () => reader.u32()) }
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function u48(value: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(6)
  bytes.writeUIntBE(Math.min(value, MAX_U48), 0, 6)
  return bytes
}

function bad(what: string): FeedError {
  return new FeedError('FRAME_FORMAT', `malformed sync frame: ${what}`)
}

/** Reads fields from the front; a frame that is too short or too long is malformed. */
class Reader {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = at
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  view(size: number): Uint8Array {
    if (this.#at + size > this.#bytes.length) throw bad('it ends too early')
    const start = this.#at
    this.#at += size
    return this.#bytes.subarray(start, this.#at)
  }

  copy(size: number): Uint8Array {
    return Uint8Array.from(this.view(size))
  }

  u8(): number {
    return this.view(1)[0]
  }

  u32(): number {
    return Buffer.prototype.readUInt32BE.call(this.view(4), 0)
  }

  u48(): number {
    return Buffer.prototype.readUIntBE.call(this.view(6), 0, 6)
  }

  /** All that is left, in items of one size. */
  list<T>(size: number, item: () => T): T[] {
    const left = this.#bytes.length - this.#at
    if (left % size !== 0) throw bad(`a list of items of ${size} bytes has ${left}`)
    return Array.from({ length: left / size }, item)
  }

  end(): void {
    if (!this.isAtEnd) throw bad(`${this.#bytes.length - this.#at} bytes too many`)
  }
}
