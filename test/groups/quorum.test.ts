import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  DEFAULT_RULE,
  isqrt,
  majority,
  quorum,
  type QuorumKind,
  type Rule,
  supermajority
} from '../../src/groups/index.ts'

const ofKind = (kind: QuorumKind, value = 0): Rule => ({ ...DEFAULT_RULE, quorum: kind, value })

describe('quorum', () => {
  it('grows with the root of the ring unless another rule was chosen', () => {
    const sizes = [0, 1, 3, 4, 8, 9, 15, 16, 99, 100, 1000]
    assert.deepEqual(
      sizes.map((n) => quorum(DEFAULT_RULE, n)),
      [1, 1, 1, 2, 2, 3, 3, 4, 9, 10, 31]
    )
  })

  it('follows the logarithm, a constant or a percentage', () => {
    const at = (rule: Rule): number[] => [1, 2, 4, 8, 10, 64].map((n) => quorum(rule, n))
    assert.deepEqual(at(ofKind('log2')), [1, 1, 2, 3, 3, 6])
    assert.deepEqual(at(ofKind('constant', 3)), [1, 2, 3, 3, 3, 3])
    assert.deepEqual(at(ofKind('percent', 30)), [1, 1, 2, 3, 3, 20])
  })

  it('keeps to its minimum and cap, but never asks for more than there are', () => {
    const rule = { ...ofKind('percent', 50), min: 3, max: 5 }
    assert.deepEqual(
      [1, 2, 4, 8, 64].map((n) => quorum(rule, n)),
      [1, 2, 3, 4, 5]
    )
  })

  it('has the whole part of every root', () => {
    fc.assert(
      fc.property(fc.nat(), (n) => {
        const root = isqrt(n)
        assert.ok(root * root <= n && (root + 1) ** 2 > n)
      })
    )
  })

  it('lets no two majorities, and no two supermajorities without a third in common, stand apart', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), (n) => {
        assert.ok(2 * majority(n) > n && majority(n) <= n)
        assert.ok(2 * supermajority(n) - n > n / 3 && supermajority(n) <= n)
      })
    )
  })
})
