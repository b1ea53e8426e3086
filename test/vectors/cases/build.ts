// Builds entries for the vectors: a valid one, and each change that breaks a rule. Byte by byte and apart from the
// code under test, except for the signing itself.
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'

/** One vector as it stands in the files; bytes are hexadecimal. README.md explains each field. */
export interface Vector {
  name: string
  header: string
  body?: string
  signature?: string
  previous?: { feed: string; seq: number; id: string }
  valid: boolean
  error?: string
  id?: string
  rendered?: boolean
}

/** What differs from the usual entry: seq 1 of Alice's feed, a short post, signed by her. */
export interface Changes {
  version?: number
  flags?: number
  feed?: Uint8Array
  seq?: number
  time?: number
  prev?: Uint8Array
  bodyHash?: Uint8Array
  bodySize?: number
  /** null: erased or not sent. */
  body?: Uint8Array | null
  /** null: none. */
  signature?: Uint8Array | null | ((entry: { id: Buffer; header: Buffer }) => Uint8Array)
  previous?: { feed: Uint8Array; seq: number; id: Uint8Array }
  /** The header's bytes are these, whatever they should be. */
  header?: (header: Buffer) => Uint8Array
}

export interface Key {
  seed: Buffer
  publicKey: Buffer
  sign(message: Uint8Array): Buffer
}

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The key whose seed is 32 times this byte. */
export function key(byte: number): Key {
  const seed = Buffer.alloc(32, byte)
  const secret = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32)
  return { seed, publicKey, sign: (message) => sign(null, message, secret) }
}

export const alice = key(1)
export const bob = key(2)
/** 2026-01-01T00:00:00Z */
export const TIME = 1_767_225_600_000
export const DOMAIN = Buffer.from('comrade/entry/1\0')

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
export const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** The salt of all vectors: 00 01 … 0f. */
export const SALT = hex('000102030405060708090a0b0c0d0e0f')
/** CBOR of `salt` and its value, and of `type` and "test". */
export const SALT_PAIR = Buffer.concat([hex('64 73616c74 50'), SALT])
export const TYPE_PAIR = hex('64 74797065 64 74657374')
/** {salt, text: "hello", type: "post"} */
export const POST = Buffer.concat([
  hex('a3'),
  SALT_PAIR,
  hex('64 74657874 65 68656c6c6f'),
  hex('64 74797065 64 706f7374')
])

/** Body {x: <item>, salt, type: "test"}: the smallest frame around one item of CBOR. */
export function bodyWith(item: string | Uint8Array): Buffer {
  return Buffer.concat([hex('a3 61 78'), typeof item === 'string' ? hex(item) : item, SALT_PAIR, TYPE_PAIR])
}

/** Body of exactly the pairs given, as hexadecimal or bytes. */
export function bodyOf(count: number, ...parts: (string | Uint8Array)[]): Buffer {
  return Buffer.concat([
    Buffer.from([0xa0 + count]),
    ...parts.map((part) => (typeof part === 'string' ? hex(part) : part))
  ])
}

export function valid(name: string, changes: Changes = {}): Vector {
  return { ...build(name, changes), valid: true }
}

export function invalid(error: string, name: string, changes: Changes): Vector {
  const { id, ...rest } = build(name, changes)
  return { ...rest, valid: false, error, ...(id === undefined ? {} : { id }) }
}

/** A header with Alice's defaults, as bytes. */
export function headerOf(changes: Changes): Buffer {
  const body = changes.body ?? POST
  const header = Buffer.alloc(112)
  header[0] = changes.version ?? 1
  header[1] = changes.flags ?? 0
  header.set(changes.feed ?? alice.publicKey, 2)
  header.writeUInt32BE(changes.seq ?? 1, 34)
  header.writeUIntBE(changes.time ?? TIME, 38, 6)
  header.set(changes.prev ?? Buffer.alloc(32), 44)
  header.set(changes.bodyHash ?? sha256(body), 76)
  header.writeUInt32BE(changes.bodySize ?? body.length, 108)
  return header
}

function build(name: string, changes: Changes): Omit<Vector, 'valid'> {
  const laidOut = headerOf(changes)
  const header = changes.header === undefined ? laidOut : Buffer.from(changes.header(laidOut))
  const id = sha256(header)
  const signature = signatureFor(changes.signature, { id, header })
  const { previous } = changes
  return {
    name,
    header: toHex(header),
    ...(changes.body !== null && { body: toHex(changes.body ?? POST) }),
    ...(signature !== null && { signature: toHex(signature) }),
    ...(previous && { previous: { feed: toHex(previous.feed), seq: previous.seq, id: toHex(previous.id) } }),
    ...(header.length === 112 && { id: toHex(id) })
  }
}

function signatureFor(change: Changes['signature'], entry: { id: Buffer; header: Buffer }): Uint8Array | null {
  if (change === undefined) return alice.sign(Buffer.concat([DOMAIN, entry.id]))
  return typeof change === 'function' ? change(entry) : change
}
