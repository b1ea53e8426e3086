// All that runs on a device for private messages, put together, started and stopped: what arrives (inbox.ts), what leaves
// (dispatch.ts), and what a user may do (messages.ts).
import type { PeerId } from '@libp2p/interface'
import { FeedError, type FeedStore, migrate, type Sentence, Turn } from '../../feeds/index.ts'
import {
  ConversationBook,
  Conversations,
  deviceAddress,
  hasSession,
  libsignalUnavailable,
  isConversationId,
  MailboxContacts,
  membersOf,
  MESSAGE_MIGRATIONS,
  MessageError,
  newContent,
  Outbox,
  OwnCopies,
  Transfers,
  Wiping
} from '../../messages/index.ts'
import type { Blobs } from '../blobs/blobs.ts'
import type { Uploads } from '../blobs/uploads.ts'
import { NodeError } from '../comrade.ts'
import type { Connections } from '../connections.ts'
import type { Device } from '../device.ts'
import type { Log } from '../log.ts'
import type { People } from '../people.ts'
import type { Asker, Message as Question } from '../people-protocol.ts'
import type { Vault } from '../vault.ts'
import { Addressees } from './addressees.ts'
import { NodeAttachments } from './attachments.ts'
import { CellStreams } from './cell-streams.ts'
import type { Message } from './contract.ts'
import { ConversationIntake } from './conversation-intake.ts'
import { Crypt } from './crypt.ts'
import { Dispatch } from './dispatch.ts'
import { Expiry } from './expiry.ts'
import { Inbox } from './inbox.ts'
import { KnownDevices } from './known-devices.ts'
import { Mailboxes } from './mailboxes.ts'
import { NodeMessages } from './messages.ts'
import { SessionRepair } from './session-repair.ts'
import { StateNews } from './state-news.ts'
import { MessageWriter } from './writer.ts'

/** How often expired messages are looked for, in ms. */
const UPKEEP_MS = 30_000
/** Cells of one peer that do not open before it is held to be at fault: a key may have been replaced while they were under way. */
const MAX_BAD_CELLS = 256

export interface MessageServicesOptions {
  store: FeedStore
  vault: Vault
  people: People
  device: Device
  connections: () => Connections
  log: Log
  blobs: Blobs
  uploads: Uploads
  /** Whether the user lets friends have mailboxes here. */
  isHosting: () => boolean
  /** Whether authors are told that the user has read what they wrote. */
  isGivingReadReceipts: () => boolean
  onMessage: (message: Message) => void
  onWarning: (code: 'SESSION_RENEWED' | 'SESSION_REFUSED', sentence: Sentence) => void
}

export class MessageServices {
  readonly messages: NodeMessages
  readonly #options: MessageServicesOptions
  readonly #devices: KnownDevices
  readonly #crypt: Crypt
  readonly #repair: SessionRepair
  readonly #conversations: Conversations
  readonly #book: ConversationBook
  readonly #outbox: Outbox
  readonly #stateNews: StateNews
  readonly #transfers: Transfers
  readonly #wiping: Wiping
  readonly #expiry: Expiry
  readonly #writer: MessageWriter
  readonly #attachments: NodeAttachments
  readonly #badCells = new Map<string, number>()
  /** One for all: what is done in bulk gives way after the same time, whatever it is. */
  readonly #turn = new Turn()
  #streams!: CellStreams
  #dispatch!: Dispatch
  #inbox!: Inbox
  #mailboxes!: Mailboxes
  #upkeep: NodeJS.Timeout | undefined
  #isStarted = false

  /** @throws FeedError STORE_NEWER */
  constructor(options: MessageServicesOptions) {
    this.#options = options
    const { store, vault, people, device, connections, blobs, uploads, onMessage } = options
    this.#devices = new KnownDevices({ people, device, connections })
    migrate(store.database, 'messages', MESSAGE_MIGRATIONS)
    this.#conversations = new Conversations(store.database, vault)
    this.#book = new ConversationBook(store.database, vault)
    this.#outbox = new Outbox(store.database)
    this.#transfers = new Transfers(store.database)
    this.#wiping = new Wiping(store)
    const deviceKey = (): Uint8Array => device.key.publicKey
    this.#crypt = new Crypt({
      store,
      vault,
      deviceKey,
      turn: this.#turn,
      onAnew: (address, event) => this.#repair.onAnew(address, event === 'broken'),
      onRefused: (address) => this.#repair.onRefused(address),
      onDropped: () => this.#repair.sealAllAnew()
    })
    this.#repair = new SessionRepair({
      ...{ store, people, devices: this.#devices, outbox: this.#outbox },
      crypt: () => this.#crypt,
      dispatch: () => this.#dispatch,
      onWarning: options.onWarning,
      onError: this.#onError
    })
    const tables = {
      conversations: this.#conversations,
      book: this.#book,
      outbox: this.#outbox,
      copies: new OwnCopies(store.database)
    }
    this.#attachments = new NodeAttachments({
      ...{ blobs, uploads, conversations: this.#conversations },
      readersOf: (peer) => [people.root, ...this.#membersOf(peer)],
      onHere: (num) => this.messages.announce([num])
    })
    this.#writer = new MessageWriter({
      ...{ ...tables, store, people, deviceKey, crypt: this.#crypt, turn: this.#turn },
      onQueued: (devices) => this.#deliver(devices)
    })
    this.#stateNews = new StateNews({
      ...{ ...tables, store, deviceKey, self: people.root },
      isOwn: (each) => this.#devices.isOwn(each),
      onQueued: (devices) => this.#deliver(devices),
      onError: this.#onError
    })
    this.messages = new NodeMessages({
      ...{ ...tables, store, people, writer: this.#writer, wiping: this.#wiping, attachments: this.#attachments },
      addressees: new Addressees(people, this.#book),
      places: () => this.#mailboxes.places(),
      isGivingReadReceipts: options.isGivingReadReceipts
    })
    this.#expiry = new Expiry({
      next: () => this.#conversations.nextExpiry(),
      erase: () => this.messages.eraseExpired(),
      onError: this.#onError
    })
    this.messages.changes.on('changed', (message) => {
      if (!isConversationId(message.peer)) this.#mailboxes.onMessage(message.peer)
      if (message.expiresMs !== undefined) this.#expiry.note(message.expiresMs)
      this.#attachments.onChanged(message)
      if (this.#isStarted && people.isSelf(message.author)) this.#stateNews.note()
      onMessage(this.messages.toItem(message))
    })
  }

  /** See {@link NodeAttachments.senders}. */
  senders(): Map<string, Uint8Array> {
    return this.#attachments.senders()
  }

  /** Once there are connections, which need not be started. */
  open(): void {
    const { store, vault, people, connections } = this.#options
    const { questions, libp2p } = connections()
    const common = {
      crypt: this.#crypt,
      conversations: this.#conversations,
      outbox: this.#outbox,
      self: people.root,
      turn: this.#turn
    }
    const mailboxContacts = new MailboxContacts(store.database)
    this.#streams = new CellStreams({
      ...{ libp2p, turn: this.#turn },
      isWelcome: (peerId) => this.#devices.at(peerId) !== undefined,
      onCell: (peerId, cell) => this.#take(peerId, cell),
      onFault: (peerId) => connections().blame(peerId)
    })
    this.#dispatch = new Dispatch({
      ...common,
      ...{ store, questions, streams: this.#streams },
      peerOf: (device) => this.#devices.peerOf(device),
      personOf: (device) => this.#devices.personOf(device),
      mailboxes: {
        of: (device) => this.#mailboxes.of(device),
        put: (to, seal) => this.#mailboxes.put(to, seal),
        contacts: mailboxContacts
      },
      onMailed: (num) => this.messages.announce([num]),
      onError: this.#onError
    })
    const intake = new ConversationIntake({
      ...common,
      book: this.#book,
      devicesOf: (person) => this.#devices.of(person),
      tell: (device, content) => this.#dispatch.pass(device, content)
    })
    this.#inbox = new Inbox({
      ...{ ...common, intake },
      room: store.room,
      transfers: this.#transfers,
      mailboxContacts,
      onChanged: (nums) => this.messages.announce(nums),
      onAcknowledge: (device, id, options) => this.#dispatch.acknowledge(device, id, options),
      onProgress: (device) => this.#onProgress(device),
      onResend: (device) => this.#repair.sendAgain(device),
      onRepeated: (device) => this.#dispatch.pass(device, newContent({ type: 'resend' }))
    })
    this.#mailboxes = new Mailboxes({
      ...{
        store,
        vault,
        people,
        connections: connections(),
        conversations: this.#conversations,
        contacts: mailboxContacts
      },
      isHosting: this.#options.isHosting, // without room too: else friends would end what they have here
      crypt: this.#crypt,
      deviceKey: () => this.#options.device.key.publicKey,
      deviceAt: (peerId) => this.#devices.at(peerId),
      peerOf: (device) => this.#devices.peerOf(device),
      personOf: (device) => this.#devices.personOf(device),
      hasSession: (device) => hasSession(store.database, deviceAddress(device)),
      onCell: (cell, from) => this.#inbox.take(cell, from, { isProven: false }),
      pass: (device, content) => this.#dispatch.pass(device, content),
      onError: this.#onError
    })
    questions.answer('prekeys', (question, asker) => this.#answer(question, asker))
  }

  /** Before connections are started: peers may write as soon as they are connected. */
  async start(): Promise<void> {
    const unavailable = libsignalUnavailable()
    if (unavailable !== undefined) this.#options.log.warn(`no private messages: libsignal ${unavailable.reason.text}`)
    await this.#streams.start()
    await this.#mailboxes.start()
    this.#attachments.start()
    this.#isStarted = true
    this.#repair.start()
    this.#expiry.start()
    this.#upkeep = setInterval(() => this.#doUpkeep(), UPKEEP_MS)
    this.#upkeep.unref()
    this.onContactsChanged()
    this.#stateNews.note()
    this.#repair.askForMissing(this.#devices.all())
  }

  /** Before connections are stopped. */
  async stop(): Promise<void> {
    clearInterval(this.#upkeep)
    this.#expiry.stop()
    if (!this.#isStarted) return
    this.#isStarted = false
    this.#repair.stop()
    this.#stateNews.stop()
    this.#dispatch.stop()
    await Promise.all([this.#mailboxes.stop(), this.#streams.stop()])
  }

  /** Before the store is closed. */
  async close(): Promise<void> {
    await this.#crypt.close()
    this.#wiping.flush()
  }

  /** A connected peer has shown which device it is. */
  onRecognised(peerId: PeerId): void {
    this.#devices.lookAnew()
    const known = this.#devices.at(peerId)
    if (!this.#isStarted || known === undefined) return
    this.#writer.addRecipients() // it may be one that was not known when something was written
    this.#deliver([known.device])
    this.#repair.askForMissing([known.device])
    this.#mailboxes.onRecognised(known)
  }

  onDisconnected(peerId: PeerId): void {
    this.#devices.lookAnew()
    this.#badCells.delete(peerId.toString())
    this.#streams.forget(peerId)
    if (!this.#isStarted) return // the store may be closed
    this.#mailboxes.onDisconnected()
    for (const device of this.#outbox.devices()) {
      if (this.#devices.peerOf(device) !== undefined) continue
      this.#dispatch.rest(device)
      this.#deliver([device])
      this.#repair.askForMissing([device])
    }
  }

  /** People were followed or blocked, or have other devices. */
  onContactsChanged(): void {
    this.#devices.lookAnew()
    if (!this.#isStarted) return
    this.#removeEnded()
    this.#deliver(this.#writer.addRecipients())
    this.#mailboxes.onContactsChanged()
  }

  /** There is room on the disk again for what others send: what was left out is asked for. */
  onRoomy(): void {
    if (!this.#isStarted) return
    this.#inbox.onRoomy()
    this.#mailboxes.fetch()
  }

  /** A person was met, perhaps again: a device that came with another libsignal identity is taken with that from now on. */
  onMet(person: Uint8Array): void {
    this.#repair.onMet(person)
  }

  /** This device signs with another key from now on. */
  async onDeviceReplaced(): Promise<void> {
    await this.#crypt.renew()
  }

  /** Of a conversation of several, or with one person. */
  #membersOf(peer: Uint8Array): Uint8Array[] {
    if (!isConversationId(peer)) return [peer]
    return membersOf(this.#book.get(peer)).map((key) => new Uint8Array(Buffer.from(key, 'hex')))
  }

  #onProgress(device: Uint8Array): void {
    this.#dispatch.noteProgress(device)
    if (this.#devices.isOwn(device)) this.#stateNews.note()
  }

  #deliver(devices: readonly Uint8Array[]): void {
    if (this.#isStarted) for (const device of devices) this.#dispatch.deliver(device)
  }

  /** Devices that were ended, and those of the blocked, get nothing any more. */
  #removeEnded(): void {
    const { store, people } = this.#options
    const ended = this.#outbox.devices().filter((device) => {
      const contact = people.contactOfDevice(device)
      const isRevoked = people.contacts.deviceByKey(device)?.revoked !== undefined
      return isRevoked || contact === undefined || contact.relation === 'blocked'
    })
    if (ended.length > 0) store.write(() => ended.forEach((device) => this.#outbox.removeDevice(device)))
  }

  async #take(peerId: PeerId, cell: Uint8Array): Promise<void> {
    const from = this.#devices.at(peerId)
    if (from === undefined) return
    try {
      await this.#inbox.take(cell, [from])
    } catch (error) {
      if (error instanceof MessageError && error.code === 'CELL') this.#noteBadCell(peerId)
      else this.#onError(error)
    }
  }

  #noteBadCell(peerId: PeerId): void {
    const name = peerId.toString()
    const count = (this.#badCells.get(name) ?? 0) + 1
    this.#badCells.set(name, count)
    if (count % MAX_BAD_CELLS === 0) this.#options.connections().blame(peerId)
  }

  /** The answer to `prekeys`: for contacts whose device has shown which one it is, and nobody else. */
  async #answer({ isNew }: Question, { peerId }: Asker): Promise<Question> {
    if (libsignalUnavailable() !== undefined)
      throw new NodeError('DECLINED', 'no messages are taken: this machine has no libsignal')
    if (this.#devices.at(peerId) === undefined)
      throw new NodeError('DECLINED', 'messages are taken from contacts, from a device that has shown that it is one')
    const { sessions, keys } = await this.#crypt.open()
    return { type: 'prekeys', key: keys.current(), ...(isNew === true ? { bundle: sessions.bundle() } : {}) }
  }

  #doUpkeep(): void {
    try {
      this.#transfers.forgetOld(Date.now())
      this.#mailboxes.upkeep()
      this.#mailboxes.contacts.tidy(Date.now(), (device) => this.#devices.get(device) !== undefined)
      this.#deliver(this.#outbox.devices().filter((device) => this.#devices.peerOf(device) === undefined))
    } catch (error) {
      this.#onError(error)
    }
  }

  readonly #onError = (error: unknown): void => {
    const isLeftOut = error instanceof FeedError && error.code === 'DISK_FULL' && !this.#options.store.room.isLeft
    if (isLeftOut) return // was said when it began
    if (error instanceof MessageError && error.code === 'UNAVAILABLE') return // was said at the start
    this.#options.log.warn({ err: error }, 'private messages: something could not be done; it is tried again')
  }
}
