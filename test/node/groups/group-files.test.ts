// Files of posts to groups between whole nodes: who gets them, who does not, and how long they are kept.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { encodeRequest } from '../../../src/blobs/blob-frame.ts'
import { blobCid, parseBlobId } from '../../../src/blobs/index.ts'
import { placeOf } from '../../../src/feeds/store/schema.ts'
import { toHex } from '../../../src/groups/index.ts'
import type { Comrade, FeedItem, FileProgress } from '../../../src/index.ts'
import type { WantedBlob } from '../../../src/node/blobs/blob-fetch.ts'
import type { Blobs } from '../../../src/node/blobs/blobs.ts'
import { ContentStore } from '../../../src/node/groups/content-store.ts'
import { GroupFiles } from '../../../src/node/groups/group-files.ts'
import { GroupStore } from '../../../src/node/groups/group-store.ts'
import type { LocalGroup } from '../../../src/node/groups/local-group.ts'
import type { PostReader } from '../../../src/node/groups/post-reader.ts'
import { memoryNetwork } from '../../../src/node/memory-network.ts'
import type { People } from '../../../src/node/people.ts'
import { Vault } from '../../../src/node/vault.ts'
import { Author, temporaryStore, want } from '../../support/feeds.ts'
import { GroupOfNodes } from '../../support/groups.ts'
import { befriend, Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'
import { asked, blobsAt } from '../blobs/support.ts'
import { messagesAt } from '../messages/support.ts'

const post = { type: 'post', text: 'the swarm' } as const
const to = { group: 'portland' }
const VAULT = new Vault(new Uint8Array(32))
const HAS = 33
const NO = 36

describe('files of posts to a group', function () {
  this.timeout(60_000)

  it('come from members who are no friends, to members only, sealed', async () => {
    await using homes = new Homes()
    const { group, alice, outsider } = await village(homes, {}, ['alice', 'bob'])
    const [, bob] = group.nodes
    const told: FileProgress[] = []
    bob.addEventListener('file', ({ detail }) => told.push(detail))
    await befriend(alice, outsider)
    const files = [randomBytes(200_000), randomBytes(2_000)].map((data, i) => ({
      data,
      name: `../${i}.jpg`,
      alt: 'bees'
    }))
    const { id } = await alice.feeds.publish(post, { files, ...to })
    const shown = await arrives(bob, id)
    assert.deepEqual(
      shown.files!.map(({ id: _id, ...file }) => file),
      [
        { name: '0.jpg', size: 200_000, alt: 'bees', isHere: true },
        { name: '1.jpg', size: 2_000, alt: 'bees', isHere: true }
      ]
    )
    const [large, small] = shown.files!.map((file) => file.id)
    await until(() => told.some((news) => news.id === large && news.state === 'here'), 'it is told')
    const answer = { type: 'post', text: 'see', reply: id, root: id }
    const answered = await bob.feeds.publish(answer, { files: [{ data: Buffer.from('more'), name: 'more.txt' }] })
    assert.equal((await arrives(alice, answered.id)).group, group.id)
    await until(async () => (await outsider.feeds.get(id))?.type === 'sealed', 'the outsider holds the entry')
    await assert.rejects(outsider.feeds.attachments(id), { code: 'NOT_FOUND' })
    const folder = homes.of('downloads')
    mkdirSync(folder)
    const saved = await bob.feeds.save(id, folder)
    assert.deepEqual(
      saved.map(({ file }) => readFileSync(file)),
      files.map(({ data }) => data)
    )
    const stored = contents(bob)
    assert.ok(
      stored.every((bytes) => !bytes.includes(files[1].data.subarray(0, 64))),
      'nothing of it lies open'
    )
    assert.ok(stored.some(({ length }) => length === 4_096) && stored.some(({ length }) => length === 1_048_576))
    const member = await asked(bob, alice, encodeRequest({ kind: 'want', id: parseBlobId(small) }))
    assert.equal(member?.[0], HAS)
    await alice.contacts.unfollow(outsider.identity.did)
    const stranger = await asked(outsider, bob, encodeRequest({ kind: 'want', id: parseBlobId(small) }))
    assert.equal(stranger?.[0], NO)
  })

  it('come from any member after a restart, and go with the post', async () => {
    await using homes = new Homes()
    const { group, alice } = await village(homes, {}, ['alice', 'bob', 'carol'], { carol: { quota: 1_000_000 } })
    const [, bob, small] = group.nodes
    const data = randomBytes(300_000)
    const { id } = await alice.feeds.publish(post, { files: [{ data, name: 'a.bin' }], ...to })
    await arrives(bob, id)
    await until(async () => (await small.feeds.get(id))?.text === 'the swarm', 'carol reads it')
    assert.deepEqual(blobsAt(small), []) // it has no room for what nobody asked for
    await alice.stop()
    await small.stop()
    const carol = await homes.start('carol', MEMORY())
    await carol.connect(bob.addresses[0])
    await arrives(carol, id)
    const [file] = await carol.feeds.attachments(id)
    assert.ok(Buffer.concat(await Array.fromAsync(file.read())).equals(data))
    const again = await homes.start('alice', MEMORY())
    assert.equal(blobsAt(again).length, 2)
    await again.feeds.erase(id)
    await again.connect(bob.addresses[0])
    await until(async () => (await bob.feeds.get(id))?.type === 'erased', 'it is erased there')
    await again.stop()
    await bob.stop()
    for (const name of ['alice', 'bob']) {
      const node = await homes.start(name, MEMORY())
      await until(() => blobsAt(node).length === 0, 'the file is gone')
    }
  })

  it('stay when a crash took what was noted of them, also deep in a feed', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice', MEMORY())
    await alice.groups.create({ name: to.group })
    const { id } = await alice.feeds.publish(post, { files: [{ data: randomBytes(100), name: 'a' }], ...to })
    await alice.feeds.publishAll(Array.from({ length: 9_000 }, (_, i) => ({ type: 'post', text: `public ${i}` })))
    await alice.stop()
    const database = new DatabaseSync(join(homes.of('alice'), 'feeds.sqlite'))
    for (const table of ['group_posts', 'group_files', 'group_read']) database.exec(`DELETE FROM ${table}`)
    database.close()
    const again = await homes.start('alice', MEMORY())
    const shown = await arrives(again, id)
    assert.deepEqual([shown.text, shown.files?.length, blobsAt(again).length], [post.text, 1, 2])
  })

  it('are given to whoever reads an open group', async () => {
    await using homes = new Homes()
    const { group, alice, outsider } = await village(homes, { open: true }, ['alice'])
    const files = [{ data: randomBytes(100), name: 'a' }]
    const { id } = await alice.feeds.publish(post, { files, ...to })
    await group.open(outsider)
    await arrives(outsider, id)
    const [file] = await outsider.feeds.attachments(id)
    assert.ok(Buffer.concat(await Array.fromAsync(file.read())).equals(files[0].data))
  })

  it('stay closed to members who name what is not theirs, and who lie about what they name', async () => {
    await using homes = new Homes()
    const { group, alice } = await village(homes, {}, ['alice', 'bob', 'mallory'])
    const [, bob, mallory] = group.nodes
    await befriend(alice, bob)
    const secret = { data: Buffer.from('under the mat'), name: 'key.txt' }
    const { attachment } = await alice.messages.send(bob.identity.did, { attachment: secret })
    await until(async () => (await messagesAt(bob))[0]?.attachment?.isHere === true, 'bob has the file')
    const want = encodeRequest({ kind: 'want', id: parseBlobId(attachment!.id) })
    for (const node of [alice, bob]) assert.equal((await asked(mallory, node, want))?.[0], NO)
    const blobs = [blobCid(parseBlobId(attachment!.id))]
    const said = { name: 'key.txt', size: 13 }
    const naming = (files: object[]) => mallory.feeds.publish({ ...post, blobs, files }, to)
    const [keyless, keyed, large, small] = [
      await naming([said]),
      await naming([{ ...said, key: randomBytes(32) }]),
      await naming([{ ...said, size: 200_000, key: randomBytes(32) }]),
      await naming([{ ...said, size: 2 ** 53 - 1, key: randomBytes(32) }])
    ]
    await until(async () => (await alice.feeds.get(small.id))?.text === 'the swarm', 'alice reads them all')
    for (const { id } of [keyless, small]) assert.equal((await alice.feeds.get(id))!.files, undefined)
    const signal = AbortSignal.timeout(20_000)
    for (const { id } of [keyed, large]) {
      const [file] = await alice.feeds.attachments(id, { signal })
      await assert.rejects(Array.fromAsync(file.read()), { code: 'SEALED' })
    }
    // Whoever asks gets what they named, as it lies there.
    assert.equal((await asked(mallory, alice, want))?.[0], HAS)
    // What has another size than the post says is not taken.
    const open = await mallory.feeds.publish(post, { files: [{ data: randomBytes(100_000), name: 'a' }] })
    const other = parseBlobId((await mallory.feeds.get(open.id))!.files![0].id)
    const { id } = await mallory.feeds.publish(
      { ...post, blobs: [blobCid(other)], files: [{ name: 'a', size: 10, key: randomBytes(32) }] },
      to
    )
    await until(async () => (await alice.feeds.get(id))?.files?.length === 1, 'alice reads it')
    await assert.rejects(alice.feeds.attachments(id, { signal: AbortSignal.timeout(1_000) }), { name: 'TimeoutError' })
    assert.equal(alice.files.coming()[0].have, 0)
    assert.equal(blobsAt(alice).length, 2)
  })

  it('are neither asked of somebody who is blocked, nor given to them', async () => {
    await using homes = new Homes()
    const { group, alice } = await village(homes, {}, ['alice', 'bob', 'carol'])
    const [, bob, carol] = group.nodes
    const { id } = await alice.feeds.publish(post, { files: [{ data: randomBytes(100), name: 'a' }], ...to })
    const [{ id: blob }] = (await arrives(bob, id)).files!
    await arrives(carol, id)
    const want = encodeRequest({ kind: 'want', id: parseBlobId(blob) })
    assert.equal((await asked(carol, bob, want))?.[0], HAS)
    await bob.contacts.block(carol.identity.did)
    assert.notEqual((await asked(carol, bob, want).catch(() => undefined))?.[0], HAS)
    await carol.contacts.block(alice.identity.did)
    await carol.stop()
    const again = await homes.start('carol', MEMORY())
    await until(() => blobsAt(again).length === 0, 'what they wrote has no files here any more')
  })

  it('come again with a feed that was let go, and fetched anew', async () => {
    await using homes = new Homes()
    const { alice, group } = await village(homes, {}, ['alice', 'bob'])
    const [, bob] = group.nodes
    const { id } = await alice.feeds.publish(post, { files: [{ data: randomBytes(100), name: 'a' }], ...to })
    await arrives(bob, id)
    await bob.contacts.block(alice.identity.did)
    await bob.storeMode('all') // what is not wanted any more goes now
    await bob.feeds.publish(post, { files: [{ data: randomBytes(100), name: 'b' }] }) // and files that nothing names
    await until(() => blobsAt(bob).length === 2, "alice's file is gone")
    await bob.contacts.unblock(alice.identity.did)
    await bob.connect(alice.addresses[0])
    await arrives(bob, id)
  })

  it('are let go when the group is left, but those of own posts', async () => {
    await using homes = new Homes()
    const { group, alice } = await village(homes, {}, ['alice', 'bob'])
    const [, bob] = group.nodes
    const { id } = await alice.feeds.publish(post, { files: [{ data: randomBytes(100), name: 'a' }], ...to })
    await arrives(bob, id)
    const own = await bob.feeds.publish(post, { files: [{ data: randomBytes(100), name: 'b' }], ...to })
    await arrives(alice, own.id)
    assert.equal(blobsAt(bob).length, 4)
    await (await bob.groups.get('portland')).leave()
    await bob.stop()
    const again = await homes.start('bob', MEMORY())
    await until(() => blobsAt(again).length === 2, "alice's file is gone")
    const [file] = await again.feeds.attachments(own.id)
    assert.equal(file.isHere, true)
    await again.groups.forget('portland')
    await again.stop()
    const third = await homes.start('bob', MEMORY())
    await until(() => blobsAt(third).length === 0, 'nothing is left')
  })
})

describe('what is done for files of posts to a group', () => {
  it('reads no post for who does not read its group, and few for who does', () => {
    using test = setup(64)
    assert.equal(test.files.isOfGroupWith(undefined, test.blobs[0]), false)
    assert.equal(test.files.isOfGroupWith('mallory', test.blobs[0]), false)
    assert.equal(test.read(), 0)
    test.isBlocked = true
    assert.equal(test.files.isOfGroupWith('bob', test.blobs[0]), false)
    assert.ok(test.read() <= 8, `${test.read()} were read`)
    test.isBlocked = false
    assert.equal(test.files.isOfGroupWith('bob', test.blobs[0]), true)
  })

  it('opens a post once for all of its files', async () => {
    using test = setup(1)
    test.files.start()
    await until(() => test.wanted.size === 16, 'all are wanted')
    assert.deepEqual([test.read(), test.opened], [1, 1])
  })
})

/** So many posts with the same 16 files, in a group whose only member is bob. */
function setup(count: number) {
  const held = temporaryStore()
  const author = new Author('carol')
  want(held.store, author.key)
  const blobs = Array.from({ length: 16 }, () => new Uint8Array(randomBytes(32)))
  const said = blobs.map(() => ({ name: 'a', size: 10, key: new Uint8Array(randomBytes(32)) }))
  const body = { ...post, blobs: blobs.map(blobCid), files: said }
  held.store.ingest(author.write(...Array.from({ length: count }, () => body)))
  const num = new GroupStore(held.store, VAULT).add(new Uint8Array(32))
  const content = new ContentStore(held.store, VAULT)
  const { num: feed } = held.store.feed(author.key.publicKey)!
  const posts = Array.from({ length: count }, (_, i) => ({
    ...{ place: placeOf(feed, i + 1), num, name: '00'.repeat(32), timeMs: i, blobs }
  }))
  content.addFound(feed, { posts, sealed: [] })
  const view = { seats: new Map([['bob', {}]]) }
  const group = { num, identity: 'bob', evaluator: { view: () => view, log: { create: {} } } } as unknown as LocalGroup
  let read = 0
  const rows = held.store.rows.bind(held.store)
  held.store.rows = (...args) => {
    read++
    return rows(...args)
  }
  const test = {
    ...{ blobs, isBlocked: false, opened: 0, wanted: new Set<string>() },
    read: () => read,
    files: undefined as unknown as GroupFiles,
    [Symbol.dispose]: () => {
      test.files.stop()
      held[Symbol.dispose]()
    }
  }
  test.files = new GroupFiles({
    store: held.store,
    content,
    reader: { events: new EventEmitter() } as unknown as PostReader,
    people: {
      isBlocked: () => test.isBlocked,
      identityOf: () => undefined,
      isNear: () => false
    } as unknown as People,
    blobs: {
      addUser: () => {},
      store: { has: () => false },
      want: ({ id }: WantedBlob) => test.wanted.add(toHex(id))
    } as unknown as Blobs,
    group: () => group,
    open: () => {
      test.opened++
      return { group, id: '', body }
    }
  })
  return test
}

const MEMORY = () => ({ libp2p: memoryNetwork() })

/** Nodes of these members, all connected, and one of somebody who is none. */
async function village(homes: Homes, group: object, names: readonly string[], config: Record<string, object> = {}) {
  const alice = await homes.start(names[0], MEMORY())
  const made = await GroupOfNodes.found(alice, group, (name) => homes.start(name, MEMORY(), config[name]))
  for (const name of names.slice(1)) await made.admit(name)
  await made.settled()
  const outsider = await homes.start('outsider', MEMORY())
  for (const { addresses } of made.nodes) await outsider.connect(addresses[0])
  return { group: made, alice, outsider }
}

/** Waits until a post is read and all its files are there. */
async function arrives(node: Comrade, id: string): Promise<FeedItem> {
  const isHere = async () => (await node.feeds.get(id))?.files?.every((file) => file.isHere) === true
  await until(isHere, 'the files are here')
  return (await node.feeds.get(id))!
}

function contents(node: Comrade): Buffer[] {
  return readdirSync(join(node.home, 'blobs')).map((name) => readFileSync(join(node.home, 'blobs', name)))
}
