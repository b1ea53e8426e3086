// Work that many events ask for.
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { inTurns } from '../../src/web/turns.ts'

describe('work that many events ask for', () => {
  it('is done at once, and once more for all who ask meanwhile, never twice at a time', async () => {
    let [begun, underway, most] = [0, 0, 0]
    const ask = inTurns(async () => {
      begun += 1
      most = Math.max(most, (underway += 1))
      await wait(5)
      underway -= 1
    }, 5)
    const first = ask()
    assert.equal(begun, 1)
    const others = Array.from({ length: 1_000 }, () => ask())
    await first
    assert.equal(begun, 1)
    await Promise.all(others)
    assert.deepEqual([begun, most], [2, 1])
    await ask()
    assert.deepEqual([begun, most], [3, 1])
  })

  it('goes on after a turn that has failed, of which those are told who asked for it', async () => {
    let begun = 0
    const ask = inTurns(async () => {
      if ((begun += 1) === 1) throw new Error('the node is away')
    }, 1)
    const [first, second] = [ask(), ask()]
    await assert.rejects(first, /away/)
    await second
    assert.equal(begun, 2)
  })
})
