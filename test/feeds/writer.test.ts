import assert from 'node:assert/strict'
import { encodeBody, MAX_BODY_SIZE } from '../../src/feeds/body.ts'
import { FeedError } from '../../src/feeds/errors.ts'
import { checkRun, idAt } from '../../src/feeds/run.ts'
import { sayPause } from '../../src/feeds/sentences.ts'
import { entriesBetween } from '../../src/feeds/store/reader.ts'
import { FeedWriter, MAX_BATCH } from '../../src/feeds/writer.ts'
import { Author, keyOf, temporaryStore, texts, until } from '../support/feeds.ts'

const code = (expected: string) => (error: unknown) => error instanceof FeedError && error.code === expected
const bodies = (count: number, word = 'own') => texts(count, word).map((text) => encodeBody({ type: 'post', text }))

function setup() {
  const held = temporaryStore()
  const writer = new FeedWriter(held.store, keyOf('me'))
  return {
    writer,
    store: held.store,
    [Symbol.dispose]() {
      writer.close()
      held[Symbol.dispose]()
    }
  }
}

describe('a feed writer', () => {
  it('gives consecutive seqs to calls that come together, and commits them together', async () => {
    using test = setup()
    let commits = 0
    test.store.events.on('extended', () => commits++)
    const calls = await Promise.all(
      Array.from({ length: 20 }, (_, i) => test.writer.append(bodies(i % 3 === 0 ? 3 : 1)))
    )
    const seqs = calls.flat().map(({ seq }) => seq)
    assert.deepEqual(
      seqs,
      Array.from({ length: seqs.length }, (_, i) => i + 1)
    )
    assert.equal(commits, 1)
    const entries = entriesBetween(test.store, test.writer.feed, 1, 99)
    assert.deepEqual(
      entries.map(({ id }) => Buffer.from(id)),
      calls.flat().map(({ id }) => Buffer.from(id))
    )
  })

  it('signs at least every 64th entry and the head, in runs that anybody may check', async () => {
    using test = setup()
    await test.writer.append(bodies(150))
    const rows = test.store.rows(test.writer.feed, 1, 150)
    assert.deepEqual(
      rows.map(({ count }) => count),
      [64, 64, 22]
    )
    for (const row of rows) checkRun(row)
    await test.writer.append(
      Array.from({ length: 10 }, () => encodeBody({ type: 'blob', data: new Uint8Array(65_000) }))
    )
    for (const row of test.store.rows(test.writer.feed, 151, 160)) checkRun(row)
  })

  it('refuses a body that no peer would take, and too many at once', async () => {
    using test = setup()
    assert.throws(() => test.writer.append([new Uint8Array(MAX_BODY_SIZE + 1)]), code('BODY_TOO_LARGE'))
    assert.throws(() => test.writer.append([new Uint8Array(300_000)]), code('BODY_TOO_LARGE'))
    assert.throws(
      () => test.writer.append(bodies(1).concat(Array.from({ length: MAX_BATCH }, () => new Uint8Array(1)))),
      RangeError
    )
    assert.deepEqual(await test.writer.append([]), [])
    await test.writer.append(bodies(1))
    assert.equal(test.writer.feed.height, 1)
  })

  it('stores all of a call or none when the store fails, and goes on afterwards', async () => {
    using test = setup()
    await test.writer.append(bodies(1))
    test.store.database.exec(
      "CREATE TRIGGER broken BEFORE INSERT ON runs WHEN new.count < 64 BEGIN SELECT raise(ABORT, 'no'); END"
    )
    await assert.rejects(test.writer.append(bodies(100)), code('STORE_IO'))
    assert.equal(test.writer.feed.height, 1)
    test.store.database.exec('DROP TRIGGER broken')
    const [first] = await test.writer.append(bodies(100))
    assert.equal(first.seq, 2)
  })

  it('does not sign while it is paused', async () => {
    using test = setup()
    test.writer.pause(sayPause('pause.behind', { theirs: 2, ours: 1 }))
    await assert.rejects(test.writer.append(bodies(1)), code('SIGNING_PAUSED'))
    test.writer.resume()
    assert.equal((await test.writer.append(bodies(1)))[0].seq, 1)
  })

  it('does not sign any more once its feed was forked', async () => {
    using test = setup()
    const author = new Author('me')
    const clone = author.clone()
    test.store.ingest(author.post('a'))
    test.store.ingest(clone.post('b'))
    assert.equal(test.writer.feed.frozen, 1)
    await assert.rejects(test.writer.append(bodies(1)), code('FEED_FROZEN'))
  })

  it('waits while a peer holds more of the feed, until that is here', async () => {
    using test = setup()
    const author = new Author('me')
    const [first, second] = author.writeSingly({ type: 'post', text: 'a' }, { type: 'post', text: 'b' })
    test.store.events.emit('ownAhead', { feed: test.writer.feed, height: 2 })
    await assert.rejects(test.writer.append(bodies(1)), code('SIGNING_PAUSED'))
    test.store.ingest([first])
    await assert.rejects(test.writer.append(bodies(1)), code('SIGNING_PAUSED'))
    test.store.ingest([second])
    const [own] = await test.writer.append(bodies(1))
    assert.equal(own.seq, 3)
    assert.equal(Buffer.compare(entriesBetween(test.store, test.writer.feed, 3, 3)[0].prev, idAt(second, 0)), 0)
  })

  it('settles every call that waits when it is closed', async () => {
    using test = setup()
    const waiting = test.writer.append(bodies(2))
    test.writer.close()
    assert.equal((await waiting).length, 2)
    await until(() => test.writer.feed.height === 2, 'stored')
  })
})
