import assert from 'node:assert/strict'
import { encodeGossip, judgeGossip, MAX_GOSSIP_BODY, topicName, topicSecret } from '../../src/feeds/gossip.ts'
import { type CheckedRun, entriesOf } from '../../src/feeds/run.ts'
import { ENDLESS_ROOM } from '../../src/feeds/store/room.ts'
import { entriesBetween } from '../../src/feeds/store/reader.ts'
import type { FeedStore } from '../../src/feeds/store/store.ts'
import { Author, keyOf, temporaryStore, texts, want } from '../support/feeds.ts'

const LONG = 'x'.repeat(MAX_GOSSIP_BODY)

function judge(store: FeedStore, author: Author, run: CheckedRun) {
  const { verdict, pull } = judgeGossip(store, author.key.publicKey, encodeGossip(run))
  return { verdict, pull: pull?.height }
}

/** A store that wants an author's feed and holds the first three of five entries. */
function setup() {
  const author = new Author('carol')
  const runs = author.writeSingly(...texts(5).map((text) => ({ type: 'post', text })))
  const held = temporaryStore()
  want(held.store, author.key)
  held.store.ingest(runs.slice(0, 3))
  return { author, runs, store: held.store, [Symbol.dispose]: () => held[Symbol.dispose]() }
}

function makeOld(store: FeedStore): void {
  store.run('UPDATE runs SET arrived_ms = arrived_ms - 200000')
}

describe('a gossip message', () => {
  it('that is next in its chain is stored and passed on', () => {
    using test = setup()
    assert.deepEqual(judge(test.store, test.author, test.runs[3]), { verdict: 'accept', pull: undefined })
    assert.equal(test.store.feed(test.author.key.publicKey)!.height, 4)
  })

  it('that was stored a moment ago is passed on, and later no more', () => {
    using test = setup()
    assert.equal(judge(test.store, test.author, test.runs[2]).verdict, 'accept')
    makeOld(test.store)
    assert.equal(judge(test.store, test.author, test.runs[2]).verdict, 'ignore')
  })

  it('of somebody else is let pass where there is no room for it, and stored when there is', () => {
    using test = setup()
    test.store.room = { ...ENDLESS_ROOM, isLeft: false }
    assert.deepEqual(judge(test.store, test.author, test.runs[3]), { verdict: 'ignore', pull: undefined })
    assert.deepEqual(judge(test.store, test.author, test.runs[4]), { verdict: 'ignore', pull: undefined })
    assert.equal(test.store.feed(test.author.key.publicKey)!.height, 3)
    test.store.room = ENDLESS_ROOM
    assert.equal(judge(test.store, test.author, test.runs[3]).verdict, 'accept')
  })

  it('with a gap before it is passed on, and pulled', () => {
    using test = setup()
    assert.deepEqual(judge(test.store, test.author, test.runs[4]), { verdict: 'accept', pull: 5 })
    assert.equal(test.store.feed(test.author.key.publicKey)!.height, 3)
  })

  it('of a feed of which nothing is here is passed on, and pulled', () => {
    using held = temporaryStore()
    const author = new Author('carol')
    want(held.store, author.key)
    const [first, second] = author.writeSingly({ type: 'post', text: 'a' }, { type: 'post', text: 'b' })
    assert.deepEqual(judge(held.store, author, second), { verdict: 'accept', pull: 2 })
    assert.deepEqual(judge(held.store, author, first), { verdict: 'accept', pull: undefined })
  })

  it('without its body is passed on, and pulled; never stored without it', () => {
    using test = setup()
    test.store.ingest(test.runs.slice(3))
    const [run] = test.author.post(LONG)
    assert.ok(encodeGossip(run).length < 200)
    assert.deepEqual(judge(test.store, test.author, run), { verdict: 'accept', pull: 6 })
    assert.equal(test.store.feed(test.author.key.publicKey)!.height, 5)
  })

  it('without its body that came by sync a moment before is passed on too, and its body stays', () => {
    using test = setup()
    const [run] = test.author.post(LONG)
    test.store.ingest([...test.runs.slice(3), run])
    assert.equal(judge(test.store, test.author, run).verdict, 'accept')
    makeOld(test.store)
    assert.equal(judge(test.store, test.author, run).verdict, 'ignore')
    assert.notEqual(entriesBetween(test.store, test.store.feed(test.author.key.publicKey)!, 6, 6)[0].body, undefined)
  })

  it('below what is here and without its body is ignored', () => {
    using held = temporaryStore()
    const author = new Author('carol')
    want(held.store, author.key)
    const runs = author.writeSingly(...[LONG, LONG, 'c'].map((text) => ({ type: 'post', text })))
    held.store.ingest([runs[2]])
    assert.equal(judge(held.store, author, runs[1]).verdict, 'ignore')
    assert.equal(held.store.feed(author.key.publicKey)!.low, 3)
  })

  it('of a feed that is not wanted is ignored', () => {
    using held = temporaryStore()
    const author = new Author('carol')
    assert.equal(judge(held.store, author, author.post('a')[0]).verdict, 'ignore')
  })

  it('under the topic of another feed is rejected', () => {
    using test = setup()
    assert.equal(judgeGossip(test.store, keyOf('dave').publicKey, encodeGossip(test.runs[3])).verdict, 'reject')
  })

  it('that is not valid is rejected, wherever a byte was changed', () => {
    using test = setup()
    const good = encodeGossip(test.runs[3])
    for (let at = 0; at < good.length; at += 5) {
      const bad = Uint8Array.from(good)
      bad[at] ^= 0x10
      assert.equal(judgeGossip(test.store, test.author.key.publicKey, bad).verdict, 'reject', `byte ${at}`)
    }
    for (const length of [0, 1, 111, 175, good.length - 1])
      assert.equal(judgeGossip(test.store, test.author.key.publicKey, good.subarray(0, length)).verdict, 'reject')
    assert.equal(
      judgeGossip(test.store, test.author.key.publicKey, Buffer.concat([good, Buffer.alloc(5_000)])).verdict,
      'reject'
    )
    assert.equal(test.store.feed(test.author.key.publicKey)!.height, 3)
  })

  for (const text of ['short', LONG]) {
    it(`that contradicts what is stored proves the fork, also ${text === LONG ? 'without its body' : 'with its body'}, and is ignored then`, () => {
      using test = setup()
      const author = new Author('forked')
      want(test.store, author.key)
      const [first] = author.post('a')
      const clone = author.clone()
      test.store.ingest([first, ...author.post('b')])
      const [other] = clone.post(text)
      assert.equal(judge(test.store, author, other).verdict, 'ignore')
      assert.equal(test.store.feed(author.key.publicKey)!.frozen, 2)
      assert.equal(judge(test.store, author, clone.post('c')[0]).verdict, 'ignore')
      assert.deepEqual(judge(test.store, author, clone.post(LONG)[0]), { verdict: 'ignore', pull: undefined })
    })
  }

  it('that continues another branch is ignored, and the fork is looked for', () => {
    using test = setup()
    const author = new Author('forked')
    want(test.store, author.key)
    const clone = author.clone()
    test.store.ingest(author.post('a', 'b'))
    clone.post('x', 'y')
    assert.deepEqual(judge(test.store, author, clone.post('z')[0]), { verdict: 'ignore', pull: 3 })
  })
})

describe('a topic', () => {
  it('has another name each month, and none that tells the feed', () => {
    const feed = keyOf('carol').publicKey
    const names = ['2026-11-30T23:59:59Z', '2026-12-01T00:00:00Z', '2026-12-31T00:00:00Z'].map((time) =>
      topicName(topicSecret(feed), feed, Date.parse(time))
    )
    assert.notEqual(names[0], names[1])
    assert.equal(names[1], names[2])
    assert.ok(!names[0].includes(Buffer.from(feed).toString('hex').slice(0, 8)))
  })

  it('carries the last entry of a run', () => {
    const [run] = new Author('carol').post('a', 'b')
    assert.deepEqual(Uint8Array.from(encodeGossip(run).subarray(34, 38)), Uint8Array.of(0, 0, 0, 2))
    assert.equal(entriesOf(run).length, 2)
  })
})
