// Who may write to a queue and who may read it: X25519 keys, of which the public half names the queue. A request shows
// that its sender has the secret half by a MAC that the host could have made as well, so that it proves nothing to others.
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { agree } from '../feeds/index.ts'
import { kemKey } from '../groups/index.ts'

/** Of a public key and of a secret, in bytes. */
export const MAILBOX_KEY_SIZE = 32
const INFO = Buffer.from('comrade/mailbox/1')

export interface MailboxKey {
  /** X25519 public key. */
  id: Uint8Array
  secret: Uint8Array
}

/** @param secret 32 bytes @default random */
export function mailboxKey(secret: Uint8Array = randomBytes(MAILBOX_KEY_SIZE)): MailboxKey {
  return { id: kemKey(secret), secret }
}

/**
 * The key of the MACs between a host and whoever has one of a queue's secrets: HKDF-SHA256 of what the two agree on by
 * X25519, with id ‖ the host's key as salt and "comrade/mailbox/1" as info.
 * @param own the secret of this side, @param other the public key of the other
 * @throws when the other key has small order
 */
export function macKey(own: Uint8Array, other: Uint8Array, id: Uint8Array, host: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', agree(own, other), Buffer.concat([id, host]), INFO, 32))
}

/**
 * HMAC-SHA256 of nonce ‖ place u32 ‖ body.
 * @param place how many requests came before this one on its stream
 */
export function macOf(key: Uint8Array, nonce: Uint8Array, place: number, body: Uint8Array): Uint8Array {
  const at = Buffer.alloc(4)
  at.writeUInt32BE(place)
  return createHmac('sha256', key).update(nonce).update(at).update(body).digest()
}

export function isSameMac(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}
