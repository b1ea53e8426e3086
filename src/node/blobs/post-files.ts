// Files of posts: stored when a post is written, fetched for posts of those whom the user follows, kept as long as the post.
import { setImmediate } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import { blobCid, type BlobStore, cidToBlobId, formatBlobId, MAX_BLOB_SIZE, parseBlobId } from '../../blobs/index.ts'
import {
  type Body,
  blobsOfPosts,
  bodyOf,
  entryAtPlace,
  type FeedStore,
  type Indexer,
  renderable
} from '../../feeds/index.ts'
import { NodeError } from '../comrade.ts'
import type { People } from '../people.ts'
import { refuse } from '../refusal-sentences.ts'
import type { Blobs } from './blobs.ts'
import type { AttachmentOptions, AttachmentSource, OpenedAttachment, PostFile } from './contract.ts'
import { fileNameOf } from './file-name.ts'
import { openSource } from './file-source.ts'
import type { Uploads } from './uploads.ts'

/** How long after the last news it is looked what posts have come, in ms. */
const LOOK_DELAY_MS = 500
/** Files that are looked at before the event loop gets its turn. */
const PAGE = 64
/** Most files of one post. */
const MAX_FILES = 16

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
      void this.#look()
    }, LOOK_DELAY_MS).unref()
  }

  constructor(options: PostFilesOptions) {
    this.#options = options
    const { blobs, indexer, store } = options
    blobs.addUser(async () => {
      await indexer.catchUp() // what is not indexed yet may be about a blob
      return blobsOfPosts(store).flatMap(({ cid }) => idOf(cid) ?? [])
    })
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
   * @throws NodeError BAD_INPUT when one cannot be read, is empty, or is larger than 64 MiB, and for more than 16; NOT_FOUND
   * when one that was uploaded is not here any more
   */
  async attach<T>(body: Body, sources: readonly AttachmentSource[], write: (body: Body) => Promise<T>): Promise<T> {
    if (sources.length > MAX_FILES) throw new NodeError('BAD_INPUT', refuse('refusal.manyFiles', { max: MAX_FILES }))
    const [source, ...rest] = sources
    if (source === undefined) {
      const written = await write(body)
      await this.#options.indexer.catchUp() // the blobs are in use from here on
      return written
    }
    const { blobs, uploads } = this.#options
    await using file = await openSource(source, MAX_BLOB_SIZE, uploads)
    if (file.size === 0) throw new NodeError('BAD_INPUT', refuse('refusal.emptyFile', { name: file.name }))
    const { name, size, mime, alt } = file
    const said = { name, size, ...(mime === undefined ? {} : { mime }), ...(alt === undefined ? {} : { alt }) }
    const written = await blobs.add(file.bytes, (id) => {
      const links = [...((body.blobs as CID[] | undefined) ?? []), blobCid(id)]
      return this.attach(
        { ...body, blobs: links, files: [...((body.files as object[] | undefined) ?? []), said] },
        rest,
        write
      )
    })
    if ('upload' in source) uploads.discard(source.upload)
    return written
  }

  /** Waits until all files are here, and opens them. @throws whatever `signal` was aborted with */
  async openAll(
    files: readonly ClaimedFile[],
    { onProgress, ...options }: AttachmentOptions
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
    const openAt = (file: ClaimedFile, i: number): Promise<OpenedAttachment> =>
      this.#open(file, { ...options, onProgress: (progress) => tell(i, progress.have) })
    return Promise.all(files.map(openAt))
  }

  async #open(file: ClaimedFile, options: AttachmentOptions): Promise<OpenedAttachment> {
    const { blobs } = this.#options
    const id = parseBlobId(file.id)
    await blobs.fetched({ id, ...(file.size === 0 ? {} : { size: file.size }) }, options)
    const blob = await blobs.store.find(id)
    if (blob === undefined) throw new NodeError('NOT_FOUND', refuse('refusal.fileGone'))
    return { ...file, size: blob.manifest.size, isHere: true, read: () => blob.chunks() }
  }

  /** What has been indexed since the last look. */
  async #look(): Promise<void> {
    const { store, indexer } = this.#options
    try {
      if (!store.isOpen) return
      await indexer.catchUp()
      while (store.isOpen) {
        const page = blobsOfPosts(store, this.#seen, PAGE)
        this.#seen = page.at(-1)?.num ?? this.#seen
        for (const [place, blobs] of Map.groupBy(page, (blob) => blob.place)) this.#want(place, blobs)
        if (page.length < PAGE) return
        await setImmediate()
      }
    } catch {
      this.#lookSoon() // the disk is full: nothing was indexed
    }
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

type ClaimedFile = Omit<PostFile, 'isHere'>

/** The files of a post, as far as it names them. */
export function filesOf(body: Body | undefined): ClaimedFile[] {
  const post = body && renderable(body)
  if (post?.type !== 'post') return []
  return (post.blobs ?? []).slice(0, MAX_FILES).flatMap((cid, i) => {
    const [id, said] = [cidToBlobId(cid), post.files?.[i]]
    if (id === undefined) return []
    const { name = 'file', size = 0, mime, alt } = said ?? {}
    const more = { ...(mime === undefined ? {} : { mime }), ...(alt === undefined ? {} : { alt }) }
    return [{ id: formatBlobId(id), name: fileNameOf(name), size, ...more }]
  })
}

function idOf(cid: Uint8Array): Uint8Array | undefined {
  return cidToBlobId(CID.decode(cid))
}
