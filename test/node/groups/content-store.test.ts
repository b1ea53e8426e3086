import assert from 'node:assert/strict'
import { Vault } from '../../../src/node/vault.ts'
import { ContentStore, MAX_SEALED_PER_FEED } from '../../../src/node/groups/content-store.ts'
import { GroupStore } from '../../../src/node/groups/group-store.ts'
import { temporaryStore } from '../../support/feeds.ts'

const VAULT = new Vault(new Uint8Array(32))

const head = new Uint8Array(25)
const placeOf = (feed: number, seq: number) => feed * 2 ** 32 + seq
const name = 'ab'.repeat(32)

describe('what is kept of posts to groups', () => {
  it('has room for so many sealed entries of one feed, of the newest ones, and takes nothing from others', () => {
    using held = temporaryStore()
    new GroupStore(held.store, VAULT).add(new Uint8Array(32))
    const content = new ContentStore(held.store, VAULT)
    const sealed = (feed: number, count: number) =>
      Array.from({ length: count }, (_, seq) => ({ place: placeOf(feed, seq + 1), head }))
    content.addFound(7, { posts: [], sealed: sealed(7, 10) })
    content.addFound(8, { posts: [], sealed: sealed(8, MAX_SEALED_PER_FEED + 100) })
    assert.equal(content.sealedIn(7).length, 10)
    const kept = content.sealedIn(8)
    assert.equal(kept.length, MAX_SEALED_PER_FEED)
    assert.equal(kept[0].place, placeOf(8, MAX_SEALED_PER_FEED + 100))
    content.addFound(8, { posts: [{ place: kept[0].place, num: 1, name, timeMs: 1 }], sealed: [] })
    assert.equal(content.sealedIn(8).length, MAX_SEALED_PER_FEED - 1)
  })

  it('keeps nothing of entries that a feed has let go', () => {
    using held = temporaryStore()
    const num = new GroupStore(held.store, VAULT).add(new Uint8Array(32))
    const content = new ContentStore(held.store, VAULT)
    const post = (feed: number, seq: number) => ({
      ...{ place: placeOf(feed, seq), num, name, timeMs: seq },
      blobs: [Buffer.alloc(32, seq)]
    })
    for (const feed of [5, 6]) {
      content.addFound(feed, { posts: [1, 2, 3].map((seq) => post(feed, seq)), sealed: [] }, { low: 1, high: 3 })
      content.addFound(feed, { posts: [], sealed: [{ place: placeOf(feed, 4), head }] })
    }
    content.addFound(6, { posts: [post(6, 6)], sealed: [] }, { low: 1, high: 6 }, 5)
    const kept = [...[3, 2, 1].map((seq) => placeOf(5, seq)), placeOf(6, 6)].toSorted((a, b) => a - b)
    const places = (found: readonly { place: number }[]) => found.map(({ place }) => place).toSorted((a, b) => a - b)
    assert.deepEqual(places(content.posts(num, { limit: 10 })), kept)
    assert.deepEqual(places(content.files({ after: 0, limit: 10 })), kept)
    assert.deepEqual([content.sealedIn(5).length, content.sealedIn(6).length], [1, 0])
  })

  it('is listed by time, then place, in pages, and for some feeds only', () => {
    using held = temporaryStore()
    const num = new GroupStore(held.store, VAULT).add(new Uint8Array(32))
    const content = new ContentStore(held.store, VAULT)
    const posts = [3, 1, 2, 2].map((timeMs, i) => ({ place: placeOf(5 + (i % 2), i + 1), num, name, timeMs }))
    content.addFound(5, { posts, sealed: [] }, { low: 1, high: 4 })
    const all = content.posts(num, { limit: 10 })
    assert.deepEqual(
      all.map(({ timeMs }) => timeMs),
      [3, 2, 2, 1]
    )
    const [first, second, third] = all
    assert.ok(second.place > third.place)
    assert.deepEqual(content.posts(num, { limit: 1, before: first }), [second])
    assert.deepEqual(content.posts(num, { limit: 10, feeds: new Set([6]) }).length, 2)
    assert.deepEqual(content.read(5), { low: 1, high: 4 })
    content.forgetProgress()
    assert.equal(content.read(5), undefined)
  })

  it('goes with its group', () => {
    using held = temporaryStore()
    const groups = new GroupStore(held.store, VAULT)
    const num = groups.add(new Uint8Array(32))
    const content = new ContentStore(held.store, VAULT)
    content.addSecrets(num, [{ name, secret: new Uint8Array(32) }])
    content.addFound(5, { posts: [{ place: placeOf(5, 1), num, name, timeMs: 1, root: head }], sealed: [] })
    assert.deepEqual([content.secrets(num).length, content.postsInThread(num, head, 10).length], [1, 1])
    groups.remove(num)
    assert.deepEqual([content.secrets(num), content.posts(num, { limit: 10 })], [[], []])
    assert.equal(content.post(placeOf(5, 1)), undefined)
  })

  it('gives no file the number of one that is gone', () => {
    using held = temporaryStore()
    const num = new GroupStore(held.store, VAULT).add(new Uint8Array(32))
    const content = new ContentStore(held.store, VAULT)
    const add = (seq: number) => {
      const post = { place: placeOf(5, seq), num, name, timeMs: seq, blobs: [new Uint8Array(32).fill(seq)] }
      content.addFound(5, { posts: [post], sealed: [] })
    }
    add(1)
    const after = content.lastFile()
    content.forgetFiles(placeOf(5, 1))
    add(2)
    assert.equal(content.files({ after, limit: 9 }).length, 1, 'whoever goes on from the first one finds it')
  })
})
