// The form of every operation as it stands in DAG-CBOR: strict, with nothing optional that a rule does not name, and
// with a limit on every list before anything in it is looked at.
import * as v from 'valibot'
import { HEADER_SIZE } from '../feeds/index.ts'
import { MAX_CREDENTIAL_ENTRIES, MAX_DEVICE_BODY_SIZE } from './credential.ts'
import { MAX_QUORUM, MAX_SLOTS } from './quorum.ts'
import { BALLOT_SLOT } from './ring-statement.ts'

/** Most ids of operations that one lists in any place. */
export const MAX_IDS = 256
export const MAX_FOUNDERS = 32
/** Most who share in an epoch's secret. */
export const MAX_RECIPIENTS = 512
/** Most earlier secrets that one epoch gives on. */
export const MAX_EARLIER = 64
export const MAX_GROUP_NAME_LENGTH = 64
/** Longest ring proof in bytes: a ring of 64 with room for later kinds of proof. */
export const MAX_PROOF_SIZE = 4_096
const MAX_POSSESSION_SIZE = 128
const MAX_WRAPPED_SIZE = 256
/** Days since 1970-01-01, UTC; the largest is in the year 4840. */
const MAX_DAY = 2 ** 20 - 1

const anyBytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array)
const bytes = (size: number) => v.pipe(anyBytes, v.length(size))
const bytesUpTo = (size: number) => v.pipe(anyBytes, v.minLength(1), v.maxLength(size))
const integer = (low: number, high: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(low), v.maxValue(high))
const key = bytes(32)
const list = <Item extends v.GenericSchema>(item: Item, most: number, least = 0) =>
  v.pipe(v.array(item), v.minLength(least), v.maxLength(most))
/** A set: sorted by bytes, each once, so that it has one form. */
const keys = (most: number, least = 0) => v.pipe(list(key, most, least), v.check(isSorted))

const rule = v.pipe(
  v.strictObject({
    quorum: v.picklist(['isqrt', 'log2', 'constant', 'percent']),
    value: integer(0, MAX_QUORUM),
    min: integer(1, MAX_QUORUM),
    max: integer(1, MAX_QUORUM),
    slots: integer(1, MAX_SLOTS)
  }),
  v.check(({ quorum, value, min, max }) => min <= max && isValueOf(quorum, value))
)

const credential = v.strictObject({
  root: key,
  headers: list(bytes(HEADER_SIZE), MAX_CREDENTIAL_ENTRIES, 1),
  body: bytesUpTo(MAX_DEVICE_BODY_SIZE),
  signature: bytes(64),
  consent: bytes(64)
})

const heldKeys = {
  /** ristretto255: what this member is in rings. */
  ring: key,
  /** Shows that who brings the ring key knows its secret. */
  possession: bytesUpTo(MAX_POSSESSION_SIZE),
  /** X25519: what epoch secrets are wrapped to. */
  kem: key
}

/** The body of each signed type. */
export const BODIES = {
  create: v.strictObject({
    name: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_GROUP_NAME_LENGTH)),
    day: integer(0, MAX_DAY),
    nonce: bytes(32),
    founders: list(v.strictObject({ member: key, credential, ...heldKeys }), MAX_FOUNDERS, 1),
    rule,
    /** Who reads what is written: whoever has the link, or members. */
    reading: v.picklist(['open', 'members']),
    /** Whether somebody new may read what was written before they came. */
    history: v.boolean()
  }),
  candidacy: v.strictObject({ identity: key, credential: v.optional(credential) }),
  join: v.strictObject({ candidacy: key, vouches: keys(MAX_IDS), credential, ...heldKeys }),
  motion: v.variant('kind', [
    v.strictObject({ kind: v.literal('expel'), identity: key }),
    v.strictObject({ kind: v.literal('rule'), rule })
  ]),
  certificate: v.strictObject({ motion: key, ballots: keys(MAX_IDS) }),
  leave: v.strictObject({}),
  rekey: v.strictObject(heldKeys),
  checkpoint: v.strictObject({ day: integer(0, MAX_DAY), retracts: keys(MAX_IDS) }),
  ack: v.strictObject({ checkpoint: key }),
  epoch: v.pipe(
    v.strictObject({
      secret: bytes(32),
      recipients: keys(MAX_RECIPIENTS, 1),
      /** To each recipient, in the order of `recipients`. */
      wrapped: list(bytesUpTo(MAX_WRAPPED_SIZE), MAX_RECIPIENTS, 1),
      /** Earlier secrets, sealed under this one. */
      earlier: v.optional(bytesUpTo(MAX_EARLIER * 32 + 16))
    }),
    v.check(({ recipients, wrapped }) => recipients.length === wrapped.length)
  )
} as const

export const signedSchema = v.strictObject({
  v: integer(1, 255),
  type: v.pipe(v.string(), v.minLength(1), v.maxLength(32)),
  /** Absent in create, whose id it is. */
  group: v.optional(key),
  author: key,
  prev: keys(MAX_IDS),
  body: v.record(v.string(), v.unknown()),
  sig: bytes(64)
})

export const anonymousSchema = v.strictObject({
  v: v.literal(1),
  kind: v.picklist(['vouch', 'ballot', 'retract']),
  motion: key,
  tag: key,
  slotTag: key,
  slot: integer(0, BALLOT_SLOT),
  proof: bytesUpTo(MAX_PROOF_SIZE)
})

export type SignedType = keyof typeof BODIES
export type BodyOf<Type extends SignedType> = v.InferOutput<(typeof BODIES)[Type]>
export type SignedFields = v.InferOutput<typeof signedSchema>
export type AnonymousFields = v.InferOutput<typeof anonymousSchema>

function isSorted(list: Uint8Array[]): boolean {
  return list.every((item, i) => i === 0 || Buffer.compare(list[i - 1], item) < 0)
}

function isValueOf(quorum: string, value: number): boolean {
  if (quorum === 'constant') return value >= 1
  return quorum === 'percent' ? value >= 1 && value <= 100 : value === 0
}
