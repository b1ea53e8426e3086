import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'mocha'
import { blindFeeds, FeedError, messageStreamPair, Reconciliation, sessionSalt } from '../../../src/feeds/index.ts'
import { GroupError, type Hex, fromHex } from '../../../src/groups/index.ts'
import * as message from '../../../src/node/groups/group-messages.ts'
import { KIND } from '../../../src/node/groups/group-messages.ts'
import { GroupSession, type GroupSessionOptions, MAX_CREDIT } from '../../../src/node/groups/group-session.ts'
import { until } from '../../support/feeds.ts'
import { candidacyOf, chainOf, connect, foundingOf, Holder, idOf, same } from './replicas.ts'

const FOUNDING = foundingOf('portland')
const GROUP = idOf(FOUNDING)
const CHAIN = chainOf(GROUP, 'x', 20)

/** A peer that speaks the protocol's bytes and keeps none of its rules. */
class Stranger {
  readonly frames: Uint8Array[] = []
  /** What the session ended with: 'closed', or its error. */
  outcome: unknown
  isCut = false
  readonly session: GroupSession
  readonly #stream
  readonly #nonce = new Uint8Array(16).fill(3)
  #salt: Uint8Array = new Uint8Array()
  #isReading = true

  constructor(holder: Holder, options: Partial<GroupSessionOptions> = {}) {
    const [ours, theirs] = messageStreamPair()
    this.#stream = ours
    this.session = new GroupSession(holder, theirs, { isInitiator: false, claims: holder.claims, ...options })
    this.session.run().then(
      () => (this.outcome = 'closed'),
      (error: unknown) => (this.outcome = error)
    )
    void this.#read()
  }

  async hello(): Promise<void> {
    await this.send(message.encodeHello(this.#nonce))
    await until(() => this.frames.length > 0, 'a hello')
    this.#salt = sessionSalt(this.#nonce, message.decodeHello(this.frames[0]))
  }

  /** Has said hello, and holds these groups with these many operations, if it is to be believed. */
  static async live(
    holder: Holder,
    { size = 1, ...options }: Partial<GroupSessionOptions> & { size?: number } = {}
  ): Promise<Stranger> {
    const stranger = new Stranger(holder, options)
    await stranger.hello()
    const mine = new Reconciliation([{ id: stranger.id(), height: size, head: new Uint8Array(8).fill(9) }])
    await stranger.send(message.encodeGroups(mine.open()))
    await until(() => stranger.of(KIND.groups).length > 0, 'a reply')
    for (const frame of stranger.of(KIND.groups))
      for (const reply of mine.receive(frame.subarray(1))) await stranger.send(message.encodeGroups(reply))
    await stranger.quiet()
    return stranger
  }

  id(group: Hex = GROUP): Uint8Array {
    return blindFeeds(this.#salt, [fromHex(group)])[0]
  }

  async send(frame: Uint8Array): Promise<void> {
    await this.#stream.send(frame).catch(() => {}) // the session may have ended: outcome tells
  }

  operations(...operations: Uint8Array[]): Promise<void> {
    return this.send(message.encodeOperations(this.id(), operations))
  }

  compare(round: number, bytes = new Reconciliation([]).open()): Promise<void> {
    return this.send(message.encodeCompare({ id: this.id(), round, message: bytes }))
  }

  state(size: number): Promise<void> {
    return this.send(message.encodeState({ id: this.id(), size, fingerprint: new Uint8Array(8).fill(1) }))
  }

  of(kind: number): Uint8Array[] {
    return this.frames.filter((frame) => frame[0] === kind)
  }

  /** Waits until nothing more comes. */
  async quiet(): Promise<void> {
    for (let before = -1; before !== this.frames.length;) {
      before = this.frames.length
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  stopReading(): void {
    this.#isReading = false
  }

  async ends(code: string): Promise<void> {
    await until(() => this.outcome !== undefined, `the session ends with ${code}`, 10_000)
    assert.ok(this.outcome instanceof FeedError || this.outcome instanceof GroupError, String(this.outcome))
    assert.equal(this.outcome.code, code, this.outcome.message)
    if (this.#isReading) await until(() => this.isCut, 'the stream is gone')
  }

  async leave(): Promise<void> {
    await this.#stream.close()
    await until(() => this.outcome !== undefined, 'the session ends')
  }

  async #read(): Promise<void> {
    try {
      for await (const frame of this.#stream.receive()) {
        this.frames.push(Uint8Array.from(frame))
        if (!this.#isReading) await until(() => this.outcome !== undefined, 'the session ends', 30_000)
      }
    } catch {
      // the session cut the stream
    }
    this.isCut = true
  }
}

function holding(...operations: Uint8Array[]): Holder {
  const holder = new Holder('alice')
  holder.hold(FOUNDING, operations)
  return holder
}

describe('a group session with a hostile peer', function () {
  this.timeout(60_000)

  describe('ends its stream, and nothing else, when', () => {
    const other = foundingOf('lisbon')
    const early: [string, string, (peer: Stranger) => Promise<void>][] = [
      ['something comes before the hello', 'FRAME_FORMAT', (peer) => peer.send(message.encodeDrop(randomBytes(12)))],
      ['a hello is cut short', 'FRAME_FORMAT', (peer) => peer.send(Uint8Array.of(0, 1, 9))],
      ['a hello is too long', 'FRAME_FORMAT', (peer) => peer.send(new Uint8Array(19).fill(1).fill(0, 0, 1))],
      ['a hello is of another version', 'FRAME_FORMAT', (peer) => peer.send(Uint8Array.of(0, 2, ...randomBytes(16)))],
      ['the hello never comes', 'TIMEOUT', async () => {}]
    ]
    for (const [what, code, act] of early)
      it(what, async () => {
        using alice = holding(...CHAIN)
        using bob = new Holder('bob')
        const peer = new Stranger(alice, { progressTimeoutMs: 300 })
        await act(peer)
        await peer.ends(code)
        bob.open(GROUP)
        const link = connect(alice, bob)
        await same(GROUP, alice, bob)
        await link.close()
      })

    const cases: [string, string, (peer: Stranger) => Promise<void>][] = [
      [
        'groups are compared again',
        'FRAME_FORMAT',
        (peer) => peer.send(message.encodeGroups(new Reconciliation([]).open()))
      ],
      [
        'a comparison has no message',
        'FRAME_FORMAT',
        (peer) => peer.send(Uint8Array.of(KIND.compare, ...peer.id(), 0, 0, 0, 1))
      ],
      ['a comparison is no reconciliation', 'FRAME_FORMAT', (peer) => peer.compare(1, Uint8Array.of(0xff, 1, 2))],
      [
        'a comparison counts items that are not there',
        'FRAME_FORMAT',
        (peer) => peer.compare(1, Uint8Array.of(0xc0, 0xff, 0xff, 3))
      ],
      [
        'logs are compared again and again',
        'FRAME_FORMAT',
        async (peer) => {
          for (let round = 1; round < 30; round++) await peer.compare(round)
        }
      ],
      [
        'a comparison is not gone on with',
        'TIMEOUT',
        (peer) => peer.compare(1, Uint8Array.of(0x80, 30, ...randomBytes(8)))
      ],
      [
        'operations are cut short',
        'FRAME_FORMAT',
        (peer) => peer.send(message.encodeOperations(peer.id(), CHAIN).subarray(0, -1))
      ],
      ['operations are none', 'FRAME_FORMAT', (peer) => peer.send(message.encodeOperations(peer.id(), []))],
      ['an operation is empty', 'FRAME_FORMAT', (peer) => peer.operations(new Uint8Array())],
      ['an operation is larger than any', 'FRAME_FORMAT', (peer) => peer.operations(new Uint8Array(65_537))],
      [
        'an operation says that it has 4 GiB',
        'FRAME_FORMAT',
        (peer) => peer.send(Uint8Array.of(KIND.operations, ...peer.id(), 255, 255, 255, 255, 1))
      ],
      [
        'there are more operations than a frame has',
        'FRAME_FORMAT',
        (peer) => peer.operations(...Array.from({ length: 1_025 }, () => Uint8Array.of(1)))
      ],
      ['an operation is junk', 'OPERATION', (peer) => peer.operations(new Uint8Array(200).fill(7))],
      [
        'an operation was changed',
        'SIGNATURE',
        (peer) => {
          const changed = Uint8Array.from(candidacyOf(GROUP, 'y', [GROUP]))
          changed[changed.length - 1] ^= 1
          return peer.operations(changed)
        }
      ],
      ['an operation belongs to another group', 'GROUP', (peer) => peer.operations(...chainOf(idOf(other), 'x', 1))],
      ['the founding is that of another group', 'GROUP', (peer) => peer.operations(other)],
      ['a state is cut short', 'FRAME_FORMAT', (peer) => peer.send(Uint8Array.of(KIND.state, ...peer.id()))],
      ['a drop is too long', 'FRAME_FORMAT', (peer) => peer.send(Uint8Array.of(KIND.drop, ...peer.id(), 1))],
      ['a credit is cut short', 'FRAME_FORMAT', (peer) => peer.send(Uint8Array.of(KIND.credit, 1))]
    ]
    for (const [what, code, act] of cases)
      it(what, async () => {
        using alice = holding(...CHAIN)
        const before = alice.group(GROUP).events.listenerCount('placed')
        const peer = await Stranger.live(alice, { progressTimeoutMs: 500 })
        await act(peer)
        await peer.ends(code)
        assert.equal(alice.group(GROUP).size, 21)
        assert.equal(alice.group(GROUP).events.listenerCount('placed'), before, 'nothing is left of the session')
        assert.equal(alice.events.listenerCount('added'), 0)
      })
  })

  it('passes over what it does not know: kinds, groups, rounds that are over', async () => {
    using alice = holding(...CHAIN)
    const peer = await Stranger.live(alice)
    const before = peer.frames.length
    for (let i = 0; i < 2_000; i++) await peer.send(Uint8Array.of(200, 1, 2, 3))
    const unknown = peer.id('00'.repeat(32))
    await peer.send(message.encodeState({ id: unknown, size: 7, fingerprint: new Uint8Array(8) }))
    await peer.send(message.encodeDrop(unknown))
    await peer.send(message.encodeCompare({ id: unknown, round: 1, message: new Reconciliation([]).open() }))
    await peer.compare(1)
    await peer.quiet()
    assert.equal(peer.frames.length, before, 'a round that was begun with another group is over')
    await peer.send(message.encodeOperations(unknown, CHAIN))
    await peer.quiet()
    assert.deepEqual(peer.of(KIND.credit).length, 1)
    assert.equal(peer.outcome, undefined)
    await peer.leave()
    assert.equal(peer.outcome, 'closed')
  })

  it('believes no counts: who claims millions, and brings nothing, keeps nobody else from it', async () => {
    using alice = new Holder('alice')
    using bob = new Holder('bob')
    alice.open(GROUP)
    bob.hold(FOUNDING, CHAIN)
    const liars = await Promise.all([1, 2, 3].map(() => Stranger.live(alice, { size: 4_000_000_000 })))
    for (const liar of liars) await liar.compare(1)
    const link = connect(alice, bob)
    await same(GROUP, alice, bob)
    await link.close()
    for (const liar of liars) await liar.leave()
  })

  it('is sent no more than it takes in', async () => {
    using alice = holding(...chainOf(GROUP, 'much', 3_000))
    const peer = await Stranger.live(alice)
    await peer.compare(1)
    await peer.quiet()
    const mine = new Reconciliation([])
    mine.open()
    for (const frame of peer.of(KIND.compare))
      for (const reply of mine.receive(message.decodeCompare(frame).message)) await peer.compare(1, reply)
    await peer.quiet()
    const sent = (): number => peer.of(KIND.operations).reduce((sum, frame) => sum + frame.length, 0)
    assert.ok(sent() >= MAX_CREDIT && sent() < MAX_CREDIT + 70_000, `${sent()} bytes`)
    for (let i = 0; i < 5; i++) await peer.send(message.encodeCredit(0xffff_ffff))
    await peer.quiet()
    assert.ok(sent() < 7 * (MAX_CREDIT + 70_000), `${sent()} bytes`)
    await peer.leave()
  })

  it('sends short frames without end to nobody who reads none', async () => {
    using alice = holding(...CHAIN)
    const peer = await Stranger.live(alice)
    peer.stopReading()
    const [state, drop] = [
      message.encodeState({ id: peer.id(), size: 1, fingerprint: new Uint8Array(8) }),
      message.encodeDrop(peer.id())
    ]
    for (let i = 0; i < 300_000 && peer.outcome === undefined; i++) {
      await peer.send(drop)
      await peer.send(state)
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await peer.ends('TIMEOUT')
  })

  it('keeps a bounded number of operations whose parents never come, and takes in others', async () => {
    using alice = holding()
    using bob = new Holder('bob')
    const peer = await Stranger.live(alice, { compareIntervalMs: 60_000 })
    for (let i = 0; i < 50; i++)
      await peer.operations(
        ...Array.from({ length: 40 }, (_, j) => candidacyOf(GROUP, `${i} ${j}`, [idOf(randomBytes(8))]))
      )
    await peer.quiet()
    assert.equal(alice.group(GROUP).size, 1)
    assert.ok(peer.of(KIND.state).length <= 1, 'and asks no more than once in a while for what is missing')
    bob.hold(FOUNDING, CHAIN)
    const link = connect(alice, bob)
    await same(GROUP, alice, bob)
    await link.close()
    await peer.leave()
  })

  it('takes a flood of what it has already without growing, and is quiet about it', async () => {
    using alice = holding(...CHAIN)
    const peer = await Stranger.live(alice)
    for (let i = 0; i < 300; i++) await peer.operations(...CHAIN)
    await peer.quiet()
    assert.equal(alice.group(GROUP).size, 21)
    assert.equal(peer.of(KIND.operations).length, 0)
    await peer.leave()
  })
})
