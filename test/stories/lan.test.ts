import assert from 'node:assert/strict'
import { Lan } from '../support/lan.ts'
import { Stage } from '../support/processes.ts'

describe('two machines on one local network', () => {
  it('find each other without an address, and read each other', async function () {
    this.timeout(90_000)
    const made = Lan.make()
    if (typeof made === 'string') {
      process.stderr.write(`      skipped: ${made}\n`)
      return this.skip()
    }
    using lan = made
    await using stage = new Stage()
    const [alice, bob] = lan.hosts.map((host, i) => stage.spawnOnLan(host, ['alice', 'bob'][i]))
    await Promise.all([alice.ready(), bob.ready()])
    // Who asks before the other listens is answered at the next asking, ten seconds later.
    await alice.line(({ event, peerId }) => event === 'peer:connect' && peerId === bob.peerId, 45_000)
    await alice.json('follow', bob.did)
    await bob.json('post', 'over the garden fence')
    await alice.entry('over the garden fence')
    assert.equal((await alice.json('peers'))[0].did, bob.did)
  })
})
