// Clocks that are wrong, and cells that come again long after: time decides little, and shows nothing twice.
import assert from 'node:assert/strict'
import { libsignalSealing } from '../../proofs/libsignal-sealing.ts'
import { LossySide, type Way } from '../../proofs/lossy-side.ts'
import { until } from '../../support/processes.ts'

const DAY_MS = 86_400_000
const YEAR_MS = 365 * DAY_MS

/** A way that does no harm. */
function goodWay(): Way {
  return { random: Math.random, loss: 0, double: 0, delay: 0, kill: 0, actions: 0, kills: 0, isRecorded: true }
}

/** Alice and Bob, and by how much their clocks are ahead, in ms. */
function two(stack: AsyncDisposableStack) {
  const ahead = { alice: 0, bob: 0 }
  const way = goodWay()
  const make = (name: 'alice' | 'bob'): LossySide => {
    const now = (): number => Date.now() + ahead[name]
    return stack.use(new LossySide(name, way, libsignalSealing(now), now))
  }
  const [alice, bob] = [make('alice'), make('bob')]
  ;[alice.other, bob.other] = [bob, alice]
  alice.begin()
  bob.begin()
  return { alice, bob, ahead }
}

async function say(from: LossySide, text: string): Promise<void> {
  from.write(text)
  await until(() => from.waiting === 0 && from.other.texts(from).includes(text), `${text} is delivered`)
}

describe('private messages between clocks that are wrong', function () {
  this.timeout(120_000)

  it('come once each, though clocks are a year apart and jump by years', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, bob, ahead } = two(stack)
    const texts: string[] = []
    for (const [ofAlice, ofBob] of [
      [0, 0],
      [1, 0],
      [-1, 1],
      [1, -1],
      [0, 2],
      [0, 0]
    ]) {
      Object.assign(ahead, { alice: ofAlice * YEAR_MS, bob: ofBob * YEAR_MS })
      await Promise.all([alice, bob].map((side) => side.doUpkeep()))
      const text = `Alice’s clock ${ofAlice} years ahead, Bob’s ${ofBob}`
      await say(alice, text)
      await say(bob, text)
      texts.push(text)
    }
    assert.deepEqual(bob.texts(alice), texts)
    assert.deepEqual(alice.texts(bob), texts)
    assert.ok(!alice.hasGaps && !bob.hasGaps)
  })

  it('show nothing again of what comes once more after days, a month or a year, not even what was erased', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, bob, ahead } = two(stack)
    const texts = ['one', 'two', 'to be erased']
    for (const text of texts) {
      await say(alice, text)
      await say(bob, `${text}, too`)
    }
    const recorded = [...bob.cells]
    assert.ok(recorded.length >= 12)
    bob.erase('to be erased')
    for (const days of [1, 10, 31, 75, 365]) {
      Object.assign(ahead, { alice: days * DAY_MS, bob: days * DAY_MS })
      await bob.doUpkeep()
      for (const cell of recorded) bob.receive(cell)
      await bob.settle()
      await say(alice, `after ${days} days`)
      await say(bob, `after ${days} days, too`)
      texts.push(`after ${days} days`)
    }
    const shown = bob.texts(alice).filter((text) => text !== 'undefined')
    assert.deepEqual(
      shown,
      texts.filter((text) => text !== 'to be erased')
    )
  })
})
