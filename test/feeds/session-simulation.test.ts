// Many stores in one process: whatever the graph, the order and the interruptions, everybody who wants a feed ends with it.
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { FeedStore } from '../../src/feeds/store/store.ts'
import { FeedClaims } from '../../src/feeds/sync/feed-claims.ts'
import type { MessageStream } from '../../src/feeds/sync/message-stream.ts'
import { SyncSession } from '../../src/feeds/sync/session.ts'
import { messageStreamPair } from '../../src/feeds/sync/message-stream.ts'
import { FeedError } from '../../src/feeds/errors.ts'
import {
  Author,
  connect,
  contentsOf,
  cut,
  deliver,
  sending,
  temporaryStore,
  texts,
  until,
  want
} from '../support/feeds.ts'

const posts = (count: number) => texts(count).map((text) => ({ type: 'post', text }))

function placeOf(store: FeedStore, key: Uint8Array): string {
  const { low, height } = store.feed(key)!
  return `${low}-${height}`
}

class Network implements Disposable {
  readonly nodes: { held: ReturnType<typeof temporaryStore>; claims: FeedClaims }[]
  readonly #streams: MessageStream[] = []
  readonly #running: Promise<unknown>[] = []
  readonly errors: unknown[] = []

  constructor(size: number) {
    this.nodes = Array.from({ length: size }, () => ({ held: temporaryStore(), claims: new FeedClaims() }))
  }

  store(index: number): FeedStore {
    return this.nodes[index].held.store
  }

  link(a: number, b: number): void {
    const streams = messageStreamPair()
    this.#streams.push(...streams)
    const ends = [
      { own: a, other: b, stream: streams[0] },
      { own: b, other: a, stream: streams[1] }
    ]
    for (const { own, other, stream } of ends) {
      const session = new SyncSession(this.store(own), stream, {
        peer: `node ${other}`,
        isInitiator: own === a,
        claims: this.nodes[own].claims
      })
      this.#running.push(session.run().catch((error: unknown) => this.errors.push(error)))
    }
  }

  get frames(): number {
    return this.#streams.reduce((sum, stream) => sum + stream.bytesSent, 0)
  }

  async close(): Promise<void> {
    for (const stream of this.#streams) await stream.close()
    await Promise.all(this.#running)
  }

  [Symbol.dispose](): void {
    for (const { held } of this.nodes) held[Symbol.dispose]()
  }
}

/** Lets `k` frames through, then breaks. */
function breaking(frames: number): (stream: MessageStream) => MessageStream {
  let left = frames
  return (stream) =>
    sending(stream, (frame, options) => {
      if (left-- > 0) return stream.send(frame, options)
      stream.abort(new FeedError('ABORTED', 'the line broke'))
      return Promise.reject(new FeedError('ABORTED', 'the line broke'))
    })
}

describe('sync between two stores', () => {
  const authors = ['a', 'b', 'c'].map((name) => new Author(`two ${name}`))
  const feeds = authors.map((author) => author.writeSingly(...posts(150)))

  it('converges from any state, over any chunks, after any interruptions', async () => {
    const state = fc.record({
      low: fc.integer({ min: 1, max: 150 }),
      height: fc.integer({ min: 0, max: 150 }),
      size: fc.integer({ min: 1, max: 64 })
    })
    const states = fc.tuple(state, state, state)
    const chunkSizes = fc.array(fc.integer({ min: 1, max: 3_000 }), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(
        states,
        states,
        chunkSizes,
        fc.array(fc.integer({ min: 1, max: 14 }), { maxLength: 5 }),
        async (alices, bobs, sizes, breaks) => {
          using alice = temporaryStore()
          using bob = temporaryStore()
          fill(alice.store, alices)
          fill(bob.store, bobs)
          for (const frames of breaks) {
            const link = connect(alice.store, bob.store, { stream: { chunkSizes: sizes }, wrap: breaking(frames) })
            await until(
              () => link.errors.length > 0 || (link.alice.stats.isSettled && link.bob.stats.isSettled),
              'it breaks or is done'
            )
            await link.close()
          }
          const link = connect(alice.store, bob.store, { stream: { chunkSizes: sizes } })
          await link.settled()
          const reached = () => [alice, bob].map(({ store }) => authors.map(({ key }) => placeOf(store, key.publicKey)))
          const expected = [0, 1].map((side) => authors.map((_, i) => goals(alices[i], bobs[i])[side]))
          await until(() => isDeepStrictEqual(reached(), expected), 'both have all', 1_000).catch(() =>
            assert.deepEqual(reached(), expected)
          )
          assert.deepEqual(link.errors, [])
          for (const { key } of authors)
            if (placeOf(alice.store, key.publicKey) === placeOf(bob.store, key.publicKey))
              assert.deepEqual(contentsOf(alice.store, key), contentsOf(bob.store, key))
          await link.close()
        }
      ),
      { numRuns: 60, endOnFailure: true }
    )
  }).timeout(60_000)

  interface State {
    low: number
    height: number
    size: number
  }

  function fill(store: FeedStore, states: State[]): void {
    want(store, ...authors.map(({ key }) => key))
    states.forEach(({ low, height, size }, i) => {
      const part = feeds[i].slice(low - 1, height)
      if (part.length > 0) deliver(store, cut(part, [size]))
    })
  }

  /** Where two parts of a feed touch, both sides end with all of both; else nothing can be joined. */
  function goals(alice: State, bob: State): [string, string] {
    const held = [alice, bob].map(({ low, height }) => (height < low ? { low: 1, height: 0 } : { low, height }))
    const [higher, other] = held[0].height >= held[1].height ? held : held.toReversed()
    const doTouch = other.height === 0 || other.height >= higher.low - 1
    const low = other.height === 0 ? higher.low : Math.min(higher.low, other.low)
    return held.map((each) => (doTouch ? `${low}-${higher.height}` : `${each.low}-${each.height}`)) as [string, string]
  }
})

describe('sync of a forked feed', () => {
  it('ends on both sides at the entry where it forked, wherever that is and in whatever runs it is held', async () => {
    const length = fc.integer({ min: 1, max: 120 })
    const size = fc.integer({ min: 1, max: 64 })
    await fc.assert(
      fc.asyncProperty(fc.nat(150), length, length, size, size, async (at, ones, others, oneSize, otherSize) => {
        using alice = temporaryStore()
        using bob = temporaryStore()
        const author = new Author(`forked at ${at}`)
        const common = author.writeSingly(...posts(at))
        const clone = author.clone()
        for (const [{ store }, by, count, each] of [
          [alice, author, ones, oneSize],
          [bob, clone, others, otherSize]
        ] as const) {
          want(store, author.key)
          store.ingest(cut([...common, ...by.writeSingly(...posts(count))], [each]))
        }
        const link = connect(alice.store, bob.store)
        await until(
          () => [alice, bob].every(({ store }) => store.feed(author.key.publicKey)!.frozen === at + 1),
          `frozen at ${at + 1}`,
          1_500
        )
        for (const { store } of [alice, bob]) assert.equal(store.feed(author.key.publicKey)!.height, at)
        assert.deepEqual(
          alice.store.forkProof(alice.store.feed(author.key.publicKey)!),
          bob.store.forkProof(bob.store.feed(author.key.publicKey)!)
        )
        await link.close()
      }),
      { numRuns: 40, endOnFailure: true }
    )
  })
})

describe('a network of stores', () => {
  it('converges over any connected graph while entries are appended', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(), { minLength: 11, maxLength: 11 }),
        fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 8 }),
        async (parents, extra) => {
          using network = new Network(12)
          const authors = Array.from({ length: 12 }, (_, i) => new Author(`sim ${i}`))
          for (let i = 0; i < 12; i++) want(network.store(i), ...authors.map(({ key }) => key))
          authors.forEach((author, i) => network.store(i).ingest(author.post(...texts(i * 7 + 1))))
          const linked = new Set<string>()
          const link = (a: number, b: number): void => {
            const name = `${Math.min(a, b)}-${Math.max(a, b)}`
            if (a === b || linked.has(name)) return
            linked.add(name)
            network.link(a, b)
          }
          parents.forEach((parent, i) => link(i + 1, parent % (i + 1)))
          for (const [a, b] of extra) link(a, b)
          for (let round = 0; round < 5; round++) {
            authors.forEach((author, i) => network.store(i).ingest(author.post(`live ${round}`)))
            await new Promise((resolve) => setTimeout(resolve, 1))
          }
          const heights = () =>
            network.nodes.map(({ held }) =>
              authors
                .map(({ key }) => held.store.feed(key.publicKey)!)
                .map(({ low, height }) => `${low}-${height}`)
                .join()
            )
          const expected = authors.map((_, i) => `1-${i * 7 + 6}`).join()
          await until(() => heights().every((each) => each === expected), 'all have all').catch((error: unknown) =>
            assert.fail(`${String(error)}\n${heights().join('\n')}\nexpected ${expected}`)
          )
          assert.deepEqual(network.errors, [])
          await network.close()
        }
      ),
      { numRuns: 5, endOnFailure: true }
    )
  }).timeout(60_000)

  it('passes a long feed on along a line, also to those who ask faster than it arrives', async () => {
    using network = new Network(5)
    const author = new Author('long')
    for (let i = 0; i < 5; i++) want(network.store(i), author.key)
    network.store(0).ingest(author.post(...texts(20_000)))
    for (let i = 0; i < 4; i++) network.link(i + 1, i)
    const has = (i: number) => network.store(i).feed(author.key.publicKey)!
    await until(
      () => [1, 2, 3, 4].every((i) => has(i).height === 20_000 && has(i).low === 1),
      'all have all',
      8_000
    ).catch(() => assert.fail(`${String(network.errors)} ${[1, 2, 3, 4].map((i) => `${has(i).low}-${has(i).height}`)}`))
    await network.close()
  })

  it('comes to rest when nobody has the older part of a feed', async () => {
    using network = new Network(3)
    const author = new Author('partial')
    const all = author.writeSingly(...posts(60))
    for (let i = 0; i < 3; i++) {
      want(network.store(i), author.key)
      network.store(i).ingest(cut(all.slice(30), [30]))
    }
    network.link(0, 1)
    network.link(0, 2)
    network.link(1, 2)
    await new Promise((resolve) => setTimeout(resolve, 400))
    const before = network.frames
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.equal(network.frames, before)
    network.store(1).ingest(cut(all.slice(0, 30), [30]))
    await until(
      () => [0, 2].every((i) => network.store(i).feed(author.key.publicKey)!.low === 1),
      'the older part is passed on when it comes'
    )
    await network.close()
  })

  it('brings what was asked of a peer too early, once that peer has it', async () => {
    using network = new Network(2)
    const author = new Author('early')
    for (let i = 0; i < 2; i++) want(network.store(i), author.key)
    const [first] = author.post('1')
    network.store(0).ingest([first])
    using asker = temporaryStore()
    want(asker.store, author.key)
    const link = connect(network.store(0), asker.store)
    await link.settled()
    link.bob.pull(asker.store.feed(author.key.publicKey)!, 2)
    await new Promise((resolve) => setTimeout(resolve, 20))
    network.store(0).ingest(author.post('2'))
    await until(() => asker.store.feed(author.key.publicKey)!.height === 2, 'it is pushed')
    await link.close()
  })

  it('freezes a forked feed at the same entry everywhere', async () => {
    using network = new Network(4)
    const author = new Author('two-faced')
    const common = author.post(...texts(100))
    const clone = author.clone()
    const branches = [author.post(...texts(30, 'one')), clone.post(...texts(50, 'other'))]
    for (let i = 0; i < 4; i++) {
      want(network.store(i), author.key)
      network.store(i).ingest([...common, ...(i === 0 || i === 3 ? branches[i === 0 ? 0 : 1] : [])])
    }
    for (const [a, b] of [
      [0, 1],
      [1, 2],
      [2, 3]
    ])
      network.link(a, b)
    await until(
      () => network.nodes.every(({ held }) => held.store.feed(author.key.publicKey)!.frozen === 101),
      'all froze it'
    )
    for (const { held } of network.nodes) assert.equal(held.store.feed(author.key.publicKey)!.height, 100)
    await network.close()
  })
})
