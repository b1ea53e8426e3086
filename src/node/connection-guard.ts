// Keeps strangers from shutting friends out: limits on handshakes underway and on open connections, by host and in all.
// A full place is made free by ending the oldest handshake, not by refusing the newest, so that sockets that stay silent
// cannot occupy it. Also says which addresses may be dialled and stored.
import type { Connection, ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { ipOf, type AddressPolicy } from './addresses.ts'

/** Handshakes underway, in all. */
export const MAX_PENDING = 200
/** Handshakes underway from one host: an IPv4 address, or the /64 of an IPv6 address. */
export const MAX_PENDING_PER_HOST = 8
/** Open connections of strangers, in all, above which no more are let in; what is dialled beyond it makes the oldest go. */
export const MAX_STRANGERS = 40
/** Open connections of strangers from one host. A home, a club or Tor may be one host. */
export const MAX_STRANGERS_PER_HOST = 24
/** Open connections of one peer, wanted or not. */
export const MAX_CONNECTIONS_PER_PEER = 3

export interface GuardOptions {
  addresses: AddressPolicy
  /** The own peer id: its addresses are stored as they are. */
  self: PeerId
  /** Peers that are let in whatever the number of strangers. @default nobody */
  isWanted?(peerId: string): boolean
  /** Peers who are not let in through a relay; at a direct connection it is seen later who it is. @default nobody */
  isBlocked?(peerId: string): boolean
  /** @default 40 */
  maxStrangers?: number
  /** The connections that are open now. */
  connections(): Connection[]
}

/** A connection gater; js-libp2p calls its methods. */
export class ConnectionGuard implements ConnectionGater {
  readonly #options: GuardOptions
  /** Oldest first; the value is the host. */
  readonly #pending = new Map<MultiaddrConnection, string>()
  /** What was refused since the start, for a status or a log. */
  readonly refused = { pending: 0, strangers: 0, peer: 0 }

  constructor(options: GuardOptions) {
    this.#options = options
  }

  get pending(): number {
    return this.#pending.size
  }

  denyDialMultiaddr = (address: Multiaddr): boolean => !this.#options.addresses.isAllowed(address)

  filterMultiaddrForPeer = (peerId: PeerId, address: Multiaddr): boolean =>
    peerId.equals(this.#options.self) || this.#options.addresses.isAllowed(address)

  denyInboundConnection = (connection: MultiaddrConnection): boolean => {
    const host = hostOf(connection.remoteAddr)
    if (host === undefined) return false
    this.#makeRoom((pendingHost) => pendingHost === host, MAX_PENDING_PER_HOST)
    this.#makeRoom(() => true, MAX_PENDING)
    this.#pending.set(connection, host)
    connection.addEventListener('close', () => this.#pending.delete(connection), { once: true })
    return false
  }

  denyInboundRelayedConnection = (_relay: PeerId, peerId: PeerId): boolean =>
    this.#options.isBlocked?.(peerId.toString()) ?? false

  denyInboundUpgradedConnection = (peerId: PeerId, connection: MultiaddrConnection): boolean => {
    this.#pending.delete(connection)
    const open = this.#options.connections()
    if (open.filter(({ remotePeer }) => remotePeer.equals(peerId)).length >= MAX_CONNECTIONS_PER_PEER) {
      this.refused.peer++
      return true
    }
    const isFull = !this.#isWanted(peerId) && this.#strangersAreMany(open, hostOf(connection.remoteAddr))
    if (isFull) this.refused.strangers++
    return isFull
  }

  /** The connections of strangers that are too many, oldest first. */
  excess(): Connection[] {
    const strangers = this.#strangers(this.#options.connections())
    strangers.sort((a, b) => a.timeline.open - b.timeline.open)
    return strangers.slice(0, Math.max(0, strangers.length - this.#maxStrangers))
  }

  /** Ends all handshakes underway, so that a stop does not wait for them. */
  abortPending(): void {
    for (const connection of [...this.#pending.keys()]) connection.abort(new Error('the node is stopping'))
  }

  get #maxStrangers(): number {
    return this.#options.maxStrangers ?? MAX_STRANGERS
  }

  #strangers(open: Connection[]): Connection[] {
    return open.filter(({ remotePeer }) => !this.#isWanted(remotePeer))
  }

  #isWanted(peerId: PeerId): boolean {
    return this.#options.isWanted?.(peerId.toString()) ?? false
  }

  #makeRoom(isOfKind: (host: string) => boolean, limit: number): void {
    const same = [...this.#pending].filter(([, host]) => isOfKind(host))
    for (const [connection] of same.slice(0, Math.max(0, same.length - limit + 1))) {
      this.#pending.delete(connection)
      this.refused.pending++
      connection.abort(new Error('too many handshakes underway from this host'))
    }
  }

  #strangersAreMany(open: Connection[], host: string | undefined): boolean {
    const strangers = this.#strangers(open)
    if (strangers.length >= this.#maxStrangers) return true
    return (
      host !== undefined &&
      strangers.filter(({ remoteAddr }) => hostOf(remoteAddr) === host).length >= MAX_STRANGERS_PER_HOST
    )
  }
}

/** What counts as one host: an IPv4 address, or the /64 of an IPv6 address. undefined where there is no IP address. */
export function hostOf(address: Multiaddr): string | undefined {
  const ip = ipOf(address)
  if (ip === undefined || !ip.includes(':')) return ip
  if (/^::ffff:/i.test(ip)) return ip
  return groupsOf(ip).slice(0, 4).join(':')
}

/** The eight groups of an IPv6 address, written out. */
function groupsOf(ip: string): string[] {
  const [head, tail] = ip.split('::').map((half) => half.split(':').filter((group) => group !== ''))
  if (tail === undefined) return head
  return [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail]
}
