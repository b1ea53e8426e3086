// Ring signatures once more, written from the equations alone (src/groups/README.md) over @noble/curves, slowly and with
// nothing in common with src/groups. It also forges: it closes a ring with any secrets and any responses, unchecked.
import { createHash } from 'node:crypto'
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'

const { Point } = ristretto255
type Element = InstanceType<typeof Point>

/** The order of the group. */
export const L = Point.Fn.ORDER
const DST = 'comrade-ristretto255_XMD:SHA-512_R255MAP_RO_'

export interface ReferenceStatement {
  ring: Uint8Array[]
  group: Uint8Array
  motion: Uint8Array
  period: number
  slot: number
  tag: Uint8Array
  slotTag: Uint8Array
  message: Uint8Array
}

export function toScalar(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex') || '0'}`)
}

/** 32 bytes, little-endian. */
export function scalarBytes(scalar: bigint): Buffer {
  return Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse()
}

function sha512(...parts: (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export function hashToScalar(...parts: (Uint8Array | string)[]): bigint {
  return toScalar(sha512(...parts)) % L
}

export function u32(number: number): Buffer {
  return Buffer.from(number.toString(16).padStart(8, '0'), 'hex')
}

export function hashToElement(...parts: (Uint8Array | string)[]): Element {
  const message = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  return ristretto255_hasher.hashToCurve(message, { DST })
}

export function tagBase({ group, motion }: Pick<ReferenceStatement, 'group' | 'motion'>): Element {
  return hashToElement('comrade/tag/1', group, motion)
}

type Place = Pick<ReferenceStatement, 'group' | 'motion' | 'period' | 'slot'>

export function slotBase({ group, motion, period, slot }: Place): Element {
  if (slot === 2 ** 32 - 1) return hashToElement('comrade/ballot/1', group, motion)
  return hashToElement('comrade/slot/1', group, u32(period), u32(slot))
}

/** scalar·element, also for 0. */
export function times(scalar: bigint, element: Element): Element {
  const reduced = ((scalar % L) + L) % L
  return reduced === 0n ? Point.ZERO : element.multiplyUnsafe(reduced)
}

/** scalar·G, encoded. */
export function timesBase(scalar: bigint): Buffer {
  return Buffer.from(times(scalar, Point.BASE).toBytes())
}

function transcriptOf({ ring, group, motion, period, slot, tag, slotTag, message }: ReferenceStatement): Buffer {
  const head = ['comrade/ring/1\0', Uint8Array.of(1, ring.length), ...ring]
  return sha512(...head, group, motion, u32(period), u32(slot), tag, slotTag, message)
}

/** c after the place `index`. */
function next(transcript: Buffer, index: number, points: Element[]): bigint {
  const encoded = points.map((point) => point.toBytes())
  return hashToScalar('comrade/ring/challenge/1\0', transcript, Uint8Array.of(index), ...encoded)
}

/** The element that bytes encode, if they do so canonically and it is not the identity. */
function decode(bytes: Uint8Array): Element | undefined {
  try {
    const element = Point.fromBytes(Uint8Array.from(bytes))
    return element.is0() || !Buffer.from(element.toBytes()).equals(bytes) ? undefined : element
  } catch {
    return undefined
  }
}

/** Every condition for a proof to hold, one after another. */
export function referenceVerify(statement: ReferenceStatement, proof: Uint8Array): boolean {
  const { ring, group, motion, period, slot } = statement
  const keys = ring.map(decode)
  const [tag, slotTag] = [decode(statement.tag), decode(statement.slotTag)]
  if (keys.length < 1 || keys.length > 64 || keys.includes(undefined)) return false
  for (let at = 1; at < ring.length; at++) if (Buffer.from(ring[at]).compare(ring[at - 1]) <= 0) return false
  if (tag === undefined || slotTag === undefined) return false
  if (group.length !== 32 || motion.length !== 32) return false
  for (const number of [period, slot]) if (!Number.isInteger(number) || number < 0 || number >= 2 ** 32) return false
  if (proof.length !== 33 + 32 * ring.length || proof[0] !== 1) return false
  const scalars: bigint[] = []
  for (let at = 1; at < proof.length; at += 32) scalars.push(toScalar(proof.subarray(at, at + 32)))
  if (scalars.some((scalar) => scalar === 0n || scalar >= L)) return false

  return equationsHold(statement, proof)
}

/** The equations alone, with whatever encodings, order and size; scalars modulo L, and the identity for what is no element. */
export function equationsHold(statement: ReferenceStatement, proof: Uint8Array): boolean {
  const [c0, ...s] = Array.from({ length: statement.ring.length + 1 }, (_, at) =>
    toScalar(proof.subarray(1 + 32 * at, 33 + 32 * at))
  )
  const transcript = transcriptOf(statement)
  let c = c0
  for (let i = 0; i < statement.ring.length; i++) c = next(transcript, i, commitments(statement, i, c, s[i]))
  return c === c0 % L
}

/** Lᵢ, Rᵢ, Vᵢ */
function commitments(statement: ReferenceStatement, i: number, c: bigint, s: bigint): Element[] {
  const bases = [Point.BASE, tagBase(statement), slotBase(statement)]
  const images = [statement.ring[i], statement.tag, statement.slotTag].map((image) => decode(image) ?? Point.ZERO)
  return bases.map((base, at) => times(s, base).add(times(c, images[at])))
}

export interface Forgery extends ReferenceStatement {
  /** Whose place closes the ring. */
  index: number
  /** With which secret it is closed. */
  secret: bigint
  /** @default a fixed one */
  nonce?: bigint
  /** What stands at the other places. @default fixed ones */
  response?: (index: number) => bigint
}

/** Goes around the ring from `index` and closes it there, whatever the statement says. */
export function forge({ index: own, secret, nonce = 7n ** 80n % L, response, ...statement }: Forgery): Buffer {
  const n = statement.ring.length
  const transcript = transcriptOf(statement)
  const bases = [Point.BASE, tagBase(statement), slotBase(statement)]
  const s = Array.from({ length: n }, (_, i) => response?.(i) ?? hashToScalar('forged', scalarBytes(nonce), u32(i)))
  const c: bigint[] = []
  const nonces = bases.map((base) => times(nonce, base))
  c[(own + 1) % n] = next(transcript, own, nonces)
  for (let i = (own + 1) % n; i !== own; i = (i + 1) % n) {
    c[(i + 1) % n] = next(transcript, i, commitments(statement, i, c[i], s[i]))
  }
  s[own] = (((nonce - c[own] * secret) % L) + L) % L
  return Buffer.concat([Buffer.of(1), ...[c[0], ...s].map(scalarBytes)])
}

/** −P */
export function negated(bytes: Uint8Array): Buffer {
  return Buffer.from(Point.fromBytes(Uint8Array.from(bytes)).negate().toBytes())
}

/** c ‖ s of a key's possession. */
export function referenceIsPossessed(publicKey: Uint8Array, context: Uint8Array, proof: Uint8Array): boolean {
  const key = decode(publicKey)
  if (key === undefined || proof.length !== 64) return false
  const [c, s] = [toScalar(proof.subarray(0, 32)), toScalar(proof.subarray(32))]
  if (c === 0n || s === 0n || c >= L || s >= L) return false
  const commitment = times(s, Point.BASE).add(times(c, key))
  return c === hashToScalar('comrade/ring/possession/1\0', publicKey, commitment.toBytes(), context)
}
