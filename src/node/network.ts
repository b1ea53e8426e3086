// The libp2p node of one device: transports, limits and services, with the defaults that js-libp2p needs to run for years.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { noise } from '@chainsafe/libp2p-noise'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { gossipsub, type GossipSub } from '@libp2p/gossipsub'
import { identify, identifyPush, type Identify, type IdentifyPush } from '@libp2p/identify'
import type { Connection, Libp2p, PeerId, PeerInfo, PrivateKey } from '@libp2p/interface'
import { kadDHT, passthroughMapper, removePrivateAddressesMapper, type KadDHT, type Selectors, type Validators } from '@libp2p/kad-dht'
import { mdns } from '@libp2p/mdns'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { ping, type Ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { LevelDatastore } from 'datastore-level'
import { createLibp2p, type Libp2pOptions, type ServiceFactoryMap } from 'libp2p'
import { AddressPolicy, MAX_ADDRESSES_PER_PEER } from './addresses.ts'
import { ConnectionGuard, MAX_PENDING } from './connection-guard.ts'
import { PeerFaults, gossipOptions } from './gossip.ts'
import type { RedialTarget } from './redial.ts'

export const DHT_PROTOCOL = '/comrade/kad/1.0.0'
const MDNS_TAG = '_comrade._udp.local'
const MDNS_INTERVAL_MS = 60_000
const UPGRADE_TIMEOUT_MS = 3_000
const MAX_CONNECTIONS = 60
const MAX_PARALLEL_DIALS = 8
const DIAL_TIMEOUT_MS = 10_000
/** New connections of one host in a second. js-libp2p's 5 keeps out those who share an address with a flood. */
const MAX_INBOUND_PER_HOST_PER_SECOND = 50
const PING_INTERVAL_MS = 60_000
const DAY_MS = 86_400_000
/** libp2p's own stop takes at most half a second a connection, all at once; what hangs after that is aborted. */
const STOP_TIMEOUT_MS = 1_800
const CLOSE_STORE_TIMEOUT_MS = 800
/** Peers that are wanted are not the first to be closed when connections are too many (0 to 100). */
const WANTED_TAG = { 'comrade-wanted': { value: 100 } }

export type NetworkServices = {
  identify: Identify
  identifyPush: IdentifyPush
  ping: Ping
  pubsub: GossipSub
  dht: KadDHT
}

/** What an embedder may set in libp2p; what is not given stays as it is. Services are added to, or replaced by name. */
export type NetworkOverrides = Omit<Libp2pOptions, 'privateKey' | 'datastore' | 'connectionGater' | 'start'>

export interface NetworkOptions {
  /** The transport's key: its public half is the peer id. Never the device's key. */
  privateKey: PrivateKey
  /** The data directory; libp2p's datastore is `network/` in it. Default: in memory. */
  home?: string
  /** Multiaddrs to listen on. @default ['/ip4/0.0.0.0/tcp/0', '/ip6/::/tcp/0'] */
  listen?: string[]
  /** Multiaddrs to announce beside those that are listened on. */
  announce?: string[]
  /** Dial and announce private and loopback addresses. @default true */
  lan?: boolean
  /** Find peers by multicast DNS. @default the value of `lan` */
  mdns?: boolean
  /** What the DHT holds, by namespace. @default nothing */
  validators?: Validators
  selectors?: Selectors
  /** Peers that are let in, and kept, whatever the number of strangers. @default nobody */
  isWanted?(peerId: string): boolean
  libp2p?: NetworkOverrides
}

/**
 * Makes a node that is not started. With a home, the caller holds the home's lock.
 * @throws when the datastore cannot be opened, or an option is not understood by libp2p
 */
export async function createNetwork(options: NetworkOptions): Promise<Network> {
  const datastore = options.home === undefined ? undefined : await openDatastore(join(options.home, 'network'))
  try {
    return await Network.create(options, datastore)
  } catch (error) {
    await datastore?.close()
    throw error
  }
}

/** What the network can give back is not worth a repair: a store that does not open is made anew. */
async function openDatastore(path: string): Promise<LevelDatastore> {
  try {
    return await openLevel(path)
  } catch {
    await rm(path, { recursive: true, force: true })
    return openLevel(path)
  }
}

async function openLevel(path: string): Promise<LevelDatastore> {
  const datastore = new LevelDatastore(path)
  await datastore.open()
  return datastore
}

/** A libp2p node with its guard, its address policy and its account of faults. */
export class Network {
  readonly libp2p: Libp2p<NetworkServices>
  readonly addresses: AddressPolicy
  readonly guard: ConnectionGuard
  readonly faults: PeerFaults
  readonly #datastore: LevelDatastore | undefined
  readonly #isWanted: (peerId: string) => boolean

  static async create(options: NetworkOptions, datastore: LevelDatastore | undefined): Promise<Network> {
    const addresses = new AddressPolicy(options)
    const faults = new PeerFaults()
    const self = peerIdFromPrivateKey(options.privateKey)
    const guard = new ConnectionGuard({ addresses, self, isWanted: options.isWanted, connections: () => libp2p.getConnections() })
    const libp2p: Libp2p<NetworkServices> = await createLibp2p<NetworkServices>({
      ...configuration(options, addresses, faults, (peer) => network.#dialLocal(peer)),
      datastore,
      connectionGater: guard
    })
    const network = new Network(options, { libp2p, addresses, guard, faults, datastore })
    return network
  }

  private constructor(options: NetworkOptions, parts: { libp2p: Libp2p<NetworkServices>; addresses: AddressPolicy; guard: ConnectionGuard; faults: PeerFaults; datastore?: LevelDatastore }) {
    this.libp2p = parts.libp2p
    this.addresses = parts.addresses
    this.guard = parts.guard
    this.faults = parts.faults
    this.#datastore = parts.datastore
    this.#isWanted = options.isWanted ?? (() => false)
    this.libp2p.addEventListener('peer:connect', ({ detail }) => this.#tagWanted(detail))
    this.libp2p.addEventListener('peer:update', ({ detail: { peer } }) => {
      if (peer.addresses.length > MAX_ADDRESSES_PER_PEER) this.#trimAddresses(peer.id, peer.addresses.map((address) => address.multiaddr))
    })
  }

  get peerId(): PeerId {
    return this.libp2p.peerId
  }

  async start(): Promise<void> {
    await this.libp2p.start()
  }

  /**
   * Connects to an address that the user gave, whatever it is. Without a peer id in it, to whoever answers there.
   * @throws when nobody answers within 10 s or `signal` was aborted
   */
  async connect(address: string, { signal }: { signal?: AbortSignal } = {}): Promise<Connection> {
    const target = multiaddr(address)
    this.addresses.give(target)
    const timeout = AbortSignal.timeout(DIAL_TIMEOUT_MS)
    return this.libp2p.dial(target, { signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) })
  }

  /** Dials a target of the redial loop: its addresses, then whatever the peer store and the DHT know. @returns the peer id */
  async dial({ peerId, multiaddrs }: RedialTarget, signal: AbortSignal): Promise<string> {
    const suffix = peerId === undefined ? '' : `/p2p/${peerId}`
    const addresses = multiaddrs.map((address) => multiaddr(address.includes('/p2p/') ? address : address + suffix))
    try {
      return (await this.libp2p.dial(addresses, { signal })).remotePeer.toString()
    } catch (error) {
      if (peerId === undefined || signal.aborted) throw error
      return (await this.libp2p.dial(peerIdFromString(peerId), { signal })).remotePeer.toString()
    }
  }

  isConnected({ peerId }: RedialTarget): boolean {
    return peerId !== undefined && this.libp2p.getConnections(peerIdFromString(peerId)).some(({ status }) => status === 'open')
  }

  /** Stops within 3 s, also when peers hang. May be called twice. */
  async stop(): Promise<void> {
    this.guard.abortPending()
    try {
      if (await settlesWithin(this.libp2p.stop(), STOP_TIMEOUT_MS)) return
      for (const connection of this.libp2p.getConnections()) connection.abort(new Error('the node is stopping'))
    } finally {
      if (this.#datastore !== undefined) await settlesWithin(this.#datastore.close(), CLOSE_STORE_TIMEOUT_MS)
    }
  }

  /** Asks the pruner to spare a wanted peer. */
  #tagWanted(peerId: PeerId): void {
    if (!this.#isWanted(peerId.toString())) return
    this.libp2p.peerStore.merge(peerId, { tags: WANTED_TAG }).catch(() => {}) // the store is closing; the next connection tags again
  }

  /** identify takes up to 80 KiB of addresses and stores them all. */
  #trimAddresses(peerId: PeerId, addresses: Multiaddr[]): void {
    if (peerId.equals(this.peerId)) return
    const multiaddrs = addresses.slice(0, MAX_ADDRESSES_PER_PEER)
    this.libp2p.peerStore.patch(peerId, { multiaddrs }).catch(() => {}) // the store is closing
  }

  /** libp2p has no auto-dial: who is found by a discovery service, as on the local network, is dialled here. */
  #dialLocal(peer: PeerInfo): void {
    const addresses = peer.multiaddrs.filter((address) => this.addresses.isAllowed(address)).slice(0, MAX_ADDRESSES_PER_PEER)
    if (this.libp2p.status !== 'started' || addresses.length === 0 || this.libp2p.getConnections(peer.id).length > 0) return
    this.libp2p.dial(addresses, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) }).catch(() => {}) // it is announced again every minute
  }
}

function configuration(options: NetworkOptions, addresses: AddressPolicy, faults: PeerFaults, onLocalPeer: (peer: PeerInfo) => void): Libp2pOptions<NetworkServices> {
  const { lan = true, libp2p: overrides = {} } = options
  const listen = options.listen ?? ['/ip4/0.0.0.0/tcp/0', '/ip6/::/tcp/0']
  return {
    start: false,
    nodeInfo: { userAgent: 'comrade' },
    transports: [tcp(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({
      maxInboundStreams: 256,
      maxOutboundStreams: 256,
      streamOptions: { maxStreamWindowSize: 1_048_576, maxReadBufferLength: 4_194_304 } // a paused stream must hold a window
    })],
    peerStore: { maxAddressAge: 30 * DAY_MS, maxPeerAge: 90 * DAY_MS },
    ...overrides,
    privateKey: options.privateKey,
    peerDiscovery: (overrides.peerDiscovery ?? ((options.mdns ?? lan) ? [localDiscovery()] : [])).map((discovery) => dialled(discovery, onLocalPeer)),
    addresses: {
      listen,
      appendAnnounce: options.announce ?? [],
      announceFilter: (found) => addresses.announced(found, listen),
      ...overrides.addresses
    },
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      maxParallelDials: MAX_PARALLEL_DIALS,
      maxPeerAddrsToDial: MAX_ADDRESSES_PER_PEER,
      maxIncomingPendingConnections: 2 * MAX_PENDING, // the guard ends the oldest at MAX_PENDING; libp2p would refuse the newest
      inboundConnectionThreshold: MAX_INBOUND_PER_HOST_PER_SECOND,
      inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS,
      ...overrides.connectionManager
    },
    // One failed ping, as during a busy second, is no reason to close a connection.
    connectionMonitor: { pingInterval: PING_INTERVAL_MS, abortConnectionOnPingFailure: false, ...overrides.connectionMonitor },
    services: { ...services(options, lan, faults), ...overrides.services }
  }
}

function services({ validators, selectors }: NetworkOptions, lan: boolean, faults: PeerFaults): ServiceFactoryMap<NetworkServices> {
  return {
    identify: identify(),
    identifyPush: identifyPush(),
    ping: ping(),
    pubsub: gossipsub(gossipOptions(faults)),
    dht: kadDHT({
      protocol: DHT_PROTOCOL,
      clientMode: false, // else a node without a public address never answers, and a LAN has no DHT
      peerInfoMapper: lan ? passthroughMapper : removePrivateAddressesMapper,
      networkDialTimeout: { minTimeout: 1_000, maxTimeout: 4_000 },
      validators,
      selectors
    })
  }
}

type Discovery = NonNullable<Libp2pOptions['peerDiscovery']>[number]

function localDiscovery(): Discovery {
  return mdns({ serviceTag: MDNS_TAG, interval: MDNS_INTERVAL_MS })
}

/** Listens to the discovery itself: libp2p's 'peer:discovery' is of everybody who enters the peer store. */
function dialled(discovery: Discovery, onPeer: (peer: PeerInfo) => void): Discovery {
  return (components) => {
    const service = discovery(components)
    service.addEventListener('peer', ({ detail }) => onPeer(detail))
    return service
  }
}

/** Waits for a promise, but no longer than this. @returns whether it settled. @throws what it throws in time */
async function settlesWithin(work: unknown, timeoutMs: number): Promise<boolean> {
  const promise = Promise.resolve(work)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), timeoutMs)))
  promise.catch(() => {}) // a failure after the time limit has nobody left to go to
  try {
    return await Promise.race([promise.then(() => true as const), late])
  } finally {
    clearTimeout(timer)
  }
}
