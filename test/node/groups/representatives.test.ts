import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { decodeCbor, encodeCbor, parseEntryId, sha256 } from '../../../src/feeds/index.ts'
import { signPresence } from '../../../src/groups/index.ts'
import type { Comrade } from '../../../src/index.ts'
import { framedStream } from '../../../src/node/frames.ts'
import { PRESENCE_PROTOCOL } from '../../../src/node/groups/presence-service.ts'
import { keyOf } from '../../support/feeds.ts'
import type { NodeGroups } from '../../../src/node/groups/groups.ts'
import { formGroup, representativeAt } from '../../support/formation.ts'
import { befriend, Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'

describe('the representative of a group', function () {
  this.timeout(90_000)

  it('is the same at every member, follows a lost one; and the members come to be connected with each other', async () => {
    await using homes = new Homes()
    const nodes = await Promise.all(['ann', 'ben', 'cem', 'dora'].map((name) => homes.start(name)))
    const groups = await formGroup(nodes)
    await until(
      () => nodes.every((node) => node.libp2p.getPeers().length >= nodes.length - 1),
      'all are connected with all'
    )
    const first = await representativeAt(groups)
    const at = nodes.findIndex(({ identity }) => identity.did === first)
    await nodes[at].stop()
    const second = await representativeAt(groups.toSpliced(at, 1), (did) => did !== first)
    assert.ok(nodes.toSpliced(at, 1).some(({ identity }) => identity.did === second))
  })
})

describe('members who cannot be dialled', function () {
  this.timeout(90_000)

  it('are connected with each other through the representative, who need not be their friend', async () => {
    await using homes = new Homes()
    const ann = await homes.start('ann')
    const hidden = [await homes.start('ben', { listen: [] }), await homes.start('cem', { listen: [] })]
    const groups = await formGroup([ann, ...hidden])
    assert.equal(await representativeAt(groups), ann.identity.did)
    const [ben, cem] = hidden
    await until(
      async () => (await ben.peers()).some(({ did }) => did === cem.identity.did),
      'they reach each other',
      40_000
    )
    const [{ address }] = (await ben.peers()).filter(({ did }) => did === cem.identity.did)
    assert.match(address, /p2p-circuit/)
  })
})

describe('members who were away', function () {
  this.timeout(90_000)

  it('find the others again by themselves, at new addresses of some', async () => {
    await using homes = new Homes()
    const names = ['ann', 'ben', 'cem']
    const nodes = await Promise.all(names.map((name) => homes.start(name)))
    await formGroup(nodes)
    await until(() => nodes.every((node) => node.libp2p.getPeers().length === 2), 'all are connected with all')
    await nodes[2].stop()
    await nodes[1].stop() // when cem comes back, ben is somewhere else; ann knows where
    nodes[1] = await homes.start('ben')
    await until(() => nodes[0].libp2p.getPeers().length === 1, 'ben is back', 40_000)
    nodes[2] = await homes.start('cem')
    await until(() => nodes.every((node) => node.libp2p.getPeers().length === 2), 'all are connected again', 40_000)
  })
})

describe('representatives of different groups', function () {
  this.timeout(90_000)

  it('who know each other elect one of them, each who is cut off is alone, and a split heals to one', async () => {
    await using homes = new Homes()
    const names = ['ann', 'ben', 'cem']
    const nodes = await Promise.all(names.map((name) => homes.start(name)))
    await Promise.all(nodes.map((node, i) => node.groups.create({ name: `group-${i}` })))
    const [ann, ben, cem] = nodes
    await befriend(ann, ben)
    await befriend(ben, cem)
    await befriend(ann, cem)
    await untilTiers(nodes, 3)
    assert.equal(nodes.filter((node) => tierOf(node).isFirst).length, 1)
    await cem.stop()
    await untilTiers([ann, ben], 2)
    assert.equal([ann, ben].filter((node) => tierOf(node).isFirst).length, 1)
    const back = await homes.start('cem')
    await untilTiers([ann, ben, back], 3)
    assert.equal([ann, ben, back].filter((node) => tierOf(node).isFirst).length, 1)
  })
})

function tierOf(node: Comrade): { size: number; isFirst: boolean } {
  return (node.groups as NodeGroups).online!.tier
}

async function untilTiers(nodes: readonly Comrade[], size: number): Promise<void> {
  await until(() => nodes.every((node) => tierOf(node).size === size), `all know of ${size} representatives`)
  await until(() => nodes.filter((node) => tierOf(node).isFirst).length === 1, 'one of them is first')
}

describe('presences from peers who mean no good', function () {
  this.timeout(60_000)

  it('change nothing, and end their stream when they are malformed or forged', async () => {
    await using homes = new Homes()
    const [ann, eve] = [await homes.start('ann'), await homes.start('eve')]
    const group = await ann.groups.create({ name: 'portland' })
    await eve.connect(ann.addresses[0])
    const circle = parseEntryId(group.id)
    const word = (key: string, id: Uint8Array): Uint8Array =>
      signPresence(id, keyOf(key), {
        at: Date.now(),
        links: [],
        serves: true,
        peerKey: new Uint8Array(32),
        addresses: []
      })
    const forged = encodeCbor({ ...(decodeCbor(word('mallory', circle)) as object), sig: new Uint8Array(64) })
    const ignored = [
      encodeCbor({ circle, words: [word('mallory', circle), forged] }),
      encodeCbor({ circle: new Uint8Array(32), words: [forged] })
    ]
    const ended = [
      new Uint8Array([1, 2, 3]),
      encodeCbor({ circle, words: 'all' }),
      encodeCbor({ circle, words: [new Uint8Array(10)] }),
      encodeCbor({ circle, words: Array.from({ length: 65 }, () => forged) }),
      encodeCbor({ circle, words: [word('mallory', sha256(circle))] })
    ]
    const open = async () => framedStream(await eve.libp2p.dialProtocol(ann.libp2p.peerId, PRESENCE_PROTOCOL))
    const stream = await open()
    for (const frame of ignored) await stream.send(frame)
    for (const frame of ended) {
      const other = await open()
      await other.send(frame)
      await assert.rejects(Array.fromAsync(other.receive()), 'the stream was reset')
    }
    await stream.send(ignored[0])
    assert.equal(await representativeAt([group]), ann.identity.did)
  })
})
