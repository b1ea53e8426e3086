// What the proof of a vouch, ballot or retract is about: the bridge between the log's operations and ring signatures.
import type { ProofPlace } from './evaluate.ts'
import { encodeAnonymous, fromHex } from './operation.ts'
import type { Anonymous, Hex } from './operations.ts'
import { prove, type SignedStatement, verify } from './ring-signature.ts'
import { type RingStatement, slotTagOf, tagOf } from './ring-statement.ts'

const MESSAGE_DOMAIN = 'comrade/group/statement/1\0'

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
 * @throws GroupError KEY when the secret's key is not in the ring; RING when the ring is larger than 64
 */
export function makeStatement(statement: NewStatement, place: ProofPlace, secret: Uint8Array): Uint8Array {
  const { ring, context, message } = statementOf(statement, place)
  const tag = tagOf(secret, context.group, context.motion)
  const slotTag = slotTagOf(secret, context)
  const proof = prove({ secret, ring, context, message })
  return encodeAnonymous({ kind: statement.kind, motion: context.motion, tag, slotTag, slot: context.slot, proof })
}

/** The evaluator's question, answered by ring signatures. */
export function isProven(operation: Anonymous, place: ProofPlace): boolean {
  return verify(signedStatementOf(operation, place))
}

/** An operation as a ring signature states it. The kind is in the message: a vouch's proof makes no retract. */
export function signedStatementOf(operation: Anonymous, place: ProofPlace): SignedStatement {
  return {
    ...statementOf({ ...operation, kind: operation.type }, place),
    tag: fromHex(operation.tag),
    slotTag: fromHex(operation.slotTag),
    proof: operation.proof
  }
}

function statementOf({ kind, motion, slot }: NewStatement, { group, ring, period }: ProofPlace): RingStatement {
  return {
    ring: ring.map(fromHex),
    context: { group: fromHex(group), motion: fromHex(motion), period, slot },
    message: Buffer.from(MESSAGE_DOMAIN + kind)
  }
}
