import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectSocket, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { TypedEventEmitter, peerDiscoverySymbol, type PeerDiscoveryEvents, type PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  addressOf,
  connect,
  makeTcpNode,
  startMemoryNode,
  startTcpNode,
  tcpPortOf,
  type TestNetwork,
  until
} from '../support/network.ts'

/** Opens sockets that begin a handshake with these bytes and then stay silent. */
async function openSockets(port: number, count: number, firstBytes = ''): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connectSocket(port, '127.0.0.1').on('error', () => {}))
  await Promise.all(
    sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve).once('close', resolve)))
  )
  for (const socket of sockets) socket.write(firstBytes)
  return sockets
}

function loopbackAddresses(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `/ip4/127.1.${i >> 8}.${i & 255}/tcp/4001`)
}

describe('network', () => {
  it('connects two nodes over tcp, encrypted, and tells no more than the program', async () => {
    await using alice = await startTcpNode()
    await using bob = await startTcpNode()
    await connect(alice, bob)
    const [connection] = alice.libp2p.getConnections()
    assert.equal(connection.encryption, '/noise')
    assert.equal(connection.remotePeer.toString(), bob.peerId.toString())
    await until(async () => (await alice.libp2p.peerStore.all()).some(({ metadata }) => metadata.has('AgentVersion')))
    const { metadata } = await alice.libp2p.peerStore.get(bob.peerId)
    assert.equal(Buffer.from(metadata.get('AgentVersion')!).toString(), 'comrade')
  })

  it('keeps its datastore in the home, and starts from it again', async () => {
    const home = await mkdtemp(join(tmpdir(), 'comrade-network-'))
    const privateKey = await generateKeyPair('Ed25519')
    try {
      await using bob = await startTcpNode()
      {
        await using alice = await startTcpNode({ home, privateKey })
        await connect(alice, bob)
        await until(() => alice.libp2p.peerStore.has(bob.peerId))
      }
      await using again = await startTcpNode({ home, privateKey })
      assert.ok(await again.libp2p.peerStore.has(bob.peerId))
    } finally {
      await rm(home, { recursive: true })
    }
  })

  it('makes its datastore anew when it is damaged', async () => {
    const home = await mkdtemp(join(tmpdir(), 'comrade-network-'))
    try {
      await (await makeTcpNode({ home })).stop()
      await writeFile(join(home, 'network', 'CURRENT'), 'nonsense')
      await using node = await startTcpNode({ home })
      assert.equal(node.libp2p.status, 'started')
    } finally {
      await rm(home, { recursive: true })
    }
  })

  it('lets an embedder bring services and limits', async () => {
    await using alice = await makeTcpNode({
      libp2p: { connectionManager: { maxConnections: 5 }, services: { clock: () => ({ now: () => 7 }) } }
    })
    assert.equal((alice.libp2p.services as unknown as { clock: { now(): number } }).clock.now(), 7)
    assert.ok(alice.libp2p.services.pubsub)
  })

  it('dials whom a discovery service finds', async () => {
    const discovery = new TypedEventEmitter<PeerDiscoveryEvents>()
    await using alice = await startTcpNode({
      libp2p: { peerDiscovery: [() => Object.assign(discovery, { [peerDiscoverySymbol]: discovery })] }
    })
    await using bob = await startTcpNode()
    discovery.safeDispatchEvent('peer', { detail: { id: bob.peerId, multiaddrs: bob.libp2p.getMultiaddrs() } })
    await until(() => alice.libp2p.getConnections(bob.peerId).length === 1)
  })

  it('dials whom a discovery service finds while the node is still starting', async () => {
    await using bob = await startTcpNode()
    const found = { id: bob.peerId, multiaddrs: bob.libp2p.getMultiaddrs() }
    const discovery = new TypedEventEmitter<PeerDiscoveryEvents>()
    const startable = { start: () => void discovery.safeDispatchEvent('peer', { detail: found }), stop: () => {} }
    await using alice = await startTcpNode({
      libp2p: { peerDiscovery: [() => Object.assign(discovery, startable, { [peerDiscoverySymbol]: discovery })] }
    })
    await until(() => alice.libp2p.getConnections(bob.peerId).length === 1)
  })

  it('dials a private address without LAN mode only when the user gave it', async () => {
    await using alice = await startTcpNode({ lan: false })
    await using bob = await startTcpNode({ lan: false })
    const target = { peerId: bob.peerId.toString(), multiaddrs: [addressOf(bob)], priority: 0 }
    await assert.rejects(alice.dial(target, AbortSignal.timeout(200)))
    await alice.connect(addressOf(bob))
    assert.ok(alice.isConnected(target))
  })

  it('closes the oldest connections of strangers when it has dialled too many, and never those of wanted peers', async () => {
    await using stack = new AsyncDisposableStack()
    const start = async () => stack.use(await startTcpNode())
    const [friend, first, second, third] = [await start(), await start(), await start(), await start()]
    const alice = stack.use(
      await startTcpNode({ isWanted: (peerId) => peerId === friend.peerId.toString(), maxStrangers: 2 })
    )
    await connect(friend, alice)
    await alice.libp2p.peerStore.merge(first.peerId, { tags: { 'keep-alive-kad-dht': { value: 1 } } }) // as the DHT does
    for (const stranger of [first, second, third]) await connect(alice, stranger)
    await until(() => alice.libp2p.getConnections().length === 3)
    assert.equal(alice.libp2p.getConnections(friend.peerId).length, 1)
    assert.equal(alice.libp2p.getConnections(first.peerId).length, 0)
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.equal(alice.libp2p.getConnections(first.peerId).length, 0)
  })

  it('lets a newcomer in while 500 silent sockets of the same host wait, and closes them within seconds', async function () {
    this.timeout(15_000)
    await using alice = await startTcpNode()
    await using bob = await startTcpNode()
    const sockets = await openSockets(tcpPortOf(alice), 500)
    assert.ok(alice.guard.pending <= 8)
    await until(() =>
      connect(bob, alice).then(
        () => true,
        () => false
      )
    )
    await until(() => sockets.every((socket) => socket.closed), 6_000)
    assert.equal(alice.guard.pending, 0)
  })

  it('closes handshakes that are half done, and goes on', async function () {
    this.timeout(15_000)
    await using alice = await startTcpNode({ libp2p: { connectionManager: { inboundUpgradeTimeout: 500 } } })
    await using bob = await startTcpNode()
    const begun = await openSockets(tcpPortOf(alice), 20, '\x13/multistream/1.0.0\n\x07/noise\n\x00\x20')
    const garbage = await openSockets(tcpPortOf(alice), 20, '\xff\xff\xff\xff GET / HTTP/1.1\r\n\r\n')
    await until(() =>
      connect(bob, alice).then(
        () => true,
        () => false
      )
    )
    await until(() => [...begun, ...garbage].every((socket) => socket.closed), 6_000)
  })

  it('remembers so many strangers who came and went, and friends in any case, also over several runs', async () => {
    const home = await mkdtemp(join(tmpdir(), 'comrade-network-'))
    const [privateKey, friendKey] = [await generateKeyPair('Ed25519'), await generateKeyPair('Ed25519')]
    const friendId = peerIdFromPrivateKey(friendKey)
    const options = {
      home,
      privateKey,
      isWanted: (peerId: string) => peerId === friendId.toString(),
      maxStoredPeers: 4
    }
    const meets = async (alice: TestNetwork, key?: PrivateKey): Promise<void> => {
      await using other = await startMemoryNode(key === undefined ? {} : { privateKey: key })
      await connect(other, alice)
      await until(() => alice.libp2p.peerStore.has(other.peerId))
    }
    try {
      for (const run of [0, 1]) {
        await using alice = await startMemoryNode(options)
        if (run === 0) await meets(alice, friendKey)
        for (let i = 0; i < 8; i++) await meets(alice)
        await until(async () => (await alice.libp2p.peerStore.all()).length <= 4 + 1)
        assert.ok(await alice.libp2p.peerStore.has(friendId))
      }
    } finally {
      await rm(home, { recursive: true })
    }
  })

  for (const count of [300, 10_000]) {
    it(`keeps at most 16 addresses of a peer that tells ${count}`, async () => {
      await using alice = await startTcpNode()
      await using mallory = await startTcpNode({ announce: loopbackAddresses(count) })
      let most = 0
      alice.libp2p.addEventListener(
        'peer:update',
        ({ detail: { peer } }) => (most = Math.max(most, peer.addresses.length))
      )
      await connect(mallory, alice)
      await until(() => alice.libp2p.peerStore.has(mallory.peerId))
      if (count === 300) await until(() => most > 300) // 10,000 do not fit into an identify message, and libp2p refuses it
      else
        await until(() =>
          mallory.libp2p.getConnections()[0].streams.every(({ protocol }) => !protocol.startsWith('/ipfs/id'))
        )
      await until(async () => (await alice.libp2p.peerStore.get(mallory.peerId)).addresses.length <= 16)
    })
  }

  it('stops in time with silent sockets, half-closed sockets and an unread stream', async function () {
    this.timeout(15_000)
    const alice = await startTcpNode()
    await using bob = await startTcpNode()
    await bob.libp2p.handle('/stuck/1', (stream) => stream.pause())
    await connect(alice, bob)
    const stream = await alice.libp2p.dialProtocol(bob.peerId, '/stuck/1')
    stream.send(new Uint8Array(4_000_000))
    const sockets = await openSockets(tcpPortOf(alice), 5)
    sockets[0].end()
    const started = Date.now()
    await alice.stop()
    assert.ok(Date.now() - started < 3_000)
    assert.equal(alice.libp2p.status, 'stopped')
    await alice.stop()
    for (const socket of sockets) socket.destroy()
  })
})
