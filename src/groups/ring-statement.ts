// What a ring signature states: that one of these keys made this message, on this motion of this group, in this slot of
// this period or as a ballot, with these two tags. All of it is hashed into every challenge.
import { GroupError } from './errors.ts'
import { hashToRistretto, isElement, multiply, sha512 } from './ristretto.ts'
import { publicRingKey } from './ring-key.ts'

/** The first byte of a proof: which kind it is. Kinds for larger rings may follow. */
export const LSAG_PROOF = 1
/** A proof has a response for each member, so that its size and cost grow with the ring. */
export const MAX_RING = 64
const ID_BYTES = 32
const MAX_U32 = 0xffff_ffff
/** In the place of a slot: a ballot, which takes none up. Its slot tag is one of its motion, as a whole. */
export const BALLOT_SLOT = MAX_U32
const TAG_DOMAIN = Buffer.from('comrade/tag/1')
const SLOT_DOMAIN = Buffer.from('comrade/slot/1')
const BALLOT_DOMAIN = Buffer.from('comrade/ballot/1')
const TRANSCRIPT_DOMAIN = Buffer.from('comrade/ring/1\0')

/** Where a statement counts. */
export interface RingContext {
  /** The group's id, 32 bytes. */
  readonly group: Uint8Array
  /** The id of the operation that opened the motion, 32 bytes. */
  readonly motion: Uint8Array
  /** Number of the period, below 2^32. */
  readonly period: number
  /** Which of the member's slots in that period is used, from 0; or BALLOT_SLOT. How many there are is not checked here. */
  readonly slot: number
}

/** A message as one of a ring says it. */
export interface RingStatement {
  /** Public ring keys, sorted by their bytes, no two the same, 1 to 64. */
  readonly ring: readonly Uint8Array[]
  readonly context: RingContext
  readonly message: Uint8Array
}

/** A statement with the tags of whoever made it. */
export interface TaggedStatement extends RingStatement {
  readonly tag: Uint8Array
  readonly slotTag: Uint8Array
}

/**
 * The tag of a member on a motion: k·HashToRistretto("comrade/tag/1" ‖ group ‖ motion).
 * @throws GroupError KEY or CONTEXT
 */
export function tagOf(secret: Uint8Array, group: Uint8Array, motion: Uint8Array): Uint8Array {
  assertContext({ group, motion, period: 0, slot: 0 })
  publicRingKey(secret)
  return multiply(secret, tagBase(group, motion))
}

/**
 * The tag of a member in a slot: k·HashToRistretto("comrade/slot/1" ‖ group ‖ period ‖ slot), both numbers as u32,
 * big-endian. Two statements in one slot show that the same member made them, whatever their motions. Of a ballot it is
 * k·HashToRistretto("comrade/ballot/1" ‖ group ‖ motion), and shows no more than its tag does.
 * @throws GroupError KEY or CONTEXT
 */
export function slotTagOf(secret: Uint8Array, context: RingContext): Uint8Array {
  assertContext(context)
  publicRingKey(secret)
  return multiply(secret, slotBase(context))
}

/** HashToRistretto("comrade/tag/1" ‖ group ‖ motion) */
export function tagBase(group: Uint8Array, motion: Uint8Array): Uint8Array {
  return hashToRistretto(TAG_DOMAIN, group, motion)
}

/** HashToRistretto("comrade/slot/1" ‖ group ‖ period ‖ slot); of a ballot, of "comrade/ballot/1" ‖ group ‖ motion. */
export function slotBase({ group, motion, period, slot }: RingContext): Uint8Array {
  return slot === BALLOT_SLOT
    ? hashToRistretto(BALLOT_DOMAIN, group, motion)
    : hashToRistretto(SLOT_DOMAIN, group, u32(period), u32(slot))
}

/** The hash of all that a proof is bound to. Every part but the last has a size that the ones before it give. */
export function transcriptOf({ ring, context, tag, slotTag, message }: TaggedStatement): Uint8Array {
  const { group, motion, period, slot } = context
  const kind = Buffer.of(LSAG_PROOF, ring.length)
  return sha512(TRANSCRIPT_DOMAIN, kind, ...ring, group, motion, u32(period), u32(slot), tag, slotTag, message)
}

/** Whether these are 1 to 64 elements, sorted by their bytes, no two the same. */
export function isRing(keys: readonly Uint8Array[]): boolean {
  return (
    keys.length >= 1 &&
    keys.length <= MAX_RING &&
    keys.every((key, index) => index === 0 || Buffer.compare(keys[index - 1], key) < 0) &&
    keys.every(isElement)
  )
}

/** Whether the ids have their size and the numbers are u32. */
export function isContext({ group, motion, period, slot }: RingContext): boolean {
  return group.length === ID_BYTES && motion.length === ID_BYTES && isU32(period) && isU32(slot)
}

/** @throws GroupError CONTEXT */
export function assertContext(context: RingContext): void {
  if (isContext(context)) return
  const { group, motion, period, slot } = context
  throw new GroupError(
    'CONTEXT',
    `group and motion are ids of ${ID_BYTES} bytes, period and slot numbers below 2^32, ` +
      `not ${group.length} and ${motion.length} bytes, ${period} and ${slot}`
  )
}

function isU32(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= MAX_U32
}

function u32(number: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(number)
  return bytes
}
