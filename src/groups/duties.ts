// What a member's device does for its group without being asked: certificates, checkpoints, acks, new keys, and its own
// operations once more when they came too late. Pure: what is due follows from the log and the day, so whoever waited
// before doing it asks again whether it still is.
import type { Evaluator } from './evaluate.ts'
import type { CheckpointFact, Seat } from './facts.ts'
import { DAYS_PER_PERIOD } from './finality.ts'
import type { Hex, Motion, Operation, SignedOperation } from './operations.ts'
import { MAX_IDS } from './operation-schemas.ts'
import { majority } from './quorum.ts'
import { isExpired, MOTION_LIFE_PERIODS } from './validity.ts'

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

/** Something to sign now. `isShared`: any member may do it, and one is enough. */
export type Duty = { isShared: boolean } & (
  | { type: 'certificate'; motion: Hex; ballots: readonly Hex[] }
  /** `carried`: to stand on besides what everything new stands on. */
  | { type: 'checkpoint'; day: number; retracts: readonly Hex[]; carried: readonly Hex[] }
  | { type: 'ack'; checkpoint: Hex }
  | { type: 'rekey' }
  /** One's own operation, which came too late: its body is signed again on the present heads. */
  | { type: 'again'; of: Hex }
)

/** Names a duty, so that somebody who waits can tell whether it is still the same one. */
export function dutyKey(duty: Duty): string {
  switch (duty.type) {
    case 'certificate':
      return `certificate ${duty.motion}`
    case 'checkpoint':
      return `checkpoint ${duty.day}`
    case 'ack':
      return `ack ${duty.checkpoint}`
    case 'rekey':
      return 'rekey'
    case 'again':
      return `again ${duty.of}`
  }
}

/**
 * What the holder of a member key has to do now, in the order in which it is best done.
 * @param me the member key; of somebody who is not in yet, the one of their candidacy
 * @param day today, since 1970-01-01 UTC
 */
export function dutiesOf(evaluator: Evaluator, me: Hex, day: number): Duty[] {
  const seat = evaluator.view().byMember.get(me)
  if (seat === undefined) return repeated(evaluator, me)
  return [
    ...repeated(evaluator, me),
    ...certificates(evaluator),
    ...acks(evaluator, seat, day),
    ...checkpoints(evaluator, day),
    ...rekeys(evaluator, seat)
  ]
}

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
  const open = new Set(
    operationsOf(evaluator).flatMap((o) => (isOpen(evaluator, o) ? evaluator.place(o.id)!.ring : []))
  )
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

/** Whether a motion's statements may still matter: it is in time, and not decided for good. */
function isOpen(evaluator: Evaluator, operation: Operation): boolean {
  if (operation.type !== 'candidacy' && operation.type !== 'motion') return false
  return isInTime(evaluator, operation.id) && !isDecided(evaluator, operation)
}

/** Valid, not late, and of a period that is not over. */
function isInTime(evaluator: Evaluator, motion: Hex): boolean {
  if (evaluator.invalidity(motion) !== undefined || evaluator.isLate(motion)) return false
  return !isExpired(evaluator.before(motion)!, evaluator.view())
}

/** Whether a stable checkpoint has a join or certificate for it. */
function isDecided(evaluator: Evaluator, { id }: Operation): boolean {
  const { log } = evaluator
  const { last } = evaluator.view()
  if (last === undefined) return false
  return operationsOf(evaluator).some(
    (o) => decidedBy(o) === id && evaluator.invalidity(o.id) === undefined && log.past(last.at).has(log.indexOf(o.id)!)
  )
}

/** The motion that an operation decides. */
function decidedBy(operation: Operation): Hex | undefined {
  if (operation.type === 'join') return operation.candidacy
  return operation.type === 'certificate' ? operation.motion : undefined
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

/** Checkpoints on top of the last stable one, whose acks are still being given. */
function pending(evaluator: Evaluator): CheckpointFact[] {
  const { log } = evaluator
  const { last } = evaluator.view()
  return evaluator.checkpoints().filter(({ at }) => last === undefined || log.past(at).has(last.at))
}

/** Whether a checkpoint can still become stable: by its day, its roster, and those who acked something else. */
function isViable(evaluator: Evaluator, checkpoint: CheckpointFact, day: number): boolean {
  const { id, at, roster, needed } = checkpoint
  if (Math.abs(checkpoint.day - day) > MAX_DAYS_OFF || !knowsTheLast(evaluator, id)) return false
  const { log } = evaluator
  const elsewhere = new Set(
    pending(evaluator).flatMap((other) =>
      other === checkpoint || log.past(at).has(other.at) ? [] : other.acks.map(({ identity }) => identity)
    )
  )
  for (const { identity } of checkpoint.acks) elsewhere.delete(identity)
  return roster.difference(elsewhere).size >= needed
}

/** One that did not know of the last stable checkpoint has the roster of an older one. */
function knowsTheLast(evaluator: Evaluator, checkpoint: Hex): boolean {
  return evaluator.before(checkpoint)!.last === evaluator.view().last
}

function checkpoints(evaluator: Evaluator, day: number): Duty[] {
  const { last, seats, period } = evaluator.view()
  const { log } = evaluator
  const firstDay = log.create.day
  if (day < (last?.day ?? firstDay)) return []
  const hasNewPeriod = Math.floor((day - firstDay) / DAYS_PER_PERIOD) > period
  const isTime = last === undefined ? seats.size >= FIRST_ROSTER : day > last.day
  if (!hasNewPeriod && !(isTime && hasGrown(evaluator))) return []
  // Those that nobody could ack, made for a day to come or on old heads, keep nobody from another one.
  const before = pending(evaluator).filter((each) => each.day <= day + MAX_DAYS_OFF && knowsTheLast(evaluator, each.id))
  if (before.some((checkpoint) => isViable(evaluator, checkpoint, day)) || !mayTryAgain(before, day)) return []
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

/** One checkpoint at a time: that which most acked, and which everybody else takes for the same reasons. */
function acks(evaluator: Evaluator, { identity }: Seat, day: number): Duty[] {
  const { log } = evaluator
  const { finality } = evaluator.view()
  const acked = evaluator.checkpoints().filter((checkpoint) => checkpoint.acks.some((ack) => ack.identity === identity))
  if (acked.filter((checkpoint) => checkpoint.day >= day - MAX_DAYS_OFF).length >= MAX_ACKS) return []
  const viable = pending(evaluator).filter((checkpoint) => isViable(evaluator, checkpoint, day))
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

/** Once a period, whoever has keys of an older one; unless some of this one came too late, which {@link repeated} takes. */
function rekeys(evaluator: Evaluator, seat: Seat): Duty[] {
  if (!hasOldKeys(evaluator, seat)) return []
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

function hasOldKeys(evaluator: Evaluator, { keyOrigin }: Seat): boolean {
  return evaluator.before(evaluator.log.at(keyOrigin).id)!.period < evaluator.view().period
}

/** Own operations that are valid but late, where nothing has taken their place. */
function repeated(evaluator: Evaluator, me: Hex): Duty[] {
  const own = operationsOf(evaluator).filter((o): o is SignedOperation => 'author' in o && o.author === me)
  const valid = own.filter(({ id }) => evaluator.invalidity(id) === undefined)
  const [late, live] = [valid.filter(({ id }) => evaluator.isLate(id)), valid.filter(({ id }) => !evaluator.isLate(id))]
  const due = late.filter((o) => isStillMeant(evaluator, o, live))
  // Of several with one purpose the newest.
  return [...new Map(due.map((o) => [purposeOf(o), o.id])).values()].map((of) => ({
    type: 'again',
    isShared: false,
    of
  }))
}

function isStillMeant(evaluator: Evaluator, operation: SignedOperation, live: readonly SignedOperation[]): boolean {
  const { log } = evaluator
  const { seats, byMember, period } = evaluator.view()
  const at = log.indexOf(operation.id)!
  const seat = byMember.get(operation.author)
  const isReplaced = live.some(
    (other) =>
      purposeOf(other) === purposeOf(operation) &&
      (log.past(log.indexOf(other.id)!).has(at) || isOpen(evaluator, other) || other.type === 'join')
  )
  const isRecent = period - evaluator.before(operation.id)!.period <= MOTION_LIFE_PERIODS
  switch (operation.type) {
    case 'candidacy':
      return !isReplaced && isRecent && !seats.has(operation.identity) && (operation.isOwn || seat !== undefined)
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

function operationsOf({ log }: Pick<Evaluator, 'log'>): Operation[] {
  return Array.from({ length: log.size }, (_, at) => log.at(at))
}
