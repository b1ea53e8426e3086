// A group as its members and candidates use it: what one can do, and what one is shown. See contract.ts.
import { formatEntryId, type Sentence } from '../../feeds/index.ts'
import {
  type BodyOf,
  explain,
  fromHex,
  type Hex,
  type Join,
  MAX_IDS,
  type Rule,
  strictestQuorum,
  toHex
} from '../../groups/index.ts'
import { formatDid, harmless } from '../../trust/index.ts'
import { NodeError } from '../comrade.ts'
import { asNodeError } from '../contacts.ts'
import type { People } from '../people.ts'
import { refuse } from '../refusal-sentences.ts'
import { sayGroup } from '../sentences.ts'
import { BallotBox } from './ballot-box.ts'
import {
  candidaciesOf,
  type OpenCandidacy,
  openCandidacies,
  type StandingMotion,
  standingMotions
} from './candidacies.ts'
import type {
  Group,
  GroupCandidate,
  GroupDetails,
  GroupMember,
  GroupMotion,
  GroupRole,
  GroupStanding,
  GroupSummary
} from './contract.ts'
import { credentialFor, type Speaker } from './founding.ts'
import type { LocalGroup } from './local-group.ts'
import { broughtKeys, freshKeys, freshMemberKey } from './membership.ts'
import type { Publisher } from './publisher.ts'
import { formatRule, parseRule } from './rule-text.ts'
import type { Verifier } from './verifier.ts'

/** Below it nobody is hidden among the members. */
const SMALL_RING = 5

export interface NodeGroupOptions {
  group: LocalGroup
  speaker: Speaker
  publisher: Publisher
  verifier: Verifier
  link: () => string
  /** Root key of who represents the group now. */
  representative: () => Hex | undefined
}

export class NodeGroup implements Group {
  readonly id: string
  readonly #group: LocalGroup
  readonly #speaker: Speaker
  readonly #people: People
  readonly #box: BallotBox
  readonly #link: () => string
  readonly #representative: () => Hex | undefined

  constructor({ group, speaker, publisher, verifier, link, representative }: NodeGroupOptions) {
    this.id = formatEntryId(group.id)
    this.#group = group
    this.#speaker = speaker
    this.#people = speaker.people
    this.#box = new BallotBox(group, publisher, verifier)
    this.#link = link
    this.#representative = representative
  }

  get name(): string {
    return this.#group.evaluator?.log.create.name ?? ''
  }

  get quorum(): number {
    const view = this.#group.evaluator?.view()
    return view === undefined ? 0 : strictestQuorum(view.rules, view.ring.length)
  }

  get role(): GroupRole {
    const { evaluator, identity } = this.#group
    if (evaluator === undefined) return 'outside'
    if (evaluator.view().seats.has(identity)) return 'member'
    return openCandidacies(evaluator).some((candidacy) => candidacy.identity === identity) ? 'candidate' : 'outside'
  }

  summary(): GroupSummary {
    const { evaluator } = this.#group
    return {
      id: this.id,
      name: this.name,
      link: this.#link(),
      size: evaluator?.view().seats.size ?? 0,
      quorum: this.quorum,
      you: this.role,
      reading: evaluator?.log.create.reading ?? 'members'
    }
  }

  async link(): Promise<string> {
    return this.#link()
  }

  async show(): Promise<GroupDetails> {
    if (this.#group.evaluator === undefined)
      return { ...this.summary(), members: [], rule: '', ...noted([sayGroup('group.notArrived')]) }
    const notes = smallness(this.#group.evaluator.view().seats.size)
    const members = await this.members()
    return { ...this.summary(), members, rule: formatRule(this.#rule()), ...this.#represented(), ...noted(notes) }
  }

  #represented(): Pick<GroupDetails, 'representative'> {
    const identity = this.#representative()
    if (identity === undefined) return {}
    const { did, name } = this.#person(identity)
    return { representative: { did, name } }
  }

  async members(): Promise<GroupMember[]> {
    const evaluator = this.#group.evaluated
    const { seats } = evaluator.view()
    const members = this.#everybody().flatMap((identity) => seats.get(identity) ?? [])
    return members.map(({ identity, origin }) => {
      const count = origin === 0 ? undefined : evaluator.count(evaluator.log.at(origin).id)
      if (count === undefined) return { ...this.#person(identity), vouches: 0, atLeastNow: 0 }
      const gone = [...count.motion.seats.keys()].filter((voter) => !seats.has(voter)).length
      return { ...this.#person(identity), vouches: count.vouches, atLeastNow: Math.max(0, count.vouches - gone) }
    })
  }

  async candidates(): Promise<GroupCandidate[]> {
    return openCandidacies(this.#group.evaluated).map((candidacy) => this.#candidate(candidacy))
  }

  async apply(): Promise<GroupCandidate> {
    if (this.role === 'member')
      throw new NodeError('FAILED', refuse('refusal.areMember', { group: harmless(this.name) }))
    const { identity, id } = this.#group
    const open = candidaciesOf(this.#group.evaluated, identity).find((candidacy) => this.#isUsable(candidacy))
    if (open !== undefined) return this.#candidate(open)
    this.#requireRoom()
    this.#takeMemberKey()
    const member = this.#group.membership!.member.publicKey
    const credential = credentialFor(this.#speaker, { purpose: 'member', place: id, member })
    this.#group.sign('candidacy', { identity: fromHex(identity), credential })
    return this.#candidacyOf(identity)
  }

  async propose(who: string): Promise<GroupCandidate> {
    this.#requireSeat()
    const identity = this.#find(who)
    if (this.#group.evaluated.view().seats.has(identity))
      throw new NodeError('FAILED', refuse('refusal.isMember', { name: this.#nameOf(identity) }))
    const open = candidaciesOf(this.#group.evaluated, identity)
    if (!open.some((candidacy) => this.#isUsable(candidacy)))
      this.#group.sign('candidacy', { identity: fromHex(identity) })
    return this.#candidacyOf(identity)
  }

  async vouch(who: string): Promise<GroupCandidate> {
    const identity = this.#find(who)
    await this.#box.vouch(this.#candidacyWhere(identity, (id) => this.#box.hasVoice(id)).id)
    return this.#candidacyOf(identity)
  }

  async retract(who: string): Promise<GroupCandidate> {
    const identity = this.#find(who)
    await this.#box.retract(this.#candidacyWhere(identity, (id) => this.#box.isVouchedFor(id)).id)
    return this.#candidacyOf(identity)
  }

  async join(): Promise<GroupDetails> {
    if (this.role === 'member')
      throw new NodeError('FAILED', refuse('refusal.areMember', { group: harmless(this.name) }))
    const { identity, id, evaluated: evaluator } = this.#group
    const [candidacy] = candidaciesOf(evaluator, identity)
    if (candidacy === undefined) throw new NodeError('FAILED', refuse('refusal.notVouchedFor'))
    if (candidacy.count < candidacy.needed)
      throw new NodeError('FAILED', refuse('refusal.fewVouches', { count: candidacy.count, needed: candidacy.needed }))
    this.#takeMemberKey()
    const keys = freshKeys()
    this.#group.addKeys(keys)
    const member = this.#group.membership!.member.publicKey
    const body: BodyOf<'join'> = {
      candidacy: fromHex(candidacy.id),
      vouches: this.#countable(candidacy),
      credential: credentialFor(this.#speaker, { purpose: 'member', place: id, member }),
      ...broughtKeys(keys, id, member)
    }
    this.#group.sign('join', body)
    return this.show()
  }

  async leave(): Promise<GroupDetails> {
    this.#requireSeat()
    this.#group.sign('leave', {})
    return this.show()
  }

  async expel(who: string): Promise<GroupMotion> {
    this.#requireSeat()
    const identity = this.#find(who)
    if (!this.#group.evaluated.view().seats.has(identity))
      throw new NodeError('NOT_FOUND', refuse('refusal.noMember', this.#about(identity)))
    const open = standingMotions(this.#group.evaluated).find(
      ({ isOpen, proposal }) => isOpen && proposal.kind === 'expel' && proposal.identity === identity
    )
    return this.#move(open?.id ?? this.#group.sign('motion', { kind: 'expel', identity: fromHex(identity) }).id)
  }

  async rule(text: string): Promise<GroupMotion> {
    const rule = parseRule(text, this.#rule())
    this.#requireSeat()
    return this.#move(this.#group.sign('motion', { kind: 'rule', rule }).id)
  }

  async motions(): Promise<GroupMotion[]> {
    return standingMotions(this.#group.evaluated).map((motion) => this.#motion(motion))
  }

  async ballot(motion: string): Promise<GroupMotion> {
    const open = standingMotions(this.#group.evaluated).filter(({ isOpen }) => isOpen)
    const named = open.filter(({ id }) => formatEntryId(fromHex(id)).startsWith(motion))
    if (motion.length === 0 || named.length === 0)
      throw new NodeError(
        'NOT_FOUND',
        refuse('refusal.noMotion', { motion: harmless(motion.slice(0, 80)), group: harmless(this.name) })
      )
    if (named.length > 1) throw new NodeError('WHO_AMBIGUOUS', `${named.length} motions begin with ${motion}`)
    return this.#move(named[0].id)
  }

  async log(): Promise<GroupStanding[]> {
    const evaluator = this.#group.evaluated
    const { seats } = evaluator.view()
    return this.#everybody().map((identity) => {
      const { did, name } = this.#person(identity)
      const sentences = explain(evaluator, identity, (person) => this.#nameOf(person))
      return { did, name, isMember: seats.has(identity), reasons: sentences.map(({ text }) => text), sentences }
    })
  }

  /** Votes, and says where the motion stands. */
  async #move(motion: Hex): Promise<GroupMotion> {
    await this.#box.ballot(motion)
    return this.#motion(standingMotions(this.#group.evaluated).find(({ id }) => id === motion)!)
  }

  /** In the order in which they came, the same at every node: founders, then by the depth of what speaks of them first. */
  #everybody(): Hex[] {
    const { log } = this.#group.evaluated
    const first = new Map<Hex, { depth: number; id: Hex }>()
    for (let at = 0; at < log.size; at++) {
      const operation = log.at(at)
      if (operation.type !== 'candidacy' && operation.type !== 'join') continue
      const [known, depth] = [first.get(operation.identity), log.past(at).size]
      const isEarlier = known === undefined || depth < known.depth || (depth === known.depth && operation.id < known.id)
      if (isEarlier) first.set(operation.identity, { depth, id: operation.id })
    }
    const founders = log.create.founders.map(({ identity }) => identity)
    for (const founder of founders) first.delete(founder)
    const others = [...first].toSorted(([, a], [, b]) => a.depth - b.depth || (a.id < b.id ? -1 : 1))
    return [...founders, ...others.map(([identity]) => identity)]
  }

  /** Vouches that a join may list: as many as the ring has members, one of each tag, none that was taken back. */
  #countable({ id }: OpenCandidacy): Uint8Array[] {
    const evaluator = this.#group.evaluated
    const retracted = new Set<Hex>()
    for (let at = 0; at < evaluator.log.size; at++) {
      const operation = evaluator.log.at(at)
      if (operation.type === 'retract' && operation.motion === id) retracted.add(operation.tag)
    }
    const vouches = evaluator.provenFor(id).filter(({ tag }) => !retracted.has(tag))
    return vouches
      .slice(0, MAX_IDS)
      .map((vouch) => fromHex(vouch.id))
      .toSorted(Buffer.compare)
  }

  /** A member key that nobody has seen in a join: who comes again comes with another. */
  #takeMemberKey(): void {
    const known = this.#group.membership?.memberKey
    const { log } = this.#group.evaluated
    const isUsed = (member: Hex): boolean =>
      log.create.founders.some((founder) => founder.member === member) ||
      Array.from({ length: log.size }, (_, at) => log.at(at)).some(
        (operation): operation is Join => operation.type === 'join' && operation.author === member
      )
    if (known === undefined || isUsed(known)) this.#group.addKeys([freshMemberKey()])
  }

  #requireSeat(): void {
    if (this.#group.seat !== undefined) return
    const code = this.role === 'member' ? 'refusal.otherDevice' : 'refusal.membersOnly'
    throw new NodeError('NOT_OWN', refuse(code, { group: harmless(this.name) }))
  }

  #find(who: string): Hex {
    return toHex(asNodeError(() => this.#people.contacts.find(who)).key)
  }

  /** Whether a candidacy will do for who wants one: their own, or one that most of the present members can vouch for. */
  #isUsable({ id }: OpenCandidacy): boolean {
    const { evaluated: evaluator, membership } = this.#group
    const { log } = evaluator
    const candidacy = log.at(log.indexOf(id)!)
    const { seats } = evaluator.before(id)!
    const present = [...evaluator.view().seats.keys()]
    const isOwn = 'author' in candidacy && candidacy.author === membership?.memberKey
    return isOwn || 2 * present.filter((member) => seats.has(member)).length > present.length
  }

  /** Whoever has the link can ask to become a member, so that there is an end to it. */
  #requireRoom(): void {
    if (!this.#group.evaluated.log.isCrowded) return
    throw new NodeError('FAILED', refuse('refusal.crowded'))
  }

  #openCandidacy(identity: Hex): OpenCandidacy {
    return this.#candidacyWhere(identity, () => true)
  }

  /** Of a person's candidacies the best that fits, or just the best. */
  #candidacyWhere(identity: Hex, fits: (candidacy: Hex) => boolean): OpenCandidacy {
    const open = candidaciesOf(this.#group.evaluated, identity)
    const found = open.find(({ id }) => fits(id)) ?? open[0]
    if (found !== undefined) return found
    throw new NodeError('NOT_FOUND', refuse('refusal.noCandidate', this.#about(identity)))
  }

  #about(identity: Hex): { name: string; group: string } {
    return { name: this.#nameOf(identity), group: harmless(this.name) }
  }

  #candidacyOf(identity: Hex): GroupCandidate {
    return this.#candidate(this.#openCandidacy(identity))
  }

  #candidate({ id, identity, count, needed, of }: OpenCandidacy): GroupCandidate {
    const motion = formatEntryId(fromHex(id))
    return { ...this.#person(identity), motion, vouches: count, needed, ring: of }
  }

  #motion({ id, proposal, count, needed, of, isCarried }: StandingMotion): GroupMotion {
    const about =
      proposal.kind === 'expel'
        ? { did: this.#person(proposal.identity).did, name: this.#person(proposal.identity).name }
        : { rule: formatRule(proposal.rule) }
    const motion = formatEntryId(fromHex(id))
    return { motion, kind: proposal.kind, ...about, ballots: count, needed, ring: of, isCarried }
  }

  /** Of several rules in force the one that asks for most. */
  #rule(): Rule {
    const { rules, ring } = this.#group.evaluated.view()
    return rules.toSorted((a, b) => strictestQuorum([b], ring.length) - strictestQuorum([a], ring.length))[0]
  }

  #person(identity: Hex): Pick<GroupMember, 'did' | 'name' | 'warnings'> {
    const { contacts } = this.#people
    const contact = contacts.get(fromHex(identity))
    return { did: formatDid(contact.key), name: contact.name, warnings: contacts.names.notesOf(contact) }
  }

  #nameOf(identity: Hex): string {
    return harmless(this.#people.contacts.get(fromHex(identity)).name)
  }
}

/** What a group of so few must know. */
function smallness(size: number): Sentence[] {
  if (size === 0 || size >= SMALL_RING) return []
  return [size === 1 ? sayGroup('group.single') : sayGroup('group.small', { count: size })]
}

function noted(sentences: Sentence[]): Pick<GroupDetails, 'warnings' | 'sentences'> {
  return { warnings: sentences.map(({ text }) => text), sentences }
}
