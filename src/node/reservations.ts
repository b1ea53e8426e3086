// Waits at friends to be reached (circuit relay v2, the client's side): a node that has not been reached from outside keeps
// a reservation with up to two friends who relay, renews them, and announces the addresses that lead through them. Over TCP and what else libp2p knows to relay; not in memory.
import { circuitRelayTransport, RELAY_V2_HOP_CODEC, RELAY_V2_STOP_CODEC } from '@libp2p/circuit-relay-v2'
import type { Connection, Libp2p, PeerId, Transport } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { ipOf, isDialable, isPublicIp } from './addresses.ts'
import { redialDelayMs } from './redial.ts'

/** Friends at whom one waits: one may be switched off. */
export const MAX_RELAYS = 2
/** Addresses announced that lead through one relay. */
const MAX_ADDRESSES_PER_RELAY = 4
const MAX_STOP_STREAMS = 64
const LOOK_INTERVAL_MS = 30_000
/** Time for a new connection to tell its protocols, and for the friend to recognise us. */
const LOOK_DELAY_MS = 500
/** Whoever was reached from outside within this time needs no relay. */
const REACHED_MS = 86_400_000
const MAX_FAILING = 256
/** libp2p would wait at anybody who relays: this tells it that it has seen everybody. */
const SEEN_ALL = { has: () => true, add: () => {}, remove: () => {} }

type TransportFactory = ReturnType<typeof circuitRelayTransport>
type Components = Parameters<TransportFactory>[0]
type CircuitTransport = ReturnType<TransportFactory> & {
  readonly reservationStore: {
    hasReservation(peerId: PeerId): boolean
    addRelay(peerId: PeerId, type: 'configured'): Promise<unknown>
  }
}

export interface ReservationsOptions {
  /** Connected peers at whom one may wait, the most wanted first. */
  relays(): Iterable<PeerId>
  /** Whether a connection with this peer comes from dialling at the same time: it reaches nobody from outside. @default never */
  isPunching?(peerId: PeerId): boolean
  /** @default 500 */
  lookDelayMs?: number
}

export class Reservations {
  readonly #options: ReservationsOptions
  readonly #listening = new Set<string>()
  readonly #failing = new Map<string, { failures: number; dueMs: number }>()
  #libp2p: Libp2p | undefined
  #components: Components | undefined
  #transport: CircuitTransport | undefined
  #timer: NodeJS.Timeout | undefined
  #dueMs = Infinity
  #isReserving = false
  #reachedMs = -Infinity

  constructor(options: ReservationsOptions) {
    this.#options = options
  }

  /** The transport for libp2p. */
  transport(): (components: Components) => Transport {
    const make = circuitRelayTransport({ maxInboundStopStreams: MAX_STOP_STREAMS, discoveryFilter: SEEN_ALL })
    return (components) => {
      this.#components = components
      this.#transport = make(
        Object.create(components, {
          registrar: { value: this.#registrar(components) },
          addressManager: { value: addressManager(components) }
        }) as Components
      ) as CircuitTransport
      const createListener = this.#transport.createListener.bind(this.#transport)
      this.#transport.createListener = (options) => {
        const listener = createListener(options)
        const getAddrs = listener.getAddrs.bind(listener)
        return Object.assign(listener, { getAddrs: () => getAddrs().filter(isRelayable) })
      }
      return this.#transport
    }
  }

  /** Begins to look for relays. Call it when the node has started. */
  start(libp2p: Libp2p): void {
    this.#libp2p = libp2p
    libp2p.addEventListener('connection:open', this.#onOpen)
    libp2p.addEventListener('peer:identify', this.#onIdentify)
    libp2p.addEventListener('connection:close', this.#onClose)
    this.look()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#dueMs = Infinity
    this.#libp2p?.removeEventListener('connection:open', this.#onOpen)
    this.#libp2p?.removeEventListener('peer:identify', this.#onIdentify)
    this.#libp2p?.removeEventListener('connection:close', this.#onClose)
    this.#libp2p = undefined
  }

  /** The relays at which this node waits now. */
  get relays(): PeerId[] {
    return (this.#libp2p?.getPeers() ?? []).filter((peerId) => this.#has(peerId))
  }

  /** Whether somebody on the public Internet has connected to this node within a day. */
  get isReached(): boolean {
    return Date.now() - this.#reachedMs < REACHED_MS
  }

  /** Looks soon whether relays are missing. Call it when a friend was recognised. */
  look(): void {
    this.#schedule(this.#options.lookDelayMs ?? LOOK_DELAY_MS)
  }

  /** Of the own addresses, those that others can use: of a relay that connected to us, libp2p also announces the port from which it dialled. */
  announced(addresses: Multiaddr[]): Multiaddr[] {
    const perRelay = new Map<string, number>()
    const isUsed = (address: Multiaddr): boolean => {
      const relay = relayOf(address)
      if (relay === undefined) return true
      const count = perRelay.get(relay.peerId) ?? 0
      if (count >= MAX_ADDRESSES_PER_RELAY || this.#isDialledFrom(relay)) return false
      perRelay.set(relay.peerId, count + 1)
      return true
    }
    return publicFirst(addresses).filter(isUsed) // whoever keeps only the first few keeps those that lead here from anywhere
  }

  #isDialledFrom({ address, peerId }: { address: string; peerId: string }): boolean {
    const connections = this.#libp2p?.getConnections() ?? []
    return connections.some(
      ({ direction, remotePeer, remoteAddr }) =>
        direction === 'inbound' &&
        remotePeer.toString() === peerId &&
        remoteAddr.toString().replace(/\/p2p\/[^/]+$/, '') === address
    )
  }

  #onOpen = ({ detail: { direct, direction, remoteAddr, remotePeer } }: CustomEvent<Connection>): void => {
    const ip = ipOf(remoteAddr)
    if (this.#options.isPunching?.(remotePeer) === true) return
    if (direct && direction === 'inbound' && ip !== undefined && isPublicIp(ip)) this.#reachedMs = Date.now()
  }

  #onIdentify = (): void => this.look()

  #onClose = ({ detail: { remotePeer } }: CustomEvent<Connection>): void => {
    if (this.#listening.has(remotePeer.toString())) this.look()
  }

  /** Events may come faster than the delay is long: the earliest look stays. */
  #schedule(delayMs: number): void {
    const dueMs = Date.now() + delayMs
    if (this.#libp2p === undefined || this.#transport === undefined || dueMs >= this.#dueMs) return
    clearTimeout(this.#timer)
    this.#dueMs = dueMs
    this.#timer = setTimeout(() => {
      this.#dueMs = Infinity
      void this.#reserve()
    }, delayMs)
    this.#timer.unref()
  }

  async #reserve(): Promise<void> {
    if (this.#isReserving) return this.look()
    this.#isReserving = true
    try {
      if (!this.isReached) for (const relay of [...this.#options.relays()]) await this.#reserveAt(relay)
    } finally {
      this.#isReserving = false
      const now = Date.now()
      const due = [...this.#failing.values()].map(({ dueMs }) => dueMs - now).filter((delayMs) => delayMs > 0)
      this.#schedule(Math.min(LOOK_INTERVAL_MS, ...due))
    }
  }

  async #reserveAt(relay: PeerId): Promise<void> {
    const name = relay.toString()
    const failing = this.#failing.get(name)
    if (this.relays.length >= MAX_RELAYS || this.#has(relay) || (failing?.dueMs ?? 0) > Date.now()) return
    try {
      if (!(await this.#canRelay(relay))) return
      await this.#listen(relay)
      this.#failing.delete(name)
    } catch {
      // It does not relay for us, or does not know us yet.
      const failures = failing?.failures ?? 0
      if (this.#failing.size >= MAX_FAILING) this.#failing.clear()
      this.#failing.set(name, { failures: failures + 1, dueMs: Date.now() + redialDelayMs(failures, Math.random()) })
    }
  }

  async #canRelay(relay: PeerId): Promise<boolean> {
    const isDirect = ({ direct, status, remoteAddr }: Connection): boolean =>
      direct && status === 'open' && isRelayable(remoteAddr)
    if (this.#libp2p?.getConnections(relay).some(isDirect) !== true) return false
    return (await this.#libp2p.peerStore.get(relay)).protocols.includes(RELAY_V2_HOP_CODEC)
  }

  /** One listener a relay, for good: libp2p takes back all reservations when one is closed, and has no other way to end one. */
  async #listen(relay: PeerId): Promise<void> {
    if (this.#listening.has(relay.toString()))
      return void (await this.#transport!.reservationStore.addRelay(relay, 'configured'))
    this.#listening.add(relay.toString())
    try {
      await this.#components!.transportManager.listen([multiaddr(`/p2p/${relay}/p2p-circuit`)])
    } catch (error) {
      if (!this.#has(relay)) this.#listening.delete(relay.toString())
      throw error
    }
  }

  #has(relay: PeerId): boolean {
    return this.#transport?.reservationStore.hasReservation(relay) ?? false
  }

  /** libp2p would begin to wait at whoever claims to bring a connection; only who was asked for it may. */
  #registrar({ registrar }: Components): Components['registrar'] {
    return Object.create(registrar, {
      handle: {
        value: ((protocol, handler, options) =>
          registrar.handle(
            protocol,
            (stream, connection) => {
              if (protocol !== RELAY_V2_STOP_CODEC || this.#has(connection.remotePeer))
                return handler(stream, connection)
              stream.abort(new Error('this peer is no relay of ours'))
            },
            options
          )) satisfies typeof registrar.handle
      },
      register: { value: registrar.register.bind(registrar) },
      unregister: { value: registrar.unregister.bind(registrar) },
      unhandle: { value: registrar.unhandle.bind(registrar) }
    }) as typeof registrar
  }
}

/** What a relay says of where it is comes from outside, and libp2p throws, where nobody catches it, when it is not of the IP world. */
function isRelayable(address: Multiaddr): boolean {
  return (ipOf(address) !== undefined || address.toString().startsWith('/dns')) && isDialable(address, true)
}

function addressManager({ addressManager }: Components): Components['addressManager'] {
  return Object.create(addressManager, {
    getAddresses: { value: () => addressManager.getAddresses() },
    confirmObservedAddr: {
      value: ((address, options) => {
        if (isRelayable(address)) addressManager.confirmObservedAddr(address, options)
      }) satisfies typeof addressManager.confirmObservedAddr
    },
    removeObservedAddr: {
      value: (address: Multiaddr) => isRelayable(address) && addressManager.removeObservedAddr(address)
    }
  }) as typeof addressManager
}

/** The relay of a relayed address; undefined for any other. */
export function relayOf(address: Multiaddr): { address: string; peerId: string } | undefined {
  const match = /^(.*)\/p2p\/([^/]+)\/p2p-circuit(?:\/|$)/.exec(address.toString())
  return match === null ? undefined : { address: match[1], peerId: match[2] }
}

function publicFirst(addresses: Multiaddr[]): Multiaddr[] {
  const rank = (address: Multiaddr): number => (isPublicIp(ipOf(address) ?? '') ? 0 : 1)
  return addresses.toSorted((a, b) => rank(a) - rank(b))
}
