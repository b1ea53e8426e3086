// Joins keys to people: evaluates identity logs as they arrive, caches what profiles claim, and tells the store which
// feeds are wanted. The store knows keys and the contacts know people; this is the only place that knows both.
import {
  bodyOf,
  type CheckedRun,
  entriesBetween,
  type Extension,
  type FeedState,
  type FeedStore,
  lastOf,
  shownTime,
  type StoredEntry
} from '../feeds/index.ts'
import {
  type ContactRecord,
  Contacts,
  type Device,
  evaluateIdentityLog,
  isCurrent,
  type PolicyGroup,
  type PolicyIdentity,
  type StoreMode,
  wantedFeeds
} from '../trust/index.ts'

/** Entries of a feed read at once when it is looked through for profiles. */
const PAGE = 512
/** Identity logs that arrive within this time are looked at together, in ms. */
const UPDATE_DELAY_MS = 10
/** How much longer than an update takes it is waited for the next one, while logs arrive. */
const UPDATE_PAUSES = 4
/** How long to wait after the store failed, in ms. */
const RETRY_MS = 10_000
/** How exactly it is known when somebody was seen last, in ms. */
const SEEN_STEP_MS = 60_000
const SEEN_DELAY_MS = 1_000
const MAX_CACHED = 10_000
/** Bytes that every profile's body contains: the key and value `type: profile` in canonical DAG-CBOR. */
const PROFILE_MARK = Buffer.from('dtypegprofile')

export interface PeopleOptions {
  store: FeedStore
  /** Own root key and device key. */
  root: Uint8Array
  device: Uint8Array
  /** Seed of the root key, where this device holds it. */
  rootSeed?: Uint8Array
  mode: StoreMode
  /** Bytes that other people's data may take: fewer mean fewer friends' friends. */
  quota: number
}

export class People {
  readonly contacts: Contacts
  /** A device of somebody who is known was revoked. */
  onEnded: () => void = () => {}
  /** How often somebody was vouched for in groups that one shares with them, and in how many. */
  standingOf: (identity: Uint8Array) => { vouches: number; groups: number } = () => ({ vouches: 0, groups: 0 })
  readonly #store: FeedStore
  readonly #root: Uint8Array
  #device: Uint8Array
  #mode: StoreMode
  #quota: number
  #groups: readonly PolicyGroup[] = []
  /** Those with whom one shares a group, by root key, with the devices that certified their member keys. */
  readonly #mates = new Map<string, PolicyIdentity>()
  /** Whose a device is, by what a group's log says: before an identity log is here, that has to do. */
  readonly #mateDevices = new Map<string, Uint8Array>()
  /** Whose feeds are, by feed key in hexadecimal; forgotten when contacts or devices change. */
  readonly #identities = new Map<string, Uint8Array | undefined>()
  readonly #seen = new Map<string, number>()
  #unsaved: Uint8Array[] = []
  #saving: NodeJS.Timeout | undefined
  #updating: NodeJS.Timeout | undefined
  /** How long the last update took. */
  #updateMs = 0
  readonly #onExtended = (extension: Extension): void => this.#take(extension)
  /** Of an identity log that forked, what comes before the fork still counts. */
  readonly #onFork = ({ key }: FeedState): void => {
    const identity = this.identityOf(key)
    if (identity !== undefined && Buffer.compare(identity, key) === 0) this.#readLog(key)
  }

  constructor({ store, root, device, rootSeed, mode, quota }: PeopleOptions) {
    this.#store = store
    this.#root = root
    this.#device = device
    this.#mode = mode
    this.#quota = quota
    this.contacts = new Contacts(store.database, {
      self: root,
      rootSeed,
      write: (work, options) => store.write(work, options),
      onPolicyChange: () => this.#updateSoon()
    })
    store.events.on('extended', this.#onExtended)
    store.events.on('fork', this.#onFork)
    this.update()
  }

  close(): void {
    clearTimeout(this.#updating)
    this.#saveSeen()
    this.#store.events.off('extended', this.#onExtended)
    this.#store.events.off('fork', this.#onFork)
  }

  get mode(): StoreMode {
    return this.#mode
  }

  /** Keeps more or less of other people's data from now on. */
  setMode(mode: StoreMode): void {
    this.#mode = mode
    this.update()
  }

  setQuota(quota: number): void {
    this.#quota = quota
    this.update()
  }

  /** Those with whom one shares groups, and the devices that the groups' logs name. */
  setGroups(groups: readonly PolicyGroup[]): void {
    this.#groups = groups
    this.#mates.clear()
    this.#mateDevices.clear()
    for (const { key, devices } of groups.flatMap(({ members }) => members)) {
      if (this.isSelf(key)) continue
      const before = this.#mates.get(hex(key))?.devices ?? []
      this.#mates.set(hex(key), { key, devices: [...before, ...devices] })
      for (const { device } of devices) this.#mateDevices.set(hex(device), key)
    }
    this.#updateSoon()
  }

  /** Whether one shares a group with this person. */
  isMate(identity: Uint8Array): boolean {
    return this.#mates.has(hex(identity))
  }

  /** A group's word for a device does not count where the identity log says more. */
  #groupsWithDevices(): PolicyGroup[] {
    const known = new Map(
      [...this.#mates].map(([name, { key, devices }]) => [name, { key, devices: this.#knownDevicesOf(key, devices) }])
    )
    return this.#groups.map(({ id, members }) => ({
      id,
      members: members.flatMap(({ key }) => known.get(hex(key)) ?? [])
    }))
  }

  /** Those of the log, then those that a group names: of many devices the last ones are kept. */
  #knownDevicesOf(key: Uint8Array, named: PolicyIdentity['devices']): PolicyIdentity['devices'] {
    const ofLog = this.contacts.devicesOf(key)
    const inLog = new Map(ofLog.map((each) => [hex(each.device), each]))
    const chosen = new Map(named.map((each) => [hex(each.device), inLog.get(hex(each.device)) ?? each]))
    return [...ofLog.filter(({ device }) => !chosen.has(hex(device))), ...chosen.values()]
  }

  /** This device signs with another key from now on. */
  setDevice(device: Uint8Array): void {
    this.#device = device
    this.update()
  }

  /** Computes anew which feeds are wanted. Call it when contacts or devices changed. */
  update(): void {
    clearTimeout(this.#updating)
    this.#updating = undefined
    const start = performance.now()
    const wanted = wantedFeeds({
      self: { root: this.#root, devices: this.ownDevices() },
      people: this.contacts.policyPeople(),
      shared: this.contacts.sharedLists(),
      groups: this.#groupsWithDevices(),
      mode: this.#mode,
      quota: this.#quota
    })
    this.#identities.clear()
    this.#store.setWanted(wanted)
    this.#updateMs = performance.now() - start
  }

  /** Does now what waits for more identity logs. */
  updateNow(): void {
    if (this.#updating !== undefined) this.update()
  }

  /** The same after contacts or devices have changed, once for all identity logs that arrive together; with very many people they wait a little longer for each other. */
  #updateSoon(): void {
    this.#updateIn(Math.max(UPDATE_DELAY_MS, UPDATE_PAUSES * this.#updateMs))
  }

  #updateIn(delayMs: number): void {
    this.#updating ??= setTimeout(() => {
      try {
        if (this.#store.isOpen) this.update()
      } catch {
        this.#updateIn(RETRY_MS) // the disk is full: until there is room, the same feeds are wanted as before
      }
    }, delayMs).unref()
  }

  isSelf(identity: Uint8Array): boolean {
    return Buffer.compare(identity, this.#root) === 0
  }

  /** Own devices by the identity log, and in any case this one. */
  ownDevices(): Pick<Device, 'device' | 'revoked'>[] {
    const named = this.contacts.devicesOf(this.#root)
    const hasThis = named.some(({ device }) => Buffer.compare(device, this.#device) === 0)
    return hasThis ? named : [...named, { device: this.#device }]
  }

  /** Own root key. */
  get root(): Uint8Array {
    return this.#root
  }

  /** Whose feed this is: the person's root key, or undefined when nobody known owns it. */
  identityOf(feed: Uint8Array): Uint8Array | undefined {
    const name = hex(feed)
    if (this.#identities.has(name)) return this.#identities.get(name)
    const identity = this.#findIdentity(feed)
    if (this.#identities.size >= MAX_CACHED) this.#identities.clear()
    this.#identities.set(name, identity)
    return identity
  }

  #findIdentity(feed: Uint8Array): Uint8Array | undefined {
    if (Buffer.compare(feed, this.#root) === 0 || Buffer.compare(feed, this.#device) === 0) return this.#root
    const identity = this.contacts.deviceByKey(feed)?.identity
    if (identity !== undefined) return identity
    const mate = this.#mateDevices.get(hex(feed))
    if (mate !== undefined) return mate
    const isLog = this.contacts.get(feed).relation !== 'none' || this.#isKeptLog(feed)
    return isLog ? feed : undefined
  }

  /** Of a friend's friend, too. */
  #isKeptLog(feed: Uint8Array): boolean {
    const kept = this.#store.feed(feed)
    return kept?.priority !== undefined && kept.isWhole
  }

  /** Whether this is the feed of somebody who is blocked: what is left of it is not shown. */
  isBlocked(feed: Uint8Array): boolean {
    const identity = this.identityOf(feed)
    return identity !== undefined && this.contacts.get(identity).relation === 'blocked'
  }

  /** Whether a feed is one's own or followed, rather than carried for friends' friends. */
  isNear(feed: Uint8Array): boolean {
    return (this.#store.feed(feed)?.priority ?? Infinity) <= 1
  }

  /** Under which secret this feed is gossiped, as far as its author told us. */
  topicSecretOf(feed: Uint8Array): Uint8Array {
    return this.contacts.topics.of(this.identityOf(feed) ?? feed).secret
  }

  /** Whether an entry counts as its author's: its device was not revoked before it. */
  isCurrent(entry: { feed: Uint8Array; seq: number }): boolean {
    const device = this.contacts.deviceByKey(entry.feed)
    return device === undefined || isCurrent(device, entry.seq)
  }

  /** The numbers of a person's feeds in the store. */
  feedsOf(identity: Uint8Array): Set<number> {
    const keys =
      Buffer.compare(identity, this.#root) === 0
        ? this.ownDevices().map(({ device }) => device)
        : this.#knownDevicesOf(identity, this.#mates.get(hex(identity))?.devices ?? []).map(({ device }) => device)
    return new Set([identity, ...keys].flatMap((key) => this.#store.feed(key)?.num ?? []))
  }

  /** Device keys of all who are known: who connects is recognised by them. Revoked ones stand for nobody but the blocked. */
  knownDevices(): Uint8Array[] {
    const people = this.contacts
      .policyPeople()
      .flatMap(({ devices, relation }) =>
        relation === 'blocked' ? devices : devices.filter(({ revoked }) => revoked === undefined)
      )
    const mates = [...this.#mates.values()].flatMap(({ key, devices }) =>
      this.#knownDevicesOf(key, devices).filter(({ revoked }) => revoked === undefined)
    )
    const own = this.ownDevices().filter(({ revoked }) => revoked === undefined)
    return [...people, ...mates, ...own].map(({ device }) => device)
  }

  /** The contact whose device this is. */
  contactOfDevice(device: Uint8Array): ContactRecord | undefined {
    const identity = this.identityOf(device)
    return identity && this.contacts.get(identity)
  }

  #take({ feed, from, to, runs }: Extension): void {
    const identity = this.identityOf(feed.key)
    if (identity === undefined) return
    if (Buffer.compare(identity, feed.key) === 0) return this.#readLog(feed.key)
    this.#noteSeen(identity)
    if (runs.some(mayHoldProfile)) this.#readProfiles(identity, feed, from, to)
  }

  /** An identity log grew: when its devices have changed, others feeds are wanted. */
  #readLog(root: Uint8Array): void {
    const feed = this.#store.feed(root)!
    if (feed.low > 1) return // the rest is being fetched, and without it later entries mean something else
    const entries = entriesBetween(this.#store, feed, feed.low, feed.height)
    const devices = evaluateIdentityLog(
      root,
      entries.map((entry) => ({ seq: entry.seq, body: bodyOf(entry) }))
    )
    const before = this.contacts.devicesOf(root)
    this.contacts.setDevices(root, devices.values())
    this.#identities.clear()
    if (!hasEnded(before, devices)) return
    this.#readProfilesAnew(root)
    this.onEnded()
  }

  /** What a device claimed after its revocation came too early to be known as such. */
  #readProfilesAnew(identity: Uint8Array): void {
    this.contacts.forgetClaimed(identity)
    for (const { device } of this.contacts.devicesOf(identity)) {
      const feed = this.#store.feed(device)
      if (feed === undefined || feed.height === 0) continue
      for (const run of this.#store.rows(feed, feed.low, feed.height))
        if (mayHoldProfile(run)) this.#readProfiles(identity, feed, run.first, Math.min(lastOf(run), feed.height))
    }
  }

  #readProfiles(identity: Uint8Array, feed: FeedState, from: number, to: number): void {
    for (let seq = from; seq <= to; seq += PAGE) {
      for (const entry of entriesBetween(this.#store, feed, seq, Math.min(to, seq + PAGE - 1)))
        this.#readProfile(identity, entry)
    }
  }

  /** Once a minute is often enough for a time that people are shown, and one transaction for all who were heard of. */
  #noteSeen(identity: Uint8Array): void {
    const now = Date.now()
    const name = hex(identity)
    if (identity === this.#root || now - (this.#seen.get(name) ?? 0) < SEEN_STEP_MS) return
    if (this.#seen.size >= MAX_CACHED) this.#seen.clear()
    this.#seen.set(name, now)
    this.#unsaved.push(identity)
    this.#saving ??= setTimeout(() => this.#saveSeen(), SEEN_DELAY_MS)
  }

  #saveSeen(): void {
    clearTimeout(this.#saving)
    this.#saving = undefined
    const identities = this.#unsaved.splice(0)
    if (identities.length === 0 || !this.#store.isOpen) return
    const now = Date.now()
    try {
      this.#store.write(() => {
        for (const identity of identities) this.contacts.setSeen(identity, now)
      })
    } catch {
      // on a full disk it is not known when they were seen
    }
  }

  #readProfile(identity: Uint8Array, entry: StoredEntry): void {
    const body = bodyOf(entry)
    if (body?.type === 'profile' && this.isCurrent(entry))
      this.contacts.setClaimed(identity, { name: body.name, about: body.about }, shownTime(entry))
  }
}

/** Whether a device that was known has been revoked, or revoked earlier. */
function hasEnded(before: readonly Device[], after: ReadonlyMap<string, Device>): boolean {
  return before.some(({ device, revoked }) => {
    const now = after.get(hex(device))
    return now === undefined || (now.revoked?.last ?? Infinity) < (revoked?.last ?? Infinity)
  })
}

/** A look at the bytes, so that ten thousand posts are not decoded for one profile. */
function mayHoldProfile({ records }: Pick<CheckedRun, 'records'>): boolean {
  return Buffer.from(records.buffer, records.byteOffset, records.length).includes(PROFILE_MARK)
}

function hex(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('hex')
}
