// The group that ring signatures are made in: ristretto255 (RFC 9496), of prime order L = 2^252 +
// 27742317777372353535851937790883648493. Elements and scalars have one encoding each, of 32 bytes. libsodium computes, in
// a time that does not depend on secrets as far as WebAssembly can promise it; it is loaded when ready() is first
// called, since most of what the program does needs no groups.
import { createHash } from 'node:crypto'
import { GroupError } from './errors.ts'

type Sodium = typeof import('libsodium-wrappers-sumo').default

/** Size of an element and of a scalar. */
export const ELEMENT_BYTES = 32
/** The encoding of the identity, and of the scalar 0. */
const ZERO = Buffer.alloc(ELEMENT_BYTES)
/** Of all hashing to elements; what separates one use from another stands in the message. */
const SUITE = Buffer.from('comrade-ristretto255_XMD:SHA-512_R255MAP_RO_')
const HASH_BYTES = 64
const HASH_BLOCK_BYTES = 128

let loading: Promise<Sodium> | undefined
let loaded: Sodium | undefined

/** Loads libsodium. All else in this folder that computes with keys needs it once before, and is synchronous then. */
export async function ready(): Promise<void> {
  loading ??= import('libsodium-wrappers-sumo').then(async ({ default: library }) => {
    await library.ready
    return library
  })
  loaded = await loading
}

function sodium(): Sodium {
  if (loaded === undefined) throw new GroupError('NOT_READY', 'ring signatures need ready() to be awaited before')
  return loaded
}

/** Whether bytes are the encoding of an element other than the identity (RFC 9496, 4.3.1). */
export function isElement(bytes: Uint8Array): boolean {
  return (
    bytes.length === ELEMENT_BYTES && !ZERO.equals(bytes) && sodium().crypto_core_ristretto255_is_valid_point(bytes)
  )
}

/** Whether bytes are the encoding of a scalar from 1 to L − 1, little-endian; in a time that does not tell which. */
export function isScalar(bytes: Uint8Array): boolean {
  if (bytes.length !== ELEMENT_BYTES) return false
  const { crypto_core_ristretto255_scalar_reduce: reduce, memcmp } = sodium()
  return !memcmp(bytes, ZERO) && memcmp(bytes, reduce(Buffer.concat([bytes, ZERO])))
}

/** k·G, G being the generator. The scalar must not be 0. */
export function multiplyBase(scalar: Uint8Array): Uint8Array {
  return sodium().crypto_scalarmult_ristretto255_base(scalar)
}

/** k·P. The scalar must not be 0, the element not the identity. */
export function multiply(scalar: Uint8Array, element: Uint8Array): Uint8Array {
  return sodium().crypto_scalarmult_ristretto255(scalar, element)
}

/** P + Q */
export function add(one: Uint8Array, other: Uint8Array): Uint8Array {
  return sodium().crypto_core_ristretto255_add(one, other)
}

/** a − b·c modulo L */
export function subtractProduct(a: Uint8Array, b: Uint8Array, c: Uint8Array): Uint8Array {
  return sodium().crypto_core_ristretto255_scalar_sub(a, sodium().crypto_core_ristretto255_scalar_mul(b, c))
}

/** A hash as a scalar: SHA-512 of all parts, one after another, little-endian and modulo L. 0 once in 2^252. */
export function hashToScalar(...parts: Uint8Array[]): Uint8Array {
  return sodium().crypto_core_ristretto255_scalar_reduce(sha512(...parts))
}

/**
 * An element whose logarithm nobody knows: hash_to_ristretto255 of all parts, one after another, by RFC 9380, appendix B,
 * with expand_message_xmd over SHA-512 and the map of RFC 9496, 4.3.4.
 */
export function hashToRistretto(...parts: Uint8Array[]): Uint8Array {
  return sodium().crypto_core_ristretto255_from_hash(expandMessage(Buffer.concat(parts), SUITE))
}

/**
 * expand_message_xmd of RFC 9380, 5.3.1, over SHA-512, for as many bytes as one hash has.
 * @param suite the domain separation tag, at most 255 bytes
 */
function expandMessage(message: Uint8Array, suite: Uint8Array): Uint8Array {
  const tag = Buffer.from([...suite, suite.length])
  const first = sha512(Buffer.alloc(HASH_BLOCK_BYTES), message, Buffer.of(0, HASH_BYTES, 0), tag)
  return sha512(first, Buffer.of(1), tag)
}

/** SHA-512 of all parts, one after another. */
export function sha512(...parts: Uint8Array[]): Buffer {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
