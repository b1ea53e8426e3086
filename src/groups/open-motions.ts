// What may still be decided in a group.
import type { Evaluator } from './evaluate.ts'
import type { Hex, Operation } from './operations.ts'
import { isExpired } from './validity.ts'

/** Motions and candidacies whose statements may still matter: they are in time, and not decided for good. */
export function openMotions(evaluator: Evaluator): Operation[] {
  const decided = decidedMotions(evaluator)
  return operationsOf(evaluator).filter(
    ({ id, type }) => (type === 'candidacy' || type === 'motion') && !decided.has(id) && isInTime(evaluator, id)
  )
}

/** Valid, not late, and of a period that is not over. */
export function isInTime(evaluator: Evaluator, motion: Hex): boolean {
  if (evaluator.invalidity(motion) !== undefined || evaluator.isLate(motion)) return false
  return !isExpired(evaluator.before(motion)!, evaluator.view())
}

/** Those for which a stable checkpoint has a join or certificate. */
function decidedMotions(evaluator: Evaluator): Set<Hex> {
  const { log } = evaluator
  const { last } = evaluator.view()
  if (last === undefined) return new Set()
  const final = operationsOf(evaluator).filter((_, at) => log.past(last.at).has(at))
  return new Set(
    final.flatMap((o) => {
      const motion = decidedBy(o)
      return motion !== undefined && evaluator.invalidity(o.id) === undefined ? [motion] : []
    })
  )
}

/** The motion that an operation decides. */
function decidedBy(operation: Operation): Hex | undefined {
  if (operation.type === 'join') return operation.candidacy
  return operation.type === 'certificate' ? operation.motion : undefined
}

export function operationsOf({ log }: Pick<Evaluator, 'log'>): Operation[] {
  return Array.from({ length: log.size }, (_, at) => log.at(at))
}
