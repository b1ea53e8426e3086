// Mailboxes as a node has them: hosted for friends, and used with those with whom messages were exchanged. Their devices
// are told in messages where they can leave some.
import type { PeerId } from '@libp2p/interface'
import type { FeedStore } from '../../feeds/index.ts'
import {
  type Conversations,
  encodeDescriptor,
  MailboxBook,
  type MailboxContact,
  type MailboxContacts,
  MailboxQueues,
  MessageError,
  type Content,
  newContent
} from '../../messages/index.ts'
import type { Connections } from '../connections.ts'
import type { People } from '../people.ts'
import type { Vault } from '../vault.ts'
import type { KnownDevice } from './known-device.ts'
import { MailboxClient } from './mailbox-client.ts'
import { MailboxService } from './mailbox-service.ts'

/** Addresses of a host that a contact is told. */
const MAX_ADDRESSES = 4

export interface MailboxesOptions {
  store: FeedStore
  vault: Vault
  people: People
  connections: Connections
  conversations: Conversations
  contacts: MailboxContacts
  /** Whether the user lets friends have mailboxes here. */
  isHosting: () => boolean
  /** To which others seal cells for this device. */
  cellKey: () => Promise<Uint8Array>
  /** Takes a cell that one of these devices has left. */
  onCell: (cell: Uint8Array, from: readonly KnownDevice[]) => Promise<void>
  /** Tells a device where it may leave messages. */
  tell: (device: Uint8Array, content: Content) => void
  onError: (error: unknown) => void
}

export class Mailboxes {
  readonly contacts: MailboxContacts
  readonly #options: MailboxesOptions
  readonly #service: MailboxService
  readonly #client: MailboxClient
  /** What each device was told last, since the node was started. */
  readonly #told = new Map<string, string>()
  /** Root keys of those with whom messages were exchanged. */
  readonly #peers: Map<string, Uint8Array>

  constructor(options: MailboxesOptions) {
    this.#options = options
    this.contacts = options.contacts
    const { store, people, connections, conversations } = options
    const { libp2p } = connections
    this.#peers = new Map(conversations.peers().map((peer) => [hex(peer), peer]))
    this.#service = new MailboxService({
      libp2p,
      queues: new MailboxQueues(store),
      isHosting: options.isHosting,
      friendOf: (peerId) => this.#friendAt(peerId),
      onFault: (peerId) => connections.blame(peerId),
      onError: options.onError
    })
    this.#client = new MailboxClient({
      libp2p,
      book: new MailboxBook(store, options.vault),
      dial: (peerId, addresses, signal) => connections.dial(peerId, addresses, signal),
      addressesOf: (peerId) =>
        people.contacts.addresses
          .ofPeer(peerId)
          .map(({ address }) => address)
          .slice(0, MAX_ADDRESSES),
      contacts: () => [...this.#peers.values()].filter((peer) => this.#isFollowed(peer)),
      candidates: (contact) => this.#candidatesFor(hex(contact)),
      onCell: (contact, cell) => this.#take(contact, cell),
      onMoved: (contact) => this.#tellAll(contact)
    })
  }

  /** Before connections are started. */
  async start(): Promise<void> {
    await this.#service.start()
    this.#client.start()
  }

  /** Before connections are stopped. */
  async stop(): Promise<void> {
    await this.#client.stop()
    await this.#service.stop()
  }

  /** A connected peer has shown which device it is. */
  onRecognised({ device, person }: KnownDevice): void {
    this.#client.review().catch(this.#options.onError)
    if (this.#peers.has(hex(person))) void this.#tell(device, person)
  }

  /** What it was told may not have come. */
  onDisconnected(device: Uint8Array): void {
    this.#told.delete(hex(device))
  }

  /** A message was written to a person or came from one. */
  onMessage(peer: Uint8Array): void {
    if (this.#peers.has(hex(peer))) return
    this.#peers.set(hex(peer), peer)
    this.onContactsChanged()
  }

  /** People were followed or blocked. */
  onContactsChanged(): void {
    this.#client.review().catch(this.#options.onError)
  }

  /** Where a device can be written to while it is away. */
  of(device: Uint8Array): MailboxContact | undefined {
    return this.contacts.of(device)
  }

  /** @returns whether a host has all of these cells */
  async put({ descriptor }: MailboxContact, cells: readonly Uint8Array[]): Promise<boolean> {
    return (await this.#client.put(descriptor, cells)) > 0
  }

  #friendAt(peerId: PeerId): string | undefined {
    const contact = this.#options.connections.contactOf(peerId)
    return contact !== undefined && ['followed', 'self'].includes(contact.relation) ? hex(contact.key) : undefined
  }

  #candidatesFor(contact: string): string[] {
    const { libp2p } = this.#options.connections
    return libp2p
      .getPeers()
      .filter((peerId) => ![undefined, contact].includes(this.#friendAt(peerId)))
      .map(String)
  }

  async #take(contact: Uint8Array, cell: Uint8Array): Promise<void> {
    if (!this.#isFollowed(contact)) return // blocked a moment ago: what they wrote is let go
    try {
      await this.#options.onCell(cell, this.#devicesOf(contact))
    } catch (error) {
      // What is not for this device, or not from that contact, is of no use the next time either.
      if (!(error instanceof MessageError && error.code === 'CELL')) throw error
    }
  }

  #isFollowed(person: Uint8Array): boolean {
    return this.#options.people.contacts.get(person).relation === 'followed'
  }

  #devicesOf(person: Uint8Array): KnownDevice[] {
    const devices = this.#options.people.contacts.devicesOf(person)
    return devices.filter(({ revoked }) => revoked === undefined).map(({ device }) => ({ device, person }))
  }

  #tellAll(contact: Uint8Array): void {
    for (const { device, person } of this.#devicesOf(contact)) void this.#tell(device, person)
  }

  async #tell(device: Uint8Array, person: Uint8Array): Promise<void> {
    try {
      const { hosts } = this.#client.descriptorFor(person) ?? { hosts: [] }
      if (hosts.length === 0 && !this.#told.has(hex(device))) return
      const key = await this.#options.cellKey()
      const digest = [hex(key), ...hosts.map(({ secret }) => hex(secret)).toSorted()].join()
      if (this.#told.get(hex(device)) === digest) return
      this.#told.set(hex(device), digest)
      const descriptor = encodeDescriptor({ hosts })
      this.#options.tell(device, newContent({ type: 'mailboxes', key, descriptor }))
    } catch (error) {
      this.#options.onError(error)
    }
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
