// Passes on the connections of friends whom nobody can reach directly (circuit relay v2). The protocol is libp2p's; what
// is here decides for whom, how many and how much, and holds a sender back when the receiver is slower.
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  circuitRelayServer,
  type CircuitRelayServerComponents,
  type CircuitRelayService
} from '@libp2p/circuit-relay-v2'
import type { Connection, PeerId, Stream } from '@libp2p/interface'

/** Friends and own devices that may wait here to be reached. */
export const MAX_RESERVATIONS = 64
/** Connections passed on at once, in all. */
export const MAX_RELAYED = 128
/** Of them, those of one peer: whether it waits here, or dials somebody who does. */
export const MAX_RELAYED_PER_PEER = 16
/** Passed on within an hour, in all and in both directions: 2.4 Mbit/s over a whole hour. Of one connection there is no limit. */
export const MAX_RELAYED_BYTES_PER_HOUR = 1_073_741_824
/** Bytes taken from one side and not yet handed to the other, of one direction: js-libp2p would take any number. */
const MAX_BUFFERED_BYTES = 1_048_576
/** A reservation is renewed by who holds it, five minutes before its end. */
const RESERVATION_MS = 7_200_000
const HOUR_MS = 3_600_000
const HOP_TIMEOUT_MS = 10_000
/** Requests of one peer underway; a connection that is passed on is one too. */
const MAX_HOP_STREAMS = MAX_RELAYED_PER_PEER + 2

export interface RelayOptions {
  /** Whether somebody may wait here to be reached: asked again whenever {@link Relay.review} is called. */
  mayReserve(peerId: PeerId): boolean
  /** Whether somebody may be passed on to one who waits here. */
  mayPass(from: PeerId, to: PeerId): boolean
  /** @default 1 GiB */
  bytesPerHour?: number
  /** @default Date.now */
  now?: () => number
}

/** A connection that is passed on: two streams joined. */
interface Relayed {
  from: PeerId
  to: PeerId
  streams: Stream[]
}

interface Hop {
  connection: Connection
  stream: Stream
}

export class Relay {
  readonly #options: RelayOptions
  readonly #now: () => number
  readonly #relayed = new Set<Relayed>()
  /** Which request a call of libp2p's server belongs to: it joins streams without telling which. */
  readonly #hops = new AsyncLocalStorage<Hop>()
  #server: CircuitRelayService | undefined
  #hour = { beganMs: 0, bytes: 0 }
  /** Requests that were refused since the start. */
  refused = 0

  constructor(options: RelayOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Peers that wait here. */
  get reservations(): PeerId[] {
    return this.#server === undefined ? [] : [...this.#server.reservations.keys()]
  }

  /** Connections that are passed on now. */
  get relayed(): number {
    return this.#relayed.size
  }

  /** Passed on within this hour. */
  get bytes(): number {
    return this.#now() - this.#hour.beganMs < HOUR_MS ? this.#hour.bytes : 0
  }

  get bytesPerHour(): number {
    return this.#options.bytesPerHour ?? MAX_RELAYED_BYTES_PER_HOUR
  }

  /** The service for libp2p. */
  service(): (components: CircuitRelayServerComponents) => CircuitRelayService {
    const make = circuitRelayServer({
      hopTimeout: HOP_TIMEOUT_MS,
      maxInboundHopStreams: MAX_HOP_STREAMS,
      maxOutboundStopStreams: MAX_RELAYED_PER_PEER,
      reservations: {
        maxReservations: MAX_RESERVATIONS,
        reservationTtl: RESERVATION_MS,
        applyDefaultLimit: false // or libp2p takes the connection for a limited one, on which protocols do not run
      }
    })
    return (components) => {
      this.#server = make({
        peerId: components.peerId,
        privateKey: components.privateKey,
        peerStore: components.peerStore,
        addressManager: components.addressManager,
        logger: components.logger,
        registrar: this.#registrar(components),
        connectionManager: this.#connectionManager(components),
        connectionGater: {
          denyInboundRelayReservation: (peerId) => !this.#reserve(peerId),
          denyOutboundRelayedConnection: (from, to) => !this.#mayPass(from, to)
        }
      })
      return this.#server
    }
  }

  /** Looks again who may wait here and who may be passed on. Call it when somebody was blocked, unfollowed or has gone. */
  review(): void {
    for (const peerId of this.reservations) if (!this.#options.mayReserve(peerId)) this.forget(peerId)
    for (const relayed of this.#relayed)
      if (!this.#options.mayPass(relayed.from, relayed.to)) end(relayed, 'this connection is not passed on any more')
  }

  /** Takes a reservation away, and ends what is passed on to who had it. */
  forget(peerId: PeerId): void {
    this.#drop(peerId)
    for (const relayed of this.#relayed) if (relayed.to.equals(peerId)) end(relayed, 'there is no reservation any more')
  }

  #reserve(peerId: PeerId): boolean {
    const isAllowed = this.#options.mayReserve(peerId)
    if (!isAllowed) this.refused++
    // A renewed reservation would still end with a timer of the old one: so it is always a new one.
    else this.#drop(peerId)
    return isAllowed
  }

  #drop(peerId: PeerId): void {
    this.#server?.reservations.get(peerId)?.signal.clear()
    this.#server?.reservations.delete(peerId)
  }

  #mayPass(from: PeerId, to: PeerId): boolean {
    const relayed = [...this.#relayed]
    const isAllowed =
      relayed.length < MAX_RELAYED &&
      relayed.filter((each) => each.from.equals(from)).length < MAX_RELAYED_PER_PEER &&
      relayed.filter((each) => each.to.equals(to)).length < MAX_RELAYED_PER_PEER &&
      this.bytes < this.bytesPerHour &&
      this.#options.mayReserve(to) &&
      this.#options.mayPass(from, to)
    if (!isAllowed) this.refused++
    return isAllowed
  }

  #registrar({ registrar }: CircuitRelayServerComponents): CircuitRelayServerComponents['registrar'] {
    return Object.create(registrar, {
      handle: {
        value: ((protocol, handler, options) =>
          registrar.handle(
            protocol,
            (stream, connection) => this.#hops.run({ stream, connection }, () => handler(stream, connection)),
            options
          )) satisfies typeof registrar.handle
      },
      unhandle: { value: ((protocol) => registrar.unhandle(protocol)) satisfies typeof registrar.unhandle }
    }) as typeof registrar
  }

  /** Gives libp2p's server the direct connection to who waits here, and sees the stream that it opens there. */
  #connectionManager({
    connectionManager
  }: CircuitRelayServerComponents): CircuitRelayServerComponents['connectionManager'] {
    const getConnections = (peerId?: PeerId): Connection[] => {
      const hop = this.#hops.getStore()
      const direct = connectionManager.getConnections(peerId).filter((each) => each.direct && each.status === 'open')
      return hop === undefined ? direct : direct.map((connection) => this.#watched(connection, hop))
    }
    return { getConnections } as typeof connectionManager
  }

  #watched(connection: Connection, hop: Hop): Connection {
    const newStream: Connection['newStream'] = async (protocols, options) => {
      const stream = await connection.newStream(protocols, options)
      this.#join(hop, connection.remotePeer, stream)
      return stream
    }
    return { remotePeer: connection.remotePeer, newStream } as Connection
  }

  #join(hop: Hop, to: PeerId, stream: Stream): void {
    const relayed: Relayed = { from: hop.connection.remotePeer, to, streams: [hop.stream, stream] }
    this.#relayed.add(relayed)
    const [a, b] = relayed.streams
    for (const [source, target] of [
      [a, b],
      [b, a]
    ]) {
      source.addEventListener('close', () => this.#relayed.delete(relayed), { once: true })
      source.addEventListener('message', ({ data }) => this.#count(relayed, data.byteLength))
      holdBack(source, target)
    }
  }

  #count(relayed: Relayed, bytes: number): void {
    const now = this.#now()
    if (now - this.#hour.beganMs >= HOUR_MS) this.#hour = { beganMs: now, bytes: 0 }
    this.#hour.bytes += bytes
    if (this.#hour.bytes > this.bytesPerHour) end(relayed, 'as much as may be was passed on within this hour')
  }
}

function end({ streams }: Relayed, reason: string): void {
  for (const stream of streams) stream.abort(new Error(reason))
}

/** Lets no more be read from the source than the target takes: libp2p joins streams with a queue that has no limit. */
function holdBack(source: Stream, target: Stream): void {
  let buffered = 0
  source.addEventListener('message', ({ data }) => {
    buffered += data.byteLength
    if (buffered > MAX_BUFFERED_BYTES) queueMicrotask(() => isOpen(source) && source.pause())
  })
  const send = target.send.bind(target)
  target.send = (data) => {
    buffered = Math.max(0, buffered - data.byteLength)
    if (buffered < MAX_BUFFERED_BYTES / 2 && source.readStatus === 'paused' && isOpen(source))
      queueMicrotask(() => isOpen(source) && source.resume())
    return send(data)
  }
}

function isOpen(stream: Stream): boolean {
  return stream.readStatus === 'readable' || stream.readStatus === 'paused'
}
