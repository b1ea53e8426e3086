// Groups that are larger than one ring signature can be for.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { sha256 } from '../../src/feeds/index.ts'
import {
  encodeAnonymous,
  fromHex,
  type Hex,
  isPossessed,
  isProven,
  makeStatement,
  partsOf,
  type ProofPlace,
  readOperation,
  ready,
  ringKey,
  signedStatementOf,
  tagOf,
  toHex,
  type Vouch
} from '../../src/groups/index.ts'
import type { PartsVector } from '../vectors/groups/parts-cases.ts'
import { referenceVerify } from './ring-signature-reference.ts'
import { personOf, Village } from './village.ts'

const id = (text: string): Hex => toHex(sha256(Buffer.from(text)))
const keys = (count: number): Hex[] => Array.from({ length: count }, (_, i) => id(`key ${i}`)).toSorted()
const place: ProofPlace = { group: id('group'), ring: [], period: 3, last: id('checkpoint') }

describe('a ring of more than 64', () => {
  before(ready)

  it('falls into parts of 32 to 64, each member in one of them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 65, max: 600 }), fc.string(), (count, seed) => {
        const ring = keys(count)
        const parts = partsOf(ring, id(seed))
        assert.equal(parts.length, Math.ceil(count / 64))
        assert.deepEqual(parts.flat().toSorted(), ring)
        for (const part of parts) assert.deepEqual(part, part.toSorted())
        const sizes = parts.map(({ length }) => length)
        assert.ok(Math.min(...sizes) >= 32 && Math.max(...sizes) <= 64 && Math.max(...sizes) - Math.min(...sizes) <= 1)
      }),
      { numRuns: 50 }
    )
  })

  it('falls into others after each checkpoint, and one of 64 or fewer into none', () => {
    assert.notDeepEqual(partsOf(keys(65), id('one')), partsOf(keys(65), id('two')))
    for (const count of [0, 1, 64]) assert.deepEqual(partsOf(keys(count), id('one')), [keys(count)])
  })

  it('is proven for by the vectors', () => {
    const file = join(import.meta.dirname, '../vectors/groups/ring-parts.json')
    for (const vector of JSON.parse(readFileSync(file, 'utf8')) as PartsVector[]) {
      const { ring, last, parts, group, motion, period, slot, tag, slotTag, proof, valid } = vector
      assert.deepEqual(
        partsOf(ring, last).map((part) => part.map((key) => ring.indexOf(key))),
        parts,
        vector.name
      )
      const fields = {
        motion: fromHex(motion),
        slot,
        tag: fromHex(tag),
        slotTag: fromHex(slotTag),
        proof: fromHex(proof)
      }
      const operation = read(encodeAnonymous({ kind: 'vouch', ...fields }), group)
      assert.equal(isProven(operation, { group, ring, period, last }), valid, vector.name)
      if (!valid) continue
      const { ring: part, context, proof: whole, ...statement } = signedStatementOf(operation, { ...vector })
      assert.ok(referenceVerify({ ...statement, ring: [...part], ...context }, whole), vector.name)
    }
  })

  it('is not proven for by who stands outside, in another part, or in no part', () => {
    const members = Array.from({ length: 70 }, (_, i) => ringKey(sha256(Buffer.from(`member ${i}`))))
    const ring = members.map(({ publicKey }) => toHex(publicKey)).toSorted()
    const all = { ...place, ring }
    const motion = id('motion')
    const vouch = (secret: Uint8Array, at: ProofPlace): Vouch =>
      read(makeStatement({ kind: 'vouch', motion, slot: 0 }, at, secret), place.group)
    const [one] = members
    const good = vouch(one.secret, all)
    assert.ok(isProven(good, all))
    const other = Uint8Array.from(good.proof, (byte, i) => (i === 1 ? 1 - byte : byte))
    const none = Uint8Array.from(good.proof, (byte, i) => (i === 1 ? 2 : byte))
    const whole = Uint8Array.from(good.proof, (byte, i) => (i === 0 ? 1 : byte))
    for (const proof of [other, none, whole, good.proof.subarray(0, 1), good.proof.subarray(0, -1)])
      assert.ok(!isProven({ ...good, proof }, all))
    assert.ok(!isProven({ ...good, tag: toHex(tagOf(members[1].secret, fromHex(place.group), fromHex(motion))) }, all))
    assert.throws(() => vouch(ringKey(sha256(Buffer.from('outsider'))).secret, all), { code: 'KEY' })
    // One's own choice of a ring, and the parts of another day.
    const chosen = {
      ...all,
      ring: [toHex(one.publicKey), ...ring.filter((key) => key !== toHex(one.publicKey)).slice(0, 40)].toSorted()
    }
    assert.ok(!isProven(vouch(one.secret, chosen), all))
    assert.ok(!isProven(vouch(one.secret, { ...all, last: id('another') }), all))
  })

  it('counts each member once, whatever part they speak from, and decides by all of them', function () {
    this.timeout(60_000)
    const founders = Array.from({ length: 32 }, (_, i) => `founder ${i}`)
    const village = new Village(founders, { quorum: 'constant', value: 1, slots: 64 })
    const names = [...founders]
    for (let i = 0; names.length < 66; i++) {
      const voter = names[i % 32]
      village.admit(`newcomer ${i}`, [voter], { on: village.heads(), slot: i >> 5 })
      names.push(`newcomer ${i}`)
    }
    const { evaluator } = village
    assert.equal(evaluator.view().ring.length, 66)
    const motion = village.changeRuleMotion({ quorum: 'percent', value: 5 }, names[0])
    const parts = partsOf(evaluator.place(motion)!.ring, evaluator.place(motion)!.last)
    const voters = parts.flatMap((part) => names.filter((name) => part.includes(village.ringOf(name))).slice(0, 17))
    for (const name of voters.slice(0, 33)) village.ballot(motion, name)
    village.ballot(motion, voters[0])
    assert.deepEqual(evaluator.tally(motion), { count: 33, needed: 34, of: 66 })
    const early = village.certifyBy(names[0], motion)
    assert.match(village.why(early)!, /33 of 34 ballots/)
    village.ballot(motion, voters[33])
    assert.equal(village.why(village.certifyBy(names[0], motion)), undefined)
    const candidacy = village.propose(names[0], 'zoe')
    assert.deepEqual(evaluator.tally(candidacy), { count: 0, needed: 4, of: 66 })
    const vouches = [voters[0], voters[1], voters[32], voters[33]].map((name) => village.vouch(candidacy, name, 3))
    village.join('zoe', candidacy, vouches, { on: village.heads() })
    assert.ok(evaluator.view().seats.has(personOf('zoe').identity))
    assert.equal(village.members().length, 67)
  })
})

function read(bytes: Uint8Array, group: Hex): Vouch {
  return readOperation(bytes, group, isPossessed) as Vouch
}
