// One element of a group's log: what its bytes are, what its id is, and everything that can be said of it without
// looking at any other operation. What it means is for evaluate.ts.
import * as v from 'valibot'
import { decodeCbor, encodeCbor, FeedError, isValidSignature, sha256, type Signer } from '../feeds/index.ts'
import { checkCredential } from './credential.ts'
import { GroupError } from './errors.ts'
import {
  type AnonymousFields,
  anonymousSchema,
  BODIES,
  type BodyOf,
  type SignedFields,
  signedSchema,
  type SignedType
} from './operation-schemas.ts'
import type { Anonymous, Create, Hex, Keys, Operation, SignedOperation } from './operations.ts'

/** Largest operation in bytes. */
export const MAX_OPERATION_SIZE = 65_536
const VERSION = 1
const SIGNING_DOMAIN = Buffer.from('comrade/group/op/1\0')
const POSSESSION_DOMAIN = Buffer.from('comrade/group/ring-key/1\0')

/** Says whether who brings a ring key knows its secret; `context` is what the proof was made for. */
export type IsPossessed = (ring: Uint8Array, context: Uint8Array, possession: Uint8Array) => boolean

/** How a signed operation is made. */
export interface NewOperation<Type extends SignedType> {
  type: Type
  /** Absent for create. */
  group?: Uint8Array
  /** Ids; put in order here. */
  prev: readonly Uint8Array[]
  body: BodyOf<Type>
}

/** The operation's id, which for create is the group's. */
export function operationId(bytes: Uint8Array): Uint8Array {
  return sha256(bytes)
}

/**
 * Signs an operation with a member key.
 * @returns its bytes
 * @throws GroupError OPERATION when the body has not the form of its type, SIZE when it grew too large
 */
export function signOperation<Type extends SignedType>(signer: Signer, made: NewOperation<Type>): Uint8Array {
  const { type, group, body } = made
  const prev = made.prev.toSorted(Buffer.compare)
  const unsigned = { v: VERSION, type, ...(group && { group }), author: signer.publicKey, prev, body }
  const sig = new Uint8Array(signer.sign(signingBytes(unsigned)))
  const bytes = encodeCbor({ ...unsigned, sig })
  parse(signedSchema, { ...unsigned, sig }, type)
  parse(BODIES[type], body, type)
  return checkSize(bytes)
}

/** Writes a vouch, ballot or retract, whose proof was made already. */
export function encodeAnonymous(fields: Omit<AnonymousFields, 'v'>): Uint8Array {
  return checkSize(encodeCbor(parse(anonymousSchema, { v: VERSION, ...fields }, fields.kind)))
}

/**
 * Reads an operation and checks all that it shows by itself: its form, its author's signature, that each member key is
 * certified by its identity, and that each ring key's secret is known to who brings it. The proof of an anonymous one
 * is about a ring, which only the log tells.
 * @param group the group's id; undefined reads a create
 * @throws GroupError
 */
export function readOperation(bytes: Uint8Array, group: Hex | undefined, isPossessed: IsPossessed): Operation {
  return read(bytes, group, { isSigned: isValidSignature, isPossessed, checkCredential })
}

/**
 * Reads an operation that was checked before, such as one from this device's own store: signatures are not verified again.
 * @throws GroupError when it has not the form of an operation
 */
export function readChecked(bytes: Uint8Array, group: Hex | undefined): Operation {
  return read(bytes, group, UNCHECKED)
}

/** What is asked about signatures. */
interface Checks {
  isSigned: typeof isValidSignature
  isPossessed: IsPossessed
  checkCredential: typeof checkCredential
}

const UNCHECKED: Checks = { isSigned: () => true, isPossessed: () => true, checkCredential: () => {} }

function read(bytes: Uint8Array, group: Hex | undefined, checks: Checks): Operation {
  const value = decode(checkSize(bytes))
  const id = toHex(operationId(bytes))
  if ('kind' in value) return readAnonymous(id, parse(anonymousSchema, value, 'anonymous operation'))
  const fields = parse(signedSchema, value, 'operation')
  const isCreate = fields.type === 'create' && fields.v === VERSION
  if (isCreate ? fields.group !== undefined || fields.prev.length > 0 : fields.prev.length === 0) {
    throw new GroupError('OPERATION', 'a create stands on nothing and in no group; everything else stands on something')
  }
  if ((isCreate ? id : fields.group && toHex(fields.group)) !== (group ?? id)) {
    throw new GroupError('GROUP', 'the operation belongs to another group')
  }
  checkSignature(value as SignedFields, checks)
  return readSigned(id, fields, checks)
}

/** What the founders' devices certify instead of the id that is not there yet: everything that they agree to. */
export function foundingTerms(body: Omit<BodyOf<'create'>, 'founders'>, identities: readonly Uint8Array[]): Uint8Array {
  const { name, day, nonce, rule, reading, history } = body
  return sha256(
    encodeCbor({ name, day, nonce, rule, reading, history, identities: identities.toSorted(Buffer.compare) })
  )
}

/** What a proof of possession is made for: this member's key in this group (or founding). */
export function possessionContext(place: Uint8Array, member: Uint8Array): Uint8Array {
  return Buffer.concat([POSSESSION_DOMAIN, place, member])
}

export function toHex(bytes: Uint8Array): Hex {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

export function fromHex(hex: Hex): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

function checkSize(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= MAX_OPERATION_SIZE) return bytes
  throw new GroupError('SIZE', `an operation has at most ${MAX_OPERATION_SIZE} bytes, not ${bytes.length}`)
}

function decode(bytes: Uint8Array): object {
  try {
    const value = decodeCbor(bytes)
    if (typeof value === 'object' && value !== null) return value
  } catch (cause) {
    if (!(cause instanceof FeedError)) throw cause
    throw new GroupError('OPERATION', `not an operation: ${cause.message}`, { cause })
  }
  throw new GroupError('OPERATION', 'not an operation: expected a map')
}

function parse<Schema extends v.GenericSchema>(schema: Schema, value: unknown, what: string): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  const at = v.getDotPath(result.issues[0]) ?? 'the whole'
  throw new GroupError('OPERATION', `${what}: ${at} is not as it should be: ${result.issues[0].message}`)
}

function signingBytes(unsigned: object): Uint8Array {
  return Buffer.concat([SIGNING_DOMAIN, sha256(encodeCbor(unsigned))])
}

/** Of what was decoded, not of what a schema made of it: that may have left something out. */
function checkSignature({ sig, ...unsigned }: SignedFields, { isSigned }: Checks): void {
  if (!isSigned(unsigned.author, signingBytes(unsigned), sig)) {
    throw new GroupError('SIGNATURE', `the ${unsigned.type} is not signed by its author`)
  }
}

function readAnonymous(id: Hex, { kind, motion, tag, slotTag, slot, proof }: AnonymousFields): Anonymous {
  const parent = toHex(motion)
  return { id, parents: [parent], type: kind, motion: parent, tag: toHex(tag), slotTag: toHex(slotTag), slot, proof }
}

function readSigned(id: Hex, fields: SignedFields, checks: Checks): SignedOperation {
  const author = toHex(fields.author)
  const signed = (...named: readonly Hex[]) => ({
    id,
    author,
    parents: [...new Set([...fields.prev.map(toHex), ...named])]
  })
  if (fields.v !== VERSION || !Object.hasOwn(BODIES, fields.type)) return { type: 'unknown', ...signed() }
  const place = fields.group ?? new Uint8Array()
  const bodyOf = <Type extends SignedType>(type: Type): BodyOf<Type> => parse(BODIES[type], fields.body, type)
  const type = fields.type as SignedType
  switch (type) {
    case 'create':
      return { type, ...signed(), ...readCreate(bodyOf(type), fields.author, checks) }
    case 'candidacy': {
      const { identity, credential } = bodyOf(type)
      if (credential !== undefined) {
        checks.checkCredential(credential, { purpose: 'member', place, member: fields.author })
        if (Buffer.compare(credential.root, identity) !== 0)
          throw new GroupError('CREDENTIAL', 'the candidacy is for somebody else than its author')
      }
      return { type, ...signed(), identity: toHex(identity), isOwn: credential !== undefined }
    }
    case 'join': {
      const body = bodyOf(type)
      checks.checkCredential(body.credential, { purpose: 'member', place, member: fields.author })
      const keys = readKeys(body, place, fields.author, checks)
      const [candidacy, vouches] = [toHex(body.candidacy), body.vouches.map(toHex)]
      return {
        type,
        ...signed(candidacy, ...vouches),
        candidacy,
        vouches,
        identity: toHex(body.credential.root),
        ...keys
      }
    }
    case 'motion': {
      const body = bodyOf(type)
      const proposal = body.kind === 'expel' ? { kind: body.kind, identity: toHex(body.identity) } : body
      return { type, ...signed(), proposal }
    }
    case 'certificate': {
      const body = bodyOf(type)
      const [motion, ballots] = [toHex(body.motion), body.ballots.map(toHex)]
      return { type, ...signed(motion, ...ballots), motion, ballots }
    }
    case 'leave':
      bodyOf(type)
      return { type, ...signed() }
    case 'rekey':
      return { type, ...signed(), ...readKeys(bodyOf(type), place, fields.author, checks) }
    case 'checkpoint': {
      const body = bodyOf(type)
      const retracts = body.retracts.map(toHex)
      return { type, ...signed(...retracts), day: body.day, retracts }
    }
    case 'ack': {
      const checkpoint = toHex(bodyOf(type).checkpoint)
      return { type, ...signed(checkpoint), checkpoint }
    }
    case 'epoch': {
      const { secret, recipients } = bodyOf(type)
      return { type, ...signed(), secret: toHex(secret), recipients: recipients.map(toHex) }
    }
  }
}

function readCreate(
  body: BodyOf<'create'>,
  author: Uint8Array,
  checks: Checks
): Pick<Create, 'name' | 'day' | 'founders' | 'rule' | 'reading' | 'history'> {
  const { name, day, rule, reading, history } = body
  const terms = foundingTerms(
    body,
    body.founders.map(({ credential }) => credential.root)
  )
  const founders = body.founders.map((founder) => {
    checks.checkCredential(founder.credential, { purpose: 'founder', place: terms, member: founder.member })
    const keys = readKeys(founder, terms, founder.member, checks)
    return { identity: toHex(founder.credential.root), member: toHex(founder.member), ...keys }
  })
  for (const field of ['identity', 'member', 'ring'] as const) {
    if (new Set(founders.map((founder) => founder[field])).size < founders.length)
      throw new GroupError('OPERATION', `create: two founders have the same ${field} key`)
  }
  if (!founders.some(({ member }) => member === toHex(author)))
    throw new GroupError('OPERATION', 'create: it is signed by none of the founders')
  return { name, day, founders, rule, reading, history }
}

function readKeys(
  { ring, possession, kem }: Pick<BodyOf<'rekey'>, 'ring' | 'possession' | 'kem'>,
  place: Uint8Array,
  member: Uint8Array,
  { isPossessed }: Checks
): Keys {
  if (!isPossessed(ring, possessionContext(place, member), possession))
    throw new GroupError('POSSESSION', 'the ring key was brought without showing that its secret is known')
  return { ring: toHex(ring), kem: toHex(kem) }
}
