// Whom this device is connected with: the network, the protocols that run on every connection (protocols.ts), and what
// follows from who is at the other end (known-peers.ts).
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { FeedStore, Sentence, SyncSession } from '../feeds/index.ts'
import type { ContactRecord, DialTarget, DirectoryMaterial } from '../trust/index.ts'
import { NodeError, type Peer } from './comrade.ts'
import type { Device } from './device.ts'
import { Dialler } from './dialler.ts'
import { DirectoryService } from './directory-service.ts'
import type { HeldGroups } from './groups/group-sync.ts'
import { Holders } from './holders.ts'
import { KnownPeers } from './known-peers.ts'
import { Latency } from './latency.ts'
import { sayListenProblem } from './listen-problem.ts'
import type { Log } from './log.ts'
import { createNetwork, type Network } from './network.ts'
import type { NodeOptions, Settings } from './options.ts'
import { PeerAddresses } from './peer-addresses.ts'
import { peerList } from './peer-list.ts'
import type { People } from './people.ts'
import type { PeopleProtocol } from './people-protocol.ts'
import { keepPorts, withKeptPorts } from './ports.ts'
import { Protocols } from './protocols.ts'
import { type Reach, reachOf } from './reachability.ts'
import { RecordStore } from './record-store.ts'
import { sayWarning } from './sentences.ts'
import { peerSync } from './sync-state.ts'

/** How long newly known devices wait to be looked for among the connected peers, in ms. */
const RECOGNISE_DELAY_MS = 50

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
  readonly directory: DirectoryService
  readonly addresses: PeerAddresses
  readonly dialler: Dialler
  /** A device has proven which one it is, or is known anew. */
  onRecognised: (peerId: PeerId) => void = () => {}
  carriers: Carriers | undefined
  readonly #options: ConnectionsOptions
  readonly #network: Network
  readonly #peers: KnownPeers
  readonly #protocols: Protocols
  readonly #holders: Holders
  readonly #latency = new Latency()
  #recognising: NodeJS.Timeout | undefined
  /** To what libp2p says, until the store is closed. */
  readonly #listening = new AbortController()
  #isStarted = false

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
      mayPunch: (peerId) => connections.#peers.isOurs(peerIdFromString(peerId)),
      isBlocked: (peerId) => connections.#peers.isBlocked(peerIdFromString(peerId)),
      libp2p: options.libp2p
    })
    const connections = new Connections(options, network, records)
    return connections
  }

  private constructor(options: ConnectionsOptions, network: Network, records: RecordStore) {
    const { settings, store, people, device, groups, log } = options
    const { libp2p } = network
    this.#options = options
    this.#network = network
    this.#peers = new KnownPeers({
      libp2p,
      store,
      people,
      device,
      onRecognised: (peerId, contact) => this.#recognised(peerId, contact)
    })
    this.#protocols = new Protocols({
      network,
      settings,
      store,
      people,
      groups,
      peers: this.#peers,
      log,
      onSettled: (peerId, session) => this.#settled(peerId, session),
      onSyncProgress: options.onSyncProgress,
      onSyncEnded: options.onSyncEnded
    })
    const { gossip } = this.#protocols
    this.#holders = new Holders({ libp2p, device, people, peers: this.#peers, gossip })
    this.addresses = new PeerAddresses({
      libp2p,
      policy: network.addresses,
      store,
      people,
      peers: this.#peers,
      onNews: () => this.dialler.redial.look()
    })
    this.dialler = new Dialler({
      network,
      addresses: this.addresses,
      people,
      neighbours: () => this.carriers?.neighbours() ?? []
    })
    this.directory = new DirectoryService({
      libp2p,
      dht: libp2p.services.dht,
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
      onAddresses: (peerId) => this.dialler.redial.retryNow(peerId),
      share: options.onDirectoryMaterial,
      onOwnLog: (entries) => device.noteLogLength(entries),
      onError: (error) => log.warn({ err: error }, 'the directory could not be kept up to date')
    })
    people.onEnded = this.#onWanted
    for (const address of settings.peers) this.addresses.give(address)
  }

  get libp2p(): Libp2p {
    return this.#network.libp2p
  }

  /** Questions that peers ask each other; whoever offers something registers its answerer here. */
  get questions(): PeopleProtocol {
    return this.#protocols.questions
  }

  /** How many connected peers hold this device's feed. */
  get holders(): number {
    return this.#holders.size
  }

  /** The most operations of a group that a connected peer said it has. */
  groupSizeElsewhere(group: Uint8Array): number {
    return this.#protocols.groups.sizeElsewhere(group)
  }

  async peers(): Promise<Peer[]> {
    const connections = this.libp2p.getConnections()
    for (const connection of connections) this.#latency.look(connection)
    return peerList({
      connections,
      contactOf: (peerId) => this.contactOf(peerId),
      latencyOf: (connection) => this.#latency.of(connection),
      deviceNameOf: (peerId) => this.#peers.deviceNameOf(peerId),
      relays: this.#network.reservations.relays,
      syncOf: (peerId) => {
        const session = this.sessionOf(peerId)
        return session && peerSync(session.progress)
      }
    })
  }

  /** The session that carries feeds to and from a peer, while there is one. */
  sessionOf(peerId: PeerId): SyncSession | undefined {
    return this.#protocols.sync.sessionOf(peerId)
  }

  /** The device at the other end, if it has proven which one it is. */
  deviceOf(peerId: PeerId): Uint8Array | undefined {
    return this.#peers.deviceOf(peerId)
  }

  /** Who is at the other end, if it has proven to be a device of somebody known. */
  contactOf(peerId: PeerId): ContactRecord | undefined {
    return this.#peers.contactOf(peerId)
  }

  /** The connected peers that have proven to be a device of this person. */
  peersOf(identity: Uint8Array): PeerId[] {
    return this.#peers.peersOf(identity)
  }

  /** This peer sent what no node of this program sends: its score falls. */
  blame(peerId: PeerId): void {
    this.#network.faults.add(peerId.toString())
  }

  /** Whether this node can be reached, and who is. */
  reachability(): Reach {
    return reachOf({
      network: this.#network,
      contacts: this.#options.people.contacts,
      contactOf: (peerId) => this.contactOf(peerId),
      stateOf: (peerId) => this.dialler.redial.stateOf(peerId)
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
      ({ detail }) => this.addresses.learn(detail.peerId, detail.listenAddrs.map(String)),
      { signal }
    )
    await this.#peers.start()
    await this.#protocols.start()
    this.#recogniseAnew()
    this.#options.store.events.on('wanted', this.#onWanted)
    await this.#listen()
    keepPorts(this.#options.settings.listen, this.libp2p.getMultiaddrs(), this.#options.store)
    this.#protocols.startGossip()
    this.dialler.redial.start()
    this.directory.start()
  }

  async #listen(): Promise<void> {
    try {
      await this.#network.start()
    } catch (error) {
      throw new NodeError('FAILED', `the node cannot listen on ${sayListenProblem(error as Error)}`, { cause: error })
    }
  }

  /** Every step is tried, also when one fails: on a full disk libp2p cannot even note that a protocol is gone. */
  async stop(): Promise<void> {
    this.#protocols.stopTelling()
    this.#latency.stop()
    const services = this.#isStarted
      ? [this.directory, this.dialler.redial, ...this.#protocols.services, this.#peers]
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
    this.#peers.setDeviceKey()
  }

  /** Somebody was followed, blocked, or neither any more, or a topic secret changed: who is connected is looked at again. */
  onContactsChanged(): void {
    if (!this.#isStarted) return
    this.#protocols.onSecretsChanged()
    this.#recogniseAnew()
    this.dialler.redial.look()
    for (const peer of this.libp2p.getPeers()) {
      const contact = this.contactOf(peer)
      if (contact !== undefined) this.#recognised(peer, contact)
    }
    this.directory.onPeople()
  }

  /** Those for whom connections are passed on may be others now. */
  reviewRelays(): void {
    this.#network.relay?.review()
    this.#network.reservations.look()
  }

  #connected(peerId: PeerId): void {
    this.#options.log.debug({ peer: peerId.toString() }, 'connected')
    this.addresses.noteReached(peerId)
    this.dialler.redial.look()
    this.directory.onConnected()
    this.#options.onConnect({ peerId: peerId.toString(), ...this.#peers.didOf(peerId) })
  }

  #disconnected(peerId: PeerId): void {
    this.#options.log.debug({ peer: peerId.toString() }, 'disconnected')
    this.#holders.forget(peerId)
    this.dialler.redial.look()
    this.#options.onDisconnect({ peerId: peerId.toString(), ...this.#peers.didOf(peerId) })
  }

  /** The device at the other end of a connection has proven to be one that is known. */
  #recognised(peerId: PeerId, contact: ContactRecord): void {
    if (contact.relation === 'blocked') {
      this.#protocols.end(peerId, 'this peer is blocked')
      void this.libp2p.hangUp(peerId, { signal: AbortSignal.timeout(1_000) }).catch(() => {}) // it is gone already
      return
    }
    for (const connection of this.libp2p.getConnections(peerId)) this.#latency.look(connection)
    const { contacts } = this.#options.people
    contacts.addresses.tie(peerId.toString(), contact.key)
    contacts.setSeen(contact.key, Date.now())
    this.#network.reservations.look()
    void this.addresses.learnIdentified(peerId)
    this.directory.onRecognised(peerId, contact)
    const session = this.sessionOf(peerId)
    if (session?.stats.isSettled) this.#settled(peerId, session)
    this.#protocols.greeting.greet(peerId)
    this.onRecognised(peerId)
    this.#options.onRecognised(peerId)
  }

  #settled(peerId: PeerId, session: SyncSession): void {
    this.#holders.note(peerId, session)
    this.#protocols.greeting.greet(peerId)
  }

  #recogniseAnew(): void {
    this.#peers.recogniseAnew()
    this.#network.relay?.review()
  }

  /** Devices that are known now may have connected before; looked at once for all that come to be known together. */
  readonly #onWanted = (): void => {
    this.#recognising ??= setTimeout(() => {
      this.#recognising = undefined
      this.#recogniseAnew()
    }, RECOGNISE_DELAY_MS)
  }

  #mayRelayFor(peerId: PeerId): boolean {
    return this.#peers.isOurs(peerId) || (this.carriers?.mayRelayFor(peerId) ?? false)
  }

  /** Connected peers at whom this device may wait to be reached: those whom it could dial are reached best. */
  #relays(): PeerId[] {
    const peers = this.libp2p.getPeers().filter((peerId) => this.#peers.isOurs(peerId))
    const isDialled = (peerId: PeerId): boolean =>
      this.libp2p.getConnections(peerId).some(({ direct, direction }) => direct && direction === 'outbound')
    const ours = peers.toSorted((a, b) => Number(isDialled(b)) - Number(isDialled(a)))
    return [...ours, ...(this.carriers?.relays() ?? [])]
  }
}
