// What this device writes: a message, and for which devices it is, in one transaction. Then it is sent for as long as it takes.
import { randomBytes } from 'node:crypto'
import type { FeedStore, Turn } from '../../feeds/index.ts'
import {
  type Content,
  type Conversations,
  newContent,
  type Outbox,
  type StoredMessage,
  TRANSFER_SIZE
} from '../../messages/index.ts'
import type { People } from '../people.ts'
import type { Crypt } from './crypt.ts'
import { GatheredWrites } from './gathered-writes.ts'
import { asNodeError } from './node-errors.ts'

export interface MessageWriterOptions {
  store: FeedStore
  people: People
  crypt: Crypt
  conversations: Conversations
  outbox: Outbox
  /** This device's key. */
  deviceKey: () => Uint8Array
  /** Something waits for these devices. */
  onQueued: (devices: Uint8Array[]) => void
  /** Lets others have their turn. @default one of its own */
  turn?: Turn
}

/** What a message says, without what all of them have. */
export type Fields = { type: string; [field: string]: unknown }

export class MessageWriter {
  readonly #options: MessageWriterOptions
  readonly #writes: GatheredWrites

  constructor(options: MessageWriterOptions) {
    this.#options = options
    this.#writes = new GatheredWrites((work) => options.store.write(work, { isDurable: true }), options.turn)
  }

  /** @throws NodeError UNAVAILABLE, BAD_INPUT when it is too long; FeedError DISK_FULL */
  async queue(peer: Uint8Array, fields: Fields): Promise<StoredMessage> {
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
    return conversations.get(num)!
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
