// The libp2p node of one device: made, started, stopped, and asked to dial.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Connection, KEEP_ALIVE, type Libp2p, type PeerId, type PeerInfo } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { LevelDatastore } from 'datastore-level'
import { createLibp2p } from 'libp2p'
import { AddressPolicy, isRelayed, MAX_ADDRESSES_PER_PEER } from './addresses.ts'
import { ConnectionGuard } from './connection-guard.ts'
import { forgetGoneStreams, PeerFaults } from './gossip.ts'
import { HolePunch } from './hole-punch.ts'
import { libp2pOptions, type NetworkOptions, type NetworkServices } from './libp2p-options.ts'
import type { RedialTarget } from './redial.ts'
import { Relay } from './relay.ts'
import { Reservations } from './reservations.ts'
import { StoredPeers } from './stored-peers.ts'

const MAX_FOUND_EARLY = 64
const DIAL_TIMEOUT_MS = 10_000
/** For one of several addresses. */
const ADDRESS_TIMEOUT_MS = 4_000
/** libp2p's own stop takes at most half a second a connection, all at once; what hangs after that is aborted. */
const STOP_TIMEOUT_MS = 1_800
const CLOSE_STORE_TIMEOUT_MS = 800
const CLOSE_TIMEOUT_MS = 1_000
/** Time for protocols to go over to a direct connection before the relayed one is closed. */
const CLOSE_RELAYED_DELAY_MS = 2_000
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
  readonly reservations: Reservations
  readonly holePunch: HolePunch
  /** Absent when this node passes nothing on. */
  readonly relay: Relay | undefined
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
      isBlocked: options.isBlocked,
      maxStrangers: options.maxStrangers,
      connections: () => libp2p.getConnections()
    })
    const { relays = () => [], mayRelayFor = () => false, isBlocked = () => false, mayPunch = () => true } = options
    const holePunch = new HolePunch({
      isAllowed: (address) => addresses.isAllowed(address),
      mayPunch: (peerId) => mayPunch(peerId.toString())
    })
    const reservations = new Reservations({ relays, isPunching: (peerId) => holePunch.isPunching(peerId) })
    const relay = new Relay({
      mayReserve: (peerId) => mayRelayFor(peerId.toString()) && !isBlocked(peerId.toString()),
      mayPass: (from) => !isBlocked(from.toString())
    })
    const parts = { addresses, faults, reservations, holePunch, relay: options.relay === true ? relay : undefined }
    const libp2p: Libp2p<NetworkServices> = await createLibp2p<NetworkServices>({
      ...libp2pOptions(options, { ...parts, onFound: (peer) => network.#dialFound(peer) }),
      datastore,
      connectionGater: guard
    })
    const network = new Network({ ...parts, libp2p, guard, datastore })
    const { isWanted = () => false, maxStoredPeers: max } = options
    new StoredPeers({ libp2p, isWanted, max }).watch()
    return network
  }

  private constructor(parts: {
    libp2p: Libp2p<NetworkServices>
    addresses: AddressPolicy
    guard: ConnectionGuard
    faults: PeerFaults
    reservations: Reservations
    holePunch: HolePunch
    relay?: Relay
    datastore?: LevelDatastore
  }) {
    this.libp2p = parts.libp2p
    this.addresses = parts.addresses
    this.guard = parts.guard
    this.faults = parts.faults
    this.reservations = parts.reservations
    this.holePunch = parts.holePunch
    this.relay = parts.relay
    this.#datastore = parts.datastore
    this.libp2p.addEventListener('connection:open', ({ detail: { direct, remotePeer } }) => {
      for (const connection of this.guard.excess()) void this.#closeStranger(connection)
      if (direct) this.#closeRelayedSoon(remotePeer)
    })
    this.libp2p.addEventListener('connection:close', ({ detail }) => this.#goOnElsewhere(detail))
    this.libp2p.addEventListener('peer:connect', () => forgetGoneStreams(this.libp2p.services.pubsub))
    this.libp2p.addEventListener('peer:disconnect', ({ detail }) => {
      this.relay?.forget(detail)
      forgetGoneStreams(this.libp2p.services.pubsub)
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
    await this.holePunch.start(this.libp2p)
    await this.libp2p.start()
    this.reservations.start(this.libp2p)
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

  /**
   * Dials a target of the redial loop: its direct addresses, the most promising first; those that lead through a relay;
   * then whatever the peer store and the DHT know. With who is connected through a relay, only the direct ones.
   * @param onFailure is told of each address that led nowhere
   * @returns the peer id
   * @throws what went wrong at the first address
   */
  async dial(
    target: RedialTarget,
    signal: AbortSignal,
    onFailure: (address: string) => void = () => {}
  ): Promise<string> {
    const errors: Error[] = []
    const attempt = async (where: Multiaddr | PeerId, limit: AbortSignal): Promise<string | undefined> => {
      try {
        return (await this.libp2p.dial(where, { signal: limit })).remotePeer.toString()
      } catch (error) {
        errors.push(error as Error)
        return undefined
      }
    }
    for (const address of this.#addressesOf(target)) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(ADDRESS_TIMEOUT_MS)])
      const peerId = await attempt(address, limit)
      if (peerId !== undefined) return peerId
      signal.throwIfAborted()
      onFailure(address.toString())
    }
    if (target.peerId === undefined) throw errors[0] ?? new Error('none of the addresses may be dialled')
    if (this.isRelayed(target)) throw errors[0] ?? new Error('no direct address is known')
    const peerId = await attempt(peerIdFromString(target.peerId), signal)
    if (peerId === undefined) throw errors[0]
    return peerId
  }

  /** The first is the most promising; the others change places, or addresses that never answer would always be tried before the rest. */
  #addressesOf({ peerId, multiaddrs }: RedialTarget): Multiaddr[] {
    const suffix = peerId === undefined ? '' : `/p2p/${peerId}`
    const all = multiaddrs
      .map((address) => multiaddr(/\/p2p\/[^/]+$/.test(address) ? address : address + suffix))
      .filter((address) => this.addresses.isAllowed(address))
    const [relayed, direct] = [all.filter(isRelayed), all.filter((address) => !isRelayed(address))]
    const order = [...direct.slice(0, 1), ...shuffled(direct.slice(1))]
    return this.isRelayed({ peerId }) ? order : [...order, ...shuffled(relayed)]
  }

  isConnected(target: Pick<RedialTarget, 'peerId'>): boolean {
    return this.#open(target).length > 0
  }

  /** Whether every connection with this peer leads through a relay. */
  isRelayed(target: Pick<RedialTarget, 'peerId'>): boolean {
    const open = this.#open(target)
    return open.length > 0 && open.every(({ direct }) => !direct)
  }

  #open({ peerId }: Pick<RedialTarget, 'peerId'>): Connection[] {
    if (peerId === undefined) return []
    return this.libp2p.getConnections(peerIdFromString(peerId)).filter(({ status }) => status === 'open')
  }

  /** Stops within 3 s, also when peers hang. May be called twice. */
  async stop(): Promise<void> {
    this.reservations.stop()
    this.holePunch.stop(this.libp2p)
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

  /** A direct connection takes the place of a relayed one. */
  #closeRelayedSoon(peerId: PeerId): void {
    const timer = setTimeout(() => {
      const open = this.libp2p.getConnections(peerId).filter(({ status }) => status === 'open')
      if (!open.some(({ direct }) => direct)) return
      for (const connection of open) if (!connection.direct) void this.#close(connection)
    }, CLOSE_RELAYED_DELAY_MS)
    timer.unref()
  }

  /** With a connection its streams end, also those that are opened only once a connection, as gossip's: on another one they are opened now. */
  #goOnElsewhere({ remotePeer }: Connection): void {
    const other = this.libp2p.getConnections(remotePeer).find(({ status }) => status === 'open')
    if (other !== undefined && this.libp2p.status === 'started')
      this.libp2p.services.identify.identify(other).catch(() => {}) // it is about to go, too
  }

  async #close(connection: Connection): Promise<void> {
    try {
      await connection.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) })
    } catch (error) {
      connection.abort(error as Error)
    }
  }

  /** libp2p's own pruner spares every connection with a stream, and with gossip each has one. */
  async #closeStranger(connection: Connection): Promise<void> {
    // The DHT marks its closest peers to be dialled again whenever they go: then one would be closed for another for ever.
    const tags = { [DHT_KEEP_ALIVE_TAG]: undefined }
    await this.libp2p.peerStore.merge(connection.remotePeer, { tags }).catch(() => {}) // the store is closing
    await this.#close(connection)
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

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item)
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
