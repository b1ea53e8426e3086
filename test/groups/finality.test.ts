// How many have to break the rules before two checkpoints that contradict each other can both become stable: the
// argument of src/groups/README.md for rosters that shrink, counted out for every small group and for random larger ones.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { RemovalFact } from '../../src/groups/facts.ts'
import { rosterOf } from '../../src/groups/finality.ts'

/** How many of a roster there are of each kind, as seen from two checkpoints of which neither knows the other. */
interface Crowd {
  /** Nothing happened to them. */
  honest: number
  faulty: number
  /** Expelled in the past of the first checkpoint, or of the second; they may not know of it. */
  expelled: [number, number]
  faultyExpelled: [number, number]
  /** Left in the past of the one; who is honest then never acked the other, or it would be in that past. */
  left: [number, number]
  faultyLeft: [number, number]
}

const sum = (...numbers: number[]): number => numbers.reduce((all, number) => all + number, 0)

/** Acks that a checkpoint needs, by the rule under test. */
function needed(crowd: Crowd, side: 0 | 1): number {
  const kinds: [string, number][] = [
    ['honest', crowd.honest],
    ['faulty', crowd.faulty],
    ...([0, 1] as const).flatMap((i): [string, number][] => [
      [`expelled ${i}`, crowd.expelled[i] + crowd.faultyExpelled[i]],
      [`left ${i}`, crowd.left[i] + crowd.faultyLeft[i]]
    ])
  ]
  const people = kinds.flatMap(([kind, count]) => Array.from({ length: count }, (_, i) => `${kind}: ${i}`))
  const removals = people.flatMap((identity, at): RemovalFact[] => {
    if (identity.startsWith(`left ${side}`)) return [{ at, motion: at, identity }]
    return identity.startsWith(`expelled ${side}`) ? [{ at, motion: at, identity, ballots: { count: 1, of: 1 } }] : []
  })
  return rosterOf(new Set(people), removals).needed
}

/** Whether both can get their acks, when everybody faulty acks both and everybody honest at most one. */
function mayConflict(crowd: Crowd): boolean {
  const lacking = ([0, 1] as const).map((side) => {
    const other = side === 0 ? 1 : 0
    const both = crowd.faulty + crowd.faultyExpelled[other] + crowd.faultyLeft[other]
    return Math.max(0, needed(crowd, side) - both - crowd.expelled[other])
  })
  return sum(...lacking) <= crowd.honest
}

function assertClaims(crowd: Crowd): void {
  if (!mayConflict(crowd)) return
  const { honest, faulty, expelled, faultyExpelled, left, faultyLeft } = crowd
  const allFaulty = sum(faulty, ...faultyExpelled, ...faultyLeft)
  assert.ok(allFaulty >= 1, 'nobody honest acks both')
  const gone = expelled.map((count, side) => count + faultyExpelled[side])
  const stayed = sum(honest, ...expelled)
  if (gone[0] + gone[1] === 0) assert.ok(3 * allFaulty > stayed + allFaulty, 'more than a third')
  else if (gone.includes(0) && sum(...left, ...faultyLeft) === 0)
    assert.ok(6 * allFaulty > stayed + allFaulty, 'more than a sixth')
}

const upTo = (most: number): number[] => Array.from({ length: most + 1 }, (_, i) => i)

describe('two checkpoints that contradict each other', () => {
  it('are not both stable in any small group unless enough break the rules', () => {
    let conflicts = 0
    for (const [honest, faulty] of upTo(6).flatMap((h) => upTo(3).map((f) => [h, f])))
      for (const expelled of upTo(2).flatMap((a) => upTo(2).map((b): [number, number] => [a, b])))
        for (const bits of upTo(63)) {
          const bit = (i: number): number => (bits >> i) & 1
          const crowd: Crowd = {
            ...{ honest, faulty, expelled },
            faultyExpelled: [bit(0), bit(1)],
            left: [bit(2), bit(3)],
            faultyLeft: [bit(4), bit(5)]
          }
          if (sum(honest, faulty, ...expelled, ...crowd.faultyExpelled, ...crowd.left, ...crowd.faultyLeft) === 0)
            continue
          assertClaims(crowd)
          conflicts += Number(mayConflict(crowd))
        }
    assert.ok(conflicts > 0, 'the claims say something')
  })

  it('are not both stable in any larger one either', () => {
    const few = fc.nat(20)
    const two = fc.tuple(few, few)
    const crowd = fc.record({
      ...{ honest: fc.nat(60), faulty: few, expelled: two, faultyExpelled: two, left: two, faultyLeft: two }
    })
    fc.assert(
      fc.property(
        crowd.filter(({ honest }) => honest > 0),
        assertClaims
      ),
      { numRuns: 2_000 }
    )
  })

  it('are not made by the one who is left, where newcomers expelled the rest of a roster', () => {
    // What the half is for: of nine founders eight are expelled, and the one who stays breaks the rules.
    const crowd: Crowd = {
      ...{ honest: 0, faulty: 1, expelled: [0, 8] as [number, number] },
      ...{ faultyExpelled: [0, 0] as [number, number], left: [0, 0] as [number, number] },
      faultyLeft: [0, 0]
    }
    assert.equal(needed(crowd, 1), 5)
    assert.ok(!mayConflict(crowd))
  })
})
