// A file that is for some people only, among the node's blobs: sealed under a key of its own when it is stored, opened as it
// is read. The key stands in the message or post that it belongs to, and nowhere else.
import { randomBytes } from 'node:crypto'
import { BlobError, type BlobStore, FILE_KEY_SIZE, openFile, sealFile } from '../../blobs/index.ts'
import { NodeError } from '../comrade.ts'
import { refuse } from '../refusal-sentences.ts'
import type { Blobs } from './blobs.ts'
import type { FileSource } from './file-source.ts'

/** Where a sealed file is, and what opens it. */
export interface SealedFile {
  /** Id of its blob. */
  blob: Uint8Array
  key: Uint8Array
}

/**
 * Seals a file, and keeps it when `use` has written what has its key.
 * @throws NodeError BAD_INPUT when it has not the size that was said; DISK_FULL; what its bytes and `use` throw
 */
export async function addSealed<T>(
  blobs: Pick<Blobs, 'add'>,
  { bytes, size }: Pick<FileSource, 'bytes' | 'size'>,
  use: (sealed: SealedFile) => Promise<T>
): Promise<T> {
  const key = new Uint8Array(randomBytes(FILE_KEY_SIZE))
  try {
    return await blobs.add(sealFile(bytes, size, key), (blob) => use({ blob, key }))
  } catch (error) {
    if (error instanceof BlobError && error.code === 'SIZE')
      throw new NodeError('BAD_INPUT', error.message, { cause: error })
    throw error
  }
}

/** The file's bytes, from the beginning. @throws NodeError NOT_FOUND when the blob is not here; BlobError SEALED */
export async function* readSealed(
  store: BlobStore,
  { blob: id, key, size }: SealedFile & { size: number }
): AsyncGenerator<Uint8Array> {
  const blob = await store.find(id)
  if (blob === undefined) throw new NodeError('NOT_FOUND', refuse('refusal.fileGone'))
  yield* openFile(blob.chunks(), size, key)
}
