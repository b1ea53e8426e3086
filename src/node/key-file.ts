// One secret key in a file: what is in it, how a passphrase wraps it, and that nobody else may read it.
//
// JSON of one object. `version` 1; `kind` root, device, peer, phrase or wrapping; then `seed` (32 bytes) or, under a passphrase,
// `nonce` (12 bytes) and `sealed` (seed ‖ tag, 48 bytes), or, for the root key of an identity that this device joined,
// only its `public` half (32 bytes); bytes are base64url. A `phrase` holds the entropy of the recovery phrase, as long as nobody
// has said that it was put by. Sealing is ChaCha20-Poly1305
// (RFC 8439) with "comrade/key/1\0" ‖ kind as associated data. All but the wrapping key are sealed under the wrapping
// key, which is random; the wrapping key under scrypt (RFC 7914) of the passphrase, with `n`, `r`, `p` and `salt` beside
// it. So a new passphrase replaces one file, and no crash can leave some keys under the old one.
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { closeSync, constants, fchmodSync, fstatSync, openSync, readFileSync } from 'node:fs'
import * as v from 'valibot'
import { NodeError } from './comrade.ts'
import { closeToOthers } from './home.ts'

export type KeyKind = 'root' | 'device' | 'peer' | 'phrase' | 'wrapping'

/** Cost of one guess of a passphrase: 128 × N × r = 128 MiB, about 0.4 s on a desktop and 2 s on a Raspberry Pi. */
export const SCRYPT = { n: 2 ** 17, r: 8, p: 1 } as const
/** A key file with a higher cost than this is refused, so that a planted one cannot exhaust the memory: 1 GiB. */
const MAX_SCRYPT_N = 2 ** 20
const AEAD = 'chacha20-poly1305'
const AEAD_DOMAIN = 'comrade/key/1\0'
const TAG_SIZE = 16
const AAD_OPTIONS = { plaintextLength: 32 } as const
const MAX_FILE_SIZE = 4_096

const bytes = (length: number) =>
  v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9_-]*$/),
    v.transform((text): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'))),
    v.check((value) => value.length === length, `expected ${length} bytes`)
  )
const common = { version: v.literal(1), kind: v.picklist(['root', 'device', 'peer', 'phrase', 'wrapping']) }
const PlainSchema = v.strictObject({ ...common, seed: bytes(32) })
const PublicSchema = v.strictObject({ ...common, kind: v.literal('root'), public: bytes(32) })
const SealedSchema = v.strictObject({ ...common, nonce: bytes(12), sealed: bytes(32 + TAG_SIZE) })
const WrappingSchema = v.strictObject({
  ...common,
  n: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(2),
    v.maxValue(MAX_SCRYPT_N),
    v.check((n) => Number.isInteger(Math.log2(n)), 'expected a power of two')
  ),
  r: v.literal(SCRYPT.r),
  p: v.literal(SCRYPT.p),
  salt: bytes(16),
  nonce: bytes(12),
  sealed: bytes(32 + TAG_SIZE)
})
const KeyFileSchema = v.union([PlainSchema, PublicSchema, SealedSchema, WrappingSchema])

/** A decoded key file; nobody has opened what is sealed in it. */
export type KeyFile = v.InferOutput<typeof KeyFileSchema>
/** Says whose the device is; there is nothing secret in it. */
export type PublicFile = v.InferOutput<typeof PublicSchema>

/** The file's content for a key that no passphrase protects. */
export function plainKey(kind: KeyKind, seed: Uint8Array): string {
  return encode({ version: 1, kind, seed })
}

/** The file's content for a root key that this device does not hold. */
export function publicKey(key: Uint8Array): string {
  return encode({ version: 1, kind: 'root', public: key })
}

/** The file's content for a key under the wrapping key. */
export function sealedKey(kind: KeyKind, seed: Uint8Array, wrappingKey: Uint8Array): string {
  return encode({ version: 1, kind, ...seal(kind, seed, wrappingKey) })
}

/**
 * The file's content for the wrapping key under a passphrase.
 * @param n scrypt's cost @default 2^17
 */
export async function wrappedKey(wrappingKey: Uint8Array, passphrase: string, n: number = SCRYPT.n): Promise<string> {
  const salt = randomBytes(16)
  const key = await derive(passphrase, salt, n)
  return encode({ version: 1, kind: 'wrapping', ...SCRYPT, n, salt, ...seal('wrapping', wrappingKey, key) })
}

/**
 * The wrapping key that a passphrase opens.
 * @throws NodeError LOCKED when the passphrase is wrong
 */
export async function openWrappedKey(file: KeyFile, passphrase: string): Promise<Uint8Array> {
  if (!('salt' in file))
    throw new NodeError('FAILED', 'expected a wrapping key under a passphrase, found another kind of key file')
  const seed = open(file, await derive(passphrase, file.salt, file.n))
  if (seed === undefined) throw new NodeError('LOCKED', 'the passphrase is wrong')
  return seed
}

/**
 * The seed in a key file.
 * @throws NodeError LOCKED when it is sealed and no wrapping key is given, FAILED when it was tampered with
 */
export function openKey(file: Exclude<KeyFile, PublicFile>, wrappingKey: Uint8Array | undefined): Uint8Array {
  if ('seed' in file) return file.seed
  if (wrappingKey === undefined)
    throw new NodeError('LOCKED', 'the keys are protected by a passphrase, and none was given')
  const seed = open(file, wrappingKey)
  if (seed === undefined)
    throw new NodeError(
      'FAILED',
      `the ${file.kind} key does not belong to the other keys, or was damaged: restore keys/ from one backup`
    )
  return seed
}

/**
 * Reads a key file, after closing it to others.
 * @returns undefined when there is none
 * @throws NodeError KEYS_EXPOSED when others could read it and it cannot be closed, or it is a link;
 *   FAILED when it is damaged (the message holds nothing of its content)
 */
export function readKeyFile(path: string, kind: KeyKind): KeyFile | undefined {
  const text = readPrivate(path)
  if (text === undefined) return undefined
  const parsed = v.safeParse(KeyFileSchema, parse(text))
  if (!parsed.success || parsed.output.kind !== kind || 'salt' in parsed.output !== (kind === 'wrapping')) {
    throw new NodeError(
      'FAILED',
      `${path} is not a ${kind} key file of version 1, or is damaged: restore keys/ from a backup`
    )
  }
  return parsed.output
}

/** The open descriptor is what is checked, closed to others and read: nothing can be swapped in between. */
function readPrivate(path: string): string | undefined {
  const file = openPrivate(path)
  if (file === undefined) return undefined
  try {
    const stat = fstatSync(file)
    if (!stat.isFile() || stat.size > MAX_FILE_SIZE)
      throw new NodeError('FAILED', `expected a key file of at most ${MAX_FILE_SIZE} bytes at ${path}`)
    closeToOthers(
      path,
      0o600,
      () => fstatSync(file),
      (mode) => fchmodSync(file, mode)
    )
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function openPrivate(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP')
      throw new NodeError('KEYS_EXPOSED', `${path} is a link: a key must be in keys/ itself`, { cause: error })
    if (code === 'EACCES')
      throw new NodeError('KEYS_EXPOSED', `${path} cannot be read by this user: run as its owner`, { cause: error })
    throw new NodeError('FAILED', `${path} cannot be read: ${message}`, { cause: error })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the parser's message could quote a secret
  }
}

function encode(file: Record<string, string | number | Uint8Array>): string {
  const fields = Object.entries(file).map(([key, value]) => [
    key,
    value instanceof Uint8Array ? Buffer.from(value).toString('base64url') : value
  ])
  return `${JSON.stringify(Object.fromEntries(fields))}\n`
}

function derive(passphrase: string, salt: Uint8Array, n: number): Promise<Buffer> {
  const { r, p } = SCRYPT
  return new Promise((resolve, reject) => {
    const maxmem = 2 * 128 * n * r
    scrypt(passphrase.normalize('NFKC'), salt, 32, { N: n, r, p, maxmem }, (error, key) =>
      error === null ? resolve(key) : reject(error)
    )
  })
}

function seal(kind: KeyKind, seed: Uint8Array, key: Uint8Array): { nonce: Uint8Array; sealed: Uint8Array } {
  const nonce = randomBytes(12)
  const cipher = createCipheriv(AEAD, key, nonce, { authTagLength: TAG_SIZE }).setAAD(
    Buffer.from(AEAD_DOMAIN + kind),
    AAD_OPTIONS
  )
  const sealed = Buffer.concat([cipher.update(seed), cipher.final(), cipher.getAuthTag()])
  return { nonce, sealed }
}

/** undefined when the key does not fit. */
function open(file: { kind: KeyKind; nonce: Uint8Array; sealed: Uint8Array }, key: Uint8Array): Uint8Array | undefined {
  const decipher = createDecipheriv(AEAD, key, file.nonce, { authTagLength: TAG_SIZE })
  decipher.setAAD(Buffer.from(AEAD_DOMAIN + file.kind), AAD_OPTIONS).setAuthTag(file.sealed.subarray(32))
  try {
    return new Uint8Array(Buffer.concat([decipher.update(file.sealed.subarray(0, 32)), decipher.final()]))
  } catch {
    return undefined // wrong key
  }
}
