import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { type FileProgress, NodeError, type NodeErrorCode } from '../../../src/index.ts'
import { blobCid } from '../../../src/blobs/index.ts'
import { type BlobAnswer, type BlobRequest, decodeRequest, encodeAnswer } from '../../../src/blobs/blob-frame.ts'
import { BLOB_PROTOCOL } from '../../../src/node/blobs/blob-service.ts'
import type { Blobs, BlobUser } from '../../../src/node/blobs/blobs.ts'
import { PostFiles } from '../../../src/node/blobs/post-files.ts'
import type { Uploads } from '../../../src/node/blobs/uploads.ts'
import { type Body, Indexer, sha256 } from '../../../src/feeds/index.ts'
import { framedStream } from '../../../src/node/frames.ts'
import type { People } from '../../../src/node/people.ts'
import { Author, temporaryStore, want } from '../../support/feeds.ts'
import { befriend, Homes, reads } from '../../support/node.ts'
import { sleep, until } from '../../support/processes.ts'
import { blobsAt } from './support.ts'

const withCode = (code: NodeErrorCode) => (error: unknown) => error instanceof NodeError && error.code === code
const post = { type: 'post', text: 'the swarm' } as const

/** A chunk of a PNG that holds nothing but its name. */
function chunkOf(name: string): Buffer {
  const chunk = Buffer.alloc(12)
  chunk.write(name, 4)
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8)), 8)
  return chunk
}

/** An answer of the right form, and nothing else. */
function lieAbout(request: BlobRequest): BlobAnswer {
  if (request.kind === 'want') return { kind: 'has', bitmap: Uint8Array.of(0xff, 0xff) }
  if (request.kind === 'manifest') return { kind: 'manifestIs', manifest: randomBytes(100) }
  return { kind: 'chunkIs', index: request.index, bytes: randomBytes(65_536) }
}

describe('files of posts', function () {
  this.timeout(60_000)

  it('come from any friend who has them, are kept as long as the post, and let go with it', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const carol = await homes.start('carol', {}, { quota: 100_000 })
    const files = [randomBytes(200_000), randomBytes(20_000)].map((data, i) => ({ data, name: `../${i}.jpg` }))
    const { id } = await alice.feeds.publish(post, { files })
    await reads(bob, alice.identity.did, 'the swarm')
    const item = (await bob.feeds.get(id))!
    assert.deepEqual(
      item.files?.map(({ name, size }) => [name, size]),
      [
        ['0.jpg', 200_000],
        ['1.jpg', 20_000]
      ]
    )
    await until(() => blobsAt(bob).filter((name) => !name.includes('.')).length === 2, 'bob has fetched them')
    await alice.stop()
    // Carol follows alice, who is off, and knows bob.
    await carol.contacts.follow(alice.identity.did)
    await befriend(bob, carol)
    await reads(carol, alice.identity.did, 'the swarm')
    assert.deepEqual(blobsAt(carol), [])
    const folder = homes.of('downloads')
    mkdirSync(folder)
    const signal = AbortSignal.timeout(20_000)
    await assert.rejects(carol.feeds.save(id, join(folder, 'one'), { signal }), withCode('BAD_INPUT'))
    const saved = await carol.feeds.save(id, folder, { signal })
    assert.deepEqual(
      saved.map(({ file }) => readFileSync(file)),
      files.map(({ data }) => data)
    )
    const again = await homes.start('alice')
    assert.equal(blobsAt(again).length, 4)
    await again.feeds.erase(id)
    await until(async () => (await again.feeds.get(id))!.type === 'erased', 'it is erased')
    await again.connect(bob.addresses[0])
    await until(async () => (await bob.feeds.get(id))!.type === 'erased', 'it is erased there')
    await again.stop()
    await bob.stop()
    for (const name of ['alice', 'bob']) {
      const node = await homes.start(name)
      await until(() => blobsAt(node).length === 0, 'the files are gone')
    }
  })

  it('tell how far they have come: what waits for somebody, and what is here', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    const told: FileProgress[] = []
    bob.addEventListener('file', ({ detail }) => told.push(detail))
    await befriend(alice, bob)
    const missing = { blobs: [blobCid(Buffer.alloc(32))], files: [{ name: 'lost', size: 9_000 }] }
    const files = [{ data: randomBytes(300_000), name: 'a.png', alt: 'bees' }]
    const { id } = await alice.feeds.publish({ ...post, ...missing }, { files })
    await reads(bob, alice.identity.did, 'the swarm')
    await until(() => told.some(({ state }) => state === 'here'), 'bob is told that it is here')
    const [lost, here] = (await bob.feeds.get(id))!.files!
    assert.deepEqual([lost.isHere, here.isHere, here.alt], [false, true, 'bees'])
    assert.deepEqual(bob.files.coming(), [{ id: lost.id, state: 'waiting', have: 0, size: 9_000 }])
    assert.deepEqual(told.at(-1), { id: here.id, state: 'here', have: 300_000, size: 300_000 })
    for (const { id: of, have, size } of told) assert.ok(of === lost.id || (of === here.id && have <= size))
  })

  it('are given without what pictures hide, when that is asked for, and only if it can be', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice')
    const png = (...chunks: string[]): Buffer =>
      Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...chunks.map((name) => chunkOf(name))])
    const data = png('IHDR', 'tEXt', 'IDAT', 'IEND')
    const { id } = await alice.feeds.publish(post, { files: [{ data, name: 'a.png', isPlain: true }] })
    const [file] = await alice.feeds.attachments(id)
    assert.deepEqual(Buffer.concat(await Array.fromAsync(file.read())), png('IHDR', 'IDAT', 'IEND'))
    assert.equal((await alice.feeds.get(id))!.files![0].size, data.length - chunkOf('tEXt').length)
    const film = { data: randomBytes(100), name: 'film.mp4', isPlain: true }
    await assert.rejects(alice.feeds.publish(post, { files: [film] }), withCode('BAD_INPUT'))
  })

  it('are given to those who follow the author and are not followed back', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await alice.feeds.publish(post, { files: [{ data: randomBytes(100), name: 'a' }] })
    await bob.contacts.follow(alice.identity.did)
    await bob.connect(alice.addresses[0])
    await until(() => blobsAt(bob).length === 2, 'bob has fetched it')
  })

  it('come whole from the others when a friend gives wrong ones', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob', {}, { quota: 1_000_000 })]
    const mallory = await homes.start('mallory')
    await befriend(alice, bob)
    await befriend(mallory, bob)
    let lies = 0
    await mallory.libp2p.unhandle(BLOB_PROTOCOL)
    await mallory.libp2p.handle(BLOB_PROTOCOL, async (stream) => {
      const messages = framedStream(stream)
      for await (const frame of messages.receive()) {
        const request = decodeRequest(frame)
        if (request.kind === 'chunk') lies += 1
        await messages.send(encodeAnswer(lieAbout(request)))
      }
    })
    const data = randomBytes(900_000)
    const { id } = await alice.feeds.publish(post, { files: [{ data, name: 'a' }] })
    await reads(bob, alice.identity.did, 'the swarm')
    const signal = AbortSignal.timeout(20_000)
    const [file] = await bob.feeds.attachments(id, { signal })
    assert.ok(Buffer.concat(await Array.fromAsync(file.read())).equals(data))
    assert.ok(lies <= 8, `${lies} chunks were asked of who gave a wrong one`)
  })

  it('go with posts only, and not without bytes or in multitudes', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice')
    const [file, empty] = [
      { data: randomBytes(10), name: 'a' },
      { data: new Uint8Array(), name: 'b' }
    ]
    await assert.rejects(alice.feeds.publish(post, { files: [file, empty] }), withCode('BAD_INPUT'))
    await assert.rejects(alice.feeds.publish(post, { files: Array(17).fill(file) }), withCode('BAD_INPUT'))
    await assert.rejects(alice.feeds.publish({ type: 'profile' }, { files: [file] }), withCode('BAD_INPUT'))
    await assert.rejects(alice.feeds.publishAll([post, post], { files: [file] }), withCode('BAD_INPUT'))
    await until(() => blobsAt(alice).length === 0, 'nothing is left of them')
    const { id } = await alice.feeds.publish(post)
    await assert.rejects(alice.feeds.attachments(id), withCode('NOT_FOUND'))
  })

  it('are found when bulk is indexed, which is not hurried for them while it comes', async () => {
    using held = temporaryStore()
    const { store } = held
    const author = new Author('much at once')
    want(store, author.key)
    let hurried = 0
    class Watched extends Indexer {
      override catchUp(): Promise<void> {
        hurried += 1
        return super.catchUp()
      }
    }
    const indexer = new Watched(store)
    const found = new Set<string>()
    const blobs = {
      addUser: () => {},
      want: ({ id }: { id: Uint8Array }) => found.add(Buffer.from(id).toString('hex'))
    } as unknown as Blobs
    const people = { isNear: () => true, isBlocked: () => false } as unknown as People
    const files = new PostFiles({ store, indexer, blobs, uploads: {} as Uploads, people })
    files.start()
    for (let batch = 0; batch < 20; batch++) {
      const bodies = Array.from({ length: 64 }, (_, i): Body => {
        const blob = blobCid(sha256(Buffer.from(`${batch} ${i}`)))
        return { type: 'post', text: 'look', blobs: [blob], files: [{ name: 'a', size: 1_000 }] }
      })
      store.ingest(author.write(...bodies))
      await sleep(50)
    }
    await until(() => found.size === 1_280, 'all are found')
    files.stop()
    indexer.stop()
    assert.equal(hurried, 0)
  })

  it('all stay as long as much is not indexed, for which nobody waits: a start does not', async () => {
    using held = temporaryStore()
    const { store } = held
    const author = new Author('much is left')
    want(store, author.key)
    store.ingest(author.write(...Array.from({ length: 1_100 }, (): Body => post)))
    const indexer = new Indexer(store)
    const users: BlobUser[] = []
    const blobs = { addUser: (user: BlobUser) => users.push(user) } as unknown as Blobs
    const files = new PostFiles({ store, indexer, blobs, uploads: {} as Uploads, people: {} as People })
    const unused = [sha256(Buffer.from('a file'))]
    assert.deepEqual([...(await users[0](unused))], unused)
    assert.equal(indexer.behind, 1_100)
    await indexer.catchUp()
    files.stop()
    indexer.stop()
    assert.deepEqual([...(await users[0](unused))], [])
  })

  it('are looked at a few at a time, however many somebody names: all else gets its turn', async () => {
    using held = temporaryStore()
    const { store } = held
    const author = new Author('a flood of files')
    want(store, author.key)
    const flood = Array.from({ length: 100 }, (_, post): Body => {
      const blobs = Array.from({ length: 16 }, (_, i) => blobCid(sha256(Buffer.from(`${post} ${i}`))))
      return { type: 'post', text: 'look', blobs, files: blobs.map(() => ({ name: 'a', size: 60_000_000 })) }
    })
    store.ingest(author.write(...flood))
    const indexer = new Indexer(store)
    const turns: number[] = [0]
    const blobs = { addUser: () => {}, want: () => (turns[turns.length - 1] += 1) } as unknown as Blobs
    const people = { isNear: () => true, isBlocked: () => false } as unknown as People
    const files = new PostFiles({ store, indexer, blobs, uploads: {} as Uploads, people })
    files.start()
    const limit = AbortSignal.timeout(20_000)
    while (turns.reduce((sum, count) => sum + count) < 1_600) {
      limit.throwIfAborted()
      await setImmediate()
      if (turns.at(-1) !== 0) turns.push(0)
    }
    files.stop()
    indexer.stop()
    assert.ok(Math.max(...turns) <= 128, `${Math.max(...turns)} in one turn`)
  })
})
