// Fetches what is wanted, from all connected peers that may have it at once, and goes on whenever one of them comes back,
// until it is here or not wanted any more. Nobody who is slow, or who names much, keeps what others have from coming.
import { EventEmitter } from 'node:events'
import type { PeerId } from '@libp2p/interface'
import { type BlobCaller, BlobError, type BlobStore, Download } from '../../blobs/index.ts'
import type { Room } from '../../feeds/index.ts'
import { BlobFetch, type BlobPeer, type BlobProgress, type OpenedBlob, type WantedBlob } from './blob-fetch.ts'
import { type BlobService, isFault } from './blob-service.ts'

/** Sources of which one blob is fetched at a time. */
const MAX_SOURCES = 4
/** Blobs that are fetched at a time, besides those that the user waits for. */
const MAX_BLOBS = 4
/** Streams to devices of one person at a time: of all those blobs, and of each one that the user waits for. */
const MAX_OF_PERSON = 2
/** Blobs that are waited for besides. Past it the oldest is left until somebody asks for it. */
const MAX_WAITING = 1_000
/** How often it is looked whether somebody can be asked again, in ms. */
const LOOK_MS = 2_000

export interface BlobFetcherOptions {
  store: BlobStore
  service: Pick<BlobService, 'ask'>
  /** Those who may be asked. */
  peers: () => BlobPeer[]
  /** Whether a blob of so many bytes may be taken that the user does not wait for, and that may take this share of the room. */
  hasRoom: (size: number, share: number) => boolean
  /** Where its bytes are to find room. */
  room: Room
  /** A blob has come further, or another one is being fetched. Called often. @default nothing */
  onProgress?: () => void
  onFault: (peerId: PeerId) => void
  onError: (error: unknown) => void
  /** A blob has come further, or is fetched or not fetched from now on. @default nobody is told */
  onChange?: (id: Uint8Array) => void
}

export class BlobFetcher {
  /**
   * By the blob's id in hexadecimal digits: whenever it has come further. An error says why it is not fetched any more, or
   * that it could not be kept; that is tried again.
   */
  readonly progress = new EventEmitter<Record<string, [BlobProgress | Error]>>()
  readonly #options: BlobFetcherOptions
  readonly #fetches = new Map<string, BlobFetch>()
  /** Those of which somebody is asked. */
  readonly #running = new Set<BlobFetch>()
  #timer: NodeJS.Timeout | undefined
  #isRunning = false

  constructor(options: BlobFetcherOptions) {
    this.#options = options
    this.progress.setMaxListeners(0)
  }

  start(): void {
    this.#isRunning = true
    this.#timer = setInterval(() => this.look(), LOOK_MS).unref()
    this.look()
  }

  stop(): void {
    this.#isRunning = false
    clearInterval(this.#timer)
    for (const fetch of this.#fetches.values()) this.#end(fetch, new Error('the node is stopping'))
  }

  /** From now on this blob is fetched. @param isUrgent the user waits for it */
  want(wanted: WantedBlob, { isUrgent = false } = {}): void {
    if (this.#options.store.has(wanted.id)) return
    const name = hex(wanted.id)
    const known = this.#fetches.get(name)
    const { share = 1 } = wanted
    if (known === undefined && !isUrgent && share < 1 && this.#fetches.size >= MAX_WAITING * share) return
    if (known === undefined && this.#fetches.size >= MAX_WAITING) this.#dropOldest()
    const fetch = known ?? new BlobFetch(wanted)
    fetch.add(wanted)
    fetch.isUrgent ||= isUrgent
    if (isUrgent) fetch.endRest()
    this.#fetches.set(name, fetch)
    if (known === undefined) this.#options.onChange?.(wanted.id)
    if (this.#mayRun(fetch)) this.#look(fetch, this.#options.peers())
  }

  /** Ids of what is wanted and not here. */
  ids(): Uint8Array[] {
    return [...this.#fetches.values()].map(({ id }) => id)
  }

  /** It is of no use any more. */
  drop(id: Uint8Array): void {
    const fetch = this.#fetches.get(hex(id))
    if (this.#fetches.delete(hex(id))) this.#options.onChange?.(id)
    if (fetch !== undefined) this.#end(fetch, new BlobError('CLOSED', 'the blob is not wanted any more'))
  }

  /** Whether somebody is being asked for it. */
  isRunning(id: Uint8Array): boolean {
    return (this.#fetches.get(hex(id))?.sources.size ?? 0) > 0
  }

  /** How far a wanted blob has come; undefined when it is not being fetched. */
  progressOf(id: Uint8Array): BlobProgress | undefined {
    return this.#fetches.get(hex(id))?.progress
  }

  /** What comes now, in files and bytes, and how many wait for somebody who has them, or for their turn. */
  get state(): { fetching: number; waiting: number } & BlobProgress {
    // Somebody who is asked may not have it.
    const coming = [...this.#running].filter(({ opened }) => opened !== undefined)
    const state = {
      fetching: coming.length,
      waiting: Math.max(0, this.#fetches.size - coming.length),
      have: 0,
      size: 0
    }
    for (const { progress } of coming) {
      state.have += progress.have
      state.size += progress.size
    }
    return state
  }

  /** Somebody came who may have something: whoever connects anew is asked at once. */
  onRecognised(peerId: PeerId): void {
    for (const fetch of this.#fetches.values()) fetch.endRest(peerId.toString())
    this.look()
  }

  /** There is room again: nobody is left in peace for what was not taken. */
  onRoomy(): void {
    for (const fetch of this.#fetches.values()) fetch.endRest()
    this.look()
  }

  /** Asks for what is wanted whomever it can be asked of now. */
  look(): void {
    if (this.#fetches.size === 0) return
    const peers = this.#options.peers()
    for (const fetch of this.#fetches.values()) if (this.#mayRun(fetch)) this.#look(fetch, peers)
  }

  #mayRun(fetch: BlobFetch): boolean {
    if (!this.#isRunning || fetch.isUrgent) return this.#isRunning
    return this.#options.room.isLeft && (this.#running.has(fetch) || this.#running.size < MAX_BLOBS)
  }

  #look(fetch: BlobFetch, peers: readonly BlobPeer[]): void {
    for (const { peerId, person, isFriend } of peers) {
      const name = peerId.toString()
      if (fetch.sources.size >= MAX_SOURCES) return
      if (fetch.sources.has(name) || fetch.isResting(name) || !fetch.mayBeAt({ person, isFriend })) continue
      if (this.#streamsTo(person, fetch) >= MAX_OF_PERSON) continue
      fetch.sources.set(name, person)
      this.#running.add(fetch)
      void this.#fetchFrom(fetch, peerId)
    }
  }

  /** Whoever sends slowly, or nothing at all, takes the places of nobody else. */
  #streamsTo(person: string, fetch: BlobFetch): number {
    if (fetch.isUrgent) return fetch.sourcesOf(person)
    return this.#running.values().reduce((count, each) => count + each.sourcesOf(person), 0)
  }

  async #fetchFrom(fetch: BlobFetch, peerId: PeerId): Promise<void> {
    const name = peerId.toString()
    try {
      const isGiven = await this.#options.service.ask(peerId, fetch.ended.signal, (caller) => this.#fill(fetch, caller))
      if (isGiven) fetch.restShortly(name)
      else fetch.restLonger(name)
    } catch (error) {
      if (!fetch.ended.signal.aborted) this.#failed(fetch, peerId, error as NodeJS.ErrnoException)
    }
    fetch.sources.delete(name)
    if (fetch.sources.size === 0) this.#pause(fetch)
    if (this.#options.store.has(fetch.id)) this.#finish(fetch)
    this.look() // there is room for another one
  }

  /** Nobody is asked for it now: it comes after all others that wait. */
  #pause(fetch: BlobFetch): void {
    const name = hex(fetch.id)
    fetch.opened = undefined
    this.#running.delete(fetch)
    this.#options.onProgress?.()
    if (this.#fetches.get(name) !== fetch) return
    if (fetch.progress.have > 0) this.#options.onChange?.(fetch.id)
    this.#fetches.delete(name)
    this.#fetches.set(name, fetch)
  }

  #finish(fetch: BlobFetch): void {
    if (fetch.ended.signal.aborted) return
    this.#fetches.delete(hex(fetch.id))
    this.#options.onChange?.(fetch.id)
    fetch.ended.abort(new BlobError('CLOSED', 'the blob is here'))
    fetch.tell()
  }

  /** @returns whether this peer has something of it */
  async #fill(fetch: BlobFetch, caller: BlobCaller): Promise<boolean> {
    if (!(await caller.want(fetch.id))) return false
    const { blob, download } = await this.#opened(fetch, caller)
    const tell = (): void => {
      if (!fetch.isUrgent) this.#options.room.take(Math.max(0, blob.haveBytes - fetch.progress.have))
      fetch.progress = { have: blob.haveBytes, size: blob.manifest.size }
      this.progress.emit(hex(blob.id), fetch.progress)
      this.#options.onProgress?.()
      this.#options.onChange?.(blob.id)
    }
    tell()
    await caller.fill(blob, download, tell)
    return true
  }

  /** The first source gives the manifest; when it fails, the next one does. */
  async #opened(fetch: BlobFetch, caller: BlobCaller): Promise<OpenedBlob> {
    while (fetch.opened !== undefined) {
      const opened = await fetch.opened.catch(() => undefined)
      if (opened !== undefined) return opened
    }
    const opening = this.#open(fetch, caller)
    fetch.opened = opening
    try {
      return await opening
    } catch (error) {
      fetch.opened = undefined
      throw error
    }
  }

  async #open(fetch: BlobFetch, caller: BlobCaller): Promise<OpenedBlob> {
    const { store, hasRoom } = this.#options
    const takes = (size: number): boolean => fetch.takes(size) && (fetch.isUrgent || hasRoom(size, fetch.share))
    const blob = (await store.find(fetch.id)) ?? (await store.begin(fetch.id, await caller.manifest(), takes))
    return { blob, download: new Download(blob.missing) }
  }

  #failed(fetch: BlobFetch, peerId: PeerId, error: NodeJS.ErrnoException): void {
    if (!isFault(error)) {
      if (error.syscall !== undefined) this.#notKept(fetch, error)
      return fetch.restLonger(peerId.toString())
    }
    this.#options.onFault(peerId)
    fetch.restLong(peerId.toString())
  }

  #dropOldest(): void {
    const oldest = this.#fetches.values().find((fetch) => !fetch.isUrgent && !this.#running.has(fetch))
    if (oldest !== undefined) this.drop(oldest.id)
  }

  #notKept(fetch: BlobFetch, error: Error): void {
    this.#options.onError(error)
    this.progress.emit(hex(fetch.id), error)
  }

  #end(fetch: BlobFetch, reason: Error): void {
    fetch.ended.abort(reason)
    this.progress.emit(hex(fetch.id), reason)
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
