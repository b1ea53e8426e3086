// An identity's or device's Ed25519 public key as text: did:key (W3C CCG, https://w3c-ccg.github.io/did-key-spec/).
import { base58btc } from 'multiformats/bases/base58'
import { isUsableKey } from '../feeds/index.ts'
import { TrustError } from './errors.ts'
import { harmless, tagOf } from './names.ts'

const PREFIX = 'did:key:'
/** Multicodec 'ed25519-pub' (0xed) as an unsigned varint. */
const CODEC = [0xed, 0x01] as const
/** `did:key:`, `z`, and 34 bytes in base 58: always this many characters for an Ed25519 key. */
export const DID_LENGTH = 56

/**
 * Writes a 32-byte Ed25519 public key as `did:key:z6Mk…`.
 * @throws TrustError DID when it is not a canonical key of large order
 */
export function formatDid(key: Uint8Array): string {
  if (!isUsableKey(key)) throw new TrustError('DID', 'a did is made from a canonical 32-byte Ed25519 public key')
  return PREFIX + base58btc.encode(Uint8Array.of(...CODEC, ...key))
}

/**
 * Reads the 32-byte Ed25519 public key out of `did:key:z6Mk…`. Only the canonical spelling is taken, so that one key
 * has one did.
 * @throws TrustError DID
 */
export function parseDid(text: string): Uint8Array {
  if (!text.startsWith(`${PREFIX}z6Mk`) || text.length !== DID_LENGTH) throw notADid(text)
  const bytes = decodeBase58(text)
  if (bytes.length !== 34 || bytes[0] !== CODEC[0] || bytes[1] !== CODEC[1]) throw notADid(text)
  const key = bytes.slice(2)
  if (!isUsableKey(key) || formatDid(key) !== text) throw notADid(text)
  return key
}

/** Whether the text means to be a did, right or wrong: such a text is never a name. */
export function isDidLike(text: string): boolean {
  return /^did:/i.test(text)
}

/** A short tag of a key for people to tell two claimed names apart: not an identifier, it can be imitated with work. */
export function shortTag(key: Uint8Array): string {
  return tagOf(formatDid(key))
}

function decodeBase58(text: string): Uint8Array {
  try {
    return base58btc.decode(text.slice(PREFIX.length))
  } catch (error) {
    throw notADid(text, error)
  }
}

function notADid(text: string, cause?: unknown): TrustError {
  const shown = harmless(text.length > 80 ? `${text.slice(0, 80)}…` : text)
  return new TrustError(
    'DID',
    `expected did:key:z6Mk… with ${DID_LENGTH} characters, an Ed25519 key; found "${shown}"`,
    { cause }
  )
}
