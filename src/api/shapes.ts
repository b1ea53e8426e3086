// What the API gives out: the promised fields, always all of them (null where there is nothing), and JSON only.
import type {
  Contact,
  FeedItem,
  FileProgress,
  MeetingRequest,
  MissingReason,
  Mention,
  Peer,
  PeerSync,
  PostFile,
  Profile,
  ReactionCount,
  Sentence,
  Status,
  SyncStatus,
  ThreadItem,
  Upload
} from '../node/comrade.ts'

export type { CheckName, Sentence, SentenceCode, SentenceValue } from '../node/comrade.ts'
export type { ErrorCode } from './status.ts'

/** Entries that people write for people. The rest is for programs: profiles, identity logs, what is sealed, unknown types. */
export const READABLE_TYPES = ['post', 'reaction', 'erased']

/** An entry as `feed`, `show` and the `entry` event give it. `show` adds `body`. */
export interface EntryShape {
  id: string
  feed: string
  seq: number
  author: string
  name: string
  warnings: WarningShape[]
  time: string
  type: string
  text: string | null
  tags: string[]
  reply: string | null
  root: string | null
  group: string | null
  files: FileShape[]
  mentions: MentionShape[]
  /** How many replies are stored, and what people reacted with; of posts. */
  replies: number
  reactions: ReactionCount[]
  /** When its holders drop the text. */
  expires: string | null
  /** Why an erased entry has no text. */
  gone: 'erased' | 'expired' | 'dropped' | null
}

/** The same in a thread. */
export interface ThreadEntryShape extends EntryShape {
  missing: MissingShape[]
}

/** What is answered in a thread, or began it, and cannot be shown. */
export interface MissingShape {
  id: string
  reason: MissingReason
  author: string | null
  name: string | null
}

/** Somebody whom a post mentions. */
export interface MentionShape {
  did: string
  name: string
  warnings: WarningShape[]
}

/** A file of a post or a message. */
export interface FileShape {
  /** Of its blob. */
  id: string
  name: string
  size: number
  mime: string | null
  alt: string | null
  isHere: boolean
}

/** How far a file of somebody else's has come; in JSON as it is. */
export type FileProgressShape = FileProgress

/** A file that was handed over to be attached. */
export interface UploadShape {
  id: string
  name: string
  size: number
  mime: string | null
  expires: string
}

export interface ProfileShape {
  did: string
  device: string
  name: string | null
  about: string | null
}

export interface PeerShape {
  peerId: string
  did: string | null
  name: string | null
  relation: Contact['relation'] | null
  device: string | null
  address: string
  direction: 'inbound' | 'outbound'
  latencyMs: number | null
  since: string
  relayed: boolean
  through: { peerId: string | null; did: string | null; name: string | null } | null
  connections: number
  isRelay: boolean
  sync: (Omit<PeerSync, 'last'> & { last: string | null }) | null
}

/** What may mislead about a name that somebody claims; did and name say whom it looks like. */
export interface WarningShape {
  warning: string
  did: string | null
  name: string | null
}

export interface ContactShape {
  did: string
  name: string
  claimed: string | null
  warnings: WarningShape[]
  relation: Contact['relation']
  vouches: number
  groups: number
  lastSeen: string | null
}

/** Who wants to meet; in JSON as it is, with all fields of its warnings. */
export type RequestShape = Omit<MeetingRequest, 'warnings'> & { warnings: WarningShape[] }

/** How every failure is told, by the API and by the command line: a stable code, and what it was. */
export interface ErrorShape {
  error: {
    code: string
    message: string
    /** What the message says, where that has a code of its own. */
    sentence?: Sentence
  }
}

/** Status has all its fields by itself; `paused` stands there only when this device does not sign. */
export interface StatusShape extends Omit<Status, 'sync'> {
  sync: SyncShape
}

export type SyncShape = Omit<SyncStatus, 'last'> & { last: string | null }

/** These have their fields by themselves: what is optional in them is absent where there is nothing. */
export type {
  Check as CheckShape,
  Invite as InviteShape,
  Meeting as MeetingShape,
  SettingState as SettingShape,
  Space as SpaceShape
} from '../node/comrade.ts'

export function entryShape({
  id,
  feed,
  seq,
  author,
  name,
  warnings,
  time,
  type,
  text,
  tags,
  reply,
  root,
  group,
  files = [],
  mentions = [],
  replies = 0,
  reactions = [],
  expires,
  gone
}: FeedItem): EntryShape {
  return {
    id,
    feed,
    seq,
    author,
    name,
    warnings: warnings.map(warningShape),
    time,
    type,
    text: text ?? null,
    tags: tags ?? [],
    reply: reply ?? null,
    root: root ?? null,
    group: group ?? null,
    files: files.map(fileShape),
    mentions: mentions.map(mentionShape),
    replies,
    reactions,
    expires: expires ?? null,
    gone: gone ?? null
  }
}

function mentionShape({ did, name, warnings }: Mention): MentionShape {
  return { did, name, warnings: warnings.map(warningShape) }
}

export function fileShape({ id, name, size, mime, alt, isHere }: PostFile): FileShape {
  return { id, name, size, mime: mime ?? null, alt: alt ?? null, isHere }
}

export function uploadShape({ id, name, size, mime, expires }: Upload): UploadShape {
  return { id, name, size, mime: mime ?? null, expires }
}

export function threadEntryShape({ missing, ...entry }: ThreadItem): ThreadEntryShape {
  return {
    ...entryShape(entry),
    missing: missing.map(({ id, reason, author, name }) => ({ id, reason, author: author ?? null, name: name ?? null }))
  }
}

export function profileShape({ did, device, name, about }: Profile): ProfileShape {
  return { did, device, name: name ?? null, about: about ?? null }
}

export function peerShape({ through, sync, ...peer }: Peer): PeerShape {
  const { peerId, did, name, relation, device, address, direction, latencyMs, since, connections, isRelay } = peer
  return {
    peerId,
    did: did ?? null,
    name: name ?? null,
    relation: relation ?? null,
    device: device ?? null,
    address,
    direction,
    latencyMs: latencyMs ?? null,
    since,
    relayed: through !== undefined,
    through: through === undefined ? null : throughShape(through),
    connections,
    isRelay,
    sync: sync === undefined ? null : { ...sync, last: sync.last ?? null }
  }
}

function throughShape({ peerId, did, name }: NonNullable<Peer['through']>): NonNullable<PeerShape['through']> {
  return { peerId: peerId ?? null, did: did ?? null, name: name ?? null }
}

export function statusShape({ sync, ...status }: Status): StatusShape {
  return { ...status, sync: syncShape(sync) }
}

export function syncShape({ last, ...sync }: SyncStatus): SyncShape {
  return { ...sync, last: last ?? null }
}

export function contactShape({
  did,
  name,
  claimed,
  warnings,
  relation,
  vouches,
  groups,
  lastSeen
}: Contact): ContactShape {
  return {
    did,
    name,
    claimed: claimed ?? null,
    warnings: warnings.map(warningShape),
    relation,
    vouches,
    groups,
    lastSeen: lastSeen ?? null
  }
}

export function requestShape(request: MeetingRequest): RequestShape {
  return { ...request, warnings: request.warnings.map(warningShape) }
}

export function warningShape({ warning, did, name }: Contact['warnings'][number]): WarningShape {
  return { warning, did: did ?? null, name: name ?? null }
}

/** Anything that was thrown. What has no code of this program is FAILED. */
export function errorShape(error: unknown): ErrorShape {
  if (!(error instanceof Error)) return { error: { code: 'FAILED', message: String(error) } }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'FAILED'
  const sentence = 'sentence' in error ? (error.sentence as Sentence | undefined) : undefined
  return { error: { code, message: error.message, ...(sentence === undefined ? {} : { sentence }) } }
}
