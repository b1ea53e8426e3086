import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { FeedStore } from '../../src/feeds/store/store.ts'
import { entriesBetween } from '../../src/feeds/store/reader.ts'
import type { MessageStream } from '../../src/feeds/sync/message-stream.ts'
import { KIND } from '../../src/feeds/sync/messages.ts'
import { rememberPeer, SharedFeeds } from '../../src/feeds/sync/peer-memory.ts'
import type { SyncProgress } from '../../src/feeds/sync/session.ts'
import { Author, connect, cut, sending, temporaryStore, texts, until, want } from '../support/feeds.ts'

function heightOf(store: FeedStore, author: Author): number {
  return store.feed(author.key.publicKey)?.height ?? 0
}

/** A way on which entries come later than what is said about them. */
function lateRuns(stream: MessageStream): MessageStream {
  const isRuns = ([kind]: Uint8Array): boolean => kind === KIND.runs || kind === KIND.packed
  return sending(stream, async (frame, options) => {
    if (isRuns(frame)) await new Promise((resolve) => setTimeout(resolve, 20))
    await stream.send(frame, options)
  })
}

describe('a sync session', () => {
  it('fetches a feed that is new here, all of it, from a peer that has it', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    const author = new Author('carol')
    for (const each of [alice, bob]) want(each.store, author.key)
    alice.store.ingest(author.post(...texts(1_000)))
    const link = connect(alice.store, bob.store)
    await link.settled()
    const feed = bob.store.feed(author.key.publicKey)!
    assert.deepEqual([feed.low, feed.height], [1, 1_000])
    assert.equal(entriesBetween(bob.store, feed, 1, 1_000).length, 1_000)
    await link.close()
    assert.deepEqual(link.errors, [])
  })

  it('says truly how far it has come: what is still to come, what came, and what went', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    const [ann, ben] = [new Author('ann'), new Author('ben')]
    for (const each of [alice, bob]) want(each.store, ann.key, ben.key)
    alice.store.ingest(ann.post(...texts(3_000)))
    bob.store.ingest(ben.post(...texts(7)))
    const seen: SyncProgress[] = []
    const note = (): void => void seen.push(link.bob.progress)
    const link = connect(alice.store, bob.store, { bob: { onProgress: note }, wrap: lateRuns })
    await link.settled()
    for (const { received, missing } of seen) assert.ok(missing === 0 || received + missing === 3_000)
    const missing = seen.map((progress) => progress.missing).filter((count) => count > 0)
    assert.ok(new Set(missing).size > 1, 'it falls while entries come')
    assert.deepEqual(
      missing,
      missing.toSorted((a, b) => b - a)
    )
    const { lastMs, ...progress } = link.bob.progress
    assert.deepEqual(progress, { state: 'current', feeds: 2, received: 3_000, sent: 7, missing: 0 })
    assert.ok(Math.abs(Date.now() - lastMs!) < 20_000)
    assert.deepEqual([link.alice.progress.received, link.alice.progress.sent], [7, 3_000])
    alice.store.ingest(ann.post('one more'))
    await until(() => link.bob.progress.received === 3_001, 'it counts what is pushed')
    assert.equal(link.bob.progress.state, 'current')
    await link.close()
    assert.deepEqual(link.errors, [])
  })

  it('carries entries whatever their clocks say, decades off or going backwards', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    const author = new Author('carol')
    for (const each of [alice, bob]) want(each.store, author.key)
    const times = [0, 2 ** 48 - 1, Date.now() + 315_576_000_000, Date.now() - 315_576_000_000, 1]
    for (const time of times) {
      author.time = time
      alice.store.ingest(author.post(`at ${time}`))
    }
    const link = connect(alice.store, bob.store)
    await link.settled()
    const feed = bob.store.feed(author.key.publicKey)!
    assert.deepEqual(
      entriesBetween(bob.store, feed, 1, 5).map((entry) => entry.time),
      times
    )
    await link.close()
    assert.deepEqual(link.errors, [])
  })

  it('pushes what is appended while connected, in both directions', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    const [ann, ben] = [new Author('ann'), new Author('ben')]
    for (const each of [alice, bob]) want(each.store, ann.key, ben.key)
    const link = connect(alice.store, bob.store)
    await link.settled()
    for (let i = 0; i < 5; i++) {
      alice.store.ingest(ann.post(`a${i}`))
      bob.store.ingest(ben.post(`b${i}`))
    }
    await until(() => heightOf(bob.store, ann) === 5 && heightOf(alice.store, ben) === 5, 'both have both')
    await link.close()
  })

  it('brings a feed through to a peer that came to want it before this side did', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    const author = new Author('carol')
    const link = connect(alice.store, bob.store)
    await link.settled()
    want(alice.store, author.key)
    await new Promise((resolve) => setTimeout(resolve, 20)) // bob hears the name, and it says nothing to him yet
    want(bob.store, author.key)
    await new Promise((resolve) => setTimeout(resolve, 20))
    bob.store.ingest(author.post('hello'))
    await until(() => heightOf(alice.store, author) === 1, 'alice has it')
    assert.ok(
      link.bob.shares(bob.store.feed(author.key.publicKey)!) &&
        link.alice.shares(alice.store.feed(author.key.publicKey)!)
    )
    await link.close()
  })

  it('needs under 200 bytes when a known peer comes back and nothing is new', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    const authors = Array.from({ length: 300 }, (_, i) => new Author(`author ${i}`))
    for (const each of [alice, bob]) want(each.store, ...authors.map((author) => author.key))
    for (const author of authors) alice.store.ingest(author.post('hello'))
    const first = connect(alice.store, bob.store)
    await first.settled()
    await new Promise((resolve) => setTimeout(resolve, 700))
    await first.close()
    const second = connect(alice.store, bob.store)
    await second.settled()
    assert.equal(second.alice.stats.path, 'resume')
    assert.ok(second.bytes < 125, `${second.bytes} bytes`)
    await second.close()
  })

  it('fetches only what changed when a known peer comes back', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    const authors = Array.from({ length: 50 }, (_, i) => new Author(`author ${i}`))
    for (const each of [alice, bob]) want(each.store, ...authors.map((author) => author.key))
    for (const author of authors) alice.store.ingest(author.post('hello'))
    const first = connect(alice.store, bob.store)
    await first.settled()
    await first.close()
    for (const author of authors.slice(0, 5)) alice.store.ingest(author.post('news'))
    bob.store.ingest(authors[7].post('the other way'))
    const second = connect(alice.store, bob.store)
    await second.settled()
    assert.equal(second.alice.stats.path, 'resume')
    await until(() => authors.slice(0, 5).every((author) => heightOf(bob.store, author) === 2), 'bob has the news')
    await until(() => heightOf(alice.store, authors[7]) === 2, 'alice has it too')
    assert.equal(second.bob.stats.entriesReceived, 5)
    await second.close()
  })

  it('hears of a feed that is followed later, on the open stream', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    const author = new Author('carol')
    want(alice.store, author.key)
    alice.store.ingest(author.post(...texts(10)))
    const link = connect(alice.store, bob.store)
    await link.settled()
    want(bob.store, author.key)
    await until(() => heightOf(bob.store, author) === 10, 'bob has it')
    alice.store.ingest(author.post('live'))
    await until(() => heightOf(bob.store, author) === 11, 'and what follows')
    await link.close()
  })

  it('goes on where a store failed while it took in a feed that came to be wanted later', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    const [ann, ben] = [new Author('ann'), new Author('ben')]
    for (const each of [alice, bob]) want(each.store, ann.key)
    want(alice.store, ben.key)
    alice.store.ingest(ann.post('hello'))
    alice.store.ingest(ben.post(...texts(40)))
    const first = connect(alice.store, bob.store)
    await first.settled()
    for (const change of ['INSERT', 'UPDATE'])
      bob.store.database.exec(
        `CREATE TEMP TRIGGER no_${change} BEFORE ${change} ON runs BEGIN SELECT RAISE(ABORT, 'broken'); END`
      )
    want(bob.store, ann.key, ben.key)
    await until(() => first.errors.length > 0, 'the session has ended')
    bob.store.database.exec('DROP TRIGGER no_INSERT; DROP TRIGGER no_UPDATE')
    await first.close()
    const second = connect(alice.store, bob.store)
    await until(() => bob.store.feed(ben.key.publicKey)!.low === 1 && heightOf(bob.store, ben) === 40, 'all is here')
    await second.close()
  })

  it('fetches older entries from a peer that has only those right below, also when the session before broke off', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    const ann = new Author('ann')
    const all = ann.writeSingly(...texts(20).map((text) => ({ type: 'post', text })))
    for (const { store } of [alice, bob]) want(store, ann.key)
    alice.store.ingest(cut(all.slice(5), [20]))
    bob.store.ingest(cut(all.slice(2, 5), [3]))
    for (const [{ store }, peer, other] of [
      [alice, 'bob', bob],
      [bob, 'alice', alice]
    ] as const) {
      const shared = new SharedFeeds()
      shared.add(store.feed(ann.key.publicKey)!)
      // As after a session that broke off before anything had come.
      rememberPeer(store, peer, { epoch: other.store.epoch, cursor: 0, shared, resumed: 0, told: 0 })
    }
    const link = connect(alice.store, bob.store, { wrap: lateRuns })
    const placesOf = () =>
      [alice, bob].map(({ store }) => store.feed(ann.key.publicKey)!).map((f) => `${f.low}-${f.height}`)
    await until(() => isDeepStrictEqual(placesOf(), ['3-20', '3-20']), 'both have all').catch(() =>
      assert.deepEqual(placesOf(), ['3-20', '3-20'])
    )
    await link.close()
  })

  it('proves a fork to both sides, which freeze the feed where it began', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    const author = new Author('carol')
    for (const each of [alice, bob]) want(each.store, author.key)
    const common = author.post(...texts(200))
    const clone = author.clone()
    alice.store.ingest([...common, ...author.post(...texts(100, 'one'))])
    bob.store.ingest([...common, ...clone.post(...texts(80, 'other'))])
    const link = connect(alice.store, bob.store)
    await until(
      () => [alice, bob].every(({ store }) => store.feed(author.key.publicKey)!.frozen === 201),
      'both frozen at 201'
    )
    for (const { store } of [alice, bob]) assert.equal(heightOf(store, author), 200)
    await link.close()
  })
})
