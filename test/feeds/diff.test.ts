import assert from 'node:assert/strict'
import { diffFeed, type Held } from '../../src/feeds/sync/diff.ts'

const head = (value: number) => new Uint8Array(32).fill(value)
const mine = (height: number, value = 1, frozen?: number): Held => ({
  height,
  head: height === 0 ? new Uint8Array() : head(value),
  frozen
})
const theirs = (height: number, value = 1) => ({
  height,
  head: height === 0 ? new Uint8Array(8) : head(value).subarray(0, 8)
})

describe('the difference in one feed', () => {
  const cases: [string, Held, ReturnType<typeof theirs>, unknown][] = [
    ['both have nothing', mine(0), theirs(0), { kind: 'nothing' }],
    ['both have the same', mine(7), theirs(7), { kind: 'nothing' }],
    ['the peer has more', mine(7), theirs(9), { kind: 'want', from: 8, to: 9, isDown: false }],
    ['the feed is new here', mine(0), theirs(9), { kind: 'want', from: 1, to: 9, isDown: true }],
    ['the peer has less', mine(9), theirs(7), { kind: 'behind', from: 8 }],
    ['the peer has nothing', mine(9), theirs(0), { kind: 'behind', from: 1 }],
    ['heads differ at one height', mine(7), theirs(7, 2), { kind: 'probe' }],
    ['the peer goes on beyond a fork that is known here', mine(4, 1, 5), theirs(9), { kind: 'prove' }],
    ['the peer stands at the fork', mine(4, 1, 5), theirs(5), { kind: 'prove' }],
    ['the peer stands below the fork', mine(4, 1, 5), theirs(4), { kind: 'nothing' }],
    ['the peer has less of a forked feed', mine(4, 1, 5), theirs(2), { kind: 'behind', from: 3 }]
  ]
  for (const [name, held, claimed, step] of cases)
    it(`when ${name}`, () => assert.deepEqual(diffFeed(held, claimed), step))
})
