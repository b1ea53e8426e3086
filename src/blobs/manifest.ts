// What a blob is: chunks of 64 KiB, of which the last may be shorter, and a manifest with the sha256 of each. The blob's id
// is the sha256 of the manifest, so whoever knows the id can check every chunk by itself.
import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { decodeCbor, encodeCbor } from '../feeds/index.ts'
import { BlobError } from './errors.ts'

/** Bytes of every chunk but the last. */
export const CHUNK_SIZE = 65_536
/** Largest blob, in bytes. */
export const MAX_BLOB_SIZE = 67_108_864
const HASH_SIZE = 32
/** Largest manifest, in bytes: the hashes of the most chunks, and room for the rest of the map. */
export const MAX_MANIFEST_SIZE = manifestSize(MAX_BLOB_SIZE)

export interface Manifest {
  /** Of the blob, in bytes. */
  size: number
  /** sha256 of each chunk, one after the other. */
  chunks: Uint8Array
}

const schema = v.strictObject({
  v: v.literal(1),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(MAX_BLOB_SIZE)),
  chunks: v.instance(Uint8Array)
})

/** In how many chunks so many bytes are. */
export function chunkCount(size: number): number {
  return Math.ceil(size / CHUNK_SIZE)
}

/** Most bytes that the manifest of a blob of this size has. */
export function manifestSize(size: number): number {
  return chunkCount(size) * HASH_SIZE + 64
}

/** Bytes of one chunk of a blob. */
export function chunkSize({ size }: Pick<Manifest, 'size'>, index: number): number {
  return Math.min(CHUNK_SIZE, size - index * CHUNK_SIZE)
}

/** Whether these are the bytes of that chunk. */
export function isChunk(manifest: Manifest, index: number, bytes: Uint8Array): boolean {
  const hash = manifest.chunks.subarray(index * HASH_SIZE, (index + 1) * HASH_SIZE)
  return bytes.length === chunkSize(manifest, index) && Buffer.compare(sha256(bytes), hash) === 0
}

/** Canonical DAG-CBOR. @throws BlobError SIZE */
export function encodeManifest({ size, chunks }: Manifest): Uint8Array {
  if (size < 1 || size > MAX_BLOB_SIZE)
    throw new BlobError('SIZE', `a blob has 1 to ${MAX_BLOB_SIZE} bytes, this one ${size}`)
  return encodeCbor({ v: 1, size, chunks })
}

/**
 * Reads a manifest from somebody else.
 * @param id of the blob that it is to be of
 * @throws BlobError MANIFEST
 */
export function decodeManifest(bytes: Uint8Array, id: Uint8Array): Manifest {
  if (bytes.length > MAX_MANIFEST_SIZE || Buffer.compare(sha256(bytes), id) !== 0)
    throw new BlobError('MANIFEST', `these ${bytes.length} bytes are not the manifest of that blob`)
  const { size, chunks } = parse(bytes)
  if (chunks.length !== chunkCount(size) * HASH_SIZE)
    throw new BlobError(
      'MANIFEST',
      `a blob of ${size} bytes has ${chunkCount(size)} hashes, not ${chunks.length} bytes`
    )
  return { size, chunks }
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

function parse(bytes: Uint8Array): Manifest {
  try {
    return v.parse(schema, decodeCbor(bytes))
  } catch (error) {
    throw new BlobError('MANIFEST', `not a manifest: ${(error as Error).message.slice(0, 200)}`, { cause: error })
  }
}
