// Fetches what is wanted, from all connected peers that may have it at once, and goes on whenever one of them comes back,
// until it is here or not wanted any more.
import { EventEmitter } from 'node:events'
import type { PeerId } from '@libp2p/interface'
import { type BlobCaller, BlobError, type BlobStore, Download, type StoredBlob } from '../../blobs/index.ts'
import { type BlobService, isFault } from './blob-service.ts'

/** Sources of which one blob is fetched at a time. */
const MAX_SOURCES = 4
/** Blobs that are fetched at a time, besides those that the user waits for. */
const MAX_BLOBS = 4
/** How long a peer is not asked again that did not give a blob, at first and at most, in ms. */
const FIRST_REST_MS = 2_000
const LAST_REST_MS = 600_000
/** The same of one that sent what is wrong. */
const FAULT_REST_MS = 3_600_000
/** How often it is looked whether somebody can be asked again, in ms. */
const LOOK_MS = 2_000

/** A blob that is to be had. */
export interface WantedBlob {
  id: Uint8Array
  /** What it must have, in bytes: another one is not taken. @default any */
  size?: number
  /** Root keys of those at whose devices it may be. @default all friends */
  people?: readonly Uint8Array[]
  /** All of it is here. */
  onHere?: () => void
}

export interface BlobFetcherOptions {
  store: BlobStore
  service: Pick<BlobService, 'ask'>
  /** Connected devices of these people, or of all friends. */
  peersOf: (people: readonly Uint8Array[] | undefined) => PeerId[]
  onFault: (peerId: PeerId) => void
  onError: (error: unknown) => void
}

/** How far a blob has come, in bytes; `have` is `size` when all of it is here. */
export interface BlobProgress {
  have: number
  size: number
}

interface Fetch {
  wanted: WantedBlob
  isUrgent: boolean
  /** Who is being asked, by peer id. */
  readonly sources: Set<string>
  /** Until when (performance.now()) a peer is not asked, and for how long it rests the next time. */
  readonly resting: Map<string, { until: number; ms: number }>
  /** While somebody is asked. */
  download?: Promise<{ blob: StoredBlob; download: Download<BlobCaller> }>
  progress: BlobProgress
  readonly ended: AbortController
}

export class BlobFetcher {
  /** By the blob's id in hexadecimal digits: whenever it has come further. */
  readonly progress = new EventEmitter<Record<string, [BlobProgress]>>()
  readonly #options: BlobFetcherOptions
  readonly #fetches = new Map<string, Fetch>()
  #timer: NodeJS.Timeout | undefined
  #isRunning = false
  /** Blobs of which somebody is asked. */
  #running = 0

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
    for (const { ended } of this.#fetches.values()) ended.abort(new Error('the node is stopping'))
  }

  /** From now on this blob is fetched. @param isUrgent the user waits for it */
  want(wanted: WantedBlob, { isUrgent = false } = {}): void {
    if (this.#options.store.has(wanted.id)) return
    const name = hex(wanted.id)
    const fetch = this.#fetches.get(name) ?? begin(wanted)
    fetch.isUrgent ||= isUrgent
    if (isUrgent) fetch.resting.clear()
    this.#fetches.set(name, fetch)
    this.#look(fetch)
  }

  /** Ids of what is wanted and not here. */
  ids(): Uint8Array[] {
    return [...this.#fetches.values()].map(({ wanted }) => wanted.id)
  }

  /** It is of no use any more. */
  drop(id: Uint8Array): void {
    const fetch = this.#fetches.get(hex(id))
    this.#fetches.delete(hex(id))
    fetch?.ended.abort(new BlobError('CLOSED', 'the blob is not wanted any more'))
  }

  /** How far a wanted blob has come; undefined when it is not being fetched. */
  progressOf(id: Uint8Array): BlobProgress | undefined {
    return this.#fetches.get(hex(id))?.progress
  }

  /** Somebody came who may have something: whoever connects anew is asked at once. */
  onRecognised(peerId: PeerId): void {
    for (const { resting } of this.#fetches.values()) resting.delete(peerId.toString())
    this.look()
  }

  /** Asks for what is wanted whomever it can be asked of now. */
  look(): void {
    for (const fetch of this.#fetches.values()) this.#look(fetch)
  }

  #look(fetch: Fetch): void {
    const mayRun = fetch.isUrgent || fetch.sources.size > 0 || this.#running < MAX_BLOBS
    if (!this.#isRunning || !mayRun) return
    for (const peerId of this.#options.peersOf(fetch.wanted.people)) {
      const name = peerId.toString()
      if (fetch.sources.size >= MAX_SOURCES) return
      if (fetch.sources.has(name) || performance.now() < (fetch.resting.get(name)?.until ?? 0)) continue
      if (fetch.sources.size === 0) this.#running += 1
      fetch.sources.add(name)
      void this.#fetchFrom(fetch, peerId)
    }
  }

  async #fetchFrom(fetch: Fetch, peerId: PeerId): Promise<void> {
    const name = peerId.toString()
    try {
      const isGiven = await this.#options.service.ask(peerId, fetch.ended.signal, (caller) => this.#fill(fetch, caller))
      rest(fetch, name, isGiven ? FIRST_REST_MS : undefined)
    } catch (error) {
      if (!fetch.ended.signal.aborted) this.#failed(fetch, peerId, error as NodeJS.ErrnoException)
    }
    fetch.sources.delete(name)
    if (fetch.sources.size === 0) {
      fetch.download = undefined
      this.#running -= 1
    }
    if (!this.#options.store.has(fetch.wanted.id)) return
    this.#fetches.delete(hex(fetch.wanted.id))
    fetch.ended.abort(new BlobError('CLOSED', 'the blob is here'))
    fetch.wanted.onHere?.()
    this.look() // there is room for another one
  }

  /** @returns whether this peer has something of it */
  async #fill(fetch: Fetch, caller: BlobCaller): Promise<boolean> {
    if (!(await caller.want(fetch.wanted.id))) return false
    const { blob, download } = await this.#opened(fetch, caller)
    const tell = (): void => {
      fetch.progress = { have: blob.haveBytes, size: blob.manifest.size }
      this.progress.emit(hex(blob.id), fetch.progress)
    }
    tell()
    await caller.fill(blob, download, tell)
    return true
  }

  /** The first source gives the manifest; when it fails, the next one does. */
  async #opened(fetch: Fetch, caller: BlobCaller): Promise<{ blob: StoredBlob; download: Download<BlobCaller> }> {
    while (fetch.download !== undefined) {
      const opened = await fetch.download.catch(() => undefined)
      if (opened !== undefined) return opened
    }
    const opening = this.#open(fetch.wanted, caller)
    fetch.download = opening
    try {
      return await opening
    } catch (error) {
      fetch.download = undefined
      throw error
    }
  }

  async #open(wanted: WantedBlob, caller: BlobCaller): Promise<{ blob: StoredBlob; download: Download<BlobCaller> }> {
    const { store } = this.#options
    const blob = (await store.find(wanted.id)) ?? (await store.begin(wanted.id, await caller.manifest(), wanted.size))
    return { blob, download: new Download(blob.missing) }
  }

  #failed(fetch: Fetch, peerId: PeerId, error: NodeJS.ErrnoException): void {
    if (isFault(error)) this.#options.onFault(peerId)
    else if (error.syscall !== undefined) this.#options.onError(error)
    rest(fetch, peerId.toString(), isFault(error) ? FAULT_REST_MS : undefined)
  }
}

function begin(wanted: WantedBlob): Fetch {
  return {
    wanted,
    isUrgent: false,
    sources: new Set(),
    resting: new Map(),
    progress: { have: 0, size: wanted.size ?? 0 },
    ended: new AbortController()
  }
}

/** @param ms @default twice what it was the last time */
function rest({ resting }: Fetch, peer: string, ms?: number): void {
  const before = resting.get(peer)?.ms
  const next = ms ?? Math.min(before === undefined ? FIRST_REST_MS : 2 * before, LAST_REST_MS)
  resting.set(peer, { until: performance.now() + next, ms: next })
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
