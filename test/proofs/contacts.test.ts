// The promise: whoever takes a host's disk, or reads what the network keeps, does not learn who writes to whom. The attack:
// to look for everybody's keys and names, however they are written, and to link the queues of one person at two hosts.
import assert from 'node:assert/strict'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Comrade } from '../../src/index.ts'
import { deviceAddress } from '../../src/messages/index.ts'
import { parseDid } from '../../src/trust/index.ts'
import { homeAt } from '../../src/node/home.ts'
import { befriend, Homes } from '../support/node.ts'
import { until } from '../support/processes.ts'
import { filesOf, isIn, mail, rowsOf, startVillage, tablesOf, valuesOf } from './stage.ts'

/** Tables of what a host keeps for others. */
const HOSTED = ['mailbox_host', 'mailbox_queues', 'mailbox_cells', 'mailbox_ends']

describe('whoever takes a host’s disk, or asks the network', function () {
  this.timeout(120_000)

  it('learns neither whose a queue is, nor who writes to it, nor which queues belong together', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await startVillage(homes)
    const dave = await homes.start('dave')
    await befriend(bob, dave)
    const queuesAt = (name: string) => rowsOf(homes.of(name), 'mailbox_queues')
    await until(() => queuesAt('dave').length >= 1 && queuesAt('carol').length >= 2, 'both have queues')
    await bob.stop()
    await mail(alice, bob.identity.did, 'to somebody')
    await until(() => rowsOf(homes.of('carol'), 'mailbox_cells').length > 0, 'something is hosted')

    const people = [alice, bob, carol, dave].flatMap(namesOf)
    for (const name of ['carol', 'dave']) {
      const values = HOSTED.flatMap((table) => valuesOf(rowsOf(homes.of(name), table)))
      assert.deepEqual(
        people.filter((each) => isIn(values, each)),
        [],
        `what ${name} keeps for others names nobody`
      )
      // The attack finds names where there are some: in the recipient's own tables.
      assert.ok(HOSTED.every((table) => tablesOf(homes.of(name), 'mailbox').includes(table)))
    }
    const own = valuesOf(rowsOf(homes.of('bob'), 'mailbox_own'))
    assert.ok(namesOf(alice).some((each) => isIn(own, each)))

    const [atCarol, atDave] = ['carol', 'dave'].map((name) => queuesAt(name).flatMap(idsOf))
    const all = [...atCarol, ...atDave]
    assert.equal(new Set(all).size, all.length, 'no two queues, and no two sides of one, have an id in common')

    const dumps = await Promise.all([alice, carol, dave].map(peersOf))
    await Promise.all([alice, carol, dave].map((node) => node.stop()))
    for (const [i, name] of ['alice', 'carol', 'dave'].entries()) {
      const network = [...filesOf(homeAt(homes.of(name)).network), Buffer.from(dumps[i])]
      assert.ok(isIn(network, Buffer.from(bob.libp2p.peerId.toString())), 'peers are found, so keys would be, too')
      const keys = people.filter(({ length }) => length === 32)
      assert.deepEqual(
        [...all.map((id) => Buffer.from(id, 'hex')), ...keys].filter((each) => isIn(network, each)).length,
        0,
        `what the network keeps at ${name} has neither queues nor identities`
      )
    }
  })
})

/** All by which a person or device may be named. */
function namesOf(node: Comrade): Buffer[] {
  const { did, device } = node.identity
  const [root, key, peerId] = [parseDid(did), parseDid(device), node.libp2p.peerId]
  const texts = [did, device, did.split(':').at(-1)!, device.split(':').at(-1)!, peerId.toString()]
  return [
    ...[root, key, Buffer.from(deviceAddress(key), 'hex'), peerIdFromString(peerId.toString()).toMultihash().bytes],
    ...texts.map((text) => Buffer.from(text))
  ].map((each) => Buffer.from(each))
}

function idsOf({ receive, send }: Record<string, unknown>): string[] {
  return [receive, send].map((id) => Buffer.from(id as Uint8Array).toString('hex'))
}

/** The peer store, whole. */
async function peersOf({ libp2p }: Comrade): Promise<string> {
  const peers = await libp2p.peerStore.all()
  assert.ok(peers.length > 0)
  const text = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)
  return JSON.stringify(
    peers.map(({ id, addresses, protocols, tags, metadata }) => ({
      id: id.toString(),
      addresses: addresses.map(({ multiaddr }) => multiaddr.toString()),
      protocols,
      tags: [...tags],
      metadata: [...metadata].map(([name, value]) => [name, Buffer.from(value).toString('hex')])
    })),
    text
  )
}
