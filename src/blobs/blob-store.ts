// Blobs in a directory, each under its id in hexadecimal digits: `<id>` the bytes, `<id>.manifest`, and `<id>.part` in place
// of the first while chunks are missing. What is not named so, or lacks its manifest, was left by a crash and is removed.
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BlobError } from './errors.ts'
import {
  CHUNK_SIZE,
  decodeManifest,
  encodeManifest,
  type Manifest,
  manifestSize,
  MAX_BLOB_SIZE,
  sha256
} from './manifest.ts'
import { piecesOf } from './pieces.ts'
import { StoredBlob } from './stored-blob.ts'

const NAME = /^([0-9a-f]{64})(\.part)?$/
/** Of the disk, in bytes: a small file takes as much. */
const BLOCK_SIZE = 4_096

export class BlobStore {
  readonly #directory: string
  /** Sizes in bytes of those that are whole. */
  readonly #complete = new Map<string, number>()
  /** Those of which something is missing. */
  readonly #partial = new Map<string, number>()
  /** Those that are being filled: all who write to one share what they know of it. */
  readonly #open = new Map<string, Promise<StoredBlob>>()
  /** Those whose files are being removed. */
  readonly #leaving = new Map<string, Promise<void>>()

  /** Opens a directory, which must be there. @throws what the file system throws */
  constructor(directory: string) {
    this.#directory = directory
    for (const file of readdirSync(directory)) this.#discover(file)
    for (const name of this.#complete.keys()) if (this.#partial.delete(name)) rmSync(this.#path(name, '.part')) // a crash came before it was removed
  }

  /** What all blobs take of the disk; those that are not whole count as if they were. */
  get usedBytes(): number {
    let bytes = 0
    for (const sizes of [this.#complete, this.#partial]) for (const size of sizes.values()) bytes += diskSize(size)
    return bytes
  }

  /** What each takes of the disk, in bytes, counted as in {@link usedBytes}. */
  *sizes(): Iterable<{ id: Uint8Array; size: number }> {
    for (const sizes of [this.#complete, this.#partial])
      for (const [name, size] of sizes) yield { id: Buffer.from(name, 'hex'), size: diskSize(size) }
  }

  /** Whether all of a blob is here. */
  has(id: Uint8Array): boolean {
    return this.#complete.has(nameOf(id))
  }

  /** What a blob has in bytes of which something is here; else undefined. */
  sizeOf(id: Uint8Array): number | undefined {
    return this.#complete.get(nameOf(id)) ?? this.#partial.get(nameOf(id))
  }

  /** Whether something of a blob is here, or comes. */
  isBegun(id: Uint8Array): boolean {
    return this.#partial.has(nameOf(id))
  }

  /** Ids of all of which something is here. */
  ids(): Uint8Array[] {
    return [...this.#complete.keys(), ...this.#partial.keys()].map((name) => Buffer.from(name, 'hex'))
  }

  /**
   * Stores what `source` gives; it is on the disk when this resolves.
   * @param onId told the id before anything of it is kept, or found to be here already
   * @returns its id
   * @throws BlobError SIZE for nothing at all and for too much; what `source` and the file system throw
   */
  async add(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    onId: (id: Uint8Array) => void = () => {}
  ): Promise<Uint8Array> {
    const temporary = join(this.#directory, `new-${randomBytes(8).toString('hex')}`)
    try {
      const manifest = encodeManifest(await writeChunks(temporary, source))
      const id = sha256(manifest)
      onId(id)
      await this.#leaving.get(nameOf(id))
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
    return manifest && this.#stored(id, manifest, true)
  }

  /**
   * Begins to fill a blob, or goes on with it.
   * @param manifest as it came
   * @param takes whether a blob of so many bytes is wanted @default any
   * @throws BlobError MANIFEST; SIZE when it is not wanted; what the file system throws
   */
  async begin(
    id: Uint8Array,
    manifest: Uint8Array,
    takes: (size: number) => boolean = () => true
  ): Promise<StoredBlob> {
    const { size } = decodeManifest(manifest, id)
    const name = nameOf(id)
    await this.#leaving.get(name)
    if (!this.#complete.has(name) && !this.#partial.has(name)) {
      // In one turn of the event loop with what is noted: of several that begin, each counts for the next.
      if (!takes(size)) throw new BlobError('SIZE', `the blob has ${size} bytes, and is not taken`)
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
    const leaving = this.#leaving.get(name) ?? this.#removeFiles(name).finally(() => this.#leaving.delete(name))
    this.#leaving.set(name, leaving)
    await leaving
  }

  async #removeFiles(name: string): Promise<void> {
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
    try {
      await writeFile(this.#path(name, '.manifest'), manifest, { mode: 0o600 })
      await writeFile(this.#path(name, '.part'), '', { mode: 0o600, flag: 'a' })
    } catch (error) {
      this.#partial.delete(name) // the disk is full: it is begun again when there is room
      throw error
    }
    return this.#openPartial(id)
  }

  async #openPartial(id: Uint8Array): Promise<StoredBlob> {
    const manifest = await this.#manifest(id)
    if (manifest === undefined) throw new BlobError('NOT_FOUND', 'the blob is not here any more')
    const blob = this.#stored(id, manifest, false)
    await blob.look()
    if (blob.isComplete) await this.#finish(nameOf(id)) // a crash came between its last chunk and its new name
    return blob
  }

  #stored(id: Uint8Array, manifest: Manifest, isComplete: boolean): StoredBlob {
    const name = nameOf(id)
    return new StoredBlob({
      ...{ id, manifest, isComplete },
      path: () => this.#path(name, this.#complete.has(name) ? '' : '.part'),
      onComplete: () => this.#finish(name),
      onDamaged: () => this.#demote(name)
    })
  }

  /** undefined when it was removed meanwhile, or the disk has damaged it, which is no fault of whoever asks or is asked. */
  async #manifest(id: Uint8Array): Promise<Manifest | undefined> {
    try {
      return decodeManifest(await readFile(this.#path(nameOf(id), '.manifest')), id)
    } catch (error) {
      if (error instanceof BlobError) await this.remove(id)
      else if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return undefined
    }
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

/** What a blob takes of a disk, with its manifest: many small ones take much more than they have. */
export function diskSize(size: number): number {
  const inBlocks = (bytes: number): number => Math.ceil(bytes / BLOCK_SIZE) * BLOCK_SIZE
  return inBlocks(size) + inBlocks(manifestSize(size))
}

function nameOf(id: Uint8Array): string {
  return Buffer.from(id).toString('hex')
}
