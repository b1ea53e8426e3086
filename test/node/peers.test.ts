// What a node says of those who are connected, and of how far what they wrote has come.
import assert from 'node:assert/strict'
import type { Comrade, Peer, SyncStatus } from '../../src/index.ts'
import { befriend, Homes, post, reads } from '../support/node.ts'
import { until } from '../support/processes.ts'

async function rowsOf(node: Comrade, other: Comrade): Promise<Peer[]> {
  return (await node.peers()).filter(({ peerId }) => peerId === other.peerId)
}

describe('those who are connected', function () {
  this.timeout(60_000)

  it('are listed once, though a relayed and a direct connection exist, and with the name of who relays', async () => {
    await using homes = new Homes()
    const carol = await homes.start('carol')
    const bob = await homes.start('bob', { listen: [] })
    const dave = await homes.start('dave')
    await befriend(bob, carol)
    await bob.contacts.name(carol.identity.did, 'Carol from the pond')
    const find = (): string | undefined => bob.addresses.find((each) => each.includes(`${carol.peerId}/p2p-circuit`))
    await until(() => find() !== undefined, 'Bob waits at Carol')
    const [relay] = await rowsOf(bob, carol)
    assert.deepEqual([relay.isRelay, relay.through, relay.relation], [true, undefined, 'friend'])
    await dave.connect(find()!)
    await until(async () => (await rowsOf(bob, dave)).length > 0, 'they are connected')
    const [relayed] = await rowsOf(bob, dave)
    const { did } = carol.identity
    assert.deepEqual(relayed.through, { peerId: carol.peerId, did, name: 'Carol from the pond' })
    assert.deepEqual((await rowsOf(dave, bob))[0].through?.peerId, carol.peerId)
    assert.equal(relayed.did, undefined, 'a stranger')
    await until(async () => (await rowsOf(bob, dave))[0].latencyMs !== undefined, 'it is known how long it takes')
    await bob.libp2p.dial(dave.libp2p.getMultiaddrs(), { force: true })
    const [direct, ...more] = await rowsOf(bob, dave)
    assert.deepEqual([more, direct.through, direct.direction], [[], undefined, 'outbound'])
    assert.ok(direct.connections >= 1 && direct.since <= new Date().toISOString())
    await until(async () => (await rowsOf(bob, dave))[0].connections === 1, 'the relayed one is closed')
  })

  it('are up to date or not, as their sessions are, and news of it come as they change', async () => {
    await using homes = new Homes()
    const [alice, bob] = await Promise.all([homes.start('alice'), homes.start('bob')])
    assert.deepEqual((await bob.status()).sync, {
      comparing: 0,
      fetching: 0,
      current: 0,
      people: 0,
      received: 0,
      missing: 0,
      files: { fetching: 0, waiting: 0, have: 0, size: 0 }
    })
    const texts = Array.from({ length: 200 }, (_, i) => `post ${i}`)
    await post(alice, ...texts)
    const news: SyncStatus[] = []
    bob.addEventListener('sync', ({ detail }) => news.push(detail))
    await befriend(alice, bob)
    await reads(bob, alice.identity.did, ...texts)
    await until(() => news.at(-1)?.people === 1, 'it is told that Bob is up to date with one person')
    const { sync } = await bob.status()
    assert.deepEqual([sync.current, sync.people, sync.missing], [1, 1, 0])
    assert.ok(sync.received >= 200 && sync.last !== undefined)
    await until(async () => (await rowsOf(bob, alice))[0].latencyMs !== undefined, 'it is known how long it takes')
    const [row] = await rowsOf(bob, alice)
    assert.equal(row.sync?.state, 'current')
    assert.ok(row.latencyMs! > 0 && row.latencyMs! < 20_000)
    assert.ok(row.sync.received >= 200 && row.sync.feeds >= 2)
    await alice.stop()
    await until(() => news.at(-1)?.current === 0, 'it is told that nobody is there')
    assert.ok((await bob.status()).sync.received >= 200, 'what came stays counted')
  })
})
