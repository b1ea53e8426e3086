// The meaning of a group's log, written down a second time: slowly, with sets of ids and their transitive closures, in
// the order of the formulas of src/groups/README.md. It shares no code with src/groups but the types of operations, so
// that a mistake has to be made twice to pass unseen. What it remembers is only what the formulas call "for ever":
// the past of an operation, whether it is valid, and what its past says.
import type { Anonymous, Certificate, Create, Join, Operation } from '../../src/groups/operations.ts'
import type { Rule } from '../../src/groups/quorum.ts'

type Id = string

export interface ReferenceSeat {
  identity: Id
  member: Id
  ring: Id
  /** The create or join that it comes from, and the create, join or rekey that its ring key comes from. */
  origin: Id
  keyOrigin: Id
}

export interface ReferenceState {
  seats: Map<Id, ReferenceSeat>
  ring: Id[]
  admitted: Set<Id>
  removals: { id: Id; identity: Id }[]
  stable: Set<Id>
  period: number
  rules: Rule[]
}

/** Whether a proof holds for a ring, as the evaluator under test is told. */
export type Verify = (operation: Anonymous, place: { group: Id; ring: readonly Id[]; period: number }) => boolean

export interface Reference {
  state: ReferenceState
  valid: Set<Id>
  /** The last stable checkpoint in the past of an operation, or the group's id. */
  lastBefore: (id: Id) => Id
}

/** Evaluates a set of operations that is closed under parents. */
export function evaluateSlowly(operations: readonly Operation[], verify: Verify): Reference {
  const all = new Map(operations.map((operation) => [operation.id, operation]))
  const create = operations.find((operation): operation is Create => operation.type === 'create')
  if (create === undefined) throw new Error('the set has no create')

  const pasts = new Map<Id, Set<Id>>()
  const past = (id: Id): Set<Id> => {
    const known = pasts.get(id)
    if (known !== undefined) return known
    const result = new Set<Id>()
    for (const parent of all.get(id)!.parents) {
      result.add(parent)
      for (const ancestor of past(parent)) result.add(ancestor)
    }
    pasts.set(id, result)
    return result
  }
  const areConcurrent = (a: Id, b: Id): boolean => a !== b && !past(a).has(b) && !past(b).has(a)

  const states = new Map<Id, ReferenceState>()
  /** eval(past(o)) */
  const before = (id: Id): ReferenceState => {
    let state = states.get(id)
    if (state === undefined) states.set(id, (state = evaluate(past(id))))
    return state
  }

  const memo = new Map<Id, boolean>()
  const isValid = (id: Id): boolean => {
    let valid = memo.get(id)
    if (valid === undefined) memo.set(id, (valid = judge(all.get(id)!)))
    return valid
  }

  const only = <Type extends Operation['type']>(ids: Iterable<Id>, type: Type) =>
    [...ids].map((id) => all.get(id)!).filter((o): o is Extract<Operation, { type: Type }> => o.type === type)
  const validOnly = <Type extends Operation['type']>(ids: Iterable<Id>, type: Type) =>
    only(ids, type).filter(({ id }) => isValid(id))

  const authorIn = (state: ReferenceState, key: Id): ReferenceSeat | undefined =>
    [...state.seats.values()]
      .filter(({ member }) => member === key)
      .sort((a, b) => (a.identity < b.identity ? -1 : 1))[0]

  const quorumOf = (rule: Rule, n: number): number => {
    let wanted = rule.value
    if (rule.quorum === 'isqrt') for (wanted = 0; (wanted + 1) ** 2 <= n;) wanted++
    if (rule.quorum === 'log2') for (wanted = 0; 2 ** (wanted + 1) <= n;) wanted++
    if (rule.quorum === 'percent') for (wanted = 0; wanted * 100 < n * rule.value;) wanted++
    if (wanted < rule.min) wanted = rule.min
    if (wanted > rule.max) wanted = rule.max
    if (wanted > n) wanted = n
    return wanted < 1 ? 1 : wanted
  }

  const counted = (motion: Id, ids: readonly Id[], type: 'vouch' | 'ballot'): Anonymous[] =>
    [...ids]
      .map((id) => all.get(id)!)
      .filter((o): o is Anonymous => o.type === type && o.motion === motion && isValid(o.id))
  const tagsOf = (list: Anonymous[]): Set<Id> => new Set(list.map(({ tag }) => tag))
  const isLateIn = (state: ReferenceState, id: Id): boolean => [...state.stable].some((c) => areConcurrent(id, c))
  const isExpired = (id: Id, motion: Id): boolean => before(id).period - before(motion).period > 1

  /** valid(o): by o itself and eval(past(o)) only. */
  function judge(o: Operation): boolean {
    if (o.type === 'create') return o === create
    if (o.type === 'unknown') return false
    if (o.type === 'vouch' || o.type === 'retract' || o.type === 'ballot') return judgeAnonymous(o)
    const state = before(o.id)
    const author = authorIn(state, o.author)
    switch (o.type) {
      case 'candidacy':
        return !state.seats.has(o.identity) && (o.isOwn || author !== undefined)
      case 'join': {
        const candidacy = all.get(o.candidacy)!
        if (candidacy.type !== 'candidacy' || !isValid(candidacy.id) || candidacy.identity !== o.identity) return false
        if (state.seats.has(o.identity) || author !== undefined || state.ring.includes(o.ring)) return false
        const motion = before(candidacy.id)
        if (o.vouches.length > motion.ring.length || isExpired(o.id, candidacy.id)) return false
        const needed = Math.max(...motion.rules.map((rule) => quorumOf(rule, motion.ring.length)))
        return tagsOf(counted(candidacy.id, o.vouches, 'vouch')).size >= needed
      }
      case 'motion':
        return author !== undefined && (o.proposal.kind === 'rule' || state.seats.has(o.proposal.identity))
      case 'certificate': {
        const motion = all.get(o.motion)!
        if (author === undefined || motion.type !== 'motion' || !isValid(motion.id)) return false
        const n = before(motion.id).ring.length
        if (o.ballots.length > n || isExpired(o.id, motion.id)) return false
        if (validOnly(past(o.id), 'certificate').some((c) => c.motion === o.motion && !isLateIn(state, c.id)))
          return false
        return tagsOf(counted(motion.id, o.ballots, 'ballot')).size * 2 > n
      }
      case 'leave':
      case 'epoch':
        return author !== undefined
      case 'rekey':
        return (
          author !== undefined &&
          !state.ring.includes(o.ring) &&
          !validOnly(past(o.id), 'rekey').some(
            (r) => r.author === o.author && before(r.id).period === state.period && !isLateIn(state, r.id)
          )
        )
      case 'checkpoint': {
        const last = lastOf(state.stable)
        return author !== undefined && o.day >= (last === undefined ? create!.day : dayOf(last))
      }
      case 'ack': {
        const c = all.get(o.checkpoint)!
        if (author === undefined || c.type !== 'checkpoint' || !isValid(c.id)) return false
        const isUnder = (other: Id): boolean => other === c.id || past(c.id).has(other)
        return (
          electorate(c.id).roster.has(author.identity) &&
          [...state.stable].every(isUnder) &&
          validOnly(past(o.id), 'ack')
            .filter((a) => authorIn(before(a.id), a.author)!.identity === author.identity)
            .every((a) => isUnder(a.checkpoint))
        )
      }
    }
  }

  function judgeAnonymous(o: Anonymous): boolean {
    const motion = all.get(o.motion)!
    if (motion.type !== (o.type === 'ballot' ? 'motion' : 'candidacy') || !isValid(motion.id)) return false
    const { ring, period, rules } = before(motion.id)
    const isSlot = o.type === 'ballot' ? o.slot === 2 ** 32 - 1 : o.slot < Math.min(...rules.map(({ slots }) => slots))
    return isSlot && ring.length > 0 && verify(o, { group: create!.id, ring, period })
  }

  /** Of several stable checkpoints, the one with the most stable ones in its past, then the lowest id. */
  function lastOf(stable: Set<Id>): Id | undefined {
    const depth = (id: Id): number => past(id).intersection(stable).size
    return [...stable].sort((a, b) => depth(b) - depth(a) || (a < b ? -1 : 1))[0]
  }

  function dayOf(checkpoint: Id): number {
    return only([checkpoint], 'checkpoint')[0].day
  }

  /** The members at the last stable checkpoint before this one, at first the founders, less who has gone since. */
  function electorate(checkpoint: Id): { roster: Set<Id>; needed: number } {
    const state = before(checkpoint)
    const last = lastOf(state.stable)
    const members = last === undefined ? create!.founders.map(({ identity }) => identity) : before(last).seats.keys()
    const gone = state.removals.filter(({ id }) => last === undefined || !past(last).has(id))
    const isLeave = ({ id }: { id: Id }): boolean => all.get(id)!.type === 'leave'
    const stayed = [...members].filter((who) => !gone.some((r) => isLeave(r) && r.identity === who))
    const roster = new Set(stayed.filter((who) => !gone.some(({ identity }) => identity === who)))
    let needed = 0
    while (3 * needed <= 2 * roster.size || 2 * needed <= stayed.length) needed++
    return { roster, needed }
  }

  /** stable(c), decided from the newest down, since an ack that is late for a stable one above c does not count. */
  function stableIn(set: Set<Id>): Set<Id> {
    const stable = new Set<Id>()
    const acks = validOnly(set, 'ack')
    for (const c of validOnly(set, 'checkpoint').sort((a, b) => past(b.id).size - past(a.id).size)) {
      const above = [...stable].filter((other) => past(other).has(c.id))
      const voters = new Set(
        acks
          .filter((a) => a.checkpoint === c.id && !above.some((other) => areConcurrent(a.id, other)))
          .map((a) => authorIn(before(a.id), a.author)!.identity)
      )
      if (voters.size >= electorate(c.id).needed) stable.add(c.id)
    }
    return stable
  }

  function evaluate(set: Set<Id>): ReferenceState {
    const stable = stableIn(set)
    const isLate = (id: Id): boolean => [...stable].some((c) => areConcurrent(id, c))
    const live = <Type extends 'join' | 'leave' | 'certificate' | 'rekey'>(type: Type) =>
      validOnly(set, type).filter((o: Operation) => {
        const motion = o.type === 'join' ? o.candidacy : o.type === 'certificate' ? o.motion : o.id
        return !isLate(o.id) && !isLate(motion)
      })
    const [joins, rekeys, certificates] = [live('join'), live('rekey'), live('certificate')]
    const proposalOf = (c: Certificate) => only([c.motion], 'motion')[0].proposal

    const removals = [
      ...live('leave').map((o) => ({ id: o.id, motion: o.id, identity: authorIn(before(o.id), o.author)!.identity })),
      ...certificates.flatMap((o) => {
        const proposal = proposalOf(o)
        return proposal.kind === 'expel' ? [{ id: o.id, motion: o.motion, identity: proposal.identity }] : []
      })
    ]

    const admitted = new Set<Id>()
    const retracts = validOnly(set, 'retract')
    for (const j of joins.sort((a, b) => past(a.id).size - past(b.id).size)) if (isAdmitted(j)) admitted.add(j.id)

    function isAdmitted(j: Join): boolean {
      const isBetween = (o: Id): boolean => !past(j.candidacy).has(o) && !past(o).has(j.id)
      // A motion that was carried out before the candidacy is not carried out once more.
      const isRepeated = (r: { motion: Id }): boolean =>
        removals.some((other) => other.motion === r.motion && past(j.candidacy).has(other.id))
      const isRemovedBetween = (identity: Id): boolean =>
        removals.some((r) => r.identity === identity && isBetween(r.id) && !isRepeated(r))
      if (isRemovedBetween(j.identity)) return false
      const motion = before(j.candidacy)
      const isRetracted = (tag: Id): boolean =>
        retracts.some(
          (r) =>
            r.motion === j.candidacy &&
            r.tag === tag &&
            ![...stable].some((c) => past(c).has(j.id) && !past(c).has(r.id))
        )
      const isSpent = (vouch: Anonymous): boolean =>
        joins.some(
          (other) =>
            other.candidacy !== j.candidacy &&
            !past(other.id).has(j.id) &&
            counted(other.candidacy, other.vouches, 'vouch').some(({ slotTag }) => slotTag === vouch.slotTag)
        )
      const vouches = counted(j.candidacy, j.vouches, 'vouch').filter((v) => !isRetracted(v.tag) && !isSpent(v))
      const discounted = [...motion.seats.values()].filter((seat) => {
        const isJoined = seat.origin !== create!.id
        const rivals = [
          ...(isJoined ? joins.filter((o) => o.identity === seat.identity && areConcurrent(o.id, seat.origin)) : []),
          ...(seat.keyOrigin === seat.origin
            ? []
            : rekeys.filter((o) => o.author === seat.member && areConcurrent(o.id, seat.keyOrigin)))
        ]
        return (
          (isJoined && !admitted.has(seat.origin)) ||
          isRemovedBetween(seat.identity) ||
          rivals.some((o) => isBetween(o.id))
        )
      })
      const needed = Math.max(...motion.rules.map((rule) => quorumOf(rule, motion.ring.length)))
      return tagsOf(vouches).size - discounted.length >= needed
    }

    const seats = new Map<Id, ReferenceSeat>()
    const take = (identity: Id, member: Id, ring: Id, origin: Id): void => {
      const own = rekeys.filter((r) => r.author === member && past(r.id).has(origin))
      const newest = own.filter((r) => !own.some((other) => past(other.id).has(r.id))).sort(byId)[0]
      seats.set(identity, {
        identity,
        member,
        ring: newest?.ring ?? ring,
        origin,
        keyOrigin: newest?.id ?? origin
      })
    }
    for (const founder of set.has(create!.id) ? create!.founders : []) {
      if (!removals.some((r) => r.identity === founder.identity))
        take(founder.identity, founder.member, founder.ring, create!.id)
    }
    for (const j of joins.filter(({ id }) => admitted.has(id)).sort(byId)) {
      const isOver = removals.some((r) => r.identity === j.identity && past(r.id).has(j.id))
      if (!isOver && !seats.has(j.identity)) take(j.identity, j.author, j.ring, j.id)
    }

    const changes = certificates.filter((c) => proposalOf(c).kind === 'rule')
    const newest = changes.filter((c) => !changes.some((other) => past(other.id).has(c.id)))
    const rules = newest.map((c) => (proposalOf(c) as { rule: Rule }).rule)
    const last = lastOf(stable)
    return {
      seats,
      ring: [...new Set([...seats.values()].map(({ ring }) => ring))].sort(),
      admitted,
      removals,
      stable,
      period: last === undefined ? 0 : Math.floor((dayOf(last) - create!.day) / 30),
      rules: rules.length > 0 ? rules : [create!.rule]
    }
  }

  return {
    state: evaluate(new Set(all.keys())),
    valid: new Set([...all.keys()].filter(isValid)),
    lastBefore: (id) => lastOf(before(id).stable) ?? create.id
  }
}

function byId(a: { id: Id }, b: { id: Id }): number {
  return a.id < b.id ? -1 : 1
}
