// Rules 1 to 6: what a header is by itself.
import { alice, hex, invalid, sha256, valid, type Vector } from './build.ts'
import { mixedKey, PRIME, signForMixedKey, signForNeutralKey, toBytes } from './curve.ts'

const SIGN_BIT = 2n ** 255n
const someId = sha256(Buffer.from('the entry before'))
const NONE = { signature: null }

/** A feed that no signature belongs to. */
const feed = (y: bigint | string) => ({ feed: typeof y === 'string' ? hex(y) : toBytes(y), signature: null })

export const headerCases: Vector[] = [
  valid('the usual entry'),
  valid('without a signature of its own', NONE),
  valid('without its body', { body: null }),
  invalid('HEADER_SIZE', 'no header', { header: () => Buffer.alloc(0) }),
  invalid('HEADER_SIZE', 'a header of 111 bytes', { header: (header) => header.subarray(0, 111) }),
  invalid('HEADER_SIZE', 'a header of 113 bytes', { header: (header) => Buffer.concat([header, Buffer.alloc(1)]) }),

  valid('sealed', { flags: 1, body: hex('ff00ff') }),
  invalid('FLAGS', 'flag bit 1', { flags: 2 }),
  invalid('FLAGS', 'sealed, and flag bit 7', { flags: 0x81 }),
  valid('version 2 with all flags', { version: 2, flags: 0xff }),
  valid('version 0', { version: 0 }),
  valid('version 255', { version: 255 }),

  invalid('FEED_KEY', 'a key of order 4: y = 0', feed(0n)),
  invalid('FEED_KEY', 'a key of order 4: y = 0, other sign', feed(SIGN_BIT)),
  invalid('FEED_KEY', 'the neutral element as key: y = 1', feed(1n)),
  invalid('FEED_KEY', 'y = 1 with a sign bit', feed(1n + SIGN_BIT)),
  invalid('FEED_KEY', 'a key of order 2: y = p - 1', feed(PRIME - 1n)),
  invalid('FEED_KEY', 'a key of order 8', feed('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')),
  invalid(
    'FEED_KEY',
    'a key of order 8, other sign',
    feed('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85')
  ),
  invalid(
    'FEED_KEY',
    'another key of order 8',
    feed('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')
  ),
  invalid(
    'FEED_KEY',
    'another key of order 8, other sign',
    feed('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa')
  ),
  invalid('FEED_KEY', 'a key that is not canonical: y = p', feed(PRIME)),
  invalid('FEED_KEY', 'a key that is not canonical: y = p + 3', feed(PRIME + 3n)),
  invalid('FEED_KEY', 'a key of all ones', feed(2n ** 256n - 1n)),
  invalid('FEED_KEY', 'the neutral element as key, with a signature that fulfils the equation', {
    feed: toBytes(1n),
    signature: signForNeutralKey
  }),
  valid('a key with a component of order two, and a signature that fulfils the equation', {
    feed: mixedKey,
    signature: ({ id }) => signForMixedKey(id)
  }),

  invalid('SEQ_ZERO', 'seq 0', { seq: 0 }),
  valid('seq 2^32 - 1, its place in the chain not judged', { seq: 2 ** 32 - 1, prev: someId }),
  invalid('PREV_NOT_ZERO', 'seq 1 after something', { prev: someId }),
  valid('seq 2 whose prev is zeros, its place in the chain not judged', { seq: 2 }),

  valid('time 0: a clock that was never set', { time: 0 }),
  valid('time in the year 9999', { time: 253_370_764_800_000 }),
  valid('the latest time', { time: 2 ** 48 - 1 }),

  invalid('BODY_TOO_LARGE', 'a body of 65,537 bytes', { bodySize: 65_537, body: null }),
  invalid('BODY_TOO_LARGE', 'a body of 2^32 - 1 bytes', { bodySize: 2 ** 32 - 1, body: null }),
  invalid('BODY_TOO_LARGE', 'a body of 65,537 bytes in version 2', { version: 2, bodySize: 65_537, body: null }),
  valid('an erased body of 65,536 bytes', { bodySize: 65_536, body: null }),

  invalid('BODY_SIZE', 'a body shorter than the header says', { bodySize: 51 }),
  invalid('BODY_SIZE', 'a body longer than the header says', { bodySize: 49 }),
  invalid('BODY_SIZE', 'a body where the header says none', { bodySize: 0 }),
  invalid('BODY_SIZE', 'a sealed body longer than the header says', { flags: 1, bodySize: 3 }),
  invalid('BODY_HASH', "another body's hash", { bodyHash: sha256(alice.publicKey) }),
  invalid('BODY_HASH', "zeros in place of the body's hash", { bodyHash: Buffer.alloc(32) }),
  invalid('BODY_HASH', "another body's hash in version 2", { version: 2, bodyHash: someId })
]
