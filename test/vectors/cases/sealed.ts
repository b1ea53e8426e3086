// Sealed bodies, the keys that an identity's devices share, and the boxes in which they are handed over. Made from
// primitives only, apart from the code under test.
import {
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject
} from 'node:crypto'
import { alice, bob, hex, POST } from './build.ts'

const SALT = Buffer.alloc(16, 5)
const KEY = Buffer.alloc(32, 6)
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const hkdf = (ikm: Uint8Array, salt: Uint8Array, ...info: (string | Uint8Array)[]) =>
  Buffer.from(hkdfSync('sha256', ikm, salt, Buffer.concat(info.map((part) => Buffer.from(part))), 32))

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Plaintext as it should be: length, body, zeros up to a multiple of 256. */
function pad(body: Uint8Array, length = body.length): Buffer {
  const bytes = Buffer.alloc(Math.ceil((2 + body.length) / 256) * 256)
  bytes.writeUInt16BE(length)
  bytes.set(body, 2)
  return bytes
}

function seal(
  plaintext: Uint8Array,
  { version = 1, audience = 0, generation = 0, feed = alice.publicKey } = {}
): Buffer {
  const head = Buffer.concat([Uint8Array.of(version, audience), u32(generation), SALT])
  return Buffer.concat([head, encrypt(hkdf(KEY, SALT, 'comrade/sealed/1', feed), plaintext, head)])
}

function encrypt(key: Uint8Array, plaintext: Uint8Array, head?: Uint8Array): Buffer {
  const cipher = createCipheriv('chacha20-poly1305', key, Buffer.alloc(12), { authTagLength: 16 })
  if (head !== undefined) cipher.setAAD(head, { plaintextLength: plaintext.length })
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at < 0 ? copy.length + at : at] ^= 1
  return copy
}

interface SealedCase {
  name: string
  feed: string
  key: string
  sealed: string
  audience?: 'own' | 'friends'
  generation?: number
  body?: string
}

function opens(name: string, audience: 'own' | 'friends', generation: number, body: Buffer): SealedCase {
  const sealed = seal(pad(body), { audience: audience === 'own' ? 0 : 1, generation })
  return { ...closed(name, sealed), audience, generation, body: toHex(body) }
}

function closed(name: string, sealed: Uint8Array, feed = alice.publicKey): SealedCase {
  return { name, feed: toHex(feed), key: toHex(KEY), sealed: toHex(sealed) }
}

/** A post whose body has exactly this many bytes. */
function postOf(size: number): Buffer {
  const text = Buffer.alloc(size - (POST.length - 5) - (size > 320 ? 2 : 1), 'a')
  const length =
    text.length > 255 ? Buffer.from([0x79, text.length >> 8, text.length & 255]) : Buffer.from([0x78, text.length])
  const at = POST.indexOf('text') + 4
  return Buffer.concat([POST.subarray(0, at), length, text, POST.subarray(at + 6)])
}

const usual = seal(pad(POST))

export const sealedCases: SealedCase[] = [
  opens('a post for own devices', 'own', 0, POST),
  opens('a post for friends, of a later generation', 'friends', 7, POST),
  opens('a body that fills the padding', 'own', 0, postOf(254)),
  opens('a body that is one byte longer', 'own', 0, postOf(255)),
  closed('another feed', usual, bob.publicKey),
  closed('another version', seal(pad(POST), { version: 2 })),
  closed('an audience that is not known', seal(pad(POST), { audience: 2 })),
  closed('another generation in its head', changed(usual, 5)),
  closed('another salt', changed(usual, 6)),
  closed('a changed byte', changed(usual, 30)),
  closed('a changed tag', changed(usual, -1)),
  closed('a byte too few', usual.subarray(0, -1)),
  closed('nothing but a head', usual.subarray(0, 22)),
  closed('no bytes', usual.subarray(0, 0)),
  closed('a plaintext that is not padded', seal(pad(POST).subarray(0, 255))),
  closed('a length beyond the plaintext', seal(pad(POST, 60_000))),
  closed('a length that cuts the body', seal(pad(POST, POST.length - 1))),
  closed('a plaintext that is not a body', seal(pad(hex('a0'))))
]

export const selfKeyCases = [0, 1, 258].map((generation) => ({
  rootSeed: toHex(alice.seed),
  generation,
  key: toHex(hkdf(alice.seed, Buffer.alloc(0), 'comrade/self/1', u32(generation)))
}))

/** X25519 keys in DER (RFC 8410). */
const x25519Secret = (secret: Uint8Array): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([hex('302e020100300506032b656e04220420'), secret]),
    format: 'der',
    type: 'pkcs8'
  })

/** The X25519 form of an Ed25519 key: the first half of SHA-512 of its seed. */
const secretOf = (seed: Uint8Array): KeyObject =>
  x25519Secret(createHash('sha512').update(seed).digest().subarray(0, 32))

function box(generation: number): Buffer {
  const ephemeral = x25519Secret(Buffer.alloc(32, 9))
  const publicKey = createPublicKey(ephemeral).export({ format: 'der', type: 'spki' }).subarray(-32)
  const shared = diffieHellman({ privateKey: ephemeral, publicKey: createPublicKey(secretOf(bob.seed)) })
  const salt = Buffer.concat([publicKey, bob.publicKey])
  return Buffer.concat([publicKey, encrypt(hkdf(shared, salt, 'comrade/self/box/1', u32(generation)), KEY)])
}

const boxed = (name: string, generation: number, bytes: Uint8Array, key?: Uint8Array) => ({
  name,
  seed: toHex(bob.seed),
  device: toHex(bob.publicKey),
  generation,
  box: toHex(bytes),
  ...(key === undefined ? {} : { key: toHex(key) })
})

export const boxCases = [
  boxed('of the first generation', 0, box(0), KEY),
  boxed('of a later generation', 300, box(300), KEY),
  boxed('of another generation than it says', 1, box(0)),
  boxed('with a changed key', 0, changed(box(0), 0)),
  boxed('with a changed tag', 0, changed(box(0), -1)),
  boxed('with a key of small order', 0, Buffer.concat([Buffer.alloc(32), box(0).subarray(32)])),
  boxed('cut off', 0, box(0).subarray(0, -1))
]
