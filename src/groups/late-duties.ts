// What somebody said too late for a stable checkpoint, and still means: it is said again.
import type { Duty } from './duty.ts'
import type { Evaluator } from './evaluate.ts'
import type { Seat } from './facts.ts'
import { isInTime, openMotions, operationsOf } from './open-motions.ts'
import type { Candidacy, Hex, SignedOperation } from './operations.ts'
import { MOTION_LIFE_PERIODS } from './validity.ts'

/** Own operations that are valid but late, where nothing has taken their place. */
export function repeated(evaluator: Evaluator, me: Hex): Duty[] {
  const own = operationsOf(evaluator).filter((o): o is SignedOperation => 'author' in o && o.author === me)
  const valid = own.filter(({ id }) => evaluator.invalidity(id) === undefined)
  const [late, live] = [valid.filter(({ id }) => evaluator.isLate(id)), valid.filter(({ id }) => !evaluator.isLate(id))]
  if (late.length === 0) return []
  const open = new Set(openMotions(evaluator).map(({ id }) => id))
  const due = late.filter((o) => isStillMeant(evaluator, o, { live, open }))
  // Of several with one purpose the newest.
  return [...new Map(due.map((o) => [purposeOf(o), o.id])).values()].map((of) => ({
    type: 'again',
    isShared: false,
    of
  }))
}

/** @param own what counts of the author's operations, and which motions are open */
function isStillMeant(
  evaluator: Evaluator,
  operation: SignedOperation,
  own: { live: readonly SignedOperation[]; open: ReadonlySet<Hex> }
): boolean {
  const { log } = evaluator
  const { seats, byMember, period } = evaluator.view()
  const at = log.indexOf(operation.id)!
  const seat = byMember.get(operation.author)
  const isReplaced = own.live.some(
    (other) =>
      purposeOf(other) === purposeOf(operation) &&
      (log.past(log.indexOf(other.id)!).has(at) || own.open.has(other.id) || other.type === 'join')
  )
  const isRecent = period - evaluator.before(operation.id)!.period <= MOTION_LIFE_PERIODS
  switch (operation.type) {
    case 'candidacy':
      return !isReplaced && isRecent && (operation.isOwn || seat !== undefined) && !hasComeIn(evaluator, operation)
    case 'join':
      return !isReplaced && !seats.has(operation.identity) && isInTime(evaluator, operation.candidacy)
    case 'motion': {
      const { proposal } = operation
      const isOf = proposal.kind === 'rule' || seats.has(proposal.identity)
      return !isReplaced && isRecent && seat !== undefined && isOf
    }
    case 'leave':
      // Had another one counted, they would not be in by what this one has in its past.
      return seat !== undefined && log.past(at).has(seat.origin)
    case 'rekey':
      return seat !== undefined && hasOldKeys(evaluator, seat) && evaluator.before(operation.id)!.period === period
    default:
      return false
  }
}

/** Whether the candidate came in since, also where they have gone again: that was not meant. */
function hasComeIn(evaluator: Evaluator, { id, identity }: Candidacy): boolean {
  const { log } = evaluator
  const past = log.past(log.indexOf(id)!)
  return operationsOf(evaluator).some(
    (o, at) => o.type === 'join' && o.identity === identity && !past.has(at) && evaluator.view().admitted.has(at)
  )
}

/** What somebody wanted by an operation: two of them want the same thing once. */
function purposeOf(operation: SignedOperation): string | undefined {
  switch (operation.type) {
    case 'candidacy':
      return `candidacy ${operation.identity}`
    case 'join':
      return `join ${operation.candidacy}`
    case 'motion':
      return `motion ${JSON.stringify(operation.proposal)}`
    case 'leave':
    case 'rekey':
      return operation.type
    default:
      return undefined
  }
}

/** Whether a member's keys are of an earlier period than this. */
export function hasOldKeys(evaluator: Evaluator, { keyOrigin }: Seat): boolean {
  return evaluator.before(evaluator.log.at(keyOrigin).id)!.period < evaluator.view().period
}
