// Files of posts: stored when a post is written, fetched for posts of those whom the user follows, kept as long as the post.
// When those of posts to groups are fetched and kept, groups/group-files.ts says.
import { setImmediate } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import {
  blobCid,
  type BlobStore,
  cidToBlobId,
  formatBlobId,
  MAX_BLOB_SIZE,
  MAX_FILE_SIZE,
  parseBlobId
} from '../../blobs/index.ts'
import {
  type Body,
  blobsOfPosts,
  bodyOf,
  entryAtPlace,
  type FeedStore,
  type Indexer,
  isBlobOfPost,
  Turn
} from '../../feeds/index.ts'
import { NodeError } from '../comrade.ts'
import type { People } from '../people.ts'
import { refuse } from '../refusal-sentences.ts'
import type { Blobs } from './blobs.ts'
import type { WantedBlob } from './blob-fetch.ts'
import type { AttachmentOptions, AttachmentSource, OpenedAttachment } from './contract.ts'
import { type FileSource, openSource } from './file-source.ts'
import { filesOf, MAX_FILES, type PostedFile } from './posted-file.ts'
import { addSealed, readSealed, type SealedFile } from './sealed-file.ts'
import type { Uploads } from './uploads.ts'

/** How long after the last news it is looked what posts have come, in ms. */
const LOOK_DELAY_MS = 500
/** Files that are looked at before the event loop gets its turn. */
const PAGE = 64

export interface PostFilesOptions {
  store: FeedStore
  indexer: Indexer
  blobs: Blobs
  uploads: Uploads
  people: People
}

export class PostFiles {
  readonly #options: PostFilesOptions
  #seen = 0
  #timer: NodeJS.Timeout | undefined
  readonly #lookSoon = (): void => {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#look().catch(this.#lookSoon)
    }, LOOK_DELAY_MS).unref()
  }

  constructor(options: PostFilesOptions) {
    this.#options = options
    options.blobs.addUser((ids) => this.#usedOf(ids))
  }

  /** Where they lie. */
  get blobs(): BlobStore {
    return this.#options.blobs.store
  }

  start(): void {
    this.#options.store.events.on('extended', this.#lookSoon)
    this.#lookSoon()
  }

  stop(): void {
    this.#options.store.events.off('extended', this.#lookSoon)
    clearTimeout(this.#timer)
  }

  /**
   * Stores files, and keeps them for the post that `write` writes.
   * @param options.isSealed each under a key of its own, which the body is given
   * @throws NodeError BAD_INPUT when one cannot be read, is empty, or is larger than 64 MiB (sealed: less 16 KiB), and for
   * more than 16; NOT_FOUND when one that was uploaded is not here any more
   */
  async attach<T>(
    body: Body,
    sources: readonly AttachmentSource[],
    write: (body: Body) => Promise<T>,
    { isSealed = false } = {}
  ): Promise<T> {
    if (sources.length > MAX_FILES) throw new NodeError('BAD_INPUT', refuse('refusal.manyFiles', { max: MAX_FILES }))
    const [source, ...rest] = sources
    if (source === undefined) {
      const written = await write(body)
      await this.#options.indexer.catchUp() // the blobs are in use from here on
      return written
    }
    const { blobs, uploads } = this.#options
    await using file = await openSource(source, isSealed ? MAX_FILE_SIZE : MAX_BLOB_SIZE, uploads)
    if (file.size === 0) throw new NodeError('BAD_INPUT', refuse('refusal.emptyFile', { name: file.name }))
    const next = (stored: StoredFile): Promise<T> =>
      this.attach(withFile(body, file, stored), rest, write, { isSealed })
    const written = isSealed
      ? await addSealed(blobs, file, next)
      : await blobs.add(file.bytes, (blob) => next({ blob }))
    if ('upload' in source) uploads.discard(source.upload)
    return written
  }

  /**
   * Waits until all files are here, and opens them.
   * @param wantedOf how a file is fetched
   * @throws whatever `signal` was aborted with
   */
  async openAll(
    files: readonly PostedFile[],
    { onProgress, ...options }: AttachmentOptions,
    wantedOf: (file: PostedFile) => WantedBlob = publicBlob
  ): Promise<OpenedAttachment[]> {
    const size = files.reduce((sum, file) => sum + file.size, 0)
    const have = files.map(() => 0)
    const tell = (i: number, bytes: number): void => {
      have[i] = bytes
      onProgress?.({
        have: Math.min(
          size,
          have.reduce((sum, each) => sum + each, 0)
        ),
        size
      })
    }
    const openAt = (file: PostedFile, i: number): Promise<OpenedAttachment> =>
      this.#open(file, wantedOf(file), { ...options, onProgress: (progress) => tell(i, progress.have) })
    return Promise.all(files.map(openAt))
  }

  async #open({ key, ...file }: PostedFile, wanted: WantedBlob, options: AttachmentOptions): Promise<OpenedAttachment> {
    const { blobs } = this.#options
    await blobs.fetched(wanted, options)
    const blob = await blobs.store.find(wanted.id)
    if (blob === undefined) throw new NodeError('NOT_FOUND', refuse('refusal.fileGone'))
    if (key === undefined) return { ...file, size: blob.manifest.size, isHere: true, read: () => blob.chunks() }
    const sealed = { blob: wanted.id, key, size: file.size }
    return { ...file, isHere: true, read: () => readSealed(blobs.store, sealed) }
  }

  async #usedOf(ids: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    const { indexer, store } = this.#options
    if (indexer.isFarBehind) return ids // what is not indexed yet may be about a blob; it is asked again in a minute
    await indexer.catchUp()
    const turn = new Turn()
    const used: Uint8Array[] = []
    for (const id of ids) {
      await turn.giveWay()
      if (isBlobOfPost(store, blobCid(id).bytes)) used.push(id)
    }
    return used
  }

  /** What has been indexed since the last look. Bulk is indexed when it has all come, and is not to be hurried. */
  async #look(): Promise<void> {
    const { store, indexer } = this.#options
    while (store.isOpen) {
      const page = blobsOfPosts(store, this.#seen, PAGE)
      this.#seen = page.at(-1)?.num ?? this.#seen
      for (const [place, blobs] of Map.groupBy(page, (blob) => blob.place)) this.#want(place, blobs)
      if (page.length < PAGE) break
      await setImmediate()
    }
    if (store.isOpen && indexer.behind > 0) this.#lookSoon()
  }

  /** Only near people's, whose size was said. */
  #want(place: number, posted: readonly { cid: Uint8Array }[]): void {
    const { store, blobs, people } = this.#options
    const entry = entryAtPlace(store, place)
    if (entry === undefined || !people.isNear(entry.feed) || people.isBlocked(entry.feed)) return
    const sizes = new Map(filesOf(bodyOf(entry)).map(({ id, size }) => [id, size]))
    for (const { cid } of posted) {
      const id = idOf(cid)
      const size = id === undefined ? undefined : sizes.get(formatBlobId(id))
      if (id !== undefined && size !== undefined && size > 0) blobs.want({ id, size })
    }
  }
}

/** Where a file was stored, and what opens it if it is sealed. */
type StoredFile = Pick<SealedFile, 'blob'> & Partial<SealedFile>

/** A post's body that names one more file. */
function withFile(body: Body, { name, size, mime, alt }: FileSource, { blob, key }: StoredFile): Body {
  const more = {
    ...(mime === undefined ? {} : { mime }),
    ...(alt === undefined ? {} : { alt }),
    ...(key === undefined ? {} : { key })
  }
  const links = [...((body.blobs as CID[] | undefined) ?? []), blobCid(blob)]
  return { ...body, blobs: links, files: [...((body.files as object[] | undefined) ?? []), { name, size, ...more }] }
}

function publicBlob({ id, size }: PostedFile): WantedBlob {
  return { id: parseBlobId(id), ...(size === 0 ? {} : { size }) }
}

function idOf(cid: Uint8Array): Uint8Array | undefined {
  return cidToBlobId(CID.decode(cid))
}
