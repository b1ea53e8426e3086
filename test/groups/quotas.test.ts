// The quotas beside evaluation: what is passed over for good must be what can never count.
import assert from 'node:assert/strict'
import { Evaluator } from '../../src/groups/evaluate.ts'
import { GroupLog } from '../../src/groups/log.ts'
import type { Create, Operation } from '../../src/groups/operations.ts'
import { Quotas } from '../../src/groups/quotas.ts'
import { type Random, randomFrom, randomLog, shuffled } from './random-log.ts'
import { verifyStandIn } from './stand-in.ts'

const LOGS = 1_000

describe('the quotas of a log', function () {
  this.timeout(60_000)

  it(`pass over nothing that is valid, on ${LOGS} random logs in any order`, () => {
    const seen = { void: 0, fits: 0, validJoins: 0, invalid: 0 }
    for (let seed = 1; seed <= LOGS; seed++) {
      const random = randomFrom(seed)
      const operations = randomLog(random, 3 + Math.floor(random() * 18))
      const evaluator = new Evaluator(new GroupLog(operations[0] as Create), verifyStandIn)
      const quotas = new Quotas(evaluator)
      for (const operation of parentsFirst(operations, random)) {
        const fit = quotas.fit(operation)
        evaluator.log.add(operation)
        const why = evaluator.invalidity(operation.id)
        if (fit === 'void') assert.notEqual(why, undefined, `seed ${seed}: a valid ${operation.type} is passed over`)
        seen[fit === 'void' ? 'void' : 'fits']++
        if (why !== undefined) seen.invalid++
        if (why === undefined && operation.type === 'join') seen.validJoins++
      }
    }
    for (const [what, count] of Object.entries(seen)) assert.ok(count > LOGS / 20, `too few ${what}: ${count}`)
  })
})

/** All but the create, in any order in which each comes after what it stands on. */
function* parentsFirst(operations: readonly Operation[], random: Random): Generator<Operation> {
  const placed = new Set([operations[0].id])
  let left = shuffled(operations.slice(1), random)
  while (left.length > 0) {
    const ready = left.filter(({ parents }) => parents.every((id) => placed.has(id)))
    left = left.filter((operation) => !ready.includes(operation))
    for (const operation of ready) placed.add(operation.id)
    yield* ready
  }
}
