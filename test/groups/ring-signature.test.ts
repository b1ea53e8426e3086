import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  BALLOT_SLOT,
  GroupError,
  isPossessed,
  MAX_RING,
  proofBytes,
  proofOfPossession,
  prove,
  publicRingKey,
  ready,
  ringKey,
  slotTagOf,
  tagOf,
  verify,
  type RingContext,
  type RingKey,
  type SignedStatement
} from '../../src/groups/index.ts'
import { forge, L, referenceVerify, scalarBytes, toScalar } from './ring-signature-reference.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const u32 = fc.nat({ max: 0xffff_ffff })
/** Slots that members have, and what ballots have in their place. */
const slots = fc.oneof({ weight: 3, arbitrary: u32 }, { weight: 1, arbitrary: fc.constant(BALLOT_SLOT) })
const contexts: fc.Arbitrary<RingContext> = fc.record({ group: bytes32, motion: bytes32, period: u32, slot: slots })
const messages = fc.uint8Array({ maxLength: 100 })
const seeds = (max: number) => fc.uniqueArray(bytes32, { minLength: 1, maxLength: max, selector: hex })
const runs = { numRuns: 25 }

function ringOf(from: readonly Uint8Array[]): RingKey[] {
  return from.map(ringKey).sort((a, b) => Buffer.compare(a.publicKey, b.publicKey))
}

const publicKeys = (keys: readonly RingKey[]) => keys.map(({ publicKey }) => publicKey)

function sign(keys: readonly RingKey[], signer: number, context: RingContext, message: Uint8Array): SignedStatement {
  const { secret } = keys[signer % keys.length]
  const ring = publicKeys(keys)
  return {
    ...{ ring, context, message },
    tag: tagOf(secret, context.group, context.motion),
    slotTag: slotTagOf(secret, context),
    proof: prove({ secret, ring, context, message })
  }
}

const statements = fc
  .record({ from: seeds(6), signer: fc.nat({ max: 5 }), context: contexts, message: messages })
  .map((made) => ({ ...made, keys: () => ringOf(made.from) }))

/** The same statement, as the reference takes it. */
function referenceAccepts({ context, proof, ...statement }: SignedStatement): boolean {
  return referenceVerify({ ...statement, ...context, ring: [...statement.ring] }, proof)
}

const five = (): RingKey[] => ringOf([1, 2, 3, 4, 5].map((byte) => Buffer.alloc(32, byte)))
const place: RingContext = { group: Buffer.alloc(32, 1), motion: Buffer.alloc(32, 2), period: 3, slot: 0 }
const refusal = (code: string) => (error: unknown) => error instanceof GroupError && error.code === code

describe('ring signatures', () => {
  before(ready)

  it('hold, whoever of the ring made them, in a size that the ring alone decides', () => {
    fc.assert(
      fc.property(statements, ({ keys, signer, context, message }) => {
        const statement = sign(keys(), signer, context, message)
        assert.ok(verify(statement))
        assert.ok(referenceAccepts(statement))
        assert.equal(statement.proof.length, proofBytes(statement.ring.length))
      }),
      runs
    )
  })

  it('hold in the greatest ring', () => {
    const keys = ringOf(Array.from({ length: MAX_RING }, (_, at) => Buffer.alloc(32, at)))
    assert.ok(verify(sign(keys, 17, place, Buffer.of())))
  })

  it('do not hold when any bit of the proof, a tag, the message, an id or a key is another', () => {
    const parts = ['proof', 'tag', 'slotTag', 'message', 'group', 'motion', 'ring'] as const
    fc.assert(
      fc.property(statements, fc.constantFrom(...parts), fc.nat(), ({ keys, signer, context, message }, part, at) => {
        const statement = sign(keys(), signer, context, Buffer.concat([message, Buffer.of(0)]))
        assert.ok(!verify(withFlippedBit(statement, part, at)), part)
      }),
      { numRuns: 120 }
    )
  })

  it('do not hold for another period or slot', () => {
    fc.assert(
      fc.property(statements, u32, u32, ({ keys, signer, context, message }, period, slot) => {
        fc.pre(period !== context.period || slot !== context.slot)
        const statement = sign(keys(), signer, context, message)
        assert.ok(!verify({ ...statement, context: { ...context, period, slot } }))
      }),
      runs
    )
  })

  it('are refused without an error, whatever bytes a peer sends', () => {
    const arbitrary = fc.record({
      ring: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 70 }),
      context: fc.record({
        group: fc.uint8Array({ maxLength: 40 }),
        motion: fc.uint8Array({ maxLength: 40 }),
        period: fc.double(),
        slot: fc.double()
      }),
      message: fc.uint8Array(),
      tag: fc.uint8Array({ maxLength: 40 }),
      slotTag: fc.uint8Array({ maxLength: 40 }),
      proof: fc.uint8Array({ maxLength: 3_000 })
    })
    fc.assert(fc.property(arbitrary, (statement) => !verify(statement)))
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 192, maxLength: 192 }), (random) => {
        const statement = sign(five(), 2, place, Buffer.of())
        assert.ok(!verify({ ...statement, proof: Buffer.concat([Buffer.of(1), random]) }))
      }),
      { numRuns: 200 }
    )
  })

  it('agree with the reference on what is close to a proof', () => {
    fc.assert(
      fc.property(statements, fc.nat(), fc.constantFrom(0n, 1n, L - 1n, L, L + 1n), (made, at, scalar) => {
        const statement = sign(made.keys(), made.signer, made.context, made.message)
        const proof = Buffer.from(statement.proof)
        proof.set(scalarBytes(scalar), 1 + 32 * (at % (statement.ring.length + 1)))
        assert.equal(verify({ ...statement, proof }), referenceAccepts({ ...statement, proof }))
      }),
      runs
    )
  })
})

describe('tags', () => {
  before(ready)

  it('are the same when the same member speaks on the same motion, in whatever slot and words', () => {
    fc.assert(
      fc.property(statements, contexts, messages, ({ keys, signer, context, message }, other, words) => {
        const [group, motion] = [context.group, context.motion]
        const one = sign(keys(), signer, context, message)
        const two = sign(keys(), signer, { ...other, group, motion }, words)
        assert.equal(hex(one.tag), hex(two.tag))
      }),
      runs
    )
  })

  it('differ between members, motions and groups; slot tags between members, slots, periods and groups', () => {
    fc.assert(
      fc.property(seeds(4), fc.uniqueArray(bytes32, { minLength: 2, maxLength: 4, selector: hex }), (from, ids) => {
        const secrets = from.map((seed) => ringKey(seed).secret)
        const numbers = [0, 1, 256]
        const tags = secrets.flatMap((secret) => [
          ...ids.flatMap((group) => ids.map((motion) => tagOf(secret, group, motion))),
          ...ids.flatMap((group) =>
            numbers.flatMap((period) =>
              numbers.map((slot) => slotTagOf(secret, { group, motion: ids[0], period, slot }))
            )
          )
        ])
        assert.equal(new Set(tags.map(hex)).size, tags.length)
      }),
      { numRuns: 10 }
    )
  })

  it('of two ballots have nothing in common, however alike the ids of the motions were ground to be', () => {
    const bits = fc.nat({ max: 255 })
    fc.assert(
      fc.property(bytes32, contexts, bits, bits, (seed, { group, motion, period }, bit, later) => {
        const { secret } = ringKey(seed)
        const alike = Buffer.from(motion)
        alike[bit >> 3] ^= 1 << (bit & 7)
        // Opened in the same period or another: a ballot has to do with its motion only.
        const [one, two] = [
          { group, motion, period, slot: BALLOT_SLOT },
          { group, motion: alike, period: (period + (later & 1)) >>> 0, slot: BALLOT_SLOT }
        ].map((context) => [tagOf(secret, group, context.motion), slotTagOf(secret, context)].map(hex))
        assert.equal(new Set([...one, ...two]).size, 4)
      }),
      { numRuns: 100 }
    )
  })

  it('of ballots are those of no slot that a vouch could have', () => {
    const { secret } = ringKey(Buffer.alloc(32, 9))
    const ballot = hex(slotTagOf(secret, { ...place, slot: BALLOT_SLOT }))
    const others = [0, 1, 63, BALLOT_SLOT - 1].map((slot) => hex(slotTagOf(secret, { ...place, slot })))
    assert.ok(!others.includes(ballot))
    assert.equal(ballot, hex(slotTagOf(secret, { ...place, slot: BALLOT_SLOT, period: place.period + 1 })))
  })

  it('of a motion and of a slot are not multiples of each other that an outsider could find', () => {
    // Bases are hashed apart: the tag of one is no sum or small multiple of the other's.
    const { secret } = ringKey(Buffer.alloc(32, 9))
    const [tag, slotTag] = [tagOf(secret, place.group, place.motion), slotTagOf(secret, place)]
    const multiples = Array.from({ length: 50 }, (_, at) => tagTimes(secret, BigInt(at + 1)))
    assert.ok(!multiples.includes(hex(slotTag)))
    assert.ok(multiples.includes(hex(tag)))
  })

  function tagTimes(secret: Uint8Array, factor: bigint): string {
    return hex(tagOf(scalarBytes((toScalar(secret) * factor) % L), place.group, place.motion))
  }
})

describe('forgeries', () => {
  before(ready)

  it('fail for whoever closes the ring with another secret than the one of the key there and of both tags', () => {
    const secrets = fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 4 }), fc.nat({ max: 4 }), fc.nat({ max: 4 }))
    fc.assert(
      fc.property(secrets, fc.bigInt({ min: 1n, max: L - 1n }), ([index, key, tagger, slotter], nonce) => {
        const keys = five()
        const statement = {
          ...{ ring: publicKeys(keys), message: Buffer.of(1), ...place },
          tag: tagOf(keys[tagger].secret, place.group, place.motion),
          slotTag: slotTagOf(keys[slotter].secret, place)
        }
        const proof = forge({ ...statement, index, secret: toScalar(keys[key].secret), nonce })
        const isHonest = index === key && key === tagger && tagger === slotter
        const { ring, message, tag, slotTag } = statement
        assert.equal(verify({ ring, message, tag, slotTag, context: place, proof }), isHonest)
      }),
      { numRuns: 30, examples: [[[2, 2, 2, 2], 5n]] }
    )
  })

  it('do not come from mixing the responses of two colluders, whichever come from whom', () => {
    const keys = five()
    const [one, two] = [sign(keys, 1, place, Buffer.of()), sign(keys, 3, place, Buffer.of())]
    for (let choice = 1; choice < 63; choice += 2) {
      const scalars = Array.from({ length: 6 }, (_, at) =>
        (choice & (1 << at) ? one : two).proof.subarray(1 + 32 * at, 33 + 32 * at)
      )
      const proof = Buffer.concat([Buffer.of(1), ...scalars])
      for (const { tag, slotTag } of [one, two, { ...one, slotTag: two.slotTag }]) {
        assert.ok(!verify({ ...one, tag, slotTag, proof }))
      }
    }
  })

  it('do not give colluders more tags than keys: only those of their own secrets are accepted', () => {
    const combinations = fc.tuple(fc.bigInt({ min: 0n, max: 9n }), fc.bigInt({ min: 0n, max: 9n }))
    fc.assert(
      fc.property(combinations, fc.nat({ max: 1 }), ([a, b], closer) => {
        const keys = five()
        const colluders = [toScalar(keys[0].secret), toScalar(keys[1].secret)]
        const mixed = (a * colluders[0] + b * colluders[1]) % L
        fc.pre(mixed !== 0n)
        const tag = tagOf(scalarBytes(mixed), place.group, place.motion)
        const slotTag = slotTagOf(scalarBytes(mixed), place)
        const made = { ring: publicKeys(keys), message: Buffer.of(), tag, slotTag }
        const proof = forge({ ...made, ...place, index: closer, secret: colluders[closer] })
        assert.equal(verify({ ...made, context: place, proof }), mixed === colluders[closer])
      }),
      {
        numRuns: 100,
        examples: [
          [[1n, 0n], 0],
          [[0n, 1n], 1],
          [[1n, 1n], 0]
        ]
      }
    )
  })
})

describe('anonymity', () => {
  before(ready)

  it('leaves nothing of the signer in the bytes of a proof that simple statistics would find', () => {
    // For each place of the ring: how the scalar's bits fall, and whether the signer's scalar is the smallest or greatest.
    const [count, keys] = [200, five().slice(0, 4)]
    const [ones, smallest] = [zeros(keys.length), zeros(keys.length)]
    for (let run = 0; run < count; run++) {
      const signer = run % keys.length
      const { proof } = sign(keys, signer, place, Buffer.of(run & 0xff, run >> 8))
      const responses = keys.map((_, at) => proof.subarray(33 + 32 * at, 65 + 32 * at))
      // Seen from the signer: 0 is the signer's own place, 1 the next after it.
      const turned = keys.map((_, at) => toScalar(responses[(signer + at) % keys.length]))
      for (const [at, scalar] of turned.entries()) ones[at] += bitCount(scalar)
      smallest[turned.indexOf(turned.reduce((least, scalar) => (scalar < least ? scalar : least)))]++
    }
    // 252 bits each: standard deviation √(200·252)/2 = 112, and √(200·¼·¾) = 6.1; five times that comes once in a million.
    for (const sum of ones) assert.ok(Math.abs(sum - (count * 252) / 2) < 5 * 112, `bits: ${ones.join(' ')}`)
    for (const times of smallest) assert.ok(Math.abs(times - count / 4) < 5 * 6.1, `smallest: ${smallest.join(' ')}`)
  })

  it('spreads every byte of a response evenly, the signer’s like the others’', () => {
    const keys = five().slice(0, 2)
    const [own, other] = [zeros(16), zeros(16)]
    for (let run = 0; run < 100; run++) {
      const signer = run & 1
      const { proof } = sign(keys, signer, place, Buffer.of(run))
      // The last byte is below 17, since L is little above 2^252.
      for (const byte of proof.subarray(33 + 32 * signer, 64 + 32 * signer)) own[byte & 15]++
      for (const byte of proof.subarray(33 + 32 * (1 - signer), 64 + 32 * (1 - signer))) other[byte & 15]++
    }
    // χ² with 15 degrees of freedom exceeds 50 once in 80,000.
    for (const counts of [own, other]) assert.ok(chiSquare(counts) < 50, counts.join(' '))
  })

  it('makes another proof each time, with nothing in common but the tags', () => {
    const keys = five()
    const proofs = Array.from({ length: 20 }, () => sign(keys, 2, place, Buffer.of()).proof)
    const scalars = proofs.flatMap((proof) =>
      Array.from({ length: 6 }, (_, at) => hex(proof.subarray(1 + 32 * at, 33 + 32 * at)))
    )
    assert.equal(new Set(scalars).size, scalars.length)
  })

  it('does not use a nonce twice where the random bytes are always the same', () => {
    // In a ring of one the challenge c and the response s = u − c·k are in plain sight: one u for two gives k away.
    const { secret, publicKey } = ringKey(Buffer.alloc(32, 1))
    const [one, two] = [1, 2].map((byte) => {
      const message = Buffer.of(byte)
      const proof = prove({ secret, ring: [publicKey], context: place, message, random: Buffer.alloc(32) })
      return { c: toScalar(proof.subarray(1, 33)), s: toScalar(proof.subarray(33)) }
    })
    assert.notEqual((one.s + one.c * toScalar(secret)) % L, (two.s + two.c * toScalar(secret)) % L)
  })
})

describe('making a proof', () => {
  before(ready)

  it('is refused to a key outside the ring', () => {
    const keys = five()
    const input = { ring: publicKeys(keys.slice(0, 4)), context: place, message: Buffer.of() }
    assert.throws(() => prove({ ...input, secret: keys[4].secret }), refusal('KEY'))
  })

  it('is refused in a ring that is not sorted, has a key twice, is empty or too large', () => {
    const keys = five()
    const [secret, ring] = [keys[0].secret, publicKeys(keys)]
    const large = publicKeys(ringOf(Array.from({ length: 65 }, (_, at) => Buffer.alloc(32, at))))
    for (const wrong of [ring.toReversed(), [ring[0], ...ring], [], large, [...ring, Buffer.alloc(32)]]) {
      assert.throws(() => prove({ secret, ring: wrong, context: place, message: Buffer.of() }), refusal('RING'))
    }
  })

  it('is refused with a secret that is no scalar from 1 to L - 1', () => {
    const [group, motion] = [place.group, place.motion]
    for (const secret of [Buffer.alloc(32), scalarBytes(L), Buffer.alloc(32, 255), Buffer.alloc(31, 1)]) {
      assert.throws(() => publicRingKey(secret), refusal('KEY'))
      assert.throws(() => tagOf(secret, group, motion), refusal('KEY'))
      assert.throws(() => slotTagOf(secret, place), refusal('KEY'))
      assert.throws(() => proofOfPossession(secret, Buffer.of()), refusal('KEY'))
    }
    assert.throws(() => ringKey(Buffer.alloc(31)), refusal('KEY'))
  })

  it('is refused for a group, motion, period or slot that is none', () => {
    const keys = five()
    const changes = [
      { group: Buffer.of() },
      { motion: Buffer.alloc(33) },
      { period: -1 },
      { slot: 0.5 },
      { period: 2 ** 32 }
    ]
    for (const change of changes) {
      const input = { secret: keys[0].secret, ring: publicKeys(keys), message: Buffer.of() }
      assert.throws(() => prove({ ...input, context: { ...place, ...change } }), refusal('CONTEXT'))
    }
  })
})

describe('possession of a ring key', () => {
  before(ready)

  it('is shown in one context by whoever has the secret, and by nobody else', () => {
    fc.assert(
      fc.property(bytes32, bytes32, messages, messages, (mine, theirs, context, other) => {
        fc.pre(hex(mine) !== hex(theirs) && hex(context) !== hex(other))
        const [me, them] = [ringKey(mine), ringKey(theirs)]
        const proof = proofOfPossession(me.secret, context)
        assert.ok(isPossessed(me.publicKey, context, proof))
        assert.ok(!isPossessed(them.publicKey, context, proof))
        assert.ok(!isPossessed(me.publicKey, other, proof))
      }),
      runs
    )
  })

  it('is refused without an error, whatever bytes a peer sends', () => {
    const some = fc.uint8Array({ minLength: 60, maxLength: 66 })
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        messages,
        some,
        (key, context, proof) => !isPossessed(key, context, proof)
      )
    )
  })
})

function withFlippedBit(statement: SignedStatement, part: string, at: number): SignedStatement {
  const flip = (bytes: Uint8Array): Uint8Array => {
    const flipped = Buffer.from(bytes)
    flipped[(at >> 3) % bytes.length] ^= 1 << (at & 7)
    return flipped
  }
  const { ring, context } = statement
  if (part === 'ring') return { ...statement, ring: ring.with(at % ring.length, flip(ring[at % ring.length])) }
  if (part === 'group') return { ...statement, context: { ...context, group: flip(context.group) } }
  if (part === 'motion') return { ...statement, context: { ...context, motion: flip(context.motion) } }
  return { ...statement, [part]: flip(statement[part as 'proof' | 'tag' | 'slotTag' | 'message']) }
}

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0)

function bitCount(scalar: bigint): number {
  return scalar.toString(2).replaceAll('0', '').length
}

function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((total, count) => total + count, 0) / counts.length
  return counts.reduce((total, count) => total + (count - expected) ** 2 / expected, 0)
}
