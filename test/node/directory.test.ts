// The directory with whole nodes: found by who knows the did, published in turns, told among friends.
import assert from 'node:assert/strict'
import { type Comrade, joinIdentity } from '../../src/index.ts'
import { NodeError } from '../../src/node/comrade.ts'
import type { DirectoryService } from '../../src/node/directory-service.ts'
import { formatDid } from '../../src/trust/index.ts'
import { befriend, Homes, post, reads } from '../support/node.ts'
import { until } from '../support/processes.ts'

/** Resolves as soon as somebody has it; publishing takes a moment after the first connection. */
async function resolved(node: Comrade, did: string, source?: string) {
  let found = await node.directory.resolve(did).catch(() => undefined)
  await until(
    async () => {
      found = await node.directory.resolve(did).catch(() => undefined)
      return found !== undefined && (source === undefined || found.source === source)
    },
    `${did} is found by ${source ?? 'anything'}`
  )
  return found!
}

describe('directory', function () {
  this.timeout(150_000)

  it('finds somebody by did alone, through nodes that know neither of the two', async () => {
    await using homes = new Homes()
    const hub = await homes.start('hub')
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    for (const node of [alice, bob]) await node.connect(hub.addresses[0])
    const found = await resolved(bob, alice.identity.did)
    assert.equal(found.source, 'dht')
    assert.equal(found.did, alice.identity.did)
    assert.deepEqual(
      found.devices.map(({ peerId }) => peerId),
      [alice.peerId]
    )
    assert.deepEqual(found.devices[0].addresses, alice.addresses)
  })

  it('says that nobody is found where nobody is, and what is no did', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice')
    const nobody = 'did:key:z6Mkon3Necd6NkkyfoGoHxid2znGc59LU3K7mubaRcFbLfLX'
    const code = (expected: string) => (error: Error) => error instanceof NodeError && error.code === expected
    await assert.rejects(alice.directory.resolve(nobody), code('NOT_FOUND'))
    await assert.rejects(alice.directory.resolve('did:web:example.org'), code('BAD_INPUT'))
    const notOnCurve = formatDid(Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 2 : 0)))
    await assert.rejects(alice.directory.resolve(notOnCurve), code('BAD_INPUT'))
  })

  it('is told by a friend where there is no DHT, and remembers it when the friend is gone', async () => {
    await using homes = new Homes()
    const [alice, bob, carol] = [
      await homes.start('alice', { directory: true }),
      await homes.start('bob'),
      await homes.start('carol', { directory: false })
    ]
    await befriend(alice, bob)
    await befriend(bob, carol)
    await carol.contacts.follow(alice.identity.did)
    const found = await resolved(carol, alice.identity.did, 'friend')
    assert.equal(found.devices[0].peerId, alice.peerId)
    await bob.stop()
    await alice.stop()
    assert.equal((await resolved(carol, alice.identity.did, 'cache')).devices[0].peerId, alice.peerId)
  })

  it('connects with somebody who is followed by did alone', async () => {
    await using homes = new Homes()
    const hub = await homes.start('hub')
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    for (const node of [alice, bob]) await node.connect(hub.addresses[0])
    await resolved(bob, alice.identity.did)
    await post(alice, 'hello')
    await bob.contacts.follow(alice.identity.did)
    await reads(bob, alice.identity.did, 'hello')
    await until(async () => bob.libp2p.getConnections(alice.libp2p.peerId).length > 0, 'they are connected')
  })

  it('holds all devices of an identity, which publish in turns', async () => {
    await using homes = new Homes()
    const hub = await homes.start('hub')
    const laptop = await homes.start('laptop')
    await joinIdentity({ home: homes.of('pi'), link: (await laptop.devices.invite()).link, deviceName: 'pi' })
    const pi = await homes.start('pi')
    for (const node of [laptop, pi]) await node.connect(hub.addresses[0])
    const both = [laptop.peerId, pi.peerId].toSorted()
    const { did } = laptop.identity
    const peersOf = async () => (await resolved(hub, did)).devices.map(({ peerId }) => peerId).toSorted()
    await until(async () => (await peersOf()).length === 2, 'both are found', 60_000)
    for (const node of [laptop, pi, laptop, pi]) {
      await (node.directory as DirectoryService).publish()
      assert.deepEqual(await peersOf(), both)
    }
    assert.equal((await hub.directory.resolve(did)).source, 'dht')
  })

  it('leaves out devices that were revoked, and takes nothing more from them', async () => {
    await using homes = new Homes()
    const hub = await homes.start('hub')
    const laptop = await homes.start('laptop')
    await joinIdentity({ home: homes.of('pi'), link: (await laptop.devices.invite()).link, deviceName: 'pi' })
    const pi = await homes.start('pi')
    for (const node of [laptop, pi]) await node.connect(hub.addresses[0])
    const { did } = laptop.identity
    const peersOf = () =>
      hub.directory.resolve(did).then(
        ({ devices }) => devices.map(({ peerId }) => peerId),
        () => []
      )
    await until(async () => (await peersOf()).length === 2, 'both are found', 60_000)
    await laptop.devices.revoke('pi')
    await until(async () => (await peersOf()).join() === laptop.peerId, 'the revoked one is gone', 60_000)
    // What the two had published at once may have been on its way until now.
    const directory = pi.directory as DirectoryService
    const isOutdated = async () => {
      await directory.publish()
      return directory.published?.problem === 'outdated'
    }
    await until(isOutdated, 'the revoked one has nothing to publish with', 60_000)
    await until(async () => (await peersOf()).join() === laptop.peerId, 'it stays away', 60_000)
  })

  it('is published by the devices that are left, with new keys, after one was revoked', async () => {
    await using homes = new Homes()
    const hub = await homes.start('hub')
    const laptop = await homes.start('laptop')
    const join = async (name: string) => {
      await joinIdentity({ home: homes.of(name), link: (await laptop.devices.invite()).link, deviceName: name })
      const node = await homes.start(name)
      await node.connect(hub.addresses[0])
      return node
    }
    const [pi, phone] = [await join('pi'), await join('phone')]
    await laptop.connect(hub.addresses[0])
    const { did } = laptop.identity
    const isThere = async (...nodes: Comrade[]) => {
      const { devices } = await hub.directory.resolve(did).catch(() => ({ devices: [] }))
      return (
        devices
          .map(({ peerId }) => peerId)
          .toSorted()
          .join() ===
        nodes
          .map(({ peerId }) => peerId)
          .toSorted()
          .join()
      )
    }
    await until(() => isThere(laptop, pi, phone), 'all three are found', 60_000)
    await laptop.devices.revoke('phone')
    await until(() => isThere(laptop, pi), 'the two that are left are found', 60_000)
  })
})
