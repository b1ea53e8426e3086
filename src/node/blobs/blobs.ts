// The blobs of a node: kept, given to friends and to members of groups, fetched from them, and let go when nothing is about them any more.
import type { PeerId } from '@libp2p/interface'
import { blobCid, BlobError, BlobStore, diskSize, formatBlobId } from '../../blobs/index.ts'
import { type FeedStore, isBlobOfPost } from '../../feeds/index.ts'
import type { ContactRecord } from '../../trust/index.ts'
import { NodeError } from '../comrade.ts'
import type { Connections } from '../connections.ts'
import { isDiskFull, writeError } from '../durable-file.ts'
import type { Log } from '../log.ts'
import type { People } from '../people.ts'
import { refuse } from '../refusal-sentences.ts'
import type { BlobPeer, BlobProgress, WantedBlob } from './blob-fetch.ts'
import { BlobFetcher } from './blob-fetcher.ts'
import { BlobService } from './blob-service.ts'
import type { AttachmentOptions, FileProgress } from './contract.ts'
import { FileNews } from './file-news.ts'

export interface BlobsOptions {
  /** Where they lie: a directory of their own, which is there. */
  directory: string
  /** Whose posts have files. */
  feeds: FeedStore
  people: People
  connections: () => Connections
  /**
   * Whether a post has this blob that is to a group which this person reads. Root key in hexadecimal digits; undefined: nobody
   * who is known.
   */
  isOfGroupWith: (person: string | undefined, id: Uint8Array) => boolean
  /** Most bytes that blobs may take when nobody asked for them by name. */
  maxFetchedBytes: () => number
  /** What is fetched has come further. Called often. */
  onProgress: () => void
  /** How far one of others' files has come; told some times a second at most. */
  onFile: (progress: FileProgress) => void
  log: Log
}

/** Names the blobs that something of its own is about: those that it is asked for, or all. */
export type BlobUser = (ids: readonly Uint8Array[]) => Iterable<Uint8Array> | Promise<Iterable<Uint8Array>>

export class Blobs {
  readonly store: BlobStore
  readonly fetcher: BlobFetcher
  readonly #options: BlobsOptions
  readonly #service: BlobService
  readonly #news: FileNews
  readonly #users: BlobUser[] = []
  /** Blobs that are about to be used, and how often. */
  readonly #held = new Map<string, number>()
  /** Those that were held at some time while it is being found out what is used. */
  #heldLately = new Set<string>()
  #tidying: Promise<void> = Promise.resolve()
  /** Of those that were asked to tidy up, only the one that waits. */
  #tidyingNext: Promise<void> | undefined

  constructor(options: BlobsOptions) {
    this.#options = options
    const { connections, directory } = options
    const onFault = (peerId: PeerId): void => connections().blame(peerId)
    this.store = new BlobStore(directory)
    this.#service = new BlobService({
      libp2p: () => connections().libp2p,
      store: this.store,
      mayHave: (peerId, id) => this.#mayHave(peerId, id),
      onFault,
      onError: this.#onError
    })
    this.fetcher = new BlobFetcher({
      store: this.store,
      service: this.#service,
      peers: () => this.#peers(),
      hasRoom: (size, share) => this.#hasRoom(size, share),
      room: options.feeds.room,
      onProgress: options.onProgress,
      onFault,
      onError: this.#onError,
      onChange: (id) => this.#news.onChanged(id)
    })
    this.#news = new FileNews({ progressOf: (id) => this.progressOf(id), onNews: options.onFile })
  }

  /** There is room on the disk again for what others have. */
  onRoomy(): void {
    this.fetcher.onRoomy()
  }

  /** Registers somebody who uses blobs: those that nobody names are let go. */
  addUser(user: BlobUser): void {
    this.#users.push(user)
  }

  /** Before connections are started, when all users are known. */
  async start(): Promise<void> {
    await this.#service.start()
    this.fetcher.start()
    await this.tidy()
  }

  /** Before connections are stopped. */
  async stop(): Promise<void> {
    this.#news.stop()
    this.fetcher.stop()
    await this.#service.stop()
    await this.#tidying
  }

  /** A connected peer has shown which device it is. */
  onRecognised(peerId: PeerId): void {
    this.fetcher.onRecognised(peerId)
  }

  /**
   * Stores a blob, and keeps it until `use` has made somebody name it.
   * @throws BlobError SIZE; NodeError DISK_FULL; what the source, `use` and the file system throw
   */
  async add<T>(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    use: (id: Uint8Array) => Promise<T>
  ): Promise<T> {
    let held: string | undefined
    try {
      return await use(await this.#stored(source, (id) => this.#hold((held = hex(id)))))
    } finally {
      if (held !== undefined) this.#release(held)
      void this.tidy() // where `use` has failed
    }
  }

  async #stored(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    onId: (id: Uint8Array) => void
  ): Promise<Uint8Array> {
    try {
      return await this.store.add(source, onId)
    } catch (error) {
      if (isDiskFull(error)) throw writeError(this.#options.directory, error)
      throw error
    }
  }

  /** How far a blob is that somebody else has. */
  progressOf(id: Uint8Array): FileProgress {
    const comes = this.fetcher.progressOf(id)
    const file = { id: formatBlobId(id), have: comes?.have ?? 0, size: this.store.sizeOf(id) ?? comes?.size ?? 0 }
    if (this.store.has(id)) return { ...file, state: 'here', have: file.size }
    if (comes === undefined) return { ...file, state: 'dropped' }
    return { ...file, state: this.fetcher.isRunning(id) && comes.have > 0 ? 'coming' : 'waiting' }
  }

  /** Nobody asked for it by name: it is fetched when there is room. @returns whether there is, or it is here */
  want(wanted: WantedBlob): boolean {
    if (this.store.has(wanted.id)) return true
    if (!this.store.isBegun(wanted.id) && !this.#hasRoom(wanted.size ?? 1, wanted.share)) return false
    this.fetcher.want(wanted)
    return true
  }

  #hasRoom(size: number, share = 1): boolean {
    return this.store.usedBytes + diskSize(size) <= this.#options.maxFetchedBytes() * share
  }

  #hold(name: string): void {
    this.#heldLately.add(name)
    this.#held.set(name, (this.#held.get(name) ?? 0) + 1)
  }

  #release(name: string): void {
    const count = this.#held.get(name) ?? 0
    if (count > 1) this.#held.set(name, count - 1)
    else this.#held.delete(name)
  }

  /**
   * Waits until all of a blob is here.
   * @throws NodeError NOT_FOUND when nothing is about it any more, or nobody asked for it and there is no room; DISK_FULL;
   * whatever `signal` was aborted with
   */
  async fetched(wanted: WantedBlob, { signal, onProgress, isUnasked = false }: AttachmentOptions): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const name = hex(wanted.id)
    const onAbort = (): void => reject(signal!.reason as Error)
    const tell = (progress: BlobProgress | Error): void => {
      if (progress instanceof Error) return reject(this.#whyNot(progress))
      onProgress?.(progress)
      if (this.store.has(wanted.id)) resolve()
    }
    signal?.throwIfAborted()
    signal?.addEventListener('abort', onAbort, { once: true })
    this.fetcher.progress.on(name, tell)
    try {
      if (!isUnasked) this.fetcher.want(wanted, { isUrgent: true })
      else if (!this.want(wanted)) throw new NodeError('NOT_FOUND', refuse('refusal.fileNoRoom'))
      const size = wanted.size ?? 0
      tell(this.fetcher.progressOf(wanted.id) ?? { have: size, size })
      await promise
    } finally {
      this.fetcher.progress.off(name, tell)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #whyNot(error: Error): Error {
    if (isDiskFull(error)) return writeError(this.#options.directory, error)
    if (!(error instanceof BlobError)) return error
    return new NodeError('NOT_FOUND', refuse('refusal.fileFails', { problem: error.message }), { cause: error })
  }

  /** Lets go of what nobody names any more. */
  tidy(): Promise<void> {
    this.#tidyingNext ??= this.#tidying.then(() => this.#tidy()).catch(this.#onError)
    return (this.#tidying = this.#tidyingNext)
  }

  async #tidy(): Promise<void> {
    this.#tidyingNext = undefined
    const present = [...this.store.ids(), ...this.fetcher.ids()] // what comes while it is asked is left alone
    this.#heldLately = new Set(this.#held.keys()) // what is let go of meanwhile may be used since
    const used = new Set<string>()
    for (const user of this.#users) for (const id of await user(present)) used.add(hex(id))
    for (const id of present) {
      if (used.has(hex(id)) || this.#heldLately.has(hex(id))) continue
      this.fetcher.drop(id)
      await this.store.remove(id)
    }
  }

  #mayHave(peerId: PeerId, id: Uint8Array): boolean {
    if (this.#contactAt(peerId)?.relation === 'blocked') return false
    const peer = this.#peerAt(peerId)
    return peer?.isFriend === true || this.#isPublic(id) || this.#options.isOfGroupWith(peer?.person, id)
  }

  #isPublic(id: Uint8Array): boolean {
    return isBlobOfPost(this.#options.feeds, blobCid(id).bytes)
  }

  #peers(): BlobPeer[] {
    const peers = this.#options.connections().libp2p.getPeers()
    return peers.flatMap((peerId) => this.#peerAt(peerId) ?? [])
  }

  /** Whose device a peer has shown to be: a followed person's, an own other one, or that of a member of a group. */
  #peerAt(peerId: PeerId): BlobPeer | undefined {
    const contact = this.#contactAt(peerId)
    if (contact === undefined || contact.relation === 'blocked') return undefined
    const isFriend = contact.relation !== 'none'
    if (!isFriend && !this.#options.people.isMate(contact.key)) return undefined
    return { peerId, person: hex(contact.key), isFriend }
  }

  /** A device that was revoked stands for nobody. */
  #contactAt(peerId: PeerId): ContactRecord | undefined {
    const { connections, people } = this.#options
    const device = connections().deviceOf(peerId)
    const isRevoked = device !== undefined && people.contacts.deviceByKey(device)?.revoked !== undefined
    return device === undefined || isRevoked ? undefined : people.contactOfDevice(device)
  }

  readonly #onError = (error: unknown): void => {
    this.#options.log.warn({ err: error }, 'blobs: something could not be done; it is tried again')
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
