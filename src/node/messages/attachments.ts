// Files that travel with private messages: sealed into a blob before the message is written, fetched when one comes, and
// let go with the message.
import { blobCid, cidToBlobId, formatBlobId, MAX_FILE_SIZE, sealedSize } from '../../blobs/index.ts'
import {
  type AttachmentContent,
  type Content,
  type Conversations,
  known,
  type StoredMessage
} from '../../messages/index.ts'
import type { WantedBlob } from '../blobs/blob-fetch.ts'
import type { Blobs } from '../blobs/blobs.ts'
import type { Attachment, AttachmentOptions, AttachmentSource, OpenedAttachment } from '../blobs/contract.ts'
import { fileNameOf } from '../blobs/file-name.ts'
import { type FileSource, openSource } from '../blobs/file-source.ts'
import { addSealed, readSealed, type SealedFile } from '../blobs/sealed-file.ts'
import type { Uploads } from '../blobs/uploads.ts'
import { NodeError } from '../comrade.ts'
import { refuse } from '../refusal-sentences.ts'

export interface NodeAttachmentsOptions {
  blobs: Blobs
  uploads: Uploads
  conversations: Conversations
  /** Root keys of those who get what is written in a conversation: with a person, or of several. */
  readersOf: (peer: Uint8Array) => Uint8Array[]
  /** A file that came with this message is here now. */
  onHere: (num: number) => void
}

/** What of a message says that a file belongs to it. */
type AttachmentFields = Pick<AttachmentContent, 'type' | 'blob' | 'key' | 'size' | 'name' | 'mime' | 'alt' | 'text'>

export class NodeAttachments {
  readonly #options: NodeAttachmentsOptions

  constructor(options: NodeAttachmentsOptions) {
    this.#options = options
    options.blobs.addUser(() => options.conversations.attachments().map(({ blob }) => blob))
  }

  /** Who wrote the messages that files belong to: root keys by the blob's id in hexadecimal digits. */
  senders(): Map<string, Uint8Array> {
    const { conversations } = this.#options
    return new Map(conversations.attachments().map(({ blob, author }) => [hex(blob), author]))
  }

  /** Goes on with what was not here when the node was stopped. */
  start(): void {
    const { conversations, blobs } = this.#options
    for (const { num, blob } of conversations.attachments())
      if (!blobs.store.has(blob)) this.onChanged(conversations.get(num))
  }

  /** A message came, or changed. */
  onChanged(message: StoredMessage | undefined): void {
    if (message === undefined || message.content === undefined) return void this.#options.blobs.tidy()
    const content = attachmentOf(message.content)
    if (content !== undefined) this.#options.blobs.want(this.#wanted(message, content))
  }

  /**
   * Seals a file, and keeps it when `write` has written a message about it.
   * @throws NodeError BAD_INPUT when it cannot be read, or is larger than 64 MiB less 16 KiB; NOT_FOUND when it was uploaded
   * and is not here any more
   */
  async seal<T>(source: AttachmentSource, write: (fields: AttachmentFields) => Promise<T>): Promise<T> {
    const { blobs, uploads } = this.#options
    await using file = await openSource(source, MAX_FILE_SIZE, uploads)
    const written = await addSealed(blobs, file, (sealed) => write(fieldsOf(file, sealed)))
    if ('upload' in source) uploads.discard(source.upload)
    return written
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
  async open(message: StoredMessage, { onProgress, ...options }: AttachmentOptions): Promise<OpenedAttachment> {
    const content = message.content && attachmentOf(message.content)
    if (content === undefined) throw new NodeError('NOT_FOUND', refuse('refusal.noAttachment'))
    const { size, key } = content
    const tell = ({ have }: { have: number }): void => onProgress?.({ have: Math.min(have, size), size })
    const { blobs } = this.#options
    await blobs.fetched(this.#wanted(message, content), { ...options, onProgress: tell })
    return {
      ...this.#item(content),
      read: () => readSealed(blobs.store, { blob: idOf(content), key, size })
    }
  }

  /** At its author's devices, and those of whoever else has the message. */
  #wanted({ num, author, peer }: StoredMessage, content: AttachmentContent): WantedBlob {
    const { readersOf, onHere } = this.#options
    const people = new Set([author, ...readersOf(peer)].map(hex))
    const isAt = (person: string): boolean => people.has(person)
    return { id: idOf(content), size: sealedSize(content.size), isAt, by: `message ${num}`, onHere: () => onHere(num) }
  }

  #item(content: AttachmentContent): Attachment {
    const { name, size, mime, alt } = content
    const more = { ...(mime === undefined ? {} : { mime }), ...(alt === undefined ? {} : { alt }) }
    return {
      ...{ id: formatBlobId(idOf(content)), name: fileNameOf(name), size, ...more },
      isHere: this.#isHere(content)
    }
  }

  #isHere(content: AttachmentContent): boolean {
    return this.#options.blobs.store.has(idOf(content))
  }
}

/** What a message says of a sealed file. */
function fieldsOf({ size, name, mime, alt }: FileSource, { blob, key }: SealedFile): AttachmentFields {
  const more = { ...(mime === undefined ? {} : { mime }), ...(alt === undefined ? {} : { alt }) }
  return { type: 'attachment', blob: blobCid(blob), key, size, name, ...more }
}

function attachmentOf(content: Content): AttachmentContent | undefined {
  const shown = known(content)
  return shown?.type === 'attachment' ? shown : undefined
}

function idOf({ blob }: AttachmentContent): Uint8Array {
  return cidToBlobId(blob)! // its schema says so
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
