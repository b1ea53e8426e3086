// Epoch secrets and posts to a group. Made from primitives only, apart from the code under test.
import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject
} from 'node:crypto'
import { alice, bob, POST } from '../cases/build.ts'
import { bytesOf, fill, flipped, GROUP, hex } from './build.ts'

const [SECRET, EPHEMERAL, KEM, OTHER_KEM] = [fill(0x41), fill(0x42), fill(0x43), fill(0x44)]
const [MEMBER, OTHER_MEMBER] = [fill(0x45), fill(0x46)]
const SALT = fill(0x47, 16)
const SIZES = [256, 1_024, 4_096, 16_384, 65_536]

const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const text = (value: string) => Buffer.from(value)

function hkdf(ikm: Uint8Array, salt: Uint8Array, ...info: Uint8Array[]): Buffer {
  return Buffer.from(hkdfSync('sha256', ikm, salt, Buffer.concat(info), 32))
}

function aead(key: Uint8Array, plaintext: Uint8Array, data?: Uint8Array): Buffer {
  const cipher = createCipheriv('chacha20-poly1305', key, Buffer.alloc(12), { authTagLength: 16 })
  if (data !== undefined) cipher.setAAD(data, { plaintextLength: plaintext.length })
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** An X25519 secret (RFC 8410). */
const secretKey = (secret: Uint8Array): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([bytesOf('302e020100300506032b656e04220420'), secret]),
    format: 'der',
    type: 'pkcs8'
  })
const publicKey = (secret: Uint8Array): Buffer =>
  createPublicKey(secretKey(secret)).export({ format: 'der', type: 'spki' }).subarray(-32)

const nameOf = (secret: Uint8Array, group = GROUP) => sha256(text('comrade/group/epoch-name/1\0'), group, secret)

function wrap({
  kem = KEM,
  member = MEMBER,
  group = GROUP,
  secret = SECRET,
  name = nameOf(secret, group)
} = {}): Buffer {
  const shared = diffieHellman({ privateKey: secretKey(EPHEMERAL), publicKey: createPublicKey(secretKey(kem)) })
  const [ephemeral, recipient] = [publicKey(EPHEMERAL), publicKey(kem)]
  const salt = Buffer.concat([ephemeral, recipient])
  const key = hkdf(shared, salt, text('comrade/group/epoch/1'), group, name, member)
  return Buffer.concat([ephemeral, aead(key, secret)])
}

/** How a wrap opens for the member MEMBER with the secret key KEM. */
export interface EpochVector {
  name: string
  group: string
  /** The epoch's name. */
  epoch: string
  member: string
  kem: string
  kemKey: string
  wrapped: string
  /** Absent: it does not open. */
  secret?: string
  ephemeral?: string
}

function epoch(name: string, wrapped: Uint8Array, secret?: Uint8Array, named = nameOf(SECRET)): EpochVector {
  const of = { group: hex(GROUP), epoch: hex(named), member: hex(MEMBER), kem: hex(KEM), kemKey: hex(publicKey(KEM)) }
  const line = { name, ...of, wrapped: hex(wrapped) }
  return secret === undefined ? line : { ...line, secret: hex(secret), ephemeral: hex(EPHEMERAL) }
}

const wrapped = wrap()
export const epochVectors: EpochVector[] = [
  epoch('a secret', wrapped, SECRET),
  epoch('wrapped to another key', wrap({ kem: OTHER_KEM })),
  epoch('wrapped for another member', wrap({ member: OTHER_MEMBER })),
  epoch('of another group', wrap({ group: fill(0x12), name: nameOf(SECRET) })),
  epoch('wrapped under another name', wrap({ name: nameOf(fill(0x48)) })),
  epoch('of another name than its own', wrap({ name: nameOf(fill(0x48)) }), undefined, nameOf(fill(0x48))),
  epoch('with another ephemeral key', flipped(wrapped)),
  epoch('with an ephemeral key of small order', Buffer.concat([Buffer.alloc(32), wrapped.subarray(32)])),
  epoch('with a changed tag', Buffer.concat([wrapped.subarray(0, 79), Uint8Array.of(wrapped[79] ^ 1)])),
  epoch('cut off', wrapped.subarray(0, 79)),
  epoch('one byte longer', Buffer.concat([wrapped, Uint8Array.of(0)]))
]

const earlierKey = hkdf(SECRET, Buffer.alloc(0), text('comrade/group/earlier/1'), GROUP)
const EARLIER = [fill(0x51), fill(0x52), fill(0x53)]

/** What `earlier` gives to whoever has `secret`; nothing where it does not open. */
export const earlierVectors = [
  { name: 'one earlier secret', bytes: aead(earlierKey, EARLIER[0]), secrets: EARLIER.slice(0, 1) },
  { name: 'three', bytes: aead(earlierKey, Buffer.concat(EARLIER)), secrets: EARLIER },
  { name: 'sealed under another secret', bytes: aead(fill(0x50), EARLIER[0]), secrets: [] },
  { name: 'no earlier secret', bytes: aead(earlierKey, Buffer.alloc(0)), secrets: [] },
  { name: 'part of a secret', bytes: aead(earlierKey, fill(0x51, 31)), secrets: [] },
  { name: 'cut off', bytes: aead(earlierKey, EARLIER[0]).subarray(0, 15), secrets: [] }
].map(({ name, bytes, secrets }) => ({
  name,
  group: hex(GROUP),
  secret: hex(SECRET),
  earlier: hex(bytes),
  secrets: secrets.map(hex)
}))

export const openGroupVectors = [GROUP, fill(0x12)].map((group) => ({
  name: 'the secret of an open group',
  group: hex(group),
  secret: hex(hkdf(group, Buffer.alloc(0), text('comrade/group/open/1')))
}))

/** length u16 ‖ body ‖ zeros, to the size that the sealed body is to have. */
function pad(body: Uint8Array, { length = body.length, size = SIZES.find((each) => body.length + 43 <= each)! } = {}) {
  const bytes = Buffer.alloc(size - 41)
  bytes.writeUInt16BE(length)
  bytes.set(body.subarray(0, bytes.length - 2), 2)
  return bytes
}

function seal(plaintext: Uint8Array, { version = 2, feed = alice.publicKey, group = GROUP, secret = SECRET } = {}) {
  const hintKey = hkdf(secret, Buffer.alloc(0), text('comrade/group/hint/1'), group)
  const hint = createHmac('sha256', hintKey).update(feed).update(SALT).digest().subarray(0, 8)
  const head = Buffer.concat([Uint8Array.of(version), hint, SALT])
  return Buffer.concat([head, aead(hkdf(secret, SALT, text('comrade/group/sealed/1'), group, feed), plaintext, head)])
}

/** Whether `sealed` has the hint for this feed, group and secret, and what it opens to. */
export interface PostVector {
  name: string
  feed: string
  group: string
  secret: string
  sealed: string
  hasHint: boolean
  /** Absent: it does not open. */
  body?: string
  salt?: string
}

function post(name: string, sealed: Uint8Array, hasHint = true, feed = alice.publicKey): PostVector {
  return { name, feed: hex(feed), group: hex(GROUP), secret: hex(SECRET), sealed: hex(sealed), hasHint }
}

function opens(name: string, body: Uint8Array): PostVector {
  return { ...post(name, seal(pad(body))), body: hex(body), salt: hex(SALT) }
}

/** A post whose body has exactly this many bytes. */
function postOf(size: number): Buffer {
  const words = Buffer.alloc(size - (POST.length - 5) - (size > 320 ? 2 : 1), 'a')
  const length =
    words.length > 255 ? Buffer.from([0x79, words.length >> 8, words.length & 255]) : Buffer.from([0x78, words.length])
  const at = POST.indexOf('text') + 4
  return Buffer.concat([POST.subarray(0, at), length, words, POST.subarray(at + 6)])
}

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at < 0 ? copy.length + at : at] ^= 1
  return copy
}

const usual = seal(pad(POST))
const notZeros = pad(POST)
notZeros[notZeros.length - 1] = 1

export const postVectors: PostVector[] = [
  opens('a post', POST),
  opens('a body that fills the smallest size', postOf(213)),
  opens('a body that is one byte longer', postOf(214)),
  opens('a body of the second size', postOf(981)),
  post('another feed', usual, false, bob.publicKey),
  post('another group', seal(pad(POST), { group: fill(0x12) }), false),
  post('another secret', seal(pad(POST), { secret: fill(0x48) }), false),
  post('another version', seal(pad(POST), { version: 1 })),
  post('another hint', changed(usual, 1), false),
  post('another salt', changed(usual, 9), false),
  post('a changed byte', changed(usual, 30)),
  post('a changed tag', changed(usual, -1)),
  post('another size', seal(pad(POST, { size: 512 }))),
  post('a byte too few', usual.subarray(0, -1)),
  post('nothing but a head', usual.subarray(0, 25)),
  post('no bytes', usual.subarray(0, 0), false),
  post('a length beyond the plaintext', seal(pad(POST, { length: 60_000 }))),
  post('a length that cuts the body', seal(pad(POST, { length: POST.length - 1 }))),
  post('padding that is not zeros', seal(notZeros)),
  post('a plaintext that is not a body', seal(pad(bytesOf('a0'))))
]
