// Somebody is found by did from the command line, through a node that knows neither of the two.
import assert from 'node:assert/strict'
import { Stage, until } from '../support/processes.ts'

describe('story: the directory', function () {
  this.timeout(120_000)

  it('finds somebody by did, and by the name one gave them', async () => {
    await using stage = new Stage()
    const anybody = await stage.up('anybody')
    const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => stage.up(name, '--peer', anybody.address)))
    await until(async () => (await bob.run('resolve', alice.did)).code === 0, 'alice has published', 60_000)
    const [found] = await bob.json('resolve', alice.did)
    assert.deepEqual(Object.keys(found), ['did', 'devices', 'source', 'ms'])
    assert.equal(found.did, alice.did)
    assert.equal(found.source, 'dht')
    assert.deepEqual(found.devices, [{ peerId: alice.peerId, addresses: alice.lines[0].addresses }])
    await bob.json('follow', alice.did)
    await bob.json('name', alice.did, 'Ana')
    assert.equal((await bob.json('resolve', 'ana'))[0].did, alice.did)
    assert.equal((await bob.run('resolve', 'nobody')).code, 1)
  })
})
