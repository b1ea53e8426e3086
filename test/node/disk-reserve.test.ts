import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { peerIdFromString } from '@libp2p/peer-id'
import { FeedError } from '../../src/feeds/index.ts'
import type { Check, Comrade } from '../../src/index.ts'
import { DiskReserve, type DiskReserveOptions } from '../../src/node/disk-reserve.ts'
import { Author, temporaryStore, want } from '../support/feeds.ts'
import { befriend, Homes, post, postsOf, reads, warningsOf } from '../support/node.ts'
import { sleep, until } from '../support/processes.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { reaches, shows, textsAt } from './messages/support.ts'

const RESERVE = 16 * 2 ** 20
const MARGIN = RESERVE / 8
/** What is under way when there is no room any more: the database's log, and what follows from entries. */
const BOUND = 8 * 2 ** 20

const LONG = 'x'.repeat(50_000)

/** A disk that is as full as the test says. */
class Disk {
  bytes = 2 * RESERVE
  readonly options = { reserve: RESERVE, freeBytes: () => this.bytes }
}

/** What the node says of its disk, which it looks at for it. */
async function diskOf(node: Comrade): Promise<Check> {
  return (await node.doctor()).find(({ check }) => check === 'disk')!
}

/** Whether nothing of others is taken, as the node says. */
async function isShort(node: Comrade): Promise<boolean> {
  return (await diskOf(node)).sentences[0].code === 'disk.short'
}

/** All bytes of the files below a directory. */
function sizeOf(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isDirectory() !== true) return stat?.size ?? 0
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}

/** A store of a device with one followed author, on a disk of which this much is free. */
function setup(options: Partial<DiskReserveOptions> = {}) {
  const held = temporaryStore('disk')
  const author = new Author('carol')
  want(held.store, author.key)
  const own = new Author('self')
  held.store.own(own.key.publicKey)
  const told: string[] = []
  const reserve = new DiskReserve({
    directory: dirname(held.path),
    store: held.store,
    reserve: RESERVE,
    onShort: () => told.push('short'),
    onRoomy: () => told.push('roomy'),
    ...options
  })
  held.store.room = reserve
  return { store: held.store, author, own, reserve, told, [Symbol.dispose]: () => held[Symbol.dispose]() }
}

const isFull = (error: unknown): boolean => error instanceof FeedError && error.code === 'DISK_FULL'

describe('what is kept free of the disk', () => {
  it('is asked for what others write, and never for what the user writes', async () => {
    const disk = new Disk()
    using test = setup(disk.options)
    test.store.ingest(test.author.post('before'))
    disk.bytes = 1_000
    test.reserve.look()
    const run = test.author.post('while short')
    assert.throws(() => test.store.ingest(run), isFull)
    assert.throws(() => test.store.ingest(run), /only 1000 bytes of the disk are free, and 16 MiB are kept/)
    assert.equal(test.store.ingest(test.own.post('mine'))[0].kind, 'stored')
    assert.equal(test.store.ingest(run, { isAsked: true })[0].kind, 'stored')
    await setImmediate()
    assert.deepEqual(test.told, ['short'])
  })

  it('has a margin, so that it does not go to and fro', async () => {
    const disk = new Disk()
    using test = setup(disk.options)
    for (const bytes of [RESERVE, RESERVE - 1, RESERVE, RESERVE + MARGIN - 1, RESERVE + MARGIN, RESERVE]) {
      disk.bytes = bytes
      test.reserve.look()
      await setImmediate()
    }
    assert.deepEqual(test.told, ['short', 'roomy'])
  })

  it('is looked at again when others have written much, and not for each entry', () => {
    let looks = 0
    using test = setup({ freeBytes: () => (looks++, 2 * RESERVE) })
    for (let i = 0; i < 1_000; i++) test.reserve.take(1_000)
    assert.equal(looks, 1)
    for (let i = 0; i < 1_000; i++) test.reserve.take(10_000)
    assert.ok(looks > 10 && looks < 30, `${looks}`)
  })

  it('counts what lies unused in the database, up to a half of it', () => {
    const disk = new Disk()
    using test = setup(disk.options)
    for (let i = 0; i < 40; i++) test.store.ingest(test.author.post(...Array.from({ length: 10 }, () => LONG)))
    disk.bytes = 0.7 * RESERVE
    assert.ok(test.reserve.look().isShort)
    test.store.run('DELETE FROM runs')
    assert.ok(!test.reserve.look().isShort, 'with 20 MB of the file unused')
    disk.bytes = 0.4 * RESERVE
    assert.ok(test.reserve.look().isShort, 'a write needs the disk first')
  })

  it('is nothing when the user wants nothing kept, and by itself at most a share of the disk', () => {
    using off = setup({ reserve: 0, freeBytes: () => 0 })
    off.reserve.start()
    assert.ok(off.reserve.isLeft)
    off.reserve.take(1e9)
    using small = setup({ reserve: 2 ** 60, maxShare: 1e-9 })
    assert.ok(small.reserve.state.reserveBytes < 2 ** 30)
  })

  it('is read from the file system', function () {
    using held = temporaryStore('disk')
    const path = `${dirname(held.path)}/small`
    mkdirSync(path)
    const disk = SmallDisk.mount(path, 4 * 2 ** 20)
    if (!(disk instanceof SmallDisk)) return this.skip()
    using _ = disk
    using test = setup({ directory: path, reserve: 2 ** 20 })
    assert.ok(!test.reserve.look().isShort)
    disk.fill(500_000)
    const { isShort, freeBytes } = test.reserve.look()
    assert.ok(isShort && freeBytes <= 500_000)
    disk.makeRoom()
    assert.ok(!test.reserve.look().isShort)
  })
})

describe('a node that keeps some of the disk free', function () {
  this.timeout(60_000)

  it('takes nothing of others while it is short, goes on with what the user does, and takes all when there is room', async () => {
    await using homes = new Homes()
    const disk = new Disk()
    const alice = await homes.start('alice')
    const bob = await homes.start('bob', disk.options)
    const warnings = warningsOf(bob)
    await befriend(alice, bob)
    await post(alice, 'before')
    await reads(bob, alice.identity.did, 'before')
    const group = await alice.groups.create({ name: 'portland' })
    const same = await bob.groups.open(await group.link())
    const { id } = await alice.messages.send(bob.identity.did, { text: 'a message before' })
    await reaches(alice, id, 'delivered')

    disk.bytes = RESERVE / 4
    const short = await diskOf(bob)
    assert.deepEqual([short.ok, short.sentences[0].code], [false, 'disk.short'])
    assert.equal(short.advice?.code, 'advice.makeRoomForOthers')
    const file = homes.of('picture')
    writeFileSync(file, randomBytes(200_000))
    await alice.feeds.publish({ type: 'post', text: 'while short' }, { files: [{ file }] })
    const left = await alice.messages.send(bob.identity.did, { text: 'a message while short' })
    await group.propose((await homes.start('carol')).identity.did)
    // What is bob's own is written, and goes to the others.
    await post(bob, 'of mine')
    await reads(alice, bob.identity.did, 'of mine')
    await same.apply()
    await until(async () => (await group.candidates()).some(({ did }) => did === bob.identity.did), 'bob has applied')
    const sent = await bob.messages.send(alice.identity.did, { text: 'back' })
    await shows(alice, 'back')
    await reaches(bob, sent.id, 'delivered')
    assert.deepEqual(
      (await postsOf(bob, alice.identity.did)).map(({ text }) => text),
      ['before']
    )
    assert.ok(!(await textsAt(bob)).includes('a message while short'))
    assert.equal((await same.candidates()).length, 1, 'only bob himself')
    assert.equal((await bob.status()).sync.current, 0, 'it is not said that all is here')

    disk.bytes = RESERVE
    assert.ok(await isShort(bob), 'not for a moment only')
    disk.bytes = RESERVE + MARGIN
    assert.ok(!(await isShort(bob)))
    await reads(bob, alice.identity.did, 'before', 'while short')
    await shows(bob, 'a message while short')
    await reaches(alice, left.id, 'delivered')
    await until(async () => (await same.candidates()).length === 2, 'what the group decided is here')
    await until(async () => (await postsOf(bob, alice.identity.did))[0].files?.[0].isHere === true, 'the file is here')
    assert.deepEqual(
      warnings.filter((code) => code.startsWith('DISK')),
      ['DISK_SHORT']
    )
  })

  it('keeps the mailboxes of friends while it is short, so that they need not be made anew', async () => {
    await using homes = new Homes()
    const disk = new Disk()
    const bob = await homes.start('bob', disk.options)
    const [alice, carol] = [await homes.start('alice'), await homes.start('carol')]
    await befriend(alice, bob)
    await befriend(alice, carol)
    const isHost = async () => (await alice.messages.mailboxes()).hosts.includes(bob.peerId)
    await until(isHost, 'bob hosts for alice')
    await carol.stop() // whoever is there could host instead
    disk.bytes = RESERVE / 4
    assert.ok(await isShort(bob))
    await alice.libp2p.hangUp(peerIdFromString(bob.peerId))
    await alice.connect(bob.addresses[0])
    await sleep(1_000) // alice looks into it
    assert.ok(await isHost())
  })

  it('keeps it free, but for little, where somebody writes as fast as they can', async () => {
    await using homes = new Homes()
    const size = 2 * RESERVE
    const bob = await homes.start('bob', { reserve: RESERVE, freeBytes: () => size - sizeOf(homes.of('bob')) })
    const alice = await homes.start('alice')
    await befriend(alice, bob)
    let least = Infinity
    let isDone = false
    const watching = (async () => {
      for (; !isDone; await sleep(5)) least = Math.min(least, size - sizeOf(homes.of('bob')))
    })()
    const text = randomBytes(24_000).toString('base64')
    for (let i = 0; i < 8; i++) await post(alice, ...Array.from({ length: 100 }, (_, j) => `${i} ${j} ${text}`))
    await until(() => isShort(bob), 'there is no room any more')
    await sleep(1_500) // it goes on trying
    await post(bob, 'of mine')
    isDone = true
    await watching
    const held = (await postsOf(bob, alice.identity.did)).length
    assert.ok(held > 0 && held < 800)
    assert.ok(least >= RESERVE - BOUND, `${least} were free`)
  })
})
