// Who is a member, as a function of the facts that are in a set and not late. The formulas, and why they are so, are in
// README.md under the same names.
import type { Facts, JoinFact, RekeyFact, RemovalFact, RetractFact, RuleFact, Seat } from './facts.ts'
import { areConcurrent, type Finality, isLate } from './finality.ts'
import type { Create, Hex, Keys } from './operations.ts'
import type { Past } from './past.ts'
import type { Rule } from './quorum.ts'

const NO_RIVALS: ReadonlyMap<Hex, readonly { at: number }[]> = new Map()

/** How a join's vouches add up in a set. */
export interface Count {
  /** Distinct tags that hold, without those taken back and those given from a slot that was used elsewhere. */
  vouches: number
  /** Members of the ring whose vouch, if it is among them, does not count. */
  discounted: number
  /** What the quorum asks for. */
  needed: number
}

export interface Members {
  /** By identity. */
  seats: ReadonlyMap<Hex, Seat>
  /** Joins that are admitted, by index. */
  admitted: ReadonlySet<number>
  /** Live removals, by identity. */
  removals: ReadonlyMap<Hex, readonly RemovalFact[]>
  /** The rules in force: one, or several that did not see each other. */
  rules: readonly Rule[]
}

/** A set of operations, what is stable in it, and where to look up pasts. */
export interface Scope {
  set: Past
  finality: Finality
  pastOf: (index: number) => Past
}

/** The facts of a set that count: neither they nor their motions are late. */
interface Live {
  joins: ReadonlySet<JoinFact>
  /** In the set, but late. */
  lateJoins: readonly JoinFact[]
  removals: ReadonlyMap<Hex, readonly RemovalFact[]>
  rules: readonly RuleFact[]
  rekeys: ReadonlyMap<Hex, readonly RekeyFact[]>
  retracts: readonly RetractFact[]
  slotUses: ReadonlyMap<Hex, readonly JoinFact[]>
  /** Live joins of people of whom the set has several, by identity; and rekeys of those by member key. */
  rivals: { joins: ReadonlyMap<Hex, readonly Placed[]>; rekeys: ReadonlyMap<Hex, readonly Placed[]> }
}

interface Placed {
  at: number
}

export function membersIn(create: Create, facts: Facts, scope: Scope): Members {
  const live = liveIn(facts, scope)
  const admitted = new Set<number>()
  const doubts = doubtsIn(live, live.lateJoins)
  // A ring's members joined in the past of the motion, so every join is judged after those that it depends on.
  for (const join of live.joins) {
    const isRemoved = hasRemovalBetween(live.removals.get(join.identity) ?? [], join, scope)
    const { vouches, discounted, needed } = count(join, live, doubts, scope)
    if (!isRemoved && vouches - discounted >= needed) admitted.add(join.at)
    else annul(join, doubts)
  }
  const seats = seatsOf(create, admitted, live, scope)
  return { seats, admitted, removals: live.removals, rules: rulesIn(create, live.rules, scope) }
}

/** How the vouches of a join add up, for showing it. `members` is what {@link membersIn} gave for the same scope. */
export function countIn(join: JoinFact, facts: Facts, { admitted }: Members, scope: Scope): Count {
  const live = liveIn(facts, scope)
  const annulled = [...live.lateJoins, ...live.joins].filter(({ at }) => !admitted.has(at))
  return count(join, live, doubtsIn(live, annulled), scope)
}

function liveIn(facts: Facts, { set, finality, pastOf }: Scope): Live {
  const isInTime = (at: number): boolean => !isLate(at, finality, pastOf)
  const inSet = <Fact extends { at: number }>(list: readonly Fact[]): Fact[] => list.filter(({ at }) => set.has(at))
  const isLive = ({ at, motion }: { at: number; motion: number }): boolean => isInTime(at) && isInTime(motion)
  const all = inSet(facts.joins)
  const joins = new Set(all.filter(({ at, motion }) => isLive({ at, motion: motion.at })))
  const rekeys = inSet(facts.rekeys)
  const liveRekeys = rekeys.filter(({ at }) => isInTime(at))
  return {
    joins,
    lateJoins: all.filter((join) => !joins.has(join)),
    removals: Map.groupBy(inSet(facts.removals).filter(isLive), ({ identity }) => identity),
    rules: inSet(facts.rules).filter(isLive),
    rekeys: Map.groupBy(liveRekeys, ({ member }) => member),
    retracts: inSet(facts.retracts),
    slotUses: facts.slotUses,
    rivals: {
      joins: rivalsAmong([...joins], all, ({ identity }) => identity),
      rekeys: rivalsAmong(liveRekeys, rekeys, ({ member }) => member)
    }
  }
}

/** Of whom it is to be asked whether their vouch counts. */
interface Doubts {
  /** Joins that are not admitted, by index. */
  annulled: Set<number>
  /** Identities of those who have such a join, were removed, or came in more than once. */
  people: Set<Hex>
}

function doubtsIn({ removals, rivals }: Live, annulled: readonly JoinFact[]): Doubts {
  const doubts = { annulled: new Set<number>(), people: new Set([...removals.keys(), ...rivals.joins.keys()]) }
  for (const join of annulled) annul(join, doubts)
  return doubts
}

function annul({ at, identity }: JoinFact, { annulled, people }: Doubts): void {
  annulled.add(at)
  people.add(identity)
}

/** Of those of whom there are several facts, the live ones: they may not have seen each other. */
function rivalsAmong<Fact extends Placed>(
  live: readonly Fact[],
  all: readonly Fact[],
  of: (fact: Fact) => Hex
): ReadonlyMap<Hex, readonly Placed[]> {
  if (new Set(all.map(of)).size === all.length) return NO_RIVALS
  const several = new Set([...Map.groupBy(all, of)].flatMap(([who, { length }]) => (length > 1 ? [who] : [])))
  return Map.groupBy(
    live.filter((fact) => several.has(of(fact))),
    of
  )
}

/** Of what was neither known when the motion was opened nor came after the join: it may have changed who vouched. */
function isBetween(at: number, join: JoinFact, { pastOf }: Scope): boolean {
  return !pastOf(join.motion.at).has(at) && !pastOf(at).has(join.at)
}

/** Not counting a certificate of a motion that had been carried out, and was known to be, when the candidacy was opened. */
function hasRemovalBetween(removals: readonly RemovalFact[], join: JoinFact, scope: Scope): boolean {
  const known = scope.pastOf(join.motion.at)
  const carriedOut = new Set(removals.filter(({ at }) => known.has(at)).map(({ motion }) => motion))
  return removals.some(({ at, motion }) => !carriedOut.has(motion) && isBetween(at, join, scope))
}

/** @param doubts at least those that come from joins before `join` */
function count(join: JoinFact, live: Live, doubts: Doubts, scope: Scope): Count {
  const discounted = discountedBy(join, live, doubts, scope)
  return { vouches: vouchesFor(join, live, scope), discounted, needed: join.motion.quorum }
}

function vouchesFor(join: JoinFact, live: Live, scope: Scope): number {
  if (!join.isContested && live.retracts.length === 0) return join.tags
  const counted = join.vouches.filter(
    ({ tag, slotTag }) => !isSpent(slotTag, join, live, scope) && !isRetracted(tag, join, live, scope)
  )
  return new Set(counted.map(({ tag }) => tag)).size
}

/** disc(j) */
function discountedBy(join: JoinFact, live: Live, { annulled, people }: Doubts, scope: Scope): number {
  const { seats } = join.motion
  const asked = live.rivals.rekeys.size > 0 ? seats.values() : people.values().map((identity) => seats.get(identity))
  let doubtful = 0
  for (const seat of asked) {
    if (seat === undefined) continue
    const removals = live.removals.get(seat.identity)
    const isDoubtful =
      annulled.has(seat.origin) ||
      (removals !== undefined && hasRemovalBetween(removals, join, scope)) ||
      hasRival(seat, join, live, scope)
    if (isDoubtful) doubtful++
  }
  return doubtful
}

/** Whether who has the seat came in, or took a new key, once more without the one having seen the other. */
function hasRival(seat: Seat, join: JoinFact, { rivals }: Live, scope: Scope): boolean {
  const isRivalOf =
    (origin: number) =>
    ({ at }: Placed) =>
      areConcurrent(at, origin, scope.pastOf) && isBetween(at, join, scope)
  if (rivals.joins.get(seat.identity)?.some(isRivalOf(seat.origin))) return true
  const isRekeyed = seat.keyOrigin !== seat.origin
  return isRekeyed && rivals.rekeys.get(seat.member)?.some(isRivalOf(seat.keyOrigin)) === true
}

/** Whether the voucher took it back, before a stable checkpoint above the join that does not know of it. */
function isRetracted(tag: Hex, join: JoinFact, { retracts }: Live, { finality, pastOf }: Scope): boolean {
  return retracts.some(
    (retract) =>
      retract.motion === join.motion.at &&
      retract.tag === tag &&
      !finality.stable.some(({ at }) => pastOf(at).has(join.at) && !pastOf(at).has(retract.at))
  )
}

/** Whether the slot was used for somebody else, in a join that did not come after this one. */
function isSpent(slotTag: Hex, join: JoinFact, live: Live, { pastOf }: Scope): boolean {
  const uses = live.slotUses.get(slotTag) ?? []
  return uses.some(
    (other) => other.motion.at !== join.motion.at && live.joins.has(other) && !pastOf(other.at).has(join.at)
  )
}

/** members = founders not removed ∪ { x : an admitted join j of x with no removal of x after j } */
function seatsOf(
  create: Create,
  admitted: ReadonlySet<number>,
  live: Live,
  { set, pastOf }: Scope
): ReadonlyMap<Hex, Seat> {
  const seats = new Map<Hex, Seat>()
  const take = (identity: Hex, member: Hex, keys: Keys, origin: number): void => {
    const rekey = lowest(newest(live.rekeys.get(member)?.filter(({ at }) => pastOf(at).has(origin)) ?? [], pastOf))
    const { ring, kem } = rekey ?? keys
    seats.set(identity, { identity, member, ring, kem, origin, keyOrigin: rekey?.at ?? origin })
  }
  for (const founder of set.has(0) ? create.founders : []) {
    if (!live.removals.has(founder.identity)) take(founder.identity, founder.member, founder, 0)
  }
  const seated = new Map<Hex, JoinFact>()
  for (const join of live.joins) {
    if (!admitted.has(join.at) || isRemovedAfter(join, live, pastOf)) continue
    const before = seated.get(join.identity)
    if (before === undefined ? seats.has(join.identity) : before.id < join.id) continue
    seated.set(join.identity, join)
    take(join.identity, join.member, join, join.at)
  }
  return seats
}

function isRemovedAfter(join: JoinFact, { removals }: Live, pastOf: Scope['pastOf']): boolean {
  return removals.get(join.identity)?.some(({ at }) => pastOf(at).has(join.at)) ?? false
}

/** The rules that no other replaced; those that did not see each other hold together. */
function rulesIn(create: Create, changes: readonly RuleFact[], { pastOf }: Scope): readonly Rule[] {
  const rules = newest(changes, pastOf).map(({ rule }) => rule)
  return rules.length > 0 ? rules : [create.rule]
}

/** Those that are in the past of no other. */
function newest<Fact extends { at: number }>(facts: readonly Fact[], pastOf: Scope['pastOf']): readonly Fact[] {
  if (facts.length < 2) return facts
  return facts.filter(({ at }) => !facts.some((other) => pastOf(other.at).has(at)))
}

/** The one with the lowest id, which is as good as any and the same everywhere. */
function lowest<Fact extends { id: Hex }>(facts: readonly Fact[]): Fact | undefined {
  return facts.length < 2 ? facts[0] : facts.toSorted((a, b) => (a.id < b.id ? -1 : 1))[0]
}
