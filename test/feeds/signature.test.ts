// Ed25519 as feeds use it: RFC 8032's own vectors, and the forms that are refused beyond it.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { FeedError } from '../../src/feeds/errors.ts'
import {
  entrySigningBytes,
  generateSeed,
  isUsableKey,
  isValidSignature,
  signingKey,
  verifySignature
} from '../../src/feeds/signature.ts'

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const PRIME = 2n ** 255n - 19n
const littleEndian = (number: bigint) => hex(number.toString(16).padStart(64, '0')).reverse()

/** RFC 8032, 7.1: seed, public key, message, signature. */
const RFC_8032 = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a'
  ]
].map((vector) => vector.map(hex))

describe('signatures', () => {
  it('are those of RFC 8032', () => {
    for (const [seed, publicKey, message, signature] of RFC_8032) {
      const key = signingKey(seed)
      assert.deepEqual(key.publicKey, publicKey)
      assert.deepEqual(new Uint8Array(key.sign(message)), signature)
      assert.ok(isValidSignature(publicKey, message, signature))
    }
  })

  it('hold for what was signed and for nothing else', () => {
    const key = signingKey(generateSeed())
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.nat(), (message, bit) => {
        const signature = key.sign(message)
        assert.ok(isValidSignature(key.publicKey, message, signature))
        const other = Uint8Array.from(message)
        other[(bit >> 3) % other.length] ^= 1 << (bit & 7)
        assert.equal(isValidSignature(key.publicKey, other, signature), false)
      })
    )
  })

  it('are false for anything random, without a throw', () => {
    const some = fc.uint8Array({ maxLength: 70 })
    fc.assert(fc.property(some, some, some, (key, message, signature) => !isValidSignature(key, message, signature)))
    const sized = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
    fc.assert(
      fc.property(sized(32), some, sized(64), (key, message, signature) => !isValidSignature(key, message, signature))
    )
  })

  it('of an entry do not pass for those over its bare id', () => {
    const key = signingKey(generateSeed())
    const id = new Uint8Array(32).fill(5)
    const signature = key.sign(entrySigningBytes(id))
    verifySignature(key.publicKey, id, signature)
    assert.equal(isValidSignature(key.publicKey, id, signature), false)
    assert.throws(() => verifySignature(key.publicKey, id, key.sign(id)), FeedError)
  })

  it('are still told apart after more keys than are kept imported', () => {
    const keys = Array.from({ length: 3 }, () => signingKey(generateSeed()))
    const message = Uint8Array.of(1)
    const signatures = keys.map((key) => key.sign(message))
    for (let i = 0; i < 5_000; i++) isValidSignature(littleEndian(BigInt(i + 1_000)), message, signatures[0])
    keys.forEach((key, i) => assert.ok(isValidSignature(key.publicKey, message, signatures[i])))
    assert.equal(isValidSignature(keys[0].publicKey, message, signatures[1]), false)
  })

  it('need a seed of 32 bytes', () => {
    assert.throws(() => signingKey(new Uint8Array(31)), RangeError)
    assert.equal(generateSeed().length, 32)
    assert.notDeepEqual(generateSeed(), generateSeed())
  })
})

describe('usable keys', () => {
  it('are those of signing keys', () => {
    for (let i = 0; i < 50; i++) assert.ok(isUsableKey(signingKey(generateSeed()).publicKey))
  })

  it('are not of small order, with either sign', () => {
    for (const y of [
      0n,
      1n,
      PRIME - 1n,
      BigInt('0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826'),
      BigInt('0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7')
    ]) {
      assert.equal(isUsableKey(littleEndian(y)), false)
      assert.equal(isUsableKey(littleEndian(y + 2n ** 255n)), false)
    }
  })

  it('have a y below p', () => {
    for (let y = PRIME; y < 2n ** 255n; y++) {
      assert.equal(isUsableKey(littleEndian(y)), false)
      assert.equal(isUsableKey(littleEndian(y + 2n ** 255n)), false)
    }
    assert.equal(isUsableKey(littleEndian(PRIME - 2n)), true)
    assert.equal(isUsableKey(littleEndian(2n)), true)
  })

  it('have 32 bytes', () => {
    for (const size of [0, 31, 33]) assert.equal(isUsableKey(new Uint8Array(size).fill(9)), false)
  })
})
