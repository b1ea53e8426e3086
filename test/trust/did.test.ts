import assert from 'node:assert/strict'
import fc from 'fast-check'
import { base58btc } from 'multiformats/bases/base58'
import { signingKey } from '../../src/feeds/signature.ts'
import { DID_LENGTH, formatDid, isDidLike, parseDid, shortTag } from '../../src/trust/did.ts'
import { TrustError } from '../../src/trust/errors.ts'

const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((seed) => signingKey(seed).publicKey)
const isDidError = (error: unknown) => error instanceof TrustError && error.code === 'DID'
const encode = (...bytes: number[]) => `did:key:${base58btc.encode(Uint8Array.from(bytes))}`

describe('did:key', () => {
  it('writes the key of RFC 8032 test 1 as other implementations do', () => {
    const key = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex')
    assert.equal(formatDid(key), 'did:key:z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw')
    assert.deepEqual(Buffer.from(parseDid(formatDid(key))), key)
  })

  it('gives every key one text of one length, and gets it back', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        const did = formatDid(key)
        assert.equal(did.length, DID_LENGTH)
        assert.deepEqual(parseDid(did), key)
        assert.equal(shortTag(key), `#${did.slice(-8)}`)
      }),
      { numRuns: 50 }
    )
  })

  it('refuses anything but the canonical text of an Ed25519 key', () => {
    const key = signingKey(new Uint8Array(32).fill(7)).publicKey
    const did = formatDid(key)
    const wrong = [
      '',
      'did:key:',
      'did:key:z',
      'did:web:example.org',
      did.slice(0, -1),
      `${did}1`,
      ` ${did}`,
      `${did}\n`,
      did.toUpperCase(),
      did.replace('did:', 'DID:'),
      `${did}#${did.slice(8)}`,
      did.slice(8),
      `did:key:1${did.slice(9)}`,
      did.replace('z6Mk', 'z6Mk0'),
      `did:key:z6Mk${'\u0000'.repeat(44)}`,
      `did:key:z6Mk${'é'.repeat(44)}`,
      encode(0xe7, 0x01, ...key),
      encode(0xec, 0x01, ...key),
      encode(0xed, 0x01, ...key.slice(1)),
      encode(0xed, 0x01, ...key, 0),
      encode(0xed, 0x81, 0x00, ...key)
    ]
    for (const text of wrong) assert.throws(() => parseDid(text), isDidError, JSON.stringify(text))
  })

  it('refuses keys of small order and non-canonical ones', () => {
    for (const key of [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31)), new Uint8Array(32).fill(255)]) {
      assert.throws(() => parseDid(encode(0xed, 0x01, ...key)), isDidError)
      assert.throws(() => formatDid(key), isDidError)
    }
    assert.throws(() => formatDid(new Uint8Array(31).fill(9)), isDidError)
  })

  it('never fails on random text but with a DID error that is safe to print', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.boolean(), (text, isPrefixed) => {
        assert.throws(
          () => parseDid(isPrefixed ? `did:key:z6Mk${text}` : text),
          (error) => isDidError(error) && !/[\u0000-\u001f\u202e]/.test((error as Error).message)
        )
      })
    )
  })

  it('takes no text that begins with did: for a name', () => {
    assert.ok(isDidLike('did:key:zzz') && isDidLike('DID:web:x'))
    assert.ok(!isDidLike('dido'))
  })
})
