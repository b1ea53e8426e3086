import assert from 'node:assert/strict'
import fc from 'fast-check'
import { entryCid } from '../../src/feeds/entry-id.ts'
import { FeedError } from '../../src/feeds/errors.ts'
import { decodeForkProof, encodeForkProof, type ForkProof, proveFork, verifyForkProof } from '../../src/feeds/fork.ts'
import { headersOf } from '../../src/feeds/run.ts'
import { Indexer } from '../../src/feeds/store/indexer.ts'
import { Author, cut, deliver, keyOf, temporaryStore, texts, want } from '../support/feeds.ts'

function fork(): { one: Author; proof: ForkProof } {
  const one = new Author('forked')
  one.post('common')
  const other = one.clone()
  const branches = [one.post('a', 'b'), other.post('c')].map(([run]) => ({
    headers: headersOf(run, 2),
    signature: run.signature
  }))
  return { one, proof: proveFork(one.key.publicKey, branches[0], branches[1]) }
}

describe('a proof of a fork', () => {
  it('survives encoding, and says where the feed forked', () => {
    const { proof } = fork()
    assert.equal(verifyForkProof(decodeForkProof(encodeForkProof(proof))), 2)
  })

  const mutations: [string, (proof: ForkProof) => ForkProof][] = [
    ['twice the same branch', ({ feed, branches: [a] }) => ({ feed, branches: [a, a] })],
    ['branches in the wrong order', ({ feed, branches: [a, b] }) => ({ feed, branches: [b, a] })],
    ['another feed', ({ branches }) => ({ feed: keyOf('other').publicKey, branches })],
    [
      'swapped signatures',
      ({ feed, branches: [a, b] }) => ({
        feed,
        branches: [
          { ...a, signature: b.signature },
          { ...b, signature: a.signature }
        ]
      })
    ],
    [
      'a header left out',
      ({ feed, branches }) => ({
        feed,
        branches: branches.map((branch) =>
          branch.headers.length > 1 ? { ...branch, headers: branch.headers.slice(1) } : branch
        ) as ForkProof['branches']
      })
    ]
  ]
  for (const [name, mutate] of mutations) {
    it(`is refused for ${name}`, () => {
      assert.throws(() => verifyForkProof(mutate(fork().proof)), FeedError)
    })
  }

  it('is refused when any byte was changed', () => {
    const bytes = encodeForkProof(fork().proof)
    for (let at = 0; at < bytes.length; at += 3) {
      const bad = Uint8Array.from(bytes)
      bad[at] ^= 0x20
      assert.throws(() => verifyForkProof(decodeForkProof(bad)), FeedError, `byte ${at}`)
    }
  })

  it('is refused for branches that follow different entries', () => {
    const author = new Author('forked')
    const clone = author.clone()
    author.post('a')
    clone.post('b')
    const branches = [author.post('c'), clone.post('d')].map(([run]) => ({
      headers: headersOf(run, 2),
      signature: run.signature
    }))
    assert.throws(
      () => verifyForkProof(proveFork(author.key.publicKey, branches[0], branches[1])),
      (error) => error instanceof FeedError && error.code === 'FORK_PROOF'
    )
  })
})

describe('a forked feed', () => {
  it('ends frozen where it forked, with a proof that holds, whatever comes in whatever order', () => {
    const shape = fc.record({
      at: fc.integer({ min: 0, max: 12 }),
      lengths: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
      sizes: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
    })
    fc.assert(
      fc.property(shape, fc.infiniteStream(fc.nat()), ({ at, lengths, sizes }, order) => {
        using held = temporaryStore()
        const author = new Author(`fork at ${at}`)
        want(held.store, author.key)
        const singles = (count: number, by: Author, word: string) =>
          by.writeSingly(...texts(count, word).map((text) => ({ type: 'post', text })))
        const common = singles(at, author, 'common')
        const clone = author.clone()
        const branches = [singles(lengths[0], author, 'one'), singles(lengths[1], clone, 'two')]
        const runs = branches.flatMap((branch, i) => [...cut([...common, ...branch], [sizes[i]]), ...branch])
        const keys = [...order.take(runs.length)]
        const shuffled = runs.map((run, i) => ({ run, key: keys[i] })).sort((a, b) => a.key - b.key)
        deliver(
          held.store,
          shuffled.map(({ run }) => run)
        )
        const feed = held.store.feed(author.key.publicKey)!
        assert.equal(feed.frozen, at + 1)
        assert.equal(verifyForkProof(decodeForkProof(held.store.forkProof(feed)!)), at + 1)
        assert.ok(feed.height <= at)
        deliver(held.store, common)
        assert.equal(held.store.feed(author.key.publicKey)!.height, at)
      }),
      { numRuns: 150, endOnFailure: true }
    )
  })

  it('leaves nothing by which its end could be found', async () => {
    using held = temporaryStore()
    const { store } = held
    const author = new Author('forked')
    want(store, author.key)
    store.ingest(author.post('common'))
    const clone = author.clone()
    const root = entryCid(keyOf('some id').publicKey)
    const mentions = ['did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK']
    const all = { text: 'all', root, reply: root, tags: ['tag'], mentions, blobs: [root], expires: 2 ** 42 }
    store.ingest(author.write({ type: 'post', ...all }, { type: 'reaction', to: root, emoji: '👍' }))
    const indexer = new Indexer(store)
    await indexer.catchUp()
    indexer.stop()
    const derived = ['timeline', 'links', 'reactions', 'tags', 'mentions', 'expiries', 'blobs']
    const count = (table: string): unknown =>
      store.get(`SELECT count(*) AS n FROM ${table} WHERE place & 0xffffffff > 1`)!.n
    for (const table of derived) assert.notEqual(count(table), 0, table)
    assert.deepEqual(store.ingest(clone.post('other')), [{ kind: 'frozen' }])
    for (const table of derived) assert.equal(count(table), 0, table)
  })
})
