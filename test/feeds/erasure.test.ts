import assert from 'node:assert/strict'
import fc from 'fast-check'
import { entryCid } from '../../src/feeds/entry-id.ts'
import { idAt } from '../../src/feeds/run.ts'
import {
  eraseExpired,
  erasuresOf,
  holdersThatErased,
  noteErasedAt,
  usageByPriority
} from '../../src/feeds/store/erasure.ts'
import { Indexer } from '../../src/feeds/store/indexer.ts'
import { entriesByTag, entriesByWords, entryAt, entryById, timeline } from '../../src/feeds/store/reader.ts'
import { linksTo } from '../../src/feeds/store/links.ts'
import { placeOf } from '../../src/feeds/store/schema.ts'
import type { FeedStore } from '../../src/feeds/store/store.ts'
import { Trimmer } from '../../src/feeds/store/trimmer.ts'
import { Author, connect, cut, deliver, temporaryStore, texts, until, want } from '../support/feeds.ts'

async function indexed(store: FeedStore): Promise<void> {
  const indexer = new Indexer(store)
  await indexer.catchUp()
  indexer.stop()
}

function erasedIn(store: FeedStore, author: Author): number[] {
  const feed = store.feed(author.key.publicKey)!
  return Array.from({ length: feed.height - feed.low + 1 }, (_, i) => feed.low + i).filter(
    (seq) => entryAt(store, feed, seq)?.body === undefined
  )
}

describe('a wish to erase', () => {
  it('has the same effect whether it comes before its targets or after them, in whatever runs', () => {
    const author = new Author('eraser')
    const posts = (count: number) => texts(count).map((text) => ({ type: 'post', text }))
    const all = author.writeSingly(
      ...posts(10),
      { type: 'erase', seq: [2, 5, 11, 12] },
      ...posts(3),
      { type: 'erase', seq: [1, 9, 12, 14] },
      ...posts(2)
    )
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat()),
        (sizes, order) => {
          using held = temporaryStore()
          want(held.store, author.key)
          const runs = cut(all, sizes)
          const keys = [...order.take(runs.length)]
          deliver(
            held.store,
            runs
              .map((run, i) => ({ run, key: keys[i] }))
              .sort((a, b) => a.key - b.key)
              .map(({ run }) => run)
          )
          assert.deepEqual(erasedIn(held.store, author), [1, 2, 5, 9, 12, 14])
          deliver(held.store, all)
          assert.deepEqual(erasedIn(held.store, author), [1, 2, 5, 9, 12, 14], 'nothing comes back')
          const bytes = held.store.get(
            'SELECT (SELECT bytes FROM feeds) AS counted, (SELECT sum(length(records)) FROM runs) AS held'
          )!
          assert.equal(bytes.counted, bytes.held)
        }
      ),
      { numRuns: 60, endOnFailure: true }
    )
  })

  it('takes a post out of every list, and leaves its header', async () => {
    using held = temporaryStore()
    const author = new Author('eraser')
    want(held.store, author.key)
    const [root] = author.post('root')
    const cid = entryCid(idAt(root, 0))
    const [run] = author.write({
      type: 'post',
      text: 'secret words',
      tags: ['secret'],
      root: cid,
      reply: cid,
      expires: 9e12
    })
    held.store.ingest([root, run])
    await indexed(held.store)
    assert.equal(entriesByTag(held.store, 'secret', { limit: 9 }).length, 1)
    held.store.ingest(author.write({ type: 'erase', seq: [2] }))
    await indexed(held.store)
    assert.deepEqual(entriesByTag(held.store, 'secret', { limit: 9 }), [])
    assert.deepEqual(entriesByWords(held.store, 'secret', { limit: 9 }), [])
    assert.deepEqual([...linksTo(held.store, idAt(root, 0), 'root')], [])
    assert.deepEqual(
      timeline(held.store, { limit: 9 }).map(({ seq }) => seq),
      [3, 1]
    )
    assert.equal(held.store.get('SELECT count(*) AS n FROM expiries')!.n, 0)
    assert.equal(entryById(held.store, idAt(run, 0))?.body, undefined)
    assert.equal(entryById(held.store, idAt(run, 0))?.seq, 2)
  })

  it('cannot name later entries, itself or other feeds, and odd values in it do nothing', () => {
    using held = temporaryStore()
    const [author, other] = [new Author('eraser'), new Author('other')]
    want(held.store, author.key, other.key)
    held.store.ingest(other.post('stays'))
    held.store.ingest([
      ...author.post('a'),
      ...author.write({ type: 'erase', seq: [2, 3, 4_294_967_295] }),
      ...author.post('b')
    ])
    assert.deepEqual(erasedIn(held.store, author), [])
    assert.deepEqual(erasedIn(held.store, other), [])
  })

  it('costs little when it is repeated thousands of times', () => {
    using held = temporaryStore()
    const author = new Author('eraser')
    want(held.store, author.key)
    held.store.ingest(author.writeSingly(...texts(500).map((text) => ({ type: 'post', text }))))
    const seq = texts(500).map((_, i) => i + 1)
    held.store.ingest(author.write({ type: 'erase', seq }))
    const before = held.store.get('SELECT total_changes() AS n')!.n as number
    held.store.ingest(author.write(...texts(64).map(() => ({ type: 'erase', seq }))))
    const changes = (held.store.get('SELECT total_changes() AS n')!.n as number) - before
    assert.ok(changes < 200, `${changes} rows written`)
  })

  it('is told to the author once it was obeyed, also when the feed was fetched from its newest down', async () => {
    using mine = temporaryStore()
    using theirs = temporaryStore()
    const author = new Author('eraser')
    mine.store.own(author.key.publicKey)
    mine.store.ingest([
      ...author.post(...texts(100)),
      ...author.write({ type: 'erase', seq: [1, 2, 3] }),
      ...author.post(...texts(300))
    ])
    want(theirs.store, author.key)
    const link = connect(mine.store, theirs.store, { bob: { peerFeed: () => author.key.publicKey } })
    const { num } = mine.store.feed(author.key.publicKey)!
    await until(
      () => [1, 2, 3].every((seq) => holdersThatErased(mine.store, placeOf(num, seq)) === 1),
      'the author knows'
    )
    assert.equal(holdersThatErased(mine.store, placeOf(num, 4)), 0)
    await link.close()
  })

  it('counts a holder once, and only for what was to be erased', () => {
    using held = temporaryStore()
    const author = new Author('eraser')
    const feed = held.store.own(author.key.publicKey)
    held.store.ingest([...author.post('a', 'b'), ...author.write({ type: 'erase', seq: [1] })])
    for (const holder of ['x', 'x', 'y']) noteErasedAt(held.store, feed, holder, [1, 2, 99])
    assert.deepEqual(
      [1, 2, 99].map((seq) => holdersThatErased(held.store, placeOf(feed.num, seq))),
      [2, 0, 0]
    )
    assert.deepEqual(erasuresOf(held.store, held.store.feed(author.key.publicKey)!), [1])
  })
})

describe('a body that expires', () => {
  it('goes when its time has come, once, and not before', async () => {
    using held = temporaryStore()
    const author = new Author('short')
    want(held.store, author.key)
    held.store.ingest(
      author.write({ type: 'post', text: 'gone soon', expires: 1_000 }, { type: 'post', text: 'stays' })
    )
    await indexed(held.store)
    assert.equal(eraseExpired(held.store, 999), 0)
    assert.equal(eraseExpired(held.store, 1_000), 1)
    assert.equal(eraseExpired(held.store, 1_000), 0)
    assert.deepEqual(erasedIn(held.store, author), [1])
  })
})

describe('making room', () => {
  const hold = async (store: FeedStore, bytes: number, farBytes = bytes): Promise<void> => {
    const trimmer = new Trimmer(store, { bytes, ofPriority: { 2: farBytes } })
    await trimmer.catchUp()
    await trimmer.stop()
  }

  const fill = (store: FeedStore) => {
    const authors = Object.fromEntries(['own', 'near', 'far', 'whole'].map((name) => [name, new Author(name)]))
    store.own(authors.own.key.publicKey)
    store.setWanted([
      { feed: authors.near.key.publicKey, priority: 1 },
      { feed: authors.far.key.publicKey, priority: 2 },
      { feed: authors.whole.key.publicKey, priority: 2, isWhole: true }
    ])
    for (const author of Object.values(authors)) {
      const runs = author.writeSingly(
        ...texts(128, 'a long enough text to be worth erasing').map((text) => ({ type: 'post', text }))
      )
      store.ingest(cut(runs, [16]))
    }
    return authors
  }
  const bytesOf = (store: FeedStore) =>
    usageByPriority(store).reduce((sum, { priority, bytes }) => sum + (priority === 0 ? 0 : bytes), 0)

  it('erases what is furthest away first and the oldest of it, and no more than is needed', async () => {
    using held = temporaryStore()
    const { own, near, far, whole } = fill(held.store)
    const before = bytesOf(held.store)
    await hold(held.store, before - 100)
    assert.deepEqual(
      erasedIn(held.store, far),
      Array.from({ length: 16 }, (_, i) => i + 1)
    )
    await hold(held.store, before - 5_000)
    assert.ok(bytesOf(held.store) <= before - 5_000)
    assert.deepEqual(
      [own, near, whole].map((author) => erasedIn(held.store, author).length),
      [0, 0, 0]
    )
  })

  it('never erases own bodies, nor in feeds that must stay whole, and ends', async () => {
    using held = temporaryStore()
    const { own, near, far, whole } = fill(held.store)
    await hold(held.store, 0)
    assert.deepEqual(
      [near, far, own, whole].map((author) => erasedIn(held.store, author).length),
      [128, 128, 0, 0]
    )
    assert.equal(held.store.feed(near.key.publicKey)!.height, 128)
  })

  it('holds what is far away to its own share', async () => {
    using held = temporaryStore()
    const { near, far } = fill(held.store)
    await hold(held.store, 1e9, 0)
    assert.deepEqual(
      [near, far].map((author) => erasedIn(held.store, author).length),
      [0, 128]
    )
  })

  it('deletes feeds that are not wanted before it erases anything', async () => {
    using held = temporaryStore()
    const { near, far } = fill(held.store)
    held.store.setWanted([{ feed: near.key.publicKey, priority: 1 }])
    await hold(held.store, held.store.feed(near.key.publicKey)!.bytes)
    assert.equal(held.store.feed(far.key.publicKey)!.height, 0)
    assert.deepEqual(erasedIn(held.store, near), [])
  })
})
