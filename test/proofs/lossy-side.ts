// One of two devices on a way that loses, doubles and reorders cells, and whose processes are killed between any two steps:
// the node's own delivery over its own tables, with what it leaves on the disk as all that the next process has.
import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { PeerId } from '@libp2p/interface'
import { ENDLESS_ROOM, FeedStore, migrate, sha256 } from '../../src/feeds/index.ts'
import {
  ConversationBook,
  Conversations,
  MailboxContacts,
  MESSAGE_MIGRATIONS,
  MessageError,
  newContent,
  Outbox,
  Transfers,
  TRANSFER_SIZE
} from '../../src/messages/index.ts'
import type { CellStreams } from '../../src/node/messages/cell-streams.ts'
import { ConversationIntake } from '../../src/node/messages/conversation-intake.ts'
import type { Crypt, Opened } from '../../src/node/messages/crypt.ts'
import { Dispatch } from '../../src/node/messages/dispatch.ts'
import { Inbox } from '../../src/node/messages/inbox.ts'
import type { KnownDevice } from '../../src/node/messages/known-devices.ts'
import type { PeopleProtocol } from '../../src/node/people-protocol.ts'
import { Vault } from '../../src/node/vault.ts'
import { sleep } from '../support/processes.ts'

/** Cells that one side takes at a time. */
const MAX_UNDER_WAY = 64

/** What happens on the way and to the processes, and how often. */
export interface Way {
  /** From 0 to 1. */
  random: () => number
  /** Chances of each: of a cell, and at each step of a process. */
  loss: number
  double: number
  delay: number
  kill: number
  /** What a program does wrong, to see that it is noticed: says that it is written before it is, or writes it twice. */
  mistake?: 'promises early' | 'writes again'
  /** Whether the cells that come are kept. */
  isRecorded?: boolean
  /** Steps that were taken, and processes that were killed. */
  actions: number
  kills: number
}

/** What seals for a life of a device. */
export type Sealing = (options: {
  store: FeedStore
  vault: Vault
  device: Uint8Array
  onBroken: () => void
  onRenewed: () => void
  onDropped: () => void
}) => { open: () => Promise<Opened>; close: () => Promise<void> }

class Killed extends Error {}

/** One process of a device. */
interface Life {
  isOver: boolean
  store: FeedStore
  crypt: ReturnType<Sealing>
  dispatch: Dispatch
  inbox: Inbox
}

export class LossySide implements AsyncDisposable {
  readonly known: KnownDevice
  readonly store = FeedStore.open(':memory:')
  /** What came, as it came. */
  readonly cells: Uint8Array[] = []
  /** What the user was told is written. */
  readonly promised: string[] = []
  other!: LossySide
  readonly #way: Way
  readonly #sealing: Sealing
  readonly #vault: Vault
  readonly #conversations: Conversations
  readonly #outbox: Outbox
  readonly #transfers: Transfers
  readonly #underWay = new Set<Promise<void>>()
  readonly #now: () => number
  #life!: Life
  #lives = 0

  /** @param now this device's clock */
  constructor(name: string, way: Way, sealing: Sealing, now = Date.now) {
    this.#way = way
    this.#now = now
    this.#sealing = sealing
    this.known = { device: sha256(Buffer.from(`device ${name}`)), person: sha256(Buffer.from(name)) }
    this.#vault = new Vault(sha256(Buffer.from(`vault ${name}`)))
    migrate(this.store.database, 'messages', MESSAGE_MIGRATIONS)
    this.#conversations = new Conversations(this.store.database, this.#vault)
    this.#outbox = new Outbox(this.store.database)
    this.#transfers = new Transfers(this.store.database)
  }

  /** A new process, in place of the one that was killed. */
  begin(): void {
    this.#lives += 1
    const life = { isOver: false } as Life
    this.#life = life
    const peer = this.other.known
    life.store = this.#storeOf(life)
    life.crypt = this.#sealing({
      ...{ store: life.store, vault: this.#vault, device: this.known.device },
      onBroken: () => life.dispatch.pass(peer.device, newContent({ type: 'resend' })),
      onRenewed: () => life.dispatch.sealAnew(peer.device),
      onDropped: () => life.dispatch.sealAnew(peer.device)
    })
    const { database } = this.store
    const crypt = life.crypt as Crypt
    const [conversations, outbox] = [this.#conversations, this.#outbox]
    const mailboxContacts = new MailboxContacts(database)
    const common = { crypt, conversations, outbox, mailboxContacts, self: this.known.person }
    const peerId = this.#lives as unknown as PeerId
    life.dispatch = new Dispatch({
      ...{ ...common, store: life.store, firstRetryMs: 20, lastRetryMs: 80, awayMs: 1e6 },
      streams: { send: (_: PeerId, cells: Uint8Array[]) => this.#send(life, cells) } as unknown as CellStreams,
      questions: { ask: () => this.other.prekeys() } as unknown as PeopleProtocol,
      peerOf: () => ({ peerId, person: peer.person }),
      personOf: () => peer.person,
      mailboxes: { of: () => undefined, put: async () => false, contacts: mailboxContacts },
      onMailed: () => {},
      onError: (error) => {
        throw error
      }
    })
    life.inbox = new Inbox({
      ...{ ...common, transfers: this.#transfers, room: ENDLESS_ROOM, now: this.#now },
      intake: new ConversationIntake({
        ...{ ...common, book: new ConversationBook(database, this.#vault) },
        ...{ devicesOf: () => [], tell: () => {} }
      }),
      onChanged: () => {},
      onAcknowledge: (device, id, options) => !life.isOver && life.dispatch.acknowledge(device, id, options),
      onProgress: (device) => !life.isOver && life.dispatch.noteProgress(device),
      onResend: (device) => !life.isOver && life.dispatch.sealAnew(device),
      onRepeated: (device) => !life.isOver && life.dispatch.pass(device, newContent({ type: 'resend' }))
    })
    life.dispatch.deliver(peer.device)
  }

  get isDead(): boolean {
    return this.#life.isOver
  }

  /** How much is to be delivered. */
  get waiting(): number {
    return this.#outbox.countUpTo(this.other.known.device, Number.MAX_SAFE_INTEGER)
  }

  /** What the user of a life writes. A text that was promised is delivered; another may be. */
  write(text: string): void {
    const { mistake } = this.#way
    if (mistake === 'promises early') this.promised.push(text)
    this.#survive(() => this.#write(text))
    if (mistake === 'writes again' && this.isDead) {
      this.begin()
      this.#survive(() => this.#write(text))
    }
  }

  #write(text: string): void {
    const { device, person } = this.known
    const peer = this.other.known
    const prev = this.#conversations.lastOf(device, peer.person)
    const content = newContent({ type: 'text', text, ...(prev === undefined ? {} : { prev }) }, { at: this.#now() })
    this.#life.store.write(
      () => {
        const about = { author: person, device, peer: peer.person, timeMs: content.at }
        const num = this.#conversations.add({ ...about, content, state: 'queued' })!
        this.#outbox.add(num, peer.device, randomBytes(TRANSFER_SIZE))
      },
      { isDurable: true }
    )
    this.promised.push(text)
    this.#life.dispatch.deliver(peer.device)
  }

  /** Something seems to be missing although all has come. */
  get hasGaps(): boolean {
    return this.#conversations.list().some(({ isAfterGap }) => isAfterGap)
  }

  /** Texts that this device shows, of one of the two, oldest first. */
  texts(of: LossySide): string[] {
    const messages = this.#conversations.list().filter(({ author }) => Buffer.compare(author, of.known.person) === 0)
    return messages.map(({ content }) => String(content?.text)).toReversed()
  }

  /** Erases what the other side wrote, here. */
  erase(text: string): void {
    const { num } = this.#conversations.list().find(({ content }) => content?.text === text)!
    this.store.write(() => this.#conversations.erase(num))
  }

  /** What a node does now and then: forgets what is too old to come again. */
  async doUpkeep(): Promise<void> {
    this.#transfers.forgetOld(this.#now())
    const { keys } = await this.#life.crypt.open()
    keys.current()
  }

  /** Waits until what came was dealt with. */
  async settle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  async prekeys(): Promise<object> {
    const { sessions, keys } = await this.#life.crypt.open()
    return { type: 'prekeys', key: keys.current(), bundle: sessions.bundle() }
  }

  /** A step of a process: it may be its last. @throws Killed */
  #step(life: Life): void {
    if (life.isOver) throw new Killed('this process has ended')
    this.#way.actions += 1
    if (this.#way.random() >= this.#way.kill) return
    this.#way.kills += 1
    this.#end(life)
    throw new Killed('killed')
  }

  #end(life: Life): void {
    life.isOver = true
    life.dispatch.stop()
    void life.crypt.close().catch(() => {}) // only its timers: nothing that it writes is kept
  }

  /** Being killed is no fault. */
  #survive(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof Killed)) throw error
    }
  }

  /** The store as a process has it, which may end before, within and after each transaction. */
  #storeOf(life: Life): FeedStore {
    const { store } = this
    const write: FeedStore['write'] = (work, options) => {
      if (store.database.isTransaction) return store.write(work, options)
      this.#step(life)
      const result = store.write(() => {
        const done = work()
        this.#step(life)
        return done
      }, options)
      this.#step(life)
      return result
    }
    return new Proxy(store, {
      get: (_, name) => (name === 'write' ? write : (Reflect.get(store, name, store) as unknown))
    })
  }

  async #send(life: Life, cells: readonly Uint8Array[]): Promise<void> {
    const { random, loss, double, delay } = this.#way
    for (const cell of cells) {
      this.#step(life)
      await this.other.hasRoom()
      const copies = random() < loss ? 0 : random() < double ? 2 : 1
      for (let i = 0; i < copies; i++) void this.#carry(cell, random() < delay ? random() * 10 : 0)
    }
    this.#step(life)
  }

  async #carry(cell: Uint8Array, delayMs: number): Promise<void> {
    if (delayMs > 0) await sleep(delayMs)
    this.other.receive(cell)
  }

  /** As a stream does it: who sends faster than the other side opens waits for it. */
  async hasRoom(): Promise<void> {
    while (this.#underWay.size >= MAX_UNDER_WAY) await Promise.race(this.#underWay)
  }

  receive(cell: Uint8Array): void {
    if (this.#way.isRecorded) this.cells.push(cell)
    const taking = this.#take(this.#life, cell).catch((error: unknown) => {
      if (!(error instanceof MessageError || error instanceof Killed)) throw error
    })
    this.#underWay.add(taking)
    void taking.finally(() => this.#underWay.delete(taking))
  }

  async #take(life: Life, cell: Uint8Array): Promise<void> {
    this.#step(life)
    await life.inbox.take(cell, [this.other.known])
    this.#step(life)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#life.isOver) this.#end(this.#life)
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
    await setImmediate()
    this.store.close()
  }
}
