// Two connected peers prove to each other which device they are, and tell a stranger nothing: the device key is not sent.
// Who already knows the key recognises it; who does not learns only that there is some device. Bytes: docs/protocol.md.
import { hash, randomBytes } from 'node:crypto'
import { isValidSignature, type SigningKey } from '../feeds/index.ts'

export const NONCE_SIZE = 32
const TAG_SIZE = 16
const SIGNATURE_SIZE = 64
/** A tag and a signature. */
export const CLAIM_SIZE = TAG_SIZE + SIGNATURE_SIZE

const TAG_DOMAIN = Buffer.from('comrade/hello/tag/1\0')
const SIGNATURE_DOMAIN = Buffer.from('comrade/hello/1\0')

/** 'dialer' opened the connection. In the tag, so that a claim cannot be sent back to who made it. */
export type Role = 'dialer' | 'listener'

/** One side of one exchange: what both know before claims are made. Nonces have 32 bytes, peer ids are multihashes. */
export interface HelloSide {
  role: Role
  peerId: Uint8Array
  nonce: Uint8Array
}

/** What a peer said about its device on one connection, with what is needed to check it against a key at any time. */
export interface Claim {
  claimant: HelloSide
  verifier: HelloSide
  tag: Uint8Array
  signature: Uint8Array
}

export function generateNonce(): Uint8Array {
  return randomBytes(NONCE_SIZE)
}

/** The 80 bytes that `own` sends to `other`. */
export function makeClaim(key: SigningKey, own: HelloSide, other: HelloSide): Uint8Array {
  return Buffer.concat([claimTag(key.publicKey, own, other), key.sign(signedBytes(own, other))])
}

/** Takes the 80 bytes of a peer apart. Nothing is checked before a key is at hand. */
export function decodeClaim(bytes: Uint8Array, claimant: HelloSide, verifier: HelloSide): Claim {
  if (bytes.length !== CLAIM_SIZE) throw new RangeError(`a claim has ${CLAIM_SIZE} bytes, not ${bytes.length}`)
  return { claimant, verifier, tag: bytes.slice(0, TAG_SIZE), signature: bytes.slice(TAG_SIZE) }
}

/** Whether this claim was made with this device key, on the connection that it was received on. */
export function isClaimOf(claim: Claim, deviceKey: Uint8Array): boolean {
  const tag = claimTag(deviceKey, claim.claimant, claim.verifier)
  if (Buffer.compare(tag, claim.tag) !== 0) return false
  return isValidSignature(deviceKey, signedBytes(claim.claimant, claim.verifier), claim.signature)
}

/** The first of the keys that this claim was made with. */
export function findClaimant(claim: Claim, deviceKeys: Iterable<Uint8Array>): Uint8Array | undefined {
  for (const key of deviceKeys) if (isClaimOf(claim, key)) return key
  return undefined
}

/** sha256("comrade/hello/tag/1\0" ‖ dialer's nonce ‖ listener's nonce ‖ role ‖ device key), its first 16 bytes. */
function claimTag(deviceKey: Uint8Array, claimant: HelloSide, verifier: HelloSide): Uint8Array {
  const isDialer = claimant.role === 'dialer'
  const nonces = isDialer ? [claimant.nonce, verifier.nonce] : [verifier.nonce, claimant.nonce]
  return hash(
    'sha256',
    Buffer.concat([TAG_DOMAIN, ...nonces, Uint8Array.of(isDialer ? 0 : 1), deviceKey]),
    'buffer'
  ).subarray(0, TAG_SIZE)
}

/** "comrade/hello/1\0" ‖ the claimant's nonce ‖ the verifier's nonce ‖ the claimant's peer id ‖ the verifier's peer id. */
function signedBytes(claimant: HelloSide, verifier: HelloSide): Uint8Array {
  return Buffer.concat([SIGNATURE_DOMAIN, claimant.nonce, verifier.nonce, claimant.peerId, verifier.peerId])
}
