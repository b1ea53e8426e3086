import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import fc from 'fast-check'
import { signingKey } from '../../src/feeds/index.ts'
import { blindedKey, blindedSigningKey, dayOf, TrustError } from '../../src/trust/index.ts'

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })
const days = fc.nat({ max: 0xffff_fffe })
const runs = { numRuns: 60 }

/** By OpenSSL alone. */
function verifies(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(publicKey).toString('base64url')
  return verify(null, message, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }), signature)
}

describe('blinding', () => {
  it('gives both sides the same key: h·P = (h·a)·B, whatever the identity and the day', () => {
    fc.assert(
      fc.property(seeds, days, (seed, day) => {
        assert.deepEqual(
          Buffer.from(blindedSigningKey(seed, day).publicKey),
          Buffer.from(blindedKey(signingKey(seed).publicKey, day))
        )
      }),
      runs
    )
  })

  it('makes signatures that plain Ed25519 verifies, over this message and under this key only', () => {
    fc.assert(
      fc.property(seeds, days, fc.uint8Array({ maxLength: 200 }), (seed, day, message) => {
        const key = blindedSigningKey(seed, day)
        const signature = key.sign(message)
        assert.ok(verifies(key.publicKey, message, signature))
        assert.ok(!verifies(key.publicKey, Buffer.concat([message, Buffer.of(0)]), signature))
        assert.ok(!verifies(signingKey(seed).publicKey, message, signature))
        assert.deepEqual(key.sign(message), signature)
      }),
      runs
    )
  })

  it('gives every day another key, and another nonce to the same message', () => {
    fc.assert(
      fc.property(seeds, days, (seed, day) => {
        const [today, tomorrow] = [blindedSigningKey(seed, day), blindedSigningKey(seed, day + 1)]
        assert.notDeepEqual(today.publicKey, tomorrow.publicKey)
        assert.notDeepEqual(
          Buffer.from(today.sign(Buffer.of(1))).subarray(0, 32),
          Buffer.from(tomorrow.sign(Buffer.of(1))).subarray(0, 32)
        )
      }),
      runs
    )
  })

  it('refuses what is no point of the curve', () => {
    const notAPoint = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 2 : 0))
    assert.throws(
      () => blindedKey(notAPoint, 1),
      (error) => error instanceof TrustError && error.code === 'DID'
    )
  })

  it('begins a day at midnight UTC', () => {
    assert.equal(dayOf(Date.UTC(2026, 0, 1) - 1), 20_453)
    assert.equal(dayOf(Date.UTC(2026, 0, 1)), 20_454)
  })
})
