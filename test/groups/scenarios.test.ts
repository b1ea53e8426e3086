// What people do to each other in groups, and what comes of it: real keys and ring proofs, evaluated as they came and in
// another order.
import assert from 'node:assert/strict'
import { decodeCbor, encodeCbor } from '../../src/feeds/index.ts'
import {
  BALLOT_SLOT,
  type Certificate,
  type Create,
  encodeAnonymous,
  Evaluator,
  fromHex,
  GroupError,
  type GroupErrorCode,
  GroupLog,
  type Hex,
  isPossessed,
  isProven,
  makeStatement,
  MAX_LOOSE_CANDIDACIES,
  MAX_WAITING,
  prove,
  readOperation,
  ready,
  slotTagOf,
  tagOf,
  toHex,
  withoutEpoch,
  writersEpoch
} from '../../src/groups/index.ts'
import { credentialOf, FIRST_DAY, memberKeyOf, personOf, ringKeyOf, Village } from './village.ts'

const FOUR = ['alice', 'bob', 'carol', 'dan']
const FIVE = [...FOUR, 'erin']
const NEVER_DECODED = new Uint8Array(32).fill(0xff)

describe('a group', () => {
  before(ready)

  describe('vouches', () => {
    it('admit a candidate when there are as many as the quorum asks for', () => {
      const village = new Village(FOUR)
      village.admit('zoe', ['alice', 'bob'])
      assert.deepEqual(village.members(), [...FOUR, 'zoe'])
    })

    it('below the quorum admit nobody', () => {
      const village = new Village(FOUR)
      const { join } = village.admit('zoe', ['alice'])
      assert.deepEqual(village.members(), FOUR)
      assert.match(village.why(join)!, /1 of 2 vouches/)
    })

    it('of the same voter for one candidate count once', () => {
      const village = new Village(FOUR)
      const candidacy = village.propose('alice', 'zoe')
      const vouches = [0, 1].map((slot) => village.vouch(candidacy, 'alice', slot))
      const join = village.join('zoe', candidacy, vouches)
      assert.deepEqual(village.members(), FOUR)
      assert.match(village.why(join)!, /1 of 2 vouches by different members/)
    })

    it('by a key outside the ring do not count, whatever ring they were made for', () => {
      const village = new Village(FOUR)
      const candidacy = village.propose('alice', 'zoe')
      const place = village.evaluator.place(candidacy)!
      const ring = [...place.ring, toHex(ringKeyOf('mallory').publicKey)].toSorted()
      const outsider = village.vouch(candidacy, 'mallory', 0, { ...place, ring }, ringKeyOf('mallory').secret)
      village.join('zoe', candidacy, [village.vouch(candidacy, 'alice'), outsider])
      assert.notEqual(village.why(outsider), undefined)
      assert.deepEqual(village.members(), FOUR)
    })

    it('that were changed in any field do not count', () => {
      const village = new Village(FOUR)
      const candidacy = village.propose('alice', 'zoe')
      const [motion, other] = [fromHex(candidacy), fromHex(village.propose('bob', 'yan'))]
      const good = village.vouch(candidacy, 'bob')
      const { tag, slotTag, slot, proof } = village.operations.find(({ id }) => id === good) as never as Fields
      const fields = { kind: 'vouch', motion, tag: fromHex(tag), slotTag: fromHex(slotTag), slot, proof } as const
      const fake = tagOf(ringKeyOf('mallory').secret, fromHex(village.id), motion)
      const changed = [
        { ...fields, kind: 'retract' as const },
        { ...fields, motion: other },
        { ...fields, tag: fake },
        { ...fields, slotTag: fake },
        { ...fields, slot: 1 },
        { ...fields, proof: proof.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) },
        { ...fields, proof: proof.map((byte, i) => (i === 0 ? 2 : byte)) }
      ].map((fields) => village.take(encodeAnonymous(fields)))
      for (const id of changed) assert.match(village.why(id)!, /proof does not hold/)
      const vouches = [village.vouch(candidacy, 'alice'), ...changed.slice(2, 5)]
      village.join('zoe', candidacy, vouches)
      assert.deepEqual(village.members(), FOUR)
    })

    it('with points or scalars that are not canonical, or the identity for a tag, do not count', () => {
      const village = new Village(FOUR)
      const candidacy = village.propose('alice', 'zoe')
      const vouch = village.vouch(candidacy, 'bob')
      const good = village.operations.find(({ id }) => id === vouch) as never as Fields
      const motion = fromHex(candidacy)
      const fields = { kind: 'vouch', motion, tag: fromHex(good.tag), slotTag: fromHex(good.slotTag), slot: 0 } as const
      const zeros = new Uint8Array(32)
      const spoilt = (at: number): Uint8Array => {
        const proof = Uint8Array.from(good.proof)
        proof.set(NEVER_DECODED, at)
        return proof
      }
      const bad = [
        { ...fields, tag: zeros, proof: good.proof },
        { ...fields, slotTag: zeros, proof: good.proof },
        { ...fields, tag: NEVER_DECODED, proof: good.proof },
        { ...fields, proof: spoilt(1) },
        { ...fields, proof: spoilt(33) },
        { ...fields, proof: good.proof.subarray(0, -1) }
      ]
      for (const fields of bad) assert.match(village.why(village.take(encodeAnonymous(fields)))!, /proof does not hold/)
    })

    it('made for another group or another motion do not count here', () => {
      const [village, other] = [new Village(FOUR), new Village(FOUR, {}, 'elsewhere')]
      const [here, there] = [village.propose('alice', 'zoe'), other.propose('alice', 'zoe')]
      const yan = village.propose('alice', 'yan')
      const secret = ringKeyOf('bob').secret
      const place = village.evaluator.place(here)!
      const replayed = (id: Hex, group: Village): Uint8Array => {
        const { tag, slotTag, slot, proof } = group.operations.find((o) => o.id === id) as never as Fields
        return encodeAnonymous({
          kind: 'vouch',
          motion: fromHex(here),
          tag: fromHex(tag),
          slotTag: fromHex(slotTag),
          slot,
          proof
        })
      }
      const foreign = [
        village.take(replayed(other.vouch(there, 'bob'), other)),
        village.take(replayed(village.vouch(yan, 'bob'), village)),
        village.take(makeStatement({ kind: 'vouch', motion: here, slot: 0 }, { ...place, group: other.id }, secret))
      ]
      for (const id of foreign) assert.match(village.why(id)!, /proof does not hold/)
    })

    it('by two colluders who look for tags never have more than two', () => {
      const village = new Village(FOUR)
      const candidacy = village.propose('alice', 'zoe')
      const place = village.evaluator.place(candidacy)!
      const [group, motion] = [fromHex(village.id), fromHex(candidacy)]
      const [alice, bob] = [ringKeyOf('alice').secret, ringKeyOf('bob').secret]
      // Proofs of one with tags of the other, and each under every slot that there is.
      for (const secret of [alice, bob]) {
        for (const tagged of [alice, bob, ringKeyOf('nobody').secret]) {
          for (const slot of [0, 1]) {
            const context = { group, motion, period: 0, slot }
            const proof = prove({
              secret,
              ring: place.ring.map(fromHex),
              context,
              message: Buffer.from('comrade/group/statement/1\0vouch')
            })
            const tags = { tag: tagOf(tagged, group, motion), slotTag: slotTagOf(tagged, context) }
            village.take(encodeAnonymous({ kind: 'vouch', motion, slot, proof, ...tags }))
          }
        }
      }
      assert.deepEqual(village.evaluator.tally(candidacy), { count: 2, needed: 2, of: 4 })
    })

    it('beyond the slots of a period do not count', () => {
      const village = new Village(['alice', 'bob', 'carol'], { slots: 2 })
      for (const [slot, name] of ['xia', 'yan'].entries()) village.admit(name, ['alice'], { slot, on: [village.id] })
      assert.deepEqual(village.members(), ['alice', 'bob', 'carol', 'xia', 'yan'])
      const third = village.propose('alice', 'zoe', { on: [village.id] })
      assert.match(village.why(village.vouch(third, 'alice', 2))!, /proof does not hold/)
      const again = village.join('zoe', third, [village.vouch(third, 'alice', 1)], { on: village.heads() })
      assert.equal(village.why(again), undefined)
      assert.deepEqual(village.members(), ['alice', 'bob', 'carol', 'xia', 'yan'])
      assert.deepEqual(village.evaluator.count(again)?.vouches, 0)
    })

    it('from one slot for two candidates who join without seeing each other admit neither', () => {
      const village = new Village(['alice', 'bob', 'carol'])
      for (const name of ['xia', 'yan']) village.admit(name, ['alice'], { slot: 0, on: [village.id] })
      assert.deepEqual(village.members(), ['alice', 'bob', 'carol'])
    })

    it('that were taken back do not count, and giving them again does not help', () => {
      const village = new Village(FOUR)
      const candidacy = village.propose('alice', 'zoe')
      const vouches = ['alice', 'bob'].map((name) => village.vouch(candidacy, name))
      village.retract(candidacy, 'bob')
      const again = village.vouch(candidacy, 'bob', 1)
      village.join('zoe', candidacy, [...vouches, again])
      assert.deepEqual(village.members(), FOUR)
    })

    it('that are taken back after the join became final still count', () => {
      const village = new Village(FOUR)
      const { candidacy } = village.admit('zoe', ['alice', 'bob'])
      village.finalise(FOUR, FIRST_DAY + 1)
      village.retract(candidacy, 'bob')
      assert.deepEqual(village.members(), [...FOUR, 'zoe'])
    })

    it('taken back before a checkpoint that knows of it do not count', () => {
      const village = new Village(FOUR)
      const { candidacy } = village.admit('zoe', ['alice', 'bob'])
      const retract = village.retract(candidacy, 'bob')
      village.finalise(FOUR, FIRST_DAY + 1, { on: village.heads() })
      assert.deepEqual(village.members(), [...FOUR, 'zoe'], 'that checkpoint did not')
      const other = new Village(FOUR, {}, 'other')
      const motion = other.admit('zoe', ['alice', 'bob']).candidacy
      const known = other.retract(motion, 'bob')
      const checkpoint = other.checkpoint('alice', FIRST_DAY + 1, { retracts: [known] })
      for (const name of FOUR) other.ack(name, checkpoint)
      assert.deepEqual(other.members(), FOUR)
      assert.notEqual(retract, known)
    })

    it('of a period that is over do not count', () => {
      const village = new Village(FOUR)
      const old = village.propose('alice', 'zoe')
      const vouches = ['alice', 'bob'].map((name) => village.vouch(old, name))
      village.finalise(FOUR, FIRST_DAY + 61)
      const stale = village.join('zoe', old, vouches, { on: village.heads() })
      assert.match(village.why(stale)!, /period that is over/)
      const fresh = village.propose('alice', 'zoe')
      const place = village.evaluator.place(fresh)!
      assert.equal(place.period, 2)
      const expired = village.vouch(fresh, 'carol', 0, { ...place, period: 0 })
      assert.match(village.why(expired)!, /proof does not hold/)
      village.join(
        'zoe',
        fresh,
        ['alice', 'bob'].map((name) => village.vouch(fresh, name)),
        { time: 2, on: village.heads() }
      )
      assert.deepEqual(village.members(), [...FOUR, 'zoe'])
    })

    it('are not given a second time with a new ring key', () => {
      const village = new Village(FOUR)
      const candidacy = village.propose('alice', 'zoe')
      const first = village.vouch(candidacy, 'alice')
      village.rekey('alice', 2)
      const place = village.evaluator.place(candidacy)!
      const ring = [...place.ring, toHex(ringKeyOf('alice', 2).publicKey)].toSorted()
      const second = village.vouch(candidacy, 'alice', 0, { ...place, ring })
      village.join('zoe', candidacy, [first, second])
      assert.deepEqual(village.members(), FOUR)
      const next = village.propose('bob', 'yan')
      assert.equal(village.why(village.vouch(next, 'alice')), undefined, 'the new key is in the next ring')
      assert.match(village.why(village.rekey('alice', 3))!, /in this period already/)
    })

    it('by one who takes two keys that do not see each other may be doubted', () => {
      const village = new Village(['alice', 'bob', 'carol'])
      const [one, two] = [2, 3].map((time) => village.rekey('alice', time, { on: [village.id] }))
      for (const [name, on] of [
        ['xia', one],
        ['yan', two]
      ] as const) {
        const candidacy = village.propose('alice', name, { on: [on] })
        const secret = ringKeyOf('alice', on === one ? 2 : 3).secret
        village.join(name, candidacy, [village.vouch(candidacy, 'alice', 0, undefined, secret)], { on: [candidacy] })
      }
      assert.deepEqual(village.members(), ['alice', 'bob', 'carol'])
    })
  })

  describe('ballots', () => {
    it('of one member on two motions, whose ids were ground until they began alike, do not link', () => {
      const village = new Village(FOUR)
      const motion = village.signed('alice', 'motion', { kind: 'expel', identity: personOf('dan').root })
      const place = village.evaluator.place(motion)!
      // More alike than anybody could make them: all but the last of 256 bits.
      const ground = motion.slice(0, -1) + (Number.parseInt(motion.slice(-1), 16) ^ 1).toString(16)
      const tags = [motion, ground].flatMap((motion) => {
        const statement = { kind: 'ballot', motion, slot: BALLOT_SLOT } as const
        const { tag, slotTag } = fieldsOf(makeStatement(statement, place, ringKeyOf('bob').secret))
        return [toHex(tag), toHex(slotTag)]
      })
      assert.equal(new Set(tags).size, 4)
    })

    it('in a slot do not count, nor vouches without one', () => {
      const village = new Village(FOUR)
      const motion = village.signed('alice', 'motion', { kind: 'expel', identity: personOf('dan').root })
      const place = village.evaluator.place(motion)!
      const cut = 2 ** 31 + (Number.parseInt(motion.slice(0, 8), 16) & 0x7fff_ffff)
      const inSlots = [0, 1, cut].map((slot) =>
        village.take(makeStatement({ kind: 'ballot', motion, slot }, place, ringKeyOf('bob').secret))
      )
      const vouch = village.vouch(village.propose('alice', 'zoe'), 'bob', BALLOT_SLOT)
      for (const id of [...inSlots, vouch]) assert.match(village.why(id)!, /proof does not hold/)
      const ballots = [village.ballot(motion, 'alice'), village.ballot(motion, 'carol'), inSlots[2]].toSorted()
      const body = { motion: fromHex(motion), ballots: ballots.map(fromHex) }
      assert.match(village.why(village.signed('alice', 'certificate', body))!, /2 of 3 ballots/)
      assert.deepEqual(village.members(), FOUR)
    })

    it('use up no slot, however many a member gives', () => {
      const village = new Village(FOUR, { slots: 1 })
      for (const min of [1, 2, 1]) village.changeRule({ min, slots: 1 }, ['alice', 'bob', 'carol'])
      village.admit('zoe', ['alice', 'bob'])
      assert.deepEqual(village.members(), [...FOUR, 'zoe'])
      const tags = village.operations.filter((o) => o.type === 'ballot').flatMap(({ tag, slotTag }) => [tag, slotTag])
      assert.equal(new Set(tags).size, 2 * 9)
    })
  })

  describe('removals', () => {
    it('of each other both hold', () => {
      const village = new Village(FIVE)
      for (const [name, voters] of [
        ['alice', ['bob', 'carol', 'dan']],
        ['bob', ['alice', 'dan', 'erin']]
      ] as const)
        village.expel(name, voters, { on: [village.id] })
      assert.deepEqual(village.members(), ['carol', 'dan', 'erin'])
    })

    it('without a majority remove nobody', () => {
      const village = new Village(FOUR)
      const certificate = village.expel('dan', ['alice', 'bob'])
      assert.deepEqual(village.members(), FOUR)
      assert.match(village.why(certificate)!, /2 of 3 ballots/)
    })

    it('of a voucher who did it at the same time take the vouch away', () => {
      const village = new Village(FIVE)
      village.expel('bob', ['alice', 'carol', 'dan'], { on: [village.id] })
      village.admit('zoe', ['alice', 'bob'], { on: [village.id] })
      assert.deepEqual(village.members(), ['alice', 'carol', 'dan', 'erin'])
    })

    it('of a voucher who did it at the same time do no harm where there is a vouch to spare', () => {
      const village = new Village(FIVE)
      village.expel('bob', ['alice', 'carol', 'dan'], { on: [village.id] })
      village.admit('zoe', ['alice', 'bob', 'erin'], { on: [village.id] })
      assert.deepEqual(village.members(), ['alice', 'carol', 'dan', 'erin', 'zoe'])
    })

    it('of a voucher that come later leave the join standing', () => {
      const village = new Village(FIVE)
      village.admit('zoe', ['alice', 'bob'])
      village.expel('bob', ['alice', 'carol', 'dan', 'erin'])
      assert.deepEqual(village.members(), ['alice', 'carol', 'dan', 'erin', 'zoe'])
    })

    it('let somebody come back by new vouches', () => {
      const village = new Village(FIVE)
      village.expel('erin', ['alice', 'bob', 'carol'])
      assert.deepEqual(village.members(), FOUR)
      village.admit('erin', ['alice', 'bob'], { on: village.heads(), time: 2 })
      assert.deepEqual(village.members(), FIVE)
    })

    it('are not repeated by somebody who kept the ballots', () => {
      const village = new Village(FIVE)
      const first = village.expel('erin', ['alice', 'bob', 'carol'])
      village.admit('erin', ['alice', 'bob'], { on: village.heads(), time: 2 })
      const { motion, ballots } = village.find(first) as Certificate
      const body = { motion: fromHex(motion), ballots: ballots.map(fromHex) }
      assert.match(village.why(village.signed('dan', 'certificate', body))!, /carried out before/)
      assert.deepEqual(village.members(), FIVE)
      // Nor by one who says that they did not see the first.
      village.signed('dan', 'certificate', body, { on: [motion] })
      assert.deepEqual(village.members(), FIVE)
    })

    it('win over a return that did not see them', () => {
      const village = new Village(FIVE)
      const first = village.expel('erin', ['alice', 'bob', 'carol'])
      village.admit('erin', ['alice', 'bob'], { on: [first], time: 2 })
      const again = village.signed(
        'bob',
        'motion',
        { kind: 'expel', identity: personOf('erin').root },
        { on: [village.id] }
      )
      village.certify(again, ['alice', 'bob', 'carol'], { on: [again] })
      assert.deepEqual(village.members(), FOUR)
    })

    it('cannot be undone by a candidacy from before them', () => {
      const village = new Village(FIVE)
      const early = village.apply('zoe')
      const vouches = ['alice', 'bob', 'carol'].map((name) => village.vouch(early, name))
      village.join('zoe', early, vouches, { on: village.heads() })
      village.expel('zoe', FOUR)
      village.join('zoe', early, vouches, { on: village.heads(), time: 2 })
      assert.deepEqual(village.members(), FIVE)
    })

    it('by leaving at the same time take a vouch away as an expulsion does', () => {
      const village = new Village(FOUR)
      village.signed('bob', 'leave', {}, { on: [village.id] })
      village.admit('zoe', ['alice', 'bob'], { on: [village.id] })
      assert.deepEqual(village.members(), ['alice', 'carol', 'dan'])
    })

    it('of everybody leave a group without members, and nothing fails', () => {
      const village = new Village(['alice', 'bob'])
      for (const name of ['alice', 'bob']) village.signed(name, 'leave', {}, { on: [village.id] })
      assert.deepEqual(village.members(), [])
      const candidacy = village.apply('zoe')
      const join = village.join('zoe', candidacy, [], { on: [candidacy] })
      assert.match(village.why(join)!, /0 of 1 vouches/)
      assert.deepEqual(village.members(), [])
      assert.deepEqual(village.evaluator.tally(candidacy), { count: 0, needed: 1, of: 0 })
    })

    it('by an annulled join: who came in by it goes with it, and nobody else', () => {
      const village = new Village(FOUR)
      // Bob is expelled while he and Alice vouch for Xia; Xia and Carol vouch for Yan; Carol and Dan for Zoe.
      village.expel('bob', ['alice', 'carol', 'dan'], { on: [village.id] })
      const xia = village.admit('xia', ['alice', 'bob'], { on: [village.id] })
      const yan = village.admit('yan', ['xia', 'carol'], { on: [xia.join] })
      village.admit('zoe', ['carol', 'dan', 'alice'], { on: [yan.join], slot: 1 })
      // Of Zoe's three vouches Bob, Xia and Yan might have given some; that are too many.
      assert.deepEqual(village.members(), ['alice', 'carol', 'dan'])
      village.admit('zoe', ['carol', 'dan'], { on: village.heads(), time: 2 })
      assert.deepEqual(village.members(), ['alice', 'carol', 'dan', 'zoe'])
    })
  })

  describe('finality', () => {
    it('is missing at first: an old member lets a Sybil in from the time when one vouch was enough', () => {
      const village = new Village(['alice', 'bob', 'carol'])
      const dan = village.admit('dan', ['bob'])
      village.admit('erin', ['carol', 'bob'], { on: [dan.join], slot: 1 })
      village.admit('sybil', ['alice'], { on: [village.id] })
      assert.deepEqual(village.members(), [...FIVE, 'sybil'])
    })

    it('keeps the Sybil out from the first checkpoint on', () => {
      const village = new Village(['alice', 'bob', 'carol'])
      village.admit('dan', ['bob'])
      village.finalise(['alice', 'bob', 'carol'], FIRST_DAY + 1)
      const { candidacy, join } = village.admit('sybil', ['alice'], { on: [village.id] })
      assert.deepEqual(village.members(), FOUR)
      assert.ok(village.evaluator.isLate(join))
      village.join('sybil', candidacy, [village.vouch(candidacy, 'alice', 1)], { on: village.heads(), time: 2 })
      assert.deepEqual(village.members(), FOUR, 'the candidacy is late, wherever the join stands')
    })

    it('does not come from a checkpoint that too few acked, or strangers', () => {
      const village = new Village(FOUR)
      const forged = village.checkpoint('alice', FIRST_DAY + 1)
      village.ack('alice', forged)
      village.ack('bob', forged)
      village.ack('mallory', forged)
      village.ack('alice', forged, { on: village.heads() })
      assert.ok(!village.isStable(forged))
      assert.match(village.why(village.checkpoint('mallory', FIRST_DAY + 1))!, /not a member/)
      assert.equal(village.evaluator.view().finality.stable.length, 0)
      village.ack('carol', forged)
      assert.ok(village.isStable(forged))
    })

    it('protects a founder from being expelled in an era when few decided', () => {
      const village = new Village(['alice', 'bob', 'carol'])
      for (const [slot, name] of ['dan', 'erin'].entries())
        village.admit(name, ['alice', 'bob'], { on: village.heads(), slot })
      village.finalise(['alice', 'bob', 'carol'], FIRST_DAY + 1)
      village.expel('alice', ['bob', 'carol'], { on: [village.id] })
      assert.deepEqual(village.members(), FIVE)
    })

    it('does not come from acks for two checkpoints that do not see each other', () => {
      const village = new Village(FOUR)
      const [one, two] = ['alice', 'bob'].map((name) => village.checkpoint(name, FIRST_DAY + 1, { on: [village.id] }))
      for (const name of ['alice', 'bob', 'carol']) village.ack(name, one)
      const double = village.ack('carol', two, { on: village.heads() })
      for (const name of ['dan']) village.ack(name, two)
      assert.match(village.why(double)!, /not on top/)
      assert.ok(village.isStable(one) && !village.isStable(two))
      // Even those who lie about what they saw are one too few while less than a third does.
      village.ack('carol', two, { on: [two] })
      assert.ok(village.isStable(one) && !village.isStable(two))
    })

    it('is not undone by an ack that was held back', () => {
      const village = new Village(FOUR)
      const first = village.checkpoint('alice', FIRST_DAY + 1, { on: [village.id] })
      for (const name of ['alice', 'bob']) village.ack(name, first)
      village.expel('dan', ['alice', 'bob', 'carol'], { on: [village.id] }) // did not see the checkpoint
      const second = village.checkpoint('alice', FIRST_DAY + 2)
      for (const name of ['alice', 'bob', 'carol']) village.ack(name, second)
      assert.ok(village.isStable(second))
      village.ack('dan', first, { on: [first] })
      assert.ok(!village.isStable(first))
      assert.deepEqual(village.members(), ['alice', 'bob', 'carol'])
    })

    it('goes on without who left by their own signature', () => {
      const village = new Village(FIVE)
      for (const name of ['dan', 'erin']) village.signed(name, 'leave', {})
      const checkpoint = village.finalise(['alice', 'bob'], FIRST_DAY + 1)
      assert.ok(!village.isStable(checkpoint))
      village.ack('carol', checkpoint)
      assert.ok(village.isStable(checkpoint), 'three of three, not four of five')
    })

    it('goes on without who was expelled, while more than half of those who did not leave ack', () => {
      const village = new Village(FIVE)
      village.expel('erin', ['alice', 'bob', 'carol'])
      village.expel('dan', ['alice', 'bob', 'carol'])
      const checkpoint = village.finalise(['alice', 'bob'], FIRST_DAY + 1)
      assert.ok(!village.isStable(checkpoint))
      village.ack('carol', checkpoint)
      assert.ok(village.isStable(checkpoint), 'three of three, and of five')
    })

    it('does not come from a few, whomever newcomers help them to expel', () => {
      const village = new Village(FOUR, { slots: 8 })
      const newcomers = ['xia', 'yan', 'zoe', 'sam', 'tom']
      for (const [i, name] of newcomers.entries()) {
        const voters = i < 4 ? ['alice', 'bob'] : ['alice', 'bob', 'xia']
        village.admit(name, voters, { on: village.heads(), slot: i })
      }
      for (const name of ['carol', 'dan']) village.expel(name, ['alice', 'bob', ...newcomers])
      assert.deepEqual(village.members(), ['alice', 'bob', 'sam', 'tom', 'xia', 'yan', 'zoe'])
      const checkpoint = village.finalise(['alice', 'bob', ...newcomers], FIRST_DAY + 1)
      assert.ok(!village.isStable(checkpoint), 'two of the four founders')
    })

    it('counts who left and came back from the next stable checkpoint on', () => {
      const village = new Village(FOUR)
      village.signed('dan', 'leave', {})
      village.admit('dan', ['alice', 'bob'], { on: village.heads(), time: 2 })
      const first = village.finalise(['alice', 'bob'], FIRST_DAY + 1)
      assert.match(village.why(village.ack('dan', first))!, /not in the roster/)
      village.ack('carol', first)
      assert.ok(village.isStable(first))
      const second = village.finalise(['alice', 'bob', 'dan'], FIRST_DAY + 2)
      assert.ok(village.isStable(second))
    })

    it('makes who returns from behind a checkpoint say it again', () => {
      const village = new Village(FOUR)
      const behind = village.heads()
      village.finalise(FOUR, FIRST_DAY + 1)
      const late = village.signed('dan', 'leave', {}, { on: behind })
      assert.deepEqual(village.members(), FOUR)
      assert.ok(village.evaluator.isLate(late))
      village.signed('dan', 'leave', {}, { on: village.heads() })
      assert.deepEqual(village.members(), ['alice', 'bob', 'carol'])
    })
  })

  describe('rules', () => {
    it('that were changed without seeing each other hold both: the stricter decides', () => {
      const village = new Village(FOUR)
      for (const rule of [{ quorum: 'constant', value: 3 }, { quorum: 'log2' }] as const)
        village.changeRule(rule, ['alice', 'bob', 'carol'], { on: [village.id] })
      assert.equal(village.evaluator.view().rules.length, 2)
      const { candidacy } = village.admit('zoe', ['alice', 'bob'])
      assert.deepEqual(village.evaluator.tally(candidacy), { count: 2, needed: 3, of: 4 })
      village.admit('yan', ['alice', 'bob', 'carol'], { on: village.heads(), slot: 1 })
      assert.deepEqual(village.members(), [...FOUR, 'yan'])
    })

    it('hold for the motions that are opened after them', () => {
      const village = new Village(FOUR)
      const before = village.propose('alice', 'zoe')
      village.changeRule({ quorum: 'constant', value: 4 }, ['alice', 'bob', 'carol'])
      assert.equal(village.evaluator.tally(before)?.needed, 2)
      assert.equal(village.evaluator.tally(village.propose('alice', 'zoe'))?.needed, 4)
    })
  })

  describe('keys', () => {
    const refused = (make: () => unknown, code: GroupErrorCode): void => {
      assert.throws(make, (error) => error instanceof GroupError && error.code === code)
    }

    it('that are copied into a ring without their secret are refused', () => {
      const village = new Village(FOUR)
      const candidacy = village.propose('alice', 'zoe')
      const vouches = ['alice', 'bob'].map((name) => village.vouch(candidacy, name))
      const { publicKey } = ringKeyOf('alice')
      refused(() => village.take(village.joinBytes('zoe', candidacy, vouches, {}, { ring: publicKey })), 'POSSESSION')
    })

    it('of a member cannot be brought by anybody else', () => {
      const village = new Village(FOUR)
      const candidacy = village.propose('alice', 'zoe')
      const vouches = ['alice', 'bob'].map((name) => village.vouch(candidacy, name))
      const use = { purpose: 'member', place: fromHex(village.id), member: memberKeyOf('zoe').publicKey } as const
      refused(
        () =>
          village.take(
            village.joinBytes(
              'zoe',
              candidacy,
              vouches,
              {},
              { credential: credentialOf('yan', { ...use, member: memberKeyOf('yan').publicKey }) }
            )
          ),
        'CREDENTIAL'
      )
      const elsewhere = credentialOf('zoe', { ...use, place: new Uint8Array(32) })
      refused(
        () => village.take(village.joinBytes('zoe', candidacy, vouches, {}, { credential: elsewhere })),
        'CREDENTIAL'
      )
      const founder = credentialOf('zoe', { ...use, purpose: 'founder' })
      refused(
        () => village.take(village.joinBytes('zoe', candidacy, vouches, {}, { credential: founder })),
        'CREDENTIAL'
      )
      const other = village.take(village.joinBytes('yan', candidacy, vouches, {}))
      assert.match(village.why(other)!, /somebody else/)
    })

    it('of two joins that do not see each other give one seat, the same everywhere', () => {
      const village = new Village(FOUR)
      const candidacy = village.propose('alice', 'zoe')
      const vouches = ['alice', 'bob'].map((name) => village.vouch(candidacy, name))
      const joins = [1, 2].map((time) => village.join('zoe', candidacy, vouches, { on: [candidacy], time }))
      assert.deepEqual(village.members(), [...FOUR, 'zoe'])
      const { seats, ring } = village.evaluator.view()
      const seat = seats.get(personOf('zoe').identity)!
      assert.equal(village.evaluator.log.at(seat.origin).id, joins.toSorted()[0])
      assert.equal(ring.length, 5)
    })
  })

  describe('delivery', () => {
    it('in any order, with parents missing for a while, comes to the same', () => {
      const village = new Village(FIVE)
      village.admit('zoe', ['alice', 'bob'])
      village.expel('bob', ['alice', 'carol', 'dan', 'erin'])
      village.finalise(['alice', 'carol', 'dan', 'erin'], FIRST_DAY + 1)
      const backwards = village.evaluatorOf(village.operations.slice(1).toReversed())
      assert.deepEqual(village.namesIn(backwards), village.members())
      const partial = village.evaluatorOf(village.operations.slice(3))
      assert.deepEqual(village.namesIn(partial), FIVE)
      assert.ok(partial.log.waiting > 0)
      assert.deepEqual(
        partial.log.missing().toSorted(),
        village.operations
          .slice(1, 3)
          .map(({ id }) => id)
          .toSorted()
      )
      for (const operation of village.operations) partial.log.add(operation)
      assert.deepEqual(village.namesIn(partial), village.members())
      assert.equal(partial.log.waiting, 0)
    })

    it('of what nobody has the parents of stays within its room', () => {
      const village = new Village(['alice'])
      for (let i = 0; i < 2 * MAX_WAITING; i++) {
        const id = i.toString(16).padStart(64, '0')
        village.evaluator.log.add({ type: 'leave', id, author: `author ${i % 40}`, parents: [`missing ${i}`] })
      }
      assert.ok(village.evaluator.log.waiting <= MAX_WAITING)
      assert.ok(village.evaluator.log.missing().length <= MAX_WAITING)
    })

    it('of 10,000 junk candidacies costs no proof, stays bounded, and keeps nobody out', () => {
      const village = new Village(FOUR)
      let proofs = 0
      const evaluator = new Evaluator(village.evaluatorOf([]).log, (...asked) => ++proofs > 0 && isProven(...asked))
      for (let i = 0; i < 10_000; i++) {
        const id = i.toString(16).padStart(64, '0')
        evaluator.log.add({ type: 'candidacy', id, author: id, identity: id, isOwn: true, parents: [village.id] })
      }
      assert.equal(evaluator.log.size, 1 + MAX_LOOSE_CANDIDACIES)
      evaluator.view()
      assert.equal(proofs, 0)
      assert.deepEqual(evaluator.heads(), [village.id], 'no member carries them on')
      const honest = village.apply('zoe')
      const vouches = ['alice', 'bob'].map((name) => village.vouch(honest, name))
      village.join('zoe', honest, vouches, { on: [honest] })
      for (const operation of village.operations.toReversed()) evaluator.log.add(operation)
      assert.deepEqual(village.namesIn(evaluator), [...FOUR, 'zoe'])
      assert.equal(proofs, 2)
    })

    it('of more heads than one operation can stand on keeps nobody from standing on their own', () => {
      const village = new Village(['alice', 'bob'])
      for (let i = 0; i < 700; i++)
        village.signed('alice', 'checkpoint', { day: FIRST_DAY + i, retracts: [] }, { on: [village.id] })
      const { join } = village.admit('carol', ['bob'], { on: [village.id] })
      assert.ok(village.heads().length <= 256)
      assert.ok(village.heads().includes(join))
      for (let i = 0; i < 4; i++) {
        const id = village.signed('carol', 'checkpoint', { day: FIRST_DAY, retracts: [] })
        assert.equal(village.why(id), undefined)
      }
      assert.equal(village.heads().length, 1)
    })

    it('of hundreds of joins of one person, none of which saw another, holds nobody up', () => {
      const village = new Village(['alice', 'bob'])
      const candidacies = Array.from({ length: 300 }, (_, i) =>
        village.propose('alice', 'zoe', { on: [village.operations[i].id] })
      )
      const vouches = candidacies.map((candidacy) => village.vouch(candidacy, 'alice'))
      for (const [i, candidacy] of candidacies.entries())
        village.take(village.joinBytes('zoe', candidacy, [vouches[i]], { on: [candidacy] }))
      const log = new GroupLog(village.operations[0] as Create)
      const evaluator = new Evaluator(log, () => true)
      const startMs = performance.now()
      for (const operation of village.operations.slice(1)) {
        log.add(operation)
        evaluator.view()
      }
      assert.ok(performance.now() - startMs < 15_000) // 120 ms on a quiet machine; with every join compared with every pair: minutes
      assert.deepEqual(village.namesIn(evaluator), ['alice', 'bob'])
    })

    it('of bytes that are no operation is refused with a code, and nothing else', () => {
      const village = new Village(['alice'])
      const good = village.bytesOf('alice', 'leave', {})
      const value = decodeCbor(good) as Record<string, unknown>
      const cases: [GroupErrorCode, Uint8Array][] = [
        ['OPERATION', new Uint8Array()],
        ['OPERATION', good.subarray(1)],
        ['OPERATION', encodeCbor([])],
        ['OPERATION', encodeCbor({ ...value, prev: [] })],
        ['OPERATION', encodeCbor({ ...value, more: 1 })],
        ['OPERATION', encodeCbor({ ...value, prev: [new Uint8Array(32).fill(2), new Uint8Array(32).fill(1)] })],
        ['SIGNATURE', encodeCbor({ ...value, sig: new Uint8Array(64) })],
        ['SIGNATURE', encodeCbor({ ...value, type: 'epoch' })],
        ['GROUP', encodeCbor({ ...value, group: new Uint8Array(32) })],
        ['SIZE', new Uint8Array(70_000)]
      ]
      for (const [code, bytes] of cases) {
        assert.throws(
          () => readOperation(bytes, village.id, isPossessed),
          (error) => error instanceof GroupError && error.code === code,
          code
        )
      }
    })
  })

  describe('epochs', () => {
    const epoch = (village: Village, by: string, to: readonly string[], on: Hex[]): Hex => {
      const recipients = to.map((name) => memberKeyOf(name).publicKey).toSorted(Buffer.compare)
      const body = {
        secret: new Uint8Array(32).fill(to.length),
        recipients,
        wrapped: recipients.map(() => Uint8Array.of(1))
      }
      return village.signed(by, 'epoch', body, { on })
    }

    it('that are made at once while somebody joins are chosen alike, and lock nobody out', () => {
      const village = new Village(FOUR)
      const on = village.heads()
      const without = epoch(village, 'alice', FOUR, on)
      const { join } = village.admit('zoe', ['alice', 'bob'], { on })
      const lists = [...FOUR, 'zoe']
      const [one, two] = ['carol', 'dan'].map((name) => epoch(village, name, lists, [join]))
      const view = village.evaluator.view()
      const chosen = writersEpoch(village.evaluator.epochs(), view)
      assert.equal(chosen?.id, [one, two].toSorted()[0])
      assert.deepEqual(withoutEpoch(chosen, view), [])
      const older = village.evaluator.epochs().filter(({ id }) => id === without)
      assert.deepEqual(withoutEpoch(older[0], view), [toHex(memberKeyOf('zoe').publicKey)])
    })

    it('that somebody removed could read are not written with', () => {
      const village = new Village(FOUR)
      epoch(village, 'alice', FOUR, village.heads())
      village.expel('dan', ['alice', 'bob', 'carol'])
      assert.equal(writersEpoch(village.evaluator.epochs(), village.evaluator.view()), undefined)
    })
  })
})

/** A nameless operation as its bytes have it. */
function fieldsOf(bytes: Uint8Array): { tag: Uint8Array; slotTag: Uint8Array } {
  return decodeCbor(bytes) as never
}

/** What the tests take out of a nameless operation. */
interface Fields {
  tag: Hex
  slotTag: Hex
  slot: number
  proof: Uint8Array
}
