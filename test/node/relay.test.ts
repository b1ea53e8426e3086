import assert from 'node:assert/strict'
import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { pEvent } from 'p-event'
import { Relay } from '../../src/node/relay.ts'
import type { NetworkOptions, NetworkOverrides } from '../../src/node/libp2p-options.ts'
import { connect, startTcpNode, type TestNetwork, until } from '../support/network.ts'

/** A node that nobody can dial: it listens nowhere. */
async function startHidden(relays: TestNetwork[], options: Partial<NetworkOptions> = {}): Promise<TestNetwork> {
  const node = await startTcpNode({ listen: [], relays: () => relays.map(({ peerId }) => peerId), ...options })
  for (const relay of relays) await connect(node, relay)
  return node
}

function startRelay(options: Partial<NetworkOptions> = {}): Promise<TestNetwork> {
  return startTcpNode({ relay: true, mayRelayFor: () => true, ...options })
}

async function reserved(node: TestNetwork, at?: TestNetwork): Promise<string> {
  const fits = (address: string): boolean =>
    address.includes('/p2p-circuit') && (at === undefined || address.includes(at.peerId.toString()))
  await until(() => node.libp2p.getMultiaddrs().map(String).some(fits), 10_000)
  return node.libp2p.getMultiaddrs().map(String).find(fits)!
}

const PROTOCOL = '/test/1'

/** Counts what arrives. */
async function sink(node: TestNetwork): Promise<{ bytes: number; stream?: Stream }> {
  const received: { bytes: number; stream?: Stream } = { bytes: 0 }
  await node.libp2p.handle(PROTOCOL, (stream) => {
    received.stream = stream
    stream.addEventListener('message', ({ data }) => (received.bytes += data.byteLength))
  })
  return received
}

async function send(connection: Connection, bytes: number): Promise<void> {
  const stream = await connection.newStream(PROTOCOL)
  const chunk = new Uint8Array(65_536)
  for (let sent = 0; sent < bytes; sent += chunk.length)
    if (!stream.send(chunk)) await pEvent(stream, 'drain', { rejectionEvents: ['close'] })
}

describe('relay', function () {
  this.timeout(30_000)

  it('lets two peers who cannot dial each other talk, without a limit on what they say', async () => {
    await using relay = await startRelay()
    await using alice = await startHidden([relay])
    await using bob = await startHidden([relay])
    const address = await reserved(bob)
    const received = await sink(bob)
    const connection = await alice.libp2p.dial(multiaddr(address))
    assert.equal(connection.limits, undefined)
    assert.equal(connection.direct, false)
    await send(connection, 8_388_608)
    await until(() => received.bytes === 8_388_608)
    assert.equal(relay.relay!.relayed, 1)
    assert.ok(relay.relay!.bytes > 8_388_608)
    await connection.close()
    await until(() => relay.relay!.relayed === 0)
  })

  it('gives strangers no reservation, and tells nobody where they would wait', async () => {
    const friends = new Set<string>()
    await using relay = await startRelay({ mayRelayFor: (peerId) => friends.has(peerId) })
    await using stranger = await startHidden([relay])
    await until(() => relay.relay!.refused > 0)
    assert.deepEqual(stranger.libp2p.getMultiaddrs(), [])
    assert.deepEqual(relay.relay!.reservations, [])
    friends.add(stranger.peerId.toString()) // it asks again: the relay may only come to know it
    await reserved(stranger)
  })

  it('relays for nobody when it is off', async () => {
    await using silent = await startTcpNode({ mayRelayFor: () => true })
    await using bob = await startHidden([silent])
    await until(async () => (await bob.libp2p.peerStore.get(silent.peerId)).protocols.length > 0)
    const { protocols } = await bob.libp2p.peerStore.get(silent.peerId)
    assert.deepEqual(
      protocols.filter((protocol) => protocol.endsWith('/hop')),
      []
    )
    assert.equal(silent.relay, undefined)
  })

  it('waits at two relays and no more, and at another one when the first goes', async () => {
    await using stack = new AsyncDisposableStack()
    const relays = await Promise.all([startRelay(), startRelay(), startRelay()])
    for (const relay of relays) stack.use(relay)
    await using bob = await startHidden(relays)
    await until(() => bob.reservations.relays.length === 2)
    const [used] = relays.filter(({ peerId }) => bob.reservations.relays.some((each) => each.equals(peerId)))
    await used.stop()
    await until(
      () =>
        bob.reservations.relays.length === 2 && !bob.reservations.relays.some((peerId) => peerId.equals(used.peerId))
    )
    assert.ok(bob.libp2p.getMultiaddrs().every((address) => !address.toString().includes(used.peerId.toString())))
  })

  it('waits there again when a relay was away, again and again', async () => {
    await using relay = await startRelay()
    await using bob = await startHidden([relay])
    await using alice = await startHidden([relay])
    for (let i = 0; i < 3; i++) {
      await reserved(bob)
      await relay.libp2p.hangUp(bob.peerId)
      await until(() => bob.libp2p.getMultiaddrs().length === 0 && relay.relay!.reservations.length < 2)
      await connect(bob, relay)
    }
    const connection = await alice.libp2p.dial(multiaddr(await reserved(bob)))
    assert.equal(connection.status, 'open')
  })

  it('takes the reservation from who is blocked, and ends what is passed on to it', async () => {
    const blocked = new Set<string>()
    await using relay = await startRelay({ isBlocked: (peerId) => blocked.has(peerId) })
    await using bob = await startHidden([relay])
    await using alice = await startHidden([relay])
    const address = await reserved(bob)
    await reserved(alice)
    const connection = await alice.libp2p.dial(multiaddr(address))
    blocked.add(bob.peerId.toString())
    relay.relay!.review()
    await until(() => connection.status !== 'open' && relay.relay!.relayed === 0)
    assert.deepEqual(relay.relay!.reservations.map(String), [alice.peerId.toString()])
    await assert.rejects(alice.libp2p.dial(multiaddr(address), { signal: AbortSignal.timeout(5_000) }))
  })

  it('passes nobody on who is blocked, and a blocked peer is not let in through a relay', async () => {
    const blocked = new Set<string>()
    await using relay = await startRelay({ isBlocked: (peerId) => blocked.has(`relay ${peerId}`) })
    await using bob = await startHidden([relay], { isBlocked: (peerId) => blocked.has(`bob ${peerId}`) })
    await using mallory = await startHidden([relay])
    const dial = async (): Promise<Connection> =>
      mallory.libp2p.dial(multiaddr(await reserved(bob)), { signal: AbortSignal.timeout(5_000) })
    blocked.add(`bob ${mallory.peerId}`)
    await assert.rejects(dial())
    blocked.clear()
    blocked.add(`relay ${mallory.peerId}`)
    await assert.rejects(dial())
    blocked.clear()
    assert.equal((await dial()).status, 'open')
  })

  it('does not let anybody make itself our relay', async () => {
    await using stranger = await startRelay()
    await using alice = await startTcpNode({ relays: () => [] })
    await connect(stranger, alice)
    const [connection] = stranger.libp2p.getConnections(alice.peerId)
    const stream = await connection.newStream('/libp2p/circuit/relay/0.2.0/stop')
    await until(() => stream.status !== 'open')
    assert.deepEqual(alice.reservations.relays, [])
    assert.ok(alice.libp2p.getMultiaddrs().every((address) => !address.toString().includes('p2p-circuit')))
  })

  it('holds a sender back when the receiver does not read, and keeps serving others', async () => {
    await using relay = await startRelay()
    await using bob = await startHidden([relay])
    await using alice = await startHidden([relay])
    const received = await sink(bob)
    const connection = await alice.libp2p.dial(multiaddr(await reserved(bob)))
    const stream = await connection.newStream(PROTOCOL)
    stream.send(new Uint8Array(10))
    await until(() => received.stream !== undefined)
    received.stream!.pause()
    let sent = 0
    const flood = (async () => {
      for (; sent < 67_108_864; sent += 65_536)
        if (!stream.send(new Uint8Array(65_536))) await pEvent(stream, 'drain', { rejectionEvents: ['close'] })
    })()
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    assert.ok(sent < 33_554_432, `${sent} bytes were taken`)
    await using carol = await startHidden([relay])
    assert.equal((await carol.libp2p.dial(multiaddr(await reserved(bob)))).status, 'open')
    received.stream!.resume()
    await flood
    await until(() => received.bytes === 67_108_874, 20_000)
  })

  it('passes on so much within an hour, and again in the next one', async () => {
    let now = 0
    const limited = new Relay({ mayReserve: () => true, mayPass: () => true, bytesPerHour: 100_000, now: () => now })
    assert.equal(limited.bytesPerHour, 100_000)
    const services = { relay: limited.service() } as unknown as NetworkOverrides['services']
    await using small = await startTcpNode({ libp2p: { services } })
    await using bob = await startHidden([small])
    await using alice = await startHidden([small])
    await sink(bob)
    const address = multiaddr(await reserved(bob))
    const connection = await alice.libp2p.dial(address)
    await send(connection, 262_144).catch(() => {})
    await until(() => connection.status !== 'open')
    await assert.rejects(alice.libp2p.dial(address, { signal: AbortSignal.timeout(5_000) }))
    now += 3_600_001
    assert.equal(limited.bytes, 0)
    assert.equal((await alice.libp2p.dial(address)).status, 'open')
  })

  it('passes on at most sixteen connections of one peer', async () => {
    await using stack = new AsyncDisposableStack()
    const start = async (node: Promise<TestNetwork>): Promise<TestNetwork> => stack.use(await node)
    const known: { alice?: PeerId } = {}
    // The others, who come to know each other, are passed on to nobody.
    const limited = new Relay({ mayReserve: () => true, mayPass: (from) => from.equals(known.alice) })
    const services = { relay: limited.service() } as unknown as NetworkOverrides['services']
    const relay = await start(startTcpNode({ libp2p: { services } }))
    const alice = await start(startHidden([relay]))
    known.alice = alice.peerId
    // Each of them lets in three connections of one peer.
    const bobs = await Promise.all(Array.from({ length: 6 }, () => start(startHidden([relay]))))
    for (const bob of bobs) {
      const address = multiaddr(await reserved(bob, relay))
      for (let k = 0; k < 3; k++) await alice.libp2p.dial(address, { force: true }).catch(() => {})
    }
    assert.equal(limited.relayed, 16)
    assert.ok(limited.refused >= 2)
  })

  it('closes the relayed connection when a direct one is made, and gossip goes on', async () => {
    await using relay = await startRelay()
    await using bob = await startTcpNode({ relays: () => [relay.peerId] })
    await using alice = await startHidden([relay], { lan: false }) // dials on loopback only what it is given
    await connect(bob, relay)
    for (const node of [alice, bob]) node.libp2p.services.pubsub.subscribe('news')
    await alice.connect(await reserved(bob))
    assert.ok(alice.isRelayed({ peerId: bob.peerId.toString() }))
    const heard: string[] = []
    bob.libp2p.services.pubsub.addEventListener('message', ({ detail }) =>
      heard.push(Buffer.from(detail.data).toString())
    )
    await until(() => alice.libp2p.services.pubsub.getSubscribers('news').length === 1)
    const direct = bob.libp2p.getMultiaddrs().filter((address) => !address.toString().includes('p2p-circuit'))
    for (const address of direct) alice.addresses.give(address)
    await alice.dial(
      { peerId: bob.peerId.toString(), multiaddrs: direct.map(String), priority: 1 },
      AbortSignal.timeout(5_000)
    )
    await until(() => alice.libp2p.getConnections(bob.peerId).every((connection) => connection.direct))
    let count = 0
    await until(async () => {
      await alice.libp2p.services.pubsub.publish('news', Buffer.from(`after ${++count}`))
      await new Promise((resolve) => setTimeout(resolve, 100))
      return heard.length > 0
    })
  })
})
