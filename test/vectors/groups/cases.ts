// The cases of ring signatures: what is made by the rules, and one fault each. What an attacker would send is forged so
// that the equations hold wherever that can be, and only the rule that the case is about stands against it.
import { createHash } from 'node:crypto'
import { proofOfPossession, prove, ready, ringKey, slotTagOf, tagOf, type RingKey } from '../../../src/groups/index.ts'
import {
  forge,
  hashToScalar,
  L,
  negated,
  scalarBytes,
  slotBase,
  tagBase,
  times,
  timesBase,
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

type Case = ReferenceStatement & { proof: Uint8Array }

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const fill = (byte: number, size = 32) => Buffer.alloc(size, byte)
const bytesOf = (text: string) => Buffer.from(text, 'hex')
const member = (number: number): RingKey => ringKey(createHash('sha256').update(`member ${number}`).digest())

/** Keys of members 1 to n in the order of a ring. */
function members(count: number): RingKey[] {
  return Array.from({ length: count }, (_, at) => member(at + 1)).sort((a, b) =>
    Buffer.compare(a.publicKey, b.publicKey)
  )
}

const five = members(5)
const [first, second, third, fourth, fifth] = five
const outsider = member(100)
const publicKeys = (keys: readonly RingKey[]) => keys.map(({ publicKey }) => publicKey)

const RANDOM = fill(0x77)
const GROUP = fill(0x11)
const MOTION = fill(0x22)
const BASE = { ring: publicKeys(five), group: GROUP, motion: MOTION, period: 7, slot: 1, message: Buffer.from('vouch') }

type Unsigned = Omit<ReferenceStatement, 'tag' | 'slotTag'>

function tagged(signer: RingKey, statement: Unsigned): ReferenceStatement {
  const { group, motion, period, slot } = statement
  return {
    ...statement,
    tag: tagOf(signer.secret, group, motion),
    slotTag: slotTagOf(signer.secret, group, period, slot)
  }
}

/** A statement signed by the rules. */
function signed(signer: RingKey, changes: Partial<Unsigned> = {}, random: Uint8Array = RANDOM): Case {
  const statement = { ...BASE, ...changes }
  const { ring, message, ...context } = statement
  return { ...tagged(signer, statement), proof: prove({ secret: signer.secret, ring, context, message, random }) }
}

/** A statement whose ring is closed by a signer, whatever else was changed. */
function closed(signer: RingKey, changes: Partial<Forgery> = {}): Case {
  const statement = { ...tagged(signer, BASE), ...changes }
  const index = statement.ring.findIndex((key) => Buffer.from(signer.publicKey).equals(key))
  return { ...statement, proof: forge({ index, secret: toScalar(signer.secret), ...statement }) }
}

/** By the secret 0: its key and tags are the identity, in any group, on any motion. */
function ofIdentity(): Case {
  const statement = { ...BASE, ring: [IDENTITY, ...BASE.ring], tag: IDENTITY, slotTag: IDENTITY }
  return { ...statement, proof: forge({ ...statement, index: 0, secret: 0n }) }
}

const IDENTITY = Buffer.alloc(32)
const honest = signed(third)
const otherHonest = signed(first)

function vector(name: string, valid: boolean, made: Case, signer?: { secret: Uint8Array; random?: Uint8Array }) {
  const { ring, group, motion, period, slot, message, tag, slotTag, proof } = made
  const where = { group: hex(group), motion: hex(motion), period, slot }
  const line: SignatureVector = {
    ...{ name, valid, ring: ring.map(hex), ...where },
    ...{ message: hex(message), tag: hex(tag), slotTag: hex(slotTag), proof: hex(proof) }
  }
  return signer ? { ...line, secret: hex(signer.secret), random: hex(signer.random ?? RANDOM) } : line
}

/** Made by the rules: whoever proves with the same secret and random bytes gets the same proof. */
function good(name: string, signer: RingKey, changes: Partial<Unsigned> = {}, random: Uint8Array = RANDOM) {
  return vector(name, true, signed(signer, changes, random), { secret: signer.secret, random })
}

function bad(name: string, changes: Partial<Case>, from: Case = honest): SignatureVector {
  return vector(name, false, { ...from, ...changes })
}

/** A proof with one of its scalars (0: the challenge) changed. */
function withScalar(at: number, change: (bytes: Buffer) => Uint8Array, proof: Uint8Array = honest.proof): Buffer {
  const changed = Buffer.from(proof)
  changed.set(change(Buffer.from(proof.subarray(1 + 32 * at, 33 + 32 * at))), 1 + 32 * at)
  return changed
}
const scalarsOf = (proof: Uint8Array, from: number, to: number) => proof.subarray(1 + 32 * from, 1 + 32 * to)
const flipped = (bytes: Uint8Array, at = 0) => Buffer.from(bytes).fill(bytes[at] ^ 1, at, at + 1)
const plusOrder = (bytes: Uint8Array) => scalarBytes(toScalar(bytes) + L)
const topBit = (bytes: Uint8Array) => Buffer.from(bytes).fill(bytes[31] | 0x80, 31)
const sum = (...keys: RingKey[]) => keys.reduce((total, { secret }) => total + toScalar(secret), 0n) % L

const validCases = [
  good('ring of 5, third member', third),
  good('the same statement, other random bytes', third, {}, fill(0x78)),
  good('random bytes that are all 0', third, {}, fill(0)),
  good('ring of 5, first member', first),
  good('ring of 5, last member', fifth),
  good('ring of 1', first, { ring: [first.publicKey] }),
  good('ring of 2', second, { ring: publicKeys([first, second]) }),
  good('ring of 8', members(8)[4], { ring: publicKeys(members(8)) }),
  good('ring of 64, first member', members(64)[0], { ring: publicKeys(members(64)) }),
  good('ring of 64, last member', members(64)[63], { ring: publicKeys(members(64)) }),
  good('the same member on another motion: another tag, the same slot tag', third, { motion: fill(0x23) }),
  good('the same member in another slot: the same tag, another slot tag', third, { slot: 0 }),
  good('the same member in another period', third, { period: 8 }),
  good('the same member in another group', third, { group: fill(0x12) }),
  good('another message on the same motion: the same tag', third, { message: Buffer.from('retract') }),
  good('empty message', third, { message: Buffer.alloc(0) }),
  good('message of 1,000 bytes', third, { message: fill(0x61, 1_000) }),
  good('period and slot 0', third, { period: 0, slot: 0 }),
  good('greatest period and slot', third, { period: 0xffff_ffff, slot: 0xffff_ffff }),
  good('group and motion the same', third, { motion: GROUP }),
  vector('nonce 0: the commitments are the identity, and the equations hold', true, closed(third, { nonce: 0n })),
  vector('response 1 at another place', true, closed(third, { response: () => 1n })),
  vector('response L - 1 at another place', true, closed(third, { response: () => L - 1n }))
]

const boundCases = [
  bad('message: another byte', { message: Buffer.from('vouci') }),
  bad('message: a byte more', { message: Buffer.from('vouch\0') }),
  bad('message: none', { message: Buffer.alloc(0) }),
  bad('replayed to another group', { group: fill(0x12) }),
  bad('replayed to another group, with the tags for it', {
    ...signed(third, { group: fill(0x12) }),
    proof: honest.proof
  }),
  bad('replayed to another motion', { motion: fill(0x23) }),
  bad('replayed to another motion, with the tag for it', {
    ...signed(third, { motion: fill(0x23) }),
    proof: honest.proof
  }),
  bad('replayed to another slot', { slot: 2 }),
  bad('replayed to another slot, with the tag for it', { ...signed(third, { slot: 2 }), proof: honest.proof }),
  bad('replayed to another period', { period: 8 }),
  bad('replayed to another period, with the tag for it', { ...signed(third, { period: 8 }), proof: honest.proof }),
  bad('period and slot exchanged', { period: 1, slot: 7 }),
  bad('group and motion exchanged', { group: MOTION, motion: GROUP }),
  bad('group of 31 bytes', { group: GROUP.subarray(1) }),
  bad('a byte moved from motion to group', { group: fill(0x11, 33), motion: MOTION.subarray(1) }),
  bad('period -1', { period: -1 }),
  bad('period 2^32', { period: 2 ** 32 }),
  bad('period 7.5', { period: 7.5 }),
  bad('slot 2^32 + 1', { slot: 2 ** 32 + 1 })
]

const tagCases = [
  bad("another member's tag", { tag: otherHonest.tag }),
  bad("another member's slot tag", { slotTag: otherHonest.slotTag }),
  bad("another member's tags", { tag: otherHonest.tag, slotTag: otherHonest.slotTag }),
  bad('tag and slot tag exchanged', { tag: honest.slotTag, slotTag: honest.tag }),
  bad('tag negated', { tag: negated(honest.tag) }),
  bad('slot tag negated', { slotTag: negated(honest.slotTag) }),
  bad('tag of 31 bytes', { tag: honest.tag.subarray(0, 31) }),
  bad('slot tag of 33 bytes', { slotTag: Buffer.concat([honest.slotTag, Buffer.of(0)]) }),
  bad('tag with its top bit set', { tag: topBit(honest.tag) }),
  bad('slot tag with its top bit set', { slotTag: topBit(honest.slotTag) }),
  ...Object.entries({
    'p, which is 0 modulo p': bytesOf(`ed${'ff'.repeat(30)}7f`),
    'above p': bytesOf(`f3${'ff'.repeat(30)}7f`),
    'a negative field element': bytesOf(`01${'00'.repeat(31)}`),
    'of no square': bytesOf('26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371'),
    'of negative xy': bytesOf('3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e'),
    's = -1, where y = 0': bytesOf(`ec${'ff'.repeat(30)}7f`)
  }).flatMap(([what, encoding]) => [
    bad(`tag: ${what}`, closed(third, { tag: encoding })),
    bad(`slot tag: ${what}`, closed(third, { slotTag: encoding })),
    bad(
      `key: ${what}`,
      closed(third, { ring: [...BASE.ring.slice(0, 2), third.publicKey, encoding].sort(Buffer.compare) })
    )
  ]),
  bad('identity as tag', closed(third, { tag: IDENTITY })),
  bad('identity as slot tag', closed(third, { slotTag: IDENTITY })),
  bad('identity as key and both tags: the secret is 0, the equations hold', ofIdentity())
]

const scalarCases = [
  bad('challenge + L: the equations hold', { proof: withScalar(0, plusOrder) }),
  bad('first response + L: the equations hold', { proof: withScalar(1, plusOrder) }),
  bad('last response + L: the equations hold', { proof: withScalar(5, plusOrder) }),
  bad('response 0 at another place: the equations hold', closed(third, { response: () => 0n })),
  bad('response L at another place: the equations hold', closed(third, { response: () => L })),
  bad('challenge 0', { proof: withScalar(0, () => IDENTITY) }),
  bad('challenge L', { proof: withScalar(0, () => scalarBytes(L)) }),
  bad('response of bytes 255', { proof: withScalar(2, () => fill(0xff)) }),
  bad('all scalars 0', { proof: Buffer.concat([Buffer.of(1), Buffer.alloc(6 * 32)]) }),
  bad('response with its top bit set', { proof: withScalar(2, topBit) }),
  bad('challenge: another bit', { proof: withScalar(0, flipped) }),
  ...[1, 2, 3, 4, 5].map((at) => bad(`response ${at}: another bit`, { proof: withScalar(at, flipped) })),
  bad('response negated', { proof: withScalar(3, (bytes) => scalarBytes(L - toScalar(bytes))) })
]

const formCases = [
  bad('no proof', { proof: Buffer.alloc(0) }),
  ...[0, 2, 255].map((kind) => bad(`proof of kind ${kind}`, { proof: Buffer.from(honest.proof).fill(kind, 0, 1) })),
  bad('a byte short', { proof: honest.proof.subarray(0, -1) }),
  bad('a byte long', { proof: Buffer.concat([honest.proof, Buffer.of(0)]) }),
  bad('a response short', { proof: honest.proof.subarray(0, -32) }),
  bad('a response more', { proof: Buffer.concat([honest.proof, scalarsOf(honest.proof, 5, 6)]) }),
  bad('two responses exchanged', {
    proof: Buffer.concat([
      honest.proof.subarray(0, 33),
      scalarsOf(honest.proof, 2, 3),
      scalarsOf(honest.proof, 1, 2),
      scalarsOf(honest.proof, 3, 6)
    ])
  }),
  bad('responses turned by one', {
    proof: Buffer.concat([honest.proof.subarray(0, 33), scalarsOf(honest.proof, 2, 6), scalarsOf(honest.proof, 1, 2)])
  }),
  bad('a proof of possession for a ring of one', {
    ...signed(first, { ring: [first.publicKey] }),
    proof: Buffer.concat([Buffer.of(1), proofOfPossession(first.secret, GROUP, RANDOM)])
  })
]

const ringCases = [
  bad('no ring', { ring: [], proof: honest.proof.subarray(0, 33) }),
  bad('ring reversed', { ring: BASE.ring.toReversed() }),
  bad('ring reversed: the equations hold', closed(third, { ring: BASE.ring.toReversed() })),
  bad('two keys exchanged: the equations hold', closed(third, { ring: [1, 0, 2, 3, 4].map((at) => BASE.ring[at]) })),
  bad('a key twice: the equations hold', closed(third, { ring: [0, 1, 2, 2, 3, 4].map((at) => BASE.ring[at]) })),
  bad('one key only, twice: the equations hold', closed(third, { ring: [third.publicKey, third.publicKey] })),
  bad(
    'ring of 65: the equations hold',
    closed(members(65)[9], {
      ring: publicKeys(members(65)),
      ...pick(tagged(members(65)[9], BASE))
    })
  ),
  bad('a key of 31 bytes', { ring: [BASE.ring[0].subarray(0, 31), ...BASE.ring.slice(1)] }),
  bad('a key more', { ring: publicKeys([...five, outsider]).sort(Buffer.compare) }),
  bad('a key fewer, with its response', { ring: BASE.ring.slice(0, 4), proof: honest.proof.subarray(0, -32) }),
  bad('another key in the place of one', { ring: publicKeys([...five.slice(0, 4), outsider]).sort(Buffer.compare) })
]

/** Tags made by these secrets, and the ring closed by `signer` in the place of `place`. */
function mixed(signer: bigint, place: number, tag: bigint, slot: bigint): Case {
  const { ring, ...statement } = BASE
  const tags = {
    tag: Buffer.from(times(tag, tagBase(statement)).toBytes()),
    slotTag: Buffer.from(times(slot, slotBase(statement)).toBytes())
  }
  const forged = { ...BASE, ...tags }
  return { ...forged, ring, proof: forge({ ...forged, index: place, secret: signer }) }
}

/** Challenges that add up to one hash, in place of a chain: two colluders can mint tags where that is accepted. */
function sumOfChallenges(): Case {
  const statement = tagged(third, BASE)
  const responses = [1, 2, 3, 4, 5].map((at) => hashToScalar('response', Buffer.of(at)))
  const total = hashToScalar('comrade/ring/challenge/1\0', ...responses.map(scalarBytes))
  return { ...statement, proof: Buffer.concat([Buffer.of(1), scalarBytes(total), ...responses.map(scalarBytes)]) }
}

const [k1, k2, k3, k4, out] = [first, second, third, fourth, outsider].map(({ secret }) => toScalar(secret))
const forgeryCases = [
  bad('key outside the ring, its own tags', mixed(out, 0, out, out)),
  bad('key outside the ring, made for a ring with it', {
    ...signed(outsider, { ring: publicKeys([...five.slice(0, 4), outsider]).sort(Buffer.compare) }),
    ring: BASE.ring
  }),
  bad("key outside the ring, a member's tags copied", { ...mixed(out, 0, k3, k3) }),
  bad('responses alone, no secret', mixed(0n, 0, k1, k1)),
  bad('own key, tag of no key', mixed(k1, 0, 12_345n, k1)),
  bad('own key, slot tag of no key', mixed(k1, 0, k1, 12_345n)),
  bad('own key, tags of no key', mixed(k1, 0, 12_345n, 12_345n)),
  bad('own key, tag 5·G', closed(third, { tag: Buffer.from(timesBase(5n)) })),
  bad("two colluders: one's key and slot tag, the other's tag", mixed(k1, 0, k2, k1)),
  bad("two colluders: one's key and tag, the other's slot tag", mixed(k1, 0, k1, k2)),
  bad("two colluders: one's key, the other's tags", mixed(k1, 0, k2, k2)),
  bad("two colluders: closed with the other's secret", mixed(k2, 0, k1, k1)),
  bad('two colluders: tags of the sum of their secrets', mixed(k1, 0, sum(first, second), sum(first, second))),
  bad(
    'two colluders: all with the sum of their secrets',
    mixed(sum(first, second), 0, sum(first, second), sum(first, second))
  ),
  bad('two colluders: tags of the difference of their secrets', mixed(k1, 0, (k1 - k2 + L) % L, (k1 - k2 + L) % L)),
  bad('two colluders: the first half of the responses of one, the second of the other', {
    ...otherHonest,
    proof: Buffer.concat([otherHonest.proof.subarray(0, 33 + 64), scalarsOf(honest.proof, 3, 6)])
  }),
  bad("two colluders: one's challenge, the other's responses", {
    ...otherHonest,
    proof: Buffer.concat([otherHonest.proof.subarray(0, 33), honest.proof.subarray(33)])
  }),
  bad('two colluders: responses added', {
    ...otherHonest,
    proof: Buffer.concat([
      otherHonest.proof.subarray(0, 33),
      ...[1, 2, 3, 4, 5].map((at) =>
        scalarBytes(
          (toScalar(scalarsOf(honest.proof, at, at + 1)) + toScalar(scalarsOf(otherHonest.proof, at, at + 1))) % L
        )
      )
    ])
  }),
  bad(
    'four colluders: tags of a random combination of their secrets',
    mixed(k1, 0, (3n * k1 + 5n * k2 + 7n * k3 + 11n * k4) % L, k1)
  ),
  bad('challenges as a sum in place of a chain', sumOfChallenges())
]

export const signatureVectors: readonly SignatureVector[] = [
  ...validCases,
  ...boundCases,
  ...tagCases,
  ...scalarCases,
  ...formCases,
  ...ringCases,
  ...forgeryCases
]

/** One line of ring-key.json: what follows from a seed, and for one place. */
export const keyVectors: readonly object[] = [1, 2, 3].map((number) => {
  const seed = createHash('sha256').update(`member ${number}`).digest()
  const { secret, publicKey } = ringKey(seed)
  const place = { group: GROUP, motion: MOTION, period: number, slot: number - 1 }
  return {
    name: `member ${number}`,
    seed: hex(seed),
    secret: hex(secret),
    publicKey: hex(publicKey),
    ...{ group: hex(GROUP), motion: hex(MOTION), period: place.period, slot: place.slot },
    tagBase: hex(tagBase(place).toBytes()),
    slotBase: hex(slotBase(place).toBytes()),
    tag: hex(tagOf(secret, GROUP, MOTION)),
    slotTag: hex(slotTagOf(secret, GROUP, place.period, place.slot))
  }
})

const CONTEXT = Buffer.from('member of a group')
const possession = proofOfPossession(first.secret, CONTEXT, RANDOM)
const [challenge, response] = [possession.subarray(0, 32), possession.subarray(32)]

function possessed(name: string, context: Uint8Array = CONTEXT): PossessionVector {
  const proof = proofOfPossession(first.secret, context, RANDOM)
  const made = { publicKey: hex(first.publicKey), context: hex(context), proof: hex(proof) }
  return { name, valid: true, ...made, secret: hex(first.secret), random: hex(RANDOM) }
}

function dispossessed(name: string, changes: { publicKey?: Uint8Array; context?: Uint8Array; proof?: Uint8Array }) {
  const { publicKey, context, proof } = { publicKey: first.publicKey, context: CONTEXT, proof: possession, ...changes }
  return { name, valid: false, publicKey: hex(publicKey), context: hex(context), proof: hex(proof) }
}

/** A proof with the secret 0, whose equation holds. */
function identityPossession(): Buffer {
  const c = hashToScalar('comrade/ring/possession/1\0', IDENTITY, timesBase(9n), CONTEXT)
  return Buffer.concat([scalarBytes(c), scalarBytes(9n)])
}

export const possessionVectors: readonly PossessionVector[] = [
  possessed('made by the rules'),
  possessed('empty context', Buffer.alloc(0)),
  dispossessed('another context', { context: Buffer.from('member of another') }),
  dispossessed('a copied key: the proof of its owner, in the context of whom copied it', {
    context: Buffer.from('mallory')
  }),
  dispossessed('another key', { publicKey: second.publicKey }),
  dispossessed('key negated', { publicKey: negated(first.publicKey) }),
  dispossessed('key with its top bit set', { publicKey: topBit(first.publicKey) }),
  dispossessed('identity as key: the equation holds', { publicKey: IDENTITY, proof: identityPossession() }),
  dispossessed('a key of 31 bytes', { publicKey: first.publicKey.subarray(1) }),
  dispossessed('challenge + L: the equation holds', { proof: Buffer.concat([plusOrder(challenge), response]) }),
  dispossessed('response + L: the equation holds', { proof: Buffer.concat([challenge, plusOrder(response)]) }),
  dispossessed('challenge 0', { proof: Buffer.concat([IDENTITY, response]) }),
  dispossessed('response 0', { proof: Buffer.concat([challenge, IDENTITY]) }),
  dispossessed('challenge: another bit', { proof: Buffer.concat([flipped(challenge), response]) }),
  dispossessed('response: another bit', { proof: Buffer.concat([challenge, flipped(response)]) }),
  dispossessed('challenge and response exchanged', { proof: Buffer.concat([response, challenge]) }),
  dispossessed('a byte short', { proof: possession.subarray(1) }),
  dispossessed('a byte long', { proof: Buffer.concat([possession, Buffer.of(0)]) }),
  dispossessed('no proof', { proof: Buffer.alloc(0) })
]

function pick({ tag, slotTag }: ReferenceStatement): Pick<ReferenceStatement, 'tag' | 'slotTag'> {
  return { tag, slotTag }
}
