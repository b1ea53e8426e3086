// The evaluator against the reference, on random logs in random order of arrival.
import assert from 'node:assert/strict'
import { Evaluator } from '../../src/groups/evaluate.ts'
import { GroupLog } from '../../src/groups/log.ts'
import type { Create, Operation } from '../../src/groups/operations.ts'
import { evaluateSlowly, type Reference } from './reference.ts'
import { type Random, randomFrom, randomLog, shuffled } from './random-log.ts'
import { verifyStandIn } from './stand-in.ts'

const LOGS = Number(process.env.GROUP_LOGS ?? 5_000)
const FIRST_SEED = Number(process.env.GROUP_SEED ?? 1)

describe('evaluation of random logs', function () {
  this.timeout(180_000)

  it(`equals the reference on ${LOGS} logs, in any order of arrival`, () => {
    const seen = { admitted: 0, removed: 0, stable: 0, late: 0, invalid: 0, rules: 0, concurrentRules: 0, annulled: 0 }
    for (let seed = FIRST_SEED; seed < FIRST_SEED + LOGS; seed++) {
      const random = randomFrom(seed)
      const operations = randomLog(random, 3 + Math.floor(random() * 18))
      try {
        compare(operations, random, seen)
      } catch (error) {
        throw new Error(`seed ${seed} (run it alone with GROUP_SEED=${seed} GROUP_LOGS=1)`, { cause: error })
      }
    }
    // The generator must keep making logs in which something happens.
    for (const [what, count] of Object.entries(seen))
      assert.ok(count > LOGS / 100, `too few logs with ${what}: ${count}`)
  })
})

function compare(operations: Operation[], random: Random, seen: Record<string, number>): void {
  const reference = evaluateSlowly(operations, verifyStandIn)
  const step = random() < 0.5 ? 0.3 : 0
  const inPieces = evaluatorOf(operations, random, step)
  const atOnce = evaluatorOf(operations, random, 0)
  const expected = ofReference(reference)
  assert.deepEqual(ofEvaluator(atOnce, operations), expected)
  assert.deepEqual(ofEvaluator(inPieces, operations), expected)
  assert.deepEqual(inPieces.heads(), atOnce.heads())
  for (const { id } of operations) assert.equal(atOnce.place(id)!.last, reference.lastBefore(id))

  const joins = operations.filter(({ type, id }) => type === 'join' && reference.valid.has(id))
  seen.admitted += Number(reference.state.admitted.size > 0)
  seen.annulled += Number(reference.state.admitted.size < joins.length)
  seen.removed += Number(reference.state.removals.length > 0)
  seen.stable += Number(reference.state.stable.size > 0)
  seen.late += Number(reference.state.stable.size > 1)
  seen.concurrentRules += Number(reference.state.rules.length > 1)
  seen.rules += Number(reference.state.rules[0] !== (operations[0] as Create).rule)
  seen.invalid += Number(reference.valid.size < operations.length)
}

/** @param pause the chance after each arrival that everything is evaluated at that moment */
function evaluatorOf(operations: Operation[], random: Random, pause: number): Evaluator {
  const log = new GroupLog(operations[0] as Create)
  const evaluator = new Evaluator(log, verifyStandIn)
  for (const operation of shuffled(operations.slice(1), random)) {
    log.add(operation)
    if (random() < pause) evaluator.view()
  }
  assert.equal(log.size, operations.length)
  assert.equal(log.waiting, 0)
  return evaluator
}

function ofReference({ state, valid }: Reference) {
  return {
    seats: [...state.seats.values()].sort(byIdentity),
    ring: state.ring,
    admitted: [...state.admitted].sort(),
    stable: [...state.stable].sort(),
    period: state.period,
    rules: state.rules.map((rule) => JSON.stringify(rule)).sort(),
    removals: state.removals.map(({ id, identity }) => `${id} ${identity}`).sort(),
    valid: [...valid].sort()
  }
}

function ofEvaluator(evaluator: Evaluator, operations: Operation[]) {
  const view = evaluator.view()
  const id = (at: number): string => evaluator.log.at(at).id
  return {
    seats: [...view.seats.values()]
      .map(({ identity, member, ring, origin, keyOrigin }) => ({
        identity,
        member,
        ring,
        origin: id(origin),
        keyOrigin: id(keyOrigin)
      }))
      .sort(byIdentity),
    ring: view.ring,
    admitted: [...view.admitted].map(id).sort(),
    stable: view.finality.stable.map((checkpoint) => checkpoint.id).sort(),
    period: view.period,
    rules: view.rules.map((rule) => JSON.stringify(rule)).sort(),
    removals: [...view.removals.values()]
      .flat()
      .map(({ at, identity }) => `${id(at)} ${identity}`)
      .sort(),
    valid: operations.flatMap(({ id }) => (evaluator.invalidity(id) === undefined ? [id] : [])).sort()
  }
}

function byIdentity(a: { identity: string }, b: { identity: string }): number {
  return a.identity < b.identity ? -1 : 1
}
