// The promise: each message is shown once, and none is lost. The attack: to lose, double and reorder cells, and to kill both
// processes before, within and after each transaction, between the cells of a message, and before and after each is taken.
// Two of five steps are with libsignal; for the others something cheap stands in for it behind the same port, since it
// is the delivery that is tried.
import assert from 'node:assert/strict'
import { sleep, until } from '../support/processes.ts'
import { cheapSealing } from './cheap-sealing.ts'
import { libsignalSealing } from './libsignal-sealing.ts'
import { LossySide, type Sealing, type Way } from './lossy-side.ts'

/** Steps of both devices; more are taken where the environment says so. */
const SCALE = Number(process.env.COMRADE_PROOF_SCALE ?? 1)
const REAL_ACTIONS = 40_000 * SCALE
const CHEAP_ACTIONS = 60_000 * SCALE
/** Messages of one side that wait at most: who writes more waits for the other. */
const MAX_WAITING = 48
/** What waits for hours, such as for a session to be asked for again, waits for seconds here. */
const CLOCK_SPEED = 200

/** From 0 to 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const start = Date.now()
const now = (): number => start + (Date.now() - start) * CLOCK_SPEED

const libsignal = libsignalSealing(now)

async function attack(sealing: Sealing, way: Way, actions: number): Promise<void> {
  await using alice = new LossySide('alice', way, sealing)
  await using bob = new LossySide('bob', way, sealing)
  ;[alice.other, bob.other] = [bob, alice]
  const sides = [alice, bob]
  const revive = (): void => {
    for (const side of sides) if (side.isDead) side.begin()
  }
  for (const side of sides) side.begin()
  for (let i = 0; way.actions < actions; i++) {
    revive()
    const side = way.random() < 0.5 ? alice : bob
    if (side.waiting < MAX_WAITING) side.write(`text ${i}`)
    if (side.waiting >= MAX_WAITING || way.random() < 0.2) await sleep(1)
  }
  way.kill = 0
  await until(
    () => {
      revive()
      return sides.every(({ waiting }) => waiting === 0)
    },
    'all is delivered',
    60_000
  )
  for (const side of sides) {
    const [written, shown] = [side.texts(side), side.other.texts(side)]
    assert.deepEqual(shown.toSorted(), written.toSorted(), 'each is shown once')
    assert.equal(new Set(shown).size, shown.length)
    assert.equal(side.hasGaps, false)
    assert.ok(
      side.promised.every((text) => shown.includes(text)),
      'none that was promised is lost'
    )
  }
}

const hard = (seed: number): Way => ({
  ...{ random: randomOf(seed), loss: 0.12, double: 0.15, delay: 0.2, kill: 0.003 },
  ...{ actions: 0, kills: 0 }
})

describe('whoever loses, doubles and reorders what is sent, and kills the processes at any step', function () {
  this.timeout(240_000 * SCALE)

  it(`makes nothing be lost or shown twice, with libsignal (${REAL_ACTIONS} steps)`, async () => {
    const way = hard(1)
    await attack(libsignal, way, REAL_ACTIONS)
    assert.ok(way.kills > REAL_ACTIONS / 1_000, `${way.kills} processes were killed`)
  })

  it(`makes nothing be lost or shown twice, and no key be used twice (${CHEAP_ACTIONS} steps)`, async () => {
    const way = hard(2)
    const { sealing, reused } = cheapSealing()
    await attack(sealing, way, CHEAP_ACTIONS)
    assert.ok(way.kills > CHEAP_ACTIONS / 1_000, `${way.kills} processes were killed`)
    assert.equal(reused(), 0)
  })

  it('is noticed where a program says too early that something is written, or writes it again', async () => {
    for (const mistake of ['promises early', 'writes again'] as const) {
      const way: Way = { ...hard(3), kill: 0.05, mistake }
      await assert.rejects(attack(cheapSealing().sealing, way, 4_000), { code: 'ERR_ASSERTION' }, mistake)
    }
  })

  it('is noticed where a process sends before its session is on the disk', async () => {
    const { sealing, reused } = cheapSealing({ isLateOnDisk: true })
    await attack(sealing, { ...hard(4), kill: 0.05 }, 4_000)
    assert.ok(reused() > 0)
  })
})
