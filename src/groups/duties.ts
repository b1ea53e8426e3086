// What a member's device does for its group without being asked: certificates, checkpoints, acks, new keys, and its own
// operations once more when they came too late. Pure: what is due follows from the log and the day, so whoever waited
// before doing it asks again whether it still is.
import type { Duty } from './duty.ts'
import type { Evaluator } from './evaluate.ts'
import type { Seat } from './facts.ts'
import { acks, checkpoints } from './finality-duties.ts'
import { hasOldKeys, repeated } from './late-duties.ts'
import { isInTime, operationsOf } from './open-motions.ts'
import type { Hex, Motion, Operation } from './operations.ts'
import { MAX_IDS } from './operation-schemas.ts'
import { majority } from './quorum.ts'

/**
 * What the holder of a member key has to do now, in the order in which it is best done.
 * @param me the member key; of somebody who is not in yet, the one of their candidacy
 * @param day today, since 1970-01-01 UTC
 * @param options.hasKeys whether the device has the secrets of the member's present keys: an older copy of it has not
 */
export function dutiesOf(evaluator: Evaluator, me: Hex, day: number, { hasKeys = true } = {}): Duty[] {
  const seat = evaluator.view().byMember.get(me)
  if (seat === undefined) return repeated(evaluator, me)
  return [
    ...repeated(evaluator, me),
    ...certificates(evaluator),
    ...acks(evaluator, seat, day),
    ...checkpoints(evaluator, day),
    ...rekeys(evaluator, seat, hasKeys)
  ]
}

function certificates(evaluator: Evaluator): Duty[] {
  const carried = new Set(counting(evaluator, 'certificate').map(({ motion }) => motion))
  return operationsOf(evaluator).flatMap((motion): Duty[] => {
    if (motion.type !== 'motion' || carried.has(motion.id) || !isWanted(evaluator, motion)) return []
    const ballots = evaluator.provenFor(motion.id).map(({ id }) => id)
    if (ballots.length < majority(evaluator.place(motion.id)!.ring.length)) return []
    return [{ type: 'certificate', isShared: true, motion: motion.id, ballots: ballots.slice(0, MAX_IDS).toSorted() }]
  })
}

/** Whether a motion may still be carried, and would change something. */
function isWanted(evaluator: Evaluator, { id, proposal }: Motion): boolean {
  if (!isInTime(evaluator, id)) return false
  return proposal.kind === 'rule' || evaluator.view().seats.has(proposal.identity)
}

/** Valid operations of a type that did not come too late. */
function counting<Type extends Operation['type']>(
  evaluator: Evaluator,
  type: Type
): Extract<Operation, { type: Type }>[] {
  return operationsOf(evaluator).filter(
    (o): o is Extract<Operation, { type: Type }> =>
      o.type === type && evaluator.invalidity(o.id) === undefined && !evaluator.isLate(o.id)
  )
}

/**
 * Once a period, whoever has keys of an older one, or has lost their secrets; unless some of this one came too late, which
 * {@link repeated} takes.
 */
function rekeys(evaluator: Evaluator, seat: Seat, hasKeys: boolean): Duty[] {
  if (hasKeys && !hasOldKeys(evaluator, seat)) return []
  const { period } = evaluator.view()
  const isMade = operationsOf(evaluator).some(
    (o) =>
      o.type === 'rekey' &&
      o.author === seat.member &&
      evaluator.before(o.id)!.period === period &&
      evaluator.invalidity(o.id) === undefined
  )
  return isMade ? [] : [{ type: 'rekey', isShared: false }]
}
