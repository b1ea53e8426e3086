// People of a village who form a group, with real keys, signatures and ring proofs: what a scenario is told with.
import {
  addedDeviceOf,
  type Anonymous,
  BALLOT_SLOT,
  type BodyOf,
  type Create,
  type Credential,
  type CredentialUse,
  DEFAULT_RULE,
  Evaluator,
  foundingTerms,
  fromHex,
  GroupLog,
  type Hex,
  isPossessed,
  isProven,
  makeCredential,
  makeStatement,
  type Operation,
  possessionContext,
  proofOfPossession,
  type ProofPlace,
  readOperation,
  ringKey,
  signOperation as sign,
  type RingKey,
  type Rule,
  type SignedOperation,
  type SignedType,
  toHex
} from '../../src/groups/index.ts'
import { sha256, type SigningKey } from '../../src/feeds/index.ts'
import { deviceAddBody } from '../../src/trust/index.ts'
import { Author, keyOf } from '../support/feeds.ts'
import { randomFrom, shuffled } from './random-log.ts'

/** A group's first day in all of these. */
export const FIRST_DAY = 20_000

export interface Person {
  name: string
  root: Uint8Array
  identity: Hex
  device: SigningKey
  added: Omit<Credential, 'consent'>
}

const persons = new Map<string, Person>()

/** The same person for the same name. */
export function personOf(name: string): Person {
  let person = persons.get(name)
  if (person === undefined) {
    const author = new Author(`root of ${name}`)
    const [root, device] = [author.key.publicKey, keyOf(`device of ${name}`)]
    const added = addedDeviceOf(author.write(deviceAddBody(root, device, 'laptop'))[0], 1)!
    persons.set(name, (person = { name, root, identity: toHex(root), device, added }))
  }
  return person
}

/** The keys that somebody takes when they come in for the n-th time. */
export function memberKeyOf(name: string, time = 1): SigningKey {
  return keyOf(`member key ${time} of ${name}`)
}

export function ringKeyOf(name: string, time = 1): RingKey {
  return ringKey(sha256(Buffer.from(`ring key ${time} of ${name}`)))
}

export function credentialOf(name: string, use: CredentialUse): Credential {
  const { device, added } = personOf(name)
  return makeCredential(device, added, use)
}

export interface How {
  /** Ids that it stands on. @default the heads of all that is there */
  on?: readonly Hex[]
  /** Which time they come in. @default 1 */
  time?: number
}

const proofs = new Map<Hex, boolean>()

/** Verified once a process: scenarios evaluate the same log in several orders. */
function isProvenOnce(operation: Anonymous, place: ProofPlace): boolean {
  const key = `${operation.id} ${place.period} ${toHex(sha256(Buffer.from(place.ring.join(''))))}`
  let holds = proofs.get(key)
  if (holds === undefined) proofs.set(key, (holds = isProven(operation, place)))
  return holds
}

export class Village {
  readonly id: Hex
  readonly operations: Operation[] = []
  readonly bytes = new Map<Hex, Uint8Array>()
  readonly evaluator: Evaluator
  /** Each member's present key, by name. */
  readonly #times = new Map<string, { member: number; ring: number }>()

  constructor(founders: readonly string[], rule: Partial<Rule> = {}, name = 'portland') {
    const nonce = sha256(Buffer.from(name))
    const common = {
      name,
      day: FIRST_DAY,
      nonce,
      rule: { ...DEFAULT_RULE, ...rule },
      reading: 'members',
      history: false
    }
    const terms = foundingTerms(
      common as BodyOf<'create'>,
      founders.map((founder) => personOf(founder).root)
    )
    const body = {
      ...common,
      founders: founders.map((founder) => {
        const member = memberKeyOf(founder).publicKey
        this.#times.set(founder, { member: 1, ring: 1 })
        return {
          member,
          credential: credentialOf(founder, { purpose: 'founder', place: terms, member }),
          ...keysOf(founder, 1, terms, member)
        }
      })
    } as BodyOf<'create'>
    const bytes = sign(memberKeyOf(founders[0]), { type: 'create', prev: [], body })
    const create = readOperation(bytes, undefined, isPossessed) as Create
    this.id = create.id
    this.operations.push(create)
    this.bytes.set(create.id, bytes)
    this.evaluator = new Evaluator(new GroupLog(create), isProvenOnce)
  }

  /** Names of the members, as seen by one who heard everything in turn and by one who heard it in any order. */
  members(): string[] {
    const seen = this.namesIn(this.evaluator)
    const other = this.namesIn(this.evaluatorOf(shuffled(this.operations.slice(1), randomFrom(this.operations.length))))
    if (seen.join() !== other.join()) throw new Error(`two nodes disagree: ${seen.join()} and ${other.join()}`)
    return seen
  }

  evaluatorOf(operations: readonly Operation[]): Evaluator {
    const log = new GroupLog(this.operations[0] as Create)
    for (const operation of operations) log.add(operation)
    return new Evaluator(log, isProvenOnce)
  }

  namesIn(evaluator: Evaluator): string[] {
    const { seats } = evaluator.view()
    return [...persons.values()]
      .filter(({ identity }) => seats.has(identity))
      .map(({ name }) => name)
      .toSorted()
  }

  why(name: string): string | undefined {
    return this.evaluator.invalidity(name)?.text
  }

  heads(): Hex[] {
    return this.evaluator.heads()
  }

  /** The rule that it was founded with. */
  get rule(): Rule {
    return this.evaluator.log.create.rule
  }

  /** Reads bytes as a node does that got them, and places them. @returns the id */
  take(bytes: Uint8Array): Hex {
    const operation = readOperation(bytes, this.id, isPossessed)
    this.operations.push(operation)
    this.bytes.set(operation.id, bytes)
    this.evaluator.log.add(operation)
    return operation.id
  }

  signed<Type extends SignedType>(
    name: string,
    type: Type,
    body: BodyOf<Type>,
    { on = this.heads(), time }: How = {}
  ): Hex {
    return this.take(this.bytesOf(name, type, body, { on, time }))
  }

  bytesOf<Type extends SignedType>(
    name: string,
    type: Type,
    body: BodyOf<Type>,
    { on = this.heads(), time }: How = {}
  ): Uint8Array {
    const key = memberKeyOf(name, time ?? this.#times.get(name)?.member)
    return sign(key, { type, group: fromHex(this.id), prev: on.map(fromHex), body })
  }

  apply(name: string, how: How = {}): Hex {
    const member = memberKeyOf(name, how.time).publicKey
    const credential = credentialOf(name, { purpose: 'member', place: fromHex(this.id), member })
    return this.signed(name, 'candidacy', { identity: personOf(name).root, credential }, { time: 1, ...how })
  }

  propose(by: string, name: string, how: How = {}): Hex {
    return this.signed(by, 'candidacy', { identity: personOf(name).root }, how)
  }

  vouch(motion: Hex, by: string, slot = 0, place = this.evaluator.place(motion)!, secret = this.secretOf(by)): Hex {
    return this.take(makeStatement({ kind: 'vouch', motion, slot }, place, secret))
  }

  retract(motion: Hex, by: string, slot = 0): Hex {
    return this.take(makeStatement({ kind: 'retract', motion, slot }, this.evaluator.place(motion)!, this.secretOf(by)))
  }

  ballot(motion: Hex, by: string): Hex {
    const slot = BALLOT_SLOT
    return this.take(makeStatement({ kind: 'ballot', motion, slot }, this.evaluator.place(motion)!, this.secretOf(by)))
  }

  secretOf(name: string): Uint8Array {
    return ringKeyOf(name, this.#times.get(name)?.ring).secret
  }

  join(name: string, candidacy: Hex, vouches: readonly Hex[], { on, time = 1 }: How = {}): Hex {
    const bytes = this.joinBytes(name, candidacy, vouches, { on, time })
    this.#times.set(name, { member: time, ring: time })
    return this.take(bytes)
  }

  joinBytes(name: string, candidacy: Hex, vouches: readonly Hex[], { on, time = 1 }: How, keys?: object): Uint8Array {
    const place = fromHex(this.id)
    const member = memberKeyOf(name, time).publicKey
    const credential = credentialOf(name, { purpose: 'member', place, member })
    const body = {
      candidacy: fromHex(candidacy),
      vouches: vouches.toSorted().map(fromHex),
      credential,
      ...keysOf(name, time, place, member),
      ...keys
    }
    return this.bytesOf(name, 'join', body, { on, time })
  }

  /** From candidacy to join, with these vouching, and all of it standing on `on`. */
  admit(name: string, voters: readonly string[], how: How & { slot?: number } = {}): { candidacy: Hex; join: Hex } {
    const candidacy = this.propose(voters[0], name, { on: how.on })
    const vouches = voters.map((voter) => this.vouch(candidacy, voter, how.slot))
    return { candidacy, join: this.join(name, candidacy, vouches, { on: how.on ?? [candidacy], time: how.time }) }
  }

  /** From motion to certificate. */
  expel(name: string, voters: readonly string[], how: How = {}): Hex {
    const motion = this.signed(voters[0], 'motion', { kind: 'expel', identity: personOf(name).root }, how)
    return this.certify(motion, voters, how)
  }

  /** A motion for another rule, without ballots yet. */
  changeRuleMotion(rule: Partial<Rule>, by: string): Hex {
    return this.signed(by, 'motion', { kind: 'rule', rule: { ...this.rule, ...rule } })
  }

  /** A certificate with the ballots that are there. */
  certifyBy(by: string, motion: Hex): Hex {
    const ballots = this.evaluator.provenFor(motion).map(({ id }) => fromHex(id))
    return this.signed(by, 'certificate', { motion: fromHex(motion), ballots: ballots.toSorted(Buffer.compare) })
  }

  changeRule(rule: Partial<Rule>, voters: readonly string[], how: How = {}): Hex {
    const motion = this.signed(voters[0], 'motion', { kind: 'rule', rule: { ...DEFAULT_RULE, ...rule } }, how)
    return this.certify(motion, voters, how)
  }

  certify(motion: Hex, voters: readonly string[], how: How = {}): Hex {
    const ballots = voters
      .map((voter) => this.ballot(motion, voter))
      .toSorted()
      .map(fromHex)
    return this.signed(voters[0], 'certificate', { motion: fromHex(motion), ballots }, { on: how.on ?? [motion] })
  }

  rekey(name: string, time: number, how: How = {}): Hex {
    const member = memberKeyOf(name).publicKey
    const id = this.signed(name, 'rekey', keysOf(name, time, fromHex(this.id), member), how)
    this.#times.set(name, { member: 1, ring: time })
    return id
  }

  checkpoint(by: string, day: number, how: How & { retracts?: Hex[] } = {}): Hex {
    return this.signed(by, 'checkpoint', { day, retracts: (how.retracts ?? []).toSorted().map(fromHex) }, how)
  }

  ack(by: string, checkpoint: Hex, how: How = {}): Hex {
    return this.signed(by, 'ack', { checkpoint: fromHex(checkpoint) }, { on: how.on ?? [checkpoint] })
  }

  /** A checkpoint that these make stable. */
  finalise(voters: readonly string[], day: number, how: How = {}): Hex {
    const checkpoint = this.checkpoint(voters[0], day, how)
    for (const voter of voters) this.ack(voter, checkpoint)
    return checkpoint
  }

  isStable(checkpoint: Hex): boolean {
    return this.evaluator.view().finality.stable.some(({ id }) => id === checkpoint)
  }

  ringOf(name: string): Hex {
    return toHex(ringKeyOf(name, this.#times.get(name)?.ring).publicKey)
  }

  find(id: Hex): SignedOperation {
    return this.operations.find((operation) => operation.id === id) as SignedOperation
  }
}

/** Ring and KEM key, as founders, joins and rekeys bring them. */
export function keysOf(name: string, time: number, place: Uint8Array, member: Uint8Array): BodyOf<'rekey'> {
  const { secret, publicKey } = ringKeyOf(name, time)
  const possession = proofOfPossession(secret, possessionContext(place, member))
  return { ring: publicKey, possession, kem: sha256(Buffer.from(`kem key ${time} of ${name}`)) }
}
