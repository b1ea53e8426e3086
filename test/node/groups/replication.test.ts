import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import type { Comrade } from '../../../src/index.ts'
import { befriend, Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'

async function sizeAt(node: Comrade): Promise<number> {
  return (await node.groups.list())[0]?.size ?? 0
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
      await befriend(alice, node)
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
})
