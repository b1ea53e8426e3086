// Blobs in a directory, each under its id in hexadecimal digits: `<id>` the bytes, `<id>.manifest`, and `<id>.part` in place
// of the first while chunks are missing. What is not named so, or lacks its manifest, was left by a crash and is removed.
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BlobError } from './errors.ts'
import { CHUNK_SIZE, decodeManifest, encodeManifest, MAX_BLOB_SIZE, sha256 } from './manifest.ts'
import { piecesOf } from './pieces.ts'
import { StoredBlob } from './stored-blob.ts'

const NAME = /^([0-9a-f]{64})(\.part)?$/

export class BlobStore {
  readonly #directory: string
  /** Sizes in bytes of those that are whole. */
  readonly #complete = new Map<string, number>()
  /** Those of which something is missing. */
  readonly #partial = new Map<string, number>()
  /** Those that are being filled: all who write to one share what they know of it. */
  readonly #open = new Map<string, Promise<StoredBlob>>()

  /** Opens a directory, which must be there. @throws what the file system throws */
  constructor(directory: string) {
    this.#directory = directory
    for (const file of readdirSync(directory)) this.#discover(file)
  }

  /** Of all blobs; those that are not whole count as if they were. */
  get usedBytes(): number {
    return [...this.#complete.values(), ...this.#partial.values()].reduce((sum, size) => sum + size, 0)
  }

  /** Whether all of a blob is here. */
  has(id: Uint8Array): boolean {
    return this.#complete.has(nameOf(id))
  }

  /** Ids of all of which something is here. */
  ids(): Uint8Array[] {
    return [...this.#complete.keys(), ...this.#partial.keys()].map((name) => Buffer.from(name, 'hex'))
  }

  /**
   * Stores what `source` gives; it is on the disk when this resolves.
   * @returns its id
   * @throws BlobError SIZE for nothing at all and for too much; what `source` and the file system throw
   */
  async add(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array> {
    const temporary = join(this.#directory, `new-${randomBytes(8).toString('hex')}`)
    try {
      const manifest = encodeManifest(await writeChunks(temporary, source))
      const id = sha256(manifest)
      if (!this.has(id)) await this.#install(temporary, id, manifest)
      return id
    } finally {
      await rm(temporary, { force: true })
    }
  }

  /** A blob of which something is here. */
  async find(id: Uint8Array): Promise<StoredBlob | undefined> {
    const name = nameOf(id)
    if (this.#partial.has(name)) return this.#opened(id)
    const size = this.#complete.get(name)
    if (size === undefined) return undefined
    const manifest = await this.#manifest(id)
    return manifest === undefined ? undefined : this.#stored(id, manifest, true)
  }

  /**
   * Begins to fill a blob, or goes on with it.
   * @param manifest as it came
   * @param expectedSize of the blob, when it is known @default any
   * @throws BlobError MANIFEST; what the file system throws
   */
  async begin(id: Uint8Array, manifest: Uint8Array, expectedSize?: number): Promise<StoredBlob> {
    const { size } = decodeManifest(manifest, id)
    if (size !== (expectedSize ?? size))
      throw new BlobError('MANIFEST', `the blob was to have ${expectedSize} bytes, and has ${size}`)
    const name = nameOf(id)
    if (!this.#complete.has(name) && !this.#partial.has(name)) {
      this.#partial.set(name, size)
      await this.#hold(name, this.#create(id, manifest))
    }
    const blob = await this.find(id)
    if (blob === undefined) throw new BlobError('NOT_FOUND', 'the blob was removed meanwhile')
    return blob
  }

  /** Lets go of a blob, whole or not; nothing when it is not here. */
  async remove(id: Uint8Array): Promise<void> {
    const name = nameOf(id)
    this.#complete.delete(name)
    this.#partial.delete(name)
    this.#open.delete(name)
    for (const end of ['', '.part', '.manifest']) await rm(this.#path(name, end), { force: true })
  }

  #opened(id: Uint8Array): Promise<StoredBlob> {
    const name = nameOf(id)
    return this.#open.get(name) ?? this.#hold(name, this.#openPartial(id))
  }

  #hold(name: string, opening: Promise<StoredBlob>): Promise<StoredBlob> {
    this.#open.set(name, opening)
    opening.catch(() => this.#open.delete(name))
    return opening
  }

  async #create(id: Uint8Array, manifest: Uint8Array): Promise<StoredBlob> {
    const name = nameOf(id)
    await writeFile(this.#path(name, '.manifest'), manifest, { mode: 0o600 })
    await writeFile(this.#path(name, '.part'), '', { mode: 0o600, flag: 'a' })
    return this.#openPartial(id)
  }

  async #openPartial(id: Uint8Array): Promise<StoredBlob> {
    const blob = this.#stored(id, (await this.#manifest(id))!, false)
    await blob.look()
    if (blob.isComplete) await this.#finish(nameOf(id)) // a crash came between its last chunk and its new name
    return blob
  }

  #stored(id: Uint8Array, manifest: Uint8Array, isComplete: boolean): StoredBlob {
    const name = nameOf(id)
    return new StoredBlob({
      ...{ id, manifest: decodeManifest(manifest, id), isComplete },
      path: () => this.#path(name, this.#complete.has(name) ? '' : '.part'),
      onComplete: () => this.#finish(name),
      onDamaged: () => this.#demote(name)
    })
  }

  /** undefined when it was removed meanwhile. */
  async #manifest(id: Uint8Array): Promise<Uint8Array | undefined> {
    return readFile(this.#path(nameOf(id), '.manifest')).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
  }

  async #install(temporary: string, id: Uint8Array, manifest: Uint8Array): Promise<void> {
    const name = nameOf(id)
    const { size } = decodeManifest(manifest, id)
    await writeDurably(this.#path(name, '.manifest'), manifest)
    await rename(temporary, this.#path(name))
    await this.#syncDirectory()
    this.#complete.set(name, size)
    this.#partial.delete(name)
    this.#open.delete(name)
    await rm(this.#path(name, '.part'), { force: true })
  }

  async #finish(name: string): Promise<void> {
    const size = this.#partial.get(name)
    if (size === undefined) return
    // Not waited for to be on the disk: what a power cut takes is missed, and fetched again.
    await rename(this.#path(name, '.part'), this.#path(name))
    this.#partial.delete(name)
    this.#open.delete(name)
    this.#complete.set(name, size)
  }

  /** A disk forgot a chunk: what is left of the blob is the part that is here. */
  async #demote(name: string): Promise<void> {
    const size = this.#complete.get(name)
    if (size === undefined) return
    this.#complete.delete(name)
    await rename(this.#path(name), this.#path(name, '.part'))
    this.#partial.set(name, size)
  }

  #discover(file: string): void {
    const [, name, part] = NAME.exec(file) ?? []
    const size = name === undefined ? undefined : this.#sizeOf(name)
    if (size !== undefined && (part !== undefined || statSync(this.#path(name)).size === size))
      (part === undefined ? this.#complete : this.#partial).set(name, size)
    else if (!file.endsWith('.manifest') || !this.#hasBytes(file.slice(0, -'.manifest'.length)))
      rmSync(join(this.#directory, file), { force: true, recursive: true })
  }

  /** By its manifest, if that is one. */
  #sizeOf(name: string): number | undefined {
    try {
      return decodeManifest(readFileSync(this.#path(name, '.manifest')), Buffer.from(name, 'hex')).size
    } catch {
      return undefined
    }
  }

  #hasBytes(name: string): boolean {
    return ['', '.part'].some((end) => statSync(this.#path(name, end), { throwIfNoEntry: false }) !== undefined)
  }

  #path(name: string, end = ''): string {
    return join(this.#directory, name + end)
  }

  async #syncDirectory(): Promise<void> {
    if (process.platform === 'win32') return // a directory cannot be opened there; NTFS journals its names
    const directory = await open(this.#directory, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  }
}

/** Writes a blob's bytes, and computes what is in its manifest. */
async function writeChunks(
  path: string,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
): Promise<{ size: number; chunks: Uint8Array }> {
  const hashes: Uint8Array[] = []
  let size = 0
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of piecesOf(source, CHUNK_SIZE)) {
      size += chunk.length
      if (size > MAX_BLOB_SIZE) throw new BlobError('SIZE', `a blob has at most ${MAX_BLOB_SIZE} bytes`)
      hashes.push(sha256(chunk))
      await file.writeFile(chunk)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { size, chunks: new Uint8Array(Buffer.concat(hashes)) }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

function nameOf(id: Uint8Array): string {
  return Buffer.from(id).toString('hex')
}
