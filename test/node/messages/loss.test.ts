// Two devices and a way between them that loses, doubles and reorders cells, and on which both are started anew again and
// again: each message is shown once.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import { FeedStore, migrate, sha256 } from '../../../src/feeds/index.ts'
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
} from '../../../src/messages/index.ts'
import type { CellStreams } from '../../../src/node/messages/cell-streams.ts'
import { Crypt } from '../../../src/node/messages/crypt.ts'
import { Dispatch } from '../../../src/node/messages/dispatch.ts'
import { Inbox } from '../../../src/node/messages/inbox.ts'
import type { KnownDevice } from '../../../src/node/messages/known-device.ts'
import type { PeopleProtocol } from '../../../src/node/people-protocol.ts'
import { ConversationIntake } from '../../../src/node/messages/conversation-intake.ts'
import { Vault } from '../../../src/node/vault.ts'
import { sleep, until } from '../../support/processes.ts'

/** Cells that one side takes at a time. */
const MAX_UNDER_WAY = 64

/** From 0 to 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Where cells wait before they come. */
interface Way {
  random: () => number
  isLossy: boolean
}

class Side {
  readonly known: KnownDevice
  readonly store = FeedStore.open(':memory:')
  other!: Side
  cells = 0
  #starts = 0
  readonly #way: Way
  readonly #vault: Vault
  #crypt!: Crypt
  #conversations!: Conversations
  #outbox!: Outbox
  #dispatch!: Dispatch
  #inbox!: Inbox
  readonly #underWay = new Set<Promise<void>>()

  constructor(name: string, way: Way) {
    this.#way = way
    this.known = { device: sha256(Buffer.from(`device ${name}`)), person: sha256(Buffer.from(name)) }
    this.#vault = new Vault(sha256(Buffer.from(`vault ${name}`)))
    migrate(this.store.database, 'messages', MESSAGE_MIGRATIONS)
  }

  /** As in a new process: of what is in memory nothing is left. */
  begin(): void {
    this.#starts += 1
    const { store } = this
    const deviceKey = (): Uint8Array => this.known.device
    const dispatch = (): Dispatch => this.#dispatch
    this.#crypt = new Crypt({
      ...{ store, deviceKey, vault: this.#vault },
      onAnew: (_, event) =>
        event === 'broken'
          ? dispatch().pass(this.other.known.device, newContent({ type: 'resend' }))
          : dispatch().sealAnew(this.other.known.device),
      onDropped: () => dispatch().sealAnew(this.other.known.device)
    })
    const mailboxContacts = new MailboxContacts(store.database)
    this.#conversations = new Conversations(store.database, this.#vault)
    this.#outbox = new Outbox(store.database)
    const common = {
      crypt: this.#crypt,
      conversations: this.#conversations,
      outbox: this.#outbox,
      self: this.known.person
    }
    this.#dispatch = new Dispatch({
      // Every other attempt fails here: whoever waited twice as long each time would now and then wait for minutes.
      ...{ ...common, store, firstRetryMs: 100, lastRetryMs: 800, awayMs: 1e6 },
      streams: { send: (_: PeerId, cells: readonly Uint8Array[]) => this.#send(cells) } as unknown as CellStreams,
      questions: {
        ask: (_: PeerId, { isNew }: { isNew: boolean }) => this.other.prekeys(isNew)
      } as unknown as PeopleProtocol,
      peerOf: () => ({ peerId: this.#starts as unknown as PeerId, person: this.other.known.person }),
      personOf: () => this.other.known.person,
      mailboxes: { of: () => undefined, put: async () => false, contacts: mailboxContacts },
      onMailed: () => {},
      onError: (error) => {
        throw error
      }
    })
    this.#inbox = new Inbox({
      ...{ ...common, mailboxContacts, transfers: new Transfers(store.database) },
      intake: new ConversationIntake({
        ...{ ...common, book: new ConversationBook(store.database, this.#vault) },
        ...{ devicesOf: () => [], tell: () => {} }
      }),
      onChanged: () => {},
      onAcknowledge: (device, id) => dispatch().acknowledge(device, id),
      onProgress: (device) => dispatch().noteProgress(device),
      onResend: (device) => dispatch().sealAnew(device)
    })
    this.#dispatch.deliver(this.other.known.device)
  }

  async end(): Promise<void> {
    this.#dispatch.stop()
    await this.#crypt.close()
    await Promise.allSettled(this.#underWay)
  }

  write(text: string): void {
    const { device, person } = this.known
    const prev = this.#conversations.lastOf(device, this.other.known.person)
    const content = newContent({ type: 'text', text, ...(prev === undefined ? {} : { prev }) })
    this.store.write(() => {
      const about = { author: person, device, peer: this.other.known.person, timeMs: content.at }
      const num = this.#conversations.add({ ...about, content, state: 'queued' })!
      this.#outbox.add(num, this.other.known.device, randomBytes(TRANSFER_SIZE))
    })
    this.#dispatch.deliver(this.other.known.device)
  }

  /** Texts of the other side. */
  texts(): unknown[] {
    const messages = this.#conversations
      .list()
      .filter(({ author }) => Buffer.compare(author, this.other.known.person) === 0)
    return messages.map(({ content }) => content?.text).toReversed()
  }

  get isDelivered(): boolean {
    return this.#conversations.undelivered(this.known.device).length === 0
  }

  get hasGaps(): boolean {
    return this.#conversations.list().some(({ isAfterGap }) => isAfterGap)
  }

  async prekeys(isNew: boolean): Promise<object> {
    const { sessions, keys } = await this.#crypt.open()
    return { type: 'prekeys', key: keys.current(), ...(isNew ? { bundle: sessions.bundle() } : {}) }
  }

  async #send(cells: readonly Uint8Array[]): Promise<void> {
    const { random, isLossy } = this.#way
    for (const cell of cells) {
      await this.other.hasRoom()
      this.cells += 1
      const copies = !isLossy ? 1 : random() < 0.15 ? 0 : random() < 0.15 ? 2 : 1
      for (let i = 0; i < copies; i++) void this.#carry(cell, isLossy && random() < 0.2 ? random() * 30 : 0)
    }
  }

  async #carry(cell: Uint8Array, delayMs: number): Promise<void> {
    if (delayMs > 0) await sleep(delayMs)
    this.other.receive(cell, this.known)
  }

  /** As a stream does it: who sends faster than the other side opens waits for it. */
  async hasRoom(): Promise<void> {
    while (this.#underWay.size >= MAX_UNDER_WAY) await Promise.race(this.#underWay)
  }

  receive(cell: Uint8Array, from: KnownDevice): void {
    const taking = this.#inbox.take(cell, [from]).catch((error: unknown) => {
      if (!(error instanceof MessageError)) throw error // CELL, or CLOSED as in a process that ended
    })
    this.#underWay.add(taking)
    void taking.finally(() => this.#underWay.delete(taking))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
    this.store.close()
  }
}

describe('messages on a way that loses, doubles and reorders cells', function () {
  this.timeout(120_000)

  for (const seed of [1, 2, 3]) {
    it(`are each shown once, though both sides are started anew (seed ${seed})`, async () => {
      const way = { random: randomOf(seed), isLossy: true }
      await using alice = new Side('alice', way)
      await using bob = new Side('bob', way)
      ;[alice.other, bob.other] = [bob, alice]
      for (const side of [alice, bob]) side.begin()
      const written = new Map<Side, string[]>([
        [alice, []],
        [bob, []]
      ])
      for (let i = 0; i < 300; i++) {
        const side = way.random() < 0.5 ? alice : bob
        written.get(side)!.push(`text ${i}`)
        side.write(`text ${i}`)
        if (way.random() < 0.3) await sleep(way.random() * 10)
        if (way.random() < 0.03) {
          const restarted = way.random() < 0.5 ? alice : bob
          await restarted.end()
          restarted.begin()
          await sleep(20)
        }
      }
      const isDone = (): boolean => alice.isDelivered && bob.isDelivered
      await until(isDone, 'all is delivered', 60_000)
      assert.deepEqual(new Set(alice.texts()), new Set(written.get(bob)))
      assert.deepEqual(new Set(bob.texts()), new Set(written.get(alice)))
      assert.deepEqual(
        [alice.texts().length, bob.texts().length],
        [written.get(bob)!.length, written.get(alice)!.length]
      )
      assert.ok(!alice.hasGaps && !bob.hasGaps)
      assert.ok(alice.cells + bob.cells > 4 * 300, 'some were sent again')
    })
  }
})
