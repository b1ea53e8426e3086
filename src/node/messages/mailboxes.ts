// Mailboxes as a node has them: hosted for friends, and used with those who follow this user and whom this user follows, and
// between the user's own devices.
import type { PeerId } from '@libp2p/interface'
import type { FeedStore } from '../../feeds/index.ts'
import {
  type Content,
  type Conversations,
  libsignalUnavailable,
  MailboxBook,
  type MailboxContact,
  type MailboxContacts,
  MailboxQueues,
  MAX_QUEUES_PER_FRIEND,
  MessageError
} from '../../messages/index.ts'
import type { Connections } from '../connections.ts'
import type { People } from '../people.ts'
import type { Vault } from '../vault.ts'
import type { Crypt } from './crypt.ts'
import type { KnownDevice } from './known-devices.ts'
import { MailboxClient } from './mailbox-client.ts'
import { MailboxNews } from './mailbox-news.ts'
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
  crypt: Crypt
  /** Which device a peer has shown to be, if it is a contact's or an own other one. */
  deviceAt: (peerId: PeerId) => KnownDevice | undefined
  peerOf: (device: Uint8Array) => { peerId: PeerId } | undefined
  /** Whose a device is, if it may be written to. */
  personOf: (device: Uint8Array) => Uint8Array | undefined
  /** Whether a device can be written to without beginning a session. */
  hasSession: (device: Uint8Array) => boolean
  /** This device's key. */
  deviceKey: () => Uint8Array
  /** Takes a cell that one of these devices has left. */
  onCell: (cell: Uint8Array, from: readonly KnownDevice[]) => Promise<void>
  /** Sends a message that is not kept. */
  pass: (device: Uint8Array, content: Content) => void
  onError: (error: unknown) => void
}

export class Mailboxes {
  readonly contacts: MailboxContacts
  readonly #options: MailboxesOptions
  readonly #service: MailboxService
  readonly #book: MailboxBook
  readonly #client: MailboxClient
  readonly #news: MailboxNews
  /** Who was written to, or has written, since the node was started: by root key in hexadecimal. */
  readonly #peers = new Set<string>()
  /** To which key cells were sealed when contacts were told last. */
  #cellKey: string | undefined

  constructor(options: MailboxesOptions) {
    this.#options = options
    this.contacts = options.contacts
    const { store, people, connections } = options
    const { libp2p } = connections
    this.#service = new MailboxService({
      libp2p,
      queues: new MailboxQueues(store),
      isHosting: options.isHosting,
      friendOf: (peerId) => this.#friendAt(peerId),
      onFault: (peerId) => connections.blame(peerId),
      onError: options.onError
    })
    this.#book = new MailboxBook(store, options.vault)
    this.#client = new MailboxClient({
      libp2p,
      book: this.#book,
      dial: (peerId, addresses, signal) => connections.dialler.dial(peerId, addresses, signal),
      addressesOf: (peerId) =>
        people.contacts.addresses
          .ofPeer(peerId)
          .map(({ address }) => address)
          .slice(0, MAX_ADDRESSES),
      contacts: () => this.#served(),
      generationOf: (contact) =>
        people.contacts.devicesOf(contact).filter(({ revoked }) => revoked !== undefined).length,
      queuesPerHost: () => Math.floor(MAX_QUEUES_PER_FRIEND / Math.max(1, this.#ownDevices().length)),
      candidates: (contact) => this.#candidatesFor(hex(contact)),
      onCell: (contact, cell) => this.#take(contact, cell),
      onMoved: (contact) => this.#tellAll(contact)
    })
    this.#news = new MailboxNews({
      ...options,
      questions: connections.questions,
      descriptorFor: (person) => this.#client.descriptorFor(person),
      onHeard: (known) => this.onRecognised(known)
    })
  }

  /** Before connections are started. */
  async start(): Promise<void> {
    await this.#service.start()
    this.#news.start()
    this.#client.start()
  }

  /** Before connections are stopped. */
  async stop(): Promise<void> {
    this.#news.stop()
    await this.#client.stop()
    await this.#service.stop()
  }

  /** A connected peer has shown which device it is. */
  onRecognised(known: KnownDevice): void {
    this.#review()
    this.#news.tell(known)
  }

  onDisconnected(): void {
    this.#news.onDisconnected()
  }

  /** A message was written to a person or came from one. */
  onMessage(peer: Uint8Array): void {
    if (this.#peers.has(hex(peer))) return
    this.#peers.add(hex(peer))
    this.#review()
  }

  /** People were followed or blocked. */
  onContactsChanged(): void {
    this.#review()
    for (const peerId of this.#options.connections.libp2p.getPeers()) {
      const known = this.#options.deviceAt(peerId)
      if (known !== undefined) this.#news.tell(known)
    }
  }

  /** Looks now for what has come. */
  fetch(): void {
    this.#client.poll().catch(this.#options.onError)
  }

  /** Contacts are told when cells are to be sealed to another key. */
  upkeep(): void {
    const served = this.#served()
    if (served.length === 0) return
    const key = hex(this.#options.crypt.keys.current())
    if (key === this.#cellKey) return
    this.#cellKey = key
    for (const person of served) this.#tellAll(person)
  }

  /** Where a device can be written to while it is away. */
  of(device: Uint8Array): MailboxContact | undefined {
    return this.contacts.of(device)
  }

  /** @returns whether a host has all of these cells */
  async put({ descriptor }: MailboxContact, seal: () => readonly Uint8Array[]): Promise<boolean> {
    return (await this.#client.put(descriptor, seal)) > 0
  }

  /** Peers that keep messages for this device, and people who can be written to while they are away. */
  places(): { hosts: string[]; people: Uint8Array[] } {
    const { contacts, hasSession, personOf, people } = this.#options
    const hosts = this.#book.all().flatMap(({ state, peer }) => (state === 'made' ? peer : []))
    const writable = contacts.devices().filter((device) => {
      const canBegin = hasSession(device) || contacts.bundleOf(device, Date.now()) !== undefined
      return canBegin && contacts.of(device) !== undefined
    })
    const found = new Map(writable.flatMap((device) => personOf(device) ?? []).map((person) => [hex(person), person]))
    found.delete(hex(people.root))
    return { hosts: [...new Set(hosts)], people: [...found.values()] }
  }

  #friendAt(peerId: PeerId): string | undefined {
    const contact = this.#options.connections.contactOf(peerId)
    return contact !== undefined && ['followed', 'self'].includes(contact.relation) ? hex(contact.key) : undefined
  }

  /** One's own third device may keep what the other two write to each other. */
  #candidatesFor(contact: string): string[] {
    const { connections, people } = this.#options
    const isForThird = contact === hex(people.root) && this.#ownDevices().length > 2
    const mayHost = (friend: string | undefined): boolean => friend !== undefined && (friend !== contact || isForThird)
    return connections.libp2p
      .getPeers()
      .filter((peerId) => mayHost(this.#friendAt(peerId)))
      .map(String)
  }

  async #take(contact: Uint8Array, cell: Uint8Array): Promise<void> {
    if (!this.#isServed(contact)) return // blocked a moment ago: what they wrote is let go
    try {
      await this.#options.onCell(cell, this.#devicesOf(contact))
    } catch (error) {
      // What is not for this device, or not from that contact, is of no use the next time either.
      if (!(error instanceof MessageError && error.code === 'CELL')) throw error
    }
  }

  #review(): void {
    this.#client.review().catch(this.#options.onError)
  }

  /** Those who are to have queues; those with whom messages were exchanged last come first. */
  #served(): Uint8Array[] {
    if (libsignalUnavailable() !== undefined) return []
    const { conversations, contacts, personOf } = this.#options
    const heard = contacts.devices().flatMap((device) => personOf(device) ?? [])
    const people = new Map([...conversations.peers(), ...heard].map((person) => [hex(person), person]))
    return [...people.values()].filter((person) => this.#isServed(person))
  }

  #isServed(person: Uint8Array): boolean {
    return ['followed', 'self'].includes(this.#options.people.contacts.get(person).relation)
  }

  #ownDevices(): KnownDevice[] {
    return this.#devicesOf(this.#options.people.root)
  }

  #devicesOf(person: Uint8Array): KnownDevice[] {
    const devices = this.#options.people.contacts.devicesOf(person)
    return devices.filter(({ revoked }) => revoked === undefined).map(({ device }) => ({ device, person }))
  }

  #tellAll(contact: Uint8Array): void {
    const own = this.#options.deviceKey()
    for (const known of this.#devicesOf(contact)) if (Buffer.compare(known.device, own) !== 0) this.#news.tell(known)
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
