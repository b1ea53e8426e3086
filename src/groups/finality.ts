// What cannot change any more: checkpoints that more than two thirds acked, and what comes too late for them.
import type { CheckpointFact, RemovalFact } from './facts.ts'
import type { Hex } from './operations.ts'
import type { Past } from './past.ts'
import { majority, supermajority } from './quorum.ts'

export const DAYS_PER_PERIOD = 30

export interface Finality {
  /** By rising index. */
  stable: readonly CheckpointFact[]
  /** Each is in the past of the next, as it always is unless a third of the roster acks against the rules. */
  isChain: boolean
}

type PastOf = (index: number) => Past

export const NOTHING_STABLE: Finality = { stable: [], isChain: true }

/**
 * roster(c), and how many of it have to ack c. Who left by their own signature counts no longer, nor does who was
 * expelled; but of those who did not leave more than half have to ack, however many of them were expelled.
 * @param members at the last stable checkpoint in past(c), by identity; at first the founders
 * @param removals those that count in past(c) and came after that checkpoint
 */
export function rosterOf(
  members: ReadonlySet<Hex>,
  removals: readonly RemovalFact[]
): Pick<CheckpointFact, 'roster' | 'needed'> {
  const left = new Set(removals.filter(({ ballots }) => ballots === undefined).map(({ identity }) => identity))
  const stayed = members.difference(left)
  const roster = stayed.difference(new Set(removals.map(({ identity }) => identity)))
  return { roster, needed: Math.max(supermajority(roster.size), majority(stayed.size)) }
}

/**
 * stable(c): acks of at least as many of c's roster as it needs, counted in a set. It is decided from the newest checkpoint down:
 * an ack that is late for a stable checkpoint above is as inert as anything late. So nobody can hold back the ack that
 * an old checkpoint lacks, and bring it out when it would undo what has become final since.
 */
export function stableIn(set: Past, checkpoints: readonly CheckpointFact[], pastOf: PastOf): Finality {
  const stable: CheckpointFact[] = []
  let isChain = true
  for (const checkpoint of checkpoints.toReversed()) {
    if (!set.has(checkpoint.at)) continue
    const isBelow = (other: CheckpointFact): boolean => pastOf(other.at).has(checkpoint.at)
    const isLowest = stable.length === 0 || isBelow(stable[0])
    // The lowest of a chain has all the others above it.
    const above = isChain && isLowest ? { stable, isChain } : { stable: stable.filter(isBelow), isChain: false }
    if (!hasAcks(checkpoint, (ack) => set.has(ack) && !isLate(ack, above, pastOf))) continue
    stable.unshift(checkpoint)
    isChain &&= isLowest
  }
  return { stable, isChain }
}

/** Whether enough of the roster acked a checkpoint, by the acks that count. */
export function hasAcks({ acks, needed }: CheckpointFact, counts: (ack: number) => boolean): boolean {
  if (acks.length < needed) return false
  const voters = new Set<string>()
  return acks.some(({ at, identity }) => counts(at) && voters.add(identity).size >= needed)
}

/** late(o): neither in the past of some stable checkpoint, nor on top of it. */
export function isLate(at: number, { stable, isChain }: Finality, pastOf: PastOf): boolean {
  if (!isChain) return stable.some((checkpoint) => areConcurrent(at, checkpoint.at, pastOf))
  // In a chain those below o come first, and if the next one has o in its past, so have all after it.
  const past = pastOf(at)
  let low = 0
  let high = stable.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (past.has(stable[middle].at)) low = middle + 1
    else high = middle
  }
  return low < stable.length && areConcurrent(at, stable[low].at, pastOf)
}

/** The last stable checkpoint: the one with the most of them in its past, then the lowest id. */
export function lastStable({ stable, isChain }: Finality, pastOf: PastOf): CheckpointFact | undefined {
  if (isChain) return stable.at(-1)
  const depth = (checkpoint: CheckpointFact): number => stable.filter(({ at }) => pastOf(checkpoint.at).has(at)).length
  return stable.toSorted((a, b) => depth(b) - depth(a) || (a.id < b.id ? -1 : 1))[0]
}

/** The number of the period that a checkpoint's day is in, counted from the group's first day. */
export function periodOf(last: CheckpointFact | undefined, firstDay: number): number {
  return last === undefined ? 0 : Math.floor((last.day - firstDay) / DAYS_PER_PERIOD)
}

/** Whether neither is in the other's past. */
export function areConcurrent(a: number, b: number, pastOf: PastOf): boolean {
  return a !== b && !pastOf(a).has(b) && !pastOf(b).has(a)
}
