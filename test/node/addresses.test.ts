import assert from 'node:assert/strict'
import { multiaddr } from '@multiformats/multiaddr'
import { AddressPolicy, isDialable, isPublicIp } from '../../src/node/addresses.ts'

const PUBLIC = [
  '/ip4/1.1.1.1/tcp/4001',
  '/ip6/2a00:1450:4001::1/tcp/4001',
  '/ip4/8.8.8.8/udp/4001/quic-v1',
  '/ip4/1.1.1.1/tcp/443',
  '/memory/x'
]
const LOCAL = [
  '/ip4/127.0.0.1/tcp/4001',
  '/ip4/10.1.2.3/tcp/4001',
  '/ip4/192.168.1.1/tcp/4001',
  '/ip4/172.16.0.1/tcp/4001',
  '/ip4/169.254.169.254/tcp/8080',
  '/ip4/0.0.0.0/tcp/4001',
  '/ip4/100.64.0.1/tcp/4001',
  '/ip4/224.0.0.251/udp/5353',
  '/ip6/::1/tcp/4001',
  '/ip6/::/tcp/4001',
  '/ip6/fe80::1/tcp/4001',
  '/ip6zone/eth0/ip6/fe80::1/tcp/4001',
  '/ip6/fd00::1/tcp/4001',
  '/ip6/::ffff:127.0.0.1/tcp/4001',
  '/ip6/64:ff9b::7f00:1/tcp/4001',
  '/ip6/2002:7f00:1::/tcp/4001',
  '/dns4/router.local/tcp/4001'
]
const NEVER = [
  '/ip4/1.1.1.1/tcp/22',
  '/ip4/1.1.1.1/tcp/25',
  '/ip4/192.168.1.1/tcp/80',
  '/dns4/example.org/tcp/22',
  '/ip6zone/eth0/ip6/fe80::1/tcp/22',
  '/unix/run%2Fdocker.sock'
]
const PEER = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'

describe('addresses', () => {
  for (const address of PUBLIC)
    it(`dials ${address} of a stranger everywhere`, () =>
      assert.ok(isDialable(multiaddr(address), false) && isDialable(multiaddr(address), true)))
  for (const address of LOCAL)
    it(`dials ${address} of a stranger only in LAN mode`, () =>
      assert.deepEqual([isDialable(multiaddr(address), false), isDialable(multiaddr(address), true)], [false, true]))
  for (const address of NEVER)
    it(`never dials ${address} of a stranger`, () =>
      assert.ok(!isDialable(multiaddr(address), false) && !isDialable(multiaddr(address), true)))

  it('looks at the relay of a relayed address', () => {
    assert.ok(!isDialable(multiaddr(`/ip4/127.0.0.1/tcp/4001/p2p/${PEER}/p2p-circuit/p2p/${PEER}`), false))
    assert.ok(isDialable(multiaddr(`/ip4/1.1.1.1/tcp/4001/p2p/${PEER}/p2p-circuit/p2p/${PEER}`), false))
    assert.ok(isDialable(multiaddr(`/ip4/1.1.1.1/tcp/4001/p2p/${PEER}/p2p-circuit`), false))
  })

  it('dials no address behind a relay, no second relay, and no relay without a name', () => {
    const relay = `/ip4/1.1.1.1/tcp/4001/p2p/${PEER}/p2p-circuit`
    for (const address of [
      `${relay}/ip4/192.168.1.1/tcp/4001/p2p/${PEER}`,
      `${relay}/p2p/${PEER}/p2p-circuit/p2p/${PEER}`,
      `/ip4/1.1.1.1/tcp/4001/p2p-circuit/p2p/${PEER}`,
      `/ip4/1.1.1.1/tcp/22/p2p/${PEER}/p2p-circuit/p2p/${PEER}`
    ])
      assert.ok(!isDialable(multiaddr(address), true), address)
  })

  it('allows whatever the user gave, with and without the peer id at the end', () => {
    const policy = new AddressPolicy({ lan: false })
    policy.give(multiaddr(`/ip4/127.0.0.1/tcp/22/p2p/${PEER}`))
    assert.ok(policy.isAllowed(multiaddr('/ip4/127.0.0.1/tcp/22')))
    assert.ok(policy.isAllowed(multiaddr(`/ip4/127.0.0.1/tcp/22/p2p/${PEER}`)))
    assert.ok(!policy.isAllowed(multiaddr('/ip4/127.0.0.1/tcp/23')))
  })

  it('announces private addresses without LAN mode only where it was told to listen', () => {
    const own = ['/ip4/127.0.0.1/tcp/4001', '/ip4/192.168.1.5/tcp/4001', '/ip4/1.1.1.1/tcp/4001'].map((address) =>
      multiaddr(address)
    )
    const announced = (lan: boolean, listen: string) => new AddressPolicy({ lan }).announced(own, [listen]).length
    assert.equal(announced(true, '/ip4/0.0.0.0/tcp/0'), 3)
    assert.equal(announced(false, '/ip4/0.0.0.0/tcp/0'), 1)
    assert.equal(announced(false, '/ip4/127.0.0.1/tcp/0'), 2)
  })

  it('takes no text for a public address that is none', () => {
    for (const text of ['', '1.1.1', 'example.org', '1.1.1.1.1', '::ffff:1.1.1.1', 'fe80::1%eth0'])
      assert.ok(!isPublicIp(text), text)
  })
})
