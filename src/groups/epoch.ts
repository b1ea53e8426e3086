// Which of several content keys a writer uses, and when another is needed. Epochs are made by whoever sees that one is
// needed, so several may be made at once; they are chosen by what they say, never by clock, and everybody chooses the
// same one.
import type { Evaluator } from './evaluate.ts'
import { MAX_RECIPIENTS } from './operation-schemas.ts'
import type { Epoch, Hex } from './operations.ts'
import type { View } from './view.ts'

/**
 * Among live epochs of which no recipient has gone, nor who made it and so knows its secret: the one that most members
 * can read; of these one that no other of them stands on, so that a member who was given a wrong key can make a better
 * one; then the lowest id.
 * @param epochs the live ones: Evaluator.epochs
 * @param isPast whether the first is in the past of the second, by id @default never
 * @returns undefined when a new one has to be made before anything is written
 */
export function writersEpoch(
  epochs: readonly Epoch[],
  view: View,
  isPast: (id: Hex, of: Hex) => boolean = () => false
): Epoch | undefined {
  const usable = epochs.filter(
    ({ author, recipients }) => view.byMember.has(author) && recipients.every((member) => view.byMember.has(member))
  )
  const most = Math.max(...usable.map(({ recipients }) => recipients.length))
  const widest = usable.filter(({ recipients }) => recipients.length === most)
  return widest
    .filter(({ id }) => !widest.some((other) => isPast(id, other.id)))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))[0]
}

/** Member keys that a writer's epoch leaves out: they are to be given it, or a new one is to be made. */
export function withoutEpoch(epoch: Epoch | undefined, view: View): Hex[] {
  const recipients = new Set(epoch?.recipients)
  return [...view.byMember.keys()].filter((member) => !recipients.has(member)).toSorted()
}

/**
 * Why a member's device should make an epoch: nobody may write yet ('none'), somebody cannot read what is written
 * ('left out'), or this member was listed and given a key that is not the one it is called ('cheated').
 * @param mayOpen whether this member has the secret of an epoch
 * @returns undefined when there is no need, when the group is open to read, or is larger than an epoch can be
 */
export function epochNeed(
  evaluator: Evaluator,
  mayOpen: (epoch: Epoch) => boolean
): 'none' | 'left out' | 'cheated' | undefined {
  const view = evaluator.view()
  const { size } = view.byMember
  if (evaluator.log.create.reading === 'open' || size === 0 || size > MAX_RECIPIENTS) return undefined
  const epoch = currentEpoch(evaluator)
  if (epoch === undefined) return 'none'
  if (withoutEpoch(epoch, view).length > 0) return 'left out'
  return mayOpen(epoch) ? undefined : 'cheated'
}

/** The epoch that writers use now, by all that is placed. */
export function currentEpoch(evaluator: Evaluator): Epoch | undefined {
  const { log } = evaluator
  return writersEpoch(evaluator.epochs(), evaluator.view(), (id, of) =>
    log.past(log.indexOf(of)!).has(log.indexOf(id)!)
  )
}
