// What a libp2p node of this program consists of: transports, limits and services. js-libp2p's defaults are for a visit
// to a public network; these are for running for years among friends, on a LAN or behind a shared address.
import { noise } from '@chainsafe/libp2p-noise'
import { gossipsub, type GossipSub } from '@libp2p/gossipsub'
import { identify, identifyPush, type Identify, type IdentifyPush } from '@libp2p/identify'
import type { PeerId, PeerInfo, PrivateKey, Startable } from '@libp2p/interface'
import {
  kadDHT,
  passthroughMapper,
  removePrivateAddressesMapper,
  type SingleKadDHT,
  type KadDHTInit
} from '@libp2p/kad-dht'
import { mdns } from '@libp2p/mdns'
import { ping, type Ping } from '@libp2p/ping'
import type { Libp2pOptions, ServiceFactoryMap } from 'libp2p'
import { isRelayed, MAX_ADDRESSES_PER_PEER, type AddressPolicy } from './addresses.ts'
import { MAX_PENDING, MAX_STRANGERS } from './connection-guard.ts'
import { gossipOptions, type PeerFaults } from './gossip.ts'
import type { HolePunch } from './hole-punch.ts'
import { listening } from './listening.ts'
import { streamMuxer } from './muxer.ts'
import type { RecordStore } from './record-store.ts'
import type { Relay } from './relay.ts'
import type { Reservations } from './reservations.ts'

export const DHT_PROTOCOL = '/comrade/kad/1.0.0'
const MDNS_TAG = '_comrade._udp.local'
const MDNS_INTERVAL_MS = 10_000
const UPGRADE_TIMEOUT_MS = 3_000
/** Above it libp2p refuses whoever comes; strangers are refused long before. */
const MAX_CONNECTIONS = 2 * MAX_STRANGERS
/** Tried of one peer, one after the other: ours and those in libp2p's own peer store. With 16 the right one was at times the 17th. */
const MAX_DIALLED_ADDRESSES = 8 * MAX_ADDRESSES_PER_PEER
const MAX_PARALLEL_DIALS = 8
/** New connections of one host in a second. js-libp2p's 5 keeps out those who share an address with a flood. */
const MAX_INBOUND_PER_HOST_PER_SECOND = 50
const PING_INTERVAL_MS = 60_000
/** At a time on a connection: those of the DHT stay open for seconds, and kept all others from asking. */
const MAX_PINGS = 4
const DAY_MS = 86_400_000

export type NetworkServices = {
  listening: Startable
  identify: Identify
  identifyPush: IdentifyPush
  ping: Ping
  pubsub: GossipSub
  dht: SingleKadDHT
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
  /** What the DHT holds. @default nothing */
  records?: RecordStore
  /** Peers that are let in, and kept, whatever the number of strangers. @default nobody */
  isWanted?(peerId: string): boolean
  /** Connections of all other peers. @default 40 */
  maxStrangers?: number
  /** Peers that are remembered, wanted and connected ones beside. @default 2,048 */
  maxStoredPeers?: number
  /** Pass on the connections of those for whom `mayRelayFor` says yes. @default false */
  relay?: boolean
  /** Peers who may wait here to be reached. @default nobody */
  mayRelayFor?(peerId: string): boolean
  /** Connected peers at whom this node may wait to be reached, the most wanted first. @default nobody */
  relays?(): Iterable<PeerId>
  /** Peers with whom a direct connection is made by dialling at the same time, when there is only a relayed one. @default everybody */
  mayPunch?(peerId: string): boolean
  /** Peers who are not connected with others, nor with this node, through a relay. @default nobody */
  isBlocked?(peerId: string): boolean
  libp2p?: NetworkOverrides
}

export interface NetworkParts {
  addresses: AddressPolicy
  faults: PeerFaults
  reservations: Reservations
  holePunch: HolePunch
  /** Absent when this node passes nothing on. */
  relay?: Relay
  /** Called with whom a discovery service has found. */
  onFound(peer: PeerInfo): void
}

/** The options of `createLibp2p`, but for the datastore and the connection gater. */
export function libp2pOptions(
  options: NetworkOptions,
  { addresses, faults, reservations, holePunch, relay, onFound }: NetworkParts
): Libp2pOptions<NetworkServices> {
  const { lan = true, libp2p: overrides = {} } = options
  const listen = overrides.addresses?.listen ?? options.listen ?? ['/ip4/0.0.0.0/tcp/0', '/ip6/::/tcp/0']
  return {
    start: false,
    nodeInfo: { userAgent: 'comrade' },
    connectionEncrypters: [noise()],
    streamMuxers: [
      streamMuxer({
        maxInboundStreams: 256,
        maxOutboundStreams: 256,
        streamOptions: { maxStreamWindowSize: 1_048_576, maxReadBufferLength: 4_194_304 } // a paused stream must hold a window
      })
    ],
    peerStore: { maxAddressAge: 30 * DAY_MS, maxPeerAge: 90 * DAY_MS },
    ...overrides,
    privateKey: options.privateKey,
    transports: [...(overrides.transports ?? [holePunch.transport()]), reservations.transport()],
    peerDiscovery: (overrides.peerDiscovery ?? ((options.mdns ?? lan) ? [localDiscovery()] : [])).map((discovery) =>
      heard(discovery, onFound)
    ),
    addresses: {
      listen,
      appendAnnounce: options.announce ?? [],
      announceFilter: (found) => reservations.announced(addresses.announced(found, listen)),
      ...overrides.addresses
    },
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      maxParallelDials: MAX_PARALLEL_DIALS,
      maxPeerAddrsToDial: MAX_DIALLED_ADDRESSES,
      maxIncomingPendingConnections: 2 * MAX_PENDING, // the guard ends the oldest at MAX_PENDING; libp2p would refuse the newest
      inboundConnectionThreshold: MAX_INBOUND_PER_HOST_PER_SECOND,
      inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS,
      ...overrides.connectionManager
    },
    // One failed ping, as during a busy second, is no reason to close a connection.
    connectionMonitor: {
      pingInterval: PING_INTERVAL_MS,
      abortConnectionOnPingFailure: false,
      ...overrides.connectionMonitor
    },
    services: {
      ...services(options, lan, faults),
      ...(overrides.transports === undefined ? { dcutr: holePunch.service() } : {}),
      ...(relay === undefined ? {} : { relay: relay.service() }),
      ...overrides.services
    }
  }
}

function services({ records }: NetworkOptions, lan: boolean, faults: PeerFaults): ServiceFactoryMap<NetworkServices> {
  return {
    listening: listening(),
    identify: identify(),
    identifyPush: identifyPush(),
    ping: ping({ maxInboundStreams: MAX_PINGS, maxOutboundStreams: MAX_PINGS }),
    pubsub: gossipsub(gossipOptions(faults)),
    dht: directoryDht(records, lan)
  }
}

type DhtComponents = Parameters<ReturnType<typeof kadDHT>>[0]

/** Kademlia that keeps directory records and nothing else, in a store of its own. */
function directoryDht(records: RecordStore | undefined, lan: boolean): (components: DhtComponents) => SingleKadDHT {
  const init: KadDHTInit = {
    protocol: DHT_PROTOCOL,
    clientMode: false, // else a node without a public address never answers, and a LAN has no DHT
    peerInfoMapper: (peer) => withoutRelayed(lan ? passthroughMapper(peer) : removePrivateAddressesMapper(peer)),
    networkDialTimeout: { minTimeout: 1_000, maxTimeout: 4_000 },
    ...(records && { validators: records.validators, selectors: records.selectors })
  }
  return (components) => {
    if (records === undefined) return kadDHT(init)(components) as SingleKadDHT
    const datastore = records.asDatastore(components.peerId.toMultihash().bytes)
    const own = Object.create(components, { datastore: { value: datastore } }) as DhtComponents
    return kadDHT(init)(own) as SingleKadDHT
  }
}

/** Friends are relayed for what they say to each other, not for strangers' lookups. */
function withoutRelayed(peer: PeerInfo): PeerInfo {
  return { ...peer, multiaddrs: peer.multiaddrs.filter((address) => !isRelayed(address)) }
}

type Discovery = NonNullable<Libp2pOptions['peerDiscovery']>[number]

function localDiscovery(): Discovery {
  return mdns({ serviceTag: MDNS_TAG, interval: MDNS_INTERVAL_MS })
}

/** Listens to the discovery itself: libp2p's 'peer:discovery' is of everybody who enters the peer store. */
function heard(discovery: Discovery, onFound: (peer: PeerInfo) => void): Discovery {
  return (components) => {
    const service = discovery(components)
    service.addEventListener('peer', ({ detail }) => onFound(detail))
    return service
  }
}
