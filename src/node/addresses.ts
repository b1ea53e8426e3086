// Which network addresses may be stored and dialled. What strangers say about where they are is hostile: it could point
// this node at a router's page, at a mail server, or at a socket file. What the user gave is always dialled.
import { BlockList, isIP } from 'node:net'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'

/** Addresses that are kept and dialled of one peer. */
export const MAX_ADDRESSES_PER_PEER = 16
/** Ports below this belong to services of the system; 443 is left to nodes that can be reached on nothing else. */
const FIRST_USER_PORT = 1_024
const HTTPS_PORT = 443

/** Not reachable, or not meant to be reached, from the public Internet (IANA special-purpose registries, RFC 6890). */
const NOT_PUBLIC = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3]
] as const)
  NOT_PUBLIC.addSubnet(network, bits, 'ipv4')
/** Within 2000::/3, what is not global unicast: Teredo and other protocol assignments, documentation, 6to4. */
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20]
] as const)
  NOT_PUBLIC.addSubnet(network, bits, 'ipv6')

const GLOBAL_UNICAST = new BlockList()
GLOBAL_UNICAST.addSubnet('2000::', 3, 'ipv6')

/** Whether an IP address is one of the public Internet. IPv4 inside of IPv6 is not. */
export function isPublicIp(ip: string): boolean {
  const family = isIP(ip)
  if (family === 4) return !NOT_PUBLIC.check(ip, 'ipv4')
  return family === 6 && GLOBAL_UNICAST.check(ip, 'ipv6') && !NOT_PUBLIC.check(ip, 'ipv6')
}

/** Decides which addresses may be used, and remembers those that the user gave. */
export class AddressPolicy {
  readonly #lan: boolean
  readonly #given = new Set<string>()

  /** @param options.lan whether private and loopback addresses that others name may be dialled too. @default true */
  constructor({ lan = true }: { lan?: boolean } = {}) {
    this.#lan = lan
  }

  /** The user gave this address (on the command line, in a link): it is dialled whatever it is. */
  give(address: Multiaddr): void {
    this.#given.add(withoutPeer(address))
    const [relay, ...beyond] = address.toString().split('/p2p-circuit')
    if (beyond.length > 0) this.#given.add(withoutPeer(multiaddr(relay)))
  }

  /** Whether an address may be stored and dialled. */
  isAllowed(address: Multiaddr): boolean {
    return isDialable(address, this.#lan) || this.#given.has(withoutPeer(address))
  }

  /** The own addresses that others are told: private ones only on a LAN, or where the node was told to listen. */
  announced(addresses: Multiaddr[], listen: readonly string[]): Multiaddr[] {
    if (this.#lan) return addresses
    return addresses.filter((address) => {
      const ip = ipOf(address)
      return ip === undefined || isPublicIp(ip) || listen.some((given) => given.split('/')[2] === ip)
    })
  }
}

/**
 * Whether an address that somebody else named may be dialled: no socket files, no ports of system services, and without
 * `lan` no private addresses and no names (what a name stands for can change between the check and the dial).
 * Of a relayed address that is the relay's, since only the relay is connected to; behind it comes a peer id and nothing
 * else. Kinds of addresses that are not of the IP world belong to a transport that the embedder brought, and pass.
 */
export function isDialable(address: Multiaddr, lan: boolean): boolean {
  const components = address.getComponents()
  const [first] = components
  if (first === undefined || components.some(({ name }) => name === 'unix') || !isRelayedOnce(address)) return false
  const isName = first.name.startsWith('dns')
  const ip = ipOf(address)
  if (!isName && ip === undefined) return true
  if (!lan && (isName || !isPublicIp(ip!))) return false
  const port = Number(components.find(({ name }) => name === 'tcp' || name === 'udp')?.value ?? FIRST_USER_PORT)
  return port >= FIRST_USER_PORT || port === HTTPS_PORT
}

/** Whether an address leads through a relay. */
export function isRelayed(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'p2p-circuit')
}

function isRelayedOnce(address: Multiaddr): boolean {
  const names = address.getComponents().map(({ name }) => name)
  const at = names.indexOf('p2p-circuit')
  const beyond = names.slice(at + 1)
  return at < 0 || (names[at - 1] === 'p2p' && (beyond.length === 0 || (beyond.length === 1 && beyond[0] === 'p2p')))
}

/** The IP address that is connected to, without an IPv6 zone; undefined when there is none. */
export function ipOf(address: Multiaddr): string | undefined {
  const component = address.getComponents().find(({ name }) => name !== 'ip6zone')
  return component?.name === 'ip4' || component?.name === 'ip6' ? component.value : undefined
}

/** The address without the peer id at its end: the same place, whoever answers. */
function withoutPeer(address: Multiaddr): string {
  return address.toString().replace(/\/p2p\/[^/]+$/, '')
}
