// Joins keys to people: evaluates identity logs as they arrive, caches what profiles claim, and tells the store which
// feeds are wanted. The store knows keys and the contacts know people; this is the only place that knows both.
import { bodyOf, entriesBetween, type Extension, type FeedState, type FeedStore, shownTime, type StoredEntry } from '../feeds/index.ts'
import { type ContactRecord, Contacts, type Device, evaluateIdentityLog, isCurrent, type StoreMode, wantedFeeds } from '../trust/index.ts'

/** Entries of a feed read at once when it is looked through for profiles. */
const PAGE = 512
/** Bytes that every profile's body contains: the key and value `type: profile` in canonical DAG-CBOR. */
const PROFILE_MARK = Buffer.from('dtypegprofile')

export interface PeopleOptions {
  store: FeedStore
  /** Own root key and device key. */
  root: Uint8Array
  device: Uint8Array
  mode: StoreMode
}

export class People {
  readonly contacts: Contacts
  readonly #store: FeedStore
  readonly #root: Uint8Array
  #device: Uint8Array
  #mode: StoreMode
  readonly #onExtended = (extension: Extension): void => this.#take(extension)

  constructor({ store, root, device, mode }: PeopleOptions) {
    this.#store = store
    this.#root = root
    this.#device = device
    this.#mode = mode
    this.contacts = new Contacts(store.database, { self: root, write: (work, options) => store.write(work, options) })
    store.events.on('extended', this.#onExtended)
    this.update()
  }

  close(): void {
    this.#store.events.off('extended', this.#onExtended)
  }

  get mode(): StoreMode {
    return this.#mode
  }

  /** Keeps more or less of other people's data from now on; what is no longer kept is deleted. @returns entries deleted */
  setMode(mode: StoreMode): number {
    this.#mode = mode
    this.update()
    return this.#store.removeUnwanted()
  }

  /** This device signs with another key from now on. */
  setDevice(device: Uint8Array): void {
    this.#device = device
    this.update()
  }

  /** Computes anew which feeds are wanted. Call it when contacts or devices changed. */
  update(): void {
    const own = this.ownDevices()
    const wanted = wantedFeeds({ self: { root: this.#root, devices: own }, people: this.contacts.policyPeople(), mode: this.#mode })
    const logs = new Set([this.#root, ...this.contacts.policyPeople().map(({ key }) => key)].map((key) => Buffer.from(key).toString('hex')))
    this.#store.setWanted(wanted.map(({ feed, priority }) => ({ feed, priority, isWhole: logs.has(Buffer.from(feed).toString('hex')) })))
  }

  /** Own devices by the identity log, and in any case this one. */
  ownDevices(): Pick<Device, 'device' | 'revoked'>[] {
    const named = this.contacts.devicesOf(this.#root)
    const hasThis = named.some(({ device }) => Buffer.compare(device, this.#device) === 0)
    return hasThis ? named : [...named, { device: this.#device }]
  }

  /** Whose feed this is: the person's root key, or undefined when nobody known owns it. */
  identityOf(feed: Uint8Array): Uint8Array | undefined {
    if (Buffer.compare(feed, this.#root) === 0 || Buffer.compare(feed, this.#device) === 0) return this.#root
    const identity = this.contacts.deviceByKey(feed)?.identity
    if (identity !== undefined) return identity
    return this.contacts.get(feed).relation === 'none' ? undefined : feed
  }

  /** Whether an entry counts as its author's: its device was not revoked before it. */
  isCurrent(entry: { feed: Uint8Array; seq: number }): boolean {
    const device = this.contacts.deviceByKey(entry.feed)
    return device === undefined || isCurrent(device, entry.seq)
  }

  /** The numbers of a person's feeds in the store. */
  feedsOf(identity: Uint8Array): Set<number> {
    const keys = Buffer.compare(identity, this.#root) === 0 ? this.ownDevices().map(({ device }) => device) : this.contacts.devicesOf(identity).map(({ device }) => device)
    return new Set([identity, ...keys].flatMap((key) => this.#store.feed(key)?.num ?? []))
  }

  /** Device keys of all who are known, blocked ones included: who connects is recognised by them. */
  knownDevices(): Uint8Array[] {
    const people = this.contacts.policyPeople().flatMap(({ devices }) => devices.map(({ device }) => device))
    return [...people, ...this.ownDevices().map(({ device }) => device)]
  }

  /** The contact whose device this is. */
  contactOfDevice(device: Uint8Array): ContactRecord | undefined {
    const identity = this.identityOf(device)
    return identity && this.contacts.get(identity)
  }

  #take({ feed, from, to }: Extension): void {
    const isRoot = feed.isOwn ? Buffer.compare(feed.key, this.#root) === 0 : this.contacts.get(feed.key).relation === 'followed'
    if (isRoot) this.#readLog(feed.key)
    else this.#readProfiles(feed.key, from, to)
  }

  /** An identity log grew: its devices may have changed, and with them what is wanted. */
  #readLog(root: Uint8Array): void {
    const feed = this.#store.feed(root)!
    const entries = entriesBetween(this.#store, feed, feed.low, feed.height)
    const devices = evaluateIdentityLog(root, entries.map((entry) => ({ seq: entry.seq, body: bodyOf(entry) })))
    this.contacts.setDevices(root, devices.values())
    this.update()
  }

  #readProfiles(key: Uint8Array, from: number, to: number): void {
    const identity = this.identityOf(key)
    if (identity === undefined) return
    const feed = this.#store.feed(key)!
    const now = Date.now()
    if (identity !== this.#root) this.contacts.setSeen(identity, now)
    for (let seq = from; seq <= to; seq += PAGE) {
      if (!this.#mayHoldProfile(feed, seq, Math.min(to, seq + PAGE - 1))) continue
      for (const entry of entriesBetween(this.#store, feed, seq, Math.min(to, seq + PAGE - 1))) this.#readProfile(identity, entry)
    }
  }

  /** A look at the bytes, so that ten thousand posts are not decoded for one profile. */
  #mayHoldProfile(feed: FeedState, from: number, to: number): boolean {
    for (const { records } of this.#store.rows(feed, from, to)) {
      if (Buffer.from(records.buffer, records.byteOffset, records.length).includes(PROFILE_MARK)) return true
    }
    return false
  }

  #readProfile(identity: Uint8Array, entry: StoredEntry): void {
    const body = bodyOf(entry)
    if (body?.type === 'profile' && this.isCurrent(entry)) this.contacts.setClaimed(identity, { name: body.name, about: body.about }, shownTime(entry))
  }
}
