// What a node offers of feeds: the shape of `node.feeds`, and of entries as people see them. Types only.
import type { Body } from '../../feeds/index.ts'
import type { NameNote } from '../../trust/index.ts'
import type {
  AttachmentOptions,
  AttachmentSource,
  OpenedAttachment,
  PostFile,
  PostFileOptions,
  SavedFile
} from '../blobs/contract.ts'

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

export interface PublishOptions {
  group?: string
  /** Up to 16 files, of 1 byte to 64 MiB each; to a post to everybody only. */
  files?: AttachmentSource[]
  signal?: AbortSignal
}

export interface Published {
  id: string
  feed: string
  seq: number
}
