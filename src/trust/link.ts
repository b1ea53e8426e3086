// Invites as text that people hand each other: a link to meet somebody, or with which a new device joins an identity.
// It holds a one-time secret: whoever reads it first may use it. Bytes: docs/protocol.md.
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
/** version ‖ root ‖ secret ‖ expiry ‖ peer key. */
const FIXED_SIZE = 1 + KEY_SIZE + INVITE_SECRET_SIZE + 4 + KEY_SIZE

export type LinkKind = 'meet' | 'device'

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
  const addresses = link.addresses.map(addressBytes).filter(({ length }) => length <= MAX_ADDRESS_BYTES)
  const listed = addresses.slice(0, MAX_LINK_ADDRESSES).flatMap((bytes) => [Uint8Array.of(bytes.length), bytes])
  const content = Buffer.concat([Uint8Array.of(LINK_VERSION), root, secret, expiry, peerKey, ...listed])
  return prefixOf(kind) + Buffer.concat([content, checksum(content)]).toString('base64url')
}

/**
 * Reads an invite. White space is ignored: mail programs break long lines. Whether it has expired is not looked at.
 * @throws TrustError LINK when it was mangled, is of another kind or version, or is no link at all
 */
export function decodeLink(text: string, kind: LinkKind): Link {
  const bytes = bytesOf(text, kind)
  if (bytes.length < FIXED_SIZE + CHECKSUM_SIZE) throw mangled('it is too short')
  const content = bytes.subarray(0, -CHECKSUM_SIZE)
  if (Buffer.compare(checksum(content), bytes.subarray(-CHECKSUM_SIZE)) !== 0) throw mangled('its checksum is wrong')
  if (content[0] !== LINK_VERSION)
    throw new TrustError(
      'LINK',
      `the link is of version ${content[0]}, and this program reads version ${LINK_VERSION}: a newer program made it`
    )
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

function prefixOf(kind: LinkKind): string {
  return `comrade:${kind}/`
}

function bytesOf(text: string, kind: LinkKind): Buffer {
  if (text.length > MAX_LINK_LENGTH)
    throw new TrustError('LINK', `a link has at most ${MAX_LINK_LENGTH} characters, not ${text.length}`)
  const link = text.replaceAll(/\s/g, '')
  const prefix = prefixOf(kind)
  if (link.slice(0, prefix.length).toLowerCase() !== prefix)
    throw new TrustError('LINK', `expected ${prefix}… (${wants(kind)})${found(link)}`)
  const encoded = link.slice(prefix.length)
  const bytes = Buffer.from(encoded, 'base64url')
  if (bytes.toString('base64url') !== encoded) throw mangled('it has characters that no link has')
  return bytes
}

/** What such a link is for, in the words of who was given one. */
function wants(kind: LinkKind): string {
  return kind === 'meet' ? 'a link to meet somebody' : 'a link with which a device joins an identity'
}

function found(link: string): string {
  const kind = /^comrade:(meet|device)\//i.exec(link)?.[1].toLowerCase() as LinkKind | undefined
  return kind === undefined ? ', found something else' : `, found ${wants(kind)}`
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
