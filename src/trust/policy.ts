// Which feeds this device keeps, and how dear each is: all that the feeds layer hears about people.
import type { Device } from './identity-log.ts'

/** How much of other people's data a device keeps. */
export type StoreMode = 'all' | 'groups' | 'own' | 'none'

/** A feed that is to be kept. */
export interface WantedFeed {
  /** Ed25519 public key, 32 bytes. */
  feed: Uint8Array
  /** 0: one's own, 1: of people whom one follows, 2: further away. Lower goes first in sync and last when space ends. */
  priority: 0 | 1 | 2
  /** Keep only this many of the newest entries. Absent: all. */
  newest?: number
  /** Nothing above this seq is wanted: the device was revoked there. Absent: no bound. */
  last?: number
}

/** A person as the policy sees one: the root key, and the devices that its identity log names. */
export interface PolicyPerson {
  key: Uint8Array
  relation: 'followed' | 'blocked' | 'none'
  devices: readonly Pick<Device, 'device' | 'revoked'>[]
}

export interface PolicyInput {
  self: {
    /** Own root key. */
    root: Uint8Array
    /** Own devices, this one included. */
    devices: readonly Pick<Device, 'device' | 'revoked'>[]
  }
  people: readonly PolicyPerson[]
  mode: StoreMode
}

/**
 * The feeds that are wanted:
 *
 *  1. Own root feed and own devices' feeds always, with priority 0, in every mode: without them nothing can be signed.
 *  2. In mode `all`, the root feed and the devices' feeds of those who are followed, with priority 1. Mode `groups`
 *     keeps of others only what groups ask for, which is nothing here; `own` and `none` keep nothing of others.
 *  3. A blocked person's root feed and devices' feeds never, even where somebody who is followed names the same key;
 *     but nobody's log can take away one's own feeds.
 *  4. Of a revoked device, what came before its revocation; nothing when that is nothing.
 *
 * Each feed occurs once, with the lowest of its priorities and the widest of its bounds.
 */
export function wantedFeeds({ self, people, mode }: PolicyInput): WantedFeed[] {
  const wanted = new Map<string, WantedFeed>()
  addPerson(wanted, self.root, self.devices, 0)
  if (mode !== 'all') return [...wanted.values()]
  const blocked = blockedFeeds(people)
  for (const { key, relation, devices } of people) {
    if (relation !== 'followed' || blocked.has(name(key))) continue
    addPerson(
      wanted,
      key,
      devices.filter(({ device }) => !blocked.has(name(device))),
      1
    )
  }
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

function addPerson(
  wanted: Map<string, WantedFeed>,
  root: Uint8Array,
  devices: PolicyPerson['devices'],
  priority: 0 | 1
): void {
  add(wanted, { feed: root, priority })
  for (const { device, revoked } of devices) {
    if (revoked === undefined) add(wanted, { feed: device, priority })
    else if (revoked.last > 0) add(wanted, { feed: device, priority, last: revoked.last })
  }
}

function add(wanted: Map<string, WantedFeed>, next: WantedFeed): void {
  const key = name(next.feed)
  const known = wanted.get(key)
  if (known === undefined) {
    wanted.set(key, next)
  } else if (known.last !== undefined) {
    // Priorities are added in rising order, so the known one is the lower; only the bound can widen.
    if (next.last === undefined) delete known.last
    else known.last = Math.max(known.last, next.last)
  }
}

function name(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex')
}
