// What somebody with other secrets than the right one would send: outsiders, and members who collude.
import {
  forge,
  hashToScalar,
  L,
  scalarBytes,
  slotBase,
  tagBase,
  times,
  timesBase,
  toScalar
} from '../../groups/ring-signature-reference.ts'
import {
  bad,
  BASE,
  type Case,
  closed,
  first,
  five,
  fourth,
  honest,
  otherHonest,
  outsider,
  publicKeys,
  scalarsOf,
  second,
  type SignatureVector,
  signed,
  sum,
  tagged,
  third
} from './build.ts'

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
export const forgeryCases: readonly SignatureVector[] = [
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
