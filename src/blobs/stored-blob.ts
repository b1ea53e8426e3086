// A blob on the disk, whole or in part. What is there is known by the hashes of its chunks and not by notes, which a power
// cut could make wrong.
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { BlobError } from './errors.ts'
import { CHUNK_SIZE, chunkCount, chunkSize, isChunk, type Manifest } from './manifest.ts'

export interface StoredBlobOptions {
  id: Uint8Array
  manifest: Manifest
  /** Whether all of it is there. */
  isComplete: boolean
  /** Where it lies; it is moved when it is complete. */
  path: () => string
  /** The last chunk was written. */
  onComplete: () => Promise<void>
  /** A chunk is not what it was when it was written. */
  onDamaged: () => Promise<void>
}

export class StoredBlob {
  readonly id: Uint8Array
  readonly manifest: Manifest
  readonly #options: StoredBlobOptions
  readonly #missing: Set<number>

  /** @param options.isComplete when it is not, {@link look} says what is there */
  constructor(options: StoredBlobOptions) {
    this.id = options.id
    this.manifest = options.manifest
    this.#options = options
    this.#missing = new Set(options.isComplete ? [] : Array(this.count).keys())
  }

  /** Of chunks. */
  get count(): number {
    return chunkCount(this.manifest.size)
  }

  get isComplete(): boolean {
    return this.#missing.size === 0
  }

  /** Indices of chunks that are not there, rising. */
  get missing(): number[] {
    return [...this.#missing].sort((a, b) => a - b)
  }

  /** Bytes that are there. */
  get haveBytes(): number {
    let bytes = this.manifest.size
    for (const index of this.#missing) bytes -= chunkSize(this.manifest, index)
    return bytes
  }

  has(index: number): boolean {
    return index >= 0 && index < this.count && !this.#missing.has(index)
  }

  /** Which chunks are there: bit i % 8, from the lowest, of byte i / 8. */
  bitmap(): Uint8Array {
    const bits = new Uint8Array(Math.ceil(this.count / 8))
    for (let index = 0; index < this.count; index++) if (this.has(index)) bits[index >> 3] |= 1 << (index & 7)
    return bits
  }

  /** Looks through what an earlier run has left. */
  async look(): Promise<void> {
    const bytes = await readFile(this.#options.path())
    for (const index of this.missing) {
      const chunk = bytes.subarray(index * CHUNK_SIZE, index * CHUNK_SIZE + chunkSize(this.manifest, index))
      if (isChunk(this.manifest, index, chunk)) this.#missing.delete(index)
      await new Promise(setImmediate)
    }
  }

  /** @throws BlobError NOT_FOUND when it is not there, or not any more */
  async read(index: number): Promise<Uint8Array> {
    if (!this.has(index)) throw new BlobError('NOT_FOUND', `chunk ${index} is not here`)
    const chunk = new Uint8Array(chunkSize(this.manifest, index))
    this.#at('r', (file) => readSync(file, chunk, 0, chunk.length, index * CHUNK_SIZE))
    if (isChunk(this.manifest, index, chunk)) return chunk
    this.#missing.add(index)
    await this.#options.onDamaged()
    throw new BlobError('NOT_FOUND', `chunk ${index} is damaged on this disk`)
  }

  /** All chunks, in order. @throws BlobError NOT_FOUND */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < this.count; index++) yield await this.read(index)
  }

  /** @throws BlobError CHUNK when it is not what the manifest says; NOT_FOUND when the blob was removed meanwhile */
  async write(index: number, bytes: Uint8Array): Promise<void> {
    if (!isChunk(this.manifest, index, bytes))
      throw new BlobError('CHUNK', `these ${bytes.length} bytes are not chunk ${index} of the blob`)
    if (!this.#missing.has(index)) return
    this.#at('r+', (file) => writeFully(file, bytes, index * CHUNK_SIZE))
    if (this.#missing.delete(index) && this.isComplete) await this.#options.onComplete()
  }

  /** One chunk is dealt with at once: that costs a third of what handing it to a thread does. */
  #at(flags: string, work: (file: number) => void): void {
    let file: number
    try {
      file = openSync(this.#options.path(), flags)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      throw new BlobError('NOT_FOUND', 'the blob is not here any more', { cause: error })
    }
    try {
      work(file)
    } finally {
      closeSync(file)
    }
  }
}

/** A disk that becomes full takes a part of what it is given, and says so only when it is given the rest. */
function writeFully(file: number, bytes: Uint8Array, place: number): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, bytes.length - at, place + at)
}
