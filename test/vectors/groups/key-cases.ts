// What follows from a seed, and proofs of possession.
import { createHash } from 'node:crypto'
import { BALLOT_SLOT, proofOfPossession, ringKey, slotTagOf, tagOf } from '../../../src/groups/index.ts'
import {
  hashToScalar,
  negated,
  scalarBytes,
  slotBase,
  tagBase,
  timesBase
} from '../../groups/ring-signature-reference.ts'
import {
  first,
  flipped,
  GROUP,
  hex,
  IDENTITY,
  MOTION,
  plusOrder,
  type PossessionVector,
  RANDOM,
  second,
  topBit
} from './build.ts'

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
    slotTag: hex(slotTagOf(secret, place)),
    ballotBase: hex(slotBase({ ...place, slot: BALLOT_SLOT }).toBytes()),
    ballotTag: hex(slotTagOf(secret, { ...place, slot: BALLOT_SLOT }))
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
