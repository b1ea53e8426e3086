import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, MultiaddrConnection, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { AddressPolicy } from '../../src/node/addresses.ts'
import {
  ConnectionGuard,
  MAX_CONNECTIONS_PER_PEER,
  MAX_PENDING,
  MAX_PENDING_PER_HOST,
  MAX_STRANGERS,
  MAX_STRANGERS_PER_HOST,
  hostOf
} from '../../src/node/connection-guard.ts'
import { connect, startMemoryNode } from '../support/network.ts'

const anyPeer = async (): Promise<PeerId> => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))

function socketFrom(ip: string): MultiaddrConnection {
  const [inbound] = multiaddrConnectionPair()
  inbound.remoteAddr = multiaddr(`/ip4/${ip}/tcp/5000`)
  return inbound
}

async function setup({ wanted }: { wanted?: PeerId } = {}) {
  const open: Pick<Connection, 'remotePeer' | 'remoteAddr'>[] = []
  const self = await anyPeer()
  const guard = new ConnectionGuard({
    addresses: new AddressPolicy(),
    self,
    isWanted: (peerId) => peerId === wanted?.toString(),
    connections: () => open as Connection[]
  })
  const upgrade = (remotePeer: PeerId, ip: string): boolean => {
    const socket = socketFrom(ip)
    guard.denyInboundConnection(socket)
    if (guard.denyInboundUpgradedConnection(remotePeer, socket)) return false
    open.push({ remotePeer, remoteAddr: socket.remoteAddr })
    return true
  }
  return { guard, upgrade }
}

describe('connection guard', () => {
  it('ends the oldest handshake of a host that has too many underway, not the newest', async () => {
    const { guard } = await setup()
    const sockets = Array.from({ length: MAX_PENDING_PER_HOST + 2 }, () => socketFrom('192.0.2.1'))
    for (const socket of sockets) assert.equal(guard.denyInboundConnection(socket), false)
    assert.deepEqual(
      sockets.map(({ status }) => status === 'open'),
      sockets.map((_, i) => i >= 2)
    )
    assert.equal(guard.pending, MAX_PENDING_PER_HOST)
  })

  it('ends the oldest handshake of all when there are too many', async () => {
    const { guard } = await setup()
    const sockets = Array.from({ length: MAX_PENDING + 1 }, (_, i) => socketFrom(`192.0.${i >> 3}.${i & 7}`))
    for (const socket of sockets) guard.denyInboundConnection(socket)
    assert.equal(guard.pending, MAX_PENDING)
    assert.notEqual(sockets[0].status, 'open')
    assert.equal(guard.refused.pending, 1)
  })

  it('forgets handshakes that ended or were finished', async () => {
    const { guard } = await setup()
    const [closed, finished] = [socketFrom('192.0.2.1'), socketFrom('192.0.2.1')]
    for (const socket of [closed, finished]) guard.denyInboundConnection(socket)
    closed.abort(new Error('gone'))
    guard.denyInboundUpgradedConnection(await anyPeer(), finished)
    assert.equal(guard.pending, 0)
  })

  it('lets strangers in up to a number, by host and in all, and wanted peers always', async () => {
    const wanted = await anyPeer()
    const { guard, upgrade } = await setup({ wanted })
    for (let i = 0; i < MAX_STRANGERS_PER_HOST; i++) assert.ok(upgrade(await anyPeer(), '192.0.2.1'))
    assert.ok(!upgrade(await anyPeer(), '192.0.2.1'))
    for (let i = MAX_STRANGERS_PER_HOST; i < MAX_STRANGERS; i++) assert.ok(upgrade(await anyPeer(), `192.0.3.${i}`))
    assert.ok(!upgrade(await anyPeer(), '192.0.4.1'))
    assert.ok(upgrade(wanted, '192.0.2.1'))
    assert.equal(guard.refused.strangers, 2)
  })

  it('lets no peer have many connections, wanted or not', async () => {
    const wanted = await anyPeer()
    const { upgrade } = await setup({ wanted })
    for (let i = 0; i < MAX_CONNECTIONS_PER_PEER; i++) assert.ok(upgrade(wanted, '192.0.2.1'))
    assert.ok(!upgrade(wanted, '192.0.2.1'))
  })

  it('takes the /64 of an IPv6 address for one host', () => {
    const host = (ip: string) => hostOf(multiaddr(`/ip6/${ip}/tcp/1`))
    assert.equal(host('2a00:1450:4001:1::1'), host('2a00:1450:4001:1:ffff::2'))
    assert.notEqual(host('2a00:1450:4001:1::1'), host('2a00:1450:4001:2::1'))
    assert.equal(host('2a00::1'), host('2a00:0:0:0:5::'))
    assert.equal(hostOf(multiaddr('/memory/x')), undefined)
  })

  it('keeps the addresses that its policy allows, and all of its own', async () => {
    const self = await anyPeer()
    const guard = new ConnectionGuard({ addresses: new AddressPolicy({ lan: false }), self, connections: () => [] })
    const loopback = multiaddr('/ip4/127.0.0.1/tcp/4001')
    assert.ok(guard.denyDialMultiaddr(loopback))
    assert.ok(!guard.filterMultiaddrForPeer(await anyPeer(), loopback))
    assert.ok(guard.filterMultiaddrForPeer(self, loopback))
  })

  it('works as the gater of a node', async () => {
    await using alice = await startMemoryNode()
    await using bob = await startMemoryNode()
    await connect(alice, bob)
    assert.equal(bob.guard.pending, 0)
    assert.equal(bob.libp2p.getConnections().length, 1)
  })
})
