// Feed ids as two peers name them to each other in one session: keyed hashes, so that whoever does not hold a feed
// learns nothing about it, and so that nobody outside can make items whose fingerprints collide.
import { hash } from 'node:crypto'
import { KEY_SIZE, sha256 } from '../entry.ts'

const SALT_DOMAIN = Buffer.from('comrade/sync/salt/1\0')
/** Bytes of randomness that each side brings to a session. */
export const NONCE_SIZE = 16
export const SALT_SIZE = 32
/** Bytes of a blinded feed id. Two of a million feeds collide with a chance of 2^-57. */
export const BLINDED_SIZE = 12

/**
 * The salt of one session: sha256("comrade/sync/salt/1\0" ‖ initiator's nonce ‖ responder's nonce).
 * @throws RangeError when a nonce has not exactly 16 bytes
 */
export function sessionSalt(nonceInitiator: Uint8Array, nonceResponder: Uint8Array): Uint8Array {
  for (const nonce of [nonceInitiator, nonceResponder]) {
    if (nonce.length !== NONCE_SIZE)
      throw new RangeError(`a session nonce has ${NONCE_SIZE} bytes, not ${nonce.length}`)
  }
  return sha256(Buffer.concat([SALT_DOMAIN, nonceInitiator, nonceResponder]))
}

/**
 * Blinds feed ids for one session: the first 12 bytes of sha256(salt ‖ feed key), in the order of `feeds`.
 * About 0.5 µs each. The results share one block of memory.
 * @throws RangeError when the salt or a feed key has not exactly 32 bytes
 */
export function blindFeeds(salt: Uint8Array, feeds: readonly Uint8Array[]): Uint8Array[] {
  const blinded = packBlinded(salt, feeds)
  return feeds.map((_, index) => blinded.subarray(index * BLINDED_SIZE, (index + 1) * BLINDED_SIZE))
}

/** The same, one after the other in one block, without a view for each. */
export function packBlinded(salt: Uint8Array, feeds: readonly Uint8Array[]): Uint8Array {
  if (salt.length !== SALT_SIZE) throw new RangeError(`a session salt has ${SALT_SIZE} bytes, not ${salt.length}`)
  const input = Buffer.alloc(SALT_SIZE + KEY_SIZE)
  input.set(salt)
  const blinded = Buffer.alloc(feeds.length * BLINDED_SIZE)
  feeds.forEach((feed, index) => {
    if (feed.length !== KEY_SIZE) throw new RangeError(`a feed key has ${KEY_SIZE} bytes, not ${feed.length}`)
    input.set(feed, SALT_SIZE)
    // A digest as a binary string costs a third of one as a Buffer, and `write` cuts it to length.
    blinded.write(hash('sha256', input, 'binary'), index * BLINDED_SIZE, BLINDED_SIZE, 'latin1')
  })
  return blinded
}
