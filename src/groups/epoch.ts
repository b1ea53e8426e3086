// Which of several content keys a writer uses. Epochs are made by whoever sees that one is needed, so several may be
// made at once; they are chosen by what they say, never by clock, and everybody chooses the same one.
import type { Epoch, Hex } from './operations.ts'
import type { View } from './view.ts'

/**
 * Among live epochs of which no recipient has gone, the one that most members can read, then the lowest id.
 * @param epochs the live ones: Evaluator.epochs
 * @returns undefined when a new one has to be made before anything is written
 */
export function writersEpoch(epochs: readonly Epoch[], view: View): Epoch | undefined {
  return epochs
    .filter(({ recipients }) => recipients.every((member) => view.byMember.has(member)))
    .toSorted((a, b) => b.recipients.length - a.recipients.length || (a.id < b.id ? -1 : 1))[0]
}

/** Member keys that a writer's epoch leaves out: they are to be given it, or a new one is to be made. */
export function withoutEpoch(epoch: Epoch | undefined, view: View): Hex[] {
  const recipients = new Set(epoch?.recipients)
  return [...view.byMember.keys()].filter((member) => !recipients.has(member)).toSorted()
}
