// A statement by one of a ring, by nobody in particular: a linkable ring signature. Two tags come with it, made from the
// same secret: one is the same whenever this member speaks on this motion, the other whenever this member uses this slot
// of this period. So statements can be counted and limited, but not traced.
//
// LSAG of Liu, Wei and Wong (2004), with the base of its tag replaced by two, hashed from group and motion, and from group,
// period and slot. A ballot has no slot: its second base is hashed from group and motion once more. The equations and their
// sources are in README.md.
import { randomBytes } from 'node:crypto'
import { GroupError } from './errors.ts'
import {
  add,
  ELEMENT_BYTES,
  hashToScalar,
  isElement,
  isScalar,
  multiply,
  multiplyBase,
  sha512,
  subtractProduct
} from './ristretto.ts'
import { publicRingKey, SEED_BYTES } from './ring-key.ts'
import {
  isContext,
  isRing,
  LSAG_PROOF,
  MAX_RING,
  slotBase,
  slotTagOf,
  tagBase,
  tagOf,
  transcriptOf,
  type RingStatement,
  type TaggedStatement
} from './ring-statement.ts'

const CHALLENGE_DOMAIN = Buffer.from('comrade/ring/challenge/1\0')
const NONCE_DOMAIN = Buffer.from('comrade/ring/nonce/1\0')
const RESPONSE_DOMAIN = Buffer.from('comrade/ring/response/1\0')

/** What a proof is made from. */
export interface ProofInput extends RingStatement {
  /** Of a key in the ring. */
  readonly secret: Uint8Array
  /** 32 bytes. @default fresh ones */
  readonly random?: Uint8Array
}

/** What a proof is checked against. */
export interface SignedStatement extends TaggedStatement {
  readonly proof: Uint8Array
}

/** Size in bytes of a proof for a ring of so many: kind, challenge, responses. */
export function proofBytes(ringSize: number): number {
  return 1 + ELEMENT_BYTES * (1 + ringSize)
}

/**
 * Signs a statement as one of a ring. The tags that belong to it are tagOf and slotTagOf. Takes a millisecond a member.
 * @returns 0x01 ‖ c₀ ‖ s₀ ‖ … ‖ sₙ₋₁, of proofBytes(n) bytes
 * @throws GroupError KEY when the secret's key is not in the ring, RING, CONTEXT
 */
export function prove({ secret, random = randomBytes(SEED_BYTES), ...statement }: ProofInput): Uint8Array {
  const { ring, context } = statement
  const own = ownIndex(secret, ring)
  const tag = tagOf(secret, context.group, context.motion)
  const slotTag = slotTagOf(secret, context)
  const relation = relationOf({ ...statement, tag, slotTag })
  const responses = drawScalars(secret, random, relation)

  const nonce = responses[own]
  const challenges: Uint8Array[] = []
  let next = challengeAfter(relation, own, nonceCommitments(relation, nonce))
  for (let step = 1; step < ring.length; step++) {
    const index = (own + step) % ring.length
    challenges[index] = next
    next = challengeAfter(relation, index, commitments(relation, index, next, responses[index]))
  }
  challenges[own] = next
  responses[own] = subtractProduct(nonce, next, secret)
  return Buffer.concat([Buffer.of(LSAG_PROOF), challenges[0], ...responses])
}

/**
 * Whether a proof holds: one of the ring made this message and both tags, in this context. Any bytes may be given; what
 * is cheap is checked first. Takes a millisecond a member.
 * @throws GroupError NOT_READY, nothing else
 */
export function verify(statement: SignedStatement): boolean {
  if (!isWellFormed(statement)) return false
  const relation = relationOf(statement)
  const [first, ...responses] = scalarsOf(statement.proof)
  let challenge = first
  for (const [index, response] of responses.entries()) {
    challenge = challengeAfter(relation, index, commitments(relation, index, challenge, response))
  }
  return Buffer.from(first).equals(challenge)
}

/** Sizes, then order, then scalars, then elements: from cheap to dear. */
function isWellFormed({ ring, context, tag, slotTag, proof }: SignedStatement): boolean {
  return (
    proof[0] === LSAG_PROOF &&
    ring.length <= MAX_RING &&
    proof.length === proofBytes(ring.length) &&
    isContext(context) &&
    scalarsOf(proof).every(isScalar) &&
    isElement(tag) &&
    isElement(slotTag) &&
    isRing(ring)
  )
}

/** The parts of a proof after its first byte: c₀, s₀, …, sₙ₋₁. */
function scalarsOf(proof: Uint8Array): Uint8Array[] {
  return Array.from({ length: (proof.length - 1) / ELEMENT_BYTES }, (_, at) =>
    proof.subarray(1 + at * ELEMENT_BYTES, 1 + (at + 1) * ELEMENT_BYTES)
  )
}

/** What stays the same around the ring: for one k, key = k·G, tag = k·tagBase, slotTag = k·slotBase. */
interface Relation {
  readonly ring: readonly Uint8Array[]
  readonly tag: Uint8Array
  readonly tagBase: Uint8Array
  readonly slotTag: Uint8Array
  readonly slotBase: Uint8Array
  readonly transcript: Uint8Array
}

function relationOf(statement: TaggedStatement): Relation {
  const { ring, context, tag, slotTag } = statement
  return {
    ring,
    tag,
    tagBase: tagBase(context.group, context.motion),
    slotTag,
    slotBase: slotBase(context),
    transcript: transcriptOf(statement)
  }
}

/** Lᵢ = sᵢ·G + cᵢ·Pᵢ, Rᵢ = sᵢ·tagBase + cᵢ·tag, Vᵢ = sᵢ·slotBase + cᵢ·slotTag */
function commitments(relation: Relation, index: number, challenge: Uint8Array, response: Uint8Array): Uint8Array[] {
  return [
    add(multiplyBase(response), multiply(challenge, relation.ring[index])),
    add(multiply(response, relation.tagBase), multiply(challenge, relation.tag)),
    add(multiply(response, relation.slotBase), multiply(challenge, relation.slotTag))
  ]
}

/** The signer's own, before there is a challenge: u·G, u·tagBase, u·slotBase. */
function nonceCommitments(relation: Relation, nonce: Uint8Array): Uint8Array[] {
  return [multiplyBase(nonce), multiply(nonce, relation.tagBase), multiply(nonce, relation.slotBase)]
}

/** cᵢ₊₁ = H(transcript ‖ i ‖ Lᵢ ‖ Rᵢ ‖ Vᵢ), all of one size. */
function challengeAfter({ transcript }: Relation, index: number, points: Uint8Array[]): Uint8Array {
  return hashToScalar(CHALLENGE_DOMAIN, transcript, Buffer.of(index), ...points)
}

/**
 * A scalar for each of the ring: the signer's nonce at its own place, the others' responses at theirs. They differ with
 * the statement even where the random bytes do not, since one nonce under two challenges gives the secret away.
 */
function drawScalars(secret: Uint8Array, random: Uint8Array, { ring, transcript }: Relation): Uint8Array[] {
  const seed = sha512(NONCE_DOMAIN, secret, sha512(random), transcript)
  return ring.map((_, index) => hashToScalar(RESPONSE_DOMAIN, seed, Buffer.of(index)))
}

function ownIndex(secret: Uint8Array, ring: readonly Uint8Array[]): number {
  if (!isRing(ring)) {
    throw new GroupError('RING', `a ring is 1 to ${MAX_RING} keys, sorted, no two the same; this has ${ring.length}`)
  }
  const publicKey = Buffer.from(publicRingKey(secret))
  const index = ring.findIndex((key) => publicKey.equals(key))
  if (index === -1) throw new GroupError('KEY', `your key is not among the ${ring.length} of this ring`)
  return index
}
