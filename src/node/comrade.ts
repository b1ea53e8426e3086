// What one running device offers to whoever embeds it, and to the local API: the shape of `createNode()`'s result.
import type { Libp2p } from '@libp2p/interface'
import type { Body } from '../feeds/index.ts'

/** An entry as people see it. Ids are CIDv1 strings, people are `did:key:…`, times are ISO 8601 UTC. */
export interface FeedItem {
  /** CIDv1 (raw, sha256 of the header, base32). */
  id: string
  /** The device's feed: its key as `did:key:…`. */
  feed: string
  seq: number
  /** The person whose device wrote it; the feed itself when its identity is not known. */
  author: string
  /** What to call the author here: petname, else claimed name, else a short key tag. Safe to print only after escaping. */
  name: string
  /** The author's claim, shown no later than the entry's arrival. */
  time: string
  /** The body's type, or 'erased' when its body was erased, or 'sealed'. */
  type: string
  text?: string
  tags?: string[]
  reply?: string
  root?: string
  group?: string
  /** The whole decoded body, for types that this program does not know. Absent when erased. */
  body?: Body
}

export interface Status {
  did: string
  device: string
  peerId: string
  addresses: string[]
  /** Connected now. */
  peers: number
  /** Feeds with at least one stored entry. */
  feeds: number
  /** All that are stored, of whomever. */
  entries: number
  /** Size of the store on disk, in bytes. */
  bytes: number
  uptimeMs: number
  version: string
  /** Why this device does not sign at the moment, if so. */
  paused?: string
}

export interface Profile {
  did: string
  device: string
  name?: string
  about?: string
}

export interface Peer {
  peerId: string
  did?: string
  name?: string
  address: string
  direction: 'inbound' | 'outbound'
  latencyMs?: number
  since: string
}

export type Relation = 'self' | 'friend' | 'followed' | 'blocked' | 'none'
export type StoreMode = 'all' | 'groups' | 'own' | 'none'

export interface Contact {
  did: string
  /** Petname, else claimed name, else a short key tag. */
  name: string
  /** The name that the contact's own profile claims. */
  claimed?: string
  relation: Relation
  vouches: number
  groups: number
  /** When a device of theirs was last connected, or an entry of theirs last arrived. */
  lastSeen?: string
}

export interface ReadOptions {
  /** A did, or a person as {@link Contacts.find} understands it. Default: everybody who is followed, and oneself. */
  author?: string
  /** @default 50 */
  limit?: number
  /** Only entries older than this one (its id). */
  before?: string
  tag?: string
  /** Words, all of which must occur (full text). */
  search?: string
  /** Every body type is given when this is absent. */
  types?: string[]
  /** Go on with what arrives later, oldest first, after the stored ones (newest first). @default false */
  live?: boolean
  signal?: AbortSignal
}

export interface Published {
  id: string
  feed: string
  seq: number
}

export interface Feeds {
  /** Signs one entry; resolves when it is on the disk. The salt is added. */
  publish(body: Body, options?: { signal?: AbortSignal }): Promise<Published>
  /** Many at once under one signature; all or none. */
  publishAll(bodies: Body[], options?: { signal?: AbortSignal }): Promise<Published[]>
  /** Stored entries newest first, then, with `live`, what arrives. */
  read(options?: ReadOptions): AsyncIterable<FeedItem>
  /** undefined when nothing with that id is stored. */
  get(id: string): Promise<FeedItem | undefined>
  /** The entry, and all replies to the same root, oldest first. */
  thread(id: string): Promise<FeedItem[]>
  /** Asks every holder to drop the body of an own entry, and drops it here. */
  erase(id: string): Promise<{
    id: string
    erased: true
    /** holders that said they erased it, and known holders */ at: number
    of: number
  }>
  react(id: string, emoji: string): Promise<Published>
}

export interface Contacts {
  list(): Promise<Contact[]>
  follow(who: string): Promise<Contact>
  unfollow(who: string): Promise<Contact>
  block(who: string): Promise<Contact>
  unblock(who: string): Promise<Contact>
  /** Gives a petname. */
  name(who: string, petname: string): Promise<Contact>
  /**
   * Finds a person by petname, did, or an unambiguous claimed name.
   * @throws NodeError WHO_UNKNOWN, WHO_AMBIGUOUS (message lists the choices)
   */
  find(who: string): Promise<Contact>
}

export interface Check {
  check: string
  ok: boolean
  detail: string
  todo?: string
}

export interface ComradeEvents {
  'peer:connect': CustomEvent<{ peerId: string; did?: string }>
  'peer:disconnect': CustomEvent<{ peerId: string; did?: string }>
  entry: CustomEvent<FeedItem>
  /** A feed was frozen because it was written by two machines, or this device's own must not sign. */
  warning: CustomEvent<{ code: string; message: string; feed?: string }>
}

export interface Comrade {
  readonly identity: { readonly did: string; readonly device: string }
  readonly home: string
  /** Given once, by the `createNode` that made the identity; the words are not stored. */
  readonly recoveryPhrase: string | undefined
  readonly peerId: string
  readonly addresses: string[]
  readonly feeds: Feeds
  readonly contacts: Contacts
  readonly libp2p: Libp2p

  start(): Promise<void>
  /** Leaves cleanly within 3 s. May be called twice. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>

  status(): Promise<Status>
  profile(change?: { name?: string; about?: string }): Promise<Profile>
  peers(): Promise<Peer[]>
  connect(multiaddr: string, options?: { signal?: AbortSignal }): Promise<void>
  storeMode(mode?: StoreMode): Promise<{ store: StoreMode; quota: number; used: number }>
  quota(bytes?: number): Promise<{ store: StoreMode; quota: number; used: number }>
  exportTo(file: string, who?: string[]): Promise<{ entries: number; bytes: number }>
  importFrom(file: string): Promise<{ entries: number; bytes: number }>
  doctor(): Promise<Check[]>

  addEventListener<K extends keyof ComradeEvents>(
    type: K,
    listener: (event: ComradeEvents[K]) => void,
    options?: { signal?: AbortSignal }
  ): void
  removeEventListener<K extends keyof ComradeEvents>(type: K, listener: (event: ComradeEvents[K]) => void): void
}

/** What the node layer refuses. `code` is stable; the message says what was expected and what was there. */
export type NodeErrorCode =
  | 'HOME_IN_USE' // exit 75
  | 'LOCKED' // a passphrase is needed: exit 4
  | 'KEYS_EXPOSED'
  | 'BAD_INPUT' // exit 2
  | 'WHO_UNKNOWN'
  | 'WHO_AMBIGUOUS'
  | 'NOT_FOUND'
  | 'NOT_OWN'
  | 'NOT_RUNNING' // exit 69
  | 'SIGNING_PAUSED'
  | 'DISK_FULL'
  | 'UNREACHABLE'
  | 'TIMEOUT'
  | 'FAILED'

export class NodeError extends Error {
  override name = 'NodeError'
  readonly code: NodeErrorCode

  constructor(code: NodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
