// Scalars, sizes and rings that are not as they must be. Where that can be done the equations hold, and only the rule that the
// case is about stands against it.
import { proofOfPossession } from '../../../src/groups/index.ts'
import { L, scalarBytes, toScalar, type ReferenceStatement } from '../../groups/ring-signature-reference.ts'
import {
  bad,
  BASE,
  closed,
  fill,
  first,
  five,
  flipped,
  GROUP,
  honest,
  IDENTITY,
  members,
  outsider,
  plusOrder,
  publicKeys,
  RANDOM,
  scalarsOf,
  type SignatureVector,
  signed,
  tagged,
  third,
  topBit,
  withScalar
} from './build.ts'

export const scalarCases: readonly SignatureVector[] = [
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

export const formCases: readonly SignatureVector[] = [
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

export const ringCases: readonly SignatureVector[] = [
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

function pick({ tag, slotTag }: ReferenceStatement): Pick<ReferenceStatement, 'tag' | 'slotTag'> {
  return { tag, slotTag }
}
