// Which feeds this device keeps, how dear each is, and how much of it: all that the feeds layer hears about people.
// Distances: 0 is oneself, 1 whom one follows, 2 whom one's friends say they follow. Nobody further away is kept. Between
// the last two are those with whom one shares a group.
import type { Quota, WantedFeed } from '../feeds/index.ts'
import type { Device } from './identity-log.ts'

/** Feeds of friends' friends that are kept, all together: a follow graph has no end. The same of members of groups. */
export const MAX_FAR_FEEDS = 10_000
export const MAX_MATE_FEEDS = 10_000
/** Newest entries kept of each of them. */
export const FAR_ENTRIES = 1_000
export const MATE_ENTRIES = 10_000
/** Devices of one of them whose feeds are kept. */
export const MAX_FAR_DEVICES = 8
/** Bytes kept of one feed, headers included: of somebody who is followed, of a member of a group, of a friend's friend. */
export const MAX_FOLLOWED_FEED_BYTES = 1_073_741_824
export const MAX_MATE_FEED_BYTES = 67_108_864
export const MAX_FAR_FEED_BYTES = 4_194_304
/** An identity log of somebody else, 128 devices and their ends four times over: nothing is erased in it, so nothing above this is taken. */
export const MAX_LOG_ENTRIES = 1_024
export const MAX_LOG_BYTES = 262_144
/** What members of groups, and friends' friends, may take of the quota, all of them together. */
const MATE_SHARE = 1 / 2
const FAR_SHARE = 1 / 4
/** How dear a feed is: a lower number is fetched first, and loses its bodies last. */
export const PRIORITY = { own: 0, followed: 1, mate: 2, far: 3 } as const
/** Bytes that one of their feeds may come to when only its headers are left: so many are not wanted that they do not fit. */
const FAR_FEED_RESERVE = 65_536
/** Names in friends' lists that are looked at: friends who all name the same people cost no more. */
const MAX_NAMES = 100_000

/** How much of other people's data a device keeps. */
export type StoreMode = 'all' | 'groups' | 'own' | 'none'

/** A person's root key, and the devices that the identity log names, in the order in which they were added. */
export interface PolicyIdentity {
  key: Uint8Array
  devices: readonly Pick<Device, 'device' | 'revoked'>[]
}

/** A person as the policy sees one. */
export interface PolicyPerson extends PolicyIdentity {
  relation: 'followed' | 'blocked' | 'none'
  /** Follows us too, as far as is known. @default false */
  isFriend?: boolean
}

/** Whom somebody says to follow. It counts when that is a friend. */
export interface SharedList {
  friend: Uint8Array
  people: readonly PolicyIdentity[]
}

/** A group that this device is in, or reads. */
export interface PolicyGroup {
  /** The group's id. */
  id: Uint8Array
  members: readonly PolicyIdentity[]
}

export interface PolicyInput {
  self: {
    /** Own root key. */
    root: Uint8Array
    /** Own devices, this one included. */
    devices: readonly Pick<Device, 'device' | 'revoked'>[]
  }
  /** Those who are followed or blocked. */
  people: readonly PolicyPerson[]
  /** @default none */
  shared?: readonly SharedList[]
  /** @default none */
  groups?: readonly PolicyGroup[]
  mode: StoreMode
  /** Bytes that other people's data may take. @default no bound */
  quota?: number
}

/**
 * The feeds that are wanted:
 *
 *  1. Own root feed and own devices' feeds always, with priority 0, in every mode: without them nothing can be signed.
 *  2. In mode `all`, the root feed and the devices' feeds of those who are followed, with priority 1: all headers, and
 *     bodies up to 1 GiB a feed. Mode `groups` keeps of others only what groups ask for; `own` and `none` keep nothing of
 *     others.
 *  3. In modes `all` and `groups`, those with whom one shares a group, with priority 2, the groups taking turns. Of each, the
 *     root feed and up to 8 devices' feeds, the newest devices first; of a device's feed the newest 10,000 entries and up
 *     to 64 MiB.
 *  4. In mode `all`, those whom friends say they follow, with priority 3, the friends taking turns: likewise, and of a
 *     device's feed the newest 1,000 entries and up to 4 MiB.
 *  5. A blocked person's root feed and devices' feeds never, even where somebody who is followed names the same key;
 *     but nobody's log can take away one's own feeds.
 *  6. Of a revoked device, what came before its revocation; nothing when that is nothing.
 *
 * Each feed occurs once, with the lowest of its priorities and, within that, the widest of its bounds.
 */
export function wantedFeeds(input: PolicyInput): WantedFeed[] {
  const { self, people, mode } = input
  const wanted = new Map<string, WantedFeed>()
  addPerson(wanted, self, OWN)
  if (mode !== 'all' && mode !== 'groups') return [...wanted.values()]
  const blocked = blockedFeeds(people)
  const isWelcome = ({ device }: PolicyIdentity['devices'][number]): boolean => !blocked.has(name(device))
  const isTaken = new Set([name(self.root)])
  for (const { key, relation, devices } of mode === 'all' ? people : []) {
    if (relation !== 'none') isTaken.add(name(key))
    if (relation !== 'followed' || blocked.has(name(key))) continue
    addPerson(wanted, { root: key, devices: devices.filter(isWelcome) }, FOLLOWED)
  }
  const addAll = (found: readonly PolicyIdentity[], distance: Distance): void => {
    for (const { key, devices } of found)
      addPerson(wanted, { root: key, devices: someDevices(devices.filter(isWelcome)) }, distance)
  }
  addAll(fairly(matesByGroup(input), { isTaken, blocked, room: mateRoom(input.quota) }), MATE)
  if (mode === 'all') addAll(fairly(listsOfFriends(input), { isTaken, blocked, room: farRoom(input.quota) }), FAR)
  return [...wanted.values()]
}

/** The feeds of blocked people, as lower-case hexadecimal keys: not fetched, not served to anybody, not shown. */
export function blockedFeeds(people: readonly PolicyPerson[]): Set<string> {
  const feeds = new Set<string>()
  for (const { key, relation, devices } of people) {
    if (relation !== 'blocked') continue
    feeds.add(name(key))
    for (const { device } of devices) feeds.add(name(device))
  }
  return feeds
}

/** What the quota means for the store: how much all others' feeds may take, and how much those at one distance. */
export function quotaOf(bytes: number): Quota {
  const share = (of: number): number => Math.floor(bytes * of)
  return { bytes, ofPriority: { [PRIORITY.mate]: share(MATE_SHARE), [PRIORITY.far]: share(FAR_SHARE) } }
}

/** How many feeds of friends' friends there is room for. */
export function farRoom(quota = Infinity): number {
  return Math.min(MAX_FAR_FEEDS, Math.floor((quota * FAR_SHARE) / FAR_FEED_RESERVE))
}

/** How many feeds of members of groups there is room for. */
export function mateRoom(quota = Infinity): number {
  return Math.min(MAX_MATE_FEEDS, Math.floor((quota * MATE_SHARE) / FAR_FEED_RESERVE))
}

/** Whom each friend names. */
function listsOfFriends({ people, shared = [] }: PolicyInput): readonly (readonly PolicyIdentity[])[] {
  const friends = new Set(
    people.filter(({ relation, isFriend }) => relation === 'followed' && isFriend === true).map(({ key }) => name(key))
  )
  return shared
    .map((list) => ({ ...list, by: name(list.friend) }))
    .filter(({ by }) => friends.has(by))
    .toSorted((a, b) => (a.by < b.by ? -1 : 1))
    .map((list) => list.people)
}

/** Members of each group. */
function matesByGroup({ groups = [] }: PolicyInput): readonly (readonly PolicyIdentity[])[] {
  const byKey = (a: PolicyIdentity, b: PolicyIdentity): number => (name(a.key) < name(b.key) ? -1 : 1)
  return groups.toSorted((a, b) => (name(a.id) < name(b.id) ? -1 : 1)).map(({ members }) => members.toSorted(byKey))
}

/**
 * Those of several lists for whom there is room. The lists take turns, each giving the next who is not there yet, until the
 * room is used up: so no list of thousands leaves no place for the others.
 */
function fairly(
  lists: readonly (readonly PolicyIdentity[])[],
  { isTaken, blocked, room }: { isTaken: Set<string>; blocked: ReadonlySet<string>; room: number }
): PolicyIdentity[] {
  const found: PolicyIdentity[] = []
  let looks = MAX_NAMES
  for (const person of inTurns(lists, isTaken)) {
    if (looks-- === 0) break
    if (person === undefined || blocked.has(name(person.key))) continue
    room -= 1 + Math.max(1, Math.min(person.devices.length, MAX_FAR_DEVICES)) // before its log is here, a device is expected
    if (room < 0) break
    found.push(person)
  }
  return found
}

/** From each list in turn its next one who is not taken; undefined for one who is. */
function* inTurns(
  lists: readonly (readonly PolicyIdentity[])[],
  isTaken: Set<string>
): Generator<PolicyIdentity | undefined> {
  const next = new Uint32Array(lists.length)
  const seen = new Set<PolicyIdentity>() // whom many friends name is mostly the same object: no key need be compared
  for (let isLeft = true; isLeft;) {
    isLeft = false
    for (const [i, list] of lists.entries()) {
      for (let hasTurn = true; hasTurn && next[i] < list.length;) {
        const person = list[next[i]++]
        isLeft = true
        hasTurn = seen.has(person) || isTaken.has(name(person.key))
        if (!hasTurn) isTaken.add(name(person.key))
        seen.add(person)
        yield hasTurn ? undefined : person
      }
    }
  }
}

/** The newest devices, those that are not revoked before the others. */
function someDevices(devices: PolicyIdentity['devices']): PolicyIdentity['devices'] {
  if (devices.length <= MAX_FAR_DEVICES) return devices
  const newest = devices.toReversed()
  return [
    ...newest.filter(({ revoked }) => revoked === undefined),
    ...newest.filter(({ revoked }) => revoked !== undefined)
  ].slice(0, MAX_FAR_DEVICES)
}

/** What is kept of the feeds of people at one distance. */
interface Distance {
  log: Omit<WantedFeed, 'feed'>
  device: Omit<WantedFeed, 'feed'>
}

const LOG = { isWhole: true, last: MAX_LOG_ENTRIES, maxBytes: MAX_LOG_BYTES } as const
const OWN: Distance = {
  log: { priority: PRIORITY.own, isWhole: true },
  device: { priority: PRIORITY.own }
}
const FOLLOWED: Distance = {
  log: { priority: PRIORITY.followed, ...LOG },
  device: { priority: PRIORITY.followed, maxBytes: MAX_FOLLOWED_FEED_BYTES }
}
const MATE: Distance = {
  log: { priority: PRIORITY.mate, ...LOG },
  device: { priority: PRIORITY.mate, newest: MATE_ENTRIES, maxBytes: MAX_MATE_FEED_BYTES }
}
const FAR: Distance = {
  log: { priority: PRIORITY.far, ...LOG },
  device: { priority: PRIORITY.far, newest: FAR_ENTRIES, maxBytes: MAX_FAR_FEED_BYTES }
}

function addPerson(wanted: Map<string, WantedFeed>, { root, devices }: PolicyInput['self'], distance: Distance): void {
  add(wanted, { feed: root, ...distance.log })
  for (const { device, revoked } of devices) {
    if (revoked === undefined) add(wanted, { feed: device, ...distance.device })
    else if (revoked.last > 0) add(wanted, { feed: device, ...distance.device, last: revoked.last })
  }
}

function add(wanted: Map<string, WantedFeed>, next: WantedFeed): void {
  const key = name(next.feed)
  const known = wanted.get(key)
  if (known === undefined) wanted.set(key, next)
  else if (known.priority === next.priority) wanted.set(key, wider(known, next))
  // Nearer people are added first: what somebody further away says of the same key changes nothing.
}

/** One key that is named twice at one distance. */
function wider(one: WantedFeed, other: WantedFeed): WantedFeed {
  const both = { ...one }
  for (const bound of ['newest', 'last', 'maxBytes'] as const) {
    const [a, b] = [one[bound], other[bound]]
    if (a === undefined || b === undefined) delete both[bound]
    else both[bound] = Math.max(a, b)
  }
  if (other.isWhole === true) both.isWhole = true
  return both
}

/** The same keys are looked at again and again: with thousands of people, writing them out would cost the most. */
const names = new WeakMap<Uint8Array, string>()

function name(key: Uint8Array): string {
  let known = names.get(key)
  if (known === undefined) {
    known = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex')
    names.set(key, known)
  }
  return known
}
