// Messages between people with several devices.
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type Comrade, joinIdentity } from '../../../src/index.ts'
import { rowsOf } from '../../proofs/stage.ts'
import { befriend, Homes } from '../../support/node.ts'
import { sleep, until } from '../../support/processes.ts'
import { messagesAt, reaches, shows, textsAt } from './support.ts'

async function join(homes: Homes, owner: Comrade, name: string): Promise<Comrade> {
  const { link } = await owner.devices.invite()
  await joinIdentity({ home: homes.of(name), link, deviceName: name })
  return homes.start(name)
}

async function devicesKnown(node: Comrade, did: string, count: number): Promise<void> {
  await until(
    async () => (await node.peers()).filter((peer) => peer.did === did).length === count,
    `${count} devices of theirs are connected`
  )
}

/** Alice, and Bob with a second device that is connected with her. */
async function withPhone(homes: Homes): Promise<{ alice: Comrade; bob: Comrade; phone: Comrade }> {
  const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
  await befriend(alice, bob)
  const phone = await join(homes, bob, 'phone')
  await phone.connect(alice.addresses[0])
  await devicesKnown(alice, bob.identity.did, 2)
  return { alice, bob, phone }
}

describe('private messages between people with several devices', function () {
  this.timeout(60_000)

  it('come to all of the recipient’s devices, and to the author’s other ones', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const [pi, phone] = [await join(homes, alice, 'pi'), await join(homes, bob, 'phone')]
    for (const one of [alice, pi]) for (const other of [bob, phone]) await one.connect(other.addresses[0])
    await devicesKnown(alice, bob.identity.did, 2)
    await devicesKnown(pi, bob.identity.did, 2)
    const sent = await alice.messages.send(bob.identity.did, { text: 'to all of you' })
    for (const node of [bob, phone, pi]) await shows(node, 'to all of you')
    await reaches(alice, sent.id, 'delivered')
    const [copy] = await messagesAt(pi)
    assert.deepEqual([copy.id, copy.from, copy.to], [sent.id, alice.identity.did, bob.identity.did])
    await phone.messages.send(alice.identity.did, { text: 'from the phone' })
    for (const node of [alice, pi, bob]) await shows(node, 'from the phone')
    await pi.messages.send(bob.identity.did, { text: 'from the pi' })
    for (const node of [alice, phone, bob]) await shows(node, 'from the pi')
    for (const node of [alice, pi, bob, phone])
      assert.deepEqual(new Set(await textsAt(node)), new Set(['from the phone', 'from the pi', 'to all of you']))
    for (const node of [alice, pi, bob, phone]) assert.equal((await textsAt(node)).length, 3)
    await alice.messages.erase(sent.id)
    for (const node of [pi, bob, phone])
      await until(async () => !(await textsAt(node)).includes('to all of you'), 'it is erased everywhere')
  })

  it('do not come to a device that was ended', async () => {
    await using homes = new Homes()
    const { alice, bob, phone } = await withPhone(homes)
    await alice.messages.send(bob.identity.did, { text: 'before' })
    await shows(phone, 'before')
    await phone.stop()
    await alice.messages.send(bob.identity.did, { text: 'in between' })
    await shows(bob, 'in between')
    await bob.devices.revoke('phone')
    const again = await homes.start('phone')
    await again.connect(alice.addresses[0]).catch(() => {})
    const last = await alice.messages.send(bob.identity.did, { text: 'after' })
    await reaches(alice, last.id, 'delivered')
    await shows(bob, 'after')
    assert.deepEqual(await textsAt(again), ['before'])
  })

  it('are not taken from a device that was ended in between, though its session is good', async () => {
    await using homes = new Homes()
    const { alice, bob, phone } = await withPhone(homes)
    const isFollowing = async (): Promise<boolean> =>
      (await phone.contacts.list()).some(({ did, relation }) => did === alice.identity.did && relation === 'followed')
    await until(isFollowing, 'the phone knows whom Bob follows')
    await phone.messages.send(alice.identity.did, { text: 'from the phone' })
    await shows(alice, 'from the phone')
    await phone.stop()
    await bob.devices.revoke('phone')
    await bob.messages.send(alice.identity.did, { text: 'I lost my phone' })
    await shows(alice, 'I lost my phone')
    const knows = (): boolean => rowsOf(homes.of('alice'), 'contact_devices').some(({ last }) => last !== null)
    await until(knows, 'Alice knows that the phone is not one of his any more')
    const thief = await homes.start('phone')
    await thief.connect(alice.addresses[0]).catch(() => {})
    await thief.messages.send(alice.identity.did, { text: 'from the thief' }).catch(() => {})
    await bob.messages.send(alice.identity.did, { text: 'do not believe it' })
    await shows(alice, 'do not believe it')
    await sleep(1_000)
    assert.deepEqual(await textsAt(alice), ['from the phone', 'I lost my phone', 'do not believe it'])
  })

  it('are not sent any more by one device when another has erased them, though they were sealed', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const phone = await join(homes, alice, 'phone')
    await phone.connect(alice.addresses[0])
    await bob.stop()
    const { id } = await alice.messages.send(bob.identity.did, { text: 'wrong number' })
    await shows(phone, 'wrong number')
    const waiting = (): number => rowsOf(homes.of('alice'), 'message_outbox').length
    await until(() => waiting() === 1, 'it waits for Bob')
    const database = new DatabaseSync(`${homes.of('alice')}/feeds.sqlite`, { timeout: 5_000 })
    database.exec("UPDATE message_outbox SET type = 2, bytes = x'00', count = 2")
    database.close()
    await phone.messages.erase(id)
    await until(() => waiting() === 0, 'it waits for nobody any more')
  })
})
