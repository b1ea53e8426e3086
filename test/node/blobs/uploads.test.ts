// Files that wait to be attached: for how long, and how many.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { BlobStore } from '../../../src/blobs/index.ts'
import type { BlobUser } from '../../../src/node/blobs/blobs.ts'
import { Uploads } from '../../../src/node/blobs/uploads.ts'
import { NodeError } from '../../../src/node/comrade.ts'

async function* bytes(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part)
}

describe('files that wait to be attached', () => {
  let directory: string
  let store: BlobStore

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'comrade-uploads-'))
    store = new BlobStore(directory)
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  /** In a store of their own, which lets go of what they do not name. */
  function uploadsFor(lifetimeMs?: number): Uploads {
    let named: BlobUser = () => []
    const blobs = {
      store,
      add: async <T>(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, use: (id: Uint8Array) => Promise<T>) =>
        use(await store.add(source)),
      addUser: (user: BlobUser) => void (named = user),
      tidy: async () => {
        const used = new Set([...(await named(store.ids()))].map((id) => Buffer.from(id).toString('hex')))
        for (const id of store.ids()) if (!used.has(Buffer.from(id).toString('hex'))) await store.remove(id)
      }
    }
    return new Uploads({ blobs, lifetimeMs })
  }

  const refused = (code: string, pattern: RegExp) => (error: unknown) =>
    error instanceof NodeError && error.code === code && pattern.test(error.message)

  it('are given as they came, under equal names and unequal ids', async () => {
    const uploads = uploadsFor()
    const about = { name: 'a.jpg', size: 10 }
    const [one, other] = [
      await uploads.add(bytes('hello', 'world'), about),
      await uploads.add(bytes('helloworld'), about)
    ]
    assert.notEqual(one.id, other.id)
    assert.equal(one.mime, 'image/jpeg')
    assert.equal(store.ids().length, 2, 'each under a key of its own')
    for (const { id } of [one, other])
      assert.equal(Buffer.concat(await Array.fromAsync(uploads.read(id))).toString(), 'helloworld')
    uploads.stop()
  })

  it('are let go when their time is over', async () => {
    const uploads = uploadsFor(50)
    const { id, expires } = await uploads.add(bytes('x'), { name: 'a', size: 1 })
    assert.ok(Date.parse(expires) <= Date.now() + 50)
    const limit = AbortSignal.timeout(20_000)
    while ((await readdir(directory)).length > 0) {
      limit.throwIfAborted()
      await wait(10)
    }
    assert.throws(() => uploads.get(id), refused('NOT_FOUND', /attached before, or an hour has passed/))
  })

  it('are those that came last, when there are too many', async () => {
    const uploads = uploadsFor()
    const ids: string[] = []
    for (let i = 0; i < 66; i++) ids.push((await uploads.add(bytes('x'), { name: 'a', size: 1 })).id)
    for (const id of ids.slice(0, 2)) assert.throws(() => uploads.get(id), refused('NOT_FOUND', /waits here/))
    for (const id of ids.slice(2)) assert.equal(uploads.get(id).size, 1)
    uploads.stop()
  })

  it('are not begun while others take all of the room', async () => {
    const uploads = uploadsFor()
    const over = new AbortController()
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(1)
      await wait(60_000, undefined, { signal: over.signal })
    }
    const coming = Array.from({ length: 16 }, () =>
      uploads.add(endless(), { name: 'a', size: 67_000_000 }).catch(() => {})
    )
    await assert.rejects(uploads.add(bytes('x'), { name: 'b', size: 67_000_000 }), refused('BUSY', /too many/))
    await uploads.add(bytes('x'), { name: 'b', size: 1 })
    over.abort()
    await Promise.all(coming)
    await uploads.add(bytes('x'), { name: 'b', size: 1 })
    assert.equal((await readdir(directory)).filter((name) => name.startsWith('new-')).length, 0)
    uploads.stop()
  })

  it('have the size that was said, of one byte to 64 MiB', async () => {
    const uploads = uploadsFor()
    await assert.rejects(
      uploads.add(bytes('abc'), { name: 'a', size: 2 }),
      refused('BAD_INPUT', /more than the 2 bytes/)
    )
    await assert.rejects(
      uploads.add(bytes('abc'), { name: 'a', size: 4 }),
      refused('BAD_INPUT', /less than the 4 bytes/)
    )
    await assert.rejects(uploads.add(bytes(), { name: 'a', size: 0 }), refused('BAD_INPUT', /empty/))
    for (const size of [67_092_481, NaN, -1, 1.5, 2 ** 53])
      await assert.rejects(
        uploads.add(bytes('a'), { name: 'a', size }),
        refused('BAD_INPUT', /that is attached at most 63 MiB/)
      )
    assert.deepEqual(await readdir(directory), [])
  })
})
