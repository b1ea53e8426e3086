// How entries were answered: counted by the store, told with each post, and not to be driven up by one author.
import assert from 'node:assert/strict'
import {
  type Body,
  entryById,
  entryCid,
  Indexer,
  linksTo,
  reactionsByFeed,
  repliesByFeed,
  type FeedStore
} from '../../src/feeds/index.ts'
import { idAt } from '../../src/feeds/run.ts'
import { Answers } from '../../src/node/answers.ts'
import { toFeedItem } from '../../src/node/feed-item.ts'
import type { GroupContent } from '../../src/node/groups/content.ts'
import { People } from '../../src/node/people.ts'
import { deviceAddBody, deviceRevokeBody } from '../../src/trust/index.ts'
import { Author, keyOf, temporaryStore, want } from '../support/feeds.ts'
import { Homes, befriend, reads } from '../support/node.ts'
import { until } from '../support/processes.ts'

const MANY = Number(process.env.REACTIONS ?? 5_000)

/** A store with a post of Ann's, which others answer. */
async function setup() {
  const held = temporaryStore()
  const { store } = held
  const root = keyOf('reader').publicKey
  const people = new People({ store, root, device: keyOf("reader's device").publicKey, mode: 'all', quota: 2 ** 40 })
  const indexer = new Indexer(store)
  const answers = new Answers({ store, people, groups: () => ({}) as GroupContent })
  const follow = (...authors: Author[]): void => want(store, ...authors.map(({ key }) => key))
  const ann = new Author('ann')
  follow(ann)
  const [run] = ann.post('who comes along?')
  store.ingest([run])
  const id = idAt(run, 0)
  return {
    store,
    people,
    follow,
    ann,
    id,
    to: entryCid(id),
    counts: async () => {
      await indexer.catchUp()
      const entry = entryById(store, id)!
      const { replies, reactions } = answers.counted(toFeedItem(entry, { people, blobs: { has: () => false } }), entry)
      return { replies, reactions: reactions?.map(({ emoji, count, isOwn }) => [emoji, count, isOwn]) }
    },
    [Symbol.dispose]() {
      indexer.stop()
      people.close()
      held[Symbol.dispose]()
    }
  }
}

function isEqual(feed: Uint8Array, { key }: Author): boolean {
  return Buffer.compare(feed, key.publicKey) === 0
}

function write(store: FeedStore, author: Author, ...bodies: Body[]): void {
  store.ingest(author.write(...bodies))
}

describe('answers to an entry', () => {
  it('are counted, each person once for an emoji', async () => {
    using held = await setup()
    const { store, to } = held
    const [bea, cid] = [new Author('bea'), new Author('cid')]
    held.follow(bea, cid)
    const like: Body = { type: 'reaction', to, emoji: '👍' }
    write(
      store,
      bea,
      like,
      like,
      { type: 'reaction', to, emoji: '🎉' },
      { type: 'post', text: 'me', reply: to, root: to }
    )
    write(store, cid, like, { type: 'post', text: 'me too', reply: to, root: to })
    assert.deepEqual(await held.counts(), {
      replies: 2,
      reactions: [
        ['👍', 2, false],
        ['🎉', 1, false]
      ]
    })
  })

  it('do not count any more when they were erased, or their author is blocked', async () => {
    using held = await setup()
    const { store, to, people } = held
    const [bea, cid] = [new Author('bea'), new Author('cid')]
    held.follow(bea, cid)
    const answers: Body[] = [
      { type: 'reaction', to, emoji: '👍' },
      { type: 'post', text: 'me', reply: to, root: to }
    ]
    write(store, bea, ...answers)
    write(store, cid, ...answers)
    assert.equal((await held.counts()).replies, 2)
    write(store, bea, { type: 'erase', seq: [1, 2] })
    assert.deepEqual(await held.counts(), { replies: 1, reactions: [['👍', 1, false]] })
    people.contacts.block(cid.key.publicKey)
    people.update()
    assert.deepEqual(await held.counts(), { replies: 0, reactions: [] })
  })

  it('do not count when they are by a device that was ended before', async () => {
    using held = await setup()
    const { store, to, people } = held
    const [root, device] = [new Author('carol'), new Author("carol's device")]
    people.contacts.follow(root.key.publicKey)
    people.update()
    store.ingest(root.write(deviceAddBody(root.key.publicKey, device.key, 'phone')))
    people.updateNow()
    const reply: Body = { type: 'post', text: 'me', reply: to, root: to }
    write(store, device, reply, { type: 'reaction', to, emoji: '👍' }, reply, { type: 'reaction', to, emoji: '🎉' })
    assert.equal((await held.counts()).replies, 2)
    store.ingest(root.write(deviceRevokeBody(device.key.publicKey, 2)))
    assert.deepEqual(await held.counts(), { replies: 1, reactions: [['👍', 1, false]] })
  })

  it('are not hidden by others who answer very often, from many devices, blocked or not', async () => {
    using held = await setup()
    const { store, to, id, people } = held
    const [bea, spammer] = [new Author('bea'), new Author('spammer')]
    const devices = Array.from({ length: 70 }, (_, i) => new Author(`spammer's device ${i}`))
    held.follow(spammer, ...devices, bea)
    const replies = Array.from({ length: 4_200 }, (): Body => ({ type: 'post', text: 'no', reply: to, root: to }))
    write(store, spammer, ...replies)
    for (const device of devices)
      write(store, device, ...Array.from({ length: 64 }, (_, i): Body => ({ type: 'reaction', to, emoji: `e${i}` })))
    write(store, bea, { type: 'post', text: 'me', reply: to, root: to }, { type: 'reaction', to, emoji: '👍' })
    assert.equal((await held.counts()).replies, 256 + 1)
    assert.ok(reactionsByFeed(store, id).some(({ emoji }) => emoji === '👍'))
    const thread = [...linksTo(store, id, 'root')]
    assert.deepEqual([thread.length, thread.filter(({ feed }) => isEqual(feed, bea)).length], [500 + 1, 1])
    people.contacts.block(spammer.key.publicKey)
    people.update()
    assert.equal((await held.counts()).replies, 1)
  })

  it('are found out of a store that was filled before they were counted', async () => {
    using held = await setup()
    const bea = new Author('bea')
    held.follow(bea)
    write(held.store, bea, { type: 'reaction', to: held.to, emoji: '👍' })
    await held.counts()
    held.store.run('DELETE FROM reactions')
    held.store.run("DELETE FROM meta WHERE key = 'indexed'")
    const again = new Indexer(held.store)
    await again.catchUp()
    again.stop()
    assert.deepEqual((await held.counts()).reactions, [['👍', 1, false]])
  })

  it(`cost no more when one author reacts ${MANY} times`, async function () {
    this.timeout(60_000)
    using held = await setup()
    const { store, to, id } = held
    const [bea, spammer] = [new Author('bea'), new Author('spammer')]
    held.follow(bea, spammer)
    for (let from = 0; from < MANY; from += 1_000)
      write(
        store,
        spammer,
        ...Array.from({ length: 1_000 }, (_, i): Body => ({ type: 'reaction', to, emoji: `e${from + i}` })),
        { type: 'post', text: 'again', reply: to, root: to }
      )
    write(store, bea, { type: 'reaction', to, emoji: '👍' }, { type: 'reaction', to, emoji: 'e1' })
    const { replies, reactions } = await held.counts()
    assert.equal(replies, MANY / 1_000)
    assert.deepEqual([reactions?.length, reactions?.[0]], [32, ['e1', 2, false]])
    assert.equal(reactionsByFeed(store, id).length, 64 + 2)
    assert.equal(repliesByFeed(store, id).length, 1)
    assert.ok(Number(store.get('SELECT count(*) AS n FROM reactions')!.n) <= 66)
  })
})

describe('a post that is shown', function () {
  this.timeout(60_000)

  it('says how it was answered, by whomever, also in a group', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice')
    const bob = await homes.start('bob')
    await befriend(alice, bob)
    const { id } = await alice.feeds.publish({ type: 'post', text: 'soup at noon' })
    await reads(bob, alice.identity.did, 'soup at noon')
    await bob.feeds.react(id, '🍲')
    await bob.feeds.publish({ type: 'post', text: 'coming', reply: id, root: id })
    await alice.feeds.react(id, '🍲')
    await until(async () => (await alice.feeds.get(id))?.replies === 1, 'the reply is counted')
    const expected = [{ emoji: '🍲', count: 2, isOwn: true }]
    await until(async () => (await alice.feeds.get(id))?.reactions?.[0]?.count === 2, 'both reactions are counted')
    const [read] = await Array.fromAsync(alice.feeds.read({ types: ['post'], author: alice.identity.did }))
    assert.deepEqual([read.reactions, (await alice.feeds.thread(id))[0].reactions], [expected, expected])

    const group = await alice.groups.create({ name: 'cooks' })
    const sealed = await alice.feeds.publish({ type: 'post', text: 'a secret recipe' }, { group: group.id })
    await alice.feeds.react(sealed.id, '🤫')
    await alice.feeds.publish({ type: 'post', text: 'with mint', reply: sealed.id, root: sealed.id })
    const { id: erased } = await alice.feeds.publish({ type: 'post', text: '?', reply: sealed.id, root: sealed.id })
    await alice.feeds.erase(erased)
    const [inGroup] = (await Array.fromAsync(alice.feeds.read({ group: group.id, types: ['post'] }))).slice(-1)
    assert.deepEqual([inGroup.replies, inGroup.reactions], [1, [{ emoji: '🤫', count: 1, isOwn: true }]])
  })
})
