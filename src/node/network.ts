// The libp2p node of one device: made, started, stopped, and asked to dial.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Connection, KEEP_ALIVE, type Libp2p, type PeerId, type PeerInfo } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { LevelDatastore } from 'datastore-level'
import { createLibp2p } from 'libp2p'
import { AddressPolicy, MAX_ADDRESSES_PER_PEER } from './addresses.ts'
import { ConnectionGuard } from './connection-guard.ts'
import { PeerFaults } from './gossip.ts'
import { libp2pOptions, type NetworkOptions, type NetworkServices } from './libp2p-options.ts'
import type { RedialTarget } from './redial.ts'

const MAX_FOUND_EARLY = 64
const DIAL_TIMEOUT_MS = 10_000
/** libp2p's own stop takes at most half a second a connection, all at once; what hangs after that is aborted. */
const STOP_TIMEOUT_MS = 1_800
const CLOSE_STORE_TIMEOUT_MS = 800
const CLOSE_TIMEOUT_MS = 1_000
const DHT_KEEP_ALIVE_TAG = `${KEEP_ALIVE}-kad-dht`

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
  /** Whoever answers the first question on the local network does so while this node is still starting. */
  readonly #foundEarly: PeerInfo[] = []
  readonly #datastore: LevelDatastore | undefined

  static async create(options: NetworkOptions, datastore: LevelDatastore | undefined): Promise<Network> {
    const addresses = new AddressPolicy(options)
    const faults = new PeerFaults()
    const self = peerIdFromPrivateKey(options.privateKey)
    const guard = new ConnectionGuard({
      addresses,
      self,
      isWanted: options.isWanted,
      maxStrangers: options.maxStrangers,
      connections: () => libp2p.getConnections()
    })
    const libp2p: Libp2p<NetworkServices> = await createLibp2p<NetworkServices>({
      ...libp2pOptions(options, { addresses, faults, onFound: (peer) => network.#dialFound(peer) }),
      datastore,
      connectionGater: guard
    })
    const network = new Network({ libp2p, addresses, guard, faults, datastore })
    return network
  }

  private constructor(parts: {
    libp2p: Libp2p<NetworkServices>
    addresses: AddressPolicy
    guard: ConnectionGuard
    faults: PeerFaults
    datastore?: LevelDatastore
  }) {
    this.libp2p = parts.libp2p
    this.addresses = parts.addresses
    this.guard = parts.guard
    this.faults = parts.faults
    this.#datastore = parts.datastore
    this.libp2p.addEventListener('connection:open', () => {
      for (const connection of this.guard.excess()) void this.#closeStranger(connection)
    })
    this.libp2p.addEventListener('peer:update', ({ detail: { peer } }) => {
      if (peer.addresses.length > MAX_ADDRESSES_PER_PEER)
        this.#trimAddresses(
          peer.id,
          peer.addresses.map((address) => address.multiaddr)
        )
    })
  }

  get peerId(): PeerId {
    return this.libp2p.peerId
  }

  async start(): Promise<void> {
    await this.libp2p.start()
    for (const peer of this.#foundEarly.splice(0)) this.#dialFound(peer)
  }

  /**
   * Connects to an address that the user gave, whatever it is. Without a peer id in it, to whoever answers there.
   * @throws when nobody answers within 10 s or `signal` was aborted
   */
  async connect(address: string, { signal }: { signal?: AbortSignal } = {}): Promise<Connection> {
    const target = multiaddr(address)
    this.addresses.give(target)
    const timeout = AbortSignal.timeout(DIAL_TIMEOUT_MS)
    const limits = { signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) }
    try {
      return await this.libp2p.dial(target, limits)
    } catch {
      // It may have joined a dial of the redial loop to this peer, which did not know this address.
      return this.libp2p.dial(target, limits)
    }
  }

  /** Dials a target of the redial loop: its addresses, then whatever the peer store and the DHT know. @returns the peer id */
  async dial({ peerId, multiaddrs }: RedialTarget, signal: AbortSignal): Promise<string> {
    const suffix = peerId === undefined ? '' : `/p2p/${peerId}`
    const addresses = multiaddrs.map((address) => multiaddr(/\/p2p\/[^/]+$/.test(address) ? address : address + suffix))
    try {
      return (await this.libp2p.dial(addresses, { signal })).remotePeer.toString()
    } catch (error) {
      if (peerId === undefined || signal.aborted) throw error
      return (await this.libp2p.dial(peerIdFromString(peerId), { signal })).remotePeer.toString()
    }
  }

  isConnected({ peerId }: RedialTarget): boolean {
    return (
      peerId !== undefined &&
      this.libp2p.getConnections(peerIdFromString(peerId)).some(({ status }) => status === 'open')
    )
  }

  /** Stops within 3 s, also when peers hang. May be called twice. */
  async stop(): Promise<void> {
    this.guard.abortPending()
    try {
      // With a full disk libp2p fails to note what it knows of its peers, which can be learned again.
      const isStopped = await settlesWithin(this.libp2p.stop(), STOP_TIMEOUT_MS).catch(() => false)
      if (isStopped) return
      for (const connection of this.libp2p.getConnections()) connection.abort(new Error('the node is stopping'))
    } finally {
      if (this.#datastore !== undefined) await settlesWithin(this.#datastore.close(), CLOSE_STORE_TIMEOUT_MS)
    }
  }

  /** libp2p's own pruner spares every connection with a stream, and with gossip each has one. */
  async #closeStranger(connection: Connection): Promise<void> {
    try {
      // The DHT marks its closest peers to be dialled again whenever they go: then one would be closed for another for ever.
      await this.libp2p.peerStore.merge(connection.remotePeer, { tags: { [DHT_KEEP_ALIVE_TAG]: undefined } })
      await connection.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) })
    } catch (error) {
      connection.abort(error as Error)
    }
  }

  /** identify takes up to 80 KiB of addresses and stores them all. */
  #trimAddresses(peerId: PeerId, addresses: Multiaddr[]): void {
    if (peerId.equals(this.peerId)) return
    const multiaddrs = addresses.slice(0, MAX_ADDRESSES_PER_PEER)
    this.libp2p.peerStore.patch(peerId, { multiaddrs }).catch(() => {}) // the store is closing
  }

  /** libp2p has no auto-dial: who is found by a discovery service, as on the local network, is dialled here. */
  #dialFound(peer: PeerInfo): void {
    const addresses = peer.multiaddrs
      .filter((address) => this.addresses.isAllowed(address))
      .slice(0, MAX_ADDRESSES_PER_PEER)
    if (addresses.length === 0 || this.libp2p.getConnections(peer.id).length > 0) return
    if (this.libp2p.status === 'starting' && this.#foundEarly.length < MAX_FOUND_EARLY) this.#foundEarly.push(peer)
    if (this.libp2p.status !== 'started') return
    this.libp2p.dial(addresses, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) }).catch(() => {}) // it is found again within ten seconds
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
