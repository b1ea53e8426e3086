// As much of Ed25519's arithmetic as forging takes (RFC 8032, 5.1): scalars, and adding the point of order two.
import { createHash } from 'node:crypto'
import { alice, DOMAIN, key, type Key } from './build.ts'

export const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
export const PRIME = 2n ** 255n - 19n

export function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

/** 32 bytes, little-endian. */
export function toBytes(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse()
}

const sha512 = (...parts: Uint8Array[]) => createHash('sha512').update(Buffer.concat(parts)).digest()

/** The secret scalar of a key. */
export function scalar(owner: Key): bigint {
  const half = sha512(owner.seed).subarray(0, 32)
  half[0] &= 248
  half[31] = (half[31] & 127) | 64
  return toNumber(half) % ORDER
}

/** P + (0, -1), which is (-x, -y): the same point but for a component of order two. */
export function addOrderTwo(point: Uint8Array): Buffer {
  const y = toNumber(point) & (2n ** 255n - 1n)
  const sum = toBytes(PRIME - y)
  sum[31] |= (point[31] & 0x80) ^ 0x80
  return sum
}

/** The hash that binds R, the key and the message, as a scalar. */
function challenge(r: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint {
  return toNumber(sha512(r, publicKey, message)) % ORDER
}

/** R ‖ nonce + challenge · secret */
function respond(r: Uint8Array, nonce: bigint, publicKey: Uint8Array, secret: bigint, id: Uint8Array): Buffer {
  const s = (nonce + challenge(r, publicKey, Buffer.concat([DOMAIN, id])) * secret) % ORDER
  return Buffer.concat([r, toBytes(s)])
}

/** By Alice's key with the nonce zero: R is the neutral element, and the verification equation holds. */
export function signWithNeutralR(id: Uint8Array): Buffer {
  return respond(toBytes(1n), 0n, alice.publicKey, scalar(alice), id)
}

/** By Alice's key, R off by the point of order two: holds only where both sides are multiplied by the cofactor. */
export function signForCofactor(id: Uint8Array): Buffer {
  const nonce = key(9)
  return respond(addOrderTwo(nonce.publicKey), scalar(nonce), alice.publicKey, scalar(alice), id)
}

/** Holds under the neutral element as public key for whatever id: nobody needs a secret for it. */
export function signForNeutralKey(): Buffer {
  const nonce = key(9)
  return Buffer.concat([nonce.publicKey, toBytes(scalar(nonce))])
}

/** Alice's key off by the point of order two. */
export const mixedKey = addOrderTwo(alice.publicKey)

/** Under {@link mixedKey}, with the first nonce whose challenge is even, so that the equation holds exactly. */
export function signForMixedKey(id: Uint8Array): Buffer {
  for (let byte = 9; ; byte++) {
    const nonce = key(byte)
    const h = challenge(nonce.publicKey, mixedKey, Buffer.concat([DOMAIN, id]))
    if (h % 2n === 0n) return respond(nonce.publicKey, scalar(nonce), mixedKey, scalar(alice), id)
  }
}
