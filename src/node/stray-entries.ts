// Entries that are answered by what is read here, and are not here: friends are asked for them, one by one, and what comes is
// kept by itself. A friend gives what everybody can see that it holds: what its user wrote, or answered. Bytes: docs/protocol.md.
import type { PeerId } from '@libp2p/interface'
import {
  bodyOf,
  decodeCbor,
  encodeCbor,
  entriesOf,
  entryById,
  FeedError,
  type FeedStore,
  FLAG_SEALED,
  isLinkedFrom,
  packFeed,
  packStray,
  type StoredEntry,
  type Stray,
  Strays,
  timeline,
  unpackFeed,
  unpackStray,
  whyGone
} from '../feeds/index.ts'
import { cleanClaim, type ContactRecord, displayName, evaluateIdentityLog, isCurrent } from '../trust/index.ts'
import type { FeedItem, MissingReason } from './comrade.ts'
import type { People } from './people.ts'
import { type Asker, MAX_MESSAGE_SIZE, type Message, type PeopleProtocol } from './people-protocol.ts'

/** Entries asked for with one question. */
const MAX_ASKED = 16
/** Entries looked for at a time: those of one thread take turns. */
const MAX_WANTED = 128
/** What is left of an answer's size for entries, in bytes. */
const MAX_ANSWER_SIZE = MAX_MESSAGE_SIZE - 4_096
/** An author's identity log and profile are given with an entry up to these sizes, in bytes. */
const MAX_LOG_SIZE = 32_768
const MAX_PROFILE_SIZE = 16_384
/** Questions in a row to one friend, whose answers were too full for all. */
const MAX_TURNS = 8
/** Friends who are asked for one entry. */
const MAX_FRIENDS = 16
/** After this time the same friend is asked for the same entry again, in ms. */
const ASK_AGAIN_MS = 10_000
/** Entries of which it is remembered who was asked. */
const MAX_REMEMBERED = 1_024

export interface StrayEntriesOptions {
  store: FeedStore
  people: People
  questions: () => PeopleProtocol
  /** Brings what is derived from entries up to date. */
  catchUp: () => Promise<void>
  /** Peers that are connected now. */
  connected: () => PeerId[]
  contactOf: (peer: PeerId) => ContactRecord | undefined
  /** Whether friends may know whom this user follows. */
  sharesContacts: () => boolean
  /** Whether other people's data may take more than it takes. */
  hasRoom: () => boolean
  /** A peer sent what no node of this program sends. */
  onFault: (peer: PeerId) => void
}

/** What is known of an entry that is not here. */
interface Outcome {
  reason: MissingReason
  /** Whose it is, where that was shown. */
  author?: Author
}

interface Search {
  /** When each friend was asked, Unix ms. */
  asked: Map<string, number>
  /** Friends who have not answered yet. */
  pending: number
  outcome?: Outcome
}

/** Whose a device is, as the identity's log shows. */
interface Author {
  root: Uint8Array
  claimed?: string
}

/** What a friend gives of an entry; nothing of it is checked. */
interface Given {
  id?: unknown
  packed?: unknown
  log?: unknown
  profile?: unknown
  gone?: unknown
}

export class StrayEntries {
  readonly #options: StrayEntriesOptions
  readonly #strays: Strays
  readonly #searches = new Map<string, Search>()
  readonly #authors = new WeakMap<StoredEntry, Author>()

  constructor(options: StrayEntriesOptions) {
    this.#options = options
    this.#strays = new Strays(options.store)
  }

  /** Answers friends from now on. */
  open(): void {
    this.#options.questions().answer('entries', (question, asker) => this.#answer(question, asker))
  }

  /** A stray that may be shown. */
  get(id: Uint8Array): StoredEntry | undefined {
    const stray = this.#strays.get(id, Date.now())
    return stray && this.#shown(stray)
  }

  /** Those that name this entry as their thread's root. */
  inThread(root: Uint8Array): StoredEntry[] {
    return this.#strays.inThread(root, Date.now()).flatMap((stray) => this.#shown(stray) ?? [])
  }

  /** The item with its author's name, when it is a stray's: those whom nobody here follows are not known otherwise. */
  named(item: FeedItem, entry: StoredEntry): FeedItem {
    const author = this.#authors.get(entry)
    if (author === undefined) return item
    const { files: _, ...rest } = item // they are not kept with it
    return { ...rest, ...this.#nameOf(author) }
  }

  /** Why an entry is not here, as far as friends have said. */
  outcomeOf(id: Uint8Array): { reason: MissingReason; author?: string; name?: string } | undefined {
    const search = this.#searches.get(hex(id))
    if (search === undefined) return undefined
    const isPending = search.pending > 0 || search.asked.size === 0
    const { reason, author } = isPending ? { reason: 'fetching' as const } : (search.outcome ?? {})
    if (reason === undefined) return undefined
    const named = author && this.#nameOf(author)
    return { reason, ...(named && { author: named.author, name: named.name }) }
  }

  /** Whether anybody may be asked: somebody who keeps nothing of others keeps no strays. */
  get mayFetch(): boolean {
    return this.#options.people.mode === 'all' && this.#options.hasRoom()
  }

  /**
   * Asks connected friends for these entries, some at a time; those first who are named. Each is asked once in ten seconds.
   * What is beyond the first 128 is not looked for.
   * @param first root keys
   * @returns whether one came
   */
  async fetch(ids: readonly Uint8Array[], first: ReadonlySet<string>): Promise<boolean> {
    if (!this.mayFetch) return false
    const friends = this.#options.connected().filter((peer) => isTrusted(this.#options.contactOf(peer)))
    const { near = [], rest = [] } = Object.groupBy(friends.slice(0, MAX_FRIENDS), (peer) =>
      first.has(hex(this.#options.contactOf(peer)!.key)) ? 'near' : 'rest'
    )
    const wanted = ids.slice(0, MAX_WANTED)
    if (friends.length > 0) for (const id of wanted) this.#searchOf(id)
    else this.#forgetUnasked(wanted)
    let isNews = false
    for (const peers of [near, rest]) {
      const left = wanted.filter((id) => this.get(id) === undefined)
      const came = await Promise.all(peers.map((peer) => this.#ask(peer, left)))
      isNews ||= came.includes(true)
    }
    return isNews
  }

  /** Lets go of what is too old. */
  tidy(): void {
    this.#strays.tidy(Date.now())
  }

  clear(): void {
    this.#strays.clear()
    this.#searches.clear()
  }

  /** Once its feed is kept, it is what it is there: its author may have erased it. */
  #shown({ entry, note }: Stray): StoredEntry | undefined {
    if (entryById(this.#options.store, entry.id) !== undefined) return undefined
    const { root, claimed } = decodeCbor(note) as { root?: Uint8Array; claimed?: string }
    if (this.#isBlocked(entry.feed, root) || !this.#options.people.isCurrent(entry)) return undefined
    if (root !== undefined) this.#authors.set(entry, { root, ...(claimed === undefined ? {} : { claimed }) })
    return entry
  }

  #nameOf({ root, claimed }: Author): Pick<FeedItem, 'author' | 'name' | 'warnings'> {
    const { contacts } = this.#options.people
    const record = contacts.get(root)
    const named = { ...record, claimed: record.claimed ?? claimed }
    return { author: record.did, name: displayName(named), warnings: contacts.names.notesOf(named) }
  }

  #isBlocked(feed: Uint8Array, root: Uint8Array | undefined): boolean {
    const { people } = this.#options
    return people.isBlocked(feed) || (root !== undefined && people.contacts.get(root).relation === 'blocked')
  }

  /** @returns whether something came */
  async #ask(peer: PeerId, ids: readonly Uint8Array[]): Promise<boolean> {
    const [name, now] = [peer.toString(), Date.now()]
    const isDue = (id: Uint8Array): boolean => (this.#searchOf(id).asked.get(name) ?? 0) + ASK_AGAIN_MS <= now
    const wanted = ids.filter(isDue).slice(0, MAX_ASKED)
    if (wanted.length === 0) return false
    const searches = wanted.map((id) => this.#searchOf(id))
    for (const search of searches) {
      search.asked.set(name, now)
      search.pending += 1
    }
    try {
      return await this.#askInTurns(peer, wanted)
    } catch {
      return false // it went away, or does not answer such questions
    } finally {
      for (const search of searches) search.pending -= 1
    }
  }

  async #askInTurns(peer: PeerId, ids: readonly Uint8Array[]): Promise<boolean> {
    const left = new Map(ids.map((id) => [hex(id), id]))
    let isNews = false
    for (let turn = 0; turn < MAX_TURNS && left.size > 0; turn += 1) {
      const question = { type: 'entries', ids: [...left.values()] }
      const { entries, more } = await this.#options.questions().ask(peer, question)
      const given = Array.isArray(entries) ? (entries as Given[]).slice(0, MAX_ASKED) : []
      const before = left.size
      for (const each of given) {
        const name = each?.id instanceof Uint8Array ? hex(each.id) : ''
        const id = left.get(name)
        left.delete(name)
        if (id !== undefined && this.#take(id, each, peer)) isNews = true
      }
      if (more !== true || left.size === before) break
    }
    return isNews
  }

  /** @returns whether the entry can be read now */
  #take(id: Uint8Array, given: Given, peer: PeerId): boolean {
    try {
      return this.#keep(id, given)
    } catch (error) {
      if (error instanceof FeedError && !['DISK_FULL', 'STORE_IO', 'STORE_CLOSED'].includes(error.code))
        this.#options.onFault(peer)
      return false
    }
  }

  #keep(id: Uint8Array, { packed, log, profile, gone }: Given): boolean {
    const { store } = this.#options
    if (!(packed instanceof Uint8Array)) throw new FeedError('RUN_FORMAT', 'an entry is given as bytes')
    const entry = unpackStray(packed, Date.now(), id)
    const author = log instanceof Uint8Array ? authorOf(entry, log, profile) : undefined
    const search = this.#searchOf(id)
    if (this.#isBlocked(entry.feed, author?.root)) {
      search.outcome = { reason: 'blocked', author }
      return false
    }
    if (!this.#options.people.isCurrent(entry)) {
      search.outcome = { reason: 'revoked', author }
      return false
    }
    if (entry.body === undefined) {
      search.outcome = { reason: this.#reasonOf(gone, author), author }
      return false
    }
    if (entryById(store, id) !== undefined) return true // its feed has come meanwhile
    if (bodyOf(entry)?.type !== 'post') return false
    this.#strays.add({ entry, packed, note: encodeCbor({ ...author }) })
    return true
  }

  /** A friend has the entry, and not its text. Who follows the author may find somebody who has. */
  #reasonOf(gone: unknown, author: Author | undefined): MissingReason {
    if (gone === 'erased' || gone === 'expired') return gone
    const isFollowed = author !== undefined && this.#options.people.contacts.get(author.root).relation === 'followed'
    return author === undefined || isFollowed ? 'absent' : 'unfollowed'
  }

  /** Nobody is there any more to be asked. */
  #forgetUnasked(ids: readonly Uint8Array[]): void {
    for (const name of ids.map(hex)) if (this.#searches.get(name)?.asked.size === 0) this.#searches.delete(name)
  }

  #searchOf(id: Uint8Array): Search {
    const name = hex(id)
    let search = this.#searches.get(name)
    if (search === undefined) {
      if (this.#searches.size >= MAX_REMEMBERED) this.#searches.delete(this.#searches.keys().next().value!)
      this.#searches.set(name, (search = { asked: new Map(), pending: 0 }))
    }
    return search
  }

  /** Whoever may not have an entry hears the same as when it is not here. */
  async #answer({ ids }: Message, { peerId }: Asker): Promise<Message> {
    const asker = this.#options.contactOf(peerId)
    if (!isTrusted(asker) || !Array.isArray(ids) || ids.length > MAX_ASKED) return { type: 'entries', entries: [] }
    await this.#options.catchUp()
    const mayHaveAll = asker?.relation === 'self' || (asker?.isFriend === true && this.#options.sharesContacts())
    const found = ids.flatMap((id) =>
      id instanceof Uint8Array && id.length === 32 ? (this.#given(id, mayHaveAll) ?? []) : []
    )
    let room = MAX_ANSWER_SIZE
    const entries = found.filter((each) => {
      const { length } = encodeCbor(each)
      if (length > room) return false
      room -= length
      return true
    })
    return { type: 'entries', entries, ...(entries.length < found.length ? { more: true } : {}) }
  }

  #given(id: Uint8Array, mayHaveAll: boolean): Record<string, unknown> | undefined {
    const { store, people } = this.#options
    const entry = entryById(store, id)
    const isOwn = entry !== undefined && this.#isSelf(entry.feed)
    const self = people.feedsOf(people.root)
    if (!isOwn && !mayHaveAll && !isLinkedFrom(store, id, self)) return undefined
    return entry === undefined ? this.#givenStray(id) : this.#givenEntry(entry)
  }

  #isSelf(feed: Uint8Array): boolean {
    const identity = this.#options.people.identityOf(feed)
    return identity !== undefined && this.#options.people.isSelf(identity)
  }

  #givenStray(id: Uint8Array): Record<string, unknown> | undefined {
    const stray = this.#strays.get(id, Date.now())
    if (stray === undefined || this.#shown(stray) === undefined) return undefined
    const { log, profile } = decodeCbor(stray.note) as { log?: Uint8Array; profile?: Uint8Array }
    return { id, packed: stray.packed, ...(log && { log }), ...(profile && { profile }) }
  }

  #givenEntry(entry: StoredEntry): Record<string, unknown> | undefined {
    const { store, people } = this.#options
    const isSealed = (entry.flags & FLAG_SEALED) !== 0
    if (isSealed || !people.isCurrent(entry) || people.isBlocked(entry.feed)) return undefined
    if (entry.body !== undefined && bodyOf(entry)?.type !== 'post') return undefined
    const packed = packStray(store, entry)
    if (packed === undefined) return undefined
    const gone = entry.body === undefined ? { gone: whyGone(store, entry.place) } : {}
    return { id: entry.id, packed, ...gone, ...this.#evidence(entry.feed) }
  }

  /** The author's identity log, and the newest of what they say about themselves. */
  #evidence(feed: Uint8Array): { log?: Uint8Array; profile?: Uint8Array } {
    const { store, people } = this.#options
    const identity = people.identityOf(feed)
    const kept = identity && store.feed(identity)
    if (kept === undefined || kept.height === 0 || kept.low !== 1) return {}
    const log = packFeed(store, kept)
    if (log.length > MAX_LOG_SIZE) return {}
    const [named] = timeline(store, { feeds: people.feedsOf(identity!), types: ['profile'], limit: 1 })
    const profile = named && packStray(store, named)
    return { log, ...(profile !== undefined && profile.length <= MAX_PROFILE_SIZE && { profile }) }
  }
}

/** Checks an identity log and a profile. @throws FeedError when the log is not valid, or is of somebody else */
function authorOf(
  entry: StoredEntry,
  log: Uint8Array,
  profile: unknown
): (Author & { log: Uint8Array; profile?: Uint8Array }) | undefined {
  if (log.length > MAX_LOG_SIZE) throw new FeedError('ARCHIVE_FORMAT', 'the identity log is too long')
  const runs = unpackFeed(log)
  const root = Uint8Array.from(runs[0].feed)
  const entries = runs.flatMap((run) => entriesOf(run)).map((each) => ({ seq: each.seq, body: bodyOf(each) }))
  const devices = evaluateIdentityLog(root, entries)
  const isOf = ({ feed, seq }: StoredEntry): boolean => {
    const device = devices.get(hex(feed))
    return device !== undefined && isCurrent(device, seq)
  }
  if (!isOf(entry)) throw new FeedError('ARCHIVE_FORMAT', 'the identity log does not name the device')
  if (!(profile instanceof Uint8Array)) return { root, log }
  const said = unpackStray(profile, entry.arrivedMs)
  const body = isOf(said) ? bodyOf(said) : undefined
  const claimed = body?.type === 'profile' && typeof body.name === 'string' ? cleanClaim(body.name) : undefined
  return claimed === undefined ? { root, log } : { root, log, profile, claimed }
}

function isTrusted(person: ContactRecord | undefined): boolean {
  return person?.relation === 'followed' || person?.relation === 'self'
}

function hex(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('hex')
}
