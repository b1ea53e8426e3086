// node.feeds.thread: what is here of a thread, what is fetched of it, and why the rest is missing.
import {
  type Body,
  bodyOf,
  cidToEntryId,
  entryById,
  type FeedStore,
  FLAG_SEALED,
  formatEntryId,
  linksTo,
  shownTime,
  type StoredEntry,
  Turn
} from '../feeds/index.ts'
import { type FeedItem, type MissingEntry, NodeError, type ThreadItem } from './comrade.ts'
import type { GroupContent } from './groups/content.ts'
import type { OpenedPost } from './groups/opened-post.ts'
import type { People } from './people.ts'
import type { StrayEntries } from './stray-entries.ts'

/** How long what is missing is waited for, in ms: of a thread that is here, and of one of which nothing is. */
const WAIT_MS = 1_000
const FIRST_WAIT_MS = 5_000
/** How often a thread is looked through: what came may answer something that is missing too. */
const MAX_ROUNDS = 8
/** Entries of one thread that are shown. */
const MAX_ENTRIES = 2_000

export interface ThreadsOptions {
  store: FeedStore
  people: People
  strays: StrayEntries
  groups: () => GroupContent
  /** Brings what is derived from entries up to date. */
  catchUp: () => Promise<void>
  itemOf: (entry: StoredEntry) => FeedItem
}

/** A thread's entries by their ids in hexadecimal. */
type Entries = Map<string, StoredEntry>

export class Threads {
  readonly #options: ThreadsOptions

  constructor(options: ThreadsOptions) {
    this.#options = options
  }

  /** As Feeds.thread has it. @param id 32 bytes */
  async read(id: Uint8Array, { waitMs = WAIT_MS }: { waitMs?: number } = {}): Promise<ThreadItem[]> {
    await this.#options.catchUp()
    const begin = Date.now()
    const first = this.#find(id) ?? (await this.#fetchFirst(id))
    const turn = new Turn()
    let entries = await this.#collect(first, turn)
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const isNews = await this.#fetchMissing(entries, waitMs - (Date.now() - begin))
      if (!isNews) break
      entries = await this.#collect(first, turn)
    }
    const sorted = [...entries.values()].toSorted((a, b) => shownTime(a) - shownTime(b) || a.place - b.place)
    const items: ThreadItem[] = []
    for (const entry of sorted) {
      await turn.giveWay()
      items.push({ ...this.#options.itemOf(entry), missing: this.#missingOf(entry, entries) })
    }
    return items
  }

  /** @throws NodeError NOT_FOUND */
  async #fetchFirst(id: Uint8Array): Promise<StoredEntry> {
    if (this.#isHere(id)) throw new NodeError('NOT_FOUND', `no entry ${formatEntryId(id)} can be shown here`)
    await within(FIRST_WAIT_MS, this.#options.strays.fetch([id], new Set()))
    const found = this.#find(id)
    if (found === undefined)
      throw new NodeError('NOT_FOUND', `no entry ${formatEntryId(id)} is stored here, and nobody connected gives it`)
    return found
  }

  /** Asks for what is missing. @returns whether something came in time */
  async #fetchMissing(entries: Entries, waitMs: number): Promise<boolean> {
    const { strays, people } = this.#options
    const wanted = new Map<string, Uint8Array>()
    const authors = new Set<string>()
    for (const entry of entries.values()) {
      if (this.#opened(entry) !== undefined) continue // nobody gives what is sealed for a group
      for (const id of this.#linksOf(entry)) {
        if (entries.has(hex(id)) || this.#isHere(id)) continue
        wanted.set(hex(id), id)
        authors.add(hex(people.identityOf(entry.feed) ?? entry.feed)) // who answered it has it
      }
    }
    if (wanted.size === 0) return false
    return (await within(waitMs, strays.fetch([...wanted.values()], authors))) ?? false
  }

  async #collect(entry: StoredEntry, turn: Turn): Promise<Entries> {
    const { store, strays, groups } = this.#options
    const group = groups().groupOf(entry)
    const body = this.#bodyOf(entry)
    const root = body?.type === 'post' ? (idOf(body.root) ?? entry.id) : entry.id
    const found: Entries = new Map()
    const answers = group === undefined ? linksTo(store, root, 'root') : groups().thread(group, root)
    const add = (each: StoredEntry | undefined): boolean => {
      if (each === undefined || found.size >= MAX_ENTRIES || found.has(hex(each.id))) return false
      if (this.#isShown(each)) found.set(hex(each.id), each)
      return this.#isShown(each)
    }
    const beginning = this.#find(root)
    if (beginning !== undefined && this.#isReadable(beginning)) add(beginning)
    for (const each of answers) {
      await turn.giveWay()
      if (this.#bodyOf(each)?.type === 'post' || this.#isOwnTrace(each)) add(each)
    }
    for (const each of strays.inThread(root)) add(each)
    add(body?.type === 'reaction' ? undefined : entry)
    // What was answered and has lost its text is part of no list any more: only those who answered name it.
    for (const each of found.values()) {
      await turn.giveWay()
      for (const id of this.#linksOf(each)) {
        const answered = this.#find(id)
        if (answered !== undefined && (answered.body === undefined || this.#bodyOf(answered)?.type === 'post'))
          add(answered)
      }
    }
    return found
  }

  #missingOf(entry: StoredEntry, entries: Entries): MissingEntry[] {
    return this.#linksOf(entry)
      .filter((id) => !entries.has(hex(id)))
      .map((id) => ({ id: formatEntryId(id), ...this.#reasonFor(id) }))
  }

  #reasonFor(id: Uint8Array): Omit<MissingEntry, 'id'> {
    const { store, people, strays } = this.#options
    const entry = entryById(store, id)
    if (entry !== undefined) {
      const { author, name } = this.#options.itemOf(entry)
      if (people.isBlocked(entry.feed)) return { reason: 'blocked', author, name }
      if (!people.isCurrent(entry)) return { reason: 'revoked', author, name }
      if ((entry.flags & FLAG_SEALED) !== 0) return { reason: 'sealed', author, name }
    }
    const outcome = strays.outcomeOf(id)
    if (outcome !== undefined) return outcome
    if (people.mode !== 'all') return { reason: 'store' }
    return { reason: strays.mayFetch ? 'absent' : 'quota' }
  }

  #find(id: Uint8Array): StoredEntry | undefined {
    const { store, people, strays } = this.#options
    const entry = entryById(store, id)
    if (entry === undefined) return strays.get(id)
    return people.isBlocked(entry.feed) ? undefined : entry
  }

  /** Whether it is stored, though it may not be shown. */
  #isHere(id: Uint8Array): boolean {
    return entryById(this.#options.store, id) !== undefined
  }

  #isShown(entry: StoredEntry): boolean {
    const { people } = this.#options
    return people.isCurrent(entry) && !people.isBlocked(entry.feed)
  }

  /** What the user has erased keeps its place for the user. */
  #isOwnTrace({ body, feed }: StoredEntry): boolean {
    const identity = this.#options.people.identityOf(feed)
    return body === undefined && identity !== undefined && this.#options.people.isSelf(identity)
  }

  /** Whether this device can read it, or could before its text went. */
  #isReadable(entry: StoredEntry): boolean {
    return entry.body === undefined || (entry.flags & FLAG_SEALED) === 0 || this.#opened(entry) !== undefined
  }

  #opened(entry: StoredEntry): OpenedPost | undefined {
    return this.#options.groups().open(entry)
  }

  #bodyOf(entry: StoredEntry): Body | undefined {
    return this.#opened(entry)?.body ?? bodyOf(entry)
  }

  /** Ids of what a post answers, and of what began its thread. */
  #linksOf(entry: StoredEntry): Uint8Array[] {
    const body = this.#bodyOf(entry)
    if (body?.type !== 'post') return []
    const [root, reply] = [idOf(body.root), idOf(body.reply)]
    const isSame = root !== undefined && reply !== undefined && Buffer.compare(root, reply) === 0
    return [root, isSame ? undefined : reply].filter((id) => id !== undefined)
  }
}

/** What a promise gives, or undefined after this time; it goes on behind. */
async function within<T>(limitMs: number, promise: Promise<T>): Promise<T | undefined> {
  const limit = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => limit.resolve(undefined), Math.max(0, limitMs))
  promise.catch(() => {}) // of one that comes too late nobody hears
  try {
    return await Promise.race([promise, limit.promise])
  } finally {
    clearTimeout(timer)
  }
}

function idOf(link: unknown): Uint8Array | undefined {
  const isLink = typeof link === 'object' && link !== null && 'multihash' in link
  return isLink ? cidToEntryId(link as Parameters<typeof cidToEntryId>[0]) : undefined
}

function hex(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('hex')
}
