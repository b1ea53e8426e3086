import assert from 'node:assert/strict'
import { Nat } from '../support/nat.ts'
import { type NodeProcess, Stage, until } from '../support/processes.ts'

describe('two homes behind routers', () => {
  it('meet through a friend outside, and then talk directly', async function () {
    this.timeout(120_000)
    const made = Nat.make()
    if (typeof made === 'string') {
      process.stderr.write(`      skipped: ${made}\n`)
      return this.skip()
    }
    using nat = made
    await using stage = new Stage()
    const carol = await stage.spawnOnLan(nat.outside, 'carol').ready()
    const alice = await stage.spawnOnLan(nat.homes[0], 'alice', '--peer', carol.address).ready()
    const bob = await stage.spawnOnLan(nat.homes[1], 'bob', '--peer', carol.address).ready()
    for (const node of [alice, bob]) {
      await carol.json('follow', node.did)
      await node.json('follow', carol.did)
    }
    await alice.json('follow', bob.did)
    await bob.json('follow', alice.did)
    await until(async () => (await relayedAddress(alice, carol)) !== undefined, 'alice waits at carol', 30_000)
    const address = (await relayedAddress(alice, carol))!
    await bob.end()
    const again = await stage.spawnOnLan(nat.homes[1], 'bob', '--peer', carol.address, '--peer', address).ready()
    await again.line(({ event, peerId }) => event === 'peer:connect' && peerId === alice.peerId, 30_000)
    let found: unknown
    await until(
      async () => {
        found = (await again.json('peers'))
          .filter(({ peerId }) => peerId === alice.peerId)
          .map(({ address }) => address)
        return (found as string[]).some((where) => where.startsWith(`/ip4/${nat.homes[0].public}/`))
      },
      'bob is connected with alice directly',
      45_000
    ).catch((error: Error) => assert.fail(`${error.message}; connected at ${JSON.stringify(found)}`))
    await carol.end()
    await again.json('post', 'through the wall')
    await alice.entry('through the wall')
  })
})

async function relayedAddress(node: NodeProcess, relay: NodeProcess): Promise<string | undefined> {
  const [{ addresses }] = await node.json('status')
  return (addresses as string[]).find((address) => address.includes(`${relay.peerId}/p2p-circuit`))
}
