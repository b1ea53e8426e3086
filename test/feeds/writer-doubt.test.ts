// Peers' bare word that they hold more of an own feed than this store: waited for, but not for ever.
import assert from 'node:assert/strict'
import { encodeBody } from '../../src/feeds/body.ts'
import { FeedWriter } from '../../src/feeds/writer.ts'
import { Author, temporaryStore } from '../support/feeds.ts'

const MAX_SEQ = 2 ** 32 - 1

describe('the writer of a feed of which peers claim to hold more', () => {
  it('is not kept from signing by those who never give what they claim', async () => {
    using held = temporaryStore()
    let nowMs = 1_000
    const writer = new FeedWriter(held.store, new Author('alice').key, { now: () => nowMs })
    const claim = (): boolean => held.store.events.emit('ownAhead', { feed: writer.feed, height: MAX_SEQ })
    for (let claims = 0; claims < 8; claims++) {
      claim()
      assert.match(writer.paused!.text, /contacts hold/)
      nowMs += 9_000
      claim() // said again, it does not last longer
      nowMs += 1_000
      assert.equal(writer.paused, undefined)
    }
    claim()
    const [{ seq }] = await writer.append([encodeBody({ type: 'post', text: 'at last' })])
    assert.equal(seq, 1)
  })

  it('waits long for the rest once some of it came: then this store is an older copy', () => {
    using held = temporaryStore()
    let nowMs = 1_000
    const author = new Author('alice')
    const writer = new FeedWriter(held.store, author.key, { now: () => nowMs })
    held.store.events.emit('ownAhead', { feed: writer.feed, height: 3 })
    held.store.ingest(author.post('one'))
    nowMs += 60_000
    assert.match(writer.paused!.text, /hold 3 entries of this feed and this store 1/)
    held.store.ingest(author.post('two', 'three'))
    assert.equal(writer.paused, undefined)
  })
})
