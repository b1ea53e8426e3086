// Ed25519 as feeds use it: strict where RFC 8032 leaves room, with keys imported once.
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  sign,
  verify,
  type KeyObject
} from 'node:crypto'
import { FeedError } from './errors.ts'

const ENTRY_DOMAIN = Buffer.from('comrade/entry/1\0')
/** DER prefixes of an Ed25519 key in SubjectPublicKeyInfo and PKCS #8 (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
/** The same of an X25519 key. */
const X25519_SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex')
const X25519_PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')
const MAX_IMPORTED_KEYS = 4_096

/** An Ed25519 key that signs. */
export interface Signer {
  publicKey: Uint8Array
  /** 64-byte signature over exactly these bytes. */
  sign(message: Uint8Array): Uint8Array
}

/** An Ed25519 key pair. `publicKey` is the feed's id. */
export interface SigningKey extends Signer {
  /**
   * X25519 (RFC 7748) with this key's form on Curve25519, whose public half is that of the Ed25519 key.
   * @param publicKey the other's X25519 public key, 32 bytes
   * @throws when the result would be zeros, as with a key of small order
   */
  agree(publicKey: Uint8Array): Uint8Array
}

/** A fresh seed of 32 random bytes for {@link signingKey}. */
export function generateSeed(): Uint8Array {
  return generateKeyPairSync('ed25519')
    .privateKey.export({ format: 'der', type: 'pkcs8' })
    .subarray(PKCS8_PREFIX.length)
}

/** Makes a signing key from its 32-byte seed (RFC 8032, 5.1.5). */
export function signingKey(seed: Uint8Array): SigningKey {
  if (seed.length !== 32) throw new RangeError(`an Ed25519 seed has 32 bytes, not ${seed.length}`)
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length)
  const scalar = hash('sha512', seed, 'buffer').subarray(0, 32)
  return {
    publicKey: new Uint8Array(publicKey),
    sign: (message) => sign(null, message, key),
    agree: (other) => agree(scalar, other)
  }
}

/** X25519 of a secret scalar, not clamped yet, and a public key. @throws when the result would be zeros */
export function agree(secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const privateKey = createPrivateKey({
    key: Buffer.concat([X25519_PKCS8_PREFIX, secret]),
    format: 'der',
    type: 'pkcs8'
  })
  const other = createPublicKey({ key: Buffer.concat([X25519_SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' })
  return diffieHellman({ privateKey, publicKey: other })
}

/** What an entry's signature is made over: "comrade/entry/1\0" ‖ id. */
export function entrySigningBytes(id: Uint8Array): Uint8Array {
  return Buffer.concat([ENTRY_DOMAIN, id])
}

/** Rules 10 to 13 of validateEntry. @throws FeedError SIGNATURE_* */
export function verifySignature(feed: Uint8Array, id: Uint8Array, signature: Uint8Array): void {
  checkSignatureForm(signature)
  if (!verify(null, entrySigningBytes(id), importKey(feed), signature)) {
    throw new FeedError('SIGNATURE_INVALID', "the signature is not the feed's over this entry")
  }
}

/** The same, on a thread of its own. Rejects as {@link verifySignature} throws. */
export function verifySignatureAside(feed: Uint8Array, id: Uint8Array, signature: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  checkSignatureForm(signature)
  verify(null, entrySigningBytes(id), importKey(feed), signature, (error, isValid) => {
    if (error === null && isValid) resolve()
    else
      reject(
        new FeedError('SIGNATURE_INVALID', "the signature is not the feed's over this entry", {
          cause: error ?? undefined
        })
      )
  })
  return promise
}

/**
 * Verifies a signature by an Ed25519 key over any message, as strictly as an entry's.
 * @returns whether it holds; never throws for bad input
 */
export function isValidSignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    checkSignatureForm(signature)
    return isUsableKey(publicKey) && verify(null, message, importKey(publicKey), signature)
  } catch {
    return false // malformed key or signature: not valid
  }
}

/** The group order L in little-endian (RFC 8032, 5.1). */
const ORDER = Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex')
/** p = 2^255 - 19 in little-endian. */
const PRIME = Buffer.from('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', 'hex')

/**
 * y-coordinates of the eight points of small order, little-endian, without the sign bit. Values from p upward are
 * refused as non-canonical before they are looked up. (As libsodium's ge25519_has_small_order.)
 */
const SMALL_ORDER_Y = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
])

function checkSignatureForm(signature: Uint8Array): void {
  if (signature.length !== 64) {
    throw new FeedError('SIGNATURE_SIZE', `an Ed25519 signature has 64 bytes, not ${signature.length}`)
  }
  if (!isBelow(signature, 32, ORDER)) {
    throw new FeedError('SIGNATURE_MALLEABLE', 'S of an Ed25519 signature must be below the group order')
  }
  if (isSmallOrder(signature.subarray(0, 32))) {
    throw new FeedError('SIGNATURE_SMALL_ORDER', 'R of an Ed25519 signature must not be of small order')
  }
}

/** Whether these 32 bytes are a canonical encoding (y < p) that is not of small order. */
export function isUsableKey(key: Uint8Array): boolean {
  return key.length === 32 && !isSmallOrder(key)
}

function isSmallOrder(point: Uint8Array): boolean {
  const last = point[31] & 0x7f
  // Points of small order and values from p upward begin with one of five bytes: all others pass without a look-up.
  const first = point[0]
  if (first > 1 && first !== 0x26 && first !== 0xc7 && first < 0xec) return false
  const y = Buffer.from(point)
  y[31] = last
  return !isBelow(y, 0, PRIME) || SMALL_ORDER_Y.has(y.toString('hex'))
}

/** Whether the 32 little-endian bytes at `offset` are a number below `limit`. */
function isBelow(bytes: Uint8Array, offset: number, limit: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    if (bytes[offset + i] !== limit[i]) return bytes[offset + i] < limit[i]
  }
  return false
}

const imported = new Map<string, KeyObject>()

/** Imports a raw public key once; an import costs as much as a third of a verification. */
function importKey(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey).toString('latin1')
  let key = imported.get(name)
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' })
    if (imported.size >= MAX_IMPORTED_KEYS) imported.delete(imported.keys().next().value!)
    imported.set(name, key)
  }
  return key
}
