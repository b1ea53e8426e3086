// One device: composes keys, store, people and network into what `createNode()` gives, and starts and stops it all.
import { open } from 'node:fs/promises'
import { createReadStream } from 'node:fs'
import { hostname } from 'node:os'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import {
  encodeBody,
  eraseExpired,
  eraseForRoom,
  exportFeeds,
  FeedError,
  type FeedState,
  FeedStore,
  importFeeds,
  Indexer,
  storeSize,
  type SyncSession
} from '../feeds/index.ts'
import { formatDid, generatePhrase, MAX_DEVICE_NAME_LENGTH, type StoreMode } from '../trust/index.ts'
import {
  type Check,
  type Comrade,
  type ComradeEvents,
  type Contacts,
  NodeError,
  type Peer,
  type Profile,
  type Status
} from './comrade.ts'
import { setConfig } from './config.ts'
import { NodeContacts } from './contacts.ts'
import { Device } from './device.ts'
import { examine } from './doctor.ts'
import { Arrivals, NodeFeeds } from './feeds.ts'
import { toFeedItem } from './feed-item.ts'
import { Gossip } from './gossip.ts'
import { GossipService } from './gossip-service.ts'
import { HelloService } from './hello-service.ts'
import { type Home, homeAt, openHome } from './home.ts'
import { createKeys, hasKeys, type Keys, openKeys } from './keystore.ts'
import { type HomeLock, lockHome } from './lock.ts'
import { createLog, type Log } from './log.ts'
import { createNetwork, type Network } from './network.ts'
import { type NodeOptions, settle, type Settings } from './options.ts'
import { People } from './people.ts'
import { RedialLoop } from './redial.ts'
import { SyncService } from './sync-service.ts'
import { version } from './version.ts'

/** How often expired bodies are looked for, and the quota is held, in ms. */
const UPKEEP_MS = 60_000
/** How long newly known devices wait to be looked for among the connected peers, in ms. */
const RECOGNISE_DELAY_MS = 50
/** A node leaves within 3 s; what hangs longer is left behind. */
const STOP_TIMEOUT_MS = 2_800

/**
 * Makes a node: opens (or, on first use, makes) the data directory, the identity and the store. It neither listens nor
 * dials before `start()`. Dispose of it, or call `stop()`, to let the directory go.
 * @throws NodeError HOME_IN_USE, LOCKED, KEYS_EXPOSED, BAD_INPUT; FeedError STORE_NEWER, DISK_FULL
 */
export async function createNode(options: NodeOptions = {}): Promise<Comrade> {
  deviceName(options.deviceName) // before anything is made
  const settings = settle(options, (directory) => homeAt(directory).config)
  const home = openHome(settings.home)
  const lock = lockHome(home.lock)
  const undo = new DisposableStack()
  undo.use(lock)
  try {
    const { keys, phrase } = await takeKeys(home, options)
    const store = undo.adopt(FeedStore.open(home.store), (opened) => opened.close())
    const node = new ComradeNode({ options, settings, home, lock, keys, phrase, store })
    await node.open()
    undo.move()
    return node
  } catch (error) {
    undo.dispose()
    throw error
  }
}

async function takeKeys(
  home: Home,
  { passphrase, onRecoveryPhrase }: NodeOptions
): Promise<{ keys: Keys; phrase?: string }> {
  if (hasKeys(home.keys)) return { keys: await openKeys(home.keys, { passphrase }) }
  const phrase = generatePhrase()
  await onRecoveryPhrase?.(phrase)
  return createKeys(home.keys, { passphrase, phrase })
}

interface Parts {
  options: NodeOptions
  settings: Settings
  home: Home
  lock: HomeLock
  keys: Keys
  phrase: string | undefined
  store: FeedStore
}

class ComradeNode implements Comrade {
  readonly recoveryPhrase: string | undefined
  readonly home: string
  readonly feeds: NodeFeeds
  readonly contacts: Contacts
  readonly #parts: Parts
  readonly #store: FeedStore
  readonly #people: People
  readonly #indexer: Indexer
  readonly #device: Device
  readonly #events = new EventTarget()
  readonly #log: Log
  #entryEvents: AbortController | undefined
  #network!: Network
  #sync!: SyncService
  #hello!: HelloService
  #pubsub!: Gossip
  #gossip!: GossipService
  #redial!: RedialLoop
  #upkeep: NodeJS.Timeout | undefined
  #recognising: NodeJS.Timeout | undefined
  #startedAt = 0
  #stopping: Promise<void> | undefined
  #quota: number
  /** Peers that share our feed: they hold it, and whoever of them is followed is a friend. */
  readonly #sharing = new Set<string>()

  constructor(parts: Parts) {
    const { store, keys, settings, home, options } = parts
    this.#parts = parts
    this.#store = store
    this.home = home.directory
    this.recoveryPhrase = parts.phrase
    this.#quota = settings.quota
    this.#log = createLog(settings.logLevel)
    this.#people = new People({ store, root: keys.root.publicKey, device: keys.device.publicKey, mode: settings.store })
    this.#indexer = new Indexer(store, { hasFullText: settings.fullText })
    this.#device = new Device({
      store,
      keys,
      directory: home.keys,
      passphrase: options.passphrase,
      name: deviceName(options.deviceName),
      people: this.#people,
      onReplaced: (before) => this.#onDeviceReplaced(before)
    })
    this.feeds = new NodeFeeds({
      store,
      people: this.#people,
      indexer: this.#indexer,
      writer: () => this.#device.writer,
      holders: () => this.#sharing.size
    })
    this.contacts = new NodeContacts(this.#people, () => this.#onContactsChanged())
    store.events.on('fork', (feed) =>
      this.#warn('FORK', `a feed was continued in two places; it is kept up to entry ${feed.height}`, feed)
    )
  }

  /** What needs time before the node can be handed over. */
  async open(): Promise<void> {
    const { settings, home, keys, options } = this.#parts
    await this.#device.open()
    const network = await createNetwork({
      privateKey: await generateKeyPairFromSeed('Ed25519', keys.peerSeed),
      home: home.directory,
      listen: settings.listen,
      lan: settings.lan,
      mdns: settings.mdns && settings.lan,
      isWanted: (peerId) => this.#people.contacts.addresses.ofPeer(peerId).length > 0,
      libp2p: options.libp2p
    })
    this.#network = network
    this.#hello = new HelloService({
      libp2p: network.libp2p,
      deviceKey: this.#device.key,
      onRecognised: ({ peerId, deviceKey }) => this.#recognised(peerId, deviceKey)
    })
    this.#sync = new SyncService({
      libp2p: network.libp2p,
      store: this.#store,
      isPacked: settings.compress,
      deviceOf: (peerId) => this.#hello.deviceOf(peerId),
      isBlocked: (peerId) => this.#contactOf(peerId)?.relation === 'blocked',
      onSettled: (peerId, session) => this.#settled(peerId, session),
      onFault: (peerId, error) => {
        this.#log.warn({ peer: peerId.toString(), code: error.code }, `sync with this peer was ended: ${error.message}`)
        network.faults.add(peerId.toString())
      }
    })
    this.#pubsub = new Gossip(network.libp2p.services.pubsub, {
      judge: (topic, data, from) => this.#gossip.judge(topic, data, from),
      faults: network.faults
    })
    this.#gossip = new GossipService({
      store: this.#store,
      gossip: this.#pubsub,
      pull: (feed, height, from) => this.#sync.pull(feed, height, from)
    })
    this.#redial = new RedialLoop({
      targets: () =>
        this.#people.contacts.addresses.targets().map(({ peerId, addresses, identity }) => ({
          peerId,
          multiaddrs: addresses,
          priority: identity === undefined ? 0 : 1
        })),
      isConnected: (target) => network.isConnected(target),
      dial: (target, signal) => network.dial(target, signal)
    })
    for (const address of settings.peers) this.#give(address)
  }

  get identity(): { did: string; device: string } {
    return { did: formatDid(this.#parts.keys.root.publicKey), device: formatDid(this.#device.key.publicKey) }
  }

  get libp2p(): Libp2p {
    return this.#network.libp2p
  }

  get peerId(): string {
    return this.#network.peerId.toString()
  }

  get addresses(): string[] {
    return this.libp2p.getMultiaddrs().map(String)
  }

  async start(): Promise<void> {
    if (this.#stopping !== undefined)
      throw new NodeError('FAILED', 'a node that was stopped is not started again: make a new one')
    if (this.#startedAt > 0) return
    this.#startedAt = Date.now()
    const { libp2p } = this.#network
    libp2p.addEventListener('peer:connect', ({ detail }) => this.#connected(detail))
    libp2p.addEventListener('peer:disconnect', ({ detail }) => this.#disconnected(detail))
    libp2p.addEventListener('peer:identify', ({ detail }) =>
      this.#learnAddresses(detail.peerId, detail.listenAddrs.map(String))
    )
    await this.#hello.start()
    await this.#sync.start()
    this.#hello.recognise(this.#people.knownDevices())
    this.#store.events.on('wanted', this.#onWanted)
    await this.#listen()
    this.#gossip.start()
    this.#redial.start()
    this.#upkeep = setInterval(() => this.#doUpkeep(), UPKEEP_MS)
    this.#upkeep.unref()
  }

  async #listen(): Promise<void> {
    try {
      await this.#network.start()
    } catch (error) {
      await this.stop()
      const reason = (error as Error).message.split('\n')[0]
      throw new NodeError('FAILED', `the node cannot listen on ${this.#parts.settings.listen.join(', ')}: ${reason}`, {
        cause: error
      })
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    clearInterval(this.#upkeep)
    this.#entryEvents?.abort()
    this.#store.events.off('wanted', this.#onWanted)
    clearTimeout(this.#recognising)
    this.#indexer.stop()
    this.#gossip.stop()
    const limit = Promise.withResolvers<void>()
    const timer = setTimeout(limit.resolve, STOP_TIMEOUT_MS)
    await Promise.race([this.#stopNetwork(), limit.promise])
    clearTimeout(timer)
    try {
      this.#device.close()
      this.#people.close()
      this.#store.close()
    } finally {
      this.#parts.lock.release()
    }
  }

  /** Every step is tried, also when one fails: on a full disk libp2p cannot even note that a protocol is gone. */
  async #stopNetwork(): Promise<void> {
    const services = this.#startedAt > 0 ? [this.#redial, this.#sync, this.#hello] : []
    for (const service of [...services, this.#network]) {
      try {
        await service.stop()
      } catch (error) {
        this.#emit('warning', { code: 'STOP', message: `not everything could be ended: ${(error as Error).message}` })
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async status(): Promise<Status> {
    const { feeds, entries, bytes } = storeSize(this.#store)
    return {
      ...this.identity,
      peerId: this.peerId,
      addresses: this.addresses,
      peers: this.libp2p.getPeers().length,
      feeds,
      entries,
      bytes,
      uptimeMs: this.#startedAt === 0 ? 0 : Date.now() - this.#startedAt,
      version,
      ...(this.#device.paused === undefined ? {} : { paused: this.#device.paused })
    }
  }

  async profile(change?: { name?: string; about?: string }): Promise<Profile> {
    const { claimed, about } = this.#people.contacts.get(this.#parts.keys.root.publicKey)
    // An empty text takes a field away.
    const profile = withoutUndefined({
      name: (change?.name ?? claimed) || undefined,
      about: (change?.about ?? about) || undefined
    })
    if (change !== undefined) await this.#device.writer.append([encodeBody({ type: 'profile', ...profile })])
    return { ...this.identity, ...profile }
  }

  async peers(): Promise<Peer[]> {
    return this.libp2p.getConnections().map((connection) => {
      const contact = this.#contactOf(connection.remotePeer)
      return {
        peerId: connection.remotePeer.toString(),
        ...(contact === undefined ? {} : { did: contact.did, name: contact.name }),
        address: connection.remoteAddr.toString(),
        direction: connection.direction,
        ...(connection.rtt === undefined ? {} : { latencyMs: connection.rtt }),
        since: new Date(connection.timeline.open).toISOString()
      }
    })
  }

  async connect(address: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    this.#give(address)
    try {
      await this.#network.connect(address, { signal })
    } catch (error) {
      signal?.throwIfAborted()
      throw new NodeError('UNREACHABLE', `nobody answers at ${address}: ${(error as Error).message.split('\n')[0]}`, {
        cause: error
      })
    }
    this.#redial.look()
  }

  async storeMode(mode?: StoreMode): Promise<{ store: StoreMode; quota: number; used: number }> {
    if (mode !== undefined) {
      setConfig(this.#parts.home.config, 'store', mode)
      this.#people.setMode(mode)
    }
    return this.quota()
  }

  async quota(bytes?: number): Promise<{ store: StoreMode; quota: number; used: number }> {
    if (bytes !== undefined) {
      setConfig(this.#parts.home.config, 'quota', bytes)
      this.#quota = bytes
      this.#holdQuota()
    }
    return { store: this.#people.mode, quota: this.#quota, used: this.#used() }
  }

  async exportTo(file: string, who?: string[]): Promise<{ entries: number; bytes: number }> {
    const people = who?.map((name) => this.#people.contacts.find(name).key)
    const nums = people && new Set(people.flatMap((key) => [...this.#people.feedsOf(key)]))
    const feeds = this.#store
      .wantedFeeds()
      .filter((feed) => feed.height > 0 && (nums === undefined || nums.has(feed.num)))
    // Identity logs first: they say whose the other feeds are.
    feeds.sort((a, b) => Number(this.#isLog(b)) - Number(this.#isLog(a)))
    const handle = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
      throw new NodeError(
        'BAD_INPUT',
        error.code === 'EEXIST'
          ? `${file} exists already: it is not overwritten`
          : `${file} cannot be written: ${error.message}`,
        { cause: error }
      )
    })
    const written = { entries: 0, bytes: 0 }
    try {
      for (const { chunk, entries } of exportFeeds(this.#store, feeds)) {
        await handle.writeFile(chunk)
        written.entries += entries
        written.bytes += chunk.length
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    return written
  }

  async importFrom(file: string): Promise<{ entries: number; bytes: number }> {
    try {
      return await importFeeds(this.#store, createReadStream(file), () => this.#people.updateNow())
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (error instanceof FeedError || code === undefined) throw error
      throw new NodeError('BAD_INPUT', `${file} cannot be read: ${(error as Error).message}`, { cause: error })
    }
  }

  doctor(): Promise<Check[]> {
    return examine({
      store: this.#store,
      home: this.#parts.home,
      libp2p: this.libp2p,
      warnings: this.#parts.settings.warnings,
      paused: this.#device.paused,
      quota: this.#quota,
      used: this.#used()
    })
  }

  addEventListener<K extends keyof ComradeEvents>(
    type: K,
    listener: (event: ComradeEvents[K]) => void,
    options?: { signal?: AbortSignal }
  ): void {
    this.#events.addEventListener(type, listener as (event: Event) => void, options)
    if (type === 'entry') this.#emitEntries()
  }

  removeEventListener<K extends keyof ComradeEvents>(type: K, listener: (event: ComradeEvents[K]) => void): void {
    this.#events.removeEventListener(type, listener as (event: Event) => void)
  }

  /** Entries are decoded for events only when somebody listens. */
  #emitEntries(): void {
    if (this.#entryEvents !== undefined || this.#stopping !== undefined) return
    const { signal } = (this.#entryEvents = new AbortController())
    const arrivals = new Arrivals(this.#store)
    const run = async (): Promise<void> => {
      for await (const entry of arrivals.entries(signal)) this.#emit('entry', toFeedItem(entry, this.#people))
    }
    run()
      .catch(() => {}) // aborted by stop
      .finally(() => arrivals.close())
  }

  #emit<K extends keyof ComradeEvents>(type: K, detail: ComradeEvents[K]['detail']): void {
    this.#events.dispatchEvent(new CustomEvent(type, { detail }))
  }

  #warn(code: string, message: string, feed: FeedState): void {
    this.#log.warn({ code, feed: formatDid(feed.key) }, message)
    this.#emit('warning', { code, message, feed: formatDid(feed.key) })
  }

  #connected(peerId: PeerId): void {
    this.#log.debug({ peer: peerId.toString() }, 'connected')
    this.#redial.look()
    this.#emit('peer:connect', { peerId: peerId.toString(), ...this.#didOf(peerId) })
  }

  #disconnected(peerId: PeerId): void {
    this.#log.debug({ peer: peerId.toString() }, 'disconnected')
    this.#sharing.delete(peerId.toString())
    this.#updateDirectPeers()
    this.#redial.look()
    this.#emit('peer:disconnect', { peerId: peerId.toString(), ...this.#didOf(peerId) })
  }

  /** The device at the other end of a connection has proven to be one that is known. */
  #recognised(peerId: PeerId, deviceKey: Uint8Array): void {
    const contact = this.#people.contactOfDevice(deviceKey)
    if (contact === undefined) return
    if (contact.relation === 'blocked') {
      this.#sync?.end(peerId, 'this peer is blocked')
      void this.#network.libp2p.hangUp(peerId, { signal: AbortSignal.timeout(1_000) }).catch(() => {}) // it is gone already
      return
    }
    const { addresses } = this.#people.contacts
    addresses.tie(peerId.toString(), contact.key)
    this.#people.contacts.setSeen(contact.key, Date.now())
    const session = this.#sync.sessionOf(peerId)
    if (session?.stats.isSettled) this.#settled(peerId, session)
  }

  #learnAddresses(peerId: PeerId, addresses: string[]): void {
    const identity = this.#contactOf(peerId)
    const book = this.#people.contacts.addresses
    const isKept = identity?.relation === 'followed' || book.ofPeer(peerId.toString()).length > 0
    if (!isKept || !this.#store.isOpen) return
    for (const address of addresses.slice(0, 16)) {
      try {
        if (this.#network.addresses.isAllowed(multiaddr(address)))
          book.remember({ address, peerId: peerId.toString(), identity: identity?.key })
      } catch {
        // an address that cannot be read says nothing
      }
    }
  }

  #settled(peerId: PeerId, session: SyncSession): void {
    const isSharing = session.shares(this.#device.writer.feed)
    if (isSharing) {
      this.#sharing.add(peerId.toString())
      if (this.#hasGivenBack(session)) this.#device.caughtUp()
    } else this.#sharing.delete(peerId.toString())
    const contact = this.#contactOf(peerId)
    if (contact !== undefined) this.#people.contacts.setFollowsUs(contact.key, isSharing)
    this.#updateDirectPeers()
  }

  #onDeviceReplaced(before: FeedState): void {
    this.#hello?.setDeviceKey(this.#device.key)
    this.#warn(
      'DEVICE_REPLACED',
      `this device's feed was written in two places: it goes on under a new device key`,
      before
    )
  }

  /** Whether a restored store may rely on what this peer had: somebody who holds less than we do can't know what is missing. */
  #hasGivenBack(session: SyncSession): boolean {
    const { log, writer } = this.#device
    return session.holdsOwn(log) && (writer.feed.height === 0 || session.holdsOwn(writer.feed))
  }

  /** Friends who are connected hear everything directly. */
  #updateDirectPeers(): void {
    const friends = [...this.#sharing].filter((name) => {
      const peer = this.libp2p.getPeers().find((each) => each.toString() === name)
      return peer !== undefined && this.#contactOf(peer)?.isFriend === true
    })
    this.#pubsub.setDirectPeers(new Set(friends))
  }

  /** Devices that are known now may have connected before; looked at once for all that come to be known together. */
  readonly #onWanted = (): void => {
    this.#recognising ??= setTimeout(() => {
      this.#recognising = undefined
      this.#hello.recognise(this.#people.knownDevices())
    }, RECOGNISE_DELAY_MS)
  }

  #onContactsChanged(): void {
    this.#people.update()
    this.#hello.recognise(this.#people.knownDevices())
    this.#redial.look()
    for (const peer of this.libp2p.getPeers()) {
      const device = this.#hello.deviceOf(peer)
      if (device !== undefined) this.#recognised(peer, device)
    }
  }

  #contactOf(peerId: PeerId) {
    const device = this.#hello.deviceOf(peerId)
    return device && this.#people.contactOfDevice(device)
  }

  #didOf(peerId: PeerId): { did?: string } {
    const contact = this.#contactOf(peerId)
    return contact === undefined ? {} : { did: contact.did }
  }

  #give(address: string): void {
    this.#network.addresses.give(readAddress(address))
    this.#people.contacts.addresses.remember({ address, isGiven: true })
  }

  #isLog(feed: FeedState): boolean {
    return (
      this.#people.identityOf(feed.key) !== undefined &&
      Buffer.compare(this.#people.identityOf(feed.key)!, feed.key) === 0
    )
  }

  #used(): number {
    return Number(this.#store.get('SELECT coalesce(sum(bytes), 0) AS n FROM feeds WHERE own = 0')!.n)
  }

  #holdQuota(): void {
    const over = this.#used() - this.#quota
    if (over > 0) eraseForRoom(this.#store, over)
  }

  #doUpkeep(): void {
    try {
      eraseExpired(this.#store, Date.now())
      this.#holdQuota()
    } catch (error) {
      this.#log.error({ err: error }, 'upkeep failed')
      this.#emit('warning', { code: 'UPKEEP', message: (error as Error).message })
    }
  }
}

/** @throws NodeError BAD_INPUT */
function readAddress(address: string): Multiaddr {
  try {
    return multiaddr(address)
  } catch (error) {
    throw new NodeError(
      'BAD_INPUT',
      `expected a multiaddr such as /ip4/192.0.2.1/tcp/4040, found "${address.slice(0, 80)}"`,
      { cause: error }
    )
  }
}

/** The name under which the identity log lists this device. @throws NodeError BAD_INPUT */
function deviceName(given: string | undefined): string {
  if (given === undefined) return hostname().slice(0, MAX_DEVICE_NAME_LENGTH) || 'device'
  if (given.length >= 1 && given.length <= MAX_DEVICE_NAME_LENGTH) return given
  throw new NodeError('BAD_INPUT', `a device's name has 1 to ${MAX_DEVICE_NAME_LENGTH} characters, not ${given.length}`)
}

function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Partial<T>
}
