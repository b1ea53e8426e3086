// Single entries of feeds that are not kept: what shows whose they are, and how many there may be.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { entryById } from '../../src/feeds/store/reader.ts'
import { MAX_STRAY_SIZE, packStray, Strays, unpackStray } from '../../src/feeds/store/strays.ts'
import { Author, temporaryStore, want } from '../support/feeds.ts'

describe('a single entry', () => {
  it('goes with what shows whose it is, wherever in a feed it stands, and with no text of others', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 150 }), fc.nat(), (count, at) => {
        using held = temporaryStore()
        const author = new Author('ann')
        want(held.store, author.key)
        held.store.ingest(author.post(...Array.from({ length: count }, (_, i) => `text ${i} of mine`)))
        const feed = held.store.feed(author.key.publicKey)!
        const id = held.store.idOf(feed, 1 + (at % count))!
        const entry = entryById(held.store, id)!
        const packed = packStray(held.store, entry)!
        assert.ok(packed.length <= MAX_STRAY_SIZE)
        const { body, seq, feed: by, time } = unpackStray(packed, 7, id)
        assert.deepEqual([seq, time], [entry.seq, entry.time])
        assert.ok(Buffer.from(entry.body!).equals(body!) && Buffer.from(entry.feed).equals(by))
        assert.equal(Buffer.from(packed).toString('latin1').split('of mine').length, 2)
      }),
      { numRuns: 30 }
    )
  })

  it('is refused with any bit changed, and in place of another one', () => {
    using held = temporaryStore()
    const author = new Author('ann')
    want(held.store, author.key)
    held.store.ingest(author.post('one', 'two', 'three'))
    const feed = held.store.feed(author.key.publicKey)!
    const [one, two] = [1, 2].map((seq) => held.store.idOf(feed, seq)!)
    const packed = packStray(held.store, entryById(held.store, one)!)!
    assert.throws(() => unpackStray(packed, 0, two), { code: 'RUN_FORMAT' })
    fc.assert(
      fc.property(fc.nat({ max: packed.length * 8 - 1 }), (bit) => {
        const changed = Uint8Array.from(packed)
        changed[bit >> 3] ^= 1 << (bit & 7)
        assert.throws(() => unpackStray(changed, 0, one))
      })
    )
    assert.throws(() => unpackStray(new Uint8Array(MAX_STRAY_SIZE + 1), 0, one), { code: 'RUN_FORMAT' })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => assert.throws(() => unpackStray(bytes, 0, one)))
    )
  })

  it('is kept for a week, or until it expires, and among few: the oldest go first', () => {
    using held = temporaryStore()
    using from = temporaryStore()
    const author = new Author('ann')
    want(from.store, author.key)
    const bodies = Array.from({ length: 300 }, () => ({ type: 'post', text: 'x'.repeat(65_000) }))
    from.store.ingest([
      ...author.write({ type: 'post', text: 'brief', expires: 5_000 }),
      ...author.writeSingly(...bodies)
    ])
    const feed = from.store.feed(author.key.publicKey)!
    const strays = new Strays(held.store)
    const keep = (seq: number, arrivedMs: number): Uint8Array => {
      const id = from.store.idOf(feed, seq)!
      const packed = packStray(from.store, entryById(from.store, id)!)!
      strays.add({ entry: unpackStray(packed, arrivedMs, id), packed, note: new Uint8Array() })
      return id
    }
    const brief = keep(1, 1_000)
    assert.ok(strays.get(brief, 4_999))
    assert.equal(strays.get(brief, 5_000), undefined)
    const old = keep(2, 0)
    assert.ok(strays.get(old, 7 * 86_400_000 - 1))
    assert.equal(strays.get(old, 7 * 86_400_000), undefined)
    for (let seq = 3; seq <= 301; seq++) keep(seq, 10)
    assert.equal(strays.get(old, 10), undefined)
    assert.ok(strays.get(from.store.idOf(feed, 301)!, 10))
    const { bytes } = held.store.get('SELECT sum(length(packed)) AS bytes FROM strays')!
    assert.ok(Number(bytes) <= 16_777_216)
    strays.tidy(8 * 86_400_000)
    assert.equal(held.store.get('SELECT count(*) AS n FROM strays')!.n, 0)
  })
})
