// Blocking acts before anything is fetched, and whoever else passes the blocked one's entries on.
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { joinIdentity, type Comrade } from '../../src/index.ts'
import { parseDid } from '../../src/trust/index.ts'
import { befriend, Homes, post, postsOf, reads } from '../support/node.ts'
import { until } from '../support/processes.ts'

describe('somebody who is blocked', function () {
  this.timeout(90_000)
  let homes: Homes
  let [alice, bob, eve]: Comrade[] = []

  beforeEach(async () => {
    homes = new Homes()
    const share = { shareContacts: true }
    alice = await homes.start('alice')
    ;[bob, eve] = await Promise.all(['bob', 'eve'].map((name) => homes.start(name, {}, share)))
    await befriend(bob, eve)
  })

  afterEach(async () => {
    await homes[Symbol.asyncDispose]()
  })

  it('is not fetched when a friend shares and relays them, and a device that they add later is not either', async () => {
    await alice.contacts.block(eve.identity.did)
    await befriend(bob, alice)
    await until(() => sharedBy('alice', eve) === 1, 'bob shares that he follows eve')
    await post(eve, 'by eve')
    await reads(bob, eve.identity.did, 'by eve')
    const { link } = await eve.devices.invite()
    await joinIdentity({ home: homes.of('eve2'), link, deviceName: 'another' })
    const second = await homes.start('eve2')
    await second.connect(bob.addresses[0])
    await second.connect(alice.addresses[0])
    await post(second, 'by another device of eve')
    await reads(bob, eve.identity.did, 'by eve', 'by another device of eve')
    await post(bob, 'and bob says')
    await reads(alice, bob.identity.did, 'and bob says')
    for (const did of [eve.identity.did, eve.identity.device, second.identity.device])
      assert.equal(heightOf('alice', did), 0)
    assert.deepEqual(await postsOf(alice, eve.identity.did), [])
  })

  it('is neither shown nor served any more, when something of them was here before', async () => {
    await befriend(bob, alice)
    await befriend(alice, eve)
    const carol = await homes.start('carol')
    const [{ id }] = [await eve.feeds.publish({ type: 'post', text: 'by eve' })]
    await reads(alice, eve.identity.did, 'by eve')
    const [answer] = [await alice.feeds.publish({ type: 'post', text: 'I doubt it', reply: id, root: id })]
    await alice.contacts.block(eve.identity.did)
    assert.deepEqual(await postsOf(alice, eve.identity.did), [])
    assert.equal(await alice.feeds.get(id), undefined)
    await assert.rejects(alice.feeds.thread(id), { code: 'NOT_FOUND' })
    const thread = await alice.feeds.thread(answer.id)
    assert.deepEqual(
      thread.map(({ text }) => text),
      ['I doubt it']
    )
    await carol.contacts.follow(eve.identity.did)
    await carol.contacts.follow(alice.identity.did)
    await carol.connect(alice.addresses[0])
    await reads(carol, alice.identity.did, 'I doubt it')
    assert.equal(heightOf('carol', eve.identity.device), 0)
    assert.deepEqual(await postsOf(carol, eve.identity.did), [])
  })

  /** How much of a feed a home holds. */
  function heightOf(name: string, feed: string): number {
    return Number(query(name, 'SELECT height AS n FROM feeds WHERE key = ?', parseDid(feed)) ?? 0)
  }

  function sharedBy(name: string, person: Comrade): number {
    const key = parseDid(person.identity.did)
    return Number(query(name, 'SELECT count(*) AS n FROM shared_follows WHERE person = ?', key))
  }

  function query(name: string, sql: string, value: Uint8Array): unknown {
    const database = new DatabaseSync(join(homes.of(name), 'feeds.sqlite'), { readOnly: true, timeout: 5_000 })
    try {
      return database.prepare(sql).get(value)?.n
    } finally {
      database.close()
    }
  }
})
