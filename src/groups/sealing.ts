// A post to a group: a body that whoever has one secret opens, and nobody else. It does not say which group it is for:
// a hint does, to those who have the secret, and no two are alike. Layout: README.md, Content.
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { type Body, decodeBody, encodeBody, MAX_BODY_SIZE } from '../feeds/index.ts'

/** What opens posts to a group: the secret of one of its epochs, 32 bytes, or that of an open group. */
export interface GroupSecret {
  group: Uint8Array
  secret: Uint8Array
}

/** Sizes that a sealed body may have, in bytes: they tell no more than one of five. */
export const SEALED_SIZES = [256, 1_024, 4_096, 16_384, MAX_BODY_SIZE] as const
/** Bodies for an identity's own devices have 1. */
const VERSION = 2
const HINT_SIZE = 8
const SALT_SIZE = 16
/** version u8 ‖ hint ‖ salt. */
const HEAD_SIZE = 1 + HINT_SIZE + SALT_SIZE
const TAG_SIZE = 16
const LENGTH_SIZE = 2
/** What is not body: the head, the body's length, the tag. */
const OVERHEAD = HEAD_SIZE + LENGTH_SIZE + TAG_SIZE
/** Largest body that fits, encoded, in bytes. */
export const MAX_GROUP_BODY = MAX_BODY_SIZE - OVERHEAD
const KEY_INFO = Buffer.from('comrade/group/sealed/1')
const HINT_INFO = Buffer.from('comrade/group/hint/1')
const NO_SALT = new Uint8Array()
/** A key seals one body, so the nonce need not differ. */
const NONCE = Buffer.alloc(12)

/**
 * Seals a body for an entry of this feed.
 * @param options.salt 16 bytes @default random
 * @throws FeedError as encodeBody; RangeError when the body has more than {@link MAX_GROUP_BODY} bytes
 */
export function sealForGroup(
  body: Body,
  feed: Uint8Array,
  secret: GroupSecret,
  { salt = randomBytes(SALT_SIZE) }: { salt?: Uint8Array } = {}
): Uint8Array {
  const head = Buffer.concat([Uint8Array.of(VERSION), hintOf(hintKey(secret), feed, salt), salt])
  const cipher = createCipheriv('chacha20-poly1305', bodyKey(secret, feed, salt), NONCE, { authTagLength: TAG_SIZE })
  const content = padded(encodeBody(body))
  cipher.setAAD(head, { plaintextLength: content.length })
  return Buffer.concat([head, cipher.update(content), cipher.final(), cipher.getAuthTag()])
}

/** Whether sealed bytes have the form of a post to a group. To which, only its members see. */
export function isSealedForGroup(bytes: Uint8Array): boolean {
  return bytes[0] === VERSION && SEALED_SIZES.some((size) => bytes.length === size)
}

/** By which the hints of one secret are recognised; derived once, since every post is looked at with every secret. */
export function hintKey({ group, secret }: GroupSecret): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, NO_SALT, Buffer.concat([HINT_INFO, group]), 32))
}

/** Whether a post in this feed was sealed under the secret of a hint key. */
export function hasHint(bytes: Uint8Array, feed: Uint8Array, key: Uint8Array): boolean {
  const salt = bytes.subarray(1 + HINT_SIZE, HEAD_SIZE)
  return Buffer.compare(bytes.subarray(1, 1 + HINT_SIZE), hintOf(key, feed, salt)) === 0
}

/**
 * Opens a post of this feed to a group. Whatever is wrong with it (another secret, group or feed, a changed byte, not a
 * body inside) gives undefined: it is not for us.
 */
export function openForGroup(bytes: Uint8Array, feed: Uint8Array, secret: GroupSecret): Body | undefined {
  if (!isSealedForGroup(bytes)) return undefined
  const head = bytes.subarray(0, HEAD_SIZE)
  const content = bytes.subarray(HEAD_SIZE, -TAG_SIZE)
  try {
    const key = bodyKey(secret, feed, head.subarray(1 + HINT_SIZE))
    const decipher = createDecipheriv('chacha20-poly1305', key, NONCE, { authTagLength: TAG_SIZE })
    decipher.setAAD(head, { plaintextLength: content.length })
    decipher.setAuthTag(bytes.subarray(-TAG_SIZE))
    return decodeBody(unpadded(Buffer.concat([decipher.update(content), decipher.final()])))
  } catch {
    return undefined
  }
}

function hintOf(key: Uint8Array, feed: Uint8Array, salt: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(feed).update(salt).digest().subarray(0, HINT_SIZE)
}

/** HKDF-SHA256(secret, salt, "comrade/group/sealed/1" ‖ group ‖ feed). */
function bodyKey({ group, secret }: GroupSecret, feed: Uint8Array, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, salt, Buffer.concat([KEY_INFO, group, feed]), 32))
}

/** length u16 ‖ body ‖ zeros. */
function padded(body: Uint8Array): Uint8Array {
  const size = SEALED_SIZES.find((each) => OVERHEAD + body.length <= each)
  if (size === undefined)
    throw new RangeError(`a body that is sealed for a group has at most ${MAX_GROUP_BODY} bytes, not ${body.length}`)
  const bytes = Buffer.alloc(size - HEAD_SIZE - TAG_SIZE)
  bytes.writeUInt16BE(body.length)
  bytes.set(body, LENGTH_SIZE)
  return bytes
}

/** @throws RangeError when the rest is not zeros: what nobody needs must not carry anything */
function unpadded(bytes: Buffer): Uint8Array {
  const end = LENGTH_SIZE + bytes.readUInt16BE()
  if (end > bytes.length || bytes.subarray(end).some((byte) => byte !== 0))
    throw new RangeError('not padded with zeros')
  return new Uint8Array(bytes.subarray(LENGTH_SIZE, end))
}
