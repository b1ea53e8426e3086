// When a checkpoint is due, and whose ack. Both follow from the log and the day, so that devices which see the same do the
// same, and a group in which nothing happens comes to rest.
import type { Duty } from './duty.ts'
import type { Evaluator } from './evaluate.ts'
import type { CheckpointFact, Seat } from './facts.ts'
import { DAYS_PER_PERIOD } from './finality.ts'
import { isInTime } from './open-motions.ts'
import type { Hex, Operation } from './operations.ts'
import { MAX_IDS } from './operation-schemas.ts'

/**
 * Members at the first checkpoint. The default quorum is above one from here on, so that there is something to protect,
 * and a roster of four goes on when one of it falls silent; one of two or three would not.
 */
export const FIRST_ROSTER = 4
/** A checkpoint of another day than today is acked when it is this near: clocks differ, and nights end. */
export const MAX_DAYS_OFF = 1
/** Most days between attempts while no checkpoint gets its acks. */
const MAX_DAYS_BETWEEN = 16
/** Attempts in a row, where the acks were split between several checkpoints. */
const MAX_SPLITS = 3
/** Most candidacies of strangers, for whom nobody has vouched yet, that one checkpoint carries on. */
const MAX_CARRIED = 16
/** Checkpoints of these days that one member acks at most: somebody who makes many makes nobody sign without end. */
const MAX_ACKS = 4

/** A checkpoint, where the last stable one is of another day or period, and something happened since. */
export function checkpoints(evaluator: Evaluator, day: number): Duty[] {
  const { last, seats, period } = evaluator.view()
  const { log } = evaluator
  const firstDay = log.create.day
  if (day < (last?.day ?? firstDay)) return []
  const hasNewPeriod = Math.floor((day - firstDay) / DAYS_PER_PERIOD) > period
  const isTime = last === undefined ? seats.size >= FIRST_ROSTER : day > last.day
  if (!hasNewPeriod && !(isTime && hasGrown(evaluator))) return []
  // Those that nobody could ack, made for a day to come or on old heads, keep nobody from another one.
  const before = pending(evaluator).filter((each) => each.day <= day + MAX_DAYS_OFF && knowsTheLast(evaluator, each.id))
  if (viableOf(evaluator, day).length > 0 || !mayTryAgain(before, day)) return []
  const retracts = retractsSince(evaluator).slice(0, MAX_IDS)
  return [{ type: 'checkpoint', isShared: true, day, retracts, carried: carried(evaluator) }]
}

/** Candidacies of strangers that would be late for a checkpoint which does not know of them: those that came first. */
function carried(evaluator: Evaluator): Hex[] {
  const { log } = evaluator
  const heads = evaluator.heads().map((id) => log.indexOf(id)!)
  const { seats } = evaluator.view()
  const loose: Hex[] = []
  for (let at = 1; at < log.size && loose.length < MAX_CARRIED; at++) {
    const operation = log.at(at)
    if (operation.type !== 'candidacy' || !operation.isOwn || seats.has(operation.identity)) continue
    if (heads.some((head) => head === at || log.past(head).has(at))) continue
    if (isInTime(evaluator, operation.id)) loose.push(operation.id)
  }
  return loose
}

/** One checkpoint at a time: that which most acked, and which everybody else takes for the same reasons. */
export function acks(evaluator: Evaluator, { identity }: Seat, day: number): Duty[] {
  const { log } = evaluator
  const { finality } = evaluator.view()
  const acked = evaluator.checkpoints().filter((checkpoint) => checkpoint.acks.some((ack) => ack.identity === identity))
  if (acked.filter((checkpoint) => checkpoint.day >= day - MAX_DAYS_OFF).length >= MAX_ACKS) return []
  const viable = viableOf(evaluator, day)
  if (viable.some((checkpoint) => acked.includes(checkpoint))) return []
  const isUnder = (other: CheckpointFact, of: CheckpointFact): boolean => log.past(of.at).has(other.at)
  const [best] = viable
    .filter(({ roster }) => roster.has(identity))
    .filter((checkpoint) => [...acked, ...finality.stable].every((other) => isUnder(other, checkpoint)))
    .map((checkpoint) => ({ checkpoint, depth: log.past(checkpoint.at).size }))
    .toSorted(
      (a, b) =>
        b.checkpoint.acks.length - a.checkpoint.acks.length ||
        b.depth - a.depth ||
        (a.checkpoint.id < b.checkpoint.id ? -1 : 1)
    )
  return best === undefined ? [] : [{ type: 'ack', isShared: false, checkpoint: best.checkpoint.id }]
}

/** Checkpoints on top of the last stable one, whose acks are still being given. */
function pending(evaluator: Evaluator): CheckpointFact[] {
  const { log } = evaluator
  const { last } = evaluator.view()
  return evaluator.checkpoints().filter(({ at }) => last === undefined || log.past(at).has(last.at))
}

/** Those that can still become stable: by their day, their roster, and who acked something else. */
function viableOf(evaluator: Evaluator, day: number): CheckpointFact[] {
  const { log } = evaluator
  const all = pending(evaluator)
  return all.filter((checkpoint) => {
    const { id, at, roster, needed, acks } = checkpoint
    if (Math.abs(checkpoint.day - day) > MAX_DAYS_OFF || !knowsTheLast(evaluator, id)) return false
    const others = all.filter((other) => other !== checkpoint && other.acks.length > 0 && !log.past(at).has(other.at))
    const elsewhere = new Set(others.flatMap((other) => other.acks.map(({ identity }) => identity)))
    for (const { identity } of acks) elsewhere.delete(identity)
    return roster.difference(elsewhere).size >= needed
  })
}

/** One that did not know of the last stable checkpoint has the roster of an older one. */
function knowsTheLast(evaluator: Evaluator, checkpoint: Hex): boolean {
  return evaluator.before(checkpoint)!.last === evaluator.view().last
}

/** At once where acks were split; else after twice as many days each time, since somebody is missing. */
function mayTryAgain(before: readonly CheckpointFact[], day: number): boolean {
  if (before.length === 0) return true
  const newest = Math.max(...before.map((checkpoint) => Math.min(checkpoint.day, day)))
  if (day - newest <= MAX_DAYS_OFF) return before.length <= MAX_SPLITS
  return day >= newest + Math.min(2 ** before.length, MAX_DAYS_BETWEEN)
}

/** Whether something happened since the last stable checkpoint but checkpoints and acks themselves. */
function hasGrown(evaluator: Evaluator): boolean {
  const { log } = evaluator
  const { last } = evaluator.view()
  for (let at = log.size - 1; at > (last?.at ?? 0); at--) {
    const operation = log.at(at)
    if (last !== undefined && log.past(last.at).has(at)) continue
    if (operation.type !== 'retract' && !isGrowth(operation)) continue
    if (evaluator.invalidity(operation.id) === undefined && !evaluator.isLate(operation.id)) return true
  }
  return retractsSince(evaluator).length > 0
}

/** A stranger's candidacy is nothing yet, and nothing that a member signs stands on it. */
function isGrowth(operation: Operation): boolean {
  if (!('author' in operation) || operation.type === 'unknown') return false
  if (operation.type === 'candidacy') return !operation.isOwn
  return operation.type !== 'checkpoint' && operation.type !== 'ack'
}

/** Retracts that no stable checkpoint has: this one is to say that they were in time. */
function retractsSince(evaluator: Evaluator): Hex[] {
  const { log } = evaluator
  const { last } = evaluator.view()
  const ids: Hex[] = []
  for (let at = 0; at < log.size; at++) {
    const operation = log.at(at)
    if (operation.type !== 'retract' || (last !== undefined && log.past(last.at).has(at))) continue
    if (isInTime(evaluator, operation.motion) && evaluator.invalidity(operation.id) === undefined)
      ids.push(operation.id)
  }
  return ids.toSorted()
}
