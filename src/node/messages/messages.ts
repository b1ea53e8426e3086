// node.messages: what a user may do with private messages.
import { EventEmitter, on } from 'node:events'
import type { FeedStore } from '../../feeds/index.ts'
import {
  type ConversationBook,
  type Conversations,
  isConversationId,
  MAX_RECEIPT_IDS,
  MESSAGE_ID_SIZE,
  type Outbox,
  type StoredMessage,
  type Wiping
} from '../../messages/index.ts'
import { formatDid } from '../../trust/index.ts'
import type { AttachmentOptions, OpenedAttachment, SavedFile } from '../blobs/contract.ts'
import { saveAttachment } from '../blobs/saved-file.ts'
import { NodeError } from '../comrade.ts'
import type { People } from '../people.ts'
import { refuse } from '../refusal-sentences.ts'
import type { Addressees } from './addressees.ts'
import type { NodeAttachments } from './attachments.ts'
import type { MailboxPlaces, Message, MessageDraft, MessageListOptions, Messages } from './contract.ts'
import { toMessageItem } from './message-item.ts'
import { NodeConversations } from './node-conversations.ts'
import type { MessageWriter, NewLetter } from './writer.ts'

const DEFAULT_LIMIT = 50
/** Messages that wait for a slow reader of a live list; past it the oldest changes are left out. */
const MAX_LIVE = 10_000

export interface NodeMessagesOptions {
  store: FeedStore
  people: People
  writer: MessageWriter
  addressees: Addressees
  /** Peers that keep messages for this device, and root keys of those who can be written to while they are away. */
  places: () => { hosts: string[]; people: Uint8Array[] }
  conversations: Conversations
  book: ConversationBook
  outbox: Outbox
  wiping: Wiping
  /** Whether authors are told that the user has read what they wrote. */
  isGivingReadReceipts: () => boolean
  attachments: NodeAttachments
}

export class NodeMessages implements Messages {
  /** Messages that came, or whose state changed. */
  readonly changes = new EventEmitter<{ changed: [StoredMessage] }>()
  readonly conversations: NodeConversations
  readonly #options: NodeMessagesOptions

  constructor(options: NodeMessagesOptions) {
    this.#options = options
    this.conversations = new NodeConversations({ ...options, onWritten: (message) => this.#announced(message) })
    this.changes.setMaxListeners(0)
  }

  async mailboxes(): Promise<MailboxPlaces> {
    const { hosts, people } = this.#options.places()
    return { hosts, people: people.map((person) => formatDid(person)) }
  }

  async send(who: string, { text, attachment, reply, expiresInMs }: MessageDraft): Promise<Message> {
    const peer = this.#options.addressees.writable(who)
    const fields: Record<string, unknown> = text === undefined ? {} : { text }
    if (reply !== undefined) fields.reply = this.#stored(reply).id
    const lifetimeMs = expiresInMs === undefined ? undefined : checkDuration(expiresInMs)
    if (attachment === undefined) return this.#write({ peer, fields: { type: 'text', ...fields }, lifetimeMs })
    return this.#options.attachments.seal(attachment, (file) =>
      this.#write({ peer, fields: { ...fields, ...file }, lifetimeMs })
    )
  }

  async attachment(id: string, options: AttachmentOptions = {}): Promise<OpenedAttachment> {
    return this.#options.attachments.open(this.#stored(id), options)
  }

  async save(id: string, path: string, options: AttachmentOptions = {}): Promise<SavedFile> {
    const attachment = await this.attachment(id, options)
    return { id, file: await saveAttachment(attachment, path), bytes: attachment.size }
  }

  async react(id: string, emoji: string): Promise<Message> {
    const { id: about, peer } = this.#stored(id)
    this.#options.addressees.check(peer)
    return this.#write({ peer, fields: { type: 'reaction', about, emoji } })
  }

  find(who: string): string {
    const peer = this.#options.addressees.find(who)
    return isConversationId(peer) ? hex(peer) : formatDid(peer)
  }

  async *list({
    with: who,
    limit = DEFAULT_LIMIT,
    live = false,
    signal
  }: MessageListOptions = {}): AsyncGenerator<Message> {
    const { conversations, addressees } = this.#options
    const peer = who === undefined ? undefined : addressees.find(who)
    const ending = new AbortController()
    const either = signal === undefined ? ending.signal : AbortSignal.any([ending.signal, signal])
    // Listened to before the stored ones are read: nothing is in neither part.
    const changes = live ? on(this.changes, 'changed', { signal: either, highWaterMark: MAX_LIVE }) : undefined
    try {
      for (const message of conversations.list({ peer, limit })) {
        signal?.throwIfAborted()
        if (!this.#isHidden(message)) yield this.toItem(message)
      }
      for await (const [message] of (changes ?? []) as AsyncIterable<[StoredMessage]>)
        if (peer === undefined || isSame(message.peer, peer)) yield this.toItem(message)
    } finally {
      ending.abort()
    }
  }

  /** What the blocked wrote, and what was written to them. */
  #isHidden({ author, peer }: StoredMessage): boolean {
    const { people } = this.#options
    return people.isBlocked(author) || (!isConversationId(peer) && people.isBlocked(peer))
  }

  async read(...ids: string[]): Promise<Message[]> {
    const { store, conversations, people } = this.#options
    const messages = ids.map((id) => this.#stored(id))
    if (messages.some(({ author }) => people.isSelf(author)))
      throw new NodeError('NOT_OWN', 'that is a message of your own')
    const news = store.write(() => messages.filter(({ num }) => conversations.advance(num, 'read')))
    this.announce(news.map(({ num }) => num))
    if (this.#options.isGivingReadReceipts()) await this.#tellRead(news)
    return messages.map(({ num }) => this.toItem(conversations.get(num)!))
  }

  /** A receipt is kept like a message until it has come. */
  async #tellRead(messages: readonly StoredMessage[]): Promise<void> {
    const { people, writer } = this.#options
    for (const [, of] of Map.groupBy(messages, ({ author }) => hex(author))) {
      const [{ author }] = of
      if (people.contacts.get(author).relation !== 'followed') continue
      for (let i = 0; i < of.length; i += MAX_RECEIPT_IDS) {
        const ids = of.slice(i, i + MAX_RECEIPT_IDS).map(({ id }) => id)
        await writer.queue({ peer: author, fields: { type: 'receipt', state: 'read', ids } })
      }
    }
  }

  async erase(id: string): Promise<{ id: string; erased: true }> {
    const { conversations, outbox, people, wiping, addressees } = this.#options
    const message = this.#stored(id)
    const isOwn = people.isSelf(message.author)
    // A device that never got it need not be asked; one that may have is.
    wiping.write(() => {
      conversations.erase(message.num)
      outbox.removeMessage(message.num)
    })
    if (isOwn && addressees.isWritten(message.peer))
      await this.#options.writer.queue({ peer: message.peer, fields: { type: 'erase', about: message.id } })
    this.announce([message.num])
    return { id, erased: true }
  }

  /** Erases what has expired. */
  eraseExpired(): void {
    const { conversations, outbox, wiping } = this.#options
    const now = Date.now()
    conversations.shortenExpiries(now)
    const nums = conversations.expired(now)
    if (nums.length === 0) return
    wiping.write(() => {
      for (const num of nums) {
        conversations.erase(num)
        outbox.removeMessage(num)
      }
    })
    this.announce(nums)
  }

  /** Tells those who listen of messages that came or changed. */
  announce(nums: readonly number[]): void {
    for (const num of nums) this.#announce(this.#options.conversations.get(num))
  }

  /** A message as people see it. */
  toItem(message: StoredMessage): Message {
    const attachment = this.#options.attachments.itemOf(message.content)
    return { ...toMessageItem(message, this.#options), ...(attachment === undefined ? {} : { attachment }) }
  }

  async #write(letter: NewLetter): Promise<Message> {
    return this.#announced(await this.#options.writer.queue(letter))
  }

  #announced(message: StoredMessage): Message {
    this.#announce(message)
    return this.toItem(message)
  }

  #announce(message: StoredMessage | undefined): void {
    if (message?.isShown) this.changes.emit('changed', message)
  }

  #stored(id: string): StoredMessage {
    const { conversations, people } = this.#options
    const isId = id.length === 2 * MESSAGE_ID_SIZE && /^[0-9a-f]+$/.test(id)
    const message = isId ? conversations.findById(Buffer.from(id, 'hex'), people.root) : undefined
    if (message === undefined || !message.isShown)
      throw new NodeError('NOT_FOUND', refuse('refusal.noMessage', { id: JSON.stringify(id.slice(0, 80)) }))
    return message
  }
}

function checkDuration(ms: number): number {
  if (!Number.isSafeInteger(ms) || ms <= 0) throw new NodeError('BAD_INPUT', `expected a time in ms, found ${ms}`)
  return ms
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
