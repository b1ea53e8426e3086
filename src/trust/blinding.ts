// Key blinding: from an identity's key and a day follows another key, which only who knows the identity can compute, and
// for which only the identity's owner can sign. Two days' keys have nothing in common for anybody else.
//
// As Tor's onion services of version 3 do it (rend-spec-v3, appendix A.2), after GNUnet's name system. The points are
// computed by @noble/curves, since node:crypto multiplies none; signatures verify as plain Ed25519.
import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import type { Signer } from '../feeds/index.ts'
import { TrustError } from './errors.ts'

const { Point } = ed25519
/** The group order L (RFC 8032, 5.1). */
const ORDER = Point.Fn.ORDER
const BLINDING_DOMAIN = Buffer.from('comrade/directory/1\0')
const NONCE_DOMAIN = Buffer.from('comrade/directory/nonce/1\0')
const DAY_MS = 86_400_000

/** The UTC day of a time in Unix ms, as a number of days since 1970. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS)
}

/** A day as it is hashed and signed: u32, big-endian. */
export function dayBytes(day: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(day)
  return bytes
}

/**
 * The identity's public key of one day: h·P. Takes about a millisecond.
 * @param root the identity's Ed25519 public key P, 32 bytes
 * @throws TrustError DID when it is no point of the curve
 */
export function blindedKey(root: Uint8Array, day: number): Uint8Array {
  try {
    return Point.fromBytes(root).multiplyUnsafe(blindingFactor(root, day)).toBytes()
  } catch (error) {
    throw new TrustError('DID', 'the key of this did is not a point of Ed25519: nobody has it', { cause: error })
  }
}

/**
 * The identity's signing key of one day: scalar h·a, and a nonce prefix of its own. Takes about a millisecond, and as
 * long again for each signature.
 * @param rootSeed the identity's Ed25519 seed, 32 bytes
 */
export function blindedSigningKey(rootSeed: Uint8Array, day: number): Signer {
  const { scalar, prefix, publicKey: root } = expand(rootSeed)
  const secret = (blindingFactor(root, day) * scalar) % ORDER
  const nonces = sha512(NONCE_DOMAIN, prefix, dayBytes(day)).subarray(0, 32)
  const publicKey = Point.BASE.multiply(secret).toBytes()
  return { publicKey, sign: (message) => signWith(secret, nonces, publicKey, message) }
}

/** h = SHA-512("comrade/directory/1\0" ‖ P ‖ day) as a little-endian number modulo L. */
function blindingFactor(root: Uint8Array, day: number): bigint {
  const factor = toNumber(sha512(BLINDING_DOMAIN, root, dayBytes(day))) % ORDER
  if (factor === 0n) throw new RangeError('this key cannot be blinded on this day') // one of 2^252
  return factor
}

interface Expanded {
  scalar: bigint
  prefix: Uint8Array
  publicKey: Uint8Array
}

/** A year of certificates is made from one seed. */
const expanded = new WeakMap<Uint8Array, Expanded>()

/** RFC 8032, 5.1.5. */
function expand(seed: Uint8Array): Expanded {
  let key = expanded.get(seed)
  if (key === undefined) {
    const { scalar, prefix, pointBytes } = ed25519.utils.getExtendedPublicKey(seed)
    key = { scalar, prefix, publicKey: pointBytes }
    expanded.set(seed, key)
  }
  return key
}

/** RFC 8032, 5.1.6, from a scalar in place of a seed. */
function signWith(secret: bigint, prefix: Uint8Array, publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const nonce = toNumber(sha512(prefix, message)) % ORDER
  const commitment = Point.BASE.multiply(nonce).toBytes()
  const challenge = toNumber(sha512(commitment, publicKey, message)) % ORDER
  return Buffer.concat([commitment, toBytes((nonce + challenge * secret) % ORDER)])
}

function sha512(...parts: Uint8Array[]): Buffer {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Little-endian bytes as a number. */
function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

/** A number below 2^256 as 32 little-endian bytes. */
function toBytes(number: bigint): Uint8Array {
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse()
}
