// Files that the user has handed over and not attached yet. On the disk each is a sealed blob; its key is only here, so that
// nothing of it can be read when the node is killed, and nothing of a private file is ever there in the clear.
import { randomBytes } from 'node:crypto'
import { BlobError, FILE_KEY_SIZE, MAX_FILE_SIZE, openFile, sealFile } from '../../blobs/index.ts'
import { NodeError } from '../comrade.ts'
import { refuse } from '../refusal-sentences.ts'
import type { Blobs } from './blobs.ts'
import type { Upload, UploadOptions } from './contract.ts'
import { fileNameOf } from './file-name.ts'
import { pictureType } from './picture-type.ts'

/** How long a file waits to be attached, in ms. */
const LIFETIME_MS = 3_600_000
/** Files that wait or come, and what they have in bytes: past it the oldest that waits is let go. */
const MAX_UPLOADS = 64
const MAX_TOTAL_SIZE = 2 ** 30

/** Nobody else sees how large it is here. */
const SEALING = { isPadded: false }

interface SealedUpload {
  /** Of its blob. */
  blob: Uint8Array
  key: Uint8Array
  name: string
  size: number
  mime?: string
}

type Waiting = SealedUpload & { timer: NodeJS.Timeout }

export interface UploadsOptions {
  blobs: Pick<Blobs, 'add' | 'addUser' | 'store' | 'tidy'>
  /** How long a file waits to be attached, in ms. @default an hour */
  lifetimeMs?: number
}

export class Uploads {
  readonly #options: UploadsOptions
  /** The oldest first. */
  readonly #waiting = new Map<string, Waiting>()
  /** Sizes of those that come. */
  readonly #coming = new Map<string, number>()

  constructor(options: UploadsOptions) {
    this.#options = options
    options.blobs.addUser(() => this.#waiting.values().map(({ blob }) => blob))
  }

  stop(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer)
    this.#waiting.clear()
  }

  /** As {@link Files.upload} of the contract says. */
  async add(source: AsyncIterable<Uint8Array>, { name, size, mime }: UploadOptions): Promise<Upload> {
    const given = fileNameOf(name)
    if (size === 0) throw new NodeError('BAD_INPUT', refuse('refusal.emptyFile', { name: given }))
    if (!Number.isSafeInteger(size) || size < 0 || size > MAX_FILE_SIZE)
      throw new NodeError(
        'BAD_INPUT',
        refuse('refusal.largeFile', { name: given, sizeBytes: size, maxBytes: MAX_FILE_SIZE })
      )
    const id = randomBytes(16).toString('hex')
    this.#makeRoom(size)
    this.#coming.set(id, size)
    try {
      const file = {
        name: given,
        size,
        mime: mime ?? pictureType(given),
        key: new Uint8Array(randomBytes(FILE_KEY_SIZE))
      }
      return await this.#options.blobs.add(sealFile(source, size, file.key, SEALING), async (blob) =>
        this.#keep(id, { ...file, blob })
      )
    } catch (error) {
      if (error instanceof BlobError && error.code === 'SIZE')
        throw new NodeError('BAD_INPUT', error.message, { cause: error })
      throw error
    } finally {
      this.#coming.delete(id)
    }
  }

  /** @throws NodeError NOT_FOUND */
  get(id: string): SealedUpload {
    const found = this.#waiting.get(id)
    if (found === undefined) throw new NodeError('NOT_FOUND', refuse('refusal.uploadGone', { id }))
    return found
  }

  /** Its bytes as they came. @throws NodeError NOT_FOUND */
  async *read(id: string): AsyncGenerator<Uint8Array> {
    const { blob, size, key } = this.get(id)
    const stored = await this.#options.blobs.store.find(blob)
    if (stored === undefined) throw new NodeError('NOT_FOUND', refuse('refusal.fileGone'))
    yield* openFile(stored.chunks(), size, key, SEALING)
  }

  /** It is attached, or not to be attached. @returns whether it was here */
  discard(id: string): boolean {
    clearTimeout(this.#waiting.get(id)?.timer)
    const wasHere = this.#waiting.delete(id)
    if (wasHere) void this.#options.blobs.tidy()
    return wasHere
  }

  #keep(id: string, file: SealedUpload): Upload {
    const { lifetimeMs = LIFETIME_MS } = this.#options
    const timer = setTimeout(() => this.discard(id), lifetimeMs).unref()
    this.#waiting.set(id, { ...file, timer })
    const { name, size, mime } = file
    const expires = new Date(Date.now() + lifetimeMs).toISOString()
    return { id, name, size, ...(mime === undefined ? {} : { mime }), expires }
  }

  /** @throws NodeError BUSY when those that come take all of it */
  #makeRoom(size: number): void {
    while (this.#waiting.size + this.#coming.size >= MAX_UPLOADS || this.#totalSize() + size > MAX_TOTAL_SIZE) {
      const [oldest] = this.#waiting.keys()
      if (oldest === undefined) throw new NodeError('BUSY', refuse('refusal.uploadsBusy'))
      this.discard(oldest)
    }
  }

  #totalSize(): number {
    let total = 0
    for (const each of this.#coming.values()) total += each
    for (const each of this.#waiting.values()) total += each.size
    return total
  }
}
