// Which of a member's keys nothing needs any more.
import type { Evaluator } from './evaluate.ts'
import type { Seat } from './facts.ts'
import { openMotions, operationsOf } from './open-motions.ts'
import type { Hex, Operation } from './operations.ts'

/**
 * Keys that a member held before the present ones and needs no more: the change is final, and no motion that may still
 * be decided has them in its ring. Whoever finds such a ring key can tell all vouches that were given with it.
 * @param me the member key
 */
export function spentKeys(evaluator: Evaluator, me: Hex): { ring: Hex; kem: Hex }[] {
  const { byMember, last } = evaluator.view()
  const seat = byMember.get(me)
  const { log } = evaluator
  if (seat === undefined || last === undefined || !log.past(last.at).has(seat.keyOrigin)) return []
  const open = new Set(openMotions(evaluator).flatMap(({ id }) => evaluator.place(id)!.ring))
  return broughtBy(evaluator, seat).filter(({ ring }) => ring !== seat.ring && !open.has(ring))
}

/** The keys that a member brought before the present ones. */
function broughtBy({ log }: Evaluator, { member, keyOrigin }: Seat): { ring: Hex; kem: Hex }[] {
  const founder = log.create.founders.find((each) => each.member === member)
  const brought = operationsOf({ log }).filter(
    (o) =>
      (o.type === 'join' || o.type === 'rekey') && o.author === member && log.past(keyOrigin).has(log.indexOf(o.id)!)
  ) as Extract<Operation, { type: 'rekey' }>[]
  return [...(founder === undefined ? [] : [founder]), ...brought].map(({ ring, kem }) => ({ ring, kem }))
}
