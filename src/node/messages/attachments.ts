// Files that travel with private messages: sealed into a blob before the message is written, fetched when one comes, and
// let go with the message.
import { randomBytes } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import {
  BlobError,
  blobCid,
  cidToBlobId,
  FILE_KEY_SIZE,
  MAX_FILE_SIZE,
  openFile,
  sealedSize,
  sealFile
} from '../../blobs/index.ts'
import {
  type AttachmentContent,
  type Content,
  type Conversations,
  known,
  type StoredMessage
} from '../../messages/index.ts'
import type { Blobs } from '../blobs/blobs.ts'
import { NodeError } from '../comrade.ts'
import type { Attachment, AttachmentOptions, AttachmentSource, OpenedAttachment } from './contract.ts'
import { fileNameOf } from './file-name.ts'

export interface NodeAttachmentsOptions {
  blobs: Blobs
  conversations: Conversations
  /** Own root key. */
  self: Uint8Array
  /** Most bytes that blobs may take when nobody asked for them by name. */
  maxFetchedBytes: () => number
  /** A file that came with this message is here now. */
  onHere: (num: number) => void
}

/** What of a message says that a file belongs to it. */
type AttachmentFields = Pick<AttachmentContent, 'type' | 'blob' | 'key' | 'size' | 'name' | 'mime' | 'text'>

export class NodeAttachments {
  readonly #options: NodeAttachmentsOptions

  constructor(options: NodeAttachmentsOptions) {
    this.#options = options
    options.blobs.addUser(() => options.conversations.attachments().map(({ blob }) => blob))
  }

  /** Goes on with what was not here when the node was stopped. */
  start(): void {
    for (const { num } of this.#options.conversations.attachments())
      this.onChanged(this.#options.conversations.get(num))
  }

  /** A message came, or changed. */
  onChanged(message: StoredMessage | undefined): void {
    if (message === undefined || message.content === undefined) return void this.#options.blobs.tidy()
    const content = attachmentOf(message.content)
    if (content === undefined || this.#isHere(content)) return
    const { blobs, maxFetchedBytes } = this.#options
    if (blobs.store.usedBytes + sealedSize(content.size) <= maxFetchedBytes()) this.#want(message, content)
  }

  /**
   * Seals a file, and keeps it when `write` has written a message about it.
   * @throws NodeError BAD_INPUT when it cannot be read, or is larger than 64 MiB less 16 KiB
   */
  async seal<T>(source: AttachmentSource, write: (fields: AttachmentFields) => Promise<T>): Promise<T> {
    await using file = await opened(source)
    const { size, name, mime, bytes } = file
    const key = new Uint8Array(randomBytes(FILE_KEY_SIZE))
    try {
      return await this.#options.blobs.add(sealFile(bytes, size, key), (id) =>
        write({ type: 'attachment', blob: blobCid(id), key, size, name, ...(mime === undefined ? {} : { mime }) })
      )
    } catch (error) {
      if (error instanceof BlobError && error.code === 'SIZE')
        throw new NodeError('BAD_INPUT', error.message, { cause: error })
      throw error
    }
  }

  /** As people see it; undefined when there is none. */
  itemOf(content: Content | undefined): Attachment | undefined {
    const attachment = content && attachmentOf(content)
    return attachment && this.#item(attachment)
  }

  /**
   * Waits until all of a file is here, and opens it.
   * @throws NodeError NOT_FOUND when the message has none; whatever `signal` was aborted with
   */
  async open(message: StoredMessage, { signal, onProgress }: AttachmentOptions): Promise<OpenedAttachment> {
    const content = message.content && attachmentOf(message.content)
    if (content === undefined) throw new NodeError('NOT_FOUND', 'no file is attached to that message')
    await this.#fetched(message, content, signal, onProgress)
    const { size, key } = content
    return {
      ...this.#item(content),
      read: () => openFile(this.#chunks(idOf(content)), size, key)
    }
  }

  async #fetched(
    message: StoredMessage,
    content: AttachmentContent,
    signal: AbortSignal | undefined,
    onProgress: AttachmentOptions['onProgress']
  ): Promise<void> {
    const { fetcher } = this.#options.blobs
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const name = Buffer.from(idOf(content)).toString('hex')
    const onAbort = (): void => reject(signal!.reason as Error)
    const tell = ({ have, size }: { have: number; size: number }): void => {
      onProgress?.({ have: Math.min(have, content.size), size: content.size })
      if (have === size) resolve()
    }
    signal?.throwIfAborted()
    signal?.addEventListener('abort', onAbort, { once: true })
    fetcher.progress.on(name, tell)
    try {
      this.#want(message, content, true)
      const size = sealedSize(content.size)
      tell(this.#isHere(content) ? { have: size, size } : (fetcher.progressOf(idOf(content)) ?? { have: 0, size }))
      await promise
    } finally {
      fetcher.progress.off(name, tell)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Of its author's devices, and of those of whoever else has the message. */
  #want({ num, author, peer }: StoredMessage, content: AttachmentContent, isUrgent = false): void {
    const { blobs, self, onHere } = this.#options
    const wanted = { id: idOf(content), size: sealedSize(content.size), people: distinct([author, peer, self]) }
    blobs.fetcher.want({ ...wanted, onHere: () => onHere(num) }, { isUrgent })
  }

  #item(content: AttachmentContent): Attachment {
    const { name, size, mime } = content
    return { name: fileNameOf(name), size, ...(mime === undefined ? {} : { mime }), isHere: this.#isHere(content) }
  }

  #isHere(content: AttachmentContent): boolean {
    return this.#options.blobs.store.has(idOf(content))
  }

  async *#chunks(id: Uint8Array): AsyncGenerator<Uint8Array> {
    const blob = await this.#options.blobs.store.find(id)
    if (blob === undefined) throw new NodeError('NOT_FOUND', 'the file is not here any more')
    yield* blob.chunks()
  }
}

interface OpenedSource extends AsyncDisposable {
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  size: number
  name: string
  mime?: string
}

async function opened(source: AttachmentSource): Promise<OpenedSource> {
  if ('data' in source) {
    const { data, name, mime } = source
    return { bytes: [data], size: data.length, name: fileNameOf(name), mime, [Symbol.asyncDispose]: async () => {} }
  }
  const { file, name = basename(file), mime } = source
  const handle = await open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw new NodeError('BAD_INPUT', `${file} cannot be read: ${cause.message}`, { cause })
  })
  try {
    const size = await sizeOf(handle, file)
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
  if (stat.size > MAX_FILE_SIZE)
    throw new NodeError('BAD_INPUT', `${file} has ${stat.size} bytes, and a message takes at most ${MAX_FILE_SIZE}`)
  return stat.size
}

function attachmentOf(content: Content): AttachmentContent | undefined {
  const shown = known(content)
  return shown?.type === 'attachment' ? shown : undefined
}

function idOf({ blob }: AttachmentContent): Uint8Array {
  return cidToBlobId(blob)! // its schema says so
}

function distinct(keys: readonly Uint8Array[]): Uint8Array[] {
  return keys.filter((key, i) => keys.findIndex((other) => Buffer.compare(key, other) === 0) === i)
}
