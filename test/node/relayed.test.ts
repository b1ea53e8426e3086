import assert from 'node:assert/strict'
import { type Comrade, joinIdentity } from '../../src/index.ts'
import { befriend, Homes, post, reads } from '../support/node.ts'
import { fixedAddress, until } from '../support/processes.ts'

/** The address of a node that leads through the relay. */
async function addressThrough(relay: Comrade, node: Comrade): Promise<string> {
  const find = (): string | undefined =>
    node.addresses.find((address) => address.includes(`${relay.peerId}/p2p-circuit`))
  await until(() => find() !== undefined, 'it waits at the relay')
  return find()!
}

async function isRelayed(one: Comrade, other: Comrade): Promise<boolean> {
  return (await one.peers()).some(({ peerId, address }) => peerId === other.peerId && address.includes('/p2p-circuit'))
}

describe('nodes that cannot dial each other', function () {
  this.timeout(60_000)

  it('sync through a friend who relays, though the friend does not know one of them', async () => {
    await using homes = new Homes()
    const carol = await homes.start('carol')
    const bob = await homes.start('bob', { listen: [] })
    const dave = await homes.start('dave', { listen: [] })
    await befriend(bob, carol)
    const address = await addressThrough(carol, bob)
    const texts = Array.from({ length: 64 }, (_, i) => `${i} ${'x'.repeat(60_000)}`)
    await post(dave, ...texts)
    await bob.contacts.follow(dave.identity.did)
    await dave.contacts.follow(bob.identity.did)
    await dave.connect(address)
    assert.ok(await isRelayed(dave, bob))
    await reads(bob, dave.identity.did, ...texts)
    await post(bob, 'thank you')
    await reads(dave, bob.identity.did, 'thank you')
  })

  it('find each other again when the relay was away', async () => {
    await using homes = new Homes()
    const listen = [await fixedAddress()]
    const carol = await homes.start('carol', { listen })
    const bob = await homes.start('bob', { listen: [] })
    const alice = await homes.start('alice', { listen: [] })
    await befriend(bob, carol)
    await alice.contacts.follow(bob.identity.did)
    await bob.contacts.follow(alice.identity.did)
    await alice.connect(await addressThrough(carol, bob))
    await carol.stop()
    await until(async () => !(await isRelayed(alice, bob)), 'they lost each other')
    const again = await homes.start('carol', { listen })
    await addressThrough(again, bob)
    await until(() => isRelayed(alice, bob), 'they are connected again', 30_000)
    await post(bob, 'back again')
    await reads(alice, bob.identity.did, 'back again')
  })

  it('have no place at a relay any more when the device was ended', async () => {
    await using homes = new Homes()
    const carol = await homes.start('carol')
    const bob = await homes.start('bob')
    const { link } = await bob.devices.invite()
    const { device } = await joinIdentity({ home: homes.of('pi'), link, deviceName: 'pi' })
    const pi = await homes.start('pi', { listen: [] })
    await befriend(bob, carol)
    await pi.connect(carol.addresses[0])
    await addressThrough(carol, pi)
    await pi.libp2p.hangUp(bob.libp2p.peerId)
    const waiting = async () => Number.parseInt((await carol.doctor()).find(({ check }) => check === 'relay')!.detail)
    await until(async () => (await waiting()) === 2, 'both devices wait at the relay')
    await bob.devices.revoke(device)
    await until(async () => (await waiting()) === 1, 'it does not wait there any more')
    assert.ok(
      (await carol.peers()).some(({ peerId }) => peerId === pi.peerId),
      'nor because it went'
    )
  })

  it('are not relayed for each other when one was blocked, nor by who relays for nobody', async () => {
    await using homes = new Homes()
    const carol = await homes.start('carol')
    const bob = await homes.start('bob', { listen: [] })
    const mallory = await homes.start('mallory', { listen: [] })
    await befriend(bob, carol)
    await bob.contacts.follow(mallory.identity.did)
    await mallory.contacts.follow(bob.identity.did)
    const address = await addressThrough(carol, bob)
    await mallory.connect(address)
    await until(() => isRelayed(bob, mallory), 'connected')
    await post(mallory, 'hello')
    await reads(bob, mallory.identity.did, 'hello')
    await bob.contacts.block(mallory.identity.did)
    await until(async () => !(await isRelayed(bob, mallory)), 'bob ended it')
    await carol.contacts.block(bob.identity.did)
    await until(() => bob.addresses.length === 0, 'carol has taken the reservation back')
  })
})
