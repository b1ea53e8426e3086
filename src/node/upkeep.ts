// What a running node does every minute: expired bodies are erased, what there is no room for is let go.
import { eraseExpired, type FeedStore } from '../feeds/index.ts'
import type { Blobs } from './blobs/blobs.ts'
import type { NodeSpace } from './node-space.ts'
import type { StrayEntries } from './stray-entries.ts'

/** How often expired bodies are looked for, and the quota is held, in ms. */
const INTERVAL_MS = 60_000

export interface UpkeepOptions {
  store: FeedStore
  strays: StrayEntries
  space: NodeSpace
  blobs: Blobs
  onError: (error: unknown) => void
}

export class Upkeep {
  readonly #options: UpkeepOptions
  #timer: NodeJS.Timeout | undefined

  constructor(options: UpkeepOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setInterval(() => this.#work(), INTERVAL_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #work(): void {
    const { store, strays, space, blobs, onError } = this.#options
    try {
      eraseExpired(store, Date.now())
      strays.tidy()
    } catch (error) {
      onError(error)
    }
    space.trim().catch(onError)
    void blobs.tidy()
  }
}
