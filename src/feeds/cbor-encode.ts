// Values to canonical DAG-CBOR in one pass, which refuses what has no exact form there and says where it stands.
// Not @ipld/dag-cbor's encoder (the tests compare with it): that one takes any map whose "/" equals its "bytes" for a
// link, so that a stranger's valid body could not be written again, and it writes a lone surrogate as U+FFFD.
import { CID } from 'multiformats/cid'
import { MAX_DEPTH, MAX_ITEMS } from './cbor-scan.ts'
import { FeedError, type FeedErrorCode } from './errors.ts'

const MAJOR = { uint: 0x00, negative: 0x20, bytes: 0x40, text: 0x60, array: 0x80, map: 0xa0 } as const
const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6
const LINK_HEAD = [0xd8, 42] // tag 42
const BUFFER_SIZE = 131_072
/** Longest head: a tag's two bytes, one byte and a 64-bit number. */
const HEAD_SIZE = 11
/** Texts of fewer code units are written by a loop while they are ASCII: faster than the native encoder. */
const SHORT_TEXT = 24

// What is being written, and where. Encoding is synchronous, so one buffer serves all calls.
let buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE)
let at = 0
let items = 0
/** The key or index at each depth, for the message of an error. */
const place: (string | number)[] = []
let depth = 0

/**
 * Writes one value: null, booleans, integers (bigint beyond the safe ones), text, Uint8Array, CID, arrays and plain
 * objects, within the limits of checkCanonical.
 * @throws FeedError CBOR_FLOAT, CBOR_UTF8 (a lone surrogate), CBOR_DEPTH, CBOR_ITEMS, or CBOR_SIMPLE for what has no
 * form in DAG-CBOR (undefined, functions, dates, …); the message says where in the value it stands
 */
export function encode(value: unknown): Uint8Array {
  at = 0
  items = 0
  depth = 0
  write(value)
  const bytes = Buffer.allocUnsafe(at) // from Node's pool, which costs a tenth of a small allocation of its own
  buffer.copy(bytes, 0, 0, at)
  if (buffer.length > BUFFER_SIZE) buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE)
  return new Uint8Array(bytes.buffer, bytes.byteOffset, at)
}

function write(value: unknown): void {
  if (++items > MAX_ITEMS) throw refuse('CBOR_ITEMS', `item ${items} of at most ${MAX_ITEMS}`)
  reserve(HEAD_SIZE)
  if (typeof value === 'string') writeText(value)
  else if (typeof value === 'number' || typeof value === 'bigint') writeInteger(value)
  else if (value === null) buffer[at++] = NULL
  else if (typeof value === 'boolean') buffer[at++] = value ? TRUE : FALSE
  else if (value instanceof Uint8Array) writeBytes(value)
  else if (value instanceof CID) writeLink(value)
  else if (typeof value === 'object') writeContainer(value)
  else throw refuse('CBOR_SIMPLE', `${typeof value}, which has no form there`)
}

function writeContainer(value: object): void {
  if (depth === MAX_DEPTH) throw refuse('CBOR_DEPTH', `nested deeper than ${MAX_DEPTH} arrays and objects`)
  if (Array.isArray(value)) writeArray(value)
  else if (isPlain(value)) writeMap(value)
  else throw refuse('CBOR_SIMPLE', `an object of class ${value.constructor?.name}, which has no form there`)
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function writeArray(values: unknown[]): void {
  writeHead(MAJOR.array, values.length)
  depth++
  for (let i = 0; i < values.length; i++) {
    place[depth - 1] = i
    write(values[i])
  }
  depth--
}

function writeMap(map: Record<string, unknown>): void {
  const keys = Object.keys(map)
  if (keys.length > 1) keys.sort(compareKeys)
  writeHead(MAJOR.map, keys.length)
  items += keys.length
  depth++
  for (const key of keys) {
    place[depth - 1] = key
    reserve(HEAD_SIZE)
    writeText(key)
    write(map[key])
  }
  depth--
}

/** The shorter one in UTF-8 first; among those of one length, by their bytes, which is by their code points. */
function compareKeys(a: string, b: string): number {
  const difference = utf8Size(a) - utf8Size(b)
  if (difference !== 0) return difference
  let i = 0
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++
  return codePointOrder(a.charCodeAt(i)) - codePointOrder(b.charCodeAt(i))
}

function utf8Size(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text)
  return text.length
}

/** Moves the surrogates of UTF-16 above the rest, where the code points that they stand for belong. */
function codePointOrder(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

function writeText(text: string): void {
  if (text.length < SHORT_TEXT && writeShortAscii(text)) return
  if (!text.isWellFormed()) throw refuse('CBOR_UTF8', 'text with a lone surrogate, which UTF-8 cannot hold')
  const size = Buffer.byteLength(text)
  writeHead(MAJOR.text, size)
  reserve(size)
  at += buffer.write(text, at, size, 'utf8')
}

/** Writes head and text unless there is a character beyond ASCII; then what follows overwrites it. */
function writeShortAscii(text: string): boolean {
  reserve(HEAD_SIZE + SHORT_TEXT)
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return false
    buffer[at + 1 + i] = unit
  }
  buffer[at] = MAJOR.text | text.length // SHORT_TEXT keeps the length within the head's own five bits
  at += 1 + text.length
  return true
}

function writeBytes(bytes: Uint8Array): void {
  writeHead(MAJOR.bytes, bytes.length)
  reserve(bytes.length)
  buffer.set(bytes, at)
  at += bytes.length
}

function writeLink(cid: CID): void {
  buffer.set(LINK_HEAD, at)
  at += LINK_HEAD.length
  writeHead(MAJOR.bytes, cid.bytes.length + 1)
  reserve(cid.bytes.length + 1)
  buffer[at++] = 0
  buffer.set(cid.bytes, at)
  at += cid.bytes.length
}

function writeInteger(value: number | bigint): void {
  if (typeof value === 'bigint') return writeBigint(value)
  if (!Number.isSafeInteger(value)) {
    throw refuse('CBOR_FLOAT', `${value}: not a safe integer (there are no floats; larger integers are bigints)`)
  }
  if (value < 0) writeHead(MAJOR.negative, -1 - value)
  else writeHead(MAJOR.uint, value)
}

function writeBigint(value: bigint): void {
  const argument = value < 0n ? -1n - value : value
  if (argument >= 2n ** 64n) throw refuse('CBOR_SIMPLE', `${value}, an integer of more than 64 bits`)
  const major = value < 0n ? MAJOR.negative : MAJOR.uint
  if (argument <= Number.MAX_SAFE_INTEGER) return writeHead(major, Number(argument))
  buffer[at] = major | 27
  buffer.writeBigUInt64BE(argument, at + 1)
  at += 9
}

/** An item's head in its shortest form (RFC 8949, 3). Room for it is there already. */
function writeHead(major: number, argument: number): void {
  if (argument < 24) {
    buffer[at++] = major | argument
  } else if (argument < 2 ** 8) {
    buffer[at++] = major | 24
    buffer[at++] = argument
  } else if (argument < 2 ** 16) {
    buffer[at++] = major | 25
    at = buffer.writeUInt16BE(argument, at)
  } else if (argument < 2 ** 32) {
    buffer[at++] = major | 26
    at = buffer.writeUInt32BE(argument, at)
  } else {
    buffer[at++] = major | 27
    at = buffer.writeUInt32BE(Math.floor(argument / 2 ** 32), at)
    at = buffer.writeUInt32BE(argument % 2 ** 32, at)
  }
}

function reserve(size: number): void {
  if (at + size <= buffer.length) return
  const larger = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, at + size))
  larger.set(buffer.subarray(0, at))
  buffer = larger
}

function refuse(code: FeedErrorCode, what: string): FeedError {
  const path = place.slice(0, depth).map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
  return new FeedError(
    code,
    `cannot be written as DAG-CBOR: ${path.join('').replace(/^\./, '') || 'the value'} is ${what}`
  )
}
