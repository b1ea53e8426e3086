// The form that bytes must have to be read as DAG-CBOR: one pass over them, before anything is allocated or decoded.
// One value has exactly one encoding here, so that a hash names a value and no two programs read two things.
import { isUtf8 } from 'node:buffer'
import { FeedError, type FeedErrorCode } from './errors.ts'

/** How deep arrays and maps may nest; the outermost is at depth 1. A link adds no depth. */
export const MAX_DEPTH = 16
/** How many items a value may have: itself, each element, each key and each value of a map. A link counts once. */
export const MAX_ITEMS = 4_096

const MAJOR = { uint: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const
const LINK_TAG = 42
/** From this many bytes on, the native check of UTF-8 is faster than the loop over ASCII. */
const NATIVE_UTF8_FROM = 48

/** Where a key of the outermost map stands, and where its value begins (perhaps past the end: not checked yet). */
export type TopLevelKey = (keyStart: number, keyLength: number, valueStart: number) => void

// The scan's place and its open containers. It is synchronous and never calls itself, so one set serves all calls.
let at = 0
const openLeft = new Int32Array(MAX_DEPTH + 1)
const openKeyStart = new Int32Array(MAX_DEPTH + 1)
const openKeyLength = new Int32Array(MAX_DEPTH + 1)
/** In place of a key's start: an array, and a map before its first key. */
const NO_MAP = -2
const NO_KEY = -1

/**
 * Accepts exactly one item of canonical DAG-CBOR that fills `bytes`, within {@link MAX_DEPTH} and {@link MAX_ITEMS}.
 * Integers have the full 64-bit range; there are no floats, no tags but 42 (a CID), no simple values but false, true
 * and null; map keys are text, shortest first, then by their bytes. (IPLD's DAG-CBOR specification, without floats.)
 *
 * @param topLevel is called for each key of the outermost map, in their order
 * @throws FeedError CBOR_* for the first offence in the order of the bytes
 */
export function checkCanonical(bytes: Uint8Array, topLevel?: TopLevelKey): void {
  at = 0
  let depth = 0
  let items = 0
  let left = 1 // items until the innermost container ends; a map has two for each key
  let keyStart = NO_MAP // the last key of the innermost map
  let keyLength = 0
  for (;;) {
    while (left === 0) {
      if (depth === 0) return checkEnd(bytes)
      depth--
      left = openLeft[depth]
      keyStart = openKeyStart[depth]
      keyLength = openKeyLength[depth]
    }
    if (++items > MAX_ITEMS) throw fail('CBOR_ITEMS', at, `more than ${MAX_ITEMS} items`)
    const isKey = keyStart !== NO_MAP && (left & 1) === 0
    left--
    const head = byteAt(bytes)
    const major = head >> 5
    if (isKey) {
      if (major !== MAJOR.text) throw fail('CBOR_KEY_TYPE', at - 1, 'a map key that is not text')
      const length = readLength(bytes, head)
      if (keyStart !== NO_KEY) checkKeyOrder(bytes, keyStart, keyLength, at, length)
      checkText(bytes, at, at + length)
      keyStart = at
      keyLength = length
      at += length
      if (depth === 1 && topLevel !== undefined) topLevel(keyStart, keyLength, at)
    } else if (major === MAJOR.text) {
      const length = readLength(bytes, head)
      checkText(bytes, at, at + length)
      at += length
    } else if (major === MAJOR.bytes) {
      const length = readLength(bytes, head)
      at += length
    } else if (major === MAJOR.array || major === MAJOR.map) {
      if (depth === MAX_DEPTH) throw fail('CBOR_DEPTH', at - 1, `more than ${MAX_DEPTH} nested arrays and maps`)
      openLeft[depth] = left
      openKeyStart[depth] = keyStart
      openKeyLength[depth] = keyLength
      depth++
      left = readCount(bytes, head, major === MAJOR.map ? 2 : 1)
      keyStart = major === MAJOR.map ? NO_KEY : NO_MAP
    } else if (major === MAJOR.simple) {
      checkSimple(head)
    } else if (major === MAJOR.tag) {
      checkLink(bytes, head)
    } else if ((head & 31) > 23) {
      readArgument(bytes, head)
    }
  }
}

function checkEnd(bytes: Uint8Array): void {
  if (at !== bytes.length) throw fail('CBOR_TRAILING', at, `${bytes.length - at} bytes after the end of the item`)
}

function byteAt(bytes: Uint8Array): number {
  if (at >= bytes.length) throw fail('CBOR_TRUNCATED', at, 'an item is missing')
  return bytes[at++]
}

/** The number that follows an item's head (RFC 8949, 3), exact below 2^53 and above it never smaller than 2^53. */
function readArgument(bytes: Uint8Array, head: number): number {
  const info = head & 31
  if (info < 24) return info
  if (info === 31) throw fail('CBOR_INDEFINITE', at - 1, 'an indefinite length')
  if (info > 27) throw fail('CBOR_NON_MINIMAL', at - 1, 'a length in none of the defined forms')
  const size = 1 << (info - 24)
  if (at + size > bytes.length) throw fail('CBOR_TRUNCATED', at, `${size} bytes of a number are missing`)
  let value = 0
  for (const end = at + size; at < end; at++) value = value * 256 + bytes[at]
  if (value < (size === 1 ? 24 : 2 ** (size * 4))) {
    throw fail('CBOR_NON_MINIMAL', at - size - 1, `${value} in ${size} bytes: not the shortest form`)
  }
  return value
}

/** Length of a text or byte string, all of which is there. */
function readLength(bytes: Uint8Array, head: number): number {
  return readCount(bytes, head, 1)
}

/** `perUnit` times the number in the head; as many bytes at least must follow, so no promise costs memory or time. */
function readCount(bytes: Uint8Array, head: number, perUnit: number): number {
  const count = readArgument(bytes, head) * perUnit
  if (count > bytes.length - at) {
    throw fail('CBOR_TRUNCATED', at, `at least ${count} bytes must follow, ${bytes.length - at} do`)
  }
  return count
}

function checkText(bytes: Uint8Array, start: number, end: number): void {
  if (end - start < NATIVE_UTF8_FROM) {
    let i = start
    while (i < end && bytes[i] < 0x80) i++
    if (i === end) return
  }
  if (!isUtf8(bytes.subarray(start, end))) throw fail('CBOR_UTF8', start, 'text that is not valid UTF-8')
}

/** The shorter key first; among keys of one length, the one with the lower bytes. */
function checkKeyOrder(bytes: Uint8Array, start: number, length: number, nextStart: number, nextLength: number): void {
  if (nextLength > length) return
  if (nextLength === length) {
    for (let i = 0; i < length; i++) {
      const difference = bytes[nextStart + i] - bytes[start + i]
      if (difference > 0) return
      if (difference < 0) throw fail('CBOR_KEY_ORDER', nextStart, 'a map key after a greater one')
    }
    throw fail('CBOR_DUPLICATE_KEY', nextStart, 'a map key for the second time')
  }
  throw fail('CBOR_KEY_ORDER', nextStart, 'a map key after a longer one')
}

function checkSimple(head: number): void {
  const info = head & 31
  if (info >= 20 && info <= 22) return
  if (info >= 25 && info <= 27) throw fail('CBOR_FLOAT', at - 1, 'a floating-point number')
  if (info === 31) throw fail('CBOR_INDEFINITE', at - 1, 'the end of an indefinite length')
  throw fail('CBOR_SIMPLE', at - 1, 'a simple value other than false, true and null')
}

/** Tag 42 around a byte string: zero, then a binary CID. */
function checkLink(bytes: Uint8Array, head: number): void {
  const tagAt = at - 1
  const tag = readArgument(bytes, head)
  if (tag !== LINK_TAG) throw fail('CBOR_TAG', tagAt, `tag ${tag}: only 42, a link, is defined`)
  const content = byteAt(bytes)
  if (content >> 5 !== MAJOR.bytes) throw fail('CBOR_TAG', tagAt, 'a link that is not a byte string')
  const length = readLength(bytes, content)
  const end = at + length
  if (bytes[at] !== 0 || !isCid(bytes, at + 1, end)) {
    throw fail('CBOR_TAG', tagAt, 'a link that is not a zero byte and a binary CID')
  }
  at = end
}

/** CIDv0 (a bare sha256 multihash), or 1, codec, hash function, digest length, digest, with minimal varints. */
function isCid(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] === 0x12) return end - start === 34 && bytes[start + 1] === 32
  if (bytes[start] !== 1) return false
  const codecEnd = varintEnd(bytes, start + 1, end)
  const hashEnd = varintEnd(bytes, codecEnd, end)
  const lengthEnd = varintEnd(bytes, hashEnd, end)
  let length = 0
  for (let i = lengthEnd - 1; i >= hashEnd; i--) length = length * 128 + (bytes[i] & 0x7f)
  return lengthEnd + length === end
}

/** Longest varint in a CID, in bytes: 49 bits, so that every program can hold it in a double. */
const MAX_VARINT_SIZE = 7

/** Where the varint at `start` ends; beyond `end`, so that no sum comes out, when it is cut off, too long or not minimal. */
function varintEnd(bytes: Uint8Array, start: number, end: number): number {
  const limit = Math.min(end, start + MAX_VARINT_SIZE)
  for (let i = start; i < limit; i++) {
    if (bytes[i] < 0x80) return bytes[i] === 0 && i > start ? end + 1 : i + 1
  }
  return end + 1
}

function fail(code: FeedErrorCode, offset: number, what: string): FeedError {
  return new FeedError(code, `not canonical DAG-CBOR: ${what} (byte ${offset})`)
}
