// Which own devices do not know how far a message has come, as the tables say, and what they make of being told.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { migrate } from '../../src/feeds/index.ts'
import {
  type Content,
  CONVERSATION_ID_SIZE,
  Conversations,
  MESSAGE_MIGRATIONS,
  type MessageState,
  newContent,
  Outbox,
  OwnCopies,
  type Recipient,
  TRANSFER_SIZE
} from '../../src/messages/index.ts'

const key = () => new Uint8Array(randomBytes(32))
const [self, writer, pi, friend, other] = [key(), key(), key(), key(), key()]
const vault = { seal: same, open: same, derive: () => new Uint8Array(32) }
const text = () => newContent({ type: 'text', text: 'hello' })

/** The tables of one device. */
class Tables implements Disposable {
  readonly conversations: Conversations
  readonly outbox: Outbox
  readonly copies: OwnCopies
  readonly #database = new DatabaseSync(':memory:')

  constructor() {
    migrate(this.#database, 'messages', MESSAGE_MIGRATIONS)
    this.conversations = new Conversations(this.#database, vault)
    this.outbox = new Outbox(this.#database)
    this.copies = new OwnCopies(this.#database)
  }

  /** Writes a message, of which no copy is under way. @param peer @default a friend */
  write({
    device = writer,
    peer = friend,
    given = text()
  }: { device?: Uint8Array; peer?: Uint8Array; given?: Content } = {}): number {
    const message = { author: self, device, peer, timeMs: 0, content: given, state: 'queued' as const }
    return this.conversations.add(message)!
  }

  /** As for another own device. */
  copy(num: number): void {
    this.outbox.add(num, pi, randomBytes(TRANSFER_SIZE))
    this.copies.begin(pi, { writer, num })
  }

  untold(): [number, MessageState][] {
    return this.copies.untold(pi, 100).map(({ num, state }) => [num, state])
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }
}

describe('what another own device does not know of a message', () => {
  it('is noted when the state changes, or when it has the copy, and once', () => {
    using tables = new Tables()
    const { conversations, outbox, copies } = tables
    const [before, first, second] = [tables.write(), tables.write(), tables.write()]
    for (const num of [first, second]) tables.copy(num)
    for (const num of [before, first]) conversations.advance(num, 'mailed')
    assert.deepEqual(tables.untold(), [], 'it does not have the first yet, and never had the one before')
    for (const num of [first, second]) outbox.remove(num, pi)
    assert.deepEqual(tables.untold(), [[first, 'mailed']])
    for (const num of [first, second]) conversations.advance(num, 'delivered')
    conversations.advance(first, 'mailed')
    assert.deepEqual(tables.untold(), [
      [first, 'delivered'],
      [second, 'delivered']
    ])
    const news = tables.write({ given: newContent({ type: 'states', messages: [[text().id, 'read']] }) })
    outbox.add(news, pi, randomBytes(TRANSFER_SIZE))
    copies.noteTold(pi, [first, second], news)
    assert.ok(copies.isUnderWay(pi))
    assert.deepEqual(tables.untold(), [])
    outbox.remove(news, pi)
    assert.ok(!copies.isUnderWay(pi))
    assert.deepEqual(tables.untold(), [], 'what tells of messages is none itself')
  })

  it('is nothing where another device wrote it, it was erased, or the device was ended', () => {
    using tables = new Tables()
    const { conversations, outbox, copies } = tables
    const [num, erased] = [tables.write(), tables.write()]
    for (const each of [num, erased]) tables.copy(each)
    conversations.erase(erased)
    outbox.removeMessage(erased)
    conversations.advance(tables.write({ device: other }), 'delivered')
    conversations.advance(erased, 'delivered')
    assert.deepEqual(tables.untold(), [])
    outbox.remove(num, pi)
    conversations.advance(num, 'delivered')
    copies.end(pi)
    assert.deepEqual([tables.untold(), copies.devices()], [[], []])
  })
})

describe('how far a message has come, as its device says', () => {
  it('only ever goes forwards, in whatever order it is told', () => {
    using tables = new Tables()
    const { conversations } = tables
    const peer = new Uint8Array(CONVERSATION_ID_SIZE)
    const told: [MessageState, Recipient[]][] = [
      ['queued', recipients('mailed', 'queued')],
      ['queued', recipients('delivered', 'queued')],
      ['delivered', recipients('delivered', 'unreachable')],
      ['read', recipients('read', 'unreachable')]
    ]
    const order = fc.array(fc.nat({ max: 3 }), { maxLength: 8 })
    fc.assert(
      fc.property(order, (places) => {
        const num = tables.write({ device: other, peer })
        const isNews = places.map((place) => conversations.takeState({ num, peer }, ...told[place]))
        const last = Math.max(-1, ...places)
        assert.equal(conversations.get(num)!.state, last < 0 ? 'queued' : told[last][0])
        const known = conversations.recipients.of(num).map(({ person, state }) => [hex(person), state])
        const expected = last < 0 ? [] : told[last][1].map(({ person, state }) => [hex(person), state])
        assert.deepEqual(new Map(known as [string, string][]), new Map(expected as [string, string][]))
        const furthest = places.map((place, i) => place > Math.max(-1, ...places.slice(0, i)))
        assert.deepEqual(isNews, furthest)
      })
    )
  })
})

function recipients(...states: Recipient['state'][]): Recipient[] {
  return states.map((state, i) => ({ person: [friend, other][i], state }))
}

function same(bytes: Uint8Array): Uint8Array {
  return bytes
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
