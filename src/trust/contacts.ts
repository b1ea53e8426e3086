// The people this device knows: whom it follows or blocks, what they are called, and which devices are theirs.
// Everything is in the node's database; this class is its only reader and writer.
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { type Body, migrate } from '../feeds/index.ts'
import { Acquaintances } from './acquaintances.ts'
import { AddressBook } from './addresses.ts'
import { type ContactRecord, toContactRecord } from './contact-record.ts'
import { byPetname, findKey } from './contact-search.ts'
import { type Decided, type DecidedRelation, Decisions, type Place } from './decisions.ts'
import { formatDid } from './did.ts'
import { DirectoryBook } from './directory-book.ts'
import { TrustError } from './errors.ts'
import { Greetings } from './greetings.ts'
import type { Device } from './identity-log.ts'
import { Introductions } from './introductions.ts'
import { Invites } from './invites.ts'
import { KnownNames } from './known-names.ts'
import { cleanClaim, foldName, harmless, normalizePetname } from './names.ts'
import { PolicyPeople } from './policy-people.ts'
import type { PolicyPerson, SharedList } from './policy.ts'
import { TRUST_MIGRATIONS } from './schema.ts'
import { SealedProgress } from './sealed-progress.ts'
import { SealedQueue } from './sealed-queue.ts'
import { SelfKeys } from './self-keys.ts'
import { SharedFollows } from './shared-follows.ts'
import { type Row, Statements, type Write } from './statements.ts'
import { TopicSecrets } from './topic-secrets.ts'

/** Longest text about oneself that is kept of others, in UTF-16 code units. */
export const MAX_ABOUT_LENGTH = 2_048
/** People without relation or petname that are remembered; past it the least recently seen are forgotten. */
export const MAX_STRANGERS = 10_000

/** A device together with whose it is. */
export interface KnownDevice extends Device {
  identity: Uint8Array
}

export interface ContactsOptions {
  /** Own root key: it can be neither followed nor blocked. */
  self: Uint8Array
  /** Runs a write transaction on the database; FeedStore.write of the store that the database belongs to. */
  write: Write
  /** Seed of the own root key, where this device holds it. */
  rootSeed?: Uint8Array
  /** Relations, devices or what friends share is becoming different: other feeds may be wanted. @default nobody is told */
  onPolicyChange?: () => void
}

export class Contacts {
  /** Where people's devices were reached. */
  readonly addresses: AddressBook
  /** What waits to be written for the own devices. */
  readonly queue: SealedQueue
  /** How much of what they wrote was read. */
  readonly progress: SealedProgress
  /** What the own devices seal it with. */
  readonly selfKeys: SelfKeys
  /** Under which secrets fresh entries are gossiped. */
  readonly topics: TopicSecrets
  /** What friends' devices were told of that, and of whom one follows. */
  readonly greetings: Greetings
  /** Whom friends say they follow. */
  readonly shared: SharedFollows
  /** What is to be told about names that people claim. */
  readonly names: KnownNames
  readonly #decisions: Decisions
  /** Invites to meet that this device made. */
  readonly invites: Invites
  /** Invites with which a device joins this identity. */
  readonly deviceInvites: Invites
  /** Who is on the way to knowing each other. */
  readonly acquaintances: Acquaintances
  /** Whom contacts say that one should meet. */
  readonly introductions: Introductions
  /** What is known of and for the directory. */
  readonly directory: DirectoryBook
  readonly #statements: Statements
  readonly #self: Uint8Array
  readonly #write: Write
  readonly #policy: PolicyPeople

  constructor(database: DatabaseSync, { self, write, rootSeed, onPolicyChange }: ContactsOptions) {
    migrate(database, 'trust', TRUST_MIGRATIONS)
    this.#statements = new Statements(database)
    this.#self = self
    this.#write = write
    this.#policy = new PolicyPeople(this.#statements, onPolicyChange)
    this.addresses = new AddressBook(this.#statements, { self, write })
    this.queue = new SealedQueue(this.#statements)
    this.progress = new SealedProgress(this.#statements)
    this.selfKeys = new SelfKeys(this.#statements, { write, rootSeed })
    this.topics = new TopicSecrets(this.#statements, { self, write, queue: this.queue })
    this.greetings = new Greetings(this.#statements, { write })
    this.shared = new SharedFollows(this.#statements, {
      self,
      write,
      onChange: (friend) => this.#policy.noteShared(friend)
    })
    this.names = new KnownNames(this.#statements, self)
    this.#decisions = new Decisions(this.#statements, this.queue)
    this.invites = new Invites('meet', this.#statements, { write })
    this.deviceInvites = new Invites('device', this.#statements, { write })
    this.acquaintances = new Acquaintances(this.#statements, { write })
    this.introductions = new Introductions(this.#statements, { write })
    this.directory = new DirectoryBook(this.#statements, { write })
  }

  /** Those with a relation or a petname, by the name that is shown; not oneself, not strangers. */
  list(): ContactRecord[] {
    return this.#statements
      .all(`SELECT * FROM contacts WHERE relation <> 'none' OR petname IS NOT NULL`)
      .map((row) => toContactRecord(row, this.#self))
      .filter(({ relation }) => relation !== 'self')
      .toSorted((a, b) => compare(foldName(a.name), foldName(b.name)) || compare(a.did, b.did))
  }

  /** What is known of an identity; for one that was never heard of, a record with relation 'none' (or 'self'). */
  get(key: Uint8Array): ContactRecord {
    const row = this.#statements.all('SELECT * FROM contacts WHERE key = ?', key)[0]
    return toContactRecord(row ?? { key, relation: 'none' }, this.#self)
  }

  /**
   * Finds a person by petname, did, short key tag (`#…`), claimed name with tag as it is shown, or a claimed name that
   * only one person has. Names compare without case. A did that was never heard of is found too.
   * @throws TrustError WHO_UNKNOWN, WHO_AMBIGUOUS (the message lists the choices), DID
   */
  find(who: string): ContactRecord {
    return this.get(findKey(this.#statements, who))
  }

  /** @throws TrustError SELF, BLOCKED */
  follow(key: Uint8Array): ContactRecord {
    this.#refuseSelf(key, 'followed')
    if (this.get(key).relation === 'blocked') {
      throw new TrustError('BLOCKED', `${harmless(this.get(key).name)} is blocked: unblock first, then follow`)
    }
    return this.#decideRelation(key, 'followed')
  }

  /**
   * Ends following; the petname stays. Does nothing for somebody who is not followed. Who was told under which secret
   * one's entries are gossiped is not told the next one.
   */
  unfollow(key: Uint8Array): ContactRecord {
    const { relation, isFriend } = this.get(key)
    if (relation !== 'followed') return this.get(key)
    return this.#decideRelation(key, 'none', isFriend || this.topics.own.generation > 0)
  }

  /**
   * Ends following, forgets where their devices are reached, and begins a topic secret that they are not told.
   * @throws TrustError SELF
   */
  block(key: Uint8Array): ContactRecord {
    this.#refuseSelf(key, 'blocked')
    const knowsTopic = this.get(key).relation === 'followed' || this.topics.own.generation === 0
    return this.#decideRelation(key, 'blocked', knowsTopic)
  }

  /** Ends blocking; does not follow again. Does nothing for somebody who is not blocked. */
  unblock(key: Uint8Array): ContactRecord {
    return this.get(key).relation === 'blocked' ? this.#decideRelation(key, 'none') : this.get(key)
  }

  /**
   * What a petname is kept as, for this person.
   * @throws TrustError NAME, NAME_TAKEN, SELF
   */
  checkPetname(key: Uint8Array, petname: string): string {
    this.#refuseSelf(key, 'given a petname')
    const name = normalizePetname(petname)
    const holder = byPetname(this.#statements, name)[0]
    if (holder !== undefined && !isSame(holder.key as Uint8Array, key)) {
      throw new TrustError(
        'NAME_TAKEN',
        `the petname "${name}" is taken by ${formatDid(holder.key as Uint8Array)}: names compare without case`
      )
    }
    return name
  }

  /**
   * Gives a petname, or takes it away with undefined.
   * @throws TrustError NAME, NAME_TAKEN, SELF
   */
  setPetname(key: Uint8Array, petname: string | undefined): ContactRecord {
    this.#refuseSelf(key, 'given a petname')
    const name = petname === undefined ? undefined : this.checkPetname(key, petname)
    if (this.get(key).petname === name) return this.get(key)
    return this.#write(
      () => {
        this.#show(this.#decisions.decide(key, { petname: name }))
        return this.get(key)
      },
      { isDurable: true }
    )
  }

  /**
   * Takes what an own device decided, as it was written for the others. The newest decision on each matter counts.
   * @returns whether something changed
   */
  applyDecision(body: Body, place: Place): boolean {
    return this.#write(() => {
      const decided = this.#decisions.apply(body, place, this.#self)
      if (decided === undefined) return false
      const before = this.get(decided.contact)
      this.#show(decided)
      const after = this.get(decided.contact)
      return after.relation !== before.relation || after.petname !== before.petname
    })
  }

  /** Forgets what an own device decided after this seq: it was revoked there. @returns whether there was something */
  forgetDecisions(device: Uint8Array, last: number): boolean {
    return this.#write(() => {
      const forgotten = this.#decisions.forgetAfter(device, last)
      for (const decided of forgotten) this.#show(decided)
      return forgotten.length > 0
    })
  }

  /**
   * Caches what a person's newest profile entry claims; an older one than the cached changes nothing.
   * @param claim as decoded, unchecked: it is cleaned and cut here; what it lacks is no longer claimed
   * @param atMs the entry's time, no later than its arrival
   */
  setClaimed(key: Uint8Array, claim: { name?: unknown; about?: unknown }, atMs: number): void {
    const name = typeof claim.name === 'string' ? cleanClaim(claim.name) : undefined
    const about = typeof claim.about === 'string' ? claim.about.slice(0, MAX_ABOUT_LENGTH).toWellFormed() : undefined
    this.#observe(key, () => {
      this.#statements.run(
        'UPDATE contacts SET claimed = ?2, claimed_folded = ?3, about = ?4, claimed_ms = ?5 WHERE key = ?1 AND claimed_ms <= ?5',
        key,
        name ?? null,
        name === undefined ? null : foldName(name),
        about ?? null,
        atMs
      )
      this.names.note(key)
    })
  }

  /** Forgets what a person's profiles claimed: they are to be read again. */
  forgetClaimed(key: Uint8Array): void {
    this.#write(() => {
      this.#statements.run(
        'UPDATE contacts SET claimed = NULL, claimed_folded = NULL, about = NULL, claimed_ms = 0 WHERE key = ?',
        key
      )
      this.names.note(key)
    })
  }

  /** Notes that a person was connected or heard of at this time (Unix ms). */
  setSeen(key: Uint8Array, atMs: number): void {
    this.#observe(key, () =>
      this.#statements.run('UPDATE contacts SET seen_ms = max(coalesce(seen_ms, 0), ?2) WHERE key = ?1', key, atMs)
    )
  }

  /** Notes whether a person follows us, as far as they said so. */
  setFollowsUs(key: Uint8Array, followsUs: boolean): void {
    this.#observe(key, () => {
      const isNews = this.#statements.run(
        'UPDATE contacts SET follows_us = ?2 WHERE key = ?1 AND follows_us <> ?2',
        key,
        followsUs ? 1 : 0
      )
      if (isNews > 0) this.#policy.note(key)
    })
  }

  /**
   * Caches what an identity's log says about its devices, in place of what was cached before. A device that another
   * identity named first stays with that one.
   */
  setDevices(identity: Uint8Array, devices: Iterable<Device>): void {
    this.#policy.note(identity)
    this.#observe(identity, () => {
      this.#statements.run('DELETE FROM contact_devices WHERE identity = ?', identity)
      for (const { device, name, addedAt, revoked } of devices) {
        this.#statements.run(
          'INSERT INTO contact_devices VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
          device,
          identity,
          name,
          addedAt,
          revoked?.last ?? null
        )
      }
    })
  }

  devicesOf(identity: Uint8Array): KnownDevice[] {
    return this.#statements
      .all('SELECT * FROM contact_devices WHERE identity = ? ORDER BY added_at', identity)
      .map(toDevice)
  }

  /** Whose a device is; undefined when nobody known named it. */
  deviceByKey(device: Uint8Array): KnownDevice | undefined {
    return this.#statements.all('SELECT * FROM contact_devices WHERE device = ?', device).map(toDevice)[0]
  }

  /** Root keys of those whom one follows, in the order of the keys. @param limit at most this many @default all */
  followed(limit = -1): Uint8Array[] {
    return this.#statements
      .all(`SELECT key FROM contacts WHERE relation = 'followed' ORDER BY key LIMIT ?`, limit)
      .map(({ key }) => key as Uint8Array)
  }

  /** Those who are followed or blocked, with their devices: what the policy works on. */
  policyPeople(): PolicyPerson[] {
    return this.#policy.list()
  }

  /** Whom friends say they follow, for the policy. */
  sharedLists(): SharedList[] {
    return this.#policy.shared()
  }

  #refuseSelf(key: Uint8Array, what: string): void {
    if (isSame(key, this.#self)) throw new TrustError('SELF', `one's own identity cannot be ${what}`)
  }

  /** What the user decided: on the disk before it is confirmed. */
  #decideRelation(key: Uint8Array, relation: DecidedRelation, isTopicEnded = false): ContactRecord {
    if (this.get(key).relation === relation) return this.get(key)
    return this.#write(
      () => {
        this.#show(this.#decisions.decide(key, { relation }))
        if (isTopicEnded) this.topics.rotate()
        return this.get(key)
      },
      { isDurable: true }
    )
  }

  /** Brings what is shown in line with a decision, and lets go what ends with it. */
  #show({ contact, relation, petnames }: Decided): void {
    for (const { contact: key, petname } of petnames) {
      this.#change(
        key,
        'petname = ?2, petname_folded = ?3',
        petname ?? null,
        petname === undefined ? null : foldName(petname)
      )
    }
    if (relation === undefined) return
    this.#change(contact, 'relation = ?2', relation)
    if (relation === 'blocked') {
      for (const places of [this.addresses, this.directory]) places.forgetIdentity(contact)
      this.acquaintances.forget(contact)
    }
    if (relation === 'followed') return
    for (const told of [this.topics, this.greetings, this.shared]) told.forget(contact)
  }

  #change(key: Uint8Array, assignment: string, ...values: SQLInputValue[]): void {
    this.#policy.note(key)
    this.#statements.run('INSERT INTO contacts (key) VALUES (?) ON CONFLICT DO NOTHING', key)
    this.#statements.run(`UPDATE contacts SET ${assignment} WHERE key = ?1`, key, ...values)
    this.names.note(key)
  }

  /** What was learned from others: can be learned again, and the number of strangers is bounded. */
  #observe(key: Uint8Array, work: () => void): void {
    this.#write(() => {
      const isNew = this.#statements.run('INSERT INTO contacts (key) VALUES (?) ON CONFLICT DO NOTHING', key) > 0
      work()
      if (isNew) this.#forgetStrangers(key)
    })
  }

  #forgetStrangers(newest: Uint8Array): void {
    let isStranger = `relation = 'none' AND petname IS NULL AND key <> ?1 AND key <> ?2`
    const count = (): number =>
      Number(this.#statements.all(`SELECT count(*) AS n FROM contacts WHERE ${isStranger}`, this.#self, newest)[0].n)
    if (count() < MAX_STRANGERS) return
    // Whom friends follow is remembered besides: the devices that are carried for them are found by it.
    isStranger += ' AND key NOT IN (SELECT person FROM shared_follows)'
    const beside = count()
    if (beside < MAX_STRANGERS) return
    this.#statements.run(
      `DELETE FROM contacts WHERE key IN (SELECT key FROM contacts WHERE ${isStranger} ORDER BY seen_ms LIMIT ?3)`,
      this.#self,
      newest,
      beside + 1 - MAX_STRANGERS
    )
  }
}

function toDevice(row: Row): KnownDevice {
  const last = row.last as number | null
  return {
    identity: row.identity as Uint8Array,
    device: row.device as Uint8Array,
    name: row.name as string,
    addedAt: row.added_at as number,
    ...(last === null ? {} : { revoked: { last } })
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
