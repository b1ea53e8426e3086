// What is asked of a nameless operation before it is passed on: that it counts for its motion, and that its proof holds.
import { type Anonymous, GroupError, hasPlace, isPossessed, isProven, readOperation } from '../../groups/index.ts'
import { NodeError } from '../comrade.ts'
import type { LocalGroup } from './local-group.ts'

/** @throws GroupError when whoever made or passed it on is to blame; NodeError NOT_FOUND when its motion is not here */
export async function checkNameless(group: LocalGroup, bytes: Uint8Array): Promise<Anonymous> {
  const operation = readOperation(bytes, group.hex, isPossessed)
  if (operation.type !== 'vouch' && operation.type !== 'ballot' && operation.type !== 'retract')
    throw new GroupError('OPERATION', 'an operation that names its author is not passed on namelessly')
  const evaluator = group.evaluator
  const at = evaluator?.log.indexOf(operation.motion)
  if (evaluator === undefined || at === undefined) throw new NodeError('NOT_FOUND', 'what it is about is not here')
  const place = evaluator.place(operation.motion)!
  const { rules } = evaluator.before(operation.motion)!
  const isValid = evaluator.invalidity(operation.motion) === undefined
  if (
    !isValid ||
    !hasPlace(operation, evaluator.log.at(at), { ring: place.ring, rules }) ||
    !isProven(operation, place)
  )
    throw new GroupError('OPERATION', `the ${operation.type} does not count: its form or its proof is wrong`)
  return operation
}
