import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  truncateSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { join } from 'node:path'
import {
  BlobError,
  type BlobErrorCode,
  blobCid,
  CHUNK_SIZE,
  cidToBlobId,
  decodeManifest,
  Download,
  formatBlobId,
  MAX_BLOB_SIZE,
  parseBlobId
} from '../../src/blobs/index.ts'
import { encodeCbor, entryCid } from '../../src/feeds/index.ts'
import { bytesOf, contentOf, Directory, sourceOf } from './support.ts'

const withCode = (code: BlobErrorCode) => (error: unknown) => error instanceof BlobError && error.code === code
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** Begins to fetch a blob, and fills in these chunks of it. */
async function fillPart(from: Directory, to: Directory, id: Uint8Array, indices: number[]): Promise<void> {
  const { caller, stream } = sourceOf(from.open())
  assert.equal(await caller.want(id), true)
  const [source, blob] = [(await from.open().find(id))!, await to.open().begin(id, await caller.manifest())]
  for (const index of indices) await blob.write(index, await source.read(index))
  stream.abort(new Error('done'))
}

/** Overwrites some of a file. */
function damage(path: string, at: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, randomBytes(100), 0, 100, at)
  closeSync(file)
}

describe('a store of blobs', () => {
  it('has what was put into it, once, also when it is opened again', async () => {
    using directory = new Directory()
    const store = directory.open()
    for (const size of [1, CHUNK_SIZE, CHUNK_SIZE + 1, 300_000]) {
      const id = await store.add([bytesOf(size)])
      assert.deepEqual(await store.add([bytesOf(size)]), id)
      assert.ok((await contentOf(directory.open(), id)).equals(bytesOf(size)))
    }
    assert.equal(directory.open().usedBytes, (1 + 16 + 17 + 74 + 4) * 4_096)
    assert.equal(directory.open().ids().length, 4)
    await assert.rejects(store.add([]), withCode('SIZE'))
    assert.equal(readdirSync(directory.path).length, 8)
  })

  it('lets go of a blob, and of what a crash has left', async () => {
    using directory = new Directory()
    const id = await directory.open().add([bytesOf(1_000)])
    for (const file of ['new-1234', 'a'.repeat(64), `${'b'.repeat(64)}.manifest`, `${'c'.repeat(64)}.part`, 'else'])
      writeFileSync(join(directory.path, file), 'x')
    const store = directory.open()
    const files = readdirSync(directory.path).map((name) => join(directory.path, name))
    assert.deepEqual(files.toSorted(), [directory.fileOf(id), directory.fileOf(id, '.manifest')])
    await store.remove(id)
    assert.deepEqual(readdirSync(directory.path), [])
    assert.equal(await store.find(id), undefined)
  })

  it('goes on with a blob where it was, and trusts no chunk that was not written as it should be', async () => {
    using theirs = new Directory()
    using ours = new Directory()
    const bytes = bytesOf(10 * CHUNK_SIZE + 5)
    const id = await theirs.open().add([bytes])
    await fillPart(theirs, ours, id, [0, 1, 2, 3, 7])
    damage(ours.fileOf(id, '.part'), 2 * CHUNK_SIZE) // as a power cut may do it
    const store = ours.open()
    assert.equal(store.has(id), false)
    const blob = (await store.find(id))!
    assert.deepEqual(blob.missing, [2, 4, 5, 6, 8, 9, 10])
    assert.equal(blob.haveBytes, 4 * CHUNK_SIZE)
    let asked = 0
    const { caller } = sourceOf(theirs.open(), () => (asked += 1))
    assert.equal(await caller.want(id), true)
    await caller.fill(blob, new Download(blob.missing), () => {})
    assert.equal(asked, 1 + 7)
    assert.ok((await contentOf(store, id)).equals(bytes))
    assert.ok(store.has(id) && !existsSync(ours.fileOf(id, '.part')))
  })

  it('finishes what a crash has left whole, but for its name', async () => {
    using theirs = new Directory()
    using ours = new Directory()
    const id = await theirs.open().add([bytesOf(100_000)])
    cpSync(theirs.fileOf(id), ours.fileOf(id, '.part'))
    cpSync(theirs.fileOf(id, '.manifest'), ours.fileOf(id, '.manifest'))
    const store = ours.open()
    assert.equal(store.has(id), false)
    await store.find(id)
    assert.equal(store.has(id), true)
  })

  it('does not give what the disk has damaged, and knows that it lacks it', async () => {
    using directory = new Directory()
    const store = directory.open()
    const id = await store.add([bytesOf(200_000)])
    damage(directory.fileOf(id), CHUNK_SIZE)
    await assert.rejects(contentOf(store, id), withCode('NOT_FOUND'))
    assert.equal(store.has(id), false)
    assert.deepEqual((await store.find(id))!.missing, [1])
    truncateSync(directory.fileOf(id, '.part'), 10) // as a power cut may leave one that was fetched
    assert.deepEqual((await directory.open().find(id))!.missing, [0, 1, 2, 3])
    const other = await store.add([bytesOf(1_000, 2)])
    truncateSync(directory.fileOf(other), 0)
    assert.equal(directory.open().has(other), false)
    assert.equal(await directory.open().find(other), undefined)
  })

  it('takes no manifest of another blob, of another size, or that is none', async () => {
    using directory = new Directory()
    const store = directory.open()
    const manifest = encodeCbor({ v: 1, size: 100, chunks: new Uint8Array(32) })
    const id = sha256(manifest)
    assert.equal(decodeManifest(manifest, id).size, 100)
    await assert.rejects(store.begin(randomBytes(32), manifest), withCode('MANIFEST'))
    await assert.rejects(
      store.begin(id, manifest, (size) => size === 101),
      withCode('SIZE')
    )
    const wrong = [
      { v: 2, size: 100, chunks: new Uint8Array(32) },
      { v: 1, size: 0, chunks: new Uint8Array() },
      { v: 1, size: 100, chunks: new Uint8Array(64) },
      { v: 1, size: CHUNK_SIZE + 1, chunks: new Uint8Array(32) },
      { v: 1, size: MAX_BLOB_SIZE + 1, chunks: new Uint8Array(32 * 1_025) },
      { v: 1, size: 100, chunks: new Uint8Array(32), more: 1 },
      { v: 1, size: '100', chunks: new Uint8Array(32) },
      [1, 100]
    ].map((value) => encodeCbor(value))
    for (const bytes of [...wrong, manifest.subarray(1), Buffer.alloc(70_000)])
      assert.throws(() => decodeManifest(bytes, sha256(bytes)), withCode('MANIFEST'))
    assert.deepEqual(store.ids(), [])
  })

  it('begins again where the disk took nothing, and blames nobody for it', async () => {
    using theirs = new Directory()
    using ours = new Directory()
    const [source, store] = [theirs.open(), ours.open()]
    const id = await source.add([bytesOf(100_000)])
    const manifest = readFileSync(theirs.fileOf(id, '.manifest'))
    mkdirSync(ours.fileOf(id, '.manifest')) // in the way, as a full disk is
    for (let i = 0; i < 2; i++)
      await assert.rejects(store.begin(id, manifest), (error: NodeJS.ErrnoException) => error.syscall === 'open')
    assert.equal(store.usedBytes, 0)
    rmdirSync(ours.fileOf(id, '.manifest'))
    assert.deepEqual((await store.begin(id, manifest)).missing, [0, 1])
  })

  it('does not have what lost its manifest to the disk', async () => {
    using directory = new Directory()
    const store = directory.open()
    const id = await store.add([bytesOf(100_000)])
    writeFileSync(directory.fileOf(id, '.manifest'), '')
    assert.equal(await store.find(id), undefined)
    assert.equal(store.has(id), false)
    assert.deepEqual(await store.add([bytesOf(100_000)]), id)
    assert.ok((await contentOf(store, id)).equals(bytesOf(100_000)))
  })

  it('keeps what is whole when a crash has left a part of it beside it', async () => {
    using directory = new Directory()
    const id = await directory.open().add([bytesOf(100_000)])
    writeFileSync(directory.fileOf(id, '.part'), bytesOf(10))
    const store = directory.open()
    assert.ok((await contentOf(store, id)).equals(bytesOf(100_000)))
    assert.equal(existsSync(directory.fileOf(id, '.part')), false)
  })

  it('has what is put into it while it lets go of the same', async () => {
    using directory = new Directory()
    const store = directory.open()
    const id = await store.add([bytesOf(100)])
    const manifest = readFileSync(directory.fileOf(id, '.manifest'))
    for (let i = 0; i < 20; i++) {
      const leaving = store.remove(id)
      await Promise.all([leaving, i % 2 === 0 ? store.add([bytesOf(100)]) : store.begin(id, manifest)])
      assert.ok((await store.find(id)) !== undefined)
      assert.equal(directory.open().ids().length, 1)
    }
  })

  it('counts small blobs as what they take of the disk', async () => {
    using directory = new Directory()
    const store = directory.open()
    for (let seed = 1; seed <= 10; seed++) await store.add([bytesOf(4, seed)])
    assert.equal(store.usedBytes, 10 * 2 * 4_096)
  })

  it('names blobs by links of their own kind', () => {
    const id = new Uint8Array(bytesOf(32))
    assert.deepEqual(cidToBlobId(blobCid(id)), id)
    assert.deepEqual(parseBlobId(formatBlobId(id)), id)
    assert.match(formatBlobId(id), /^bafyrei[a-z2-7]{52}$/)
    assert.equal(cidToBlobId(entryCid(id)), undefined)
    for (const text of ['', 'bafyrei', entryCid(id).toString(), formatBlobId(id).toUpperCase(), `${formatBlobId(id)}a`])
      assert.throws(() => parseBlobId(text), withCode('ID'))
  })
})
