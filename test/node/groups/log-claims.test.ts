import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { describe, it } from 'mocha'
import { LogClaims } from '../../../src/node/groups/log-claims.ts'

const GROUP = '11'.repeat(32)
const OTHER = '22'.repeat(32)

/** Takes a claim; `isHeld` says whether it is one's turn. */
function waiting(claims: LogClaims, group = GROUP) {
  const claim = { isHeld: false, release: () => {} }
  void claims.take(group).then((release) => Object.assign(claim, { isHeld: true, release }))
  return claim
}

describe('claims to fetch a log', () => {
  it('are given to one after the other, and to others for other groups', async () => {
    const claims = new LogClaims({ idleMs: 60_000 })
    const [first, second, third, other] = [waiting(claims), waiting(claims), waiting(claims), waiting(claims, OTHER)]
    await setTimeout(1)
    const held = (): boolean[] => [first, second, third, other].map(({ isHeld }) => isHeld)
    assert.deepEqual(held(), [true, false, false, true])
    first.release()
    await setTimeout(1)
    assert.deepEqual(held(), [true, true, false, true])
    second.release()
    await setTimeout(1)
    assert.deepEqual(held(), [true, true, true, true])
  })

  it('are given to the next one when whoever has it brings nothing', async () => {
    const claims = new LogClaims({ idleMs: 20 })
    waiting(claims)
    const next = waiting(claims)
    await setTimeout(100)
    assert.ok(next.isHeld)
  })

  it('are waited for while the log grows, but not for ever', async () => {
    const claims = new LogClaims({ idleMs: 100 })
    waiting(claims)
    const next = waiting(claims)
    const growing = setInterval(() => claims.noteGrown(GROUP), 5)
    try {
      await setTimeout(250)
      assert.ok(!next.isHeld)
      await setTimeout(1_000)
      assert.ok(next.isHeld)
    } finally {
      clearInterval(growing)
    }
  })
})
