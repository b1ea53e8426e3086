import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, it } from 'mocha'
import type { Comrade } from '../../../src/index.ts'
import { encodeHello } from '../../../src/node/groups/group-messages.ts'
import { GROUP_PROTOCOL } from '../../../src/node/groups/group-sync.ts'
import { startTcpNode } from '../../support/network.ts'
import { befriend, Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'

async function sizeAt(node: Comrade): Promise<number> {
  return (await node.groups.list())[0]?.size ?? 0
}

/** The streams of replication. */
function streamsOf(node: Comrade): Stream[] {
  const streams = node.libp2p.getConnections().flatMap((connection) => connection.streams)
  return streams.filter(({ protocol, status }) => protocol === GROUP_PROTOCOL && status === 'open')
}

/** The key of a peer that opens streams with this one. */
async function keyBelow(node: Comrade): Promise<PrivateKey> {
  for (;;) {
    const key = await generateKeyPair('Ed25519')
    const bytes = peerIdFromPrivateKey(key).toMultihash().bytes
    if (Buffer.compare(bytes, node.libp2p.peerId.toMultihash().bytes) < 0) return key
  }
}

describe('groups on several nodes', function () {
  this.timeout(60_000)

  it('form from a link: apply, vouch, join, and everybody says the same of everybody', async () => {
    await using homes = new Homes()
    const [alice, bob, carol] = [await homes.start('alice'), await homes.start('bob'), await homes.start('carol')]
    const ours = await alice.groups.create({ name: 'portland' })
    for (const node of [bob, carol]) {
      const theirs = await node.groups.open(await ours.link())
      assert.equal(theirs.name, 'portland')
      const before = await sizeAt(alice)
      await theirs.apply()
      await until(async () => (await ours.candidates()).length === 1, 'alice sees who applies')
      const [{ did }] = await ours.candidates()
      assert.equal(did, node.identity.did)
      await ours.vouch(did)
      await until(async () => (await theirs.candidates()).some(({ vouches }) => vouches === 1), 'the vouch is there')
      await theirs.join()
      await until(async () => (await sizeAt(alice)) === before + 1, 'alice sees the new member')
    }
    await until(async () => (await sizeAt(bob)) === 3 && (await sizeAt(carol)) === 3, 'all see three members')
    const logs = await Promise.all(
      [alice, bob, carol].map(async (node) => {
        const said = await (await node.groups.get('portland')).log()
        return said.map(({ did, isMember }) => [did, isMember])
      })
    )
    assert.deepEqual(logs[1], logs[0])
    assert.deepEqual(logs[2], logs[0])
  })

  it('bring who was away what happened since', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice')
    const bob = await homes.start('bob')
    const ours = await alice.groups.create({ name: 'portland' })
    await bob.groups.open(await ours.link())
    await bob.stop()
    const stranger = (await homes.start('carol')).identity.did
    await ours.propose(stranger)
    const again = await homes.start('bob')
    await again.connect(alice.addresses[0])
    const theirs = await again.groups.get('portland')
    await until(async () => (await theirs.candidates()).length === 1, 'bob has caught up')
  })

  it('bring everything over somebody between who is no member', async () => {
    await using homes = new Homes()
    const [alice, bob, carol] = [await homes.start('alice'), await homes.start('bob'), await homes.start('carol')]
    const ours = await alice.groups.create({ name: 'portland' })
    const between = await bob.groups.open(await ours.link())
    const theirs = await carol.groups.open(await between.link())
    assert.equal(theirs.name, 'portland')
    assert.ok(!carol.libp2p.getPeers().some((peerId) => peerId.equals(alice.libp2p.peerId)))
    await ours.propose(bob.identity.did)
    await theirs.apply()
    const namesAt = async (node: Comrade): Promise<string> => {
      const group = await node.groups.get('portland')
      const said = (await group.candidates()).map(({ did }) => did)
      return said.toSorted().join()
    }
    const expected = [bob.identity.did, carol.identity.did].toSorted().join()
    for (const node of [alice, bob, carol]) await until(async () => (await namesAt(node)) === expected, 'all see both')
  })

  it('open no stream where there is no group, and one when there is', async () => {
    await using homes = new Homes()
    const nodes = [await homes.start('alice'), await homes.start('bob')]
    await nodes[0].connect(nodes[1].addresses[0])
    const streams = (): number => nodes.reduce((sum, node) => sum + streamsOf(node).length, 0)
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.equal(streams(), 0)
    for (const node of nodes) await node.groups.create({ name: 'portland' })
    await until(() => streams() === 2, 'one stream, seen from both ends')
  })

  it('go on when a stream breaks', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    const ours = await alice.groups.create({ name: 'portland' })
    const theirs = await bob.groups.open(await ours.link())
    for (const stream of streamsOf(alice)) stream.abort(new Error('a cable was pulled'))
    await ours.propose(bob.identity.did)
    await until(async () => (await theirs.candidates()).length === 1, 'bob hears of it')
    await until(() => streamsOf(alice).length === 1, 'a stream is there again')
  })

  it('let go of a peer that sends junk, and go on with others', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    const ours = await alice.groups.create({ name: 'portland' })
    const theirs = await bob.groups.open(await ours.link())
    await using mallory = await startTcpNode({ privateKey: await keyBelow(alice) })
    await mallory.connect(alice.addresses[0])
    for (const junk of [new Uint8Array(40), encodeHello(new Uint8Array(16)), Uint8Array.of(0)]) {
      const stream = await mallory.libp2p.dialProtocol(alice.libp2p.peerId, GROUP_PROTOCOL)
      stream.send(Uint8Array.of(junk.length, ...junk, 2, 1, 0xff))
      await until(() => stream.status !== 'open', 'the stream is cut')
    }
    await ours.propose(bob.identity.did)
    await until(async () => (await theirs.candidates()).length === 1, 'bob hears of it')
  })

  it('are neither told to nor taken from somebody who is blocked', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    const ours = await alice.groups.create({ name: 'portland' })
    const theirs = await bob.groups.open(await ours.link())
    await befriend(alice, bob)
    await alice.contacts.block(bob.identity.did)
    await until(() => streamsOf(alice).length === 0, 'the session has ended')
    await ours.propose(bob.identity.did)
    await new Promise((resolve) => setTimeout(resolve, 500))
    assert.equal((await theirs.candidates()).length, 0)
  })
})
