// The directory as a node has it: finds where people's devices are, publishes where this one is, and tells friends what
// it knows. The DHT learns neither who is asked for nor whose a record is. Design: docs/protocol.md, Directory.
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { SingleKadDHT } from '@libp2p/kad-dht'
import { multiaddr } from '@multiformats/multiaddr'
import type { Extension, FeedStore } from '../feeds/index.ts'
import {
  blindedKey,
  checkRecord,
  type ContactRecord,
  dayOf,
  type DirectoryContent,
  type DirectoryMaterial,
  openRecord,
  parseDid,
  readRecord,
  TrustError
} from '../trust/index.ts'
import type { AddressPolicy } from './addresses.ts'
import { type Directory, NodeError, type Resolved } from './comrade.ts'
import { asNodeError } from './contacts.ts'
import { recordsInDht } from './dht-records.ts'
import { DirectoryCertifier } from './directory-certifier.ts'
import { ownAddresses, toDevices } from './directory-devices.ts'
import { type Found, lookUp, type Place, type Wanted } from './directory-lookup.ts'
import { DirectoryPublisher, type Published } from './directory-publisher.ts'
import { DirectoryQuestions } from './directory-questions.ts'
import { type Missing, MissingPeople } from './missing-people.ts'
import type { People } from './people.ts'
import type { PeopleProtocol } from './people-protocol.ts'
import type { RecordStore } from './record-store.ts'
import { refuse } from './refusal-sentences.ts'

const RESOLVE_TIMEOUT_MS = 10_000
const ASK_TIMEOUT_MS = 2_000
/** Connected friends that are asked about one person. */
const MAX_ASKED = 16
/** Who was told the own records is not told again for so long, unless they are new, in ms. */
const TELL_AGAIN_MS = 60_000
/** How often records are pruned, and certificates looked at. */
const UPKEEP_MS = 3_600_000
const MAX_CACHED_KEYS = 1_024

export interface DirectoryServiceOptions {
  libp2p: Libp2p
  dht: SingleKadDHT
  records: RecordStore
  questions: PeopleProtocol
  store: FeedStore
  people: People
  addresses: AddressPolicy
  /** The identity's public key. */
  root: Uint8Array
  /** Where this device holds the root key. */
  rootSeed?: Uint8Array
  /** Whether to publish, and to ask the DHT. Friends are asked in any case. */
  isEnabled: boolean
  /** Whether this device may still speak for the identity. */
  isCurrent: () => boolean
  /** Who a connected peer has proven to be. */
  contactOf: (peer: PeerId) => ContactRecord | undefined
  /** There are new addresses of this peer. */
  onAddresses: (peerId: string) => void
  /** How many entries the own identity log has, as another own device has published. */
  onOwnLog: (entries: number) => void
  /** Hands other own devices what they need to publish. */
  share: (material: DirectoryMaterial) => void
  onError: (error: unknown) => void
  /** @default Date.now */
  now?: () => number
}

export class DirectoryService implements Directory {
  readonly #options: DirectoryServiceOptions
  readonly #now: () => number
  readonly #publisher: DirectoryPublisher
  readonly #certifier: DirectoryCertifier
  readonly #missing: MissingPeople
  readonly #questions: DirectoryQuestions
  /** Blinded keys by identity and day: each takes a millisecond. */
  readonly #blinded = new Map<string, Uint8Array>()
  /** When connected people were told the own records, by peer id. */
  readonly #told = new Map<string, number>()
  #stopping = new AbortController()
  #upkeep: NodeJS.Timeout | undefined
  readonly #onSelfUpdate = (): void => this.#publisher.lookSoon()
  /** The own identity log grew: a device may have been revoked. */
  readonly #onExtended = ({ feed }: Extension): void => {
    if (Buffer.compare(feed.key, this.#options.root) === 0) this.#certifier.certify()
  }

  constructor(options: DirectoryServiceOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    const { libp2p, dht, people, root, isCurrent, onError } = options
    this.#publisher = new DirectoryPublisher({
      dht,
      book: people.contacts.directory,
      root,
      peer: libp2p.peerId.publicKey!.raw,
      addresses: () => ownAddresses(libp2p),
      log: () => this.#ownLog(),
      isCurrent,
      hasOthers: () => this.#hasOthers(),
      lookUp: (wanted, signal) => this.#lookUp(wanted, signal),
      onContent: (content) => this.#remember(root, content),
      onPublished: () => this.#tellAll(),
      onError,
      now: this.#now
    })
    this.#certifier = new DirectoryCertifier({
      book: people.contacts.directory,
      rootSeed: options.rootSeed,
      revocations: () => people.contacts.devicesOf(root).filter(({ revoked }) => revoked !== undefined).length,
      hasOthers: () => this.#hasOthers(),
      onRenewed: () => this.#publisher.renew(),
      share: options.share,
      onError,
      now: this.#now
    })
    this.#missing = new MissingPeople({
      missing: () => this.#missingPeople(),
      lookUp: (key) => this.#search(key),
      now: this.#now
    })
    this.#questions = new DirectoryQuestions({
      questions: options.questions,
      self: libp2p.peerId,
      contacts: people.contacts,
      contactOf: options.contactOf,
      onTold: (key, records) => this.#take(key, records)
    })
  }

  /** What became of publishing; undefined when nothing was published yet. */
  get published(): Published | undefined {
    return this.#publisher.published
  }

  /** The last day for which this device could publish, as Unix ms of its end; undefined when it cannot. */
  get certifiedUntilMs(): number | undefined {
    const until = this.#options.people.contacts.directory.certifiedUntil(dayOf(this.#now()))
    return until && (until + 1) * 86_400_000
  }

  /** Call it when the network has started. */
  start(): void {
    this.#stopping = new AbortController()
    this.#upkeep = setInterval(() => this.#doUpkeep(), UPKEEP_MS)
    this.#upkeep.unref()
    this.#options.people.contacts.directory.prune(dayOf(this.#now()))
    this.#missing.start()
    if (!this.#options.isEnabled) return
    this.#certifier.start()
    this.#options.store.events.on('extended', this.#onExtended)
    this.#options.libp2p.addEventListener('self:peer:update', this.#onSelfUpdate)
    this.#publisher.start()
  }

  async stop(): Promise<void> {
    clearInterval(this.#upkeep)
    this.#stopping.abort(new Error('the node is stopping'))
    this.#options.store.events.off('extended', this.#onExtended)
    this.#options.libp2p.removeEventListener('self:peer:update', this.#onSelfUpdate)
    await Promise.all([this.#publisher.stop(), this.#missing.stop(), this.#certifier.stop()])
  }

  async resolve(did: string, { signal }: { signal?: AbortSignal } = {}): Promise<Resolved> {
    const startMs = performance.now()
    const root = asNodeError(() => parseDid(did))
    const found = await this.#find(
      asNodeError(() => this.#wanted(root)),
      signal
    )
    const devices = found === undefined ? this.#known(root) : toDevices(found.content)
    if (devices.length === 0) throw new NodeError('NOT_FOUND', refuse('refusal.noRecord', { did }))
    return { did, devices, source: found?.source ?? 'cache', ms: Math.round(performance.now() - startMs) }
  }

  /** Somebody is connected who has proven who they are. */
  onRecognised(peer: PeerId, { relation }: ContactRecord): void {
    const nowMs = this.#now()
    const isRecent = nowMs - (this.#told.get(peer.toString()) ?? 0) < TELL_AGAIN_MS
    if (relation !== 'followed' || isRecent) return
    if (this.#told.size >= MAX_CACHED_KEYS) this.#told.clear()
    this.#told.set(peer.toString(), nowMs)
    void this.#tell(peer)
  }

  /** Somebody connected: there may be a DHT now. */
  onConnected(): void {
    this.#publisher.lookSoon()
  }

  /** Somebody is followed from now on, or no longer. */
  onPeople(): void {
    this.#missing.look()
  }

  /** What another device of this identity needs to publish too; all of it, which may take a moment. */
  async material(): Promise<DirectoryMaterial | undefined> {
    return this.#options.isEnabled ? this.#certifier.material() : undefined
  }

  /** Another device has handed over with what to publish. */
  renew(): void {
    this.#publisher.renew()
  }

  /** Publishes now. */
  publish(): Promise<void> {
    return this.#publisher.publish()
  }

  /** The newest of what friends and the DHT say, and of what is kept here. */
  async #find(
    wanted: Wanted,
    signal?: AbortSignal
  ): Promise<(Omit<Found, 'source'> & { source: Resolved['source'] }) | undefined> {
    const limits = [this.#stopping.signal, AbortSignal.timeout(RESOLVE_TIMEOUT_MS)]
    const found = await this.#lookUp(wanted, AbortSignal.any(signal === undefined ? limits : [...limits, signal]))
    signal?.throwIfAborted()
    const { directory } = this.#options.people.contacts
    const { root, blinded } = wanted
    const isNewest = found !== undefined && this.#isNewest(wanted, found)
    if (isNewest) {
      if (this.#options.store.isOpen) directory.keep(root, blinded, found.record)
      this.#remember(root, found.content)
      return found
    }
    const record = (found && directory.record(root, found.record.day)) ?? directory.newest(root)
    if (record === undefined) return undefined
    return { record, content: openRecord(root, record), source: 'cache' }
  }

  /** Nobody can make this node go back to an older record than it knows. */
  #isNewest({ root }: Wanted, { record }: Found): boolean {
    const known = this.#options.people.contacts.directory.record(root, record.day)
    return (
      known === undefined ||
      known.rank < record.rank ||
      (known.rank === record.rank && known.sequence <= record.sequence)
    )
  }

  #lookUp(wanted: Wanted, signal: AbortSignal): Promise<Found | undefined> {
    const friends = this.#questions.friends(this.#options.libp2p.getPeers()).slice(0, MAX_ASKED)
    const asking = AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)])
    const places: Place[] =
      friends.length === 0 ? [] : [{ source: 'friend', records: this.#questions.find(friends, wanted, asking) }]
    if (this.#options.isEnabled) places.push({ source: 'dht', records: this.#askDht(wanted, signal) })
    return lookUp(wanted, places, { signal, now: this.#now })
  }

  async *#askDht({ blinded }: Wanted, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const own = this.#options.records.get(blinded)
    if (own !== undefined) yield own.bytes
    yield* recordsInDht(this.#options.dht, blinded, signal)
  }

  /** Friends can answer for whoever looks for this identity. */
  async #tell(peer: PeerId): Promise<void> {
    const { people, root } = this.#options
    const today = dayOf(this.#now())
    const records = [today, today + 1].flatMap((day) => people.contacts.directory.record(root, day)?.bytes ?? [])
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ASK_TIMEOUT_MS)])
    if (records.length > 0 && this.#options.isEnabled) await this.#questions.tell(peer, records, signal)
  }

  #tellAll(): void {
    const { libp2p, contactOf } = this.#options
    for (const peer of libp2p.getPeers()) if (contactOf(peer)?.relation === 'followed') void this.#tell(peer)
  }

  #take(root: Uint8Array, records: readonly Uint8Array[]): void {
    const { people, store } = this.#options
    for (const bytes of store.isOpen ? records : []) {
      try {
        const { day } = readRecord(bytes)
        const blinded = this.#blind(root, day)
        const record = checkRecord(blinded, bytes, dayOf(this.#now()))
        const content = openRecord(root, record)
        if (people.contacts.directory.keep(root, blinded, record)) this.#remember(root, content)
      } catch (error) {
        if (!(error instanceof TrustError)) throw error // of another day, or not theirs
      }
    }
  }

  async #search(key: Uint8Array): Promise<void> {
    try {
      await this.#find(this.#wanted(key))
    } catch (error) {
      this.#options.onError(error)
    }
  }

  *#missingPeople(): Generator<Missing> {
    const { libp2p, people, contactOf, store } = this.#options
    if (!store.isOpen) return
    const keys = libp2p.getPeers().flatMap((peer) => contactOf(peer)?.key ?? [])
    const connected = new Set(keys.map(hex))
    for (const key of people.contacts.followed()) {
      if (!connected.has(hex(key))) yield { key, hasAddresses: () => people.contacts.addresses.of(key).length > 0 }
    }
  }

  /** Addresses of people whom one follows, and of own devices, are for the redial loop. */
  #remember(root: Uint8Array, content: DirectoryContent): void {
    const { people, addresses, libp2p, store, onAddresses, onOwnLog } = this.#options
    const { relation } = people.contacts.get(root)
    if (relation === 'self') onOwnLog(content.log.seq)
    if (!store.isOpen || (relation !== 'followed' && relation !== 'self')) return
    for (const { peerId, addresses: named } of toDevices(content)) {
      const known = people.contacts.addresses.ofPeer(peerId)
      const isOthers = known.some(({ identity }) => identity !== undefined && Buffer.compare(identity, root) !== 0)
      if (isOthers || peerId === libp2p.peerId.toString()) continue // a record proves nothing about the peers it names
      const fresh = named.filter(
        (address) => !known.some((each) => each.address === address) && addresses.isAllowed(multiaddr(address))
      )
      for (const address of fresh.toReversed()) this.#keep({ address, peerId, identity: root })
      if (fresh.length > 0) onAddresses(peerId)
    }
  }

  #keep(known: { address: string; peerId: string; identity: Uint8Array }): void {
    try {
      this.#options.people.contacts.addresses.remember(known)
    } catch (error) {
      if (!(error instanceof TrustError)) throw error // it has not the form of an address, whatever the record says
    }
  }

  /** Where somebody's devices were reached, or said to be, before. */
  #known(root: Uint8Array): Resolved['devices'] {
    const byPeer = Map.groupBy(this.#options.people.contacts.addresses.of(root), ({ peerId }) => peerId)
    return [...byPeer].flatMap(([peerId, known]) =>
      peerId === undefined ? [] : [{ peerId, addresses: known.map(({ address }) => address) }]
    )
  }

  #wanted(root: Uint8Array): Wanted {
    return { root, blinded: this.#blind(root, dayOf(this.#now())) }
  }

  /** @throws TrustError DID */
  #blind(root: Uint8Array, day: number): Uint8Array {
    const name = `${day} ${hex(root)}`
    let blinded = this.#blinded.get(name)
    if (blinded === undefined) {
      blinded = blindedKey(root, day)
      if (this.#blinded.size >= MAX_CACHED_KEYS) this.#blinded.clear()
      this.#blinded.set(name, blinded)
    }
    return blinded
  }

  #ownLog(): DirectoryContent['log'] {
    const log = this.#options.store.feed(this.#options.root)
    return log === undefined || log.height === 0
      ? { seq: 0, id: new Uint8Array(32) }
      : { seq: log.height, id: new Uint8Array(log.head) }
  }

  #hasOthers(): boolean {
    return this.#options.people.ownDevices().filter(({ revoked }) => revoked === undefined).length > 1
  }

  #doUpkeep(): void {
    const { records, people, onError } = this.#options
    try {
      records.prune()
      people.contacts.directory.prune(dayOf(this.#now()))
      if (this.#options.isEnabled) this.#certifier.certify()
    } catch (error) {
      onError(error)
    }
  }
}

function hex(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('hex')
}
