import assert from 'node:assert/strict'
import { encodeBody, type FeedStore, signingKey } from '../../src/feeds/index.ts'
import { signRuns } from '../../src/feeds/run.ts'
import { People } from '../../src/node/people.ts'
import { deviceAddBody } from '../../src/trust/index.ts'
import { Author, connect, keyOf, temporaryStore, texts } from '../support/feeds.ts'
import { befriend, Homes, post, reads } from '../support/node.ts'
import { until } from '../support/processes.ts'

/** A person with one device, as the author of both feeds. */
class Person {
  readonly root
  readonly device: Author
  readonly log

  constructor(name: string) {
    this.root = keyOf(`root of ${name}`)
    this.device = new Author(`device of ${name}`)
    const body = encodeBody(deviceAddBody(this.root.publicKey, this.device.key, name))
    this.log = signRuns(this.root, { first: 1, prev: new Uint8Array(32) }, [body], 0)
  }
}

function peopleOf(store: FeedStore): People & Disposable {
  const people = new People({
    store,
    root: keyOf('own root').publicKey,
    device: keyOf('own device').publicKey,
    mode: 'all',
    quota: 1e9
  })
  return Object.assign(people, { [Symbol.dispose]: () => people.close() })
}

function wantedOf(store: FeedStore, key: Uint8Array) {
  const feed = store.feed(key)
  return feed?.priority === undefined ? undefined : { priority: feed.priority, newest: feed.newest }
}

describe('friends of friends', () => {
  const [bob, carol] = [new Person('bob'), new Person('carol')]

  /** Alice follows Bob, who follows her and shares that he follows Carol. */
  function shareCarol(people: People): void {
    people.contacts.follow(bob.root.publicKey)
    people.contacts.setFollowsUs(bob.root.publicKey, true)
    people.contacts.shared.set(bob.root.publicKey, [carol.root.publicKey])
    people.updateNow()
  }

  it('are carried: the identity log first, then the newest of what its devices write', async () => {
    using held = temporaryStore()
    using people = peopleOf(held.store)
    shareCarol(people)
    assert.deepEqual(wantedOf(held.store, carol.root.publicKey), { priority: 3, newest: undefined })
    assert.equal(wantedOf(held.store, carol.device.key.publicKey), undefined)
    held.store.ingest(carol.log)
    await until(() => wantedOf(held.store, carol.device.key.publicKey)?.newest === 1_000, 'the device is wanted')
    assert.deepEqual(people.identityOf(carol.device.key.publicKey), carol.root.publicKey)
    assert.equal(people.isNear(carol.device.key.publicKey), false)
  })

  it('are fetched from whoever has them, the newest thousand entries of each feed', async () => {
    using held = temporaryStore()
    using people = peopleOf(held.store)
    using other = temporaryStore()
    const dora = new Person('dora')
    other.store.setWanted([dora.root, dora.device.key].map((key) => ({ feed: key.publicKey, priority: 1 })))
    other.store.ingest([...dora.log, ...dora.device.post(...texts(2_560))])
    const link = connect(held.store, other.store)
    await link.settled()
    people.contacts.follow(bob.root.publicKey)
    people.contacts.setFollowsUs(bob.root.publicKey, true)
    people.contacts.shared.set(bob.root.publicKey, [dora.root.publicKey])
    const feed = () => held.store.feed(dora.device.key.publicKey)
    await until(() => feed()?.height === 2_560 && feed()!.low === 1_537, 'the newest are here')
    await link.close()
    assert.deepEqual(link.errors, [])
  })

  const ends: [string, (people: People) => void][] = [
    ['the friend no longer shares', (people) => people.contacts.shared.set(bob.root.publicKey, [])],
    ['the friend is unfollowed', (people) => people.contacts.unfollow(bob.root.publicKey)],
    ['the friend is blocked', (people) => people.contacts.block(bob.root.publicKey)],
    ['the friend unfollows', (people) => people.contacts.setFollowsUs(bob.root.publicKey, false)],
    ['they are blocked', (people) => people.contacts.block(carol.root.publicKey)],
    ['nothing of others is kept any more', (people) => people.setMode('own')],
    ['there is no room for any', (people) => people.setQuota(0)]
  ]
  for (const [when, end] of ends) {
    it(`are no longer wanted when ${when}`, async () => {
      using held = temporaryStore()
      using people = peopleOf(held.store)
      shareCarol(people)
      held.store.ingest(carol.log)
      await until(() => wantedOf(held.store, carol.device.key.publicKey) !== undefined, 'wanted')
      end(people)
      await until(
        () => [carol.root, carol.device.key].every((key) => wantedOf(held.store, key.publicKey) === undefined),
        'no longer wanted'
      )
    })
  }

  it('are kept in full from when they are followed', async () => {
    using held = temporaryStore()
    using people = peopleOf(held.store)
    shareCarol(people)
    held.store.ingest(carol.log)
    await until(() => wantedOf(held.store, carol.device.key.publicKey) !== undefined, 'wanted')
    people.contacts.follow(carol.root.publicKey)
    await until(() => wantedOf(held.store, carol.device.key.publicKey)!.priority === 1, 'wanted in full')
    assert.equal(wantedOf(held.store, carol.device.key.publicKey)!.newest, undefined)
  })

  it('never take the place of a device that belongs to somebody else', async () => {
    using held = temporaryStore()
    using people = peopleOf(held.store)
    const own = signingKey(new Uint8Array(32).fill(9))
    const body = encodeBody(deviceAddBody(keyOf('root of mallory').publicKey, own, 'mine'))
    const log = signRuns(keyOf('root of mallory'), { first: 1, prev: new Uint8Array(32) }, [body], 0)
    people.contacts.follow(bob.root.publicKey)
    people.contacts.setFollowsUs(bob.root.publicKey, true)
    people.contacts.setDevices(bob.root.publicKey, [{ device: own.publicKey, name: 'bob', addedAt: 1 }])
    people.contacts.shared.set(bob.root.publicKey, [keyOf('root of mallory').publicKey])
    people.updateNow()
    held.store.ingest(log)
    people.updateNow()
    assert.equal(wantedOf(held.store, own.publicKey)!.priority, 1)
    assert.deepEqual(people.identityOf(own.publicKey), bob.root.publicKey)
  })
})

describe('a friend who shares whom he follows', () => {
  it('brings what those people write, to be read by name and not among what one follows, as long as he shares it', async () => {
    await using homes = new Homes()
    const [alice, carol] = await Promise.all([homes.start('alice'), homes.start('carol')])
    const bob = await homes.start('bob', {}, { shareContacts: true })
    await befriend(bob, carol)
    await post(carol, 'carol says')
    await reads(bob, carol.identity.did, 'carol says')
    await befriend(alice, bob)
    await reads(alice, carol.identity.did, 'carol says')
    const shown = await Array.fromAsync(alice.feeds.read({ types: ['post'] }))
    assert.deepEqual(
      shown.map(({ text }) => text),
      []
    )
    const { distances } = await alice.quota()
    assert.equal(distances[2].feeds, 2)
    await alice.contacts.unfollow(bob.identity.did)
    await until(async () => (await alice.quota()).distances[2].feeds === 0, 'nothing is carried for carol any more')
  })
})

describe('how much is kept, while the node runs', () => {
  let homes: Homes
  beforeEach(() => (homes = new Homes()))
  afterEach(() => homes[Symbol.asyncDispose]())

  it('lets go of what others wrote, tells connected peers, and fetches it again', async () => {
    const [alice, bob] = await Promise.all([homes.start('alice'), homes.start('bob')])
    await befriend(alice, bob)
    await post(bob, 'one', 'two')
    await reads(alice, bob.identity.did, 'one', 'two')
    const space = await alice.storeMode('own')
    assert.deepEqual([space.store, space.used, space.unwanted], ['own', 0, 0])
    assert.deepEqual(
      space.distances.slice(1).map(({ distance, feeds }) => [distance, feeds]),
      [
        [1, 0],
        [2, 0]
      ]
    )
    await until(
      async () => (await bob.contacts.find(alice.identity.did)).relation === 'followed',
      'bob hears that his feed is not kept any more'
    )
    await post(bob, 'three')
    await alice.storeMode('all')
    await reads(alice, bob.identity.did, 'one', 'two', 'three')
    assert.ok((await alice.quota()).distances[1].bytes > 0)
  })

  it('erases the oldest texts at once when the quota is lowered, and says how much is left', async () => {
    const [alice, bob] = await Promise.all([homes.start('alice'), homes.start('bob')])
    await befriend(alice, bob)
    for (let i = 0; i < 10; i++) await post(bob, `${i} ${'long '.repeat(2_000)}`)
    await reads(alice, bob.identity.did, `9 ${'long '.repeat(2_000)}`)
    const { used } = await alice.quota(50_000)
    assert.ok(used <= 50_000)
    const types = (await Array.fromAsync(alice.feeds.read({ author: bob.identity.did, limit: 100 }))).map(
      ({ type }) => type
    )
    assert.ok(types.includes('post'))
  })

  it('shows nothing more of somebody who is blocked, neither in threads nor by itself', async () => {
    const [alice, bob] = await Promise.all([homes.start('alice'), homes.start('bob')])
    await befriend(alice, bob)
    const root = await alice.feeds.publish({ type: 'post', text: 'a question' })
    await reads(bob, alice.identity.did, 'a question')
    const answer = await bob.feeds.publish({ type: 'post', text: 'an answer', root: root.id, reply: root.id })
    await reads(alice, bob.identity.did, 'an answer')
    assert.equal((await alice.feeds.thread(root.id)).length, 2)
    await alice.contacts.block(bob.identity.did)
    assert.deepEqual(
      (await alice.feeds.thread(root.id)).map(({ text }) => text),
      ['a question']
    )
    assert.equal(await alice.feeds.get(answer.id), undefined)
  })
})
