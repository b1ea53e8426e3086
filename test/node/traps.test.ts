// What js-libp2p does that a node has to know about: each test fails when a version changes it or a setting is lost.
import assert from 'node:assert/strict'
import { connect as connectSocket, createServer, type AddressInfo, type Socket } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { dhtKey, RecordStore } from '../../src/node/record-store.ts'
import { directoryRecord } from '../support/directory.ts'
import {
  addressOf,
  connect,
  startMemoryNode,
  startTcpNode,
  tcpPortOf,
  until,
  type TestNetwork
} from '../support/network.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

/** Passes the bytes between one client and a port on, and keeps what the client sent. */
async function startRecorder(port: number) {
  const sent: Buffer[] = []
  const sockets: Socket[] = []
  const server = createServer((client) => {
    const target = connectSocket(port, '127.0.0.1')
    sockets.push(client, target)
    client
      .on('data', (bytes) => sent.push(bytes as Buffer))
      .on('error', () => {})
      .pipe(target)
      .on('error', () => {})
      .pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    sent,
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

describe('traps of js-libp2p', () => {
  it('delivers gossip to 14 peers on one IP address', async () => {
    await using stack = new AsyncDisposableStack()
    const hub = stack.use(await startTcpNode())
    const peers = await Promise.all(Array.from({ length: 14 }, async () => stack.use(await startTcpNode())))
    const reached = new Set<TestNetwork>()
    hub.libp2p.services.pubsub.subscribe('t') // else it reaches the six peers of its fanout and no others
    for (const peer of peers) {
      peer.libp2p.services.pubsub.subscribe('t')
      peer.libp2p.services.pubsub.addEventListener('message', () => reached.add(peer))
      await connect(peer, hub)
    }
    await until(() => hub.libp2p.services.pubsub.getSubscribers('t').length === 14)
    for (let i = 0; reached.size < 14; i++) {
      await hub.libp2p.services.pubsub.publish('t', Uint8Array.of(i))
      await new Promise((resolve) => setTimeout(resolve, 100)) // the mesh and the gossip beside it change with every heartbeat
    }
  })

  it('delivers gossip published before there was a mesh, as soon as a subscriber is known', async () => {
    await using alice = await startMemoryNode()
    await using bob = await startMemoryNode()
    bob.libp2p.services.pubsub.subscribe('t')
    await connect(alice, bob)
    await until(() => alice.libp2p.services.pubsub.getSubscribers('t').length === 1)
    const received = new Promise((resolve) =>
      bob.libp2p.services.pubsub.addEventListener('message', resolve, { once: true })
    )
    await alice.libp2p.services.pubsub.publish('t', utf8('x'))
    await received
  })

  it('stores and finds a DHT record among private addresses', async () => {
    await using stack = new AsyncDisposableStack()
    const nodes: TestNetwork[] = []
    for (let i = 0; i < 4; i++) nodes.push(stack.use(await startTcpNode({ records: new RecordStore() })))
    for (let i = 1; i < nodes.length; i++) await connect(nodes[i], nodes[i - 1])
    await until(async () => (await knownServers(nodes[0])) > 0 && (await knownServers(nodes[3])) > 0)
    const { blinded, bytes } = directoryRecord()
    const signal = AbortSignal.timeout(5_000)
    for await (const event of nodes[0].libp2p.services.dht.put(dhtKey(blinded), bytes, { signal })) void event
    for await (const event of nodes[3].libp2p.services.dht.get(dhtKey(blinded), { signal })) {
      if (event.name === 'VALUE') return assert.deepEqual(Buffer.from(event.value), Buffer.from(bytes))
    }
    assert.fail('no value was found')
  })

  it('keeps a connection whose peer does not answer pings', async () => {
    await using alice = await startMemoryNode({
      libp2p: {
        connectionMonitor: {
          enabled: true,
          pingInterval: 20,
          pingTimeout: { minTimeout: 10, maxTimeout: 30 },
          abortConnectionOnPingFailure: false
        }
      }
    })
    await using bob = await startMemoryNode()
    let pings = 0
    await bob.libp2p.unhandle('/ipfs/ping/1.0.0')
    await bob.libp2p.handle('/ipfs/ping/1.0.0', () => void pings++, { maxInboundStreams: 100 })
    await connect(alice, bob)
    await until(() => pings >= 3)
    assert.equal(alice.libp2p.getConnections()[0].status, 'open')
  })

  it('caps the streams of a peer that opens hundreds, and goes on serving others', async () => {
    await using alice = await startMemoryNode()
    await using bob = await startMemoryNode()
    await using mallory = await startMemoryNode()
    let most = 0
    await alice.libp2p.handle('/many/1', () => {
      most = Math.max(
        most,
        ...alice.libp2p
          .getConnections(mallory.peerId)
          .map(({ streams }) => streams.filter(({ protocol }) => protocol === '/many/1').length)
      )
    })
    await connect(mallory, alice)
    const signal = AbortSignal.timeout(5_000)
    await Promise.allSettled(
      Array.from({ length: 400 }, () =>
        mallory.libp2p.dialProtocol(alice.peerId, '/many/1', { maxOutboundStreams: 1_000, signal })
      )
    )
    assert.ok(most > 0 && most <= 33, `${most} streams`)
    await connect(bob, alice)
    await bob.libp2p.services.ping.ping(alice.peerId, { signal })
  })

  it('stays connected when both dial at the same moment', async () => {
    await using alice = await startTcpNode()
    await using bob = await startTcpNode()
    await Promise.all([connect(alice, bob), connect(bob, alice)])
    const count = alice.libp2p.getConnections().length
    assert.ok(count === 1 || count === 2)
    await alice.libp2p.services.ping.ping(bob.peerId)
    await bob.libp2p.services.ping.ping(alice.peerId)
  })

  it('lets nobody in with the recorded bytes of a handshake', async () => {
    await using alice = await startTcpNode()
    await using bob = await startTcpNode()
    await using recorder = await startRecorder(tcpPortOf(alice))
    await bob.libp2p.dial(multiaddr(addressOf(alice).replace(/tcp\/\d+/, `tcp/${recorder.port}`)))
    await until(() => alice.libp2p.getConnections().length === 1)
    let opened = 0
    alice.libp2p.addEventListener('connection:open', () => opened++)
    const replay = connectSocket(tcpPortOf(alice), '127.0.0.1').on('error', () => {})
    replay.write(Buffer.concat(recorder.sent))
    await until(() => replay.closed)
    assert.equal(opened, 0)
  })

  it('ends a handshake that trickles in byte by byte', async () => {
    await using alice = await startTcpNode({ libp2p: { connectionManager: { inboundUpgradeTimeout: 300 } } })
    const socket = connectSocket(tcpPortOf(alice), '127.0.0.1').on('error', () => {})
    const bytes = utf8('\x13/multistream/1.0.0\n')
    let next = 0
    const trickle = setInterval(() => socket.write(bytes.subarray(next++ % 20, (next % 20) + 1)), 20)
    try {
      await until(() => socket.closed, 3_000)
    } finally {
      clearInterval(trickle)
      socket.destroy()
    }
  })

  it('does not dial by itself whom it learns of', async () => {
    await using alice = await startMemoryNode()
    await using bob = await startMemoryNode()
    let discovered = 0
    alice.libp2p.addEventListener('peer:discovery', () => discovered++)
    await alice.libp2p.peerStore.merge(bob.peerId, { multiaddrs: bob.libp2p.getMultiaddrs() })
    assert.equal(discovered, 1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(alice.libp2p.getConnections().length, 0)
  })
})

/** How many peers a node knows that serve the DHT. */
async function knownServers(node: TestNetwork): Promise<number> {
  return (await node.libp2p.peerStore.all()).filter(({ tags }) => [...tags.keys()].some((tag) => tag.includes('kad')))
    .length
}
