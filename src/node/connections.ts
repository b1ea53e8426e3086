// Whom this device is connected with: the network and the protocols that run on every connection, kept together with what
// the contacts say about who is at the other end.
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { FeedStore, Sentence, SyncSession } from '../feeds/index.ts'
import type { ContactRecord, DialTarget, DirectoryMaterial } from '../trust/index.ts'
import { MAX_ADDRESSES_PER_PEER } from './addresses.ts'
import { NodeError, type Peer } from './comrade.ts'
import type { Device } from './device.ts'
import { DirectoryService } from './directory-service.ts'
import { Gossip } from './gossip.ts'
import { GossipService } from './gossip-service.ts'
import { GossipTopics } from './gossip-topics.ts'
import { Greeting } from './greeting.ts'
import { GroupSync, type HeldGroups } from './groups/group-sync.ts'
import { HelloService } from './hello-service.ts'
import { Latency } from './latency.ts'
import type { Log } from './log.ts'
import { createNetwork, type Network } from './network.ts'
import type { NodeOptions, Settings } from './options.ts'
import type { People } from './people.ts'
import { PeopleProtocol } from './people-protocol.ts'
import { peerList } from './peer-list.ts'
import { RecordStore } from './record-store.ts'
import { type Reach, reachOf } from './reachability.ts'
import { keepPorts, withKeptPorts } from './ports.ts'
import { RedialLoop } from './redial.ts'
import { noAnswer } from './refusals.ts'
import { sayWarning } from './sentences.ts'
import type { SessionService } from './session-service.ts'
import { pull, syncService } from './sync-service.ts'
import { peerSync } from './sync-state.ts'

/** How long newly known devices wait to be looked for among the connected peers, in ms. */
const RECOGNISE_DELAY_MS = 50
const REACH_TIMEOUT_MS = 10_000

export interface ConnectionsOptions {
  settings: Settings
  libp2p: NodeOptions['libp2p']
  /** Ed25519 seed of the libp2p key. */
  peerSeed: Uint8Array
  /** The identity's public key, and its seed where this device holds it. */
  identity: Uint8Array
  rootSeed?: Uint8Array
  /** There are new directory keys for the other own devices. */
  onDirectoryMaterial: (material: DirectoryMaterial) => void
  store: FeedStore
  people: People
  device: Device
  groups: HeldGroups
  log: Log
  onConnect: (peer: { peerId: string; did?: string }) => void
  onDisconnect: (peer: { peerId: string; did?: string }) => void
  /** A device of somebody known has proven which one it is, or is known anew. */
  onRecognised: (peerId: PeerId) => void
  /** A session has come further. Called often. */
  onSyncProgress: () => void
  onSyncEnded: (session: SyncSession) => void
  onWarning: (code: string, sentence: Sentence) => void
}

/** For whom else than friends this node passes connections on, at whom it may wait, and whom it stays connected with. */
export interface Carriers {
  mayRelayFor(peerId: PeerId): boolean
  relays(): PeerId[]
  neighbours(): DialTarget[]
}

export class Connections {
  /** Questions that peers ask each other; whoever offers something registers its answerer here. */
  readonly questions: PeopleProtocol
  readonly directory: DirectoryService
  /** A device has proven which one it is, or is known anew. */
  onRecognised: (peerId: PeerId) => void = () => {}
  carriers: Carriers | undefined
  readonly #options: ConnectionsOptions
  readonly #network: Network
  readonly #hello: HelloService
  readonly #sync: SessionService<SyncSession>
  readonly #groups: GroupSync
  readonly #pubsub: Gossip
  readonly #gossip: GossipService
  readonly #greeting: Greeting
  readonly #redial: RedialLoop
  readonly #latency = new Latency()
  #recognising: NodeJS.Timeout | undefined
  /** To what libp2p says, until the store is closed. */
  readonly #listening = new AbortController()
  #isStarted = false
  /** Peers that share our feed: they hold it, and whoever of them is followed is a friend. */
  readonly #sharing = new Set<string>()

  static async create(options: ConnectionsOptions): Promise<Connections> {
    const { settings, store, people } = options
    const records = new RecordStore()
    const network = await createNetwork({
      records,
      privateKey: await generateKeyPairFromSeed('Ed25519', options.peerSeed),
      home: settings.home,
      listen: await withKeptPorts(settings.listen, store),
      lan: settings.lan,
      mdns: settings.mdns && settings.lan,
      isWanted: (peerId) => people.contacts.addresses.ofPeer(peerId).length > 0,
      relay: settings.relay === 'friends',
      mayRelayFor: (peerId) => connections.#mayRelayFor(peerIdFromString(peerId)),
      relays: () => connections.#relays(),
      mayPunch: (peerId) => connections.#isOurs(peerIdFromString(peerId)),
      isBlocked: (peerId) => connections.#isBlocked(peerIdFromString(peerId)),
      libp2p: options.libp2p
    })
    const connections = new Connections(options, network, records)
    return connections
  }

  private constructor(options: ConnectionsOptions, network: Network, records: RecordStore) {
    const { settings, store, people, device, log } = options
    this.#options = options
    this.#network = network
    this.#hello = new HelloService({
      libp2p: network.libp2p,
      deviceKey: device.key,
      onRecognised: ({ peerId, deviceKey }) => this.#recognised(peerId, deviceKey),
      likely: (peerId) => this.#devicesMetAs(peerId)
    })
    this.#sync = syncService({
      libp2p: network.libp2p,
      store,
      isPacked: settings.compress,
      deviceOf: (peerId) => this.#hello.deviceOf(peerId),
      isBlocked: (peerId) => this.#isBlocked(peerId),
      onSettled: (peerId, session) => this.#settled(peerId, session),
      onProgress: options.onSyncProgress,
      onEnded: options.onSyncEnded,
      onFault: (peerId, error) => {
        log.warn({ peer: peerId.toString(), code: error.code }, `sync with this peer was ended: ${error.message}`)
        network.faults.add(peerId.toString())
      }
    })
    this.questions = new PeopleProtocol({
      libp2p: network.libp2p,
      onFault: (peerId, error) => {
        log.warn({ peer: peerId.toString() }, `a question of this peer was not answered: ${error.message}`)
        network.faults.add(peerId.toString())
      },
      onError: (type, error) => log.error({ err: error, type }, 'a question could not be answered')
    })
    const topics = new GossipTopics((all) => this.#pubsub.subscribe(all))
    this.#pubsub = new Gossip(network.libp2p.services.pubsub, {
      judge: (topic, data, from) => topics.judge(topic, data, from),
      faults: network.faults
    })
    this.#groups = new GroupSync({
      libp2p: network.libp2p,
      groups: options.groups,
      gossip: this.#pubsub,
      topics,
      isBlocked: (peerId) => this.#isBlocked(peerId),
      onFault: (peerId, error) => {
        log.warn(
          { peer: peerId.toString(), code: error.code },
          `replication with this peer was ended: ${error.message}`
        )
        network.faults.add(peerId.toString())
      }
    })
    this.#gossip = new GossipService({
      store,
      gossip: this.#pubsub,
      share: (judge) => topics.share(judge),
      secretOf: (feed) => people.topicSecretOf(feed),
      pull: (feed, height, from) => pull(this.#sync, feed, height, from)
    })
    this.#greeting = new Greeting({
      people,
      questions: this.questions,
      sharesContacts: () => settings.shareContacts,
      deviceOf: (peerId) => this.#hello.deviceOf(peerId),
      onSecret: () => this.#gossip.onSecretsChanged(),
      onShared: () => people.update()
    })
    this.#redial = new RedialLoop({
      targets: () => [
        ...(this.carriers?.neighbours() ?? []).map(({ peerId, addresses }) => ({
          peerId,
          multiaddrs: addresses,
          priority: 0
        })),
        ...people.contacts.addresses.targets().map(({ peerId, addresses, identity }) => ({
          peerId,
          multiaddrs: addresses,
          priority: identity === undefined ? 0 : 1
        }))
      ],
      isConnected: (target) => network.isConnected(target),
      isRelayed: (target) => network.isRelayed(target),
      dial: (target, signal) => network.dial(target, signal, (address) => this.#noteFailure(address, target.peerId))
    })
    this.directory = new DirectoryService({
      libp2p: network.libp2p,
      dht: network.libp2p.services.dht,
      records,
      questions: this.questions,
      store,
      people,
      addresses: network.addresses,
      root: options.identity,
      rootSeed: options.rootSeed,
      isEnabled: settings.directory,
      // A node that ended without waiting for all of its parts looks nobody up in what is closed.
      isCurrent: () => store.isOpen && people.contacts.deviceByKey(device.key.publicKey)?.revoked === undefined,
      contactOf: (peerId) => this.contactOf(peerId),
      onAddresses: (peerId) => this.#redial.retryNow(peerId),
      share: options.onDirectoryMaterial,
      onOwnLog: (entries) => device.noteLogLength(entries),
      onError: (error) => log.warn({ err: error }, 'the directory could not be kept up to date')
    })
    people.onEnded = this.#onWanted
    for (const { address } of people.contacts.addresses.given()) network.addresses.give(multiaddr(address))
    for (const address of settings.peers) this.give(address)
  }

  get libp2p(): Libp2p {
    return this.#network.libp2p
  }

  /** How many connected peers hold this device's feed. */
  get holders(): number {
    return this.#sharing.size
  }

  /** The most operations of a group that a connected peer said it has. */
  groupSizeElsewhere(group: Uint8Array): number {
    return this.#groups.sizeElsewhere(group)
  }

  async peers(): Promise<Peer[]> {
    const connections = this.libp2p.getConnections()
    for (const connection of connections) this.#latency.look(connection)
    return peerList({
      connections,
      contactOf: (peerId) => this.contactOf(peerId),
      latencyOf: (connection) => this.#latency.of(connection),
      deviceNameOf: (peerId) => this.#deviceNameOf(peerId),
      relays: this.#network.reservations.relays,
      syncOf: (peerId) => {
        const session = this.sessionOf(peerId)
        return session && peerSync(session.progress)
      }
    })
  }

  /** The session that carries feeds to and from a peer, while there is one. */
  sessionOf(peerId: PeerId): SyncSession | undefined {
    return this.#sync.sessionOf(peerId)
  }

  #deviceNameOf(peerId: PeerId): string | undefined {
    const device = this.#hello.deviceOf(peerId)
    return device && this.#options.people.contacts.deviceByKey(device)?.name
  }

  /** Whether this node can be reached, and who is. */
  reachability(): Reach {
    return reachOf({
      network: this.#network,
      contacts: this.#options.people.contacts,
      contactOf: (peerId) => this.contactOf(peerId),
      stateOf: (peerId) => this.#redial.stateOf(peerId)
    })
  }

  async connect(address: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    this.give(address)
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

  /**
   * Connects with a peer, if it is not connected already.
   * @param isGiven the user gave these addresses: they are dialled whatever they are
   * @throws NodeError UNREACHABLE when nobody answers within 10 s; whatever `signal` was aborted with
   */
  async reach(
    peerId: PeerId,
    addresses: readonly string[],
    { isGiven = false, signal }: { isGiven?: boolean; signal?: AbortSignal } = {}
  ): Promise<void> {
    if (isGiven) for (const address of addresses) this.#network.addresses.give(readAddress(address))
    const target = { peerId: peerId.toString(), multiaddrs: [...addresses], priority: 0 }
    if (this.#network.isConnected(target)) return
    const limit = AbortSignal.timeout(REACH_TIMEOUT_MS)
    try {
      await this.#network.dial(target, signal === undefined ? limit : AbortSignal.any([limit, signal]))
    } catch (error) {
      signal?.throwIfAborted()
      throw noAnswer(peerId, error)
    }
  }

  /** Whether an address that somebody named may be kept and dialled. */
  isAllowed(address: string): boolean {
    try {
      return this.#network.addresses.isAllowed(readAddress(address))
    } catch {
      return false // what cannot be read cannot be dialled
    }
  }

  /** The connected peers that have proven to be a device of this person. */
  peersOf(identity: Uint8Array): PeerId[] {
    return this.libp2p.getPeers().filter((peer) => {
      const contact = this.contactOf(peer)
      return contact !== undefined && Buffer.compare(contact.key, identity) === 0
    })
  }

  /** @throws NodeError FAILED when the node cannot listen */
  async start(): Promise<void> {
    const { libp2p } = this.#network
    this.#isStarted = true
    const { signal } = this.#listening
    libp2p.addEventListener('peer:connect', ({ detail }) => this.#connected(detail), { signal })
    libp2p.addEventListener('peer:disconnect', ({ detail }) => this.#disconnected(detail), { signal })
    libp2p.addEventListener(
      'peer:identify',
      ({ detail }) => this.#learnAddresses(detail.peerId, detail.listenAddrs.map(String)),
      { signal }
    )
    await this.#hello.start()
    await this.questions.start()
    await this.#sync.start()
    await this.#groups.start()
    this.#recogniseAnew()
    this.#options.store.events.on('wanted', this.#onWanted)
    await this.#listen()
    keepPorts(this.#options.settings.listen, this.libp2p.getMultiaddrs(), this.#options.store)
    this.#groups.startGossip()
    this.#gossip.start()
    this.#redial.start()
    this.directory.start()
  }

  async #listen(): Promise<void> {
    try {
      await this.#network.start()
    } catch (error) {
      const reason = (error as Error).message.split('\n')[0]
      throw new NodeError(
        'FAILED',
        `the node cannot listen on ${this.#options.settings.listen.join(', ')}: ${reason}`,
        {
          cause: error
        }
      )
    }
  }

  /** Every step is tried, also when one fails: on a full disk libp2p cannot even note that a protocol is gone. */
  async stop(): Promise<void> {
    this.#gossip.stop()
    this.#greeting.stop()
    this.#latency.stop()
    const services = this.#isStarted
      ? [this.directory, this.#redial, this.#groups, this.#sync, this.questions, this.#hello]
      : []
    for (const service of [...services, this.#network]) {
      try {
        await service.stop()
      } catch (error) {
        this.#options.onWarning('STOP', sayWarning('warning.stop', { problem: (error as Error).message }))
      }
    }
  }

  /** From now on nothing that happens is looked up any more: the store is to be closed, also where the stop still goes on. */
  detach(): void {
    this.#listening.abort()
    this.#options.store.events.off('wanted', this.#onWanted)
    clearTimeout(this.#recognising)
  }

  /** This device signs with another key from now on. */
  setDeviceKey(): void {
    this.#hello.setDeviceKey(this.#options.device.key)
  }

  /** Somebody was followed, blocked, or neither any more, or a topic secret changed: who is connected is looked at again. */
  onContactsChanged(): void {
    if (!this.#isStarted) return
    this.#gossip.onSecretsChanged()
    this.#recogniseAnew()
    this.#redial.look()
    for (const peer of this.libp2p.getPeers()) {
      const device = this.#hello.deviceOf(peer)
      if (device !== undefined) this.#recognised(peer, device)
    }
    this.directory.onPeople()
  }

  #connected(peerId: PeerId): void {
    this.#options.log.debug({ peer: peerId.toString() }, 'connected')
    this.#noteReached(peerId)
    this.#redial.look()
    this.directory.onConnected()
    this.#options.onConnect({ peerId: peerId.toString(), ...this.#didOf(peerId) })
  }

  #disconnected(peerId: PeerId): void {
    this.#options.log.debug({ peer: peerId.toString() }, 'disconnected')
    this.#sharing.delete(peerId.toString())
    this.#updateDirectPeers()
    this.#redial.look()
    this.#options.onDisconnect({ peerId: peerId.toString(), ...this.#didOf(peerId) })
  }

  /** The addresses that led to somebody are tried first the next time. */
  #noteReached(peerId: PeerId): void {
    for (const { direction, remoteAddr } of this.libp2p.getConnections(peerId)) {
      if (direction === 'outbound')
        this.#options.people.contacts.addresses.noteSuccess(remoteAddr.toString(), peerId.toString(), Date.now())
    }
  }

  #noteFailure(address: string, peerId?: string): void {
    if (this.#options.store.isOpen) this.#options.people.contacts.addresses.noteFailure(address, peerId)
  }

  /** The device at the other end of a connection has proven to be one that is known. */
  #recognised(peerId: PeerId, deviceKey: Uint8Array): void {
    const contact = this.#options.people.contactOfDevice(deviceKey)
    if (contact === undefined) return
    if (contact.relation === 'blocked') {
      this.#sync.end(peerId, 'this peer is blocked')
      this.#groups.end(peerId, 'this peer is blocked')
      void this.#network.libp2p.hangUp(peerId, { signal: AbortSignal.timeout(1_000) }).catch(() => {}) // it is gone already
      return
    }
    for (const connection of this.libp2p.getConnections(peerId)) this.#latency.look(connection)
    const { addresses } = this.#options.people.contacts
    addresses.tie(peerId.toString(), contact.key)
    this.#options.people.contacts.setSeen(contact.key, Date.now())
    this.#network.reservations.look()
    void this.#learnIdentified(peerId)
    this.directory.onRecognised(peerId, contact)
    const session = this.#sync.sessionOf(peerId)
    if (session?.stats.isSettled) this.#settled(peerId, session)
    this.#greeting.greet(peerId)
    this.onRecognised(peerId)
    this.#options.onRecognised(peerId)
  }

  /** Devices of whom this peer id was tied to before: most peers are who they were the last time. */
  #devicesMetAs(peerId: PeerId): Uint8Array[] {
    const { contacts } = this.#options.people
    const identities = contacts.addresses.ofPeer(peerId.toString()).flatMap(({ identity }) => identity ?? [])
    return identities.flatMap((identity) => contacts.devicesOf(identity).map(({ device }) => device))
  }

  /** Who was identified before being recognised has told its addresses already. */
  async #learnIdentified(peerId: PeerId): Promise<void> {
    try {
      const { addresses } = await this.libp2p.peerStore.get(peerId)
      this.#learnAddresses(
        peerId,
        addresses.map(({ multiaddr }) => multiaddr.toString())
      )
    } catch {
      // it was not identified yet: then that is still to come
    }
  }

  #learnAddresses(peerId: PeerId, addresses: string[]): void {
    const identity = this.contactOf(peerId)
    const book = this.#options.people.contacts.addresses
    const isMate = identity !== undefined && this.#options.people.isMate(identity.key)
    const isKept = this.#isOurs(peerId) || isMate || book.ofPeer(peerId.toString()).length > 0
    if (!isKept || !this.#options.store.isOpen) return
    for (const address of addresses.slice(0, MAX_ADDRESSES_PER_PEER).filter((each) => this.isAllowed(each))) {
      try {
        book.remember({ address, peerId: peerId.toString(), identity: identity?.key })
      } catch {
        // it names another peer, or is longer than an address is
      }
    }
  }

  #settled(peerId: PeerId, session: SyncSession): void {
    const isSharing = session.shares(this.#options.device.writer.feed)
    if (isSharing) this.#sharing.add(peerId.toString())
    else this.#sharing.delete(peerId.toString())
    if (this.#hasGivenBack(session, isSharing)) this.#options.device.caughtUp()
    const contact = this.contactOf(peerId)
    if (contact !== undefined) this.#options.people.contacts.setFollowsUs(contact.key, isSharing)
    this.#updateDirectPeers()
    this.#greeting.greet(peerId)
  }

  /** Whether a restored store may rely on what this peer had: somebody who holds less than we do can't know what is missing. */
  #hasGivenBack(session: SyncSession, isSharing: boolean): boolean {
    const { log, writer, isNew } = this.#options.device
    if (isNew) return session.holdsOwn(log) // of the feed of a new device nobody can hold anything
    return isSharing && session.holdsOwn(log) && (writer.feed.height === 0 || session.holdsOwn(writer.feed))
  }

  /** Friends and own devices that are connected hear everything directly. */
  #updateDirectPeers(): void {
    const direct = [...this.#sharing].filter((name) => {
      const peer = this.libp2p.getPeers().find((each) => each.toString() === name)
      const contact = peer && this.contactOf(peer)
      return contact?.isFriend === true || contact?.relation === 'self'
    })
    this.#pubsub.setDirectPeers(new Set(direct))
  }

  /** Who is connected is compared with the devices that are known now; one that was ended is not dialled any more. */
  #recogniseAnew(): void {
    for (const peer of this.libp2p.getPeers()) {
      const device = this.#hello.deviceOf(peer)
      if (device !== undefined && this.#isEnded(device))
        this.#options.people.contacts.addresses.forgetPeer(peer.toString())
    }
    this.#hello.recognise(this.#options.people.knownDevices())
    this.#network.relay?.review()
  }

  /** Revoked, and not because its feed forked: such a one goes on under another key, where it was. */
  #isEnded(device: Uint8Array): boolean {
    const { people, store } = this.#options
    if (!store.isOpen || people.contacts.deviceByKey(device)?.revoked === undefined) return false
    return store.feed(device)?.frozen === undefined
  }

  /** Devices that are known now may have connected before; looked at once for all that come to be known together. */
  readonly #onWanted = (): void => {
    this.#recognising ??= setTimeout(() => {
      this.#recognising = undefined
      this.#recogniseAnew()
    }, RECOGNISE_DELAY_MS)
  }

  /** Connects with a peer by addresses that somebody named; those that may not be dialled are left out. */
  async dial(peerId: string, addresses: string[], signal: AbortSignal): Promise<void> {
    await this.#network.dial({ peerId, multiaddrs: addresses, priority: 0 }, signal)
  }

  /** The device at the other end, if it has proven which one it is. */
  deviceOf(peerId: PeerId): Uint8Array | undefined {
    return this.#hello.deviceOf(peerId)
  }

  /** Who is at the other end, if it has proven to be a device of somebody known. */
  contactOf(peerId: PeerId): ContactRecord | undefined {
    const device = this.#hello.deviceOf(peerId)
    return device && this.#options.people.contactOfDevice(device)
  }

  /** This peer sent what no node of this program sends: its score falls. */
  blame(peerId: PeerId): void {
    this.#network.faults.add(peerId.toString())
  }

  #isBlocked(peerId: PeerId): boolean {
    return this.contactOf(peerId)?.relation === 'blocked'
  }

  /** Whether the device at the other end is of somebody who is followed, or an own one. */
  #isOurs(peerId: PeerId): boolean {
    const contact = this.contactOf(peerId)
    return contact !== undefined && ['followed', 'self'].includes(contact.relation)
  }

  #mayRelayFor(peerId: PeerId): boolean {
    return this.#isOurs(peerId) || (this.carriers?.mayRelayFor(peerId) ?? false)
  }

  /** Connected peers at whom this device may wait to be reached: those whom it could dial are reached best. */
  #relays(): PeerId[] {
    const peers = this.libp2p.getPeers().filter((peerId) => this.#isOurs(peerId))
    const isDialled = (peerId: PeerId): boolean =>
      this.libp2p.getConnections(peerId).some(({ direct, direction }) => direct && direction === 'outbound')
    const ours = peers.toSorted((a, b) => Number(isDialled(b)) - Number(isDialled(a)))
    return [...ours, ...(this.carriers?.relays() ?? [])]
  }

  #didOf(peerId: PeerId): { did?: string } {
    const contact = this.contactOf(peerId)
    return contact === undefined ? {} : { did: contact.did }
  }

  /**
   * Remembers where somebody is who is to be connected; addresses that may not be dialled are left out.
   * @param identity when it is proven whose device it is
   */
  remember(peerId: PeerId, addresses: readonly string[], identity?: Uint8Array): void {
    const book = this.#options.people.contacts.addresses
    const known = new Set(book.ofPeer(peerId.toString()).map(({ address }) => address))
    const fresh = addresses.slice(0, MAX_ADDRESSES_PER_PEER).filter((each) => !known.has(each) && this.isAllowed(each))
    for (const address of fresh) {
      try {
        book.remember({ address, peerId: peerId.toString(), identity })
      } catch {
        // it names another peer, or is longer than an address is
      }
    }
    if (fresh.length > 0) this.#redial.look()
  }

  /** Those for whom connections are passed on may be others now. */
  reviewRelays(): void {
    this.#network.relay?.review()
    this.#network.reservations.look()
  }

  /** Remembers an address that the user gave, and that may be dialled whatever it is. @throws NodeError BAD_INPUT */
  give(address: string): void {
    this.#network.addresses.give(readAddress(address))
    this.#options.people.contacts.addresses.remember({ address, isGiven: true })
  }
}

/** @throws NodeError BAD_INPUT */
function readAddress(address: string): Multiaddr {
  try {
    const read = multiaddr(address)
    // A multiaddr is read whatever stands for a peer id in it.
    for (const { name, value } of read.getComponents()) if (name === 'p2p') peerIdFromString(value ?? '')
    return read
  } catch (error) {
    throw new NodeError(
      'BAD_INPUT',
      `expected a multiaddr such as /ip4/192.0.2.1/tcp/4040, found "${address.slice(0, 80)}"`,
      { cause: error }
    )
  }
}
