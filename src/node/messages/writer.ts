// What this device writes: a message, and for which devices it is, in one transaction. Then it is sent for as long as it takes.
import { randomBytes } from 'node:crypto'
import type { FeedStore, Turn } from '../../feeds/index.ts'
import {
  type Content,
  type ConversationBook,
  type Conversations,
  type ConversationState,
  isConversationId,
  membersOf,
  newContent,
  type Outbox,
  type OwnCopies,
  type StoredMessage,
  TRANSFER_SIZE,
  viewOf
} from '../../messages/index.ts'
import { NodeError } from '../comrade.ts'
import type { People } from '../people.ts'
import { refuse } from '../refusal-sentences.ts'
import type { Crypt } from './crypt.ts'
import { GatheredWrites } from './gathered-writes.ts'
import { asNodeError } from './node-errors.ts'

/** Types that a conversation's timer does not erase: they do something. */
const LASTING: ReadonlySet<string> = new Set(['conversation', 'erase', 'receipt'])

export interface MessageWriterOptions {
  store: FeedStore
  people: People
  crypt: Crypt
  conversations: Conversations
  book: ConversationBook
  outbox: Outbox
  copies: OwnCopies
  /** This device's key. */
  deviceKey: () => Uint8Array
  /** Something waits for these devices. */
  onQueued: (devices: Uint8Array[]) => void
  /** Lets others have their turn. @default one of its own */
  turn?: Turn
}

/** What a message says, without what all of them have. */
export type Fields = { type: string; [field: string]: unknown }

export interface NewLetter {
  /** The other person's root key, or a conversation's id. */
  peer: Uint8Array
  /** Called in the transaction. @throws NodeError, MessageError: nothing is written */
  fields: Fields | (() => Fields)
  /** After which time it is erased, in ms, where no timer is shorter. @default never */
  lifetimeMs?: number
  /** People who get it although they do not belong to the conversation, by their root keys. */
  also?: () => Uint8Array[]
}

export class MessageWriter {
  readonly #options: MessageWriterOptions
  readonly #writes: GatheredWrites

  constructor(options: MessageWriterOptions) {
    this.#options = options
    this.#writes = new GatheredWrites((work) => options.store.write(work, { isDurable: true }), options.turn)
  }

  /** @throws NodeError UNAVAILABLE, BAD_INPUT when it is too long or would reach nobody; FeedError DISK_FULL */
  async queue(letter: NewLetter): Promise<StoredMessage> {
    const { crypt, conversations } = this.#options
    await asNodeError(() => crypt.open())
    const { num, devices } = await asNodeError(() => this.#writes.run(() => this.#write(letter)))
    this.#options.onQueued(devices)
    return conversations.get(num)!
  }

  /** Every device that is to have a message and is not noted for it yet: a person may have more than when it was written. */
  addRecipients(): Uint8Array[] {
    const { store, outbox } = this.#options
    const missing = this.#missingRecipients()
    if (missing.length > 0) store.write(() => missing.forEach(({ num, device }) => this.#addTo(num, [device])))
    return outbox.devices()
  }

  /** Thousands may be waiting: what is known of a person is read once. */
  #missingRecipients(): { num: number; device: Uint8Array }[] {
    const { conversations, outbox, deviceKey } = this.#options
    const noted = new Map<string, { device: Uint8Array; nums: Set<number> }[]>()
    const notedOf = (person: Uint8Array): { device: Uint8Array; nums: Set<number> }[] => {
      const name = Buffer.from(person).toString('hex')
      const known = noted.get(name)
      if (known !== undefined) return known
      const devices = this.#devicesOf(person).map((device) => ({ device, nums: outbox.numsOf(device) }))
      noted.set(name, devices)
      return devices
    }
    return conversations.undelivered(deviceKey()).flatMap(({ num, peer }) =>
      this.#waitingIn(num, peer)
        .flatMap(notedOf)
        .filter(({ nums }) => !nums.has(num))
        .map(({ device }) => ({ num, device }))
    )
  }

  #write({ peer, fields, lifetimeMs, also }: NewLetter): { num: number; devices: Uint8Array[] } {
    const { conversations, book, copies, people, deviceKey } = this.#options
    const device = deviceKey()
    const given = typeof fields === 'function' ? fields() : fields
    const state = book.find(peer)
    const content = this.#contentOf(given, { peer, state, lifetimeMs })
    const message = { author: people.root, device, peer, timeMs: content.at, content, state: 'queued' as const }
    const num = conversations.add({ ...message, nowMs: content.at })!
    const readers = isConversationId(peer) ? this.#readersOf(num, state!, also?.() ?? []) : [peer]
    if (readers.length === 0 && !LASTING.has(given.type))
      throw new NodeError('BAD_INPUT', refuse('refusal.messageNobody'))
    const own = this.#ownOthers()
    const devices = [...readers.flatMap((person) => this.#devicesOf(person)), ...own]
    this.#addTo(num, devices)
    for (const other of own) copies.begin(other, { writer: device, num })
    return { num, devices }
  }

  #contentOf(
    fields: Fields,
    { peer, state, lifetimeMs }: { peer: Uint8Array; state: ConversationState | undefined; lifetimeMs?: number }
  ): Content {
    const prev = this.#options.conversations.lastOf(this.#options.deviceKey(), peer)
    const timers = [lifetimeMs, state?.timer.value].filter((ms) => ms !== undefined && ms > 0) as number[]
    const at = Date.now()
    const isErased = timers.length > 0 && !LASTING.has(fields.type)
    return newContent(
      {
        ...fields,
        ...(isConversationId(peer) ? { conversation: peer } : {}),
        ...(state === undefined ? {} : { view: viewOf(state) }),
        ...(prev === undefined ? {} : { prev }),
        ...(isErased ? { expires: at + Math.min(...timers) } : {})
      },
      { at }
    )
  }

  /** Notes for whom a message to several is. @returns those whom it reaches */
  #readersOf(num: number, state: ConversationState, also: readonly Uint8Array[]): Uint8Array[] {
    const { conversations, people } = this.#options
    const members = membersOf(state).map((key) => new Uint8Array(Buffer.from(key, 'hex')))
    const others = [...members, ...also].filter((person) => !people.isSelf(person))
    return others.filter((person) => {
      const isReached = people.contacts.get(person).relation === 'followed'
      conversations.recipients.add(num, { person, state: isReached ? 'queued' : 'unreachable' })
      return isReached
    })
  }

  /** Who has not got a message yet. */
  #waitingIn(num: number, peer: Uint8Array): Uint8Array[] {
    if (!isConversationId(peer)) return [peer]
    const recipients = this.#options.conversations.recipients.of(num)
    return recipients.filter(({ state }) => state === 'queued' || state === 'mailed').map(({ person }) => person)
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
    return this.#devicesOf(people.root).filter((device) => Buffer.compare(device, deviceKey()) !== 0)
  }
}
