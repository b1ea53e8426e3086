// The vectors of ring signatures, against this implementation and against the one in ring-signature-reference.ts.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  BALLOT_SLOT,
  isPossessed,
  proofOfPossession,
  prove,
  publicRingKey,
  ready,
  ringKey,
  slotTagOf,
  tagOf,
  verify,
  type SignedStatement
} from '../../src/groups/index.ts'
import { slotBase as slotBaseOf, tagBase as tagBaseOf } from '../../src/groups/ring-statement.ts'
import type { PossessionVector, SignatureVector } from '../vectors/groups/build.ts'
import { groupVectorFiles } from '../vectors/groups/generate.ts'
import { formatVectors } from '../vectors/generate.ts'
import { equationsHold, referenceIsPossessed, referenceVerify } from './ring-signature-reference.ts'

const folder = join(import.meta.dirname, '../vectors/groups')
const bytes = (hex: string) => Buffer.from(hex, 'hex')
const hex = (made: Uint8Array) => Buffer.from(made).toString('hex')
const read = <T>(file: string): T[] => JSON.parse(readFileSync(join(folder, file), 'utf8')) as T[]

const signatures = read<SignatureVector>('ring-signature.json')
const possessions = read<PossessionVector>('possession.json')

function statementOf(vector: SignatureVector): SignedStatement {
  const { ring, group, motion, period, slot, message, tag, slotTag, proof } = vector
  return {
    ring: ring.map(bytes),
    context: { group: bytes(group), motion: bytes(motion), period, slot },
    message: bytes(message),
    tag: bytes(tag),
    slotTag: bytes(slotTag),
    proof: bytes(proof)
  }
}

describe('vectors of ring signatures', () => {
  before(ready)

  it('are what the generator makes', () => {
    const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
    assert.deepEqual(files.toSorted(), Object.keys(groupVectorFiles).toSorted())
    for (const file of files) {
      const made = formatVectors(groupVectorFiles[file])
      assert.ok(readFileSync(join(folder, file), 'utf8') === made, `${file}: run generate.ts`)
    }
  })

  it('have names of their own, and refuse more often than they accept', () => {
    for (const vectors of [signatures, possessions]) {
      assert.equal(new Set(vectors.map(({ name }) => name)).size, vectors.length)
      assert.ok(vectors.filter(({ valid }) => !valid).length > vectors.length / 2)
    }
    assert.ok(signatures.filter(({ valid }) => !valid).length >= 40)
  })

  for (const vector of signatures) {
    it(`${vector.valid ? 'accepts' : 'refuses'}: ${vector.name}`, () => {
      const { context, proof, ...statement } = statementOf(vector)
      assert.equal(verify({ ...statement, context, proof }), vector.valid)
      assert.equal(referenceVerify({ ...statement, ring: [...statement.ring], ...context }, proof), vector.valid)
    })
  }

  it('break the rule that they name: the equations hold where the name says so', () => {
    const named = signatures.filter(({ name }) => name.includes('equations hold'))
    assert.ok(named.length > 10)
    for (const vector of named) {
      const { context, proof, ...statement } = statementOf(vector)
      assert.ok(equationsHold({ ...statement, ring: [...statement.ring], ...context }, proof), vector.name)
    }
  })

  for (const vector of possessions) {
    it(`${vector.valid ? 'accepts' : 'refuses'} as possession: ${vector.name}`, () => {
      const { publicKey, context, proof } = vector
      assert.equal(isPossessed(bytes(publicKey), bytes(context), bytes(proof)), vector.valid)
      assert.equal(referenceIsPossessed(bytes(publicKey), bytes(context), bytes(proof)), vector.valid)
    })
  }

  it('are made again from secret and random bytes', () => {
    for (const vector of signatures) {
      if (vector.secret === undefined || vector.random === undefined) continue
      const { ring, context, message } = statementOf(vector)
      const proof = prove({ secret: bytes(vector.secret), ring, context, message, random: bytes(vector.random) })
      assert.equal(hex(proof), vector.proof, vector.name)
    }
    for (const { secret, random, context, proof } of possessions) {
      if (secret === undefined || random === undefined) continue
      assert.equal(hex(proofOfPossession(bytes(secret), bytes(context), bytes(random))), proof)
    }
  })

  it('give key, bases and tags from a seed', () => {
    type KeyVector = Record<string, string> & { period: number; slot: number }
    for (const vector of read<KeyVector>('ring-key.json')) {
      const { period, slot } = vector
      const [group, motion] = [bytes(vector.group), bytes(vector.motion)]
      const context = { group, motion, period, slot }
      const ballot = { ...context, slot: BALLOT_SLOT }
      const { secret, publicKey } = ringKey(bytes(vector.seed))
      assert.deepEqual([hex(secret), hex(publicKey)], [vector.secret, vector.publicKey])
      assert.equal(hex(publicRingKey(secret)), vector.publicKey)
      assert.equal(hex(tagBaseOf(group, motion)), vector.tagBase)
      assert.equal(hex(slotBaseOf(context)), vector.slotBase)
      assert.equal(hex(tagOf(secret, group, motion)), vector.tag)
      assert.equal(hex(slotTagOf(secret, context)), vector.slotTag)
      assert.equal(hex(slotBaseOf(ballot)), vector.ballotBase)
      assert.equal(hex(slotTagOf(secret, ballot)), vector.ballotTag)
    }
  })
})
