// An identity that is restored from its phrase on an empty machine: nothing is signed twice, whoever holds what of it.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { type Comrade, NodeError, type NodeErrorCode, restoreIdentity } from '../../src/index.ts'
import { befriend, Homes, post, postsOf, reads, warningsOf } from '../support/node.ts'
import { sleep, until } from '../support/processes.ts'

const has = (code: NodeErrorCode) => (error: unknown) => error instanceof NodeError && error.code === code
const PAUSED = { code: 'SIGNING_PAUSED' }

describe('an identity restored from its phrase', function () {
  this.timeout(120_000)
  let homes: Homes
  let friend: Comrade
  let old: Comrade
  let phrase: string
  let did: string

  beforeEach(async () => {
    homes = new Homes()
    friend = await homes.start('friend')
    old = await homes.start('old', { deviceName: 'old', onRecoveryPhrase: (words) => void (phrase = words) })
    did = old.identity.did
    await befriend(old, friend)
    await post(old, 'one', 'two')
    await old.profile({ name: 'Ann' })
    await reads(friend, did, 'two')
    await until(async () => (await friend.contacts.find(did)).claimed === 'Ann', 'the friend has read the profile')
  })

  afterEach(async () => {
    await homes[Symbol.asyncDispose]()
  })

  async function restore(name = 'new', isAlone = false): Promise<Comrade> {
    assert.equal((await restoreIdentity({ home: homes.of(name), phrase, isAlone })).did, did)
    return homes.start(name, { deviceName: name })
  }

  const maySign = (node: Comrade): Promise<void> =>
    until(async () => (await node.status()).paused === undefined, 'it may sign', 60_000)

  it('gets its posts, its name and its contacts back from a contact, and ends the old device', async () => {
    const stranger = await homes.start('stranger')
    const before = (await old.status()).entries
    await old.contacts.name(stranger.identity.did, 'the stranger')
    await until(async () => (await old.status()).entries > before, 'it is written down for the other devices')
    const { entries } = await old.status()
    await until(async () => (await friend.status()).entries >= entries, 'the friend holds everything')
    await old.stop()
    const node = await restore()
    assert.match((await node.status()).paused!, /restored from its phrase/)
    await assert.rejects(post(node, 'too early'), PAUSED)
    await node.connect(friend.addresses[0])
    await maySign(node)
    await reads(node, did, 'one', 'two')
    await until(async () => {
      const contacts = await node.contacts.list()
      const known = contacts.map((contact) => contact.did)
      return known.includes(friend.identity.did) && contacts.some(({ name }) => name === 'the stranger')
    }, 'its contacts are back')
    assert.equal((await node.profile()).name, 'Ann')
    await until(async () => (await node.devices.list()).length === 2, 'it is in the log')
    assert.equal((await node.devices.revoke('old')).state, 'revoked')
    await post(node, 'three')
    await reads(friend, did, 'one', 'two', 'three')
    assert.deepEqual([...new Set((await postsOf(friend, did)).map(({ author }) => author))], [did])
    const warnings = warningsOf(friend)
    const back = await homes.start('old', { deviceName: 'old' })
    await back.connect(friend.addresses[0])
    await until(async () => /revoked/.test((await back.status()).paused ?? ''), 'the old device says that it was ended')
    await assert.rejects(post(back, 'by the finder'), PAUSED)
    await assert.rejects(back.devices.invite(), PAUSED)
    assert.deepEqual(warnings, [])
  })

  it('signs nothing while nobody holds its log, also after a restart', async () => {
    await old.stop()
    let node = await restore()
    const other = await homes.start('other')
    await other.contacts.follow(did)
    await node.connect(other.addresses[0])
    await sleep(4_000)
    await assert.rejects(post(node, 'too early'), PAUSED)
    await assert.rejects(node.devices.invite(), PAUSED)
    await node.stop()
    node = await homes.start('new')
    await assert.rejects(post(node, 'too early'), PAUSED)
    assert.equal((await node.status()).entries, 0)
    await node.connect(friend.addresses[0])
    await maySign(node)
  })

  it('begins anew when it is said that nobody has anything of it', async () => {
    await old.stop()
    const node = await restore('new', true)
    assert.equal((await node.status()).paused, undefined)
    assert.deepEqual(await post(node, 'anew'), [1])
  })

  it('goes on from the longer log when two people hold different lengths of it', async () => {
    await friend.stop()
    const second = await homes.start('second')
    await befriend(old, second)
    await reads(second, did, 'two')
    // While the first friend is away, the log grows.
    const { link } = await old.devices.invite()
    const { joinIdentity } = await import('../../src/index.ts')
    const { device } = await joinIdentity({ home: homes.of('pi'), link, deviceName: 'pi' })
    await old.devices.revoke(device)
    const { entries } = await old.status()
    await until(async () => (await second.status()).entries >= entries - 1, 'the second friend holds the longer log')
    await old.stop()
    friend = await homes.start('friend', { lan: false })
    const node = await restore()
    const warnings = [warningsOf(node), warningsOf(second), warningsOf(friend)]
    await node.connect(friend.addresses[0])
    await until(async () => (await node.devices.list()).length >= 1, 'the shorter log was given back')
    await sleep(5_000) // people come when they come: one that has more of it may be a little later
    await node.connect(second.addresses[0])
    await maySign(node)
    assert.deepEqual(
      (await node.devices.list()).map(({ name, state }) => [name, state]),
      [
        ['old', 'active'],
        ['pi', 'revoked'],
        ['new', 'this']
      ]
    )
    await post(node, 'three')
    for (const each of [friend, second]) await reads(each, did, 'three')
    assert.deepEqual(warnings, [[], [], []])
  })

  it('is a second device where the old one is still running, and both go on', async () => {
    const node = await restore()
    const warnings = [warningsOf(node), warningsOf(old), warningsOf(friend)]
    await post(old, 'meanwhile')
    await node.connect(old.addresses[0])
    await maySign(node)
    await Promise.all([post(old, 'by the old'), post(node, 'by the new')])
    for (const each of [old, node, friend]) await reads(each, did, 'one', 'meanwhile', 'by the old', 'by the new')
    assert.deepEqual(warnings, [[], [], []])
    assert.equal((await old.devices.list()).length, 2)
  })

  it('is restored into an empty home only, and from a right phrase only', async () => {
    await assert.rejects(restoreIdentity({ home: homes.of('friend'), phrase }), has('HOME_IN_USE'))
    await friend.stop()
    await assert.rejects(restoreIdentity({ home: homes.of('friend'), phrase }), has('FAILED'))
    const wrong = phrase.split(' ').toReversed().join(' ')
    await assert.rejects(restoreIdentity({ home: homes.of('empty'), phrase: wrong }), (error) => {
      return has('BAD_INPUT')(error) && !(error as Error).message.includes(wrong.split(' ')[0])
    })
    assert.ok(!readdirSync(homes.path).includes('empty'))
  })
})
