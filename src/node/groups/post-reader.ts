// Finds the posts to groups among members' sealed entries: as they arrive, behind in feeds of new members, and again when a
// secret comes later. Nothing of it is lost by a crash: how far a feed was looked through is noted.
import { EventEmitter } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import {
  type Body,
  cidToEntryId,
  entriesBetween,
  entryAtPlace,
  type Extension,
  feedOfPlace,
  type FeedState,
  type FeedStore,
  FLAG_SEALED,
  holdsSealed,
  shownTime,
  type StoredEntry
} from '../../feeds/index.ts'
import { parseBlobId } from '../../blobs/index.ts'
import { fromHex, hasHint, isSealedForGroup, openForGroup, toHex } from '../../groups/index.ts'
import type { Stretch } from '../../trust/index.ts'
import { filesOf } from '../blobs/posted-file.ts'
import type { People } from '../people.ts'
import type { ContentStore, SealedHead, StoredPost } from './content-store.ts'
import type { GroupKey, Keyring } from './keyring.ts'
import type { LocalGroup } from './local-group.ts'

/** Entries that are looked at before the event loop gets its turn. */
const PAGE = 64
/** Entries after which it is noted how far was read, when there was nothing to read in them. */
const NOTE_EVERY = 1_024
/** Bytes of a sealed entry by which it is recognised: version, hint, salt. */
const HEAD_SIZE = 25
/** How long to wait after the store failed (the disk is full), in ms. */
const RETRY_MS = 10_000

/** A group whose posts are read, and its secrets. */
export interface ReadGroup {
  group: LocalGroup
  keyring: Keyring
}

export interface PostReaderOptions {
  store: FeedStore
  content: ContentStore
  people: People
  groups: () => Iterable<ReadGroup>
}

/** A key of a group to try. */
interface Trial {
  group: LocalGroup
  key: GroupKey
}

export class PostReader {
  /** 'idle': all that is here was looked through. */
  readonly events = new EventEmitter<{ opened: [StoredEntry]; idle: [] }>()
  readonly #options: PostReaderOptions
  /** How far feeds were looked through, by number. */
  readonly #read = new Map<number, Stretch & { noted: number }>()
  /** Feeds that were not looked through to the end. */
  readonly #unread = new Set<number>()
  /** What to try on the entries of a feed that were not opened. */
  readonly #trials = new Map<number, Trial[]>()
  #isWorking = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined
  readonly #onExtended = (extension: Extension): void => this.#take(extension)

  constructor(options: PostReaderOptions) {
    this.#options = options
    this.events.setMaxListeners(0)
    options.store.events.on('extended', this.#onExtended)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#options.store.events.off('extended', this.#onExtended)
    this.events.removeAllListeners()
  }

  /** Whether something of members' feeds is still to be looked through: then what is named by no post may be named by one. */
  get isBehind(): boolean {
    return this.#isWorking || this.#unread.size > 0 || this.#trials.size > 0
  }

  /** Looks through all feeds anew, when there is reason to. */
  forgetProgress(): void {
    this.#options.content.forgetProgress()
    this.#read.clear()
    const authors = [...this.#options.groups()].flatMap(({ group }) => [
      ...(group.evaluator?.view().seats.keys() ?? [])
    ])
    this.readFeeds(authors.map(fromHex))
  }

  /** Looks at what was not read yet of these people's feeds. */
  readFeeds(identities: Iterable<Uint8Array>): void {
    for (const identity of identities) for (const feed of this.#options.people.feedsOf(identity)) this.#unread.add(feed)
    this.#work()
  }

  /** Tries keys on what these people have written and nothing opened. */
  retry(group: LocalGroup, keys: readonly GroupKey[], identities: Iterable<Uint8Array>): void {
    const trials = keys.map((key) => ({ group, key }))
    for (const identity of identities)
      for (const feed of this.#options.people.feedsOf(identity))
        this.#trials.set(feed, [...(this.#trials.get(feed) ?? []), ...trials])
    this.#work()
  }

  /** Reads one entry that this device wrote, whatever of its feed was not read yet. @throws what the store throws */
  readOwn(entry: StoredEntry): void {
    const { content } = this.#options
    if (content.post(entry.place) !== undefined) return
    const post = openedBy(trialsOf(this.#groupsOf(entry.feed)), entry)
    if (post === undefined) return
    content.addFound(feedOfPlace(entry.place), { posts: [post], sealed: [] })
    this.events.emit('opened', entry)
  }

  #take({ feed, from, to, runs }: Extension): void {
    const groups = this.#groupsOf(feed.key)
    if (groups.length === 0) return
    const read = this.#progressOf(feed.num)
    if (read !== undefined && from <= read.high && to >= read.low) return this.#readAnew(feed.num, from)
    const isNext = read === undefined ? from === feed.low : from === read.high + 1 || to === read.low - 1
    if (isNext && !runs.some(holdsSealed)) return this.#extend(feed.num, from, to)
    if (isNext && to - from < PAGE && this.#readNow(feed, { low: from, high: to }, trialsOf(groups))) return
    this.#unread.add(feed.num)
    this.#work()
  }

  /** What has come was not here when this stretch was read: it had been let go, or lay in a gap. All is looked through, from there. */
  #readAnew(num: number, from: number): void {
    this.#read.set(num, { low: from, high: from - 1, noted: from - 1 })
    this.#unread.add(num)
    this.#work()
  }

  /** What just arrived is readable when its sender hears that it has. @returns false when the store failed */
  #readNow(feed: FeedState, page: Stretch, trials: readonly Trial[]): boolean {
    try {
      this.#readEntries(feed, page, trials)
      return true
    } catch {
      return false
    }
  }

  /** Groups that the author of a feed may have written to. */
  #groupsOf(feed: Uint8Array): ReadGroup[] {
    const identity = this.#options.people.identityOf(feed)
    if (identity === undefined) return []
    return [...this.#options.groups()].filter(({ group }) => isAuthor(group, toHex(identity)))
  }

  #work(): void {
    if (this.#isWorking || this.#isClosed || this.#timer !== undefined) return
    this.#isWorking = true
    this.#workAll().then(
      () => this.events.emit('idle'),
      () => this.#workLater()
    )
  }

  #workLater(): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#work()
    }, RETRY_MS)
    this.#timer.unref()
  }

  /** It ends in the moment in which it finds nothing to do, so that nothing that is added then is left lying. */
  async #workAll(): Promise<void> {
    try {
      while (this.#mayWork) {
        const num = [...this.#unread].at(-1) // what came last is what people wait for
        const [toTry] = this.#trials.keys()
        if (num !== undefined) {
          if (this.#readPage(num)) this.#unread.delete(num)
        } else if (toTry === undefined) return
        else await this.#tryAgain(toTry)
        await setImmediate()
      }
    } finally {
      this.#isWorking = false
    }
  }

  get #mayWork(): boolean {
    return !this.#isClosed && this.#options.store.isOpen
  }

  /** @returns whether all of the feed was read */
  #readPage(num: number): boolean {
    const { store } = this.#options
    const feed = store.feedByNumber(num)
    if (feed === undefined || feed.height === 0) return true
    const groups = this.#groupsOf(feed.key)
    const page = groups.length === 0 ? undefined : nextPage(feed, this.#progressOf(num))
    if (page === undefined) return true
    this.#readEntries(feed, page, trialsOf(groups))
    return false
  }

  #readEntries(feed: FeedState, { low, high }: Stretch, trials: readonly Trial[]): void {
    const { store, content } = this.#options
    const [posts, sealed, opened]: [StoredPost[], SealedHead[], StoredEntry[]] = [[], [], []]
    for (const entry of entriesBetween(store, feed, low, high)) {
      if (!this.#isSealedPost(entry) || content.post(entry.place) !== undefined) continue
      const post = openedBy(trials, entry)
      if (post === undefined) sealed.push({ place: entry.place, head: entry.body!.slice(0, HEAD_SIZE) })
      else {
        posts.push(post)
        opened.push(entry)
      }
    }
    const before = this.#progressOf(feed.num) ?? { low, high: low - 1, noted: 0 }
    const read = { low: Math.min(before.low, low), high: Math.max(before.high, high) }
    const isFound = posts.length > 0 || sealed.length > 0
    if (isFound) content.addFound(feed.num, { posts, sealed }, read, feed.low)
    if (isFound) this.#read.set(feed.num, { ...read, noted: read.high })
    else this.#extend(feed.num, low, high)
    for (const entry of opened) this.events.emit('opened', entry)
  }

  #isSealedPost(entry: StoredEntry): boolean {
    if (entry.body === undefined || (entry.flags & FLAG_SEALED) === 0) return false
    return isSealedForGroup(entry.body) && this.#options.people.isCurrent(entry)
  }

  async #tryAgain(num: number): Promise<void> {
    const { store, content } = this.#options
    const trials = this.#trials.get(num)!
    this.#trials.delete(num)
    const feed = store.feedByNumber(num)
    const identity = feed && this.#options.people.identityOf(feed.key)
    if (feed === undefined || identity === undefined) return
    let looks = 0
    for (const { place, head } of content.sealedIn(num)) {
      const trial = trials.find(
        ({ group, key }) => isAuthor(group, toHex(identity)) && hasHint(head, feed.key, key.hint)
      )
      const entry = trial && entryAtPlace(store, place)
      const post = trial && entry && openedBy([trial], entry)
      if (post !== undefined && this.#isSealedPost(entry!)) {
        content.addFound(num, { posts: [post], sealed: [] })
        this.events.emit('opened', entry!)
      }
      looks += trials.length
      if (looks < PAGE) continue
      looks = 0
      await setImmediate()
      if (!this.#mayWork) return
    }
  }

  #progressOf(num: number): (Stretch & { noted: number }) | undefined {
    const known = this.#read.get(num)
    if (known !== undefined) return known
    const stored = this.#options.content.read(num)
    if (stored === undefined) return undefined
    const read = { low: stored.low, high: stored.high, noted: stored.high }
    this.#read.set(num, read)
    return read
  }

  /** Notes in memory what was read, and in the store now and then: not for every public post. */
  #extend(num: number, low: number, high: number): void {
    const before = this.#progressOf(num) ?? { low, high: low - 1, noted: 0 }
    const read = { low: Math.min(before.low, low), high: Math.max(before.high, high), noted: before.noted }
    this.#read.set(num, read)
    if (read.high - read.noted < NOTE_EVERY) return
    read.noted = read.high
    this.#options.content.addFound(num, { posts: [], sealed: [] }, read)
  }
}

function trialsOf(groups: readonly ReadGroup[]): Trial[] {
  return groups.flatMap(({ group, keyring }) => keyring.keys.map((key) => ({ group, key })))
}

/** Whether what somebody writes to a group now counts: they are a member, or oneself, who may have left. */
function isAuthor(group: LocalGroup, identity: string): boolean {
  return identity === group.identity || group.evaluator?.view().seats.has(identity) === true
}

/** What an entry is, when one of these keys opens it. */
function openedBy(trials: readonly Trial[], entry: StoredEntry): StoredPost | undefined {
  const sealed = entry.body
  if (sealed === undefined) return undefined
  for (const { group, key } of trials) {
    if (!hasHint(sealed, entry.feed, key.hint)) continue
    const body = openForGroup(sealed, entry.feed, { group: group.id, secret: key.secret })
    if (body === undefined) continue
    const [root, answered, isReaction] = [rootOf(body), answeredBy(body), body.type === 'reaction']
    const blobs = filesOf(body, { isSealed: true }).map(({ id }) => parseBlobId(id))
    const { place } = entry
    const post = { place, num: group.num, name: key.name, timeMs: shownTime(entry), isReaction, blobs }
    return { ...post, ...(root && { root }), ...(answered && { answered }) }
  }
  return undefined
}

/** Id of the entry that began the thread which a post is part of. */
function rootOf({ type, root, to }: Body): Uint8Array | undefined {
  const link = type === 'post' ? root : type === 'reaction' ? to : undefined
  return isLink(link) ? cidToEntryId(link) : undefined
}

/** Id of the entry that a post answers, or a reaction is about. */
function answeredBy({ type, reply, to }: Body): Uint8Array | undefined {
  const link = type === 'post' ? reply : type === 'reaction' ? to : undefined
  return isLink(link) ? cidToEntryId(link) : undefined
}

function isLink(value: unknown): value is Parameters<typeof cidToEntryId>[0] {
  return typeof value === 'object' && value !== null && 'multihash' in value
}

/** What to read next of a feed: its newest entries first, and then downwards. */
function nextPage(feed: FeedState, read: Stretch | undefined): Stretch | undefined {
  if (read === undefined) return { low: Math.max(feed.low, feed.height - PAGE + 1), high: feed.height }
  if (read.high < feed.height) return { low: read.high + 1, high: Math.min(feed.height, read.high + PAGE) }
  return read.low > feed.low ? { low: Math.max(feed.low, read.low - PAGE), high: read.low - 1 } : undefined
}
