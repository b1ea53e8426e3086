import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Comrade } from '../../src/index.ts'
import { Homes } from '../support/node.ts'

describe('ports', () => {
  it('are those of the last start where the system may choose, so that friends find a node at its old address', async () => {
    await using homes = new Homes()
    const before = await stopped(await homes.start('alice'))
    const after = await stopped(await homes.start('alice'))
    assert.equal(after, before)
  })

  it('are others when somebody else has taken them', async () => {
    await using homes = new Homes()
    const port = await stopped(await homes.start('alice'))
    const other = createServer().listen(port, '127.0.0.1')
    await once(other, 'listening')
    try {
      assert.notEqual(portOf(await homes.start('alice')), port)
    } finally {
      other.close()
    }
  })

  it('are left alone where they are given', async () => {
    await using homes = new Homes()
    const port = await stopped(await homes.start('alice'))
    const node = await homes.start('alice', { listen: [`/ip4/127.0.0.1/tcp/${port}`] })
    assert.equal(portOf(node), port)
  })

  it('are refused where somebody else listens, and addresses that the machine does not have, with what can be done', async () => {
    await using homes = new Homes()
    const port = portOf(await homes.start('alice'))
    for (const [address, expected] of [
      [`/ip4/127.0.0.1/tcp/${port}`, /tcp\/\d+: EADDRINUSE \(another program listens there; choose another port/],
      ['/ip4/203.0.113.77/tcp/0', /tcp\/0: EADDRNOTAVAIL \(this machine does not have that address/],
      ['/dns4/nowhere.invalid/tcp/4001', /tcp\/4001: getaddrinfo \w+ nowhere.invalid$/]
    ] as const)
      await assert.rejects(homes.start('bob', { listen: ['/ip4/127.0.0.1/tcp/0', address] }), {
        code: 'FAILED',
        message: expected
      })
  })
})

/** Stops a node. @returns the port that it had */
async function stopped(node: Comrade): Promise<number> {
  const port = portOf(node)
  await node.stop()
  return port
}

function portOf(node: Comrade): number {
  return Number(/\/tcp\/(\d+)/.exec(node.addresses[0])![1])
}
