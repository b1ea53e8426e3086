// Addresses that lead into the user's own machine or network. A link of somebody else's must not lead there: a click would
// let it reach what trusts the user's own network, such as a router, or the node itself.

/** Names that stand for the own machine, or that only the own network knows (RFC 6761, 6762, 8375, and ICANN's `internal`). */
const PRIVATE_NAME = /(^|\.)(localhost|local|localdomain|internal|lan|home|intranet|private|home\.arpa)$/

/** IPv4 blocks that are not of the public network (RFC 6890): the first address, and how many bits say it. */
const PRIVATE_BLOCKS: readonly (readonly [address: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3]
]

/**
 * Whether a host, as `URL.hostname` gives it, is of the own machine or network. A public name that somebody lets lead to a
 * private address cannot be told by its looks.
 */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.+$/, '')
  if (host.startsWith('[')) return isPrivateIpv6(host.slice(1, -1))
  if (/^\d+(\.\d+){3}$/.test(host)) return isPrivateIpv4(host)
  return !host.includes('.') || PRIVATE_NAME.test(host)
}

function isPrivateIpv4(address: string): boolean {
  const number = numberOf(address)
  return PRIVATE_BLOCKS.some(([block, bits]) => number >>> (32 - bits) === numberOf(block) >>> (32 - bits))
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, byte) => ((sum << 8) | Number(byte)) >>> 0, 0)
}

/** Only addresses of the public network (2000::/3), and no ways to write an IPv4 address in one, are public. */
function isPrivateIpv6(address: string): boolean {
  const [first = 0, second = 0] = address.startsWith('::')
    ? []
    : address.split(':').map((part) => parseInt(part || '0', 16))
  const isTunnel = first === 0x2002 || (first === 0x2001 && second === 0)
  return first >>> 13 !== 1 || isTunnel
}
