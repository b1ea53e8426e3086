// The strict form of DAG-CBOR: against an encoder and decoder by others, and against bytes that mean harm.
import assert from 'node:assert/strict'
import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { checkCanonical, decode, encode, MAX_DEPTH, MAX_ITEMS } from '../../src/feeds/cbor.ts'
import { FeedError, type FeedErrorCode } from '../../src/feeds/errors.ts'

const BYTE_ORDER_MARK = '\ufeff'
const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const refuses =
  (code: FeedErrorCode, message = /./) =>
  (error: unknown) =>
    error instanceof FeedError && error.code === code && message.test(error.message)

const cids = fc
  .record({
    codec: fc.constantFrom(0x55, 0x71, 0x0129, 0x300000),
    hash: fc.constantFrom(0, 0x12, 0x1e),
    digest: fc.uint8Array({ maxLength: 40 })
  })
  .map(({ codec, hash, digest }) => CID.createV1(codec, createDigest(hash, digest)))
const bigints = fc.oneof(
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: -(2n ** 64n), max: -(2n ** 53n) })
)
const keys = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('__proto__', '', 'constructor', '/', 'bytes', '￿a', '𐀀')
)
const { value: values } = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger().map((n) => n + 0), // no -0, which has no form of its own
    bigints,
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.uint8Array({ maxLength: 300 }),
    cids
  ),
  array: fc.array(tie('value'), { maxLength: 6 }),
  map: fc.array(fc.tuple(keys, tie('value')), { maxLength: 6 }).map((pairs) => Object.fromEntries(pairs)),
  value: fc.oneof({ depthSize: 'small', maxDepth: MAX_DEPTH - 1 }, tie('leaf'), tie('array'), tie('map'))
}))

/** What the scan's comment promises, said with other people's code. */
function isCanonical(bytes: Uint8Array): boolean {
  try {
    const value: unknown = dagCbor.decode(bytes)
    return Buffer.compare(dagCbor.encode(value), bytes) === 0 && isWithinLimits(value)
  } catch {
    return false
  }
}

function isWithinLimits(value: unknown, depth = 0): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value)
  const cid = CID.asCID(value)
  if (cid !== null)
    return cid.version === 0 ? cid.bytes.length === 34 : cid.code < 2 ** 49 && cid.multihash.code < 2 ** 49
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true
  return depth < MAX_DEPTH && Object.values(value).every((member) => isWithinLimits(member, depth + 1))
}

/** Where dag-cbor itself errs: it drops byte order marks, and takes some maps for links. */
function isBeyondDagCbor(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes)
  return text.includes(BYTE_ORDER_MARK) || (text.includes('\x61/') && text.includes('\x65bytes'))
}

function accepts(bytes: Uint8Array): boolean {
  try {
    checkCanonical(bytes)
    return true
  } catch (error) {
    assert.ok(error instanceof FeedError && error.code.startsWith('CBOR_'), String(error))
    return false
  }
}

/** Changes that leave most of an encoding whole. */
const mutations = fc.record({
  at: fc.nat(),
  to: fc.nat(255),
  kind: fc.constantFrom('set', 'insert', 'remove', 'cut', 'swap', 'bit')
})
type Mutation = typeof mutations extends fc.Arbitrary<infer T> ? T : never

function mutate(bytes: Uint8Array, { at, to, kind }: Mutation): Uint8Array {
  const list = [...bytes]
  const place = at % list.length
  if (kind === 'set') list[place] = to
  else if (kind === 'bit') list[place] ^= 1 << (to & 7)
  else if (kind === 'insert') list.splice(place, 0, to)
  else if (kind === 'remove') list.splice(place, 1)
  else if (kind === 'cut') list.length = place
  else [list[place], list[to % list.length]] = [list[to % list.length], list[place]]
  return new Uint8Array(list)
}

describe('cbor', () => {
  it('reads what it wrote, whatever the value', () => {
    fc.assert(fc.property(values, (value) => assert.deepEqual(decode(encode(value)), value)))
  })

  it('writes the bytes that dag-cbor writes', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encode(value)
        if (!isBeyondDagCbor(bytes)) assert.deepEqual(bytes, new Uint8Array(dagCbor.encode(value)))
      })
    )
  })

  it('accepts exactly what dag-cbor reads and writes again, within the limits', () => {
    const count = { accepted: 0, refused: 0 }
    fc.assert(
      fc.property(values, fc.array(mutations, { minLength: 1, maxLength: 3 }), (value, changes) => {
        const bytes = changes.reduce(
          (before, change) => (before.length === 0 ? before : mutate(before, change)),
          encode(value)
        )
        if (isBeyondDagCbor(bytes)) return
        const accepted = accepts(bytes)
        count[accepted ? 'accepted' : 'refused']++
        assert.equal(accepted, isCanonical(bytes), Buffer.from(bytes).toString('hex'))
      }),
      { numRuns: 2_000 }
    )
    assert.ok(count.accepted > 50 && count.refused > 50, 'the changes are neither all harmless nor all fatal')
  })

  it('refuses random bytes with its own error, or reads them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        if (accepts(bytes)) assert.deepEqual(encode(decode(bytes)), bytes)
        else assert.throws(() => decode(bytes), FeedError)
      }),
      { numRuns: 2_000 }
    )
  })

  it('reads whatever the scan accepts, also where dag-cbor does not', () => {
    for (const bytes of [
      'a2 612f 6178 656279746573 6178',
      '64 efbbbf61',
      'a1 64 efbbbf61 64 efbbbf61',
      'a2 6161 00 64 efbbbf61 01'
    ]) {
      assert.deepEqual(encode(decode(hex(bytes))), hex(bytes))
    }
  })

  it('leaves prototypes alone when __proto__ is a key', () => {
    const value = decode(hex('a1 69 5f5f70726f746f5f5f a1 65 61646d696e f5')) as Record<string, unknown>
    assert.deepEqual(Object.keys(value), ['__proto__'])
    assert.equal(Object.getPrototypeOf(value), Object.prototype)
    assert.equal(value.admin, undefined)
    assert.equal(({} as Record<string, unknown>).admin, undefined)
  })

  it('returns nothing that changes with the bytes it was read from', () => {
    const bytes = hex('82 42 0102 d82a 45 00 01550000')
    const [data, cid] = decode(bytes) as [Uint8Array, CID]
    bytes.fill(0xff)
    assert.deepEqual(data, hex('0102'))
    assert.deepEqual(cid.bytes, hex('01550000'))
  })

  it('returns bytes that later calls leave alone', () => {
    const first = encode('first')
    encode('other')
    assert.equal(decode(first), 'first')
  })

  it('reads from the middle of a larger buffer', () => {
    const pool = Buffer.from('ffff8201634142430000', 'hex')
    assert.deepEqual(decode(pool.subarray(2, 8)), [1, 'ABC'])
  })

  it('refuses 100,000 nested arrays, maps and tags without a deep stack', () => {
    for (const opening of ['81', 'a1 60', 'd82a', '9f']) assert.equal(accepts(hex(opening.repeat(100_000))), false)
  })

  it('refuses a promise of 2^64 - 1 bytes or items at once', () => {
    for (const head of ['5b', '7b', '9b', 'bb', 'a1 7b', 'd82a 5b']) {
      assert.throws(() => decode(hex(`${head} ffffffffffffffff`)), refuses('CBOR_TRUNCATED'))
    }
  })

  it('reads safe integers as numbers and only larger ones as bigints', () => {
    const integers = [2 ** 53 - 1, 2n ** 53n, -(2 ** 53) + 1, -(2n ** 53n), 2n ** 64n - 1n, -(2n ** 64n)]
    assert.deepEqual(decode(encode(integers)), integers)
    assert.deepEqual(decode(encode([1n, -1n, 2n ** 53n - 1n])), [1, -1, 2 ** 53 - 1])
  })

  it('counts keys as items', () => {
    const map = (pairs: number) => Object.fromEntries(Array.from({ length: pairs }, (_, i) => [`${i}`, i]))
    assert.doesNotThrow(() => decode(encode(map(2_047))))
    assert.throws(() => encode(map(2_048)), refuses('CBOR_ITEMS'))
  })

  it('counts a link as one item', () => {
    const link = CID.decode(hex('01550000'))
    const most = Array.from({ length: MAX_ITEMS - 1 }, () => link)
    assert.equal((decode(encode(most)) as CID[]).length, MAX_ITEMS - 1)
    assert.throws(() => encode([...most, link]), refuses('CBOR_ITEMS'))
    assert.throws(() => checkCanonical(dagCbor.encode([...most, link])), refuses('CBOR_ITEMS'))
  })

  it('reports each key of the outermost map and no other', () => {
    const bytes = encode({ a: { inner: 1 }, long: [{ deeper: 2 }], b: null })
    const seen: string[] = []
    checkCanonical(bytes, (start, length) => seen.push(Buffer.from(bytes.subarray(start, start + length)).toString()))
    assert.deepEqual(seen, ['a', 'b', 'long'])
    checkCanonical(encode([{ a: 1 }]), () => assert.fail('not a map'))
  })

  describe('refuses to write', () => {
    const cases: [FeedErrorCode, string, unknown, RegExp][] = [
      ['CBOR_FLOAT', 'a fraction', { a: [1, { b: 1.5 }] }, /a\[1\]\.b is 1\.5/],
      ['CBOR_FLOAT', 'NaN', NaN, /the value is NaN/],
      ['CBOR_FLOAT', 'infinity', [-Infinity], /\[0\] is -Infinity/],
      ['CBOR_FLOAT', 'a number beyond the safe integers', 2 ** 53, /bigint/],
      ['CBOR_SIMPLE', 'a bigint beyond 64 bits', 2n ** 64n, /64 bits/],
      ['CBOR_SIMPLE', 'a bigint below 64 bits', -(2n ** 64n) - 1n, /64 bits/],
      ['CBOR_SIMPLE', 'undefined', { a: undefined }, /a is undefined/],
      ['CBOR_SIMPLE', 'a hole in an array', Array(1), /\[0\] is undefined/],
      ['CBOR_SIMPLE', 'a function', [() => {}], /function/],
      ['CBOR_SIMPLE', 'a symbol', Symbol.iterator, /symbol/],
      ['CBOR_SIMPLE', 'a date', { when: new Date(0) }, /when is an object of class Date/],
      ['CBOR_SIMPLE', 'a Map', new Map(), /Map/],
      ['CBOR_SIMPLE', 'other typed arrays', new Uint16Array(1), /Uint16Array/],
      ['CBOR_UTF8', 'a lone surrogate', { text: 'a\ud800' }, /text is text with a lone surrogate/],
      ['CBOR_UTF8', 'a lone surrogate in a long text', `${'a'.repeat(100)}\udc00`, /surrogate/],
      ['CBOR_UTF8', 'a lone surrogate in a key', { '\udc00': 1 }, /surrogate/]
    ]
    for (const [code, name, value, message] of cases) {
      it(name, () => assert.throws(() => encode(value), refuses(code, message)))
    }

    it('more than 16 levels, and a value that contains itself', () => {
      const nest = (levels: number): unknown => (levels === 0 ? 0 : [nest(levels - 1)])
      assert.doesNotThrow(() => encode(nest(MAX_DEPTH)))
      assert.throws(() => encode(nest(MAX_DEPTH + 1)), refuses('CBOR_DEPTH'))
      const loop: Record<string, unknown> = {}
      loop.self = loop
      assert.throws(() => encode(loop), refuses('CBOR_DEPTH', /self\.self/))
    })

    it('more than 4,096 items, and goes on working afterwards', () => {
      assert.throws(() => encode(Array(MAX_ITEMS).fill(0)), refuses('CBOR_ITEMS'))
      assert.deepEqual(encode([1]), hex('8101'))
    })
  })

  it('writes values larger than its buffer', () => {
    const value = { a: 'é'.repeat(200_000), b: new Uint8Array(300_000).fill(1) }
    assert.deepEqual(decode(encode(value)), value)
  })
})
