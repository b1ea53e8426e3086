// A file that is to be attached, opened: its size is known before its bytes are read.
import { type FileHandle, open } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { NodeError } from '../comrade.ts'
import type { AttachmentSource } from './contract.ts'
import { fileNameOf } from './file-name.ts'

/** Pictures that browsers draw, by how their files' names end. Of other files nothing is said but their names. */
const PICTURE_TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif'
}

export interface FileSource extends AsyncDisposable {
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  size: number
  name: string
  mime?: string
}

/** @throws NodeError BAD_INPUT when it cannot be read, is no file, or has more than `maxSize` bytes */
export async function openSource(source: AttachmentSource, maxSize: number): Promise<FileSource> {
  if ('data' in source) {
    const { data, name, mime } = source
    checkSize(data.length, maxSize, name)
    return { bytes: [data], size: data.length, name: fileNameOf(name), mime, [Symbol.asyncDispose]: async () => {} }
  }
  const { file, name = basename(file), mime = PICTURE_TYPES[extname(name).toLowerCase()] } = source
  const handle = await open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw new NodeError('BAD_INPUT', `${file} cannot be read: ${cause.message}`, { cause })
  })
  try {
    const size = await sizeOf(handle, file)
    checkSize(size, maxSize, file)
    const bytes = handle.createReadStream({ autoClose: false })
    return { bytes, size, name: fileNameOf(name), mime, [Symbol.asyncDispose]: () => handle.close() }
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
    throw new NodeError('BAD_INPUT', `${name} has ${size} bytes, and a file that is attached at most ${maxSize}`)
}
