// What an identity's devices tell each other, and what friends are told: whole nodes over loopback TCP.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { topicName, topicSecret } from '../../src/feeds/index.ts'
import { type Comrade, joinIdentity } from '../../src/index.ts'
import { formatDid, parseDid } from '../../src/trust/index.ts'
import { befriend, Homes, post, reads } from '../support/node.ts'
import { until } from '../support/processes.ts'

const CAROL = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
const MALLORY = 'did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH'

describe('what is sealed', function () {
  this.timeout(60_000)
  let homes: Homes

  beforeEach(() => {
    homes = new Homes()
  })

  afterEach(async () => {
    await homes[Symbol.asyncDispose]()
  })

  it('shows a follower neither whom one follows or blocks, nor what one calls them', async () => {
    const [alice, bob] = await Promise.all([homes.start('alice'), homes.start('bob')])
    await befriend(alice, bob)
    await alice.contacts.follow(CAROL)
    await alice.contacts.name(CAROL, 'a very secret petname')
    await alice.contacts.block(MALLORY)
    await post(alice, 'in the clear')
    await holdsAll(homes, 'bob', 'alice', alice.identity.device)
    const bytes = recordsOf(homes.of('bob'))
    assert.ok(bytes.includes('in the clear'))
    for (const did of [CAROL, MALLORY]) {
      assert.ok(!bytes.includes(Buffer.from(parseDid(did))))
      assert.ok(!bytes.includes(did.slice('did:key:'.length)))
    }
    for (const word of ['secret petname', 'relation', 'blocked', 'self/topic']) assert.ok(!bytes.includes(word), word)
    assert.ok(heightOf(homes.of('bob'), alice.identity.device) >= 6) // two follows, a name, a block, a secret, a post
  })

  it('follows a decision later, when this device does not sign at the moment, and holds nobody up', async () => {
    const alice = await homes.start('alice')
    await alice.stop()
    // A store whose token is not the one beside the keys is taken for an older copy.
    change(homes.of('alice'), `DELETE FROM meta WHERE key IN ('generation', 'next generation')`)
    const paused = await homes.start('alice')
    assert.ok((await paused.status()).paused !== undefined)
    const { entries } = await paused.status()
    await paused.contacts.follow(CAROL)
    assert.equal((await paused.contacts.find(CAROL)).relation, 'followed')
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.deepEqual(queueOf(homes.of('alice')), [`contact/relation/${CAROL}`])
    assert.equal((await paused.status()).entries, entries)
    await paused.stop()
    change(homes.of('alice'), `UPDATE meta SET value = 0 WHERE key = 'restored'`)
    const signing = await homes.start('alice')
    await until(() => queueOf(homes.of('alice')).length === 0, 'it is written')
    assert.equal((await signing.status()).entries, entries + 1)
  })

  it('brings contacts back to an identity that lost its store', async () => {
    const [alice, bob] = await Promise.all([homes.start('alice'), homes.start('bob')])
    await befriend(alice, bob)
    await alice.contacts.name(bob.identity.did, 'Bobby')
    await alice.contacts.block(MALLORY)
    await holdsAll(homes, 'bob', 'alice', alice.identity.device)
    await alice.stop()
    for (const end of ['', '-wal', '-shm']) rmSync(join(homes.of('alice'), `feeds.sqlite${end}`), { force: true })
    const again = await homes.start('alice')
    assert.deepEqual(await again.contacts.list(), [])
    await again.connect(bob.addresses[0])
    await until(async () => (await again.contacts.list()).length === 2, 'contacts are back')
    const [friend, blocked] = [bob.identity.did, MALLORY].map((did) => again.contacts.find(did))
    assert.equal((await friend).name, 'Bobby')
    assert.equal((await blocked).relation, 'blocked')
  })
})

describe('the devices of one identity', function () {
  this.timeout(90_000)

  async function joinAs(homes: Homes, name: string, laptop: Comrade): Promise<Comrade> {
    const { link } = await laptop.devices.invite()
    await joinIdentity({ home: homes.of(name), link, deviceName: name })
    const device = await homes.start(name)
    await device.connect(laptop.addresses[0])
    return device
  }

  const relation = async (node: Comrade, did: string) => (await node.contacts.find(did)).relation

  it('have the same contacts and the same topic secret, and not those of whom was revoked', async () => {
    await using homes = new Homes()
    const [laptop, bob] = await Promise.all([homes.start('laptop'), homes.start('bob')])
    await befriend(laptop, bob)
    await laptop.contacts.name(bob.identity.did, 'Bobby')
    const phone = await joinAs(homes, 'phone', laptop)
    const tablet = await joinAs(homes, 'tablet', laptop)
    for (const device of [phone, tablet])
      await until(async () => (await device.contacts.find(bob.identity.did)).name === 'Bobby', 'contacts come along')
    await phone.contacts.block(MALLORY)
    const topicOf = (name: string, { identity }: Comrade) =>
      query(homes.of(name), 'SELECT * FROM topic_secrets WHERE identity = ?', parseDid(identity.did))[0]
    for (const device of [laptop, tablet])
      await until(async () => (await relation(device, MALLORY)) === 'blocked', 'all block whom one of them blocks')
    const told = topicOf('phone', phone)
    assert.equal(told.generation, 1)
    await until(() => isDeepStrictEqual(topicOf('laptop', laptop), told), 'and change the topic together')
    await until(() => isDeepStrictEqual(topicOf('bob', laptop), told), 'a friend is told')

    await laptop.devices.revoke(tablet.identity.device)
    await laptop.contacts.follow(CAROL)
    await until(async () => (await relation(phone, CAROL)) === 'followed', 'the phone has the new key')
    await phone.contacts.unblock(MALLORY)
    await until(async () => (await relation(laptop, MALLORY)) === 'none', 'and writes with it')
    assert.equal(await relation(tablet, CAROL), 'none')
    assert.equal(topicOf('laptop', laptop).generation, 2)
    await until(() => isDeepStrictEqual(topicOf('phone', phone), topicOf('laptop', laptop)), 'the topic changed again')
    assert.equal(topicOf('tablet', tablet).generation, 1)
  })
})

describe('a device that was cut short when it had ended another', function () {
  this.timeout(60_000)

  it('changes the topic secret, which the other knows, when it is back', async () => {
    await using homes = new Homes()
    const laptop = await homes.start('laptop')
    const { link } = await laptop.devices.invite()
    const { device } = await joinIdentity({ home: homes.of('phone'), link, deviceName: 'phone' })
    await laptop.devices.revoke(device)
    await laptop.stop()
    // As it is when the revocation is on the disk, and nothing of what follows from it.
    change(homes.of('laptop'), 'DELETE FROM self_keys')
    change(homes.of('laptop'), 'DELETE FROM topic_secrets')
    const generation = () => query(homes.of('laptop'), 'SELECT generation FROM topic_secrets')[0]?.generation
    await homes.start('laptop')
    assert.equal(generation(), 1)
    await until(() => query(homes.of('laptop'), 'SELECT * FROM self_keys').length === 1, 'the rest is made up for')
  })
})

describe('topic secrets', function () {
  this.timeout(60_000)
  let homes: Homes

  beforeEach(() => {
    homes = new Homes()
  })

  afterEach(async () => {
    await homes[Symbol.asyncDispose]()
  })

  /** The topic on which a node publishes its own posts now. */
  function ownTopic(name: string, { identity }: Comrade): string {
    const [row] = query(homes.of(name), 'SELECT secret FROM topic_secrets WHERE identity = ?', parseDid(identity.did))
    const secret = (row?.secret as Uint8Array | undefined) ?? topicSecret(parseDid(identity.did))
    return topicName(secret, parseDid(identity.device), Date.now())
  }

  const hears = (node: Comrade, topic: string) =>
    (node.libp2p.services.pubsub as { getTopics(): string[] }).getTopics().includes(topic)

  it('change with a block: friends hear of it, also one who was away, and the blocked one does not', async () => {
    const [alice, bob, carol, eve] = await Promise.all(
      ['alice', 'bob', 'carol', 'eve'].map((name) => homes.start(name))
    )
    for (const friend of [bob, carol, eve]) await befriend(alice, friend)
    await eve.contacts.follow(bob.identity.did)
    await eve.connect(bob.addresses[0])
    const before = ownTopic('alice', alice)
    for (const friend of [bob, carol, eve]) await until(() => hears(friend, before), 'friends listen')
    await carol.stop()

    await alice.contacts.block(eve.identity.did)
    const after = ownTopic('alice', alice)
    assert.notEqual(after, before)
    await until(() => hears(bob, after) && !hears(bob, before), 'bob knows the new topic')
    await until(() => hears(alice, after) && !hears(alice, before), 'alice left the old topic')
    const again = await homes.start('carol')
    await until(() => hears(again, before), 'carol is back, and knows no better')
    await again.connect(alice.addresses[0])
    await until(() => hears(again, after), 'carol is told as well')
    await post(alice, 'among friends')
    await reads(again, alice.identity.did, 'among friends')
    assert.ok(!hears(eve, after))
    assert.equal(query(homes.of('eve'), 'SELECT count(*) AS n FROM topic_secrets')[0].n, 0)
  })

  it('change when a friend is no longer followed, and are told once to a device', async () => {
    const [alice, bob, eve] = await Promise.all(['alice', 'bob', 'eve'].map((name) => homes.start(name)))
    for (const friend of [bob, eve]) await befriend(alice, friend)
    await alice.contacts.unfollow(eve.identity.did)
    const topic = ownTopic('alice', alice)
    await until(() => hears(bob, topic), 'bob knows the new topic')
    const told = () => query(homes.of('alice'), 'SELECT at_ms, digest FROM greeted')
    await until(() => told().length === 1, 'it is noted')
    const before = told()
    await bob.stop()
    const again = await homes.start('bob')
    await until(() => hears(again, topic), 'it is remembered')
    await again.connect(alice.addresses[0])
    await until(async () => (await alice.peers()).some(({ did }) => did === bob.identity.did), 'they are connected')
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.deepEqual(told(), before)
    assert.ok(!hears(eve, topic))
  })
})

describe('sharing whom one follows', function () {
  this.timeout(60_000)

  it('is a choice: friends are told, others are not, and it ends', async () => {
    await using homes = new Homes()
    const [bob, eve] = await Promise.all([homes.start('bob'), homes.start('eve')])
    let alice = await homes.start('alice')
    await befriend(alice, bob)
    await alice.contacts.follow(eve.identity.did)
    await alice.connect(eve.addresses[0])
    await alice.contacts.follow(CAROL)
    const sharedWith = (name: string) =>
      query(homes.of(name), 'SELECT person FROM shared_follows').map(({ person }) => formatDid(person as Uint8Array))
    await post(alice, 'nothing is shared')
    await reads(bob, alice.identity.did, 'nothing is shared')
    assert.deepEqual(sharedWith('bob'), [])

    const restart = async (shareContacts: boolean) => {
      await alice.stop()
      alice = await homes.start('alice', {}, { shareContacts })
      for (const peer of [bob, eve]) await alice.connect(peer.addresses[0])
    }
    await restart(true)
    await until(() => sharedWith('bob').length === 2, 'a friend is told') // of Eve and Carol, not of Bob himself
    assert.deepEqual(new Set(sharedWith('bob')), new Set([CAROL, eve.identity.did]))
    await alice.contacts.unfollow(CAROL)
    await until(() => sharedWith('bob').length === 1, 'and of a change')
    assert.deepEqual(sharedWith('eve'), [])

    await restart(false)
    await until(() => sharedWith('bob').length === 0, 'it has ended')
    await restart(true)
    await until(() => sharedWith('bob').length === 1, 'it is shared again')
    await bob.contacts.unfollow(alice.identity.did)
    assert.deepEqual(sharedWith('bob'), [])
  })
})

/** Waits until a node holds all that a person's device has written and still wants to write. */
async function holdsAll(homes: Homes, holder: string, author: string, device: string): Promise<void> {
  const height = (name: string) => heightOf(homes.of(name), device)
  await until(
    () => queueOf(homes.of(author)).length === 0 && height(holder) === height(author),
    `${holder} holds all of ${author}`
  )
}

function heightOf(home: string, device: string): number {
  return query(home, 'SELECT height FROM feeds WHERE key = ?', parseDid(device))[0]?.height as number
}

/** All that a node keeps of feeds, as bytes. */
function recordsOf(home: string): Buffer {
  return Buffer.concat(query(home, 'SELECT records FROM runs').map(({ records }) => records as Uint8Array))
}

function queueOf(home: string): string[] {
  return query(home, 'SELECT name FROM sealed_queue').map(({ name }) => name as string)
}

/** Reads a home's database, also while its node runs. */
function query(home: string, sql: string, ...values: Uint8Array[]): Record<string, unknown>[] {
  const database = new DatabaseSync(join(home, 'feeds.sqlite'), { readOnly: true, timeout: 5_000 })
  try {
    return database.prepare(sql).all(...values)
  } finally {
    database.close()
  }
}

/** Changes a home's database while no node runs. */
function change(home: string, sql: string): void {
  const database = new DatabaseSync(join(home, 'feeds.sqlite'))
  database.exec(sql)
  database.close()
}
