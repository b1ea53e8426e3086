// What one running device offers to whoever embeds it, and to the local API: the shape of `createNode()`'s result.
import type { Libp2p } from '@libp2p/interface'
import type { Body, Sentence } from '../feeds/index.ts'
import type { NameNote } from '../trust/index.ts'
import type {
  AttachmentOptions,
  AttachmentSource,
  FileProgress,
  Files,
  OpenedAttachment,
  PostFile,
  PostFileOptions,
  SavedFile
} from './blobs/contract.ts'
import type { GroupEvent, Groups } from './groups/contract.ts'
import type { Message, Messages } from './messages/contract.ts'

export type * from './blobs/contract.ts'
export type * from './groups/contract.ts'
export type * from './messages/contract.ts'

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
  /** What may mislead about the name, when it is one that the author claims. Empty: nothing. */
  warnings: NameNote[]
  /** The author's claim, shown no later than the entry's arrival. */
  time: string
  /** The body's type, or 'erased' when its body was erased, or 'sealed'. */
  type: string
  text?: string
  tags?: string[]
  reply?: string
  root?: string
  /** Files that belong to it. */
  files?: PostFile[]
  /** Whom it speaks to, at most 32. Where in the text each is meant, `mentionParts()` says. */
  mentions?: Mention[]
  /** Of a post: when its holders drop the text, ISO 8601. */
  expires?: string
  /** Why an erased entry has no text: at its author's wish, its time was over, or (here or elsewhere) for lack of room. */
  gone?: 'erased' | 'expired' | 'dropped'
  /** Of a post: what people reacted with, the most frequent first; each person counts once for an emoji. */
  reactions?: ReactionCount[]
  /** Of a post: how many replies are stored here. */
  replies?: number
  /** Id of the group that it was written to, which this device could open it for. */
  group?: string
  /** The whole decoded body, for types that this program does not know. Absent when erased. */
  body?: Body
}

/** Somebody whom a post mentions. */
export interface Mention {
  did: string
  /** As {@link Contact.name}; of somebody who is not known here, what the author calls them, with their key tag. */
  name: string
  /** As {@link Contact.warnings}. */
  warnings: NameNote[]
}

/** An entry of a thread. */
export interface ThreadItem extends FeedItem {
  /** What it answers, or what began its thread, where that cannot be shown. */
  missing: MissingEntry[]
}

/** An entry that cannot be shown, and why. */
export interface MissingEntry {
  id: string
  reason: MissingReason
  /** Whose it is, where that is known. */
  author?: string
  name?: string
}

/**
 * Why an entry is not here. 'fetching': friends are being asked. 'absent': nobody who is connected has it, or gives it.
 * 'unfollowed': of somebody who is not followed, and who is connected has lost the text. 'blocked': of somebody who is
 * blocked. 'erased', 'expired': a friend says that its text is gone for that. 'sealed': to a group, and this device cannot
 * open it. 'revoked': by a device after it was ended. 'store', 'quota': this node keeps nothing more of other people.
 */
export type MissingReason =
  | 'fetching'
  | 'absent'
  | 'unfollowed'
  | 'blocked'
  | 'erased'
  | 'expired'
  | 'sealed'
  | 'revoked'
  | 'store'
  | 'quota'

/** How many people reacted to an entry in one way. */
export interface ReactionCount {
  emoji: string
  count: number
  /** Whether this user is one of them. */
  isOwn: boolean
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
  /** Whether there can be private messages on this machine; if not, why. */
  messages: { available: boolean; reason?: string; sentence?: Sentence }
  /** How far what others wrote has come. */
  sync: SyncStatus
  /** Why this device does not sign at the moment, if so; and the same as a sentence. */
  paused?: string
  pause?: Sentence
}

export interface Profile {
  did: string
  device: string
  name?: string
  about?: string
}

/** A device that is connected, once, however many connections there are with it. */
export interface Peer {
  peerId: string
  /** Absent for whoever is not known. */
  did?: string
  name?: string
  /** How one stands with that person; 'self' for one's own other devices. */
  relation?: Relation
  /** What one's own other device is called. */
  device?: string
  /** Of the connection that is used: a direct one, where there is one. The same of `direction` and `latencyMs`. */
  address: string
  direction: 'inbound' | 'outbound'
  latencyMs?: number
  /** Since when there has been a connection without a break. */
  since: string
  /** Through whom the connection leads, when no direct one is open; without a `peerId` when that cannot be told. */
  through?: { peerId?: string; did?: string; name?: string }
  /** How many connections are open. */
  connections: number
  /** This device waits at that one to be reached by others. */
  isRelay: boolean
  /** Absent while no feeds are exchanged, as with whoever speaks another protocol. */
  sync?: PeerSync
}

/** How far feeds have come between this device and a peer. */
export interface PeerSync {
  /** 'comparing': both find out what differs. 'current': all that the peer said it has is here. */
  state: 'comparing' | 'fetching' | 'current'
  /** Feeds that both keep. */
  feeds: number
  /** Entries that came since they were connected, and that went. */
  received: number
  sent: number
  /** Entries that are still to come from there, as many as the peer says it has. */
  missing: number
  /** When the two were compared, or an entry last went either way. */
  last?: string
}

/** The same of all who are connected. */
export interface SyncStatus {
  /** Devices that are compared with, fetched from, and that have nothing more to give. */
  comparing: number
  fetching: number
  current: number
  /** People, other than oneself, of whom a device has nothing more to give. */
  people: number
  /** Entries that came from others since the start. */
  received: number
  /** Entries that are still to come. */
  missing: number
  /** Files that are being fetched now, and their bytes; `waiting` are those that nobody is asked for now. */
  files: { fetching: number; waiting: number; have: number; size: number }
  last?: string
}

export type Relation = 'self' | 'friend' | 'followed' | 'blocked' | 'none'
export type StoreMode = 'all' | 'groups' | 'own' | 'none'

/** What is stored of some feeds. */
export interface Usage {
  /** Feeds of which something is stored. */
  feeds: number
  bytes: number
  /** What they may take, where that is less than all of the quota. */
  quota?: number
}

/** The same of the feeds at one distance. */
export interface DistanceUsage extends Usage {
  /** 0: one's own, 1: of people who are followed, 2: of whom friends follow. */
  distance: 0 | 1 | 2
}

/** What is stored of one person. */
export interface PersonUsage {
  did: string
  /** As {@link Contact.name}. */
  name: string
  /**
   * Why, at the least distance: it is one's own, of somebody who is followed, of a member of a group, of somebody whom a
   * friend follows, or no longer wanted; 'messages': there are only files of private messages.
   */
  kept: 'own' | 'followed' | 'group' | 'far' | 'unwanted' | 'messages'
  entries: number
  /** Of entries, and on the disk of the files of their posts and messages. */
  bytes: number
  files: number
}

export interface Space {
  store: StoreMode
  /** Bytes that other people's data may take, and takes. */
  quota: number
  used: number
  distances: DistanceUsage[]
  /** Of members of groups who are not followed. */
  groups: Usage
  /** Of `used`: bytes of feeds that are no longer wanted, kept as long as there is room. */
  unwanted: number
  /**
   * Bytes that the files of posts and messages take, one's own too. They are not part of `used`: others' files that nobody
   * asked for come only as long as all files take less than a tenth of the quota.
   */
  files: number
  /** The 100 of whom most is stored, whoever takes most first; oneself too. */
  people: PersonUsage[]
  /** Of all further people. */
  others: { people: number; bytes: number; files: number }
}

/** Settings that can be changed while the node runs. */
export type SettingKey = 'privacy' | 'shareContacts' | 'readReceipts' | 'mailboxes' | 'relay' | 'directory'

export interface SettingState {
  key: SettingKey
  /** As config.json has it, else the default. */
  value: string | boolean
  /** Chosen by the user. */
  isSet: boolean
  default: string | boolean
  choices: (string | boolean)[]
  /** What the running node goes by. Where that is another value, the new one holds from the next start on. */
  inUse: string | boolean
  /** What it is for. */
  about: string
}

export interface Contact {
  did: string
  /** Petname, else claimed name, else a short key tag. */
  name: string
  /** The name that the contact's own profile claims. */
  claimed?: string
  /** What may mislead about that name; empty when the user gave another. */
  warnings: NameNote[]
  relation: Relation
  /** How often they were vouched for, in all groups together that this user is a member of too. */
  vouches: number
  /** In how many of these groups they are. */
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
  /** Only posts that mention this person: a did, or whoever {@link Contacts.find} finds by it. */
  mentions?: string
  /** Words, all of which must occur (full text). */
  search?: string
  /**
   * Only what was written to this group, by its name, id or link. Without it, posts to groups are not given. With
   * `search` and `tag` all of its posts are opened, one after the other.
   */
  group?: string
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

export interface PublishOptions {
  group?: string
  /** Up to 16 files, of 1 byte to 64 MiB each; to a post to everybody only. */
  files?: AttachmentSource[]
  signal?: AbortSignal
}

export interface Feeds {
  /**
   * Signs one entry; resolves when it is on the disk. The salt is added. What answers or reacts to a post to a group is
   * sealed for that group. `mentions` of a post, at most 32, may name people as {@link Contacts.find} understands them;
   * where the text has `@` and that name, or `@` and what they are called here, each reader sees their own name for them.
   * @param options.group name, id or link of a group: sealed for who may read there
   * @throws NodeError NOT_FOUND, WHO_AMBIGUOUS; NOT_OWN when one is no member; WHO_UNKNOWN; BAD_INPUT
   */
  publish(body: Body, options?: PublishOptions): Promise<Published>
  /** Many at once under one signature; all or none, and all of them to one group or to none. */
  publishAll(bodies: Body[], options?: PublishOptions): Promise<Published[]>
  /** Stored entries newest first, then, with `live`, what arrives. */
  read(options?: ReadOptions): AsyncIterable<FeedItem>
  /** undefined when nothing with that id is stored. */
  get(id: string): Promise<FeedItem | undefined>
  /**
   * All that is known of the thread that an entry is part of, oldest first. What is answered in it and is not here is asked
   * of connected friends.
   * @param options.waitMs how long that is waited for; it goes on behind @default 1,000
   * @throws NodeError NOT_FOUND when the entry is not here, and nobody has it
   */
  thread(id: string, options?: { waitMs?: number }): Promise<ThreadItem[]>
  /** Asks every holder to drop the body of an own entry, and drops it here. */
  erase(id: string): Promise<{
    id: string
    erased: true
    /** holders that said they erased it, and known holders */ at: number
    of: number
  }>
  react(id: string, emoji: string): Promise<Published>
  /**
   * Waits until the files of a post are here, and opens them. They come from connected friends who have them.
   * @throws NodeError NOT_FOUND when nothing with that id is stored, or it has no such files; whatever `signal` was aborted
   * with
   */
  attachments(id: string, options?: PostFileOptions): Promise<OpenedAttachment[]>
  /**
   * Writes the files of a post, once they are here.
   * @param path absolute: of a directory, or, when the post has one file, of a file that is not there yet
   * @throws NodeError NOT_FOUND when nothing with that id is stored, or it has no files; BAD_INPUT
   */
  save(id: string, path: string, options?: AttachmentOptions): Promise<SavedFile[]>
}

/** Coming to know people; part of {@link Contacts}. */
export interface Meetings {
  /**
   * Makes an invite: a link with a one-time secret. Handing it to somebody is this user's yes to the first who brings it.
   * @param options.expiresInMs @default 86_400_000, a day
   * @param options.ask do not say yes by it: whoever brings it is listed in {@link requests} until `accept` @default false
   * @throws NodeError BAD_INPUT
   */
  invite(options?: { expiresInMs?: number; ask?: boolean }): Promise<Invite>
  /**
   * Whom a link or a did is about; nobody is asked for it.
   * @throws NodeError BAD_INPUT (mangled, one's own, blocked), EXPIRED
   */
  look(linkOrDid: string): Promise<Contact>
  /**
   * Meets whoever made a link, or asks a person, found by the directory, to make one's acquaintance.
   * @param options.name petname to give them
   * @throws NodeError BAD_INPUT (mangled, or one's own), USED, EXPIRED, DECLINED, UNREACHABLE, NOT_FOUND, BUSY
   */
  meet(linkOrDid: string, options?: { name?: string; signal?: AbortSignal }): Promise<Meeting>
  /** Who wants to make this user's acquaintance, was introduced, or was asked and has not answered; newest first. */
  requests(): Promise<MeetingRequest[]>
  /** @throws NodeError NOT_FOUND when there is no such request */
  accept(who: string, options?: { name?: string; signal?: AbortSignal }): Promise<Meeting>
  /** The other side is not told. @throws NodeError NOT_FOUND when there is no such request */
  decline(who: string): Promise<Meeting>
  /** Hands two of one's contacts each other's identity. @throws NodeError BAD_INPUT, BUSY */
  introduce(one: string, other: string): Promise<void>
}

export interface Contacts extends Meetings {
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

export interface Invite {
  /** `comrade:meet/…` */
  link: string
  /** ISO 8601. */
  expires: string
}

export interface Meeting {
  did: string
  name: string
  /** 'requested': the other side has not decided yet. */
  state: 'met' | 'requested' | 'declined'
}

export interface MeetingRequest {
  did: string
  /** As {@link Contact.name}. */
  name: string
  /** As {@link Contact.warnings}. */
  warnings: NameNote[]
  /** 'asks': they want to meet. 'introduced': a contact says that one should meet them. 'asked': by this user. */
  kind: 'asks' | 'introduced' | 'asked'
  /** How many of one's contacts say that they know this key. */
  inCommon: number
  /** Names of the contacts who introduced them. */
  by: string[]
  time: string
  expires: string
}

export interface Resolved {
  did: string
  devices: { peerId: string; addresses: string[] }[]
  /** Where the answer came from. */
  source: 'cache' | 'dht' | 'friend'
  ms: number
}

export interface Directory {
  /**
   * Finds where a person's devices are, without telling the network who is asked for.
   * @throws NodeError NOT_FOUND when nobody answers with a record, BAD_INPUT when it is not a did
   */
  resolve(did: string, options?: { signal?: AbortSignal }): Promise<Resolved>
}

export interface DeviceInfo {
  /** `did:key:…` of the device's feed. */
  device: string
  name: string
  /** 'this': the device that is asked; 'active': another one of this identity. */
  state: 'this' | 'active' | 'revoked'
}

export interface Devices {
  list(): Promise<DeviceInfo[]>
  /**
   * Makes a link with which a new device joins this identity, once and within 15 minutes: see `joinIdentity()`.
   * @throws NodeError NOT_OWN on a device that does not hold the root key; SIGNING_PAUSED; FAILED when there are as many
   *   devices as an identity can ever have
   */
  invite(): Promise<Invite>
  /**
   * Ends a device: what it has written up to now still counts, nothing after it does.
   * @param device its did, or a name that only one has
   * @throws NodeError NOT_OWN on a device that does not hold the root key; BAD_INPUT for the device that is asked;
   *   NOT_FOUND; WHO_AMBIGUOUS; SIGNING_PAUSED
   */
  revoke(device: string): Promise<DeviceInfo>
}

/** What a running node examines; of {@link Check.check}. */
export type CheckName =
  | 'store'
  | 'disk'
  | 'signing'
  | 'identity log'
  | 'addresses'
  | 'peers'
  | 'reachable'
  | 'relay'
  | 'contacts'
  | 'contact'
  | 'directory'
  | 'messages'
  | 'quota'
  | 'config'

export interface Check {
  check: string
  ok: boolean
  /** What was found. */
  detail: string
  /** What can be done about it. */
  todo?: string
  /** What `detail` is made of. */
  sentences: Sentence[]
  /** What `todo` says. */
  advice?: Sentence
}

export interface ComradeEvents {
  'peer:connect': CustomEvent<{ peerId: string; did?: string }>
  'peer:disconnect': CustomEvent<{ peerId: string; did?: string }>
  entry: CustomEvent<FeedItem>
  /** Somebody wants to make this user's acquaintance, or was introduced by a contact. */
  request: CustomEvent<MeetingRequest>
  /** This user and somebody else have both said that they want to know each other. */
  met: CustomEvent<Meeting>
  /** Something has happened in a group. */
  group: CustomEvent<GroupEvent>
  /** A private message came or was written, or its state changed. */
  message: CustomEvent<Message>
  /** What others wrote has come further, or all of it is here. At most once in half a second. */
  sync: CustomEvent<SyncStatus>
  /** A file of somebody else's has come further; told some times a second at most. */
  file: CustomEvent<FileProgress>
  /** A feed was frozen because it was written by two machines, or this device's own must not sign. */
  warning: CustomEvent<{ code: string; message: string; sentence: Sentence; feed?: string }>
}

export interface Comrade {
  readonly identity: { readonly did: string; readonly device: string }
  readonly home: string
  /**
   * Given by the `createNode` that made the identity; the words are not stored. With `keepsRecoveryPhrase` they are, and are given
   * at every start. In both cases until {@link forgetRecoveryPhrase}.
   */
  readonly recoveryPhrase: string | undefined
  readonly peerId: string
  readonly addresses: string[]
  readonly feeds: Feeds
  readonly contacts: Contacts
  readonly devices: Devices
  readonly directory: Directory
  readonly groups: Groups
  readonly messages: Messages
  readonly files: Files
  readonly libp2p: Libp2p

  start(): Promise<void>
  /** Leaves cleanly within 3 s. May be called twice. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>

  /** The user has put the recovery phrase by: it is given no more, and is deleted where it was kept. */
  forgetRecoveryPhrase(): void
  status(): Promise<Status>
  profile(change?: { name?: string; about?: string }): Promise<Profile>
  peers(): Promise<Peer[]>
  connect(multiaddr: string, options?: { signal?: AbortSignal }): Promise<void>
  /** Keeps more or less of other people's data from now on; what is no longer covered is deleted, behind when it is much. */
  storeMode(mode?: StoreMode): Promise<Space>
  /** How much other people's data may take, in bytes. */
  quota(bytes?: number): Promise<Space>
  /** The settings that can be changed while the node runs. */
  settings(): Promise<SettingState[]>
  /**
   * Changes one of them, and config.json.
   * @param value undefined takes the user's choice away
   * @throws NodeError BAD_INPUT, DISK_FULL
   */
  configure(key: SettingKey, value: string | boolean | undefined): Promise<SettingState>
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

/** What the node says as a code with values, beside the English text. */
export type { Sentence, SentenceValue } from '../feeds/index.ts'
export type { SentenceCode } from './sentence-codes.ts'

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
  | 'USED' // an invite that somebody else has used
  | 'EXPIRED'
  | 'DECLINED'
  | 'BUSY' // asked too often
  | 'UNAVAILABLE' // needs what cannot be loaded on this machine
  | 'FAILED'

export class NodeError extends Error {
  override name = 'NodeError'
  readonly code: NodeErrorCode
  /** What the message says, where it has a code of its own. */
  readonly sentence: Sentence | undefined

  constructor(code: NodeErrorCode, said: string | Sentence, options?: ErrorOptions) {
    super(typeof said === 'string' ? said : said.text, options)
    this.code = code
    this.sentence = typeof said === 'string' ? undefined : said
  }
}
