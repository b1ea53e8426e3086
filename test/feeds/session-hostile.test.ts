import assert from 'node:assert/strict'
import { zstdCompressSync } from 'node:zlib'
import { FeedError } from '../../src/feeds/errors.ts'
import { decodeForkProof, encodeForkProof, proveFork } from '../../src/feeds/fork.ts'
import { type CheckedRun, headersOf, idAt } from '../../src/feeds/run.ts'
import type { SigningKey } from '../../src/feeds/signature.ts'
import type { FeedStore } from '../../src/feeds/store/store.ts'
import { blindFeeds, sessionSalt } from '../../src/feeds/sync/blind.ts'
import { FeedClaims } from '../../src/feeds/sync/feed-claims.ts'
import { messageStreamPair } from '../../src/feeds/sync/message-stream.ts'
import * as message from '../../src/feeds/sync/messages.ts'
import { KIND } from '../../src/feeds/sync/messages.ts'
import { Reconciliation } from '../../src/feeds/sync/reconcile.ts'
import { MAX_QUEUED_WANTS } from '../../src/feeds/sync/run-sender.ts'
import { type SyncOptions, SyncSession } from '../../src/feeds/sync/session.ts'
import { Author, connect, contentsOf, keyOf, temporaryStore, texts, until, want } from '../support/feeds.ts'

const EPOCH = new Uint8Array(8).fill(7)
const HEAD = new Uint8Array(8).fill(9)

/** A peer that speaks the protocol's bytes and keeps none of its rules. */
class Stranger {
  readonly frames: Uint8Array[] = []
  /** What the session ended with: 'closed', or its error. */
  outcome: unknown
  isCut = false
  readonly session: SyncSession
  readonly #stream
  #salt: Uint8Array = new Uint8Array()
  readonly #nonce = new Uint8Array(16).fill(3)

  constructor(store: FeedStore, options: Partial<SyncOptions> = {}) {
    const [ours, theirs] = messageStreamPair()
    this.#stream = ours
    this.session = new SyncSession(store, theirs, {
      peer: 'stranger',
      isInitiator: false,
      claims: new FeedClaims(),
      ...options
    })
    this.session.run().then(
      () => (this.outcome = 'closed'),
      (error: unknown) => (this.outcome = error)
    )
    void this.#read()
  }

  /** A stranger that has said hello and shares nothing yet. */
  static async live(store: FeedStore, options: Partial<SyncOptions> = {}): Promise<Stranger> {
    const stranger = new Stranger(store, options)
    await stranger.hello()
    await stranger.reconcile()
    return stranger
  }

  async hello(hello: Partial<message.Hello> = {}): Promise<void> {
    await this.send(message.encodeHello({ takesPacked: false, nonce: this.#nonce, epoch: EPOCH, counter: 0, ...hello }))
    await until(() => this.frames.length > 0 || this.outcome !== undefined, 'a hello')
    if (this.frames.length > 0) this.#salt = sessionSalt(this.#nonce, message.decodeHello(this.frames[0]).nonce)
  }

  async reconcile(): Promise<void> {
    const mine = new Reconciliation([])
    await this.send(message.encodeReconcile(mine.open()))
    await until(() => this.of(KIND.reconcile).length > 0, 'a reply')
    for (const frame of this.of(KIND.reconcile))
      for (const reply of mine.receive(frame.subarray(1))) await this.send(message.encodeReconcile(reply))
  }

  idOf(key: SigningKey): Uint8Array {
    return blindFeeds(this.#salt, [key.publicKey])[0]
  }

  async send(frame: Uint8Array): Promise<void> {
    await this.#stream.send(frame).catch(() => {}) // the session may have ended: outcome tells
  }

  sendRuns(...runs: CheckedRun[]): Promise<void> {
    const parts = runs.flatMap((run) => message.encodeRun(blindFeeds(this.#salt, [run.feed])[0], run))
    return this.send(message.encodeRuns(parts))
  }

  have(key: SigningKey, height: number, head = HEAD): Promise<void> {
    return this.send(message.encodeHave(0, [{ id: this.idOf(key), height, head }]))
  }

  of(kind: number): Uint8Array[] {
    return this.frames.filter((frame) => frame[0] === kind)
  }

  /** Frames of this kind that came, once nothing more comes. */
  async quiet(kind: number): Promise<number> {
    for (let before = -1; before !== this.frames.length;) {
      before = this.frames.length
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
    }
    return this.of(kind).length
  }

  async ends(code: string): Promise<void> {
    await until(() => this.outcome !== undefined, `the session ends with ${code}`)
    assert.ok(this.outcome instanceof FeedError, String(this.outcome))
    assert.equal(this.outcome.code, code)
    await until(() => this.isCut, 'the stream is gone')
  }

  async leave(): Promise<void> {
    await this.#stream.close()
    await until(() => this.outcome !== undefined, 'the session ends')
  }

  async #read(): Promise<void> {
    try {
      for await (const frame of this.#stream.receive()) this.frames.push(Uint8Array.from(frame))
    } catch {
      // the session cut the stream
    }
    this.isCut = true
  }
}

function holding(author: Author, ...runs: CheckedRun[]) {
  const held = temporaryStore()
  want(held.store, author.key)
  held.store.ingest(runs)
  return held
}

function forkOf(name: string): { proof: Uint8Array; key: SigningKey; common: CheckedRun[]; other: CheckedRun[] } {
  const author = new Author(name)
  const common = author.post('a', 'b')
  const clone = author.clone()
  const [one, other] = [author.post('c'), clone.post('d')]
  const branch = (run: CheckedRun) => ({ headers: headersOf(run, 3), signature: run.signature })
  return {
    proof: encodeForkProof(proveFork(author.key.publicKey, branch(one[0]), branch(other[0]))),
    key: author.key,
    common: [...common, ...one],
    other
  }
}

describe('a session with a hostile peer', () => {
  describe('ends its stream, and nothing else, when', () => {
    const cases: [string, string, (peer: Stranger, author: Author) => Promise<void>][] = [
      ['a want comes before the hello', 'FRAME_FORMAT', (peer) => peer.send(message.encodeWant([]))],
      ['a hello is cut short', 'FRAME_FORMAT', (peer) => peer.send(Uint8Array.of(0, 1, 0, 9))],
      [
        'a hello is of another version',
        'FRAME_FORMAT',
        (peer) => peer.send(Buffer.concat([Uint8Array.of(0, 2, 0), new Uint8Array(30)]))
      ],
      ['bytes make no sense', 'FRAME_FORMAT', (peer) => peer.send(Buffer.alloc(999, 0xff))]
    ]
    for (const [name, code, act] of cases) {
      it(name, async () => {
        const author = new Author('carol')
        using held = holding(author)
        const peer = new Stranger(held.store)
        await act(peer, author)
        await peer.ends(code)
      })
    }

    const live: [string, string, (peer: Stranger, author: Author) => Promise<void>][] = [
      [
        'reconciliation goes on after its end',
        'FRAME_FORMAT',
        (peer) => peer.send(message.encodeReconcile(new Reconciliation([]).open()))
      ],
      [
        'a want is longer than is allowed',
        'FRAME_FORMAT',
        (peer, { key }) =>
          peer.send(
            message.encodeWant(
              Array.from({ length: MAX_QUEUED_WANTS + 9 }, () => ({
                id: peer.idOf(key),
                from: 1,
                to: 9,
                isDown: false
              }))
            )
          )
      ],
      [
        'a want goes backwards',
        'FRAME_FORMAT',
        (peer, { key }) => peer.send(message.encodeWant([{ id: peer.idOf(key), from: 9, to: 1, isDown: false }]))
      ],
      [
        'a run is not signed by its feed',
        'SIGNATURE_INVALID',
        (peer, { key }) => peer.sendRuns({ ...new Author('mallory').post('x')[0], feed: key.publicKey })
      ],
      [
        "a run's body was changed",
        'SIGNATURE_INVALID',
        (peer, author) => peer.sendRuns(spoiled(author.post('hello')[0]))
      ],
      ['a forged proof of a fork comes', 'FORK_PROOF', (peer) => peer.send(message.encodeFork(forgedFork()))],
      [
        'a proof of a fork is cut short',
        'FORK_PROOF',
        (peer) => peer.send(message.encodeFork(forkOf('f').proof.subarray(0, 99)))
      ],
      [
        'a compressed frame says it holds more than is allowed',
        'FRAME_FORMAT',
        (peer) => peer.send(packed(2 ** 30, zstdCompressSync(Buffer.alloc(100))))
      ],
      [
        'a compressed frame holds more than it says',
        'FRAME_FORMAT',
        (peer) => peer.send(packed(1_000, zstdCompressSync(Buffer.alloc(50_000_000))))
      ],
      [
        'a compressed frame wants a window of 128 MiB',
        'FRAME_FORMAT',
        (peer) => peer.send(packed(5, wideWindow(Uint8Array.of(4, 0, 0, 0, 0))))
      ],
      [
        'a compressed frame holds another kind of frame',
        'FRAME_FORMAT',
        (peer) => peer.send(packed(7, zstdCompressSync(Buffer.alloc(7, KIND.have))))
      ],
      [
        'a frame holds thousands of tiny runs',
        'FRAME_FORMAT',
        (peer, author) =>
          peer.sendRuns(
            ...Array.from(
              { length: 3_000 },
              (
                (run) => () =>
                  run
              )(author.post('x')[0])
            )
          )
      ]
    ]
    for (const [name, code, act] of live) {
      it(name, async () => {
        const author = new Author('carol')
        using held = holding(author, ...author.post('first'))
        const before = contentsOf(held.store, author.key)
        const peer = await Stranger.live(held.store)
        await act(peer, author)
        await peer.ends(code)
        assert.deepEqual(contentsOf(held.store, author.key), before)
        using other = holding(author)
        const link = connect(held.store, other.store)
        await link.settled()
        assert.deepEqual(contentsOf(other.store, author.key), before, 'others are served')
        await link.close()
      })
    }
  })

  it('gets nothing but its stream ended by frames of any kind that are cut anywhere', async () => {
    const author = new Author('carol')
    using held = holding(author, ...author.post('first', 'second'))
    const [run] = new Author('dave').post('x')
    const id = new Uint8Array(12).fill(1)
    const frames = [
      message.encodeReconcile(Uint8Array.of(0xc0, 0)),
      message.encodeHave(3, [{ id, height: 4, head: HEAD }]),
      message.encodeWant([{ id, from: 1, to: 2, isDown: true }]),
      message.encodeRuns(message.encodeRun(id, run)),
      packed(999, zstdCompressSync(Buffer.alloc(999, 4))),
      message.encodeNumber(KIND.done, 1),
      message.encodeNumber(KIND.credit, 0xffff_ffff),
      message.encodeNumber(KIND.position, 2 ** 48 - 1),
      message.encodeFork(forkOf('f').proof),
      message.encodeDrop([id]),
      message.encodeErased(id, [1, 2])
    ]
    const before = contentsOf(held.store, author.key)
    for (const frame of frames) {
      for (const length of [1, 2, frame.length >> 2, frame.length >> 1, frame.length - 1]) {
        const peer = await Stranger.live(held.store)
        await peer.send(frame.subarray(0, Math.max(1, length)))
        await peer.leave()
        assert.ok(peer.outcome === 'closed' || peer.outcome instanceof FeedError, String(peer.outcome))
      }
    }
    assert.deepEqual(contentsOf(held.store, author.key), before)
  })

  it('passes over a second hello and kinds that are not defined', async () => {
    const author = new Author('carol')
    using held = holding(author)
    const peer = await Stranger.live(held.store)
    await peer.send(message.encodeHello({ takesPacked: true, nonce: new Uint8Array(16), epoch: EPOCH, counter: 1 }))
    await peer.send(Uint8Array.of(0x77, 1, 2, 3))
    await peer.sendRuns(...author.post('still here'))
    await until(() => held.store.feed(author.key.publicKey)!.height === 1, 'the run is taken in')
    await peer.leave()
  })

  it('passes over runs of feeds that are not wanted', async () => {
    using held = holding(new Author('carol'))
    const peer = await Stranger.live(held.store)
    await peer.sendRuns(...new Author('unwanted').post(...texts(100)))
    assert.equal(await peer.quiet(KIND.done), 0)
    assert.equal(held.store.arrival, 0)
    await peer.leave()
  })

  it('is asked once for what it says it has and never sends, and others are asked then', async () => {
    const author = new Author('carol')
    using held = holding(author)
    using honest = holding(author, ...author.post(...texts(20)))
    const claims = new FeedClaims()
    const peer = await Stranger.live(held.store, { claims })
    await peer.have(author.key, 4_000_000_000)
    await until(() => peer.of(KIND.want).length === 1, 'it is asked')
    const link = connect(held.store, honest.store, { alice: { claims } })
    await until(() => link.alice.stats.path === 'reconcile' && link.bob.stats.isSettled, 'the other is there')
    assert.equal(held.store.feed(author.key.publicKey)!.height, 0, 'one is asked at a time')
    await peer.send(message.encodeNumber(KIND.done, 1))
    await until(() => held.store.feed(author.key.publicKey)!.height === 20, 'the honest one was asked')
    const asked = await peer.quiet(KIND.want)
    assert.ok(asked <= 2, `asked ${asked} times`)
    await link.close()
    await peer.leave()
  })

  it('has what it claims said to be on its way only until it is done with it', async () => {
    using temporary = temporaryStore()
    const author = new Author('carol')
    want(temporary.store, author.key)
    temporary.store.ingest(author.post('hello'))
    const stranger = await Stranger.live(temporary.store)
    await until(() => stranger.session.progress.state === 'current', 'they have nothing to exchange')
    await stranger.have(author.key, 0xffff_ffff)
    await until(() => stranger.session.progress.state === 'fetching', 'it is asked')
    const { missing } = stranger.session.progress
    assert.ok(missing > 0 && missing < 2 ** 32)
    await stranger.sendRuns(...author.post('there is one'))
    await until(() => stranger.session.progress.missing === missing - 1, 'what came is not missing any more')
    await stranger.send(message.encodeNumber(KIND.done, 1))
    await until(() => stranger.of(KIND.want).length === 2, 'it brought something, and is asked for the rest')
    await stranger.send(message.encodeNumber(KIND.done, 1))
    await until(() => stranger.session.progress.missing === 0, 'nothing is on its way')
    await stranger.leave()
    assert.equal(stranger.session.progress.missing, 0)
  })

  it('loses its claim on a feed when it ends', async () => {
    const author = new Author('carol')
    using held = holding(author)
    using honest = holding(author, ...author.post(...texts(20)))
    const claims = new FeedClaims()
    const peer = await Stranger.live(held.store, { claims })
    await peer.have(author.key, 100)
    await until(() => peer.of(KIND.want).length === 1, 'it is asked')
    const link = connect(held.store, honest.store, { alice: { claims } })
    await until(() => link.bob.stats.isSettled, 'the other is there')
    await peer.leave()
    await until(() => held.store.feed(author.key.publicKey)!.height === 20, 'the honest one was asked')
    await link.close()
  })

  it('cannot keep a feed to itself by dripping frames that bring nothing', async () => {
    const author = new Author('carol')
    using held = holding(author)
    using honest = holding(author, ...author.post(...texts(20)))
    const claims = new FeedClaims({ limitMs: 150 })
    const peer = await Stranger.live(held.store, { claims })
    await peer.have(author.key, 100)
    await until(() => peer.of(KIND.want).length === 1, 'it is asked')
    const drip = setInterval(() => void peer.send(message.encodeNumber(KIND.position, 1)), 10)
    const link = connect(held.store, honest.store, { alice: { claims } })
    await until(() => held.store.feed(author.key.publicKey)!.height === 20, 'the honest one was asked')
    clearInterval(drip)
    await link.close()
    await peer.leave()
  })

  it('is left when it asks for time with frames that bring nothing', async () => {
    const author = new Author('carol')
    using held = holding(author)
    const peer = await Stranger.live(held.store, { progressTimeoutMs: 100 })
    await peer.have(author.key, 100)
    const drip = setInterval(() => void peer.send(message.encodeNumber(KIND.position, 1)), 10)
    await peer.ends('TIMEOUT')
    clearInterval(drip)
  })

  it('is left when it is silent, before its hello and after it', async () => {
    using held = holding(new Author('carol'))
    const before = new Stranger(held.store, { progressTimeoutMs: 50 })
    await before.ends('TIMEOUT')
    const after = new Stranger(held.store, { progressTimeoutMs: 50 })
    await after.hello()
    await after.ends('TIMEOUT')
  })

  it('is served no more than its credit when it never grants any', async () => {
    const author = new Author('carol')
    using held = holding(
      author,
      ...author.write(...Array.from({ length: 100 }, () => ({ type: 'blob', data: new Uint8Array(60_000) })))
    )
    const peer = await Stranger.live(held.store)
    for (let i = 0; i < 20; i++)
      await peer.send(message.encodeWant([{ id: peer.idOf(author.key), from: 1, to: 100, isDown: false }]))
    await peer.quiet(KIND.runs)
    const bytes = peer.of(KIND.runs).reduce((sum, frame) => sum + frame.length, 0)
    assert.ok(bytes > 500_000 && bytes < 1_500_000, `${bytes} bytes`)
    await peer.send(message.encodeNumber(KIND.credit, 0xffff_ffff))
    await peer.send(message.encodeNumber(KIND.credit, 0xffff_ffff))
    await peer.quiet(KIND.runs)
    const more = peer.of(KIND.runs).reduce((sum, frame) => sum + frame.length, 0) - bytes
    assert.ok(more < 3_000_000, `credit does not add up: ${more} bytes`)
    await peer.leave()
  })

  it('is told of a fork once, however often it asks', async () => {
    const { proof, key, common, other } = forkOf('forked')
    using held = temporaryStore()
    want(held.store, key)
    held.store.ingest(common)
    held.store.acceptForkProof(decodeForkProof(proof))
    const peer = await Stranger.live(held.store)
    const haves = Array.from({ length: 500 }, () => ({ id: peer.idOf(key), height: 9, head: HEAD }))
    for (let i = 0; i < 4; i++) await peer.send(message.encodeHave(0, haves))
    for (let i = 0; i < 50; i++) await peer.sendRuns(...other)
    assert.equal(await peer.quiet(KIND.fork), 1)
    await peer.leave()
  })

  it('cannot make us ask for ever where a feed was forked', async () => {
    const author = new Author('carol')
    using held = holding(author, ...author.post(...texts(500)))
    const peer = await Stranger.live(held.store)
    await peer.have(author.key, 500)
    for (let answered = 0; answered < 60;) {
      const asked = await peer.quiet(KIND.want)
      if (asked === answered) break
      answered = asked
      await peer.send(message.encodeNumber(KIND.done, 1))
    }
    assert.ok(peer.of(KIND.want).length < 20, `${peer.of(KIND.want).length} questions`)
    assert.equal(held.store.feed(author.key.publicKey)!.frozen, undefined)
    await peer.leave()
  })

  it('cannot say that others erased, nor for feeds that are not ours', async () => {
    const author = new Author('carol')
    using held = holding(author, ...author.post('a', 'b'), ...author.write({ type: 'erase', seq: [1] }))
    const peer = await Stranger.live(held.store)
    await peer.send(message.encodeErased(peer.idOf(author.key), [1, 2]))
    await peer.send(message.encodeErased(peer.idOf(keyOf('nobody')), [1, 2]))
    await peer.leave()
    assert.equal(peer.outcome, 'closed')
    assert.equal(held.store.get('SELECT count(*) AS n FROM erased_at')!.n, 0)
  })

  it('harms only itself by dropping everything', async () => {
    const author = new Author('carol')
    using held = holding(author, ...author.post('a'))
    const peer = await Stranger.live(held.store)
    await peer.have(author.key, 0, new Uint8Array(8))
    await peer.send(message.encodeDrop(Array.from({ length: 2_000 }, () => peer.idOf(author.key))))
    await peer.quiet(KIND.have)
    held.store.ingest(author.post('b'))
    assert.equal(await peer.quiet(KIND.runs), 0)
    assert.equal(held.store.feed(author.key.publicKey)!.priority, 1)
    await peer.leave()
  })

  it('harms only itself by positions that are enormous or go backwards', async () => {
    const author = new Author('carol')
    using held = holding(author)
    const liar = await Stranger.live(held.store, { peer: 'liar' })
    for (const position of [2 ** 48 - 1, 5, 0]) await liar.send(message.encodeNumber(KIND.position, position))
    await liar.leave()
    using honest = holding(author, ...author.post(...texts(9)))
    const link = connect(held.store, honest.store)
    await link.settled()
    assert.equal(held.store.feed(author.key.publicKey)!.height, 9)
    await link.close()
    // The same peer, honest now under the same name: what it said before must not hide what it has.
    want(honest.store, keyOf('second'))
    want(held.store, keyOf('second'))
    const second = new Author('second')
    honest.store.ingest(second.post('x'))
    const again = connect(held.store, honest.store, { alice: { peer: 'liar' } })
    await again.settled()
    assert.equal(held.store.feed(second.key.publicKey)!.height, 1)
    await again.close()
  })

  it('harms only itself by a false resume tag or cursor', async () => {
    const author = new Author('carol')
    using held = holding(author, ...author.post('a'))
    for (const resume of [
      { cursor: 0, tag: new Uint8Array(8) },
      { cursor: 2 ** 48 - 1, tag: new Uint8Array(8).fill(1) }
    ]) {
      const peer = new Stranger(held.store)
      await peer.hello({ resume })
      await peer.reconcile()
      assert.equal(peer.session.stats.path, 'reconcile')
      await peer.leave()
    }
  })

  it('gets thousands of answers that it lacks something at the price of one each', async () => {
    using held = holding(new Author('carol'))
    const peer = await Stranger.live(held.store)
    await peer.send(
      message.encodeWant(
        Array.from({ length: 2_000 }, (_, i) => ({
          id: new Uint8Array(12).fill(i),
          from: 1,
          to: 0xffff_ffff,
          isDown: i % 2 === 0
        }))
      )
    )
    await until(() => peer.of(KIND.done).length > 0, 'an answer')
    assert.equal(
      peer.of(KIND.done).reduce((sum, frame) => sum + message.decodeNumber(frame), 0),
      2_000
    )
    assert.ok(peer.of(KIND.done).length < 5)
    await peer.leave()
  })
})

function packed(size: number, data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(5)
  head[0] = KIND.packed
  head.writeUInt32BE(size, 1)
  return Buffer.concat([head, data])
}

/** A zstd frame (RFC 8878) of one raw block, whose head asks for a window of 128 MiB. */
function wideWindow(content: Uint8Array): Uint8Array {
  const block = (content.length << 3) | 1
  return Buffer.concat([Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3, block & 0xff, block >> 8, 0), content])
}

function spoiled(run: CheckedRun): CheckedRun {
  const records = Uint8Array.from(run.records)
  records[records.length - 1] ^= 1
  return { ...run, records }
}

/** Twice the same branch. */
function forgedFork(): Uint8Array {
  const author = new Author('forger')
  const [run] = author.post('a')
  assert.equal(idAt(run, 0).length, 32)
  const branch = { headers: headersOf(run, 1), signature: run.signature }
  return encodeForkProof({ feed: author.key.publicKey, branches: [branch, branch] })
}
