// What a node offers of groups to whoever embeds it, and to the local API: the shape of `node.groups`.
import type { Sentence } from '../../feeds/index.ts'
import type { NameNote } from '../../trust/index.ts'

/** What this user is in a group. 'candidate': asked to join, or was proposed, and is no member yet. */
export type GroupRole = 'member' | 'candidate' | 'outside'

/** A group in short. Ids are CIDv1 strings as of entries. */
export interface GroupSummary {
  /** Of the group's first operation. Whoever knows it can fetch the group's log. */
  id: string
  /** As its founder named it, without `@`. Safe to print only after escaping. */
  name: string
  /** `comrade:group/…`, with which others open the group. */
  link: string
  /** How many members there are; 0 while the log has not arrived. */
  size: number
  /** Vouches that a candidate needs now. */
  quorum: number
  you: GroupRole
  /** Who reads what is written: whoever has the link, or members. */
  reading: 'open' | 'members'
}

export interface GroupMember {
  did: string
  /** What to call them here; safe to print only after escaping. */
  name: string
  warnings: NameNote[]
  /** How often they were vouched for when they joined; of a founder 0. */
  vouches: number
  /** How many of these vouches at least are by people who are members now. */
  atLeastNow: number
}

export interface GroupDetails extends GroupSummary {
  members: GroupMember[]
  /** How the quorum follows from the size: `isqrt`, `log2`, `constant:2`, `percent:10`. */
  rule: string
  /** Who carries for the others now, as far as this node knows; absent when nobody is online. */
  representative?: { did: string; name: string }
  /** What this user should know, such as that a group is too small to hide who vouches; and the same as sentences. */
  warnings: string[]
  sentences: Sentence[]
}

export interface GroupCandidate {
  did: string
  name: string
  warnings: NameNote[]
  /** Id of the candidacy. */
  motion: string
  vouches: number
  needed: number
  /** How many could vouch. Below 5 nobody is hidden. */
  ring: number
}

export interface GroupMotion {
  motion: string
  kind: 'expel' | 'rule'
  /** Whom to expel. */
  did?: string
  name?: string
  /** Which rule to set. */
  rule?: string
  ballots: number
  needed: number
  ring: number
  /** Whether it was carried, and counts. */
  isCarried: boolean
}

/** Something that has happened in a group whose log is kept here. */
export interface GroupEvent {
  /** The group's id. */
  group: string
  /** The group's name; safe to print only after escaping. */
  name: string
  /**
   * 'arrived': its log is here. 'candidate', 'joined', 'gone': somebody became one, or left or was expelled. 'motion':
   * there is something to vote about. 'vouched', 'voted': there are more vouches or ballots, or fewer. 'carried': enough.
   * 'representative': somebody else carries for the others now; nobody, when there is no did.
   */
  kind: 'arrived' | 'candidate' | 'vouched' | 'joined' | 'gone' | 'motion' | 'voted' | 'carried' | 'representative'
  /** Whom it is about. */
  did?: string
  /** What to call them here; safe to print only after escaping. */
  person?: string
  /** Which rule it is about. */
  rule?: string
  /** Id of the candidacy or the motion. */
  motion?: string
  /** Vouches or ballots, and how many it takes. */
  count?: number
  needed?: number
}

/** What the log says about one person, in sentences. */
export interface GroupStanding {
  did: string
  name: string
  isMember: boolean
  /** One for each thing in the log that bears on it, in English; the last one says what follows. */
  reasons: string[]
  /** The same. */
  sentences: Sentence[]
}

/** A post to a group that this device could open is an ordinary entry with `group`; see `feeds.read({ group })`. */
export interface Group {
  readonly id: string
  readonly name: string
  /** Vouches that a candidate needs now. */
  readonly quorum: number
  show(): Promise<GroupDetails>
  /** A link with addresses of this device and of other members. */
  link(): Promise<string>
  members(): Promise<GroupMember[]>
  candidates(): Promise<GroupCandidate[]>
  /** Asks to become a member. @throws NodeError FAILED when one is a member, or the log has not arrived yet */
  apply(): Promise<GroupCandidate>
  /** As a member, proposes somebody who did not ask. @throws NodeError NOT_FOUND, NOT_OWN (no member) */
  propose(who: string): Promise<GroupCandidate>
  /**
   * Vouches for a candidate, namelessly. It leaves this device after a while, which depends on the level of privacy.
   * @throws NodeError NOT_FOUND (no candidate), NOT_OWN (no member of the motion's ring), USED (vouched before, or no
   *   vouches are left this month)
   */
  vouch(who: string): Promise<GroupCandidate>
  /** Takes a vouch back. @throws NodeError NOT_FOUND when none was given */
  retract(who: string): Promise<GroupCandidate>
  /** Becomes a member, with the vouches that there are. @throws NodeError FAILED when they are not enough */
  join(): Promise<GroupDetails>
  leave(): Promise<GroupDetails>
  /** Opens a motion to expel somebody, with one's own ballot. */
  expel(who: string): Promise<GroupMotion>
  /** Opens a motion to set another rule, with one's own ballot. @throws NodeError BAD_INPUT */
  rule(rule: string): Promise<GroupMotion>
  motions(): Promise<GroupMotion[]>
  /** Votes for a motion, namelessly. @param motion its id, or the beginning of it */
  ballot(motion: string): Promise<GroupMotion>
  /** Why each person is a member, or is not. */
  log(): Promise<GroupStanding[]>
}

export interface NewGroup {
  /** 1 to 64 characters, without `@`. */
  name: string
  /** `isqrt`, `log2`, `constant:<k>`, `percent:<p>`. @default 'isqrt' */
  quorum?: string
  /** Whoever has the link reads what is written. @default false: members do */
  open?: boolean
  /** Members who come later may read what was written before. @default false */
  history?: boolean
}

export interface Groups {
  /** Founds a group with oneself as its only member. @throws NodeError BAD_INPUT, SIGNING_PAUSED */
  create(group: NewGroup): Promise<Group>
  /**
   * Keeps a group's log from now on, and fetches it from whom the link names.
   * @throws NodeError BAD_INPUT when it is no link to a group
   */
  open(link: string, options?: { signal?: AbortSignal }): Promise<Group>
  /** Forgets a group that one is no member of. @throws NodeError FAILED when one is: leave first */
  forget(group: string): Promise<void>
  list(): Promise<GroupSummary[]>
  /**
   * @param group its name (with or without `@`), id or the beginning of it, or link
   * @throws NodeError NOT_FOUND, WHO_AMBIGUOUS
   */
  get(group: string): Promise<Group>
}
