// What a node says of how much it keeps of whom. Types only.

export type StoreMode = 'all' | 'groups' | 'own' | 'none'

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
