// The `entry` event: what arrives, and what becomes readable of what is sealed to a group. Decoded only once somebody
// listens.
import type { FeedStore, StoredEntry } from '../feeds/index.ts'
import type { Answers } from './answers.ts'
import type { Blobs } from './blobs/blobs.ts'
import type { FeedItem } from './comrade.ts'
import { toFeedItem } from './feed-item.ts'
import { Arrivals } from './feeds.ts'
import type { GroupContent } from './groups/content.ts'
import type { OpenedPost } from './groups/opened-post.ts'
import type { People } from './people.ts'

export interface EntryEventsOptions {
  store: FeedStore
  people: People
  blobs: Pick<Blobs, 'store'>
  groups: () => GroupContent
  answers: Answers
  onEntry: (item: FeedItem) => void
}

export class EntryEvents {
  readonly #options: EntryEventsOptions
  readonly #abort = new AbortController()
  #isStarted = false

  constructor(options: EntryEventsOptions) {
    this.#options = options
  }

  /** Somebody listens. May be called again. */
  start(): void {
    if (this.#isStarted || this.#abort.signal.aborted) return
    this.#isStarted = true
    const { store, people, groups } = this.#options
    const { signal } = this.#abort
    const [arrivals, opened] = [new Arrivals(store), groups().opened()]
    const emitPlain = async (): Promise<void> => {
      for await (const entry of arrivals.entries(signal))
        if (people.isNear(entry.feed) && groups().open(entry) === undefined) this.#emit(entry)
    }
    const emitOpened = async (): Promise<void> => {
      for await (const entry of opened.entries(signal))
        if (!people.isBlocked(entry.feed)) this.#emit(entry, groups().open(entry))
    }
    Promise.all([emitPlain(), emitOpened()])
      .catch(() => {}) // aborted by stop
      .finally(() => {
        arrivals.close()
        opened.close()
      })
  }

  stop(): void {
    this.#abort.abort()
  }

  #emit(entry: StoredEntry, post?: OpenedPost): void {
    const { people, blobs, answers, onEntry } = this.#options
    if (!people.isCurrent(entry)) return
    onEntry(answers.counted(toFeedItem(entry, { people, blobs: blobs.store }, post), entry, post))
  }
}
