// A device whose store was restored from an older copy, or whose home exists twice: no seq is signed twice where that
// can be known, and where it was, the person goes on under a new device key.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { FeedStore } from '../../src/feeds/index.ts'
import type { Comrade } from '../../src/index.ts'
import { befriend, Homes, post, postsOf, reads, warningsOf } from '../support/node.ts'
import { until } from '../support/processes.ts'

const STORE_FILES = ['feeds.sqlite', 'feeds.sqlite-wal', 'feeds.sqlite-shm']
const PAUSED = { code: 'SIGNING_PAUSED' }

describe('a device', function () {
  this.timeout(60_000)
  let homes: Homes
  let friend: Comrade
  let did: string

  beforeEach(async () => {
    homes = new Homes()
    friend = await homes.start('friend')
    const device = await homes.start('device')
    did = device.identity.did
    await befriend(device, friend)
    await post(device, 'one', 'two')
    await reads(friend, did, 'two')
    // Of both: the device in the identity log, and, sealed, whom one follows; and the two posts.
    await until(async () => (await friend.status()).entries === 6, 'the friend holds everything')
    await device.stop()
  })

  afterEach(async () => {
    await homes[Symbol.asyncDispose]()
  })

  /** Starts the device's home and connects it with the friend. */
  async function meet(name = 'device'): Promise<Comrade> {
    const device = await homes.start(name)
    await device.connect(friend.addresses[0])
    return device
  }

  /** Whoever the user gave an address of is connected with again after a restart. */
  function forgetAddresses(name: string): void {
    const store = FeedStore.open(homes.of(`${name}/feeds.sqlite`))
    store.write(() => store.run('DELETE FROM contact_addresses'))
    store.close()
  }

  async function write(name: string, ...texts: string[]): Promise<void> {
    const device = await meet(name)
    await post(device, ...texts)
    await reads(friend, did, ...texts)
    await device.stop()
  }

  it('whose store is an older copy signs again when a contact has given back what is missing', async () => {
    homes.copy('device/feeds.sqlite', 'older.sqlite')
    await write('device', 'three', 'four')
    for (const file of STORE_FILES) rmSync(homes.of(`device/${file}`), { force: true })
    homes.copy('older.sqlite', 'device/feeds.sqlite')

    const alone = await homes.start('device', { lan: false })
    await assert.rejects(post(alone, 'too early'), PAUSED)
    assert.match((await alone.status()).paused!, /backup/)
    await alone.stop()
    const restored = await meet()
    await until(async () => (await restored.status()).paused === undefined, 'it may sign')
    assert.deepEqual(await post(restored, 'five'), [6])
    await reads(friend, did, 'four', 'five')
    await restored.stop()
    assert.equal((await (await homes.start('device')).status()).paused, undefined)
  })

  it('whose store was deleted gets its feed back and goes on', async () => {
    for (const file of STORE_FILES) rmSync(homes.of(`device/${file}`), { force: true })
    const empty = await homes.start('device')
    assert.equal(empty.identity.did, did)
    await assert.rejects(post(empty, 'too early'), PAUSED)
    await empty.connect(friend.addresses[0])
    await until(async () => (await empty.status()).paused === undefined, 'it may sign')
    assert.deepEqual(await post(empty, 'three'), [4])
    await reads(friend, did, 'one', 'two', 'three')
    assert.deepEqual(
      (await postsOf(empty, did)).map(({ text }) => text),
      ['three', 'two', 'one']
    )
  })

  it('whose store was deleted does not take the word of somebody who has nothing of it', async () => {
    await friend.stop()
    for (const file of STORE_FILES) rmSync(homes.of(`device/${file}`), { force: true })
    const empty = await homes.start('device')
    const stranger = await homes.start('stranger')
    await stranger.contacts.follow(did)
    await stranger.connect(empty.addresses[0])
    await until(async () => (await empty.peers()).length > 0, 'they are connected')
    await new Promise((resolve) => setTimeout(resolve, 500))
    await assert.rejects(post(empty, 'too early'), PAUSED)
  })

  it('whose whole home is an older copy catches up before it signs, where a contact holds more', async () => {
    homes.copy('device', 'copy')
    await write('device', ...Array.from({ length: 100 }, (_, i) => `more ${i}`))
    const copy = await homes.start('copy')
    const warnings = warningsOf(friend)
    await copy.connect(friend.addresses[0])
    await until(async () => (await postsOf(copy, did)).length === 102, 'it has caught up')
    assert.deepEqual(await post(copy, 'on it goes'), [104])
    await reads(friend, did, 'on it goes')
    assert.deepEqual(warnings, [])
  })

  it('that was written in two places goes on under a new key in both, and its person is read on', async () => {
    homes.copy('device', 'copy')
    await write('device', 'here three', 'here four')
    const warnings = { friend: warningsOf(friend), copy: [] as string[], device: [] as string[] }
    const copy = await homes.start('copy')
    warnings.copy = warningsOf(copy)
    const before = copy.identity.device
    await post(copy, 'there three')
    await copy.connect(friend.addresses[0])
    await until(() => copy.identity.device !== before && warnings.copy.includes('DEVICE_REPLACED'), 'it has a new key')
    assert.deepEqual(await post(copy, 'under a new key'), [1])
    await reads(friend, did, 'one', 'two', 'under a new key')
    assert.ok(warnings.friend.includes('FORK'))
    assert.deepEqual(
      (await postsOf(friend, did)).map(({ text }) => text),
      ['under a new key', 'two', 'one']
    )
    await copy.stop()

    const device = await homes.start('device')
    warnings.device = warningsOf(device)
    await device.connect(friend.addresses[0])
    await until(() => warnings.device.includes('DEVICE_REPLACED'), 'the other copy has a new key, too')
    await post(device, 'and a third one')
    await reads(friend, did, 'under a new key', 'and a third one')
    await reads(device, did, 'under a new key')
    assert.equal(new Set([before, copy.identity.device, device.identity.device]).size, 3)
    await device.stop()
    assert.equal((await (await homes.start('device')).status()).paused, undefined)
  })

  it('that runs in two places at once takes two new keys, one after the other, so that the identity log does not fork', async () => {
    forgetAddresses('device')
    homes.copy('device', 'copy')
    await post(friend, 'by a friend')
    // Without lan nobody is dialled but those that were given: the copies never meet, and have a friend each.
    const second = await homes.start('second', { lan: false })
    await second.contacts.follow(did)
    const [device, copy] = await Promise.all([
      homes.start('device', { lan: false }),
      homes.start('copy', { lan: false })
    ])
    const before = device.identity.device
    await device.connect(friend.addresses[0])
    await copy.connect(second.addresses[0])
    await Promise.all([reads(second, did, 'two'), post(device, 'here'), post(copy, 'there')])
    await Promise.all([reads(friend, did, 'here'), reads(second, did, 'there')])
    await second.connect(friend.addresses[0])
    await until(() => device.identity.device !== before && copy.identity.device !== before, 'both have new keys')
    await post(device, 'here under a new key')
    await post(copy, 'there under a new key')
    for (const node of [friend, second, device, copy])
      await reads(node, did, 'here under a new key', 'there under a new key')
    assert.equal((await device.status()).paused ?? (await copy.status()).paused, undefined)
  })
})
