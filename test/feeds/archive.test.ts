import assert from 'node:assert/strict'
import { ARCHIVE_MAGIC, exportFeeds, importFeeds, packFeed, unpackFeed } from '../../src/feeds/archive.ts'
import { FeedError } from '../../src/feeds/errors.ts'
import type { FeedStore } from '../../src/feeds/store/store.ts'
import { Author, contentsOf, keyOf, temporaryStore, texts, want } from '../support/feeds.ts'

const code = (expected: string) => (error: unknown) => error instanceof FeedError && error.code === expected

function archiveOf(store: FeedStore): Buffer {
  return Buffer.concat([...exportFeeds(store, store.wantedFeeds())].map(({ chunk }) => chunk))
}

async function* chunksOf(bytes: Uint8Array, size = bytes.length + 1): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

describe('an archive of feeds', () => {
  it('brings everything to another store, whatever chunks it is read in', async () => {
    using from = temporaryStore()
    const authors = [new Author('ann'), new Author('ben')]
    want(from.store, ...authors.map(({ key }) => key))
    for (const author of authors) from.store.ingest(author.post(...texts(100)))
    const archive = archiveOf(from.store)
    for (const size of [archive.length, 1_000, 7]) {
      using to = temporaryStore()
      want(to.store, ...authors.map(({ key }) => key))
      assert.equal((await importFeeds(to.store, chunksOf(archive, size))).entries, 200)
      for (const { key } of authors) assert.deepEqual(contentsOf(to.store, key), contentsOf(from.store, key))
      assert.equal((await importFeeds(to.store, chunksOf(archive))).entries, 0, 'once more brings nothing')
    }
  })

  it('that is cut off at any byte leaves what came before, and says so', async () => {
    using from = temporaryStore()
    const author = new Author('ann')
    want(from.store, author.key)
    from.store.ingest(
      author.writeSingly({ type: 'post', text: 'a' }, { type: 'post', text: 'b' }, { type: 'post', text: 'c' })
    )
    const archive = archiveOf(from.store)
    const ends = [ARCHIVE_MAGIC.length]
    while (ends.at(-1)! < archive.length) ends.push(ends.at(-1)! + 4 + archive.readUInt32BE(ends.at(-1)))
    for (let length = 0; length < archive.length; length++) {
      using to = temporaryStore()
      want(to.store, author.key)
      const importing = importFeeds(to.store, chunksOf(archive.subarray(0, length)))
      if (ends.includes(length)) await importing
      else await assert.rejects(importing, code('ARCHIVE_FORMAT'))
      assert.equal(
        to.store.feed(author.key.publicKey)!.height,
        Math.max(0, ends.filter((end) => end <= length).length - 1),
        `cut at ${length}`
      )
    }
  })

  it('that was changed leaves what came before, and names what is wrong', async () => {
    using from = temporaryStore()
    const author = new Author('ann')
    want(from.store, author.key)
    from.store.ingest(author.writeSingly({ type: 'post', text: 'a' }, { type: 'post', text: 'b' }))
    const archive = archiveOf(from.store)
    archive[archive.length - 1] ^= 1
    using to = temporaryStore()
    want(to.store, author.key)
    await assert.rejects(importFeeds(to.store, chunksOf(archive)), FeedError)
    assert.equal(to.store.feed(author.key.publicKey)!.height, 1)
  })

  it('is refused when it is another kind of file, or says enormous sizes', async () => {
    using to = temporaryStore()
    const files = ['', 'x', 'not an archive of feeds at all', '\u0089PNG\r\n'].map((text) => Buffer.from(text))
    const sizes = [0, 2 ** 20, 0xffff_ffff].map((size) =>
      Buffer.concat([ARCHIVE_MAGIC, Uint8Array.of(size >>> 24, size >>> 16, size >>> 8, size), Buffer.alloc(99)])
    )
    const kinds = [
      Buffer.concat([ARCHIVE_MAGIC, Uint8Array.of(0, 0, 0, 1, 9)]),
      Buffer.concat([ARCHIVE_MAGIC, Uint8Array.of(0, 0, 0, 2, 1, 1)])
    ]
    for (const file of [...files, ...sizes, ...kinds])
      await assert.rejects(importFeeds(to.store, chunksOf(file)), code('ARCHIVE_FORMAT'), file.toString('hex', 0, 40))
  })

  it('brings nothing of feeds that are not wanted', async () => {
    using from = temporaryStore()
    const authors = [new Author('ann'), new Author('ben')]
    want(from.store, ...authors.map(({ key }) => key))
    for (const author of authors) from.store.ingest(author.post('a'))
    using to = temporaryStore()
    want(to.store, authors[1].key)
    assert.equal((await importFeeds(to.store, chunksOf(archiveOf(from.store)))).entries, 1)
    assert.equal(to.store.feed(authors[0].key.publicKey), undefined)
  })

  it('brings a feed, or the proof of its fork, that is wanted only because of what came before it', async () => {
    using from = temporaryStore()
    const [log, device] = [new Author('identity log'), new Author('device')]
    want(from.store, log.key, device.key)
    from.store.ingest(log.post('names the device'))
    const common = device.post('a')
    const clone = device.clone()
    from.store.ingest([...common, ...device.post('b')])
    from.store.ingest(clone.post('c'))
    using to = temporaryStore()
    want(to.store, log.key)
    to.store.events.on('extended', ({ feed }) => {
      if (Buffer.compare(feed.key, log.key.publicKey) === 0) want(to.store, device.key)
    })
    await importFeeds(to.store, chunksOf(archiveOf(from.store)))
    assert.deepEqual(contentsOf(to.store, device.key), contentsOf(from.store, device.key))
    assert.equal(to.store.feed(device.key.publicKey)!.frozen, 2)
  })

  it('does not bring back what its author erased', async () => {
    using from = temporaryStore()
    const author = new Author('ann')
    want(from.store, author.key)
    from.store.ingest(author.post('a', 'b'))
    const before = archiveOf(from.store)
    from.store.ingest(author.write({ type: 'erase', seq: [1] }))
    const after = contentsOf(from.store, author.key)
    await importFeeds(from.store, chunksOf(before))
    assert.deepEqual(contentsOf(from.store, author.key), after)
    using to = temporaryStore()
    want(to.store, author.key)
    await importFeeds(to.store, chunksOf(archiveOf(from.store)))
    await importFeeds(to.store, chunksOf(before))
    assert.deepEqual(contentsOf(to.store, author.key), after)
    assert.equal(to.store.feed(keyOf('nobody').publicKey), undefined)
  })
})

describe('a packed feed', () => {
  function setup() {
    const from = temporaryStore()
    const author = new Author('ann')
    want(from.store, author.key)
    const bodies = ['a', 'b', 'c'].map((text) => ({ type: 'post', text }))
    from.store.ingest(author.writeSingly(...bodies))
    const feed = from.store.feed(author.key.publicKey)!
    return { ...from, feed, packed: Buffer.from(packFeed(from.store, feed)), author }
  }

  it('comes back as runs that another store takes', () => {
    using test = setup()
    using to = temporaryStore()
    want(to.store, test.author.key)
    to.store.ingest(unpackFeed(test.packed))
    assert.deepEqual(contentsOf(to.store, test.author.key), contentsOf(test.store, test.author.key))
  })

  it('is refused when it is empty, cut off, changed anywhere, not from the beginning, in another order, or of two feeds', () => {
    using test = setup()
    const { packed } = test
    const size = 4 + packed.readUInt32BE(0)
    const [one, two, three] = [0, 1, 2].map((i) => packed.subarray(i * size, (i + 1) * size))
    using other = temporaryStore()
    const ben = new Author('ben')
    want(other.store, ben.key)
    other.store.ingest(ben.post('x'))
    const foreign = packFeed(other.store, other.store.feed(ben.key.publicKey)!)
    const wrong = [[], [two, three], [one, three], [one, two, one], [two, one], [one, foreign]].map((parts) =>
      Buffer.concat(parts)
    )
    for (let length = 1; length < size; length++) wrong.push(packed.subarray(0, length))
    for (let at = 0; at < size; at++) wrong.push(Buffer.from(packed.map((byte, i) => (i === at ? byte ^ 1 : byte))))
    for (const bytes of wrong) assert.throws(() => unpackFeed(bytes), FeedError)
  })

  it('is not made of a feed whose beginning is missing', () => {
    using test = setup()
    using to = temporaryStore()
    want(to.store, test.author.key)
    to.store.ingest(unpackFeed(test.packed).slice(1))
    assert.throws(() => packFeed(to.store, to.store.feed(test.author.key.publicKey)!), code('NOT_FOUND'))
  })
})
