// Settings that are changed while the node runs.
import assert from 'node:assert/strict'
import { NodeError, type SettingKey } from '../../src/index.ts'
import { homeAt } from '../../src/node/home.ts'
import { loadConfig } from '../../src/node/config.ts'
import { befriend, Homes, post, reads } from '../support/node.ts'
import { until } from '../support/processes.ts'

const isBadInput = (error: unknown) => error instanceof NodeError && error.code === 'BAD_INPUT'

describe('settings of a running node', function () {
  this.timeout(60_000)

  it('hold at once where they can: friends are told whom one follows, and no longer', async () => {
    await using homes = new Homes()
    const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((name) => homes.start(name)))
    await befriend(bob, carol)
    await post(carol, 'carol says')
    await befriend(alice, bob)
    const far = async (): Promise<number> => (await alice.quota()).distances[2].feeds
    assert.equal(await far(), 0)
    const state = await bob.configure('shareContacts', true)
    assert.deepEqual([state.value, state.inUse, state.isSet, state.default], [true, true, true, false])
    await reads(alice, carol.identity.did, 'carol says')
    await bob.configure('shareContacts', undefined)
    await until(async () => (await far()) === 0, 'nothing is kept for carol any more')
  })

  it('are in the file, and hold from the next start on where they cannot at once', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice')
    const { config } = homeAt(alice.home)
    const state = await alice.configure('relay', 'off')
    assert.deepEqual([state.value, state.inUse, state.choices], ['off', 'friends', ['friends', 'off']])
    assert.equal(loadConfig(config).set.relay, 'off')
    assert.equal((await alice.configure('privacy', 'guarded')).inUse, 'guarded')
    await assert.rejects(alice.configure('privacy', 'none'), isBadInput)
    await assert.rejects(alice.configure('readReceipts', 'on'), isBadInput)
    for (const key of ['listen', 'peers', '__proto__'])
      await assert.rejects(alice.configure(key as SettingKey, '/ip4/192.0.2.1/tcp/1'), isBadInput)
    assert.deepEqual(loadConfig(config).set, { logLevel: 'silent', relay: 'off', privacy: 'guarded' })
    const states = await alice.settings()
    assert.deepEqual(
      states.filter(({ value, inUse }) => value !== inUse).map(({ key }) => key),
      ['relay']
    )
  })
})
