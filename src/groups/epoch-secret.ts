// The secret of an epoch, as it gets to members: wrapped to each one's key, with earlier secrets sealed under it where the
// group lets those who come later read what was written before. Layout and why: README.md, Content.
import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto'
import { agree, decodeCbor } from '../feeds/index.ts'
import { GroupError } from './errors.ts'
import { type BodyOf, MAX_EARLIER } from './operation-schemas.ts'
import { fromHex, toHex } from './operation.ts'
import type { Hex } from './operations.ts'

const SECRET_SIZE = 32
const TAG_SIZE = 16
/** Ephemeral X25519 key ‖ secret ‖ tag. */
const WRAPPED_SIZE = 2 * SECRET_SIZE + TAG_SIZE
const NAME_DOMAIN = Buffer.from('comrade/group/epoch-name/1\0')
const WRAP_INFO = Buffer.from('comrade/group/epoch/1')
const EARLIER_INFO = Buffer.from('comrade/group/earlier/1')
const OPEN_INFO = Buffer.from('comrade/group/open/1')
const NO_SALT = new Uint8Array()
/** Each key encrypts once. */
const NONCE = Buffer.alloc(12)
/** The generator of Curve25519 (RFC 7748, 4.1). */
const BASE_POINT = Buffer.alloc(32).fill(9, 0, 1)

/** To whom a secret is wrapped: a member's keys. */
export interface Recipient {
  member: Hex
  kem: Hex
}

/** The body of an epoch as it stands in its bytes. */
export type EpochBody = BodyOf<'epoch'>

/** The X25519 public key of a 32-byte secret. */
export function kemKey(secret: Uint8Array): Uint8Array {
  return new Uint8Array(agree(secret, BASE_POINT))
}

/** What an epoch calls its secret: SHA-256("comrade/group/epoch-name/1\0" ‖ group ‖ secret). */
export function epochName(group: Uint8Array, secret: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', Buffer.concat([NAME_DOMAIN, group, secret]), 'buffer'))
}

/** The one secret of a group that whoever has its link may read. */
export function openGroupSecret(group: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', group, NO_SALT, OPEN_INFO, SECRET_SIZE))
}

/**
 * What makes a secret known to these members. A recipient whose key is of no use gets a wrap that nobody opens, and keeps
 * nobody else from theirs.
 * @param options.earlier secrets that the recipients may read with too; the first {@link MAX_EARLIER} count @default none
 * @param options.secret @default random
 * @param options.ephemeral X25519 secret, used for this epoch only @default random
 */
export function makeEpoch(
  group: Uint8Array,
  recipients: readonly Recipient[],
  {
    earlier = [],
    secret = randomBytes(SECRET_SIZE),
    ephemeral = randomBytes(SECRET_SIZE)
  }: { earlier?: readonly Uint8Array[]; secret?: Uint8Array; ephemeral?: Uint8Array } = {}
): EpochBody {
  const name = epochName(group, secret)
  const sorted = recipients.toSorted((a, b) => (a.member < b.member ? -1 : 1))
  return {
    secret: name,
    recipients: sorted.map(({ member }) => fromHex(member)),
    wrapped: sorted.map((recipient) => wrap(secret, { group, name, ...recipient }, ephemeral)),
    ...(earlier.length === 0 ? {} : { earlier: sealEarlier(earlier.slice(0, MAX_EARLIER), group, secret) })
  }
}

/** The body of an epoch whose bytes were checked before. @throws GroupError OPERATION when it is something else */
export function epochBodyOf(bytes: Uint8Array): EpochBody {
  const { type, body } = decodeCbor(bytes) as { type?: unknown; body?: unknown }
  if (type !== 'epoch') throw new GroupError('OPERATION', `expected the bytes of an epoch, found ${String(type)}`)
  return body as EpochBody
}

/** The secret of an epoch, for a recipient; undefined for anybody else, and when what is wrapped is not what is named. */
export function unwrapSecret(
  group: Uint8Array,
  { secret: name, recipients, wrapped }: EpochBody,
  { member, kem }: { member: Hex; kem: Uint8Array }
): Uint8Array | undefined {
  const at = recipients.findIndex((recipient) => toHex(recipient) === member)
  if (at < 0 || wrapped[at].length !== WRAPPED_SIZE) return undefined
  const publicKey = wrapped[at].subarray(0, SECRET_SIZE)
  try {
    const use = { group, name, member, kem: toHex(kemKey(kem)) }
    const secret = decrypt(wrapKey(agree(kem, publicKey), publicKey, use), wrapped[at].subarray(SECRET_SIZE))
    return isNamed(secret, group, name) ? secret : undefined
  } catch {
    return undefined // for another key, or damaged
  }
}

/** Earlier secrets that an epoch gives to whoever has its own. Which epochs they are of, their names tell. */
export function earlierSecrets(group: Uint8Array, { earlier }: EpochBody, secret: Uint8Array): Uint8Array[] {
  if (earlier === undefined) return []
  try {
    const secrets = decrypt(earlierKey(secret, group), earlier)
    return Array.from({ length: secrets.length / SECRET_SIZE }, (_, at) =>
      secrets.slice(at * SECRET_SIZE, (at + 1) * SECRET_SIZE)
    )
  } catch {
    return [] // whoever made the epoch sealed something else
  }
}

function isNamed(secret: Uint8Array, group: Uint8Array, name: Uint8Array): boolean {
  return Buffer.compare(epochName(group, secret), name) === 0
}

interface WrapUse extends Recipient {
  group: Uint8Array
  name: Uint8Array
}

function wrap(secret: Uint8Array, use: WrapUse, ephemeral: Uint8Array): Uint8Array {
  const publicKey = kemKey(ephemeral)
  try {
    const key = wrapKey(agree(ephemeral, fromHex(use.kem)), publicKey, use)
    return Buffer.concat([publicKey, encrypt(key, secret)])
  } catch {
    return new Uint8Array(WRAPPED_SIZE) // a key of small order: who brought it did not want to read
  }
}

/** HKDF-SHA256(shared secret, ephemeral key ‖ KEM key, "comrade/group/epoch/1" ‖ group ‖ name ‖ member key). */
function wrapKey(shared: Uint8Array, ephemeral: Uint8Array, { group, name, member, kem }: WrapUse): Uint8Array {
  const [salt, info] = [
    Buffer.concat([ephemeral, fromHex(kem)]),
    Buffer.concat([WRAP_INFO, group, name, fromHex(member)])
  ]
  return new Uint8Array(hkdfSync('sha256', shared, salt, info, SECRET_SIZE))
}

function sealEarlier(secrets: readonly Uint8Array[], group: Uint8Array, secret: Uint8Array): Uint8Array {
  return encrypt(earlierKey(secret, group), Buffer.concat(secrets))
}

/** HKDF-SHA256(secret, no salt, "comrade/group/earlier/1" ‖ group). */
function earlierKey(secret: Uint8Array, group: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, NO_SALT, Buffer.concat([EARLIER_INFO, group]), SECRET_SIZE))
}

function encrypt(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, NONCE, { authTagLength: TAG_SIZE })
  return new Uint8Array(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]))
}

/** @throws when it was encrypted otherwise */
function decrypt(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('chacha20-poly1305', key, NONCE, { authTagLength: TAG_SIZE })
  decipher.setAuthTag(bytes.subarray(-TAG_SIZE))
  return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(0, -TAG_SIZE)), decipher.final()]))
}
