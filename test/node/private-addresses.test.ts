import assert from 'node:assert/strict'
import { type PeerDiscoveryEvents, peerDiscoverySymbol, TypedEventEmitter } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { addressOf, connect, startTcpNode, until } from '../support/network.ts'

const LIMIT = { signal: AbortSignal.timeout(60_000) }

describe('private addresses without LAN mode', function () {
  this.timeout(20_000)

  it('are not kept when a peer announces them, nor when it changes what it announces', async () => {
    await using alice = await startTcpNode({ lan: false })
    await using bob = await startTcpNode({ announce: ['/ip4/10.1.2.3/tcp/4001', '/ip4/1.1.1.1/tcp/4001'] })
    await connect(bob, alice)
    const known = async (): Promise<string[]> =>
      (await alice.libp2p.peerStore.get(bob.peerId)).addresses.map(({ multiaddr }) => multiaddr.toString())
    await until(async () => (await alice.libp2p.peerStore.has(bob.peerId)) && (await known()).length > 0)
    assert.deepEqual(await known(), ['/ip4/1.1.1.1/tcp/4001'])
    await bob.libp2p.services.identifyPush.push()
    assert.deepEqual(await known(), ['/ip4/1.1.1.1/tcp/4001'])
  })

  it('are not dialled when the DHT names them', async () => {
    await using alice = await startTcpNode({ lan: false, listen: [] })
    await using bob = await startTcpNode()
    await using carol = await startTcpNode()
    await connect(bob, carol)
    await connect(alice, carol)
    await until(async () => (await alice.libp2p.peerStore.get(carol.peerId)).protocols.includes('/comrade/kad/1.0.0'))
    let dialled = 0
    bob.libp2p.addEventListener('connection:open', ({ detail }) => {
      if (detail.remotePeer.equals(alice.peerId)) dialled++
    })
    await assert.rejects(alice.libp2p.dial(bob.peerId, { signal: AbortSignal.timeout(3_000) }))
    assert.equal(dialled, 0)
  })

  it('are not dialled when multicast names them', async () => {
    const discovery = new TypedEventEmitter<PeerDiscoveryEvents>()
    await using alice = await startTcpNode({
      lan: false,
      libp2p: { peerDiscovery: [() => Object.assign(discovery, { [peerDiscoverySymbol]: discovery })] }
    })
    await using bob = await startTcpNode()
    discovery.safeDispatchEvent('peer', { detail: { id: bob.peerId, multiaddrs: bob.libp2p.getMultiaddrs() } })
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.deepEqual([...alice.libp2p.getConnections(), ...bob.libp2p.getConnections()], [])
  })

  it('are not dialled as those of a relay, unless the user gave the whole address', async () => {
    await using relay = await startTcpNode({ relay: true, mayRelayFor: () => true })
    await using bob = await startTcpNode({ listen: [], relays: () => [relay.peerId] })
    await connect(bob, relay)
    await until(() => bob.libp2p.getMultiaddrs().length > 0)
    const address = addressOf(bob)
    await using alice = await startTcpNode({ lan: false })
    await assert.rejects(alice.libp2p.dial(multiaddr(address), LIMIT))
    assert.deepEqual(relay.libp2p.getConnections(alice.peerId), [])
    await alice.connect(address)
    assert.ok(alice.isRelayed({ peerId: bob.peerId.toString() }))
  })

  it('are not announced as those of a relay', async () => {
    await using relay = await startTcpNode({ relay: true, mayRelayFor: () => true })
    await using bob = await startTcpNode({ listen: [], lan: false, relays: () => [relay.peerId] })
    await connect(bob, relay)
    await until(() => bob.reservations.relays.length === 1)
    assert.deepEqual(bob.libp2p.getMultiaddrs(), [])
  })
})

describe('addresses of a peer who is dialled again', () => {
  it('are told of when they lead nowhere, whichever of them works in the end', async () => {
    await using alice = await startTcpNode()
    await using bob = await startTcpNode()
    const dead = ['/ip4/127.0.0.1/tcp/1025', '/ip4/127.0.0.1/tcp/1026']
    const failed: string[] = []
    const target = { peerId: bob.peerId.toString(), multiaddrs: [...dead, addressOf(bob)], priority: 0 }
    await alice.dial(target, AbortSignal.timeout(5_000), (address) => failed.push(address))
    assert.ok(alice.isConnected(target))
    assert.ok(failed.includes(`${dead[0]}/p2p/${bob.peerId}`))
    assert.ok(!failed.includes(addressOf(bob)))
  })
})

describe('a direct connection through two routers', () => {
  it('is not made for a stranger, who could send us to any address', async () => {
    await using alice = await startTcpNode({ mayPunch: () => false })
    await using mallory = await startTcpNode()
    await connect(mallory, alice)
    const stream = await mallory.libp2p.dialProtocol(alice.peerId, '/libp2p/dcutr')
    await until(() => stream.status !== 'open')
  })
})
