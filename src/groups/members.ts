// Who is a member, as a function of the facts that are in a set and not late. The formulas, and why they are so, are in
// README.md under the same names.
import type { Facts, JoinFact, RekeyFact, RemovalFact, RetractFact, RuleFact, Seat } from './facts.ts'
import { areConcurrent, type Finality, isLate } from './finality.ts'
import type { Create, Hex, Keys } from './operations.ts'
import type { Past } from './past.ts'
import type { Rule } from './quorum.ts'

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
  joins: readonly JoinFact[]
  /** In the set, but late. */
  lateJoins: readonly JoinFact[]
  removals: ReadonlyMap<Hex, readonly RemovalFact[]>
  rules: readonly RuleFact[]
  rekeys: ReadonlyMap<Hex, readonly RekeyFact[]>
  retracts: readonly RetractFact[]
  slotUses: ReadonlyMap<Hex, readonly JoinFact[]>
  rivals: readonly Rival[]
}

/** One who came in, or took a new key, twice: a live operation that did not see another one for the same seat. */
interface Rival {
  at: number
  against: number
  /** Of joins the identity, of rekeys the member key. */
  of: Hex
}

export function membersIn(create: Create, facts: Facts, scope: Scope): Members {
  const live = liveIn(facts, scope)
  const admitted = new Set<number>()
  const annulled = [...live.lateJoins]
  // A ring's members joined in the past of the motion, so every join is judged after those that it depends on.
  for (const join of live.joins) {
    const isRemoved = hasRemovalBetween(live.removals.get(join.identity) ?? [], join, scope)
    const { vouches, discounted, needed } = count(join, live, annulled, scope)
    if (!isRemoved && vouches - discounted >= needed) admitted.add(join.at)
    else annulled.push(join)
  }
  const seats = seatsOf(create, admitted, live, scope)
  return { seats, admitted, removals: live.removals, rules: rulesIn(create, live.rules, scope) }
}

/** How the vouches of a join add up, for showing it. `members` is what {@link membersIn} gave for the same scope. */
export function countIn(join: JoinFact, facts: Facts, { admitted }: Members, scope: Scope): Count {
  const live = liveIn(facts, scope)
  const annulled = [...live.lateJoins, ...live.joins.filter(({ at }) => !admitted.has(at))]
  return count(join, live, annulled, scope)
}

function liveIn(facts: Facts, { set, finality, pastOf }: Scope): Live {
  const isInTime = (at: number): boolean => !isLate(at, finality, pastOf)
  const inSet = <Fact extends { at: number }>(list: readonly Fact[]): Fact[] => list.filter(({ at }) => set.has(at))
  const isLive = ({ at, motion }: { at: number; motion: number }): boolean => isInTime(at) && isInTime(motion)
  const all = inSet(facts.joins)
  const joins = all.filter(({ at, motion }) => isLive({ at, motion: motion.at }))
  const rekeys = inSet(facts.rekeys)
  const liveRekeys = rekeys.filter(({ at }) => isInTime(at))
  return {
    joins,
    lateJoins: joins.length === all.length ? [] : all.filter((join) => !joins.includes(join)),
    removals: Map.groupBy(inSet(facts.removals).filter(isLive), ({ identity }) => identity),
    rules: inSet(facts.rules).filter(isLive),
    rekeys: Map.groupBy(liveRekeys, ({ member }) => member),
    retracts: inSet(facts.retracts),
    slotUses: facts.slotUses,
    rivals: [
      ...rivalsAmong(joins, joins, ({ identity }) => identity, pastOf),
      ...rivalsAmong(liveRekeys, rekeys, ({ member }) => member, pastOf)
    ]
  }
}

/** Who of `live` did not see one of `all` that is of the same person. */
function rivalsAmong<Fact extends { at: number }>(
  live: readonly Fact[],
  all: readonly Fact[],
  of: (fact: Fact) => Hex,
  pastOf: Scope['pastOf']
): Rival[] {
  if (new Set(all.map(of)).size === all.length) return []
  return [...Map.groupBy(all, of)].flatMap(([who, facts]) => {
    if (facts.every(({ at }, i) => i === 0 || pastOf(at).has(facts[i - 1].at))) return []
    return facts.flatMap(({ at: against }) =>
      live
        .filter((fact) => of(fact) === who && areConcurrent(fact.at, against, pastOf))
        .map(({ at }) => ({ at, against, of: who }))
    )
  })
}

/** Of what was neither known when the motion was opened nor came after the join: it may have changed who vouched. */
function isBetween(at: number, join: JoinFact, { pastOf }: Scope): boolean {
  return !pastOf(join.motion.at).has(at) && !pastOf(at).has(join.at)
}

/** Not counting a certificate of a motion that had been carried out, and was known to be, when the candidacy was opened. */
function hasRemovalBetween(removals: readonly RemovalFact[], join: JoinFact, scope: Scope): boolean {
  const known = scope.pastOf(join.motion.at)
  return removals.some(
    ({ at, motion }) =>
      isBetween(at, join, scope) && !removals.some((other) => other.motion === motion && known.has(other.at))
  )
}

/** @param annulled joins of the set that are not admitted, at least those before `join` */
function count(join: JoinFact, live: Live, annulled: readonly JoinFact[], scope: Scope): Count {
  const discounted = discountedBy(join, live, annulled, scope)
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
function discountedBy(join: JoinFact, live: Live, annulled: readonly JoinFact[], scope: Scope): number {
  const { seats } = join.motion
  const doubtful = new Set<Seat>()
  for (const { identity, at } of annulled) {
    const seat = seats.get(identity)
    if (seat?.origin === at) doubtful.add(seat)
  }
  for (const [identity, removals] of live.removals) {
    const seat = seats.get(identity)
    if (seat !== undefined && hasRemovalBetween(removals, join, scope)) doubtful.add(seat)
  }
  for (const { at, against, of } of live.rivals) {
    if (!isBetween(at, join, scope)) continue
    for (const seat of seats.values()) {
      const isRekeyed = seat.keyOrigin !== seat.origin
      if (seat.identity === of && seat.origin === against) doubtful.add(seat)
      if (seat.member === of && isRekeyed && seat.keyOrigin === against) doubtful.add(seat)
    }
  }
  return doubtful.size
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
    (other) => other.motion.at !== join.motion.at && live.joins.includes(other) && !pastOf(other.at).has(join.at)
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
