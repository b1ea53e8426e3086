// What the proof of a vouch, ballot or retract is about: the bridge between the log's operations and ring signatures.
import type { ProofPlace } from './evaluate.ts'
import { encodeAnonymous, fromHex, toHex } from './operation.ts'
import type { Anonymous, Hex } from './operations.ts'
import { publicRingKey } from './ring-key.ts'
import { partsOf } from './ring-parts.ts'
import { type ProofInput, prove, type SignedStatement, verify } from './ring-signature.ts'
import { LSAG_PROOF, type RingStatement, slotTagOf, tagOf } from './ring-statement.ts'

const MESSAGE_DOMAIN = 'comrade/group/statement/1\0'
/** The first byte of a proof for one part of a ring; the second says which part. */
export const PART_PROOF = 2
/** For a proof that is none: it holds for no ring. */
const NO_PROOF = new Uint8Array()

/** What one member says of a motion, before it is proven. */
export interface NewStatement {
  kind: Anonymous['type']
  motion: Hex
  /** Of a vouch: from 0, below the rule's slots. Of a ballot: BALLOT_SLOT. Of a retract: the vouch's. */
  slot: number
}

/**
 * Makes a vouch, ballot or retract as one of the motion's ring.
 * @param place what was so when the motion was opened: Evaluator.place
 * @param secret of a ring key in the ring
 * @returns the operation's bytes, which name nobody
 * @throws GroupError KEY when the secret's key is not in the ring
 */
export function makeStatement(statement: NewStatement, place: ProofPlace, secret: Uint8Array): Uint8Array {
  const provable = provableOf(statement, place, secret)
  return provenStatement(provable, prove(provable.input))
}

/** A statement that is to be proven, by {@link makeStatement} or in another thread. */
export interface Provable {
  kind: Anonymous['type']
  /** What `prove` takes. */
  input: ProofInput
  /** Of a ring in parts, the one that the secret's key is in. */
  part: number | undefined
}

/** @throws GroupError KEY when the secret is none */
export function provableOf(statement: NewStatement, place: ProofPlace, secret: Uint8Array): Provable {
  const parts = partsOf(place.ring, place.last)
  const own = toHex(publicRingKey(secret))
  const part = Math.max(
    0,
    parts.findIndex((keys) => keys.includes(own))
  )
  const input = { secret, ...statementOf(statement, place, parts[part]) }
  return { kind: statement.kind, input, part: parts.length === 1 ? undefined : part }
}

/** The operation's bytes, once the proof was made. */
export function provenStatement({ kind, input, part }: Provable, whole: Uint8Array): Uint8Array {
  const { secret, context } = input
  const { group, motion, slot } = context
  const [tag, slotTag] = [tagOf(secret, group, motion), slotTagOf(secret, context)]
  const proof = part === undefined ? whole : Buffer.concat([Buffer.of(PART_PROOF, part), whole.subarray(1)])
  return encodeAnonymous({ kind, motion, tag, slotTag, slot, proof })
}

/** The evaluator's question, answered by ring signatures. */
export function isProven(operation: Anonymous, place: ProofPlace): boolean {
  return verify(signedStatementOf(operation, place))
}

/**
 * An operation as a ring signature states it. The kind is in the message: a vouch's proof makes no retract. Of a ring in
 * parts it is stated by the one that the proof names.
 */
export function signedStatementOf(operation: Anonymous, place: ProofPlace): SignedStatement {
  const parts = partsOf(place.ring, place.last)
  const { ring, proof } = parts.length === 1 ? { ring: parts[0], proof: operation.proof } : partOf(operation, parts)
  return {
    ...statementOf({ ...operation, kind: operation.type }, place, ring),
    tag: fromHex(operation.tag),
    slotTag: fromHex(operation.slotTag),
    proof
  }
}

/** The part that a proof names, and the proof as one for a ring that is this part. */
function partOf({ proof }: Anonymous, parts: readonly (readonly Hex[])[]): { ring: readonly Hex[]; proof: Uint8Array } {
  const [kind, part] = proof
  if (kind !== PART_PROOF || part === undefined || part >= parts.length) return { ring: parts[0], proof: NO_PROOF }
  return { ring: parts[part], proof: Buffer.concat([Buffer.of(LSAG_PROOF), proof.subarray(2)]) }
}

function statementOf(
  { kind, motion, slot }: NewStatement,
  { group, period }: ProofPlace,
  ring: readonly Hex[]
): RingStatement {
  return {
    ring: ring.map(fromHex),
    context: { group: fromHex(group), motion: fromHex(motion), period, slot },
    message: Buffer.from(MESSAGE_DOMAIN + kind)
  }
}
