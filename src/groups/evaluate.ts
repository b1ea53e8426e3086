// Evaluation of a group's log: what is valid, for ever, and what follows from all of it, now. A pure function of the set
// of operations that are placed; what was found out once about an operation's past is kept, since a past never changes.
import type { Sentence } from '../feeds/index.ts'
import type { Ballotable, CheckpointFact, Facts, JoinFact } from './facts.ts'
import { hasAcks, isLate, rosterOf, stableIn } from './finality.ts'
import type { GroupLog } from './log.ts'
import { type Count, countIn } from './members.ts'
import type { Anonymous, Epoch, Hex, Join, Operation, SignedOperation } from './operations.ts'
import { MAX_IDS } from './operation-schemas.ts'
import { Past } from './past.ts'
import { majority, strictestQuorum } from './quorum.ts'
import { sayInvalidity } from './sentences.ts'
import { hasPlace, invalidity, isFor, type Witness } from './validity.ts'
import { EMPTY_VIEW, type View, viewOf } from './view.ts'

/** What a nameless operation's proof is about, all of it fixed when its motion was opened. */
export interface ProofPlace {
  group: Hex
  ring: readonly Hex[]
  period: number
  /** The last stable checkpoint then, or the group's id: how a ring of more than 64 falls into parts. */
  last: Hex
}

/** Whether a proof holds: see proof.ts. It is asked once about each operation, and never for one that cannot count. */
export type VerifyProof = (operation: Anonymous, place: ProofPlace) => boolean

/** Where a candidacy or motion stands. */
export interface Tally {
  /** Distinct tags whose proofs hold, and that were not taken back. */
  count: number
  needed: number
  /** Size of the ring: the most that there could be. */
  of: number
}

type Effect = 'none' | 'members' | 'finality'

export class Evaluator {
  readonly log: GroupLog
  readonly #verify: VerifyProof
  readonly #facts: Facts = {
    joins: [],
    slotUses: new Map(),
    removals: [],
    rules: [],
    rekeys: [],
    retracts: [],
    checkpoints: []
  }
  /** By index, of all operations below #judged. */
  readonly #before: View[] = []
  readonly #after: (View | undefined)[] = []
  readonly #invalidities: (Sentence | undefined)[] = []
  readonly #proven = new Map<number, boolean>()
  readonly #motions = new Map<number, Ballotable>()
  readonly #nameless = new Map<Hex, Anonymous[]>()
  readonly #checkpoints = new Map<number, CheckpointFact>()
  readonly #joins = new Map<number, JoinFact>()
  readonly #acked = new Map<Hex, { at: number; checkpoint: CheckpointFact }[]>()
  readonly #rosters = new Map<number, ReadonlySet<Hex>>()
  readonly #heads = new Set<number>()
  readonly #pastOf: (index: number) => Past
  #current = { view: EMPTY_VIEW, size: 0 }

  constructor(log: GroupLog, verify: VerifyProof) {
    this.log = log
    this.#verify = verify
    this.#pastOf = (index) => log.past(index)
  }

  /** What everything that is placed says together. */
  view(): View {
    this.#catchUp()
    const { view, size } = this.#current
    if (size < this.log.size) {
      const added = range(size, this.log.size)
      this.#current = { view: this.#advance(view, Past.below(this.log.size), added), size: this.log.size }
    }
    return this.#current.view
  }

  /** What an operation's past says; undefined when it has no place in the log. */
  before(id: Hex): View | undefined {
    this.#catchUp()
    const at = this.log.indexOf(id)
    return at === undefined ? undefined : this.#before[at]
  }

  /** Why an operation is not valid; undefined when it is, also when it came too late to count. */
  invalidity(id: Hex): Sentence | undefined {
    this.#catchUp()
    const at = this.log.indexOf(id)
    return at === undefined ? sayInvalidity('invalid.waits') : this.#invalidityAt(at)
  }

  /** Whether an operation came too late for a stable checkpoint: it is to be made again on the present heads. */
  isLate(id: Hex): boolean {
    const at = this.log.indexOf(id)
    return at !== undefined && isLate(at, this.view().finality, this.#pastOf)
  }

  /** Whose a signed operation is: the member who had its author's key then. */
  readonly authorOf = (id: Hex): Hex | undefined => {
    this.#catchUp()
    const at = this.log.indexOf(id)
    const operation = at === undefined ? undefined : this.log.at(at)
    if (at === undefined || operation === undefined || !('author' in operation)) return undefined
    return this.#before[at].byMember.get(operation.author)?.identity
  }

  /** What a proof for a motion is about; undefined when it has no place in the log. */
  place(motion: Hex): ProofPlace | undefined {
    const view = this.before(motion)
    return view && this.#placeIn(view)
  }

  /**
   * What the proof of a nameless operation has to be about, also when it is not in the log yet.
   * @returns undefined where none could hold: the motion is not placed or not valid, or the slot is none of its
   */
  placeFor(operation: Anonymous): ProofPlace | undefined {
    this.#catchUp()
    return this.#placeFor(operation)
  }

  /** Ballots that a valid certificate of expulsion brought, and how many there could have been. */
  ballots(certificate: Hex): { count: number; of: number } | undefined {
    this.#catchUp()
    const at = this.log.indexOf(certificate)
    return this.#facts.removals.find((removal) => removal.at === at)?.ballots
  }

  /** Valid checkpoints with their acks, stable or not, by rising index. */
  checkpoints(): readonly CheckpointFact[] {
    this.#catchUp()
    return this.#facts.checkpoints
  }

  /** Valid epochs that did not come too late. */
  epochs(): Epoch[] {
    this.#catchUp()
    const all = range(0, this.log.size).map((at) => this.log.at(at))
    return all.filter(
      (operation): operation is Epoch =>
        operation.type === 'epoch' && this.invalidity(operation.id) === undefined && !this.isLate(operation.id)
    )
  }

  /** Where a candidacy or motion stands; undefined for what is none, or is not valid. Verifies what it counts. */
  tally(motion: Hex): Tally | undefined {
    this.#catchUp()
    const at = this.log.indexOf(motion)
    const operation = at === undefined ? undefined : this.log.at(at)
    if (at === undefined || (operation?.type !== 'motion' && operation?.type !== 'candidacy')) return undefined
    if (this.#invalidityAt(at) !== undefined) return undefined
    const { ring, quorum } = this.#motion(at)
    const tags = new Set(this.provenFor(motion).map(({ tag }) => tag))
    for (const { motion, tag } of this.#facts.retracts) if (motion === at) tags.delete(tag)
    const needed = operation.type === 'motion' ? majority(ring.length) : quorum
    return { count: tags.size, needed, of: ring.length }
  }

  /** Vouches or ballots for a motion whose proofs hold, one of each tag: what a join or certificate may list. */
  provenFor(motion: Hex): Anonymous[] {
    this.#catchUp()
    const proven = (this.#nameless.get(motion) ?? []).filter((o) => o.type !== 'retract' && this.#isProven(o.id))
    return [...new Map(proven.toSorted((a, b) => (a.id < b.id ? 1 : -1)).map((o) => [o.tag, o])).values()]
  }

  /** How the vouches of a valid join add up now. */
  count(join: Hex): (Count & { motion: Ballotable }) | undefined {
    const view = this.view()
    const fact = this.#joins.get(this.log.indexOf(join) ?? -1)
    if (fact === undefined) return undefined
    const scope = { set: Past.below(this.log.size), finality: view.finality, pastOf: this.#pastOf }
    return { ...countIn(fact, this.#facts, view, scope), motion: fact.motion }
  }

  /**
   * What a new operation by a member stands on: valid signed ones that nothing valid stands on yet, at most 256. Of
   * candidacies that strangers opened only those that somebody vouched for. Of more, each author's first one comes before
   * anybody's second: else one member could make so many that others no longer stand on their own joining.
   */
  heads(): Hex[] {
    this.#catchUp()
    const ids = [...this.#heads].map((at) => this.log.at(at).id).toSorted()
    return ids.length <= MAX_IDS ? ids : this.#fairShare(ids).slice(0, MAX_IDS).toSorted()
  }

  #fairShare(ids: readonly Hex[]): Hex[] {
    const authorOf = (id: Hex): Hex => (this.log.at(this.log.indexOf(id)!) as SignedOperation).author
    const { byMember } = this.view()
    const lists = Map.groupBy(ids, authorOf)
    const authors = [...lists.keys()].toSorted((a, b) => Number(byMember.has(b)) - Number(byMember.has(a)))
    const most = Math.max(...lists.values().map(({ length }) => length))
    return range(0, most).flatMap((round) => authors.flatMap((author) => lists.get(author)![round] ?? []))
  }

  #catchUp(): void {
    for (let at = this.#before.length; at < this.log.size; at++) {
      const parents = this.log.parents(at)
      this.#before.push(parents.length === 0 ? EMPTY_VIEW : this.#viewOn(parents, this.log.past(at)))
      const operation = this.log.at(at)
      if ('motion' in operation && operation.type !== 'certificate') this.#addNameless(at, operation)
      else this.#judge(at, operation)
    }
  }

  #judge(at: number, operation: Exclude<Operation, Anonymous>): void {
    const reason = invalidity(operation, this.#before[at], this.#witness(at), this.log.create)
    this.#invalidities[at] = reason
    if (reason !== undefined) return
    this.#record(at, operation)
    // A stranger's is carried once somebody vouches for it.
    if (operation.type !== 'candidacy' || !operation.isOwn) this.#carry(at)
  }

  /** Puts it among what new operations stand on. */
  #carry(at: number): void {
    const { log } = this
    for (const head of this.#heads) if (head === at || log.past(head).has(at)) return
    for (const head of this.#heads) if (log.past(at).has(head)) this.#heads.delete(head)
    this.#heads.add(at)
  }

  /** Vouches and ballots are proven when somebody counts them; a retract takes effect by itself. */
  #addNameless(at: number, operation: Anonymous): void {
    const list = this.#nameless.get(operation.motion)
    if (list === undefined) this.#nameless.set(operation.motion, [operation])
    else list.push(operation)
    if (operation.type === 'vouch') this.#carryVouchedFor(operation)
    if (operation.type !== 'retract' || !this.#isProven(operation.id)) return
    this.#facts.retracts.push({ at, motion: this.log.indexOf(operation.motion)!, tag: operation.tag })
  }

  /** A vouch is worth a slot, so that these are few. */
  #carryVouchedFor({ id, motion }: Anonymous): void {
    const at = this.log.indexOf(motion)!
    const candidacy = this.log.at(at)
    if (candidacy.type !== 'candidacy' || !candidacy.isOwn || this.#heads.has(at)) return
    if (this.#isProven(id)) this.#carry(at)
  }

  #invalidityAt(at: number): Sentence | undefined {
    const operation = this.log.at(at)
    if (!('motion' in operation) || operation.type === 'certificate') return this.#invalidities[at]
    return invalidity(operation, this.#before[at], this.#witness(at), this.log.create)
  }

  /** The view of a past, from that of the parent that was placed last: mostly nothing else is in it. */
  #viewOn(parents: readonly number[], past: Past): View {
    const last = Math.max(...parents)
    const base = (this.#after[last] ??= this.#viewAfter(last))
    const others = parents.length === 1 ? [] : [...past.without(this.log.past(last))].filter((at) => at !== last)
    return this.#advance(base, past, others)
  }

  #viewAfter(at: number): View {
    return this.#advance(this.#before[at], Past.of([at], this.#pastOf), [at])
  }

  /** The view of `set`, which has `added` more than the set of `base`. */
  #advance(base: View, set: Past, added: Iterable<number>): View {
    let effect: Effect = 'none'
    for (const at of added) {
      const own: Effect = effect === 'finality' ? effect : this.#effect(at, base, set)
      if (own !== 'none') effect = own
    }
    if (effect === 'none') return base
    const finality = effect === 'finality' ? stableIn(set, this.#facts.checkpoints, this.#pastOf) : base.finality
    return viewOf(this.log.create, this.#facts, { set, finality, pastOf: this.#pastOf })
  }

  /** What one more operation can change; most change nothing. */
  #effect(at: number, { finality }: View, set: Past): Effect {
    const operation = this.log.at(at)
    switch (operation.type) {
      case 'retract':
        return this.#isProven(operation.id) ? 'members' : 'none'
      case 'create':
      case 'join':
      case 'certificate':
      case 'leave':
      case 'rekey':
        return this.#invalidities[at] === undefined ? 'members' : 'none'
      case 'ack': {
        if (this.#invalidities[at] !== undefined) return 'none'
        const checkpoint = this.#checkpoints.get(this.log.indexOf(operation.checkpoint)!)!
        if (finality.stable.includes(checkpoint)) return 'none'
        return hasAcks(checkpoint, (ack) => set.has(ack)) ? 'finality' : 'none'
      }
      default:
        return 'none'
    }
  }

  #record(at: number, operation: Exclude<Operation, Anonymous>): void {
    const { removals, rules, rekeys, checkpoints } = this.#facts
    const identityOf = (member: Hex): Hex => this.#before[at].byMember.get(member)!.identity
    switch (operation.type) {
      case 'join':
        this.#recordJoin(at, operation)
        break
      case 'leave':
        removals.push({ at, motion: at, identity: identityOf(operation.author) })
        break
      case 'certificate': {
        const motion = this.log.indexOf(operation.motion)!
        const { proposal } = this.log.at(motion) as Extract<Operation, { type: 'motion' }>
        if (proposal.kind === 'rule') rules.push({ at, motion, rule: proposal.rule })
        else
          removals.push({ at, motion, identity: proposal.identity, ballots: this.#ballots(operation.ballots, motion) })
        break
      }
      case 'rekey':
        rekeys.push({ at, id: operation.id, member: operation.author, ring: operation.ring, kem: operation.kem })
        break
      case 'checkpoint': {
        const fact = { at, id: operation.id, day: operation.day, ...this.#rosterOf(at), acks: [] }
        checkpoints.push(fact)
        this.#checkpoints.set(at, fact)
        break
      }
      case 'ack': {
        const checkpoint = this.#checkpoints.get(this.log.indexOf(operation.checkpoint)!)!
        const identity = identityOf(operation.author)
        checkpoint.acks.push({ at, identity })
        const acked = this.#acked.get(identity)
        if (acked === undefined) this.#acked.set(identity, [{ at, checkpoint }])
        else acked.push({ at, checkpoint })
        break
      }
      default:
    }
  }

  #recordJoin(at: number, { id, identity, author: member, ring, kem, candidacy, vouches: listed }: Join): void {
    const motion = this.#motion(this.log.indexOf(candidacy)!)
    const vouches = this.#listed(listed, 'vouch', candidacy)
    const tags = new Set(vouches.map(({ tag }) => tag)).size
    const fact: JoinFact = { at, id, identity, member, ring, kem, motion, vouches, tags, isContested: false }
    this.#facts.joins.push(fact)
    this.#joins.set(at, fact)
    for (const { slotTag } of vouches) this.#use(slotTag, fact)
  }

  /** Notes that a join lists a vouch from a slot. */
  #use(slotTag: Hex, join: JoinFact): void {
    const uses = this.#facts.slotUses.get(slotTag)
    if (uses === undefined) this.#facts.slotUses.set(slotTag, [join])
    else if (!uses.includes(join)) uses.push(join)
    if (uses?.some(({ motion }) => motion.at !== join.motion.at)) for (const each of uses) each.isContested = true
  }

  #rosterOf(at: number): Pick<CheckpointFact, 'roster' | 'needed'> {
    const view = this.#before[at]
    const last = view.last?.at ?? 0
    const removals = [...view.removals.values()].flat().filter((removal) => !this.log.past(last).has(removal.at))
    return rosterOf(this.#membersAt(last), removals)
  }

  /** Identities of the members at a stable checkpoint; at the create of the founders. */
  #membersAt(last: number): ReadonlySet<Hex> {
    let members = this.#rosters.get(last)
    if (members === undefined) {
      const { founders } = this.log.create
      members = new Set(last === 0 ? founders.map(({ identity }) => identity) : this.#before[last].seats.keys())
      this.#rosters.set(last, members)
    }
    return members
  }

  #motion(at: number): Ballotable {
    let motion = this.#motions.get(at)
    if (motion === undefined) {
      const { ring, seats, rules, period } = this.#before[at]
      motion = { at, ring, seats, rules, quorum: strictestQuorum(rules, ring.length), period }
      this.#motions.set(at, motion)
    }
    return motion
  }

  #isProven(id: Hex): boolean {
    const at = this.log.indexOf(id)!
    let isProven = this.#proven.get(at)
    if (isProven === undefined) this.#proven.set(at, (isProven = this.#prove(this.log.at(at) as Anonymous)))
    return isProven
  }

  #prove(operation: Anonymous): boolean {
    const place = this.#placeFor(operation)
    return place !== undefined && this.#verify(operation, place)
  }

  #placeFor(operation: Anonymous): ProofPlace | undefined {
    const at = this.log.indexOf(operation.motion)
    const motion = at === undefined ? undefined : this.log.at(at)
    if (at === undefined || (motion?.type !== 'motion' && motion?.type !== 'candidacy')) return undefined
    if (this.#invalidities[at] !== undefined || !hasPlace(operation, motion, this.#motion(at))) return undefined
    return this.#placeIn(this.#before[at])
  }

  #placeIn({ ring, period, last }: View): ProofPlace {
    const group = this.log.create.id
    return { group, ring, period, last: last?.id ?? group }
  }

  #listed(ids: readonly Hex[], type: 'vouch' | 'ballot', motion: Hex): Anonymous[] {
    return ids
      .map((id) => this.log.at(this.log.indexOf(id)!))
      .filter((operation) => isFor(operation, type, motion))
      .filter(({ id }) => this.#isProven(id))
  }

  #ballots(ids: readonly Hex[], motion: number): { count: number; of: number } {
    const tags = new Set(this.#listed(ids, 'ballot', this.log.at(motion).id).map(({ tag }) => tag))
    return { count: tags.size, of: this.#motion(motion).ring.length }
  }

  #witness(of: number): Witness {
    const { log } = this
    const isLiveHere = (at: number): boolean =>
      log.past(of).has(at) && !isLate(at, this.#before[of].finality, this.#pastOf)
    return {
      operation: (id) => {
        const at = log.indexOf(id)!
        return { at, operation: log.at(at), isValid: this.#invalidities[at] === undefined }
      },
      motion: (at) => this.#motion(at),
      isProven: (id) => this.#isProven(id),
      checkpoint: (at) => this.#checkpoints.get(at)!,
      ackedBy: (identity) =>
        (this.#acked.get(identity) ?? [])
          .values()
          .filter(({ at }) => log.past(of).has(at))
          .map(({ checkpoint }) => checkpoint),
      hasRekeyed: (member, period) =>
        this.#facts.rekeys.some(
          ({ at, member: by }) => by === member && this.#before[at].period === period && isLiveHere(at)
        ),
      isCertified: (motion) =>
        [...this.#facts.removals, ...this.#facts.rules].some(
          (fact) => fact.motion === motion && fact.at !== motion && isLiveHere(fact.at)
        ),
      isPast: (at, of) => log.past(of).has(at)
    }
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}
