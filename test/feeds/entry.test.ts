// Entries: the header's layout, and one change for each rule of validity. The vectors hold many more.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { encodeBody } from '../../src/feeds/body.ts'
import {
  decodeHeader,
  encodeHeader,
  entryId,
  FLAG_SEALED,
  HEADER_SIZE,
  sha256,
  validateEntry,
  VERSION,
  type Header,
  type LooseEntry
} from '../../src/feeds/entry.ts'
import { FeedError, type FeedErrorCode } from '../../src/feeds/errors.ts'
import { entrySigningBytes, signingKey } from '../../src/feeds/signature.ts'

const alice = signingKey(new Uint8Array(32).fill(1))
const bob = signingKey(new Uint8Array(32).fill(2))
const body = encodeBody({ type: 'post', text: 'Hello' })
const first: Header = {
  version: VERSION,
  flags: 0,
  feed: alice.publicKey,
  seq: 1,
  time: 1_767_225_600_000,
  prev: new Uint8Array(32),
  bodyHash: sha256(body),
  bodySize: body.length
}
const firstId = entryId(encodeHeader(first))
const second: Header = { ...first, seq: 2, prev: firstId }
const previous = { feed: alice.publicKey, seq: 1, id: firstId }

function signed(header: Header, key = alice): LooseEntry & { signature: Uint8Array } {
  const bytes = encodeHeader(header)
  return { header: bytes, body, signature: key.sign(entrySigningBytes(entryId(bytes))) }
}

const refuses = (code: FeedErrorCode) => (error: unknown) =>
  error instanceof FeedError && assert.equal(error.code, code, error.message) === undefined

describe('header', () => {
  const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
  const fields = {
    version: fc.nat(255),
    flags: fc.nat(255),
    feed: bytes(32),
    seq: fc.nat(0xffff_ffff),
    time: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    prev: bytes(32),
    bodyHash: bytes(32),
    bodySize: fc.nat(0xffff_ffff)
  }
  const headers = fc.record(fields, { noNullPrototype: true })

  it('is read as it was written', () => {
    fc.assert(
      fc.property(headers, (header) => assert.deepEqual(decodeHeader(new Uint8Array(encodeHeader(header))), header))
    )
  })

  it('has each field at its place, big-endian', () => {
    const header = Buffer.from(encodeHeader({ ...second, seq: 0x01020304, time: 0x0a0b0c0d0e0f, bodySize: 0x00001234 }))
    assert.equal(header.length, HEADER_SIZE)
    assert.equal(header.subarray(34, 44).toString('hex'), '010203040a0b0c0d0e0f')
    assert.equal(header.subarray(108).toString('hex'), '00001234')
    assert.deepEqual(header.subarray(44, 76), Buffer.from(firstId))
  })
})

describe('validateEntry', () => {
  it('returns the fields, the id and the body', () => {
    const { id, body: found, ...header } = validateEntry(signed(second), previous)
    assert.deepEqual(Buffer.from(id), Buffer.from(sha256(encodeHeader(second))))
    assert.equal(found, body)
    assert.equal(header.seq, 2)
    assert.equal(header.time, second.time)
  })

  it('accepts an entry without signature, without body, and without both', () => {
    const { header, signature } = signed(first)
    assert.equal(validateEntry({ header, signature }).body, undefined)
    assert.ok(validateEntry({ header, body }))
    assert.ok(validateEntry({ header }))
  })

  it('takes any time', () => {
    for (const time of [0, 1, 253_370_764_800_000, 2 ** 48 - 1])
      assert.equal(validateEntry(signed({ ...first, time })).time, time)
  })

  it('keeps what a version it does not know says', () => {
    const strange = Uint8Array.of(0xff)
    const header = { ...second, version: 9, flags: 0xfe, bodyHash: sha256(strange), bodySize: 1 }
    assert.equal(validateEntry({ ...signed(header), body: strange }, previous).version, 9)
  })

  it('does not look into a sealed body', () => {
    const sealed = Uint8Array.of(0xff, 0xff)
    const header = { ...first, flags: FLAG_SEALED, bodyHash: sha256(sealed), bodySize: 2 }
    assert.deepEqual(validateEntry({ ...signed(header), body: sealed }).body, sealed)
    assert.throws(() => validateEntry({ ...signed({ ...header, flags: 0 }), body: sealed }), refuses('CBOR_INDEFINITE'))
  })

  const changes: [FeedErrorCode, string, () => LooseEntry][] = [
    ['HEADER_SIZE', 'a header cut short', () => ({ ...signed(second), header: encodeHeader(second).subarray(1) })],
    ['FLAGS', 'a flag that nobody knows', () => signed({ ...second, flags: 2 })],
    ['FEED_KEY', 'a key of small order', () => signed({ ...second, feed: new Uint8Array(32) })],
    ['SEQ_ZERO', 'seq 0', () => signed({ ...second, seq: 0 })],
    ['PREV_NOT_ZERO', 'a first entry after something', () => signed({ ...first, prev: firstId })],
    ['BODY_TOO_LARGE', 'a body over 64 KiB', () => signed({ ...second, bodySize: 65_537 })],
    ['FEED_MISMATCH', "another feed's entry", () => signed({ ...second, feed: bob.publicKey }, bob)],
    ['SEQ_MISMATCH', 'a gap', () => signed({ ...second, seq: 3 })],
    ['PREV_MISMATCH', 'another entry before it', () => signed({ ...second, prev: sha256(body) })],
    [
      'SIGNATURE_SIZE',
      'half a signature',
      () => ({ ...signed(second), signature: signed(second).signature.subarray(32) })
    ],
    [
      'SIGNATURE_MALLEABLE',
      'S of all ones',
      () => ({ ...signed(second), signature: signed(second).signature.fill(0xff, 32) })
    ],
    [
      'SIGNATURE_SMALL_ORDER',
      'R of zeros',
      () => ({ ...signed(second), signature: signed(second).signature.fill(0, 0, 32) })
    ],
    ['SIGNATURE_INVALID', "another feed's signature", () => signed(second, bob)],
    [
      'SIGNATURE_INVALID',
      "another entry's signature",
      () => ({ ...signed(second), signature: signed(first).signature })
    ],
    ['BODY_SIZE', 'a body cut short', () => ({ ...signed(second), body: body.subarray(1) })],
    [
      'BODY_HASH',
      'a body with one bit flipped',
      () => ({ ...signed(second), body: body.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) })
    ]
  ]
  for (const [code, name, entry] of changes) {
    it(`refuses ${name}`, () => assert.throws(() => validateEntry(entry(), previous), refuses(code)))
  }

  it('refuses every change of a single bit of the header', () => {
    const entry = signed(second)
    for (let bit = 0; bit < HEADER_SIZE * 8; bit++) {
      const header = Uint8Array.from(entry.header)
      header[bit >> 3] ^= 1 << (bit & 7)
      assert.throws(() => validateEntry({ ...entry, header }, previous), FeedError, `bit ${bit}`)
    }
  })

  it('answers random bytes with its own error', () => {
    const some = fc.uint8Array({ maxLength: 130 })
    fc.assert(
      fc.property(some, some, some, (header, body, signature) => {
        assert.throws(() => validateEntry({ header, body, signature }), FeedError)
      })
    )
  })
})
