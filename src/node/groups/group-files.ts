// Files of posts to groups: fetched from members when a post that has them was opened, given to members, and kept as long as
// the post can be read. Which blobs these are is noted; their keys are in the posts only, which stay sealed.
import { parseBlobId, sealedSize } from '../../blobs/index.ts'
import { entryAtPlace, feedOfPlace, type FeedStore, type StoredEntry, Turn } from '../../feeds/index.ts'
import { toHex } from '../../groups/index.ts'
import type { WantedBlob } from '../blobs/blob-fetch.ts'
import type { Blobs } from '../blobs/blobs.ts'
import { filesOf, type PostedFile } from '../blobs/posted-file.ts'
import type { People } from '../people.ts'
import type { ContentStore, StoredFile } from './content-store.ts'
import type { LocalGroup } from './local-group.ts'
import type { OpenedPost } from './opened-post.ts'
import type { PostReader } from './post-reader.ts'

/** How long after the last news it is looked what posts were opened, in ms. */
const LOOK_DELAY_MS = 500
/** Files that are looked up at once. */
const PAGE = 64
/**
 * Posts that have the same blob, of which it is asked whether they can be read: the first ones, since nobody else knew of it. Each
 * is read for everybody who asks, so few.
 */
const MAX_POSTS = 8
/** Files that were found last, and are looked at after a start: more are not waited for at a time. */
const MAX_RESUMED = 1_024
/** Members who are not followed cannot take all the room from those who are. */
const SHARE_OF_OTHERS = 0.5

export interface GroupFilesOptions {
  store: FeedStore
  content: ContentStore
  reader: PostReader
  people: People
  blobs: Pick<Blobs, 'addUser' | 'want' | 'store' | 'tidy'>
  /** By its number here; undefined when it was forgotten. */
  group: (num: number) => LocalGroup | undefined
  /** What an entry says that was opened before. */
  open: (entry: StoredEntry) => OpenedPost | undefined
}

export class GroupFiles {
  readonly #options: GroupFilesOptions
  #seen: number
  #isStarted = false
  #timer: NodeJS.Timeout | undefined
  /** It was not known yet which blobs are used. */
  #isAwaited = false
  readonly #lookSoon = (): void => {
    if (!this.#isStarted) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#look().catch(this.#lookSoon)
    }, LOOK_DELAY_MS).unref()
  }

  constructor(options: GroupFilesOptions) {
    this.#options = options
    this.#seen = Math.max(0, options.content.lastFile() - MAX_RESUMED)
    options.reader.events.on('opened', this.#lookSoon)
    options.reader.events.on('idle', () => this.#tidyAnew())
    options.blobs.addUser((ids) => this.#usedOf(ids))
  }

  /** Goes on with what was not here when the node was stopped. */
  start(): void {
    this.#isStarted = true
    this.#lookSoon()
  }

  stop(): void {
    this.#isStarted = false
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** How a file of a post is fetched: from members, and own other devices. */
  wanted({ feed }: StoredEntry, { group }: OpenedPost, { id, size }: PostedFile): WantedBlob {
    const whole = sealedSize(size)
    const isNear = this.#options.people.isNear(feed)
    return {
      ...{ id: parseBlobId(id), size: whole, by: `group ${group.num} ${whole}` },
      share: isNear ? 1 : SHARE_OF_OTHERS,
      isAt: (person) => isMember(group, person)
    }
  }

  /**
   * Whether a post that can be read here has this blob, to a group that this person reads.
   * @param person undefined: nobody who is known, who reads open groups only
   */
  isOfGroupWith(person: string | undefined, blob: Uint8Array): boolean {
    const { content, group } = this.#options
    return content.filesIn(blob, { limit: MAX_POSTS }).some((file) => {
      const of = group(file.num)
      const isReader = of !== undefined && (isOpen(of) || (person !== undefined && isMember(of, person)))
      return isReader && this.#entryOf(file) !== undefined
    })
  }

  /** Root key of who wrote the first post that has this blob. */
  authorOf(blob: Uint8Array): Uint8Array | undefined {
    const { content, store, people } = this.#options
    const [file] = content.filesIn(blob, { limit: 1 })
    const feed = file && store.feedByNumber(feedOfPlace(file.place))
    return feed && (people.identityOf(feed.key) ?? feed.key)
  }

  /**
   * Which of these blobs posts have that can be read here: all, as long as there are posts that were not looked at.
   * @throws when the store is closed
   */
  async #usedOf(ids: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    this.#isAwaited = this.#options.reader.isBehind
    if (this.#isAwaited) return ids
    const turn = new Turn()
    const used: Uint8Array[] = []
    for (const id of ids) if (await this.#isUsed(id, turn)) used.push(id)
    return used
  }

  #tidyAnew(): void {
    if (this.#isAwaited && this.#isStarted) void this.#options.blobs.tidy()
  }

  async #isUsed(blob: Uint8Array, turn: Turn): Promise<boolean> {
    const { content } = this.#options
    for (let after = 0; ;) {
      await turn.giveWay()
      const page = content.filesIn(blob, { after, limit: PAGE })
      for (const file of page) {
        await turn.giveWay()
        if (this.#entryOf(file) !== undefined) return true
        this.#forgetGone(file)
      }
      if (page.length < PAGE) return false
      after = page.at(-1)!.id
    }
  }

  #forgetGone({ place }: StoredFile): void {
    const { store, content } = this.#options
    const entry = entryAtPlace(store, place)
    if (entry?.body !== undefined) return
    try {
      if (entry === undefined) content.forget(place)
      else content.forgetFiles(place)
    } catch {
      // the disk is full: the next time
    }
  }

  /** What was opened since the last look. */
  async #look(): Promise<void> {
    const { store, content } = this.#options
    const turn = new Turn()
    while (this.#isStarted && store.isOpen) {
      const page = content.files({ after: this.#seen, limit: PAGE })
      this.#seen = page.at(-1)?.id ?? this.#seen
      for (const [, files] of Map.groupBy(page, ({ place }) => place)) {
        await turn.giveWay()
        if (this.#isStarted && store.isOpen) this.#want(files)
      }
      if (page.length < PAGE) return
    }
  }

  /** @param stored of one post */
  #want(stored: readonly StoredFile[]): void {
    const { blobs, open } = this.#options
    const missing = stored.filter(({ blob }) => !blobs.store.has(blob))
    const entry = missing.length === 0 ? undefined : this.#entryOf(missing[0])
    const post = entry && open(entry)
    if (post === undefined) return
    const names = new Set(missing.map(({ blob }) => toHex(blob)))
    for (const file of filesOf(post.body, { isSealed: true }))
      if (names.has(toHex(parseBlobId(file.id)))) blobs.want(this.wanted(entry!, post, file))
  }

  /** The entry that has a file, when its text is here and the user reads it: undefined where the file is of no use. */
  #entryOf({ place, num }: StoredFile): StoredEntry | undefined {
    const { store, people } = this.#options
    const entry = entryAtPlace(store, place)
    const group = this.#options.group(num)
    if (entry?.body === undefined || group === undefined || people.isBlocked(entry.feed)) return undefined
    const identity = people.identityOf(entry.feed)
    const isOwn = identity !== undefined && people.isSelf(identity)
    return isOwn || isRead(group) ? entry : undefined
  }
}

function isMember({ evaluator }: LocalGroup, person: string): boolean {
  return evaluator?.view().seats.has(person) === true
}

function isOpen({ evaluator }: LocalGroup): boolean {
  return evaluator?.log.create.reading === 'open'
}

/** Whether what others write to a group is read here: until it is left. What its log does not say yet ends nothing. */
function isRead(group: LocalGroup): boolean {
  return group.evaluator === undefined || isOpen(group) || isMember(group, group.identity)
}
