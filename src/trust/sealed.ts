// A body that only some may read: the canonical body, padded, under a key that the identity's own devices (or friends)
// share. The bytes say for whom and under which generation of the key, and nothing else. Layout: docs/protocol.md.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { type Body, decodeBody, encodeBody, MAX_BODY_SIZE } from '../feeds/index.ts'

/** For whom a body is sealed. */
export type Audience = 'own' | 'friends'

/** The key of one generation, 32 bytes, that an audience shares. */
export interface SealingKey {
  audience: Audience
  generation: number
  key: Uint8Array
}

const VERSION = 1
const AUDIENCES: readonly Audience[] = ['own', 'friends']
const SALT_SIZE = 16
/** version u8 ‖ audience u8 ‖ generation u32 ‖ salt. */
const HEAD_SIZE = 6 + SALT_SIZE
const TAG_SIZE = 16
/** Plaintexts are as long as a multiple of this, so that the size tells little. */
const PADDING = 256
const KEY_INFO = Buffer.from('comrade/sealed/1')
/** A key seals one body, so the nonce need not differ. */
const NONCE = Buffer.alloc(12)
/** Largest body that fits, encoded, in bytes. */
export const MAX_SEALED_BODY = Math.floor((MAX_BODY_SIZE - HEAD_SIZE - TAG_SIZE) / PADDING) * PADDING - 2

/**
 * Seals a body for an entry of this feed.
 * @param options.salt 16 bytes @default random
 * @throws FeedError as encodeBody; RangeError when the body has more than {@link MAX_SEALED_BODY} bytes
 */
export function sealBody(
  body: Body,
  feed: Uint8Array,
  { audience, generation, key }: SealingKey,
  { salt = randomBytes(SALT_SIZE) }: { salt?: Uint8Array } = {}
): Uint8Array {
  const head = Buffer.alloc(HEAD_SIZE)
  head[0] = VERSION
  head[1] = AUDIENCES.indexOf(audience)
  head.writeUInt32BE(generation, 2)
  head.set(salt, 6)
  const cipher = createCipheriv('chacha20-poly1305', bodyKey(key, salt, feed), NONCE, { authTagLength: TAG_SIZE })
  const content = padded(encodeBody(body))
  cipher.setAAD(head, { plaintextLength: content.length })
  return Buffer.concat([head, cipher.update(content), cipher.final(), cipher.getAuthTag()])
}

/** For whom a sealed body is, and under which generation of their key; undefined when it has another form. */
export function sealedFor(bytes: Uint8Array): Omit<SealingKey, 'key'> | undefined {
  const size = bytes.length - HEAD_SIZE - TAG_SIZE
  const audience = AUDIENCES[bytes[1]]
  if (bytes[0] !== VERSION || audience === undefined || size <= 0 || size % PADDING !== 0) return undefined
  return { audience, generation: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32BE(2) }
}

/**
 * Opens a sealed body of this feed. Whatever is wrong with it (another key, another feed, a changed byte, not a body
 * inside) gives undefined: it is not for us.
 */
export function openBody(bytes: Uint8Array, feed: Uint8Array, key: Uint8Array): Body | undefined {
  if (sealedFor(bytes) === undefined) return undefined
  const [head, content, tag] = [
    bytes.subarray(0, HEAD_SIZE),
    bytes.subarray(HEAD_SIZE, -TAG_SIZE),
    bytes.subarray(-TAG_SIZE)
  ]
  try {
    const decipher = createDecipheriv('chacha20-poly1305', bodyKey(key, head.subarray(6), feed), NONCE, {
      authTagLength: TAG_SIZE
    })
    decipher.setAAD(head, { plaintextLength: content.length })
    decipher.setAuthTag(tag)
    return decodeBody(unpadded(Buffer.concat([decipher.update(content), decipher.final()])))
  } catch {
    return undefined
  }
}

function bodyKey(key: Uint8Array, salt: Uint8Array, feed: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt, Buffer.concat([KEY_INFO, feed]), 32))
}

/** length u16 ‖ body ‖ zeros. */
function padded(body: Uint8Array): Uint8Array {
  if (body.length > MAX_SEALED_BODY)
    throw new RangeError(`a body that is sealed has at most ${MAX_SEALED_BODY} bytes, not ${body.length}`)
  const bytes = Buffer.alloc(Math.ceil((2 + body.length) / PADDING) * PADDING)
  bytes.writeUInt16BE(body.length)
  bytes.set(body, 2)
  return bytes
}

function unpadded(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.subarray(2, 2 + bytes.readUInt16BE()))
}
