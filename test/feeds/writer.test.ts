// Writing an own feed: many calls at once, and when nothing is signed because the feed may have gone on elsewhere.
import assert from 'node:assert/strict'
import { encodeBody } from '../../src/feeds/body.ts'
import { FeedWriter, MAX_BATCH } from '../../src/feeds/writer.ts'
import { Author, temporaryStore } from '../support/feeds.ts'

const PAUSED = { code: 'SIGNING_PAUSED' }

function bodies(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => encodeBody({ type: 'post', text: `post ${i}` }))
}

describe('the writer of a feed', () => {
  it('gives calls that come together their seqs in the order of the calls', async () => {
    using held = temporaryStore('disk')
    const writer = new FeedWriter(held.store, new Author('alice').key)
    const appended = await Promise.all([1, 100, 0, 3].map((count) => writer.append(bodies(count))))
    assert.deepEqual(
      appended.map((entries) => [entries[0]?.seq, entries.at(-1)?.seq]),
      [
        [1, 1],
        [2, 101],
        [undefined, undefined],
        [102, 104]
      ]
    )
    assert.equal(writer.feed.height, 104)
    assert.throws(() => writer.append(bodies(MAX_BATCH + 1)), RangeError)
  })

  it('writes what was handed over before it is closed', async () => {
    using held = temporaryStore()
    const writer = new FeedWriter(held.store, new Author('alice').key)
    const appended = writer.append(bodies(2))
    writer.close()
    assert.equal((await appended).length, 2)
  })

  it('signs nothing while it is paused', async () => {
    using held = temporaryStore()
    const writer = new FeedWriter(held.store, new Author('alice').key)
    writer.pause('an older copy')
    await assert.rejects(writer.append(bodies(1)), { ...PAUSED, message: 'an older copy' })
    writer.resume()
    assert.equal((await writer.append(bodies(1)))[0].seq, 1)
  })

  it('waits for what a peer says it holds, and goes on when it is here', async () => {
    using held = temporaryStore()
    const author = new Author('alice')
    const writer = new FeedWriter(held.store, author.key)
    held.store.events.emit('ownAhead', { feed: writer.feed, height: 3 })
    await assert.rejects(writer.append(bodies(1)), PAUSED)
    held.store.ingest(author.post('one', 'two'))
    await assert.rejects(writer.append(bodies(1)), PAUSED)
    held.store.ingest(author.post('three'))
    assert.equal((await writer.append(bodies(1)))[0].seq, 4)
  })

  it('is not kept from signing by peers who claim what they never give', async () => {
    using held = temporaryStore()
    let nowMs = 1_000
    const writer = new FeedWriter(held.store, new Author('alice').key, { now: () => nowMs })
    for (let claims = 0; claims < 8; claims++) {
      held.store.events.emit('ownAhead', { feed: writer.feed, height: 2 ** 32 - 1 })
      assert.notEqual(writer.paused, undefined)
      nowMs += 9_000
      held.store.events.emit('ownAhead', { feed: writer.feed, height: 2 ** 32 - 1 }) // said again, it does not last longer
      nowMs += 1_000
      assert.equal(writer.paused, undefined)
    }
    held.store.events.emit('ownAhead', { feed: writer.feed, height: 2 ** 32 - 1 })
    assert.equal((await writer.append(bodies(1)))[0].seq, 1)
  })

  it('waits long for the rest once some of it came: then this store is an older copy', () => {
    using held = temporaryStore()
    let nowMs = 1_000
    const author = new Author('alice')
    const writer = new FeedWriter(held.store, author.key, { now: () => nowMs })
    held.store.events.emit('ownAhead', { feed: writer.feed, height: 3 })
    held.store.ingest(author.post('one'))
    nowMs += 60_000
    assert.match(writer.paused!, /hold 3 entries of this feed and this store 1/)
  })
})
