// Turns a relayed connection into a direct one where both sides are behind NAT: both dial each other at the same moment, so
// that each router takes the other's packets for answers (DCUtR; TCP simultaneous open, RFC 9293 section 3.5). libp2p has
// the protocol. What it lacks over TCP is here: dials that leave from one port, so that what others see of it can be
// dialled; knowledge of what others see; and one side that takes the listener's part in the handshake.
import { createServer } from 'node:net'
import { dcutr } from '@libp2p/dcutr'
import type { Connection, IdentifyResult, Libp2p, PeerId, Transport } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { ipOf, isPublicIp, isRelayed } from './addresses.ts'

/** Own addresses told to the other side. */
const MAX_OBSERVED = 4
/** Addresses dialled at once of what the other side tells. */
const MAX_PUNCHED = 8
/** One attempt, from the first message to the handshake's end. */
const PUNCH_TIMEOUT_MS = 8_000
const ATTEMPTS = 3
/** How long it may take until it is known who the other side is. */
const RECOGNISE_TIMEOUT_MS = 3_000
const RECOGNISE_STEP_MS = 100
/** A router that refuses, rather than drops, is asked again until the other side's packet has opened its own. */
const RETRY_MS = 200

type TcpFactory = ReturnType<typeof tcp>
type Service = ReturnType<typeof dcutr>
type Components = Parameters<Service>[0]
type DialOptions = Parameters<ReturnType<TcpFactory>['dial']>[1]
type OpenConnection = Components['connectionManager']['openConnection']

export interface HolePunchOptions {
  /** Whether an address that the other side names may be dialled. */
  isAllowed(address: Multiaddr): boolean
  /** Whether it is done with this peer: strangers would send us to whatever address they like. */
  mayPunch(peerId: PeerId): boolean
}

export class HolePunch {
  readonly #options: HolePunchOptions
  /** From where public addresses are dialled; undefined while none is known to be free. */
  #port: number | undefined
  /** What peers saw of a connection that was dialled from {@link #port}, by connection. */
  readonly #observed = new Map<Connection, Multiaddr | undefined>()
  readonly #punching = new Set<string>()
  #self: PeerId | undefined

  constructor(options: HolePunchOptions) {
    this.#options = options
  }

  /** What others see of the port from which this node dials. */
  get observed(): Multiaddr[] {
    const seen = [...this.#observed.values()].flatMap((address) => address?.toString() ?? [])
    const counts = Map.groupBy(seen, (address) => address)
    const mostSeen = [...counts].toSorted(([, a], [, b]) => b.length - a.length).slice(0, MAX_OBSERVED)
    return mostSeen.map(([address]) => multiaddr(address))
  }

  /** Whether a direct connection with this peer is being made, in which nobody has been reached from outside. */
  isPunching(peerId: PeerId): boolean {
    return this.#punching.has(peerId.toString())
  }

  /** Finds a free port and listens to what others see. Call it before the node is started. */
  async start(libp2p: Libp2p): Promise<void> {
    this.#self = libp2p.peerId
    this.#port = await freePort()
    libp2p.addEventListener('peer:identify', this.#onIdentify)
    libp2p.addEventListener('connection:close', this.#onClose)
  }

  stop(libp2p: Libp2p): void {
    libp2p.removeEventListener('peer:identify', this.#onIdentify)
    libp2p.removeEventListener('connection:close', this.#onClose)
    this.#observed.clear()
  }

  /** TCP that dials public addresses from one port. */
  transport(): (components: Parameters<TcpFactory>[0]) => Transport {
    const make = tcp()
    return (components) => {
      const transport = make(components)
      const dial = transport.dial.bind(transport)
      return Object.assign(transport, {
        dial: (address: Multiaddr, options: DialOptions) => this.#dialFromPort(dial, address, options)
      })
    }
  }

  /** The service for libp2p. */
  service(): Service {
    const make = dcutr({ timeout: PUNCH_TIMEOUT_MS, retries: ATTEMPTS })
    return (components) =>
      make({
        peerStore: components.peerStore,
        registrar: this.#registrar(components),
        transportManager: components.transportManager,
        logger: components.logger,
        addressManager: {
          getAddresses: () => [...this.observed, ...components.addressManager.getAddresses().filter(isDirect)]
        } as Components['addressManager'],
        connectionManager: {
          openConnection: ((where, options) => this.#open(components, where, options)) satisfies OpenConnection
        } as Components['connectionManager']
      })
  }

  #registrar({ registrar }: Components): Components['registrar'] {
    const register: typeof registrar.register = (protocol, topology, options) =>
      registrar.register(
        protocol,
        {
          ...topology,
          onConnect: (peerId, connection) => {
            void this.#isKnown(peerId).then((isKnown) => isKnown && topology.onConnect?.(peerId, connection))
          }
        },
        options
      )
    const handle: typeof registrar.handle = (protocol, handler, options) =>
      registrar.handle(
        protocol,
        async (stream, connection) => {
          if (await this.#isKnown(connection.remotePeer)) return handler(stream, connection)
          stream.abort(new Error('direct connections are made with contacts only'))
        },
        options
      )
    return Object.create(registrar, {
      register: { value: register },
      handle: { value: handle },
      unregister: { value: registrar.unregister.bind(registrar) },
      unhandle: { value: registrar.unhandle.bind(registrar) }
    }) as typeof registrar
  }

  /** Who it is comes out about when the connection is there. */
  async #isKnown(peerId: PeerId): Promise<boolean> {
    for (let waited = 0; waited < RECOGNISE_TIMEOUT_MS; waited += RECOGNISE_STEP_MS) {
      if (this.#options.mayPunch(peerId)) return true
      await new Promise((resolve) => setTimeout(resolve, RECOGNISE_STEP_MS).unref())
    }
    return this.#options.mayPunch(peerId)
  }

  async #dialFromPort(
    dial: (address: Multiaddr, options: DialOptions) => Promise<Connection>,
    address: Multiaddr,
    options: DialOptions
  ): Promise<Connection> {
    if (this.#port === undefined || !isPublicIp(ipOf(address) ?? '')) return dial(address, options)
    try {
      const fromPort = { ...options, upgrader: inRole(options), localPort: this.#port } as DialOptions
      const connection = await dial(address, fromPort)
      this.#observed.set(connection, undefined)
      return connection
    } catch (error) {
      // The last connection from there to this address is not forgotten yet, or another program has the port.
      if (!['EADDRINUSE', 'EADDRNOTAVAIL'].includes(String((error as NodeJS.ErrnoException).code))) throw error
      return dial(address, options)
    }
  }

  #onIdentify = ({ detail: { connection, observedAddr } }: CustomEvent<IdentifyResult>): void => {
    const seen = observedAddr === undefined ? undefined : publicTcp(observedAddr)
    if (this.#observed.has(connection) && seen !== undefined)
      this.#observed.set(connection, multiaddr(`${seen}/p2p/${this.#self}`))
  }

  #onClose = ({ detail }: CustomEvent<Connection>): void => {
    this.#observed.delete(detail)
  }

  /** What libp2p's service calls to dial: at the moment agreed with the other side, or before at an address that was announced. */
  #open(components: Components, ...[where, options]: Parameters<OpenConnection>): Promise<Connection> {
    const addresses = (Array.isArray(where) ? where : [where]).filter(
      (each): each is Multiaddr => 'getComponents' in each && this.#options.isAllowed(each)
    )
    if (options?.priority === undefined) return components.connectionManager.openConnection(addresses, options)
    return this.#punch(components, addresses.slice(0, MAX_PUNCHED), options)
  }

  /** libp2p's queue of dials would forget who takes the listener's part, and tries one address after the other. */
  async #punch(
    { transportManager }: Components,
    addresses: Multiaddr[],
    options: NonNullable<Parameters<OpenConnection>[1]>
  ): Promise<Connection> {
    const peers = new Set(addresses.flatMap((address) => peerOf(address) ?? []))
    if (peers.size !== 1) throw new Error('expected addresses of one peer')
    const [peer] = peers
    const attempts = new Set<AbortController>()
    const end = (): void => {
      for (const attempt of attempts) attempt.abort(new Error('the attempt is over'))
    }
    const dial = async (address: Multiaddr): Promise<Connection> => {
      const attempt = new AbortController()
      attempts.add(attempt)
      const limits = { ...options, signal: attempt.signal } as Parameters<typeof transportManager.dial>[1]
      const connection = await untilAborted(attempt.signal, () => transportManager.dial(address, limits))
      attempts.delete(attempt) // a signal that is aborted after the handshake would end the connection
      return connection
    }
    this.#punching.add(peer)
    options.signal?.addEventListener('abort', end)
    try {
      return await Promise.any(addresses.map(dial))
    } finally {
      options.signal?.removeEventListener('abort', end)
      end()
      this.#punching.delete(peer)
    }
  }
}

/** For the listener's part: libp2p turns the handshake round, but not what the muxer takes its stream numbers by. */
function inRole(options: DialOptions): DialOptions['upgrader'] {
  const { upgrader } = options
  if (!('initiator' in options) || options.initiator !== false) return upgrader
  const upgradeOutbound: typeof upgrader.upgradeOutbound = (connection, limits) =>
    upgrader.upgradeOutbound(Object.assign(connection, { direction: 'inbound' as const }), limits)
  return Object.create(upgrader, { upgradeOutbound: { value: upgradeOutbound } }) as typeof upgrader
}

/** Tries again and again. @throws the last error, when the signal was aborted */
async function untilAborted<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (signal.aborted) throw error
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref())
    }
  }
}

function isDirect(address: Multiaddr): boolean {
  return !isRelayed(address)
}

/** The IP address and port of a public TCP address, as a multiaddr. */
function publicTcp(address: Multiaddr): string | undefined {
  const [, second] = address.getComponents()
  const ip = ipOf(address)
  if (ip === undefined || !isPublicIp(ip) || second?.name !== 'tcp') return undefined
  return `/${ip.includes(':') ? 'ip6' : 'ip4'}/${ip}/tcp/${second.value}`
}

function peerOf(address: Multiaddr): string | undefined {
  const value = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
  return value === undefined ? undefined : peerIdFromString(value).toString()
}

/** A port that nobody uses now, for IPv4 and, where there is one, IPv6. */
async function freePort(): Promise<number | undefined> {
  const server = createServer()
  try {
    return await new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, () => resolve((server.address() as { port: number }).port))
    })
  } catch {
    return undefined
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}
