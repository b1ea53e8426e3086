// What members write to their groups: sealing it, opening it, and finding it again. The parts: keyring.ts (secrets),
// epoch-keeper.ts (new ones), post-reader.ts (entries as they arrive), content-store.ts (the disk).
import {
  type Body,
  encodeBody,
  entryAtPlace,
  entryById,
  feedOfPlace,
  type FeedStore,
  FLAG_SEALED,
  formatEntryId,
  type IsCounted,
  seqOfPlace,
  type StoredEntry,
  whyGone
} from '../../feeds/index.ts'
import { fromHex, type Hex, MAX_GROUP_BODY, openForGroup, sealForGroup } from '../../groups/index.ts'
import type { Blobs } from '../blobs/blobs.ts'
import { NodeError } from '../comrade.ts'
import type { People } from '../people.ts'
import { refuse } from '../refusal-sentences.ts'
import type { Vault } from '../vault.ts'
import { ContentStore, type PostsBefore } from './content-store.ts'
import { EpochKeeper } from './epoch-keeper.ts'
import { GroupFiles } from './group-files.ts'
import type { NodeGroups } from './groups.ts'
import { type GroupKey, Keyring } from './keyring.ts'
import type { LocalGroup } from './local-group.ts'
import { Mates } from './mates.ts'
import { OpenedEntries } from './opened-entries.ts'
import type { OpenedPost } from './opened-post.ts'
import { PostReader } from './post-reader.ts'

/** After the start: what others did meanwhile comes first. */
const START_WAIT_MS = 5_000
/** Entries of one thread that are looked up. */
const MAX_THREAD = 1_000

export interface GroupContentOptions {
  store: FeedStore
  vault: Vault
  people: People
  groups: NodeGroups
  blobs: Blobs
  /** Other people share a group with this device now. */
  onMates: () => void
  /** Ms that a device waits for another one to make an epoch. @default random, up to 2 s */
  epochDelay?: () => number
}

/** One group whose content this device reads or writes. */
interface Reading {
  group: LocalGroup
  keyring: Keyring
  keeper: EpochKeeper
  /** Members, as they were looked at last. */
  members: ReadonlySet<Hex>
  onChanged: () => void
}

export class GroupContent {
  readonly reader: PostReader
  readonly files: GroupFiles
  readonly #options: GroupContentOptions
  readonly #store: ContentStore
  readonly #readings = new Map<number, Reading>()
  readonly #mates: Mates
  /** A reader looks at an entry several times. */
  readonly #opened = new WeakMap<StoredEntry, OpenedPost | undefined>()
  readonly #onAdded = (group: LocalGroup): void => this.#add(group)
  readonly #onRemoved = (group: LocalGroup): void => this.#remove(group)

  /** @param options.groups those that are stored were read before */
  constructor(options: GroupContentOptions) {
    const { store, vault, people, groups, blobs, onMates } = options
    this.#options = options
    this.#store = new ContentStore(store, vault)
    this.reader = new PostReader({ store, content: this.#store, people, groups: () => this.#readings.values() })
    this.files = new GroupFiles({
      ...{ store, content: this.#store, reader: this.reader, people, blobs },
      group: (num) => this.#readings.get(num)?.group,
      open: (entry) => this.open(entry)
    })
    this.#mates = new Mates({
      groups: () => groups.all(),
      onChange: (mates) => {
        people.setGroups(mates)
        onMates()
      }
    })
    groups.events.on('added', this.#onAdded)
    groups.events.on('removed', this.#onRemoved)
    for (const group of groups.all()) this.#add(group, START_WAIT_MS)
  }

  close(): void {
    const { groups } = this.#options
    groups.events.off('added', this.#onAdded)
    groups.events.off('removed', this.#onRemoved)
    for (const { group } of [...this.#readings.values()]) this.#leave(group)
    this.files.stop()
    this.reader.close()
  }

  /** @throws NodeError NOT_FOUND, WHO_AMBIGUOUS */
  find(name: string): LocalGroup {
    return this.#options.groups.local(name)
  }

  /** What an entry says, when it is a post to a group that was found and can be opened; undefined for any other. */
  open(entry: StoredEntry): OpenedPost | undefined {
    if (entry.body === undefined || (entry.flags & FLAG_SEALED) === 0) return undefined
    if (!this.#opened.has(entry)) this.#opened.set(entry, this.#open(entry))
    return this.#opened.get(entry)
  }

  #open(entry: StoredEntry): OpenedPost | undefined {
    const found = this.#store.post(entry.place)
    const reading = found && this.#readings.get(found.num)
    const key = found && reading?.keyring.key(found.name)
    if (reading === undefined || key === undefined) return undefined
    const { group } = reading
    const body = openForGroup(entry.body!, entry.feed, { group: group.id, secret: key.secret })
    return body && { group, id: formatEntryId(group.id), body }
  }

  /** The group that an entry was written to, as far as it was found out, also when its body is gone. */
  groupOf({ place }: StoredEntry): LocalGroup | undefined {
    const found = this.#store.post(place)
    return found && this.#readings.get(found.num)?.group
  }

  /**
   * Seals bodies for entries of this device's feed.
   * @throws NodeError NOT_OWN (no member), FAILED, BAD_INPUT for a body that is too large or expires
   */
  seal(group: LocalGroup, bodies: readonly Body[], feed: Uint8Array): Uint8Array[] {
    const reading = this.#readings.get(group.num)
    if (reading === undefined) throw new NodeError('NOT_FOUND', refuse('refusal.groupForgotten'))
    const { secret } = reading.keeper.writersKey()
    for (const body of bodies) checkBody(body)
    return bodies.map((body) => sealForGroup(body, feed, { group: group.id, secret }))
  }

  /** An entry that this device has just written, by its id: what it names is in use from here on. */
  readOwn(id: Uint8Array): void {
    const entry = entryById(this.#options.store, id)
    if (entry !== undefined) this.reader.readOwn(entry)
  }

  /** A group's posts, newest first; fewer than `limit` only at the end. @param options.feeds only of these (numbers) */
  posts(group: LocalGroup, options: { before?: PostsBefore; limit: number; feeds?: Set<number> }): StoredEntry[] {
    const found: StoredEntry[] = []
    let { before } = options
    while (found.length < options.limit) {
      const page = this.#store.posts(group.num, { ...options, before })
      found.push(...this.#entries(page.map(({ place }) => place))) // some may not be kept any more
      if (page.length < options.limit) break
      before = page.at(-1)
    }
    return found.slice(0, options.limit)
  }

  /** Posts to groups that this device could open from now on, in the order in which it could. */
  opened(): OpenedEntries {
    return new OpenedEntries(this.reader, this.#options.store)
  }

  /** A group's posts that name this entry as the one that began their thread. */
  thread(group: LocalGroup, root: Uint8Array): StoredEntry[] {
    return this.#entries(this.#store.postsInThread(group.num, root, MAX_THREAD))
  }

  /** How often feeds have answered an entry in a group. */
  repliesByFeed(group: LocalGroup, id: Uint8Array, isCounted: IsCounted): { feed: Uint8Array; count: number }[] {
    const { store } = this.#options
    const byFeed = Map.groupBy(this.#store.repliesTo(group.num, id), feedOfPlace)
    return [...byFeed].flatMap(([num, places]) => {
      const feed = store.feedByNumber(num)?.key
      if (feed === undefined) return []
      const isShown = (place: number): boolean =>
        isCounted({ feed, seq: seqOfPlace(place) }) && whyGone(store, place) !== 'erased'
      return [{ feed, count: places.filter(isShown).length }]
    })
  }

  /** How feeds have reacted to an entry in a group. */
  reactionsByFeed(group: LocalGroup, id: Uint8Array, isCounted: IsCounted): { feed: Uint8Array; emoji: string }[] {
    return this.#entries(this.#store.reactionsTo(group.num, id)).flatMap((entry) => {
      const emoji = isCounted(entry) ? this.open(entry)?.body.emoji : undefined
      return typeof emoji === 'string' ? [{ feed: entry.feed, emoji }] : []
    })
  }

  #entries(places: readonly number[]): StoredEntry[] {
    return places.flatMap((place) => entryAtPlace(this.#options.store, place) ?? [])
  }

  /** @param waitMs how long no epoch is made, but to write */
  #add(group: LocalGroup, waitMs = 0): void {
    const keyring = new Keyring(group, this.#store, (keys) => this.#retry(group, keys))
    const keeper = new EpochKeeper({ group, keyring, waitMs, delay: this.#options.epochDelay })
    const onChanged = (): void => this.#onChanged(group)
    this.#readings.set(group.num, { group, keyring, keeper, members: new Set(), onChanged })
    group.events.on('changed', onChanged)
    this.#onChanged(group)
  }

  #leave(group: LocalGroup): void {
    const reading = this.#readings.get(group.num)
    if (reading === undefined) return
    reading.keeper.close()
    group.events.off('changed', reading.onChanged)
    this.#readings.delete(group.num)
  }

  #remove(group: LocalGroup): void {
    this.#leave(group)
    this.reader.forgetProgress() // the group may be opened again
    this.#mates.look()
  }

  /** Members may have come or gone, and epochs. */
  #onChanged(group: LocalGroup): void {
    const reading = this.#readings.get(group.num)
    if (reading === undefined || group.evaluator === undefined || !this.#options.store.isOpen) return
    const { keyring, keeper, members } = reading
    keyring.learn()
    const now = new Set([...group.evaluator.view().seats.keys(), group.identity])
    const added = [...now].filter((identity) => !members.has(identity)).map(fromHex)
    reading.members = now
    this.#mates.look()
    this.reader.readFeeds(added)
    this.reader.retry(group, keyring.keys, added)
    keeper.look()
  }

  /** What could not be opened may be now. */
  #retry(group: LocalGroup, keys: readonly GroupKey[]): void {
    const { members = [] } = this.#readings.get(group.num) ?? {}
    this.reader.retry(group, keys, [...members].map(fromHex))
  }
}

/** @throws NodeError BAD_INPUT, FeedError as encodeBody */
function checkBody(body: Body): void {
  if (body.expires !== undefined) throw new NodeError('BAD_INPUT', refuse('refusal.groupNoExpiry'))
  const { length } = encodeBody(body)
  if (length > MAX_GROUP_BODY)
    throw new NodeError('BAD_INPUT', refuse('refusal.groupLongPost', { max: MAX_GROUP_BODY, size: length }))
}
