import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  BALLOT_SLOT,
  encodeAnonymous,
  GroupError,
  padOperation,
  STEM_SIZE,
  stemName,
  unpadOperation
} from '../../src/groups/index.ts'
import { MAX_PROOF_SIZE } from '../../src/groups/operation-schemas.ts'

const key = new Uint8Array(32).fill(7)

describe('stem message', () => {
  it('gives back what was padded, whatever it is, in one size', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: STEM_SIZE - 2 }), (bytes) => {
        const padded = padOperation(bytes)
        assert.equal(padded.length, STEM_SIZE)
        assert.deepEqual(unpadOperation(padded), bytes)
      })
    )
  })

  it('has room for the longest nameless operation', () => {
    const longest = { kind: 'retract', motion: key, tag: key, slotTag: key, slot: BALLOT_SLOT } as const
    const bytes = encodeAnonymous({ ...longest, proof: new Uint8Array(MAX_PROOF_SIZE) })
    assert.deepEqual(unpadOperation(padOperation(bytes)), bytes)
    assert.throws(() => padOperation(new Uint8Array(STEM_SIZE - 1)), { code: 'SIZE' })
  })

  it('is read in one form only: any other bytes are refused, or are the padding of what they hold', () => {
    const some = fc.oneof(fc.uint8Array(), fc.uint8Array({ minLength: STEM_SIZE, maxLength: STEM_SIZE }))
    fc.assert(
      fc.property(some, (bytes) => {
        try {
          assert.deepEqual(padOperation(unpadOperation(bytes)), bytes)
        } catch (error) {
          assert.ok(error instanceof GroupError, String(error))
        }
      })
    )
  })

  it('names a group as only those can who know its id', () => {
    assert.equal(stemName(key).length, 32)
    assert.notDeepEqual(stemName(key), stemName(new Uint8Array(32)))
    assert.equal(
      Buffer.from(stemName(key)).toString('hex'),
      '119212b4644496f6043ad0d582d049b0f3170244349cc498ded60c3993b0bb2e'
    )
  })
})
