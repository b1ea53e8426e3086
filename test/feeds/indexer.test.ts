import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blobCid } from '../../src/blobs/index.ts'
import { type Body, sha256 } from '../../src/feeds/index.ts'
import { Indexer } from '../../src/feeds/store/indexer.ts'
import { blobsOfPosts, entriesByTag, timeline } from '../../src/feeds/store/reader.ts'
import { FeedStore } from '../../src/feeds/store/store.ts'
import { Author, temporaryStore, texts, until, want } from '../support/feeds.ts'

describe('the indexer', () => {
  it('goes on after a crash between two slices, and misses nothing', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'comrade-indexer-'))
    const author = new Author('carol')
    try {
      let store = FeedStore.open(join(directory, 'feeds.sqlite'))
      want(store, author.key)
      store.ingest(author.writeSingly(...texts(300).map((text) => ({ type: 'post', text }))))
      for (let crashes = 0; crashes < 5; crashes++) {
        const indexer = new Indexer(store)
        const behind = indexer.behind
        void indexer.catchUp() // its first slice is done when it gives way
        assert.ok(indexer.behind < behind && indexer.behind > 0)
        indexer.stop()
        store.database.close() // as when the process is killed
        store = FeedStore.open(join(directory, 'feeds.sqlite'))
      }
      const indexer = new Indexer(store)
      await indexer.catchUp()
      assert.equal(indexer.behind, 0)
      assert.equal(timeline(store, { limit: 1_000 }).length, 300)
      indexer.stop()
      store.close()
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('indexes what arrives by itself', async () => {
    using held = temporaryStore()
    const author = new Author('carol')
    want(held.store, author.key)
    const indexer = new Indexer(held.store)
    held.store.ingest(author.post(...texts(400)))
    await until(() => indexer.behind === 0, 'bulk is indexed')
    held.store.ingest(author.post('single'))
    await until(() => timeline(held.store, { limit: 999 }).length === 401, 'and single entries')
    indexer.stop()
  })

  it('is not ended by a failing store, and gives no type the number of another', async () => {
    using held = temporaryStore()
    const author = new Author('carol')
    want(held.store, author.key)
    held.store.ingest(author.write({ type: 'first' }))
    held.store.database.exec(
      "CREATE TRIGGER broken BEFORE INSERT ON meta WHEN new.key = 'indexed' BEGIN SELECT raise(ABORT, 'no'); END"
    )
    const indexer = new Indexer(held.store)
    await new Promise((resolve) => setTimeout(resolve, 20)) // it tries, and would end the process if it threw
    await assert.rejects(indexer.catchUp())
    held.store.database.exec("DROP TRIGGER broken; INSERT INTO types (name) VALUES ('other')")
    held.store.ingest(author.write({ type: 'second' }))
    await indexer.catchUp()
    for (const [type, count] of [
      ['first', 1],
      ['second', 1],
      ['other', 0]
    ] as const)
      assert.equal(timeline(held.store, { types: [type], limit: 9 }).length, count, type)
    indexer.stop()
  })

  it('keeps a hostile author from filling its tables with types and tags, and still lists what it knows', async () => {
    using held = temporaryStore()
    const [hostile, honest] = [new Author('mallory'), new Author('carol')]
    want(held.store, hostile.key, honest.key)
    held.store.ingest(hostile.write(...texts(3_000, 'type').map((type) => ({ type }))))
    held.store.ingest(hostile.write({ type: 'post', text: 'tags', tags: texts(3_000, 'tag') }))
    held.store.ingest(honest.write({ type: 'reaction-like' }, { type: 'post', text: 'hello', tags: ['tag 3'] }))
    const indexer = new Indexer(held.store)
    await indexer.catchUp()
    indexer.stop()
    assert.ok(Number(held.store.get('SELECT count(*) AS n FROM types')!.n) <= 1_100)
    assert.ok(Number(held.store.get('SELECT count(*) AS n FROM tags')!.n) <= 100)
    assert.equal(timeline(held.store, { types: ['post'], limit: 9 }).length, 2)
    assert.equal(entriesByTag(held.store, 'tag 3', { limit: 9 }).length, 2)
  })

  it('lists types that it does not know, whatever they are called', async () => {
    using held = temporaryStore()
    const author = new Author('carol')
    want(held.store, author.key)
    held.store.ingest(author.write({ type: '__proto__', constructor: 1 }, { type: 'unknown', text: 5 }))
    const indexer = new Indexer(held.store)
    await indexer.catchUp()
    indexer.stop()
    assert.equal(timeline(held.store, { types: ['__proto__'], limit: 9 }).length, 1)
    assert.equal(timeline(held.store, { limit: 9 }).length, 2)
  })

  it('gives no file of a post the number of one that is gone', async () => {
    using held = temporaryStore()
    const author = new Author('carol')
    want(held.store, author.key)
    const indexer = new Indexer(held.store)
    const withFile = (text: string): Body => ({ type: 'post', text, blobs: [blobCid(sha256(Buffer.from(text)))] })
    held.store.ingest(author.write(withFile('a')))
    await indexer.catchUp()
    const [{ num }] = blobsOfPosts(held.store)
    held.store.ingest(author.write({ type: 'erase', seq: [1] }, withFile('b')))
    await indexer.catchUp()
    indexer.stop()
    assert.equal(blobsOfPosts(held.store).length, 1)
    assert.equal(blobsOfPosts(held.store, num).length, 1, 'whoever goes on from the first one finds it')
  })
})
