// What a node offers of people, and of coming to know them: the shape of `node.contacts`. Types only.
import type { NameNote } from '../../trust/index.ts'

export type Relation = 'self' | 'friend' | 'followed' | 'blocked' | 'none'

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
