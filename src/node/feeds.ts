// node.feeds: publishing on this device's feed, and reading what is stored of everybody's.
import { setImmediate } from 'node:timers/promises'
import {
  type Body,
  bodyOf,
  cidToEntryId,
  encodeBody,
  entriesBetween,
  entriesByMention,
  entriesByTag,
  entriesByWords,
  entryById,
  entryCid,
  type Extension,
  FeedError,
  type FeedStore,
  type FeedWriter,
  FLAG_SEALED,
  formatEntryId,
  holdersThatErased,
  type Indexer,
  isStray,
  parseEntryId,
  shownTime,
  type StoredEntry,
  timeline,
  type TimelinePoint
} from '../feeds/index.ts'
import { formatDid, mentionedDids } from '../trust/index.ts'
import type { Answers } from './answers.ts'
import { Backlog } from './backlog.ts'
import type { AttachmentOptions, OpenedAttachment, PostFileOptions, SavedFile } from './blobs/contract.ts'
import type { PostFiles } from './blobs/post-files.ts'
import { filesOf, type PostedFile } from './blobs/posted-file.ts'
import { isDirectory, saveAttachment } from './blobs/saved-file.ts'
import {
  type Feeds,
  NodeError,
  type FeedItem,
  type Published,
  type PublishOptions,
  type ReadOptions,
  type ThreadItem
} from './comrade.ts'
import { toFeedItem } from './feed-item.ts'
import type { GroupContent } from './groups/content.ts'
import type { LocalGroup } from './groups/local-group.ts'
import { withMentions } from './mentions.ts'
import type { People } from './people.ts'
import { refuse } from './refusal-sentences.ts'
import type { StrayEntries } from './stray-entries.ts'
import { Threads } from './threads.ts'

const DEFAULT_LIMIT = 50
/** Entries that one read looks at before it gives the event loop its turn. */
const LIVE_PAGE = 64
/** Posts to a group that are opened before the event loop may get its turn. */
const OPENED_PAGE = 64
/** How long a read goes on before the event loop gets its turn, in ms: some posts take more work than others. */
const TURN_MS = 8
/** How often a live read lets the index catch up before it begins. */
const MAX_CATCH_UPS = 16
/** Stretches of new entries that wait for a slow reader; past it the oldest are left out. */
const MAX_LIVE_STRETCHES = 10_000
/** Fields that name other entries: given as text, stored as links. */
const LINK_FIELDS = ['reply', 'root', 'to'] as const

export interface NodeFeedsOptions {
  store: FeedStore
  people: People
  indexer: Indexer
  /** The writer of this device's feed; another one after a new device key was taken. */
  writer: () => FeedWriter
  /** How many other nodes are known to hold this device's feed. */
  holders: () => number
  /** What belongs to posts. */
  files: () => PostFiles
  /** What is written to groups. */
  groups: () => GroupContent
  answers: Answers
  /** Single entries of people who are not followed. */
  strays: StrayEntries
}

export class NodeFeeds implements Feeds {
  readonly #options: NodeFeedsOptions
  readonly #threads: Threads

  constructor(options: NodeFeedsOptions) {
    this.#options = options
    const { store, people, strays, groups } = options
    this.#threads = new Threads({
      ...{ store, people, strays, groups },
      catchUp: () => this.#catchUp(),
      itemOf: (entry) => this.#item(entry)
    })
  }

  async publish(body: Body, { files = [], ...options }: PublishOptions = {}): Promise<Published> {
    const write = async (whole: Body): Promise<Published> => (await this.publishAll([whole], options))[0]
    if (files.length === 0) return write(body)
    if (body.type !== 'post') throw new NodeError('BAD_INPUT', refuse('refusal.filesWithPosts'))
    if (this.#groupFor([withLinks(body)], options.group) === undefined)
      return this.#options.files().attach(body, files, write)
    const writeSealed = async (whole: Body): Promise<Published> => {
      const published = await write(whole)
      this.#options.groups().readOwn(parseEntryId(published.id))
      return published
    }
    return this.#options.files().attach(body, files, writeSealed, { isSealed: true })
  }

  async publishAll(bodies: Body[], { group: name, signal, files }: PublishOptions = {}): Promise<Published[]> {
    signal?.throwIfAborted()
    if (files !== undefined) throw new NodeError('BAD_INPUT', 'files go with one post at a time')
    const writer = this.#options.writer()
    const { contacts } = this.#options.people
    const linked = bodies.map((body) => withMentions(withLinks(body), contacts))
    const group = this.#groupFor(linked, name)
    const feedKey = writer.key.publicKey
    const entries =
      group === undefined
        ? await writer.append(linked.map((body) => encodeBody(body)))
        : await writer.append(this.#options.groups().seal(group, linked, feedKey), { isSealed: true })
    const feed = formatDid(feedKey)
    return entries.map(({ id, seq }) => ({ id: formatEntryId(id), feed, seq }))
  }

  /** What is said in a group stays in it. @throws NodeError BAD_INPUT when it answers what was said in another */
  #groupFor(bodies: readonly Body[], name: string | undefined): LocalGroup | undefined {
    const named = name === undefined ? undefined : this.#options.groups().find(name)
    const answered = bodies.map((body) => this.#groupAnswered(body))
    const [group = named] = answered.filter((each) => each !== undefined)
    const isMixed = answered.some((each) => each !== group && (each !== undefined || named === undefined))
    if (isMixed || (named !== undefined && group !== named))
      throw new NodeError('BAD_INPUT', refuse('refusal.answerInGroup'))
    return group
  }

  /** The group of what a body answers or reacts to. @throws NodeError BAD_INPUT when that was sealed for others */
  #groupAnswered(body: Body): LocalGroup | undefined {
    const links = body.type === 'reaction' ? [body.to] : [body.reply, body.root]
    const ids = links.flatMap((link) => (isCid(link) ? (cidToEntryId(link) ?? []) : []))
    const entries = ids.flatMap((id) => entryById(this.#options.store, id) ?? [])
    const sealed = entries.find(({ flags }) => (flags & FLAG_SEALED) !== 0)
    if (sealed === undefined) return undefined
    const group = this.#options.groups().groupOf(sealed)
    if (group !== undefined) return group
    throw new NodeError('BAD_INPUT', refuse('refusal.answerSealed'))
  }

  async get(id: string): Promise<FeedItem | undefined> {
    if (!this.#options.indexer.isFarBehind) await this.#catchUp() // else it is counted as far as has been read
    const entry = this.#entryOf(id)
    return entry === undefined || this.#options.people.isBlocked(entry.feed) ? undefined : this.#item(entry)
  }

  thread(id: string, options?: { waitMs?: number }): Promise<ThreadItem[]> {
    return this.#threads.read(parseEntryId(id), options)
  }

  async erase(id: string): Promise<{ id: string; erased: true; at: number; of: number }> {
    const { store, writer, holders } = this.#options
    const entry = this.#stored(id)
    if (Buffer.compare(entry.feed, writer().key.publicKey) !== 0) {
      throw new NodeError('NOT_OWN', refuse('refusal.otherEntry'))
    }
    if (entry.body !== undefined) await writer().append([encodeBody({ type: 'erase', seq: [entry.seq] })])
    return { id, erased: true, at: holdersThatErased(store, entry.place), of: holders() }
  }

  async react(id: string, emoji: string): Promise<Published> {
    const entry = this.#stored(id)
    return this.publish({ type: 'reaction', to: entryCid(entry.id), emoji })
  }

  async save(id: string, path: string, options: AttachmentOptions = {}): Promise<SavedFile[]> {
    const files = await this.attachments(id, options)
    if (files.length > 1 && !(await isDirectory(path)))
      throw new NodeError('BAD_INPUT', `that post has ${files.length} files: ${path} must be a directory`)
    const saved: SavedFile[] = []
    for (const file of files) saved.push({ id, file: await saveAttachment(file, path), bytes: file.size })
    return saved
  }

  async attachments(id: string, { index, ...options }: PostFileOptions = {}): Promise<OpenedAttachment[]> {
    const entry = this.#stored(id)
    const post = this.#options.groups().open(entry)
    const all =
      post !== undefined ? filesOf(post.body, { isSealed: true }) : isStray(entry) ? [] : filesOf(bodyOf(entry))
    const files = index === undefined ? all : all.slice(index, index + 1)
    if (files.length === 0)
      throw new NodeError('NOT_FOUND', `that entry has ${all.length === 0 ? 'no' : `only ${all.length}`} files`)
    const wantedOf = post && ((file: PostedFile) => this.#options.groups().files.wanted(entry, post, file))
    return this.#options.files().openAll(files, options, wantedOf)
  }

  async *read(options: ReadOptions = {}): AsyncGenerator<FeedItem> {
    const { indexer } = this.#options
    await this.#catchUp()
    // What arrived meanwhile is in neither part yet; where more arrives than can be indexed, a live read does not wait for ever.
    for (let i = 0; options.live === true && indexer.behind > 0 && i < MAX_CATCH_UPS; i++) await this.#catchUp()
    // In one turn of the event loop: nothing is in both parts, and nothing in neither.
    const query = this.#query(options)
    const arrivals = options.live === true ? this.#arrivals(query) : undefined
    try {
      let turnEnd = performance.now() + TURN_MS
      for (const entry of arrivals === undefined ? this.#select(query) : [...this.#select(query)]) {
        options.signal?.throwIfAborted()
        yield this.#item(entry)
        if (performance.now() < turnEnd) continue
        await setImmediate()
        turnEnd = performance.now() + TURN_MS
      }
      if (arrivals !== undefined) yield* this.#live(arrivals, query, options.signal)
    } finally {
      arrivals?.close()
    }
  }

  /** What arrives after the call, in the order of arrival, as long as `signal` allows. */
  #arrivals({ group }: Query): LiveEntries {
    return group === undefined ? new Arrivals(this.#options.store) : this.#options.groups().opened()
  }

  async *#live(arrivals: LiveEntries, query: Query, signal: AbortSignal | undefined): AsyncGenerator<FeedItem> {
    for await (const entry of arrivals.entries(signal)) {
      const identity = this.#options.people.identityOf(entry.feed)
      if (query.identity !== undefined && (identity === undefined || Buffer.compare(identity, query.identity) !== 0))
        continue
      if (query.group === undefined && query.identity === undefined && !this.#options.people.isNear(entry.feed))
        continue
      if (this.#matches(entry, query) && this.#isShown(entry)) yield this.#item(entry)
    }
  }

  /** On a full disk reading goes on with what was indexed before. */
  async #catchUp(): Promise<void> {
    try {
      await this.#options.indexer.catchUp()
    } catch (error) {
      if (!(error instanceof FeedError) || error.code !== 'DISK_FULL') throw error
    }
  }

  #query(options: ReadOptions): Query {
    const { people } = this.#options
    const identity = options.author === undefined ? undefined : people.contacts.find(options.author).key
    const before = options.before === undefined ? undefined : pointOf(this.#stored(options.before))
    const feeds = identity && people.feedsOf(identity)
    const group = options.group === undefined ? undefined : this.#options.groups().find(options.group)
    const mentions = options.mentions === undefined ? undefined : people.contacts.find(options.mentions).did
    return { ...options, limit: options.limit ?? DEFAULT_LIMIT, identity, feeds, before, group, mentions }
  }

  *#select(query: Query): Generator<StoredEntry> {
    const page = query.group === undefined ? query.limit : Math.min(query.limit, OPENED_PAGE)
    let { before } = query
    for (let left = query.limit; left > 0;) {
      const found = this.#find({ ...query, limit: page, before })
      const shown = found.filter((entry) => this.#isShown(entry) && this.#matches(entry, query)).slice(0, left)
      yield* shown
      left -= shown.length
      if (found.length < page) return
      before = pointOf(found[found.length - 1])
    }
  }

  #find({ search, tag, mentions, feeds, before, limit, types, group }: Query): StoredEntry[] {
    const { store } = this.#options
    if (group !== undefined) return this.#options.groups().posts(group, { feeds, before, limit })
    if (search !== undefined) return entriesByWords(store, search, { feeds, before, limit })
    if (mentions !== undefined) return entriesByMention(store, mentions, { feeds, before, limit })
    if (tag !== undefined) return entriesByTag(store, tag, { feeds, before, limit })
    return timeline(store, { feeds, before, limit, types })
  }

  #entryOf(id: string): StoredEntry | undefined {
    const key = parseEntryId(id)
    return entryById(this.#options.store, key) ?? this.#options.strays.get(key)
  }

  #stored(id: string): StoredEntry {
    const entry = this.#entryOf(id)
    if (entry === undefined || this.#options.people.isBlocked(entry.feed))
      throw new NodeError('NOT_FOUND', refuse('refusal.noEntry', { id }))
    return entry
  }

  /** Whether an entry is its author's, and of somebody who is not blocked. */
  #isShown(entry: StoredEntry): boolean {
    const { people } = this.#options
    return people.isCurrent(entry) && !people.isBlocked(entry.feed)
  }

  #item(entry: StoredEntry): FeedItem {
    const { people, files, groups, answers, strays } = this.#options
    const post = groups().open(entry)
    return strays.named(answers.counted(toFeedItem(entry, { people, blobs: files().blobs }, post), entry, post), entry)
  }

  /** Of posts to a group those to the one that is asked for, and only where one is. */
  #matches(entry: StoredEntry, query: Query): boolean {
    const opened = this.#options.groups().open(entry)
    if (opened?.group !== query.group) return false
    return matches(entry, opened?.body ?? bodyOf(entry), query)
  }
}

/** What a live read goes on with. */
interface LiveEntries {
  entries(signal: AbortSignal | undefined): AsyncGenerator<StoredEntry>
  close(): void
}

interface Query extends Omit<ReadOptions, 'before' | 'group'> {
  group: LocalGroup | undefined
  limit: number
  identity: Uint8Array | undefined
  feeds: Set<number> | undefined
  before: TimelinePoint | undefined
}

/** Entries that arrive from now on, kept as places, so that a slow reader costs little. */
export class Arrivals {
  readonly #store: FeedStore
  readonly #stretches: Backlog<{ num: number; from: number; to: number }>
  readonly #onExtended = ({ feed: { num }, from, to }: Extension): void => this.#stretches.push({ num, from, to })

  constructor(store: FeedStore) {
    this.#store = store
    this.#stretches = new Backlog(store, MAX_LIVE_STRETCHES)
    store.events.on('extended', this.#onExtended)
  }

  /** Ends when the store is closed. @throws the signal's reason when it aborts */
  async *entries(signal: AbortSignal | undefined): AsyncGenerator<StoredEntry> {
    for await (const { num, from, to } of this.#stretches.items(signal))
      for (let low = from; low <= to && this.#store.isOpen; low += LIVE_PAGE) {
        signal?.throwIfAborted()
        yield* this.#page(num, low, Math.min(to, low + LIVE_PAGE - 1))
      }
  }

  #page(num: number, from: number, to: number): Iterable<StoredEntry> {
    const feed = this.#store.feedByNumber(num)
    return feed === undefined ? [] : entriesBetween(this.#store, feed, from, to)
  }

  close(): void {
    this.#store.events.off('extended', this.#onExtended)
    this.#stretches.close()
  }
}

function matches(entry: StoredEntry, body: Body | undefined, query: Query): boolean {
  const { types, tag, mentions, search } = query
  if (types === undefined && tag === undefined && mentions === undefined && search === undefined) return true
  if (body === undefined) return types?.includes(entry.body === undefined ? 'erased' : 'sealed') ?? false
  if (types !== undefined && !types.includes(body.type)) return false
  if (tag !== undefined && !(Array.isArray(body.tags) && body.tags.includes(tag))) return false
  if (mentions !== undefined && !isMentioned(body, mentions)) return false
  return search === undefined || (typeof body.text === 'string' && hasWords(body.text, search))
}

function isMentioned(body: Body, did: string): boolean {
  return body.type === 'post' && Array.isArray(body.mentions) && mentionedDids(body.mentions as string[]).includes(did)
}

/** The same rule as the full-text index: all words occur, without regard to case and accents. */
function hasWords(text: string, words: string): boolean {
  const known = new Set(fold(text).split(/[^\p{L}\p{N}\p{Co}]+/u))
  return fold(words)
    .split(/[^\p{L}\p{N}\p{Co}]+/u)
    .every((word) => word === '' || known.has(word))
}

function fold(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
}

function pointOf(entry: StoredEntry): TimelinePoint {
  return { timeMs: shownTime(entry), place: entry.place }
}

/** In posts and reactions, ids of other entries may be given as text. @throws NodeError BAD_INPUT when one is not an entry id */
function withLinks(body: Body): Body {
  if (body.type !== 'post' && body.type !== 'reaction') return body
  const linked: Body = { ...body }
  for (const field of LINK_FIELDS) {
    const value = linked[field]
    if (typeof value !== 'string') continue
    try {
      linked[field] = entryCid(parseEntryId(value))
    } catch (error) {
      throw new NodeError('BAD_INPUT', `${field}: ${(error as Error).message}`, { cause: error })
    }
  }
  return linked
}

function isCid(value: unknown): value is Parameters<typeof cidToEntryId>[0] {
  return typeof value === 'object' && value !== null && 'multihash' in value
}
