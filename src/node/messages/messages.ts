// node.messages: what a user may do with private messages.
import { randomBytes } from 'node:crypto'
import { EventEmitter, on } from 'node:events'
import type { FeedStore } from '../../feeds/index.ts'
import {
  type Content,
  type Conversations,
  known,
  MESSAGE_ID_SIZE,
  MessageError,
  newContent,
  type Outbox,
  type StoredMessage,
  TRANSFER_SIZE,
  type Wiping
} from '../../messages/index.ts'
import { type ContactRecord, formatDid, TrustError } from '../../trust/index.ts'
import { NodeError } from '../comrade.ts'
import type { People } from '../people.ts'
import type { Message, MessageDraft, MessageListOptions, Messages } from './contract.ts'
import type { Crypt } from './crypt.ts'
import { GatheredWrites } from './gathered-writes.ts'

const DEFAULT_LIMIT = 50
/** Messages that wait for a slow reader of a live list; past it the oldest changes are left out. */
const MAX_LIVE = 10_000

export interface NodeMessagesOptions {
  store: FeedStore
  people: People
  crypt: Crypt
  conversations: Conversations
  outbox: Outbox
  wiping: Wiping
  /** This device's key. */
  deviceKey: () => Uint8Array
  /** Something waits for these devices. */
  onQueued: (devices: Uint8Array[]) => void
}

export class NodeMessages implements Messages {
  /** Messages that came, or whose state changed. */
  readonly changes = new EventEmitter<{ changed: [StoredMessage] }>()
  readonly #options: NodeMessagesOptions
  readonly #writes: GatheredWrites

  constructor(options: NodeMessagesOptions) {
    this.#options = options
    this.#writes = new GatheredWrites((work) => options.store.write(work, { isDurable: true }))
    this.changes.setMaxListeners(0)
  }

  async send(who: string, { text, reply, expiresInMs }: MessageDraft): Promise<Message> {
    const person = this.#recipient(who)
    const fields: { type: string; [field: string]: unknown } = { type: 'text', text }
    if (reply !== undefined) fields.reply = this.#stored(reply).id
    if (expiresInMs !== undefined) fields.expires = Date.now() + checkDuration(expiresInMs)
    return this.toItem(await this.#queue(person.key, fields))
  }

  async react(id: string, emoji: string): Promise<Message> {
    const { id: about, peer } = this.#stored(id)
    this.#recipient(formatDid(peer))
    return this.toItem(await this.#queue(peer, { type: 'reaction', about, emoji }))
  }

  async *list({
    with: who,
    limit = DEFAULT_LIMIT,
    live = false,
    signal
  }: MessageListOptions = {}): AsyncGenerator<Message> {
    const { conversations, people } = this.#options
    const peer = who === undefined ? undefined : this.#find(who).key
    const ending = new AbortController()
    const either = signal === undefined ? ending.signal : AbortSignal.any([ending.signal, signal])
    // Listened to before the stored ones are read: nothing is in neither part.
    const changes = live ? on(this.changes, 'changed', { signal: either, highWaterMark: MAX_LIVE }) : undefined
    try {
      for (const message of conversations.list({ peer, limit })) {
        signal?.throwIfAborted()
        if (!people.isBlocked(message.peer)) yield this.toItem(message)
      }
      for await (const [message] of (changes ?? []) as AsyncIterable<[StoredMessage]>)
        if (peer === undefined || isSame(message.peer, peer)) yield this.toItem(message)
    } finally {
      ending.abort()
    }
  }

  async read(id: string): Promise<Message> {
    const { store, conversations, people } = this.#options
    const message = this.#stored(id)
    if (people.isSelf(message.author)) throw new NodeError('NOT_OWN', 'that is a message of your own')
    if (store.write(() => conversations.advance(message.num, 'read'))) this.announce([message.num])
    return this.toItem(conversations.get(message.num)!)
  }

  async erase(id: string): Promise<{ id: string; erased: true }> {
    const { conversations, outbox, people, wiping } = this.#options
    const message = this.#stored(id)
    const isOwn = people.isSelf(message.author)
    // A device that never got it need not be asked; one that may have is.
    wiping.write(() => {
      conversations.erase(message.num)
      outbox.removeMessage(message.num)
    })
    if (isOwn) await this.#queue(message.peer, { type: 'erase', about: message.id })
    this.announce([message.num])
    return { id, erased: true }
  }

  /** Erases what has expired. */
  eraseExpired(): void {
    const { conversations, outbox, wiping } = this.#options
    const nums = conversations.expired(Date.now())
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

  /** Every device that is to have a message and is not noted for it yet: a person may have more than when it was written. */
  addRecipients(): Uint8Array[] {
    const { store, conversations, outbox, deviceKey } = this.#options
    const waiting = conversations.undelivered(deviceKey())
    if (waiting.length > 0)
      store.write(() => {
        for (const { num, peer } of waiting) this.#addTo(num, this.#devicesOf(peer))
      })
    return outbox.devices()
  }

  /** A message as people see it. */
  toItem(message: StoredMessage): Message {
    const { author, peer, content, timeMs, state, isAfterGap } = message
    const { root, contacts } = this.#options.people
    const from = contacts.get(author)
    const isOwn = isSame(author, root)
    return {
      id: hex(message.id),
      from: from.did,
      to: formatDid(isOwn ? peer : root),
      name: from.name,
      warnings: contacts.names.notesOf(from),
      time: new Date(timeMs).toISOString(),
      ...shownOf(content),
      state,
      ...(content?.expires === undefined ? {} : { expires: new Date(content.expires).toISOString() }),
      ...(isAfterGap ? { isAfterGap: true as const } : {})
    }
  }

  async #queue(peer: Uint8Array, fields: { type: string; [field: string]: unknown }): Promise<StoredMessage> {
    const { crypt, conversations, people, deviceKey } = this.#options
    await asNodeError(() => crypt.open())
    const device = deviceKey()
    const devices = [...this.#devicesOf(peer), ...this.#ownOthers()]
    const num = await asNodeError(() =>
      this.#writes.run(() => {
        const prev = conversations.lastOf(device, peer)
        const content: Content = newContent({ ...fields, ...(prev === undefined ? {} : { prev }) })
        const message = { author: people.root, device, peer, timeMs: content.at, content, state: 'queued' as const }
        const added = conversations.add(message)!
        this.#addTo(added, devices)
        return added
      })
    )
    this.#options.onQueued(devices)
    const message = conversations.get(num)!
    this.#announce(message)
    return message
  }

  #announce(message: StoredMessage | undefined): void {
    if (message?.isShown) this.changes.emit('changed', message)
  }

  #addTo(num: number, devices: readonly Uint8Array[]): void {
    for (const device of devices) this.#options.outbox.add(num, device, randomBytes(TRANSFER_SIZE))
  }

  #devicesOf(person: Uint8Array): Uint8Array[] {
    const devices = this.#options.people.contacts.devicesOf(person)
    return devices.filter(({ revoked }) => revoked === undefined).map(({ device }) => device)
  }

  #ownOthers(): Uint8Array[] {
    const { people, deviceKey } = this.#options
    return this.#devicesOf(people.root).filter((device) => !isSame(device, deviceKey()))
  }

  /** @throws NodeError WHO_UNKNOWN, WHO_AMBIGUOUS, BAD_INPUT */
  #recipient(who: string): ContactRecord {
    const person = this.#find(who)
    if (person.relation === 'self') throw new NodeError('BAD_INPUT', 'a message is for somebody else')
    if (person.relation !== 'followed')
      throw new NodeError(
        'BAD_INPUT',
        person.relation === 'blocked'
          ? 'that person is blocked: unblock and follow them first'
          : 'messages go between people who follow each other: follow them first'
      )
    return person
  }

  #find(who: string): ContactRecord {
    try {
      return this.#options.people.contacts.find(who)
    } catch (error) {
      throw asNode(error)
    }
  }

  #stored(id: string): StoredMessage {
    const { conversations, people } = this.#options
    const isId = id.length === 2 * MESSAGE_ID_SIZE && /^[0-9a-f]+$/.test(id)
    const message = isId ? conversations.findById(Buffer.from(id, 'hex'), people.root) : undefined
    if (message === undefined || !message.isShown)
      throw new NodeError('NOT_FOUND', `there is no message ${JSON.stringify(id.slice(0, 80))} here`)
    return message
  }
}

function shownOf(content: Content | undefined): Pick<Message, 'type' | 'text' | 'reply' | 'about' | 'emoji'> {
  if (content === undefined) return { type: 'erased' }
  const shown = known(content)
  if (shown?.type === 'text')
    return { type: 'text', text: shown.text, ...(shown.reply === undefined ? {} : { reply: hex(shown.reply) }) }
  if (shown?.type === 'reaction') return { type: 'reaction', about: hex(shown.about), emoji: shown.emoji }
  return { type: content.type }
}

function checkDuration(ms: number): number {
  if (!Number.isSafeInteger(ms) || ms <= 0) throw new NodeError('BAD_INPUT', `expected a time in ms, found ${ms}`)
  return ms
}

async function asNodeError<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw asNode(error)
  }
}

function asNode(error: unknown): unknown {
  if (error instanceof MessageError) {
    const code = error.code === 'UNAVAILABLE' ? 'UNAVAILABLE' : 'BAD_INPUT'
    return new NodeError(code, error.message, { cause: error })
  }
  if (error instanceof TrustError && (error.code === 'WHO_UNKNOWN' || error.code === 'WHO_AMBIGUOUS'))
    return new NodeError(error.code, error.message, { cause: error })
  return error
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
