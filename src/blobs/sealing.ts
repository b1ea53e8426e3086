// A file that is for some people only: encrypted under a random key, chunk by chunk, so that it can be read from its
// beginning while the rest is not there, and padded so that its size tells little. As in STREAM: each chunk is bound to its
// place and to being the last one (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its
// Nonce-Reuse Misuse-Resistance, 2015).
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { BlobError } from './errors.ts'
import { CHUNK_SIZE, chunkCount, MAX_BLOB_SIZE } from './manifest.ts'
import { piecesOf } from './pieces.ts'

export const FILE_KEY_SIZE = 32
const CIPHER = 'chacha20-poly1305'
const NONCE_SIZE = 12
const TAG_SIZE = 16
/** Of the file in one chunk. */
const SEGMENT_SIZE = CHUNK_SIZE - TAG_SIZE
/** Sizes that a sealed file has; a larger one has a multiple of the last. */
const PADDED_SIZES = [4_096, 65_536, 1_048_576, 16_777_216] as const
/** Largest file that can be sealed, in bytes: 64 MiB but for a tag in each chunk. */
export const MAX_FILE_SIZE = MAX_BLOB_SIZE - chunkCount(MAX_BLOB_SIZE) * TAG_SIZE

export interface SealOptions {
  /** Whether the blob's size tells little of the file's. Not needed where nobody else sees it. @default true */
  isPadded?: boolean
}

/** Bytes of the blob in which a file of this size is sealed. @throws BlobError SIZE */
export function sealedSize(size: number, { isPadded = true }: SealOptions = {}): number {
  if (!Number.isSafeInteger(size) || size < 0 || size > MAX_FILE_SIZE)
    throw new BlobError('SIZE', `a file has at most ${MAX_FILE_SIZE} bytes, this one ${size}`)
  if (!isPadded) return size + chunkCountFor(size) * TAG_SIZE
  const fits = (padded: number): boolean => roomIn(padded) >= size
  const largest = PADDED_SIZES.at(-1)!
  return PADDED_SIZES.find(fits) ?? largest * Math.ceil(chunkCountFor(size) / chunkCount(largest))
}

/**
 * Seals a file: gives the chunks of its blob, each but for the last of 64 KiB.
 * @param size of the file, which `source` must have exactly
 * @throws BlobError SIZE
 */
export async function* sealFile(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
  key: Uint8Array,
  options?: SealOptions
): AsyncGenerator<Uint8Array> {
  const whole = sealedSize(size, options)
  const [count, room] = [chunkCount(whole), roomIn(whole)]
  let index = 0
  for await (const segment of piecesOf(padded(source, size, room), SEGMENT_SIZE)) {
    const cipher = createCipheriv(CIPHER, key, nonceOf(index, count), { authTagLength: TAG_SIZE })
    yield Buffer.concat([cipher.update(segment), cipher.final(), cipher.getAuthTag()])
    index += 1
  }
}

/**
 * Opens a sealed file.
 * @param chunks of its blob, in order; no more are read than the file needs
 * @param options as it was sealed
 * @throws BlobError SEALED when the key is another's, or chunks were changed, moved, or left out
 */
export async function* openFile(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
  key: Uint8Array,
  options?: SealOptions
): AsyncGenerator<Uint8Array> {
  const count = chunkCount(sealedSize(size, options))
  let [index, missing] = [0, size]
  if (missing === 0) return
  for await (const chunk of chunks) {
    const segment = openChunk(chunk, key, nonceOf(index, count))
    yield segment.subarray(0, missing)
    index += 1
    missing -= Math.min(missing, segment.length)
    if (missing === 0) return
  }
  throw new BlobError('SEALED', `the file has ${size} bytes, and ${missing} of them are missing`)
}

function openChunk(chunk: Uint8Array, key: Uint8Array, nonce: Uint8Array): Uint8Array {
  if (chunk.length <= TAG_SIZE) throw new BlobError('SEALED', `${chunk.length} bytes are no sealed chunk`)
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_SIZE })
  decipher.setAuthTag(chunk.subarray(-TAG_SIZE))
  try {
    return Buffer.concat([decipher.update(chunk.subarray(0, -TAG_SIZE)), decipher.final()])
  } catch (cause) {
    throw new BlobError('SEALED', 'the file does not open: it has another key, or was changed', { cause })
  }
}

/** Zeros ‖ index u32 ‖ 1 for the last chunk. A key seals one file, so that no nonce comes twice under it. */
function nonceOf(index: number, count: number): Uint8Array {
  const nonce = Buffer.alloc(NONCE_SIZE)
  nonce.writeUInt32BE(index, NONCE_SIZE - 5)
  nonce[NONCE_SIZE - 1] = index === count - 1 ? 1 : 0
  return nonce
}

function roomIn(padded: number): number {
  return padded - chunkCount(padded) * TAG_SIZE
}

function chunkCountFor(size: number): number {
  return Math.ceil(size / SEGMENT_SIZE)
}

/** The file, then zeros. */
async function* padded(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
  room: number
): AsyncGenerator<Uint8Array> {
  let taken = 0
  for await (const part of source) {
    taken += part.length
    if (taken > size) break
    yield part
  }
  if (taken !== size)
    throw new BlobError('SIZE', `the file has ${taken > size ? 'more' : 'less'} than the ${size} bytes that it had`)
  for (let left = room - size; left > 0; left -= SEGMENT_SIZE) yield new Uint8Array(Math.min(left, SEGMENT_SIZE))
}
