import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'mocha'

import type { NodeGroups } from '../../../src/node/groups/groups.ts'
import { freshMemberKey } from '../../../src/node/groups/membership.ts'
import { formatDid } from '../../../src/trust/index.ts'
import { keyOf } from '../../support/feeds.ts'
import { Homes } from '../../support/node.ts'

describe('the groups of a node', function () {
  this.timeout(30_000)

  it('found one with oneself as its only member, and keep it over a restart', async () => {
    await using homes = new Homes()
    const first = await homes.start('alice')
    const made = await first.groups.create({ name: 'portland', quorum: 'log2' })
    const shown = await made.show()
    assert.equal(shown.size, 1)
    assert.equal(shown.you, 'member')
    assert.equal(shown.rule, 'log2')
    assert.equal(shown.reading, 'members')
    assert.deepEqual(
      shown.members.map(({ did, vouches }) => [did, vouches]),
      [[first.identity.did, 0]]
    )
    assert.match(shown.warnings.join(), /not anonymous at this size/)
    const said = await made.log()
    await first.stop()
    const second = await homes.start('alice')
    const [kept] = await second.groups.list()
    assert.equal(kept.id, shown.id)
    assert.equal(kept.you, 'member')
    assert.deepEqual(await (await second.groups.get('@portland')).log(), said)
  })

  it('let members do what members can do, and nobody else', async () => {
    await using homes = new Homes()
    const node = await homes.start('alice')
    const group = await node.groups.create({ name: 'portland' })
    const stranger = (await homes.start('bob')).identity.did
    await assert.rejects(group.apply(), { code: 'FAILED' })
    await assert.rejects(group.vouch(stranger), { code: 'NOT_FOUND' })
    const { vouches, needed, ring } = await group.propose(stranger)
    assert.deepEqual([vouches, needed, ring], [0, 1, 1])
    assert.equal((await group.vouch(stranger)).vouches, 1)
    await assert.rejects(group.vouch(stranger), { code: 'USED' })
    assert.equal((await group.retract(stranger)).vouches, 0)
    await assert.rejects(group.vouch(stranger), { code: 'USED' })
    await assert.rejects(group.propose('nobody'), { name: 'NodeError', code: 'WHO_UNKNOWN' })
    await assert.rejects(group.rule('most'), { code: 'BAD_INPUT' })
    const motion = await group.rule('constant:2')
    assert.deepEqual([motion.ballots, motion.needed, motion.ring, motion.rule], [1, 1, 1, 'constant:2'])
    await assert.rejects(node.groups.forget('portland'), { code: 'FAILED' })
    assert.equal((await group.leave()).you, 'outside')
    await assert.rejects(group.propose(stranger), { code: 'NOT_OWN' })
    await node.groups.forget('portland')
    assert.deepEqual(await node.groups.list(), [])
  })

  it('are found by their id before a name that another founder has made of it', async () => {
    await using homes = new Homes()
    const node = await homes.start('alice')
    const one = await node.groups.create({ name: 'portland' })
    const other = await node.groups.create({ name: one.id })
    assert.equal((await node.groups.get(one.id)).id, one.id)
    assert.equal((await node.groups.get(`@${one.id}`)).id, other.id)
    assert.equal((await node.groups.get(await one.link())).id, one.id)
    await node.groups.create({ name: one.id.slice(0, 16) })
    await assert.rejects(node.groups.get(one.id.slice(0, 16)), { code: 'WHO_AMBIGUOUS' })
  })

  it('know their seat when an expulsion counts no more after one has asked to come in again', async () => {
    await using homes = new Homes()
    const node = await homes.start('alice')
    const group = await node.groups.create({ name: 'portland' })
    const local = (node.groups as NodeGroups).local('portland')
    local.addKeys([freshMemberKey()]) // what asking again begins with; the seat is that of the founding
    assert.ok(local.seat)
    assert.equal((await group.leave()).you, 'outside')
  })

  it('are not there in half when the disk has no room for their beginning', async () => {
    await using homes = new Homes()
    const node = await homes.start('alice')
    using database = new DatabaseSync(join(homes.of('alice'), 'feeds.sqlite'))
    database.exec('CREATE TRIGGER full BEFORE INSERT ON group_operations BEGIN SELECT RAISE(ABORT, 12345); END')
    await assert.rejects(node.groups.create({ name: 'portland' }))
    assert.deepEqual(await node.groups.list(), [])
    database.exec('DROP TRIGGER full')
    await node.groups.create({ name: 'portland' })
    await node.stop()
    const again = await homes.start('alice')
    assert.deepEqual(
      (await again.groups.list()).map(({ name, you }) => [name, you]),
      [['portland', 'member']]
    )
  })

  it('that were forgotten take nothing more, whoever still has them in hand', async () => {
    await using homes = new Homes()
    const node = await homes.start('alice')
    const group = await node.groups.create({ name: 'portland' })
    await group.leave()
    await node.groups.forget('portland')
    const other = await node.groups.create({ name: 'salem' }) // in the same place of the file
    await assert.rejects(group.apply(), { code: 'NOT_FOUND' })
    await node.stop()
    const again = await homes.start('alice')
    assert.deepEqual(
      (await again.groups.list()).map(({ id, size }) => [id, size]),
      [[other.id, 1]]
    )
  })

  it('are open when as much of the log is here as those have who were asked', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    const group = await alice.groups.create({ name: 'portland' })
    // More than one frame holds.
    for (let i = 0; i < 250; i++) await group.propose(formatDid(keyOf(`person ${i}`).publicKey))
    const theirs = await bob.groups.open(await group.link())
    assert.equal((await theirs.candidates()).length, 250)
  })

  it('count for how a person stands only where one is a member oneself', async () => {
    await using homes = new Homes()
    const node = await homes.start('alice')
    const self = node.identity.did
    const group = await node.groups.create({ name: 'portland' })
    await node.groups.create({ name: 'lisbon' })
    const standing = async (): Promise<number[]> => {
      const { vouches, groups } = await node.contacts.find(self)
      return [vouches, groups]
    }
    assert.deepEqual(await standing(), [0, 2])
    await group.leave()
    assert.deepEqual(await standing(), [0, 1])
  })

  it('draw the slot of a vouch from those that are left, so that it does not tell how many came before', async () => {
    await using homes = new Homes()
    const node = await homes.start('alice')
    const [bob, carol, dave] = ['bob', 'carol', 'dave'].map((name) => formatDid(keyOf(name).publicKey))
    const firsts = new Set<number>()
    for (let i = 0; i < 24; i++) {
      const group = await node.groups.create({ name: `portland${i}` })
      for (const guest of [bob, carol, dave]) await group.propose(guest)
      for (const guest of [bob, carol]) await group.vouch(guest)
      const { log } = (node.groups as NodeGroups).local(group.id).evaluated
      const slots = Array.from({ length: log.size }, (_, at) => log.at(at)).flatMap((operation) =>
        operation.type === 'vouch' ? operation.slot : []
      )
      assert.deepEqual(new Set(slots), new Set([0, 1]))
      firsts.add(slots[0])
      await assert.rejects(group.vouch(dave), { code: 'USED' })
    }
    assert.equal(firsts.size, 2, 'the first of two is not always the same')
  })

  it('keep their secrets sealed in the file, and leave none there when they are forgotten', async () => {
    await using homes = new Homes()
    const node = await homes.start('alice')
    const group = await node.groups.create({ name: 'portland' })
    const [[publicKey, secret]] = (node.groups as NodeGroups).local(group.id).membership!.ringSecrets
    const file = join(homes.of('alice'), 'feeds.sqlite')
    const isOnDisk = (bytes: Uint8Array): boolean =>
      [file, `${file}-wal`].some((path) => readFileSync(path).includes(Buffer.from(bytes)))
    const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
    const row = database.prepare('SELECT secret FROM group_keys WHERE public = ?').get(Buffer.from(publicKey, 'hex'))!
    const sealed = row.secret as Uint8Array
    assert.deepEqual([isOnDisk(sealed), isOnDisk(secret)], [true, false])
    database.close()
    await group.leave()
    await node.groups.forget('portland')
    assert.ok(!isOnDisk(sealed))
  })

  it('are found by name, id and link, and wrong names are told', async () => {
    await using homes = new Homes()
    const node = await homes.start('alice')
    const one = await node.groups.create({ name: 'portland' })
    await node.groups.create({ name: 'lisbon', open: true })
    for (const name of ['portland', '@portland', one.id, one.id.slice(0, 20), await one.link()])
      assert.equal((await node.groups.get(name)).id, one.id)
    await assert.rejects(node.groups.get('porto'), { code: 'NOT_FOUND' })
    await node.groups.create({ name: 'portland' })
    await assert.rejects(node.groups.get('portland'), { code: 'WHO_AMBIGUOUS' })
    for (const name of ['', 'a b', '@x', 'x'.repeat(65), 'a\u202e', '\ud800'])
      await assert.rejects(node.groups.create({ name }), { code: 'BAD_INPUT' }, JSON.stringify(name))
    await assert.rejects(node.groups.open('comrade:meet/AAAA'), { code: 'BAD_INPUT' })
  })
})
