// Keeps some of the disk free: while less of it is free than the reserve, nothing of others is taken, and one's own goes on.
// When there is room again, what was left out comes by itself.
import { statfsSync } from 'node:fs'
import { FeedError, type FeedStore, type Room } from '../feeds/index.ts'
import { sayWarning } from './sentences.ts'

/** How often it is looked how much is free, in ms. */
const LOOK_MS = 5_000
/** It is looked sooner when others' data took this part of the reserve, and at the latest after this many bytes. */
const STEP_SHARE = 1 / 32
const MAX_STEP_BYTES = 2_097_152
/** There is room again when this part of the reserve is free besides: not for a moment only. */
const MARGIN_SHARE = 1 / 8
/**
 * What lies unused inside the database is written to again before its file grows, so it counts as free: erasing makes
 * room, although the file stays as large as it is. Up to this part of the reserve, since each write needs the disk first.
 */
const REUSED_SHARE = 1 / 2

export interface DiskReserveOptions {
  /** Where the disk is. */
  directory: string
  store: FeedStore
  /** What is kept free, in bytes; 0: nothing. */
  reserve: number
  /** Largest part of the disk that is kept free. @default all of it */
  maxShare?: number
  /** How much of the disk is free, in bytes. @default what the file system says */
  freeBytes?: () => number
  onShort: () => void
  onRoomy: () => void
}

/** How it stands with the disk, in bytes. */
export interface DiskState {
  /** Of the disk alone. */
  freeBytes: number
  reserveBytes: number
  /** Nothing of others is taken. */
  isShort: boolean
}

export class DiskReserve implements Room {
  readonly #options: DiskReserveOptions
  readonly #reserveBytes: number
  #freeBytes = Infinity
  #isShort = false
  /** Of others, since it was looked last. */
  #takenBytes = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: DiskReserveOptions) {
    this.#options = options
    const { directory, reserve, maxShare } = options
    this.#reserveBytes = Math.floor(maxShare === undefined ? reserve : Math.min(reserve, maxShare * sizeOf(directory)))
  }

  /** From now on it is looked by itself. */
  start(): void {
    this.look()
    if (this.#reserveBytes > 0) this.#timer = setInterval(() => this.look(), LOOK_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  get isLeft(): boolean {
    return !this.#isShort
  }

  get state(): DiskState {
    return { freeBytes: this.#freeBytes, reserveBytes: this.#reserveBytes, isShort: this.#isShort }
  }

  take(bytes: number): void {
    if (this.#reserveBytes === 0) return
    this.#takenBytes += bytes
    if (!this.#isShort && this.#takenBytes >= Math.min(MAX_STEP_BYTES, STEP_SHARE * this.#reserveBytes)) this.look()
    if (this.#isShort) throw new FeedError('DISK_FULL', sayShort(this.state).text)
  }

  /** Looks how much is free now. */
  look(): DiskState {
    const { store, onShort, onRoomy } = this.#options
    if (!store.isOpen) return this.state
    this.#takenBytes = 0
    this.#freeBytes = this.#lookAtDisk()
    const usable = this.#freeBytes + Math.min(unusedBytes(store), REUSED_SHARE * this.#reserveBytes)
    const needed = this.#reserveBytes * (this.#isShort ? 1 + MARGIN_SHARE : 1)
    const isShort = usable < needed
    if (isShort !== this.#isShort) queueMicrotask(isShort ? onShort : onRoomy) // this may be inside of a transaction
    this.#isShort = isShort
    return this.state
  }

  #lookAtDisk(): number {
    const { directory, freeBytes } = this.#options
    try {
      if (freeBytes !== undefined) return freeBytes()
      const { bavail, bsize } = statfsSync(directory)
      return bavail * bsize
    } catch {
      return Infinity // where nothing is known, the disk itself is the limit
    }
  }
}

/** What is to be said while nothing of others is taken. */
export function sayShort({ freeBytes, reserveBytes }: DiskState): ReturnType<typeof sayWarning> {
  return sayWarning('warning.diskShort', { freeBytes, reserveBytes })
}

function sizeOf(directory: string): number {
  try {
    const { blocks, bsize } = statfsSync(directory)
    return blocks * bsize
  } catch {
    return Infinity
  }
}

function unusedBytes(store: FeedStore): number {
  const [pages, size] = [store.get('PRAGMA freelist_count'), store.get('PRAGMA page_size')]
  return Number(pages!.freelist_count) * Number(size!.page_size)
}
