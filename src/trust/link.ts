// Links as text that people hand each other: invites, to meet somebody or with which a new device joins an identity, hold a
// one-time secret, and whoever reads one first may use it. A link to a group names the group and where its log is.
// Bytes: docs/protocol.md.
import { createHash } from 'node:crypto'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { isUsableKey } from '../feeds/index.ts'
import { TrustError } from './errors.ts'

export const INVITE_SECRET_SIZE = 16
/** Addresses in one link; it has to fit into a QR code. */
export const MAX_LINK_ADDRESSES = 8
/** Longest text that is looked at as a link. */
const MAX_LINK_LENGTH = 4_096
const MAX_ADDRESS_BYTES = 255
const LINK_VERSION = 1
const KEY_SIZE = 32
const CHECKSUM_SIZE = 4
const WANTS: Record<AnyKind, string> = {
  meet: 'a link to meet somebody',
  device: 'a link with which a device joins an identity',
  group: 'a link to a group'
}
/** version ‖ root ‖ secret ‖ expiry ‖ peer key. */
const FIXED_SIZE = 1 + KEY_SIZE + INVITE_SECRET_SIZE + 4 + KEY_SIZE

/** Peers in one link to a group. */
export const MAX_LINK_PEERS = 3

/** Links that are invites. */
export type LinkKind = 'meet' | 'device'
type AnyKind = LinkKind | 'group'

/** What an invite says. Nothing of it is proven before the peer at the other end has proven it. */
export interface Link {
  /** Root key of who made it. */
  root: Uint8Array
  /** 16 random bytes, known to who made the link and who was given it. */
  secret: Uint8Array
  /** Unix ms, in whole seconds. */
  expiresMs: number
  /** Raw Ed25519 public key of the libp2p peer who made it. */
  peerKey: Uint8Array
  /** Multiaddrs without the peer's own `/p2p/` at their end, at most 8. */
  addresses: string[]
}

/** Where a group's log can be fetched. Whoever has the link can read all of the log. */
export interface GroupLink {
  /** Id of the group, 32 bytes. */
  group: Uint8Array
  /** At most 3. */
  peers: { peerKey: Uint8Array; addresses: string[] }[]
}

/**
 * Writes an invite as `comrade:meet/…` or `comrade:device/…`.
 * @param link.addresses of more than 8, the first 8 are told; an own `/p2p/` at an end is left out
 * @throws RangeError when a field has the wrong size; TrustError LINK when an address is not a multiaddr
 */
export function encodeLink({ kind, ...link }: Link & { kind: LinkKind }): string {
  const { root, secret, expiresMs, peerKey } = link
  if (root.length !== KEY_SIZE || peerKey.length !== KEY_SIZE || secret.length !== INVITE_SECRET_SIZE)
    throw new RangeError(`a link has keys of ${KEY_SIZE} bytes and a secret of ${INVITE_SECRET_SIZE}`)
  const expiry = Buffer.alloc(4)
  expiry.writeUInt32BE(Math.floor(expiresMs / 1_000))
  const fixed = [Uint8Array.of(LINK_VERSION), root, secret, expiry, peerKey]
  return written(kind, [...fixed, ...addressList(link.addresses)])
}

/**
 * Writes a link to a group as `comrade:group/…`.
 * @param link.peers of more than 3, the first 3 are told, with 8 addresses each
 * @throws RangeError when a field has the wrong size; TrustError LINK when an address is not a multiaddr
 */
export function encodeGroupLink({ group, peers }: GroupLink): string {
  if (group.length !== KEY_SIZE || peers.some(({ peerKey }) => peerKey.length !== KEY_SIZE))
    throw new RangeError(`a link to a group has an id and keys of ${KEY_SIZE} bytes`)
  const told = peers.slice(0, MAX_LINK_PEERS).flatMap(({ peerKey, addresses }) => {
    const list = addressList(addresses)
    return [peerKey, Uint8Array.of(list.length / 2), ...list]
  })
  return written('group', [Uint8Array.of(LINK_VERSION), group, ...told])
}

/** @throws TrustError LINK when it was mangled, is of another kind or version, or is no link at all */
export function decodeGroupLink(text: string): GroupLink {
  const content = contentOf(text, 'group', 1 + KEY_SIZE)
  const group = Uint8Array.from(content.subarray(1, 1 + KEY_SIZE))
  const peers: GroupLink['peers'] = []
  for (let at = 1 + KEY_SIZE; at < content.length;) {
    const peerKey = Uint8Array.from(content.subarray(at, (at += KEY_SIZE)))
    const count = content[at++]
    if (count === undefined || !isUsableKey(peerKey)) throw mangled('a peer in it is cut off')
    const from = at
    for (let i = 0; i < count; i++) at += 1 + content[at]
    if (!(at <= content.length)) throw mangled('an address in it is cut off')
    if (peers.length === MAX_LINK_PEERS) throw mangled(`it has more than ${MAX_LINK_PEERS} peers`)
    peers.push({ peerKey, addresses: readAddresses(content.subarray(from, at)) })
  }
  return { group, peers }
}

/**
 * Reads an invite. White space is ignored: mail programs break long lines. Whether it has expired is not looked at.
 * @throws TrustError LINK when it was mangled, is of another kind or version, or is no link at all
 */
export function decodeLink(text: string, kind: LinkKind): Link {
  const content = contentOf(text, kind, FIXED_SIZE)
  let at = 1
  const take = (length: number): Uint8Array => Uint8Array.from(content.subarray(at, (at += length)))
  const root = take(KEY_SIZE)
  const secret = take(INVITE_SECRET_SIZE)
  const expiresMs = Buffer.from(take(4)).readUInt32BE() * 1_000
  const peerKey = take(KEY_SIZE)
  if (!isUsableKey(root) || !isUsableKey(peerKey)) throw mangled('a key in it is not an Ed25519 key')
  return { root, secret, expiresMs, peerKey, addresses: readAddresses(content.subarray(FIXED_SIZE)) }
}

/** Whether the text means to be a link of any kind, right or wrong: such a text is never a name. */
export function isLinkLike(text: string): boolean {
  return /^\s*comrade:/i.test(text)
}

function written(kind: AnyKind, parts: readonly Uint8Array[]): string {
  const content = Buffer.concat(parts)
  return prefixOf(kind) + Buffer.concat([content, checksum(content)]).toString('base64url')
}

/** Each with its length before it: two parts an address. */
function addressList(addresses: readonly string[]): Uint8Array[] {
  const known = addresses.map(addressBytes).filter(({ length }) => length <= MAX_ADDRESS_BYTES)
  return known.slice(0, MAX_LINK_ADDRESSES).flatMap((bytes) => [Uint8Array.of(bytes.length), bytes])
}

/** What the checksum holds for, in this program's version. */
function contentOf(text: string, kind: AnyKind, least: number): Buffer {
  const bytes = bytesOf(text, kind)
  if (bytes.length < least + CHECKSUM_SIZE) throw mangled('it is too short')
  const content = bytes.subarray(0, -CHECKSUM_SIZE)
  if (Buffer.compare(checksum(content), bytes.subarray(-CHECKSUM_SIZE)) !== 0) throw mangled('its checksum is wrong')
  if (content[0] === LINK_VERSION) return content
  throw new TrustError(
    'LINK',
    `the link is of version ${content[0]}, and this program reads version ${LINK_VERSION}: a newer program made it`
  )
}

function prefixOf(kind: AnyKind): string {
  return `comrade:${kind}/`
}

function bytesOf(text: string, kind: AnyKind): Buffer {
  if (text.length > MAX_LINK_LENGTH)
    throw new TrustError('LINK', `a link has at most ${MAX_LINK_LENGTH} characters, not ${text.length}`)
  const link = text.replaceAll(/\s/g, '')
  const prefix = prefixOf(kind)
  if (link.slice(0, prefix.length).toLowerCase() !== prefix)
    throw new TrustError('LINK', `expected ${prefix}… (${WANTS[kind]})${found(link)}`)
  const encoded = link.slice(prefix.length)
  const bytes = Buffer.from(encoded, 'base64url')
  if (bytes.toString('base64url') !== encoded) throw mangled('it has characters that no link has')
  return bytes
}

function found(link: string): string {
  const kind = /^comrade:(meet|device|group)\//i.exec(link)?.[1].toLowerCase() as AnyKind | undefined
  return kind === undefined ? ', found something else' : `, found ${WANTS[kind]}`
}

function mangled(reason: string): TrustError {
  return new TrustError('LINK', `the link was changed or cut off on its way (${reason}): copy all of it again`)
}

function checksum(content: Uint8Array): Uint8Array {
  return createHash('sha256').update(content).digest().subarray(0, CHECKSUM_SIZE)
}

/** Without the peer's own id at the end, which the link says once for all. */
function addressBytes(text: string): Uint8Array {
  const components = readAddress(text).getComponents()
  if (components.at(-1)?.name === 'p2p') components.pop()
  return multiaddr(components).bytes
}

function readAddresses(bytes: Uint8Array): string[] {
  const addresses: string[] = []
  for (let at = 0; at < bytes.length; at += 1 + bytes[at]) {
    const address = bytes.subarray(at + 1, at + 1 + bytes[at])
    if (address.length !== bytes[at] || address.length === 0) throw mangled('an address in it is cut off')
    if (addresses.length === MAX_LINK_ADDRESSES) throw mangled(`it has more than ${MAX_LINK_ADDRESSES} addresses`)
    addresses.push(readAddress(address).toString())
  }
  return addresses
}

function readAddress(address: string | Uint8Array): Multiaddr {
  try {
    return multiaddr(address)
  } catch (error) {
    throw new TrustError('LINK', `an address in the link is not a multiaddr: ${(error as Error).message}`, {
      cause: error
    })
  }
}
