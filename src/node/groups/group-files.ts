// Files of posts to groups: fetched from members when a post that has them was opened, given to members, and kept as long as
// the post can be read. Which blobs these are is noted; their keys are in the posts only, which stay sealed.
import { setImmediate } from 'node:timers/promises'
import { parseBlobId, sealedSize } from '../../blobs/index.ts'
import { entryAtPlace, feedOfPlace, type FeedStore, type StoredEntry } from '../../feeds/index.ts'
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
/** Files that are looked at before the event loop gets its turn. */
const PAGE = 64
/** Posts that have the same blob, of which it is asked whether they can be read. */
const MAX_POSTS = 64

export interface GroupFilesOptions {
  store: FeedStore
  content: ContentStore
  reader: PostReader
  people: People
  blobs: Pick<Blobs, 'addUser' | 'want' | 'store'>
  /** By its number here; undefined when it was forgotten. */
  group: (num: number) => LocalGroup | undefined
  /** What an entry says that was opened before. */
  open: (entry: StoredEntry) => OpenedPost | undefined
}

export class GroupFiles {
  readonly #options: GroupFilesOptions
  #seen = 0
  #isStarted = false
  #timer: NodeJS.Timeout | undefined
  readonly #lookSoon = (): void => {
    if (!this.#isStarted) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#look()
    }, LOOK_DELAY_MS).unref()
  }

  constructor(options: GroupFilesOptions) {
    this.#options = options
    options.reader.events.on('opened', this.#lookSoon)
    options.blobs.addUser(() => this.#used())
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
  wanted({ group }: Pick<OpenedPost, 'group'>, { id, size }: PostedFile): WantedBlob {
    const whole = sealedSize(size)
    return {
      ...{ id: parseBlobId(id), size: whole, by: `group ${group.num} ${whole}` },
      isAt: (person) => isMember(group, person)
    }
  }

  /**
   * Whether a post that can be read here has this blob, to a group that this person reads.
   * @param person undefined: nobody who is known, who reads open groups only
   */
  isOfGroupWith(person: string | undefined, blob: Uint8Array): boolean {
    const { content, group } = this.#options
    return content.filesIn(blob, MAX_POSTS).some((file) => {
      const of = group(file.num)
      if (of === undefined || this.#entryOf(file) === undefined) return false
      return isOpen(of) || (person !== undefined && isMember(of, person))
    })
  }

  /** Who wrote the posts that files belong to: root keys by the blob's id in hexadecimal digits. */
  authors(): Map<string, Uint8Array> {
    const { content, store, people } = this.#options
    const authors = new Map<string, Uint8Array>()
    for (const { place, blob } of content.files({ after: 0, limit: -1 })) {
      const feed = store.feedByNumber(feedOfPlace(place))
      if (feed !== undefined) authors.set(toHex(blob), people.identityOf(feed.key) ?? feed.key)
    }
    return authors
  }

  async #used(): Promise<Uint8Array[]> {
    const used: Uint8Array[] = []
    for await (const page of this.#pages(0))
      for (const file of page) {
        if (this.#entryOf(file) !== undefined) used.push(file.blob)
        else this.#forgetGone(file)
      }
    return used
  }

  #forgetGone({ place }: StoredFile): void {
    const { store, content } = this.#options
    if (entryAtPlace(store, place)?.body !== undefined) return
    try {
      content.forgetFiles(place)
    } catch {
      // the disk is full: the next time
    }
  }

  /** What was opened since the last look. */
  async #look(): Promise<void> {
    try {
      for await (const page of this.#pages(this.#seen)) {
        if (!this.#isStarted) return
        for (const file of page) this.#want(file)
        this.#seen = page.at(-1)!.id
      }
    } catch {
      this.#lookSoon() // the disk is full, or the store was closed
    }
  }

  async *#pages(after: number): AsyncGenerator<StoredFile[]> {
    const { store, content } = this.#options
    while (store.isOpen) {
      const page = content.files({ after, limit: PAGE })
      if (page.length > 0) yield page
      if (page.length < PAGE) return
      after = page.at(-1)!.id
      await setImmediate()
    }
  }

  #want(stored: StoredFile): void {
    const { blobs, open } = this.#options
    if (blobs.store.has(stored.blob)) return
    const entry = this.#entryOf(stored)
    const post = entry && open(entry)
    const files = post === undefined ? [] : filesOf(post.body, { isSealed: true })
    const name = toHex(stored.blob)
    const file = files.find(({ id }) => toHex(parseBlobId(id)) === name)
    if (file !== undefined) blobs.want(this.wanted(post!, file))
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
