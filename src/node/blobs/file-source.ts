// A file that is to be attached, opened: its size is known before its bytes are read.
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { plainPicture } from '../../blobs/index.ts'
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
 * @throws NodeError BAD_INPUT when it cannot be read, is no file, has more than `maxSize` bytes, or is no picture of which
 * something can be left out, and should be; NOT_FOUND for an upload that is not here
 */
export async function openSource(source: AttachmentSource, maxSize: number, uploads: Uploads): Promise<FileSource> {
  const { alt, isPlain = false } = source
  if ('upload' in source) {
    const { name, size, mime } = uploads.get(source.upload)
    return inMemory({ bytes: uploads.read(source.upload), size, name, mime, alt })
  }
  if ('file' in source) return openFileOf(source, maxSize)
  const { name, mime } = source
  checkSize(source.data.length, maxSize, name)
  const data = isPlain ? plain(source.data, name) : source.data
  return inMemory({ bytes: [data], size: data.length, name: fileNameOf(name), mime, alt })
}

/** Nothing has to be closed. */
function inMemory(file: Omit<FileSource, typeof Symbol.asyncDispose>): FileSource {
  return { ...file, [Symbol.asyncDispose]: async () => {} }
}

async function openFileOf(source: Extract<AttachmentSource, { file: string }>, maxSize: number): Promise<FileSource> {
  const { file, name = basename(file), mime = pictureType(name), alt, isPlain = false } = source
  const handle = await open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw new NodeError('BAD_INPUT', `${file} cannot be read: ${cause.message}`, { cause })
  })
  try {
    const size = await sizeOf(handle, file)
    checkSize(size, maxSize, file)
    const said = { name: fileNameOf(name), mime, alt, [Symbol.asyncDispose]: () => handle.close() }
    if (!isPlain) return { bytes: handle.createReadStream({ autoClose: false }), size, ...said }
    const data = plain(await handle.readFile(), name)
    return { bytes: [data], size: data.length, ...said }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Nobody is to believe that something was taken out which is there still. */
function plain(data: Uint8Array, name: string): Uint8Array {
  const picture = plainPicture(new Uint8Array(data))
  if (picture !== undefined) return picture
  throw new NodeError('BAD_INPUT', `${name} is no JPEG, PNG or WebP, or is damaged: what it hides cannot be taken out`)
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
