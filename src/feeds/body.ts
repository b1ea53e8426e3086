// An entry's body: a map in strict DAG-CBOR with a type and a salt. Whatever else is in it is kept and relayed.
import { randomFillSync } from 'node:crypto'
import * as v from 'valibot'
import { bodySchemas, type KnownBody } from './body-schemas.ts'
import { decodeChecked, encode } from './cbor.ts'
import { checkCanonical } from './cbor-scan.ts'
import { FeedError } from './errors.ts'

export type { Contact, DeviceAdd, DeviceRevoke, Erase, KnownBody, Post, Profile, Reaction } from './body-schemas.ts'

/** Largest body in bytes. */
export const MAX_BODY_SIZE = 65_536
/** Bytes of randomness in every body, so that an erased "like" cannot be guessed from its hash. */
export const SALT_SIZE = 16
/** Longest name of a body type, in bytes of UTF-8. */
export const MAX_TYPE_SIZE = 64

/** Any body, of a known type or not. Values as cbor.ts reads and writes them. */
export interface Body {
  type: string
  /** 16 bytes; added by {@link encodeBody} when absent. */
  salt?: Uint8Array
  [key: string]: unknown
}

/**
 * Rule 16 of an entry's validity: canonical DAG-CBOR, a map, with `type` (text of 1 to 64 bytes) and `salt` (16
 * bytes) among its keys. Nothing is decoded.
 * @throws FeedError CBOR_* first, then BODY_NOT_MAP, BODY_TYPE, BODY_SALT in this order
 */
export function checkBody(bytes: Uint8Array): void {
  scanned = bytes
  hasType = hasSalt = false
  checkCanonical(bytes, noteKey)
  if (bytes[0] >> 5 !== 5) throw new FeedError('BODY_NOT_MAP', 'a body is a map')
  if (!hasType) throw new FeedError('BODY_TYPE', `a body has a type: text of 1 to ${MAX_TYPE_SIZE} bytes`)
  if (!hasSalt) throw new FeedError('BODY_SALT', `a body has a salt: ${SALT_SIZE} bytes`)
}

// What checkBody has seen so far. Kept here so that the scan's callback is made once and not for each body.
let scanned: Uint8Array = new Uint8Array()
let hasType = false
let hasSalt = false

/** Looks at the head of a value that follows the key `type` or `salt`; the scan goes on to check that it is whole. */
function noteKey(keyStart: number, keyLength: number, valueStart: number): void {
  if (keyLength !== 4) return
  const key =
    (scanned[keyStart] << 24) | (scanned[keyStart + 1] << 16) | (scanned[keyStart + 2] << 8) | scanned[keyStart + 3]
  const head = scanned[valueStart]
  if (key === 0x74797065)
    hasType = (head > 0x60 && head < 0x78) || (head === 0x78 && scanned[valueStart + 1] <= MAX_TYPE_SIZE)
  else if (key === 0x73616c74) hasSalt = head === 0x50
}

/**
 * Reads a body. Never fails for bytes that checkBody has accepted, and those of a valid entry are.
 * @throws FeedError as {@link checkBody}
 */
export function decodeBody(bytes: Uint8Array): Body {
  checkBody(bytes)
  return decodeChecked(bytes) as Body
}

/**
 * Writes a body, with 16 random bytes of salt when it has none. One of a known type must match its schema.
 * @throws FeedError BODY_SCHEMA (the message names the field), BODY_TYPE, BODY_SALT, BODY_TOO_LARGE (over 64 KiB), or
 * CBOR_* for a value without a form in DAG-CBOR
 */
export function encodeBody(body: Body): Uint8Array {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new FeedError('BODY_NOT_MAP', `a body is an object, found ${describe(body)}`)
  }
  if (!isPlainPost(body)) checkSchema(body)
  const bytes = encode(body.salt === undefined ? { ...body, salt: randomSalt() } : body)
  if (bytes.length > MAX_BODY_SIZE) {
    throw new FeedError(
      'BODY_TOO_LARGE',
      `a body has at most ${MAX_BODY_SIZE} bytes, this one would have ${bytes.length}`
    )
  }
  checkBody(bytes)
  return bytes
}

/** The schema of a body type that this program understands; undefined for any other. */
export function schemaOf(type: string): v.GenericSchema<KnownBody> | undefined {
  return bodySchemas.get(type)
}

/** Whether a body is of a known type and matches its schema. */
export function isKnownBody(body: Body): body is Body & KnownBody {
  return renderable(body) !== undefined
}

/** The body, typed, when it is of a known type and matches its schema; else it is to be relayed and not shown. */
export function renderable(body: Body): KnownBody | undefined {
  const schema = bodySchemas.get(body.type)
  const candidate: unknown = body
  return schema !== undefined && v.is(schema, candidate) ? candidate : undefined
}

/** The usual post, which needs no walk through the schema: type and text, perhaps a salt. */
function isPlainPost(body: Body): boolean {
  if (body.type !== 'post' || typeof body.text !== 'string' || body.salt !== undefined) return false
  for (const key in body) if (key !== 'type' && key !== 'text') return false
  return true
}

function checkSchema(body: Body): void {
  const schema = bodySchemas.get(body.type)
  if (schema === undefined) return
  const result = v.safeParse(schema, body, { abortEarly: true })
  if (result.success) return
  const issue = result.issues[0]
  const field = v.getDotPath(issue) ?? 'the body'
  const expected = issue.type === 'loose_object' ? 'there' : issue.message
  throw new FeedError('BODY_SCHEMA', `${body.type}: ${field} should be ${expected}, found ${describe(issue.input)}`)
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 64))
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return `${value}`
  if (value === null || value === undefined) return value === null ? 'null' : 'nothing'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

const SALT_POOL_SIZE = 4_096
const saltPool = Buffer.alloc(SALT_POOL_SIZE)
let saltsUsed = SALT_POOL_SIZE

/** Randomness is fetched 256 salts at a time: a call for each would cost more than the rest of the encoding. */
function randomSalt(): Uint8Array {
  if (saltsUsed === SALT_POOL_SIZE) {
    randomFillSync(saltPool)
    saltsUsed = 0
  }
  saltsUsed += SALT_SIZE
  return saltPool.subarray(saltsUsed - SALT_SIZE, saltsUsed)
}
