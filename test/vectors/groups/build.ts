// What the cases of ring signatures are made from: members, one statement, and ways to sign, to forge and to change it.
import { createHash } from 'node:crypto'
import { BALLOT_SLOT, prove, ready, ringKey, slotTagOf, tagOf, type RingKey } from '../../../src/groups/index.ts'
import {
  forge,
  L,
  scalarBytes,
  toScalar,
  type Forgery,
  type ReferenceStatement
} from '../../groups/ring-signature-reference.ts'

await ready()

/** One line of ring-signature.json; bytes are hexadecimal. */
export interface SignatureVector {
  name: string
  valid: boolean
  ring: string[]
  group: string
  motion: string
  period: number
  slot: number
  message: string
  tag: string
  slotTag: string
  proof: string
  /** With `random`: of whom made it, where it was made by the rules. */
  secret?: string
  random?: string
}

export interface PossessionVector {
  name: string
  valid: boolean
  publicKey: string
  context: string
  proof: string
  secret?: string
  random?: string
}

export type Case = ReferenceStatement & { proof: Uint8Array }

export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
export const fill = (byte: number, size = 32) => Buffer.alloc(size, byte)
export const bytesOf = (text: string) => Buffer.from(text, 'hex')
export const member = (number: number): RingKey => ringKey(createHash('sha256').update(`member ${number}`).digest())

/** Keys of members 1 to n in the order of a ring. */
export function members(count: number): RingKey[] {
  return Array.from({ length: count }, (_, at) => member(at + 1)).sort((a, b) =>
    Buffer.compare(a.publicKey, b.publicKey)
  )
}

export const five = members(5)
export const [first, second, third, fourth, fifth] = five
export const outsider = member(100)
export const publicKeys = (keys: readonly RingKey[]) => keys.map(({ publicKey }) => publicKey)

export const RANDOM = fill(0x77)
export const GROUP = fill(0x11)
export const MOTION = fill(0x22)
export const BASE = {
  ring: publicKeys(five),
  group: GROUP,
  motion: MOTION,
  period: 7,
  slot: 1,
  message: Buffer.from('vouch')
}

/** A ballot, in the place of a slot. */
export const BALLOT = { slot: BALLOT_SLOT, message: Buffer.from('ballot') }

export type Unsigned = Omit<ReferenceStatement, 'tag' | 'slotTag'>

export function tagged(signer: RingKey, statement: Unsigned): ReferenceStatement {
  return {
    ...statement,
    tag: tagOf(signer.secret, statement.group, statement.motion),
    slotTag: slotTagOf(signer.secret, statement)
  }
}

/** A statement signed by the rules. */
export function signed(signer: RingKey, changes: Partial<Unsigned> = {}, random: Uint8Array = RANDOM): Case {
  const statement = { ...BASE, ...changes }
  const { ring, message, ...context } = statement
  return { ...tagged(signer, statement), proof: prove({ secret: signer.secret, ring, context, message, random }) }
}

/** A statement whose ring is closed by a signer, whatever else was changed. */
export function closed(signer: RingKey, changes: Partial<Forgery> = {}): Case {
  const statement = { ...tagged(signer, BASE), ...changes }
  const index = statement.ring.findIndex((key) => Buffer.from(signer.publicKey).equals(key))
  return { ...statement, proof: forge({ index, secret: toScalar(signer.secret), ...statement }) }
}

/** By the secret 0: its key and tags are the identity, in any group, on any motion. */
export function ofIdentity(): Case {
  const statement = { ...BASE, ring: [IDENTITY, ...BASE.ring], tag: IDENTITY, slotTag: IDENTITY }
  return { ...statement, proof: forge({ ...statement, index: 0, secret: 0n }) }
}

export const IDENTITY = Buffer.alloc(32)
export const honest = signed(third)
export const otherHonest = signed(first)

export function vector(name: string, valid: boolean, made: Case, signer?: { secret: Uint8Array; random?: Uint8Array }) {
  const { ring, group, motion, period, slot, message, tag, slotTag, proof } = made
  const where = { group: hex(group), motion: hex(motion), period, slot }
  const line: SignatureVector = {
    ...{ name, valid, ring: ring.map(hex), ...where },
    ...{ message: hex(message), tag: hex(tag), slotTag: hex(slotTag), proof: hex(proof) }
  }
  return signer ? { ...line, secret: hex(signer.secret), random: hex(signer.random ?? RANDOM) } : line
}

/** Made by the rules: whoever proves with the same secret and random bytes gets the same proof. */
export function good(name: string, signer: RingKey, changes: Partial<Unsigned> = {}, random: Uint8Array = RANDOM) {
  return vector(name, true, signed(signer, changes, random), { secret: signer.secret, random })
}

export function bad(name: string, changes: Partial<Case>, from: Case = honest): SignatureVector {
  return vector(name, false, { ...from, ...changes })
}

/** A proof with one of its scalars (0: the challenge) changed. */
export function withScalar(
  at: number,
  change: (bytes: Buffer) => Uint8Array,
  proof: Uint8Array = honest.proof
): Buffer {
  const changed = Buffer.from(proof)
  changed.set(change(Buffer.from(proof.subarray(1 + 32 * at, 33 + 32 * at))), 1 + 32 * at)
  return changed
}
export const scalarsOf = (proof: Uint8Array, from: number, to: number) => proof.subarray(1 + 32 * from, 1 + 32 * to)
export const flipped = (bytes: Uint8Array, at = 0) => Buffer.from(bytes).fill(bytes[at] ^ 1, at, at + 1)
export const plusOrder = (bytes: Uint8Array) => scalarBytes(toScalar(bytes) + L)
export const topBit = (bytes: Uint8Array) => Buffer.from(bytes).fill(bytes[31] | 0x80, 31)
export const sum = (...keys: RingKey[]) => keys.reduce((total, { secret }) => total + toScalar(secret), 0n) % L
