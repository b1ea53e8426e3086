// Posts to groups as this device comes to read them, kept as places, so that a slow reader costs little.
import { entryAtPlace, type FeedStore, type StoredEntry } from '../../feeds/index.ts'
import { Backlog } from '../backlog.ts'
import type { PostReader } from './post-reader.ts'

/** Most that wait for a slow reader; past it the oldest are left out. */
const MAX_WAITING = 10_000

export class OpenedEntries {
  readonly #reader: PostReader
  readonly #store: FeedStore
  readonly #places: Backlog<number>
  readonly #onOpened = ({ place }: StoredEntry): void => this.#places.push(place)

  constructor(reader: PostReader, store: FeedStore) {
    this.#reader = reader
    this.#store = store
    this.#places = new Backlog(store, MAX_WAITING)
    reader.events.on('opened', this.#onOpened)
  }

  /** Ends when the store is closed. @throws the signal's reason when it aborts */
  async *entries(signal: AbortSignal | undefined): AsyncGenerator<StoredEntry> {
    for await (const place of this.#places.items(signal)) {
      const entry = entryAtPlace(this.#store, place)
      if (entry !== undefined) yield entry
    }
  }

  close(): void {
    this.#reader.events.off('opened', this.#onOpened)
    this.#places.close()
  }
}
