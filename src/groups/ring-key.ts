// Keys that stand in a ring. Each is fresh for its member and group, derived from a seed, and enters a group only with
// proof that somebody holds its secret: else a key computed from others' keys, or a copy of one, could stand in a ring.
//
// The proof is Schnorr's: c = H(P ‖ u·G ‖ context), s = u − c·k, and is checked by c = H(P ‖ s·G + c·P ‖ context).
import { randomBytes } from 'node:crypto'
import { GroupError } from './errors.ts'
import {
  add,
  ELEMENT_BYTES,
  hashToScalar,
  isElement,
  isScalar,
  multiply,
  multiplyBase,
  sha512,
  subtractProduct
} from './ristretto.ts'

const KEY_DOMAIN = Buffer.from('comrade/ring/key/1\0')
const POSSESSION_DOMAIN = Buffer.from('comrade/ring/possession/1\0')
const NONCE_DOMAIN = Buffer.from('comrade/ring/possession/nonce/1\0')
/** Challenge and response. */
export const POSSESSION_BYTES = 2 * ELEMENT_BYTES
/** Of what a key is derived from, and of the randomness in a proof. */
export const SEED_BYTES = 32

/** A member's key in the rings of one group. */
export interface RingKey {
  /** The scalar k, little-endian: whoever has it can tell all vouches that were given with it. */
  readonly secret: Uint8Array
  /** k·G */
  readonly publicKey: Uint8Array
}

/**
 * The ring key of a seed: k = SHA-512("comrade/ring/key/1\0" ‖ seed) modulo L.
 * @param seed 32 bytes, of one group and rekeying only
 * @throws GroupError KEY when the seed has another size
 */
export function ringKey(seed: Uint8Array): RingKey {
  if (seed.length !== SEED_BYTES) {
    throw new GroupError('KEY', `the seed of a ring key has ${SEED_BYTES} bytes, not ${seed.length}`)
  }
  const secret = hashToScalar(KEY_DOMAIN, seed)
  return { secret, publicKey: multiplyBase(secret) }
}

/**
 * The public key of a secret, k·G.
 * @throws GroupError KEY when it is no scalar from 1 to L − 1
 */
export function publicRingKey(secret: Uint8Array): Uint8Array {
  if (!isScalar(secret)) throw new GroupError('KEY', 'the secret of a ring key is a scalar from 1 to L - 1')
  return multiplyBase(secret)
}

/**
 * Proof that one holds a ring key's secret, bound to where it is used.
 * @param context what the key is for, such as group and member: checked with the proof
 * @param random 32 bytes. @default fresh ones
 * @returns c ‖ s, 64 bytes
 * @throws GroupError KEY when the secret is no scalar from 1 to L − 1
 */
export function proofOfPossession(
  secret: Uint8Array,
  context: Uint8Array,
  random: Uint8Array = randomBytes(SEED_BYTES)
): Uint8Array {
  const publicKey = publicRingKey(secret)
  // The hash of it, since the random bytes before a context of any length could be given in another way.
  const nonce = hashToScalar(NONCE_DOMAIN, secret, sha512(random), sha512(context))
  const challenge = challengeOf(publicKey, multiplyBase(nonce), context)
  return Buffer.concat([challenge, subtractProduct(nonce, challenge, secret)])
}

/**
 * Whether a proof of possession holds for a key in a context. Any bytes may be given.
 */
export function isPossessed(publicKey: Uint8Array, context: Uint8Array, proof: Uint8Array): boolean {
  if (proof.length !== POSSESSION_BYTES) return false
  const [challenge, response] = [proof.subarray(0, ELEMENT_BYTES), proof.subarray(ELEMENT_BYTES)]
  if (!isScalar(challenge) || !isScalar(response) || !isElement(publicKey)) return false
  const commitment = add(multiplyBase(response), multiply(challenge, publicKey))
  return Buffer.from(challenge).equals(challengeOf(publicKey, commitment, context))
}

function challengeOf(publicKey: Uint8Array, commitment: Uint8Array, context: Uint8Array): Uint8Array {
  return hashToScalar(POSSESSION_DOMAIN, publicKey, commitment, context)
}
