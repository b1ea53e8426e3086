// A file that is to be attached, opened: its size is known before its bytes are read.
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { NodeError } from '../comrade.ts'
import { refuse } from '../refusal-sentences.ts'
import type { AttachmentSource } from './contract.ts'
import { fileNameOf } from './file-name.ts'
import { pictureType } from './picture-type.ts'
import type { Uploads } from './uploads.ts'

export interface FileSource extends AsyncDisposable {
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  size: number
  name: string
  mime?: string
  alt?: string
}

/**
 * @param uploads those that wait to be attached
 * @throws NodeError BAD_INPUT when it cannot be read, is no file, or has more than `maxSize` bytes; NOT_FOUND for an upload
 * that is not here
 */
export async function openSource(source: AttachmentSource, maxSize: number, uploads: Uploads): Promise<FileSource> {
  const { alt } = source
  const kept = { alt, [Symbol.asyncDispose]: async () => {} }
  if ('upload' in source) {
    const { name, size, mime } = uploads.get(source.upload)
    return { bytes: uploads.read(source.upload), size, name, mime, ...kept }
  }
  if ('data' in source) {
    const { data, name, mime } = source
    checkSize(data.length, maxSize, name)
    return { bytes: [data], size: data.length, name: fileNameOf(name), mime, ...kept }
  }
  return openFileOf(source, maxSize)
}

async function openFileOf(source: Extract<AttachmentSource, { file: string }>, maxSize: number): Promise<FileSource> {
  const { file, name = basename(file), mime = pictureType(name), alt } = source
  const handle = await open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw new NodeError('BAD_INPUT', `${file} cannot be read: ${cause.message}`, { cause })
  })
  try {
    const size = await sizeOf(handle, file)
    checkSize(size, maxSize, file)
    const bytes = handle.createReadStream({ autoClose: false })
    return { bytes, size, name: fileNameOf(name), mime, alt, [Symbol.asyncDispose]: () => handle.close() }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function sizeOf(handle: FileHandle, file: string): Promise<number> {
  const stat = await handle.stat()
  if (!stat.isFile()) throw new NodeError('BAD_INPUT', `${file} is no file`)
  return stat.size
}

function checkSize(size: number, maxSize: number, name: string): void {
  if (size > maxSize)
    throw new NodeError('BAD_INPUT', refuse('refusal.largeFile', { name, sizeBytes: size, maxBytes: maxSize }))
}
