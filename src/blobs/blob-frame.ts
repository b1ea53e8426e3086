// Frames of `/comrade/blob/1`: bytes to fields and back. Bytes: docs/protocol.md.
import { BLOB_ID_SIZE } from './blob-id.ts'
import { BlobError } from './errors.ts'
import { CHUNK_SIZE, chunkCount, MAX_BLOB_SIZE, MAX_MANIFEST_SIZE } from './manifest.ts'

const KINDS = { want: 1, manifest: 2, chunk: 3, has: 33, manifestIs: 34, chunkIs: 35, no: 36 } as const
const INDEX_SIZE = 4
const MAX_BITMAP_SIZE = Math.ceil(chunkCount(MAX_BLOB_SIZE) / 8)

/** What the side that fetches asks. `want` comes first, and the other two are about the blob that it names. */
export type BlobRequest = { kind: 'want'; id: Uint8Array } | { kind: 'manifest' } | { kind: 'chunk'; index: number }

/** One follows each request. `has` answers `want` and names the chunks that are there, as StoredBlob.bitmap gives them. */
export type BlobAnswer =
  | { kind: 'has'; bitmap: Uint8Array }
  | { kind: 'manifestIs'; manifest: Uint8Array }
  | { kind: 'chunkIs'; index: number; bytes: Uint8Array }
  | { kind: 'no' }

export function encodeRequest(request: BlobRequest): Uint8Array {
  if (request.kind === 'want') return frame('want', request.id)
  return request.kind === 'chunk' ? frame('chunk', indexBytes(request.index)) : frame('manifest')
}

/** @throws BlobError FRAME */
export function decodeRequest(bytes: Uint8Array): BlobRequest {
  const [kind, rest] = [bytes[0], bytes.subarray(1)]
  if (kind === KINDS.want && rest.length === BLOB_ID_SIZE) return { kind: 'want', id: rest.slice() }
  if (kind === KINDS.manifest && rest.length === 0) return { kind: 'manifest' }
  if (kind === KINDS.chunk && rest.length === INDEX_SIZE) return { kind: 'chunk', index: indexOf(rest) }
  throw new BlobError('FRAME', `not a request for a blob: kind ${kind}, ${bytes.length} bytes`)
}

export function encodeAnswer(answer: BlobAnswer): Uint8Array {
  switch (answer.kind) {
    case 'has':
      return frame('has', answer.bitmap)
    case 'manifestIs':
      return frame('manifestIs', answer.manifest)
    case 'chunkIs':
      return frame('chunkIs', indexBytes(answer.index), answer.bytes)
    case 'no':
      return frame('no')
  }
}

/** @throws BlobError FRAME */
export function decodeAnswer(bytes: Uint8Array): BlobAnswer {
  const [kind, rest] = [bytes[0], bytes.subarray(1)]
  if (kind === KINDS.has && rest.length <= MAX_BITMAP_SIZE) return { kind: 'has', bitmap: rest.slice() }
  if (kind === KINDS.manifestIs && rest.length <= MAX_MANIFEST_SIZE)
    return { kind: 'manifestIs', manifest: rest.slice() }
  if (kind === KINDS.chunkIs && rest.length > INDEX_SIZE && rest.length <= INDEX_SIZE + CHUNK_SIZE)
    return { kind: 'chunkIs', index: indexOf(rest), bytes: rest.subarray(INDEX_SIZE) }
  if (kind === KINDS.no && rest.length === 0) return { kind: 'no' }
  throw new BlobError('FRAME', `not an answer about a blob: kind ${kind}, ${bytes.length} bytes`)
}

function frame(kind: keyof typeof KINDS, ...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(KINDS[kind]), ...parts])
}

function indexBytes(index: number): Uint8Array {
  const bytes = Buffer.alloc(INDEX_SIZE)
  bytes.writeUInt32BE(index)
  return bytes
}

function indexOf(bytes: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, INDEX_SIZE).readUInt32BE()
}
