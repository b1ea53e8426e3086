// Posts that fit a question, newest first: pages are fetched as they are scrolled to, and what arrives comes on top.
import { batch, signal } from '@preact/signals'
import { list, type Query } from '../api.ts'
import type { EntryShape } from '../shapes.ts'
import { learn, learnArrival } from './entries.ts'
import { onEvent } from './live.ts'

const PAGE_SIZE = 60
const SETTLE_MS = 30

export interface FeedQuery {
  who?: string
  in?: string
  tag?: string
  search?: string
}

export class FeedList {
  readonly posts = signal<EntryShape[]>([])
  /** What has come while the reader was further down; {@link showFresh} puts it on top. */
  readonly fresh = signal<EntryShape[]>([])
  readonly isLoading = signal(false)
  /** Nothing older is stored. */
  readonly isDone = signal(false)
  readonly failure = signal<unknown>(undefined)
  /** Whether what comes is put on top at once. */
  isAtTop = true
  readonly #query: FeedQuery
  readonly #fits: (entry: EntryShape) => boolean
  readonly #ids = new Set<string>()
  #oldest: EntryShape | undefined
  #arrived: EntryShape[] = []
  #end: (() => void)[] = []

  /** @param fits whether an entry that arrives belongs here */
  constructor(query: FeedQuery, fits: (entry: EntryShape) => boolean) {
    this.#query = query
    this.#fits = fits
  }

  /** Begins to fetch and to listen. */
  start(): void {
    void this.loadMore()
    this.#end = [
      onEvent('entry', (line) => this.#arrive(line as unknown as EntryShape)),
      onEvent('open', () => void this.#catchUp())
    ]
  }

  stop(): void {
    for (const end of this.#end) end()
  }

  async loadMore(): Promise<void> {
    if (this.isLoading.value || this.isDone.value) return
    this.isLoading.value = true
    try {
      const entries = await this.#fetch({ before: this.#oldest?.id })
      batch(() => this.#append(entries))
      this.failure.value = undefined
    } catch (error) {
      this.failure.value = error
    } finally {
      this.isLoading.value = false
    }
  }

  showFresh(): void {
    batch(() => {
      this.posts.value = [...this.fresh.value, ...this.posts.value].toSorted(newestFirst)
      this.fresh.value = []
    })
  }

  remove(id: string): void {
    this.posts.value = this.posts.value.filter((post) => post.id !== id)
  }

  #append(entries: EntryShape[]): void {
    for (const entry of entries) learn(entry)
    this.#oldest = entries.at(-1) ?? this.#oldest
    this.isDone.value = entries.length < PAGE_SIZE
    const posts = entries.filter(({ id, type }) => type === 'post' && !this.#ids.has(id))
    for (const { id } of posts) this.#ids.add(id)
    this.posts.value = [...this.posts.value, ...posts]
  }

  /** After a break what has come meanwhile is among the newest; what lies further down comes when the page is loaded anew. */
  async #catchUp(): Promise<void> {
    if (this.posts.value.length === 0) {
      this.isDone.value = false
      return this.loadMore()
    }
    for (const entry of await this.#fetch({}).catch(() => [])) this.#arrive(entry)
  }

  /** Entries come in bursts: what comes within a few ms is put in its places together. */
  #arrive(entry: EntryShape): void {
    learnArrival(entry)
    const isPart = entry.type === 'post' && this.#fits(entry) && !this.#ids.has(entry.id)
    // What is older than all that is shown comes with its page.
    if (!isPart || (!this.isDone.value && this.#oldest !== undefined && entry.time < this.#oldest.time)) return
    this.#ids.add(entry.id)
    if (this.#arrived.push(entry) === 1) setTimeout(() => this.#settle(), SETTLE_MS)
  }

  #settle(): void {
    const into = this.isAtTop ? this.posts : this.fresh
    into.value = [...this.#arrived, ...into.value].toSorted(newestFirst)
    this.#arrived = []
  }

  #fetch(more: Query): Promise<EntryShape[]> {
    return list<EntryShape>('feed', { ...this.#query, ...more, limit: PAGE_SIZE })
  }
}

function newestFirst(a: EntryShape, b: EntryShape): number {
  return a.time === b.time ? 0 : a.time < b.time ? 1 : -1
}
