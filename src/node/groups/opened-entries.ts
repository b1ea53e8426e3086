// Posts to groups as this device comes to read them, kept as places, so that a slow reader costs little.
import { entryAtPlace, type FeedStore, type StoredEntry } from '../../feeds/index.ts'
import type { PostReader } from './post-reader.ts'

/** Most that wait for a slow reader; past it the oldest are left out. */
const MAX_WAITING = 10_000

export class OpenedEntries {
  readonly #reader: PostReader
  readonly #store: FeedStore
  readonly #places: number[] = []
  #wake: (() => void) | undefined
  readonly #onOpened = ({ place }: StoredEntry): void => {
    if (this.#places.length >= MAX_WAITING) this.#places.shift()
    this.#places.push(place)
    this.#wake?.()
  }
  readonly #onClosed = (): void => this.#wake?.()

  constructor(reader: PostReader, store: FeedStore) {
    this.#reader = reader
    this.#store = store
    reader.events.on('opened', this.#onOpened)
    store.events.on('closed', this.#onClosed)
  }

  /** Ends when the store is closed. @throws the signal's reason when it aborts */
  async *entries(signal: AbortSignal | undefined): AsyncGenerator<StoredEntry> {
    const onAbort = (): void => this.#wake?.()
    signal?.addEventListener('abort', onAbort)
    try {
      while (this.#store.isOpen) {
        signal?.throwIfAborted()
        const place = this.#places.shift()
        const entry = place === undefined ? undefined : entryAtPlace(this.#store, place)
        if (entry !== undefined) yield entry
        else if (place === undefined) await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  close(): void {
    this.#reader.events.off('opened', this.#onOpened)
    this.#store.events.off('closed', this.#onClosed)
    this.#wake?.()
  }
}
