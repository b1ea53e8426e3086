// What members' devices do by themselves: each duty in a small group with real keys.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { backoffMs, dutiesOf, type Duty, fromHex, type Hex, ready, spentKeys, toHex } from '../../src/groups/index.ts'
import { FIRST_DAY, memberKeyOf, personOf, ringKeyOf, Village } from './village.ts'

const FOUR = ['alice', 'bob', 'carol', 'dan']
const TODAY = FIRST_DAY + 1

const keyOf = (name: string, time = 1): Hex => toHex(memberKeyOf(name, time).publicKey)
const duties = (village: Village, name = 'alice', day = TODAY): Duty[] => dutiesOf(village.evaluator, keyOf(name), day)
const types = (village: Village, name?: string, day?: number): string[] =>
  duties(village, name, day).map(({ type }) => type)
const only = <Type extends Duty['type']>(type: Type, ...of: Parameters<typeof duties>) =>
  duties(...of).find((duty): duty is Extract<Duty, { type: Type }> => duty.type === type)

/** Four members, of whom the first checkpoint is stable, and something since. */
function settled(): Village {
  const village = new Village(FOUR)
  village.finalise(FOUR.slice(0, 3), FIRST_DAY)
  village.propose('alice', 'zoe')
  return village
}

describe("a member's duties", () => {
  before(ready)

  it('are none for who is no member', () => {
    const village = settled()
    assert.deepEqual(types(village, 'zoe'), [])
  })

  describe('certificates', () => {
    const motionOn = (village: Village): Hex =>
      village.signed('alice', 'motion', { kind: 'expel', identity: personOf('dan').root })

    it('are due of a motion with ballots of more than half, until there is one', () => {
      const village = new Village(FOUR)
      const motion = motionOn(village)
      const ballots = ['alice', 'bob'].map((name) => village.ballot(motion, name))
      assert.equal(only('certificate', village), undefined)
      ballots.push(village.ballot(motion, 'carol'))
      for (const name of FOUR) {
        const duty = only('certificate', village, name)!
        assert.deepEqual([duty.motion, duty.ballots], [motion, ballots.toSorted()])
      }
      village.signed('bob', 'certificate', { motion: fromHex(motion), ballots: ballots.toSorted().map(fromHex) })
      assert.deepEqual(village.members(), ['alice', 'bob', 'carol'])
      assert.equal(only('certificate', village), undefined)
    })

    it('are not due of a motion that is late, over, or would change nothing', () => {
      const late = new Village(FOUR)
      late.finalise(FOUR, FIRST_DAY)
      const motion = late.signed(
        'alice',
        'motion',
        { kind: 'expel', identity: personOf('dan').root },
        { on: [late.id] }
      )
      for (const name of FOUR.slice(0, 3)) late.ballot(motion, name)
      assert.equal(only('certificate', late), undefined)

      const left = new Village(FOUR)
      const other = motionOn(left)
      for (const name of FOUR.slice(0, 3)) left.ballot(other, name)
      left.signed('dan', 'leave', {})
      assert.equal(only('certificate', left), undefined)

      const over = new Village(FOUR)
      const old = motionOn(over)
      for (const name of FOUR.slice(0, 3)) over.ballot(old, name)
      over.finalise(FOUR, FIRST_DAY + 60)
      assert.equal(only('certificate', over, 'alice', FIRST_DAY + 60), undefined)
    })
  })

  describe('checkpoints', () => {
    it('are first due of four members, and at once', () => {
      const village = new Village(['alice', 'bob', 'carol'])
      village.propose('alice', 'zoe')
      assert.equal(only('checkpoint', village), undefined)
      village.admit('dan', ['alice'])
      assert.equal(only('checkpoint', village, 'dan', FIRST_DAY)?.day, FIRST_DAY)
    })

    it('are due once a day when something happened, and not for their own sake', () => {
      const village = settled()
      assert.equal(only('checkpoint', village, 'alice', FIRST_DAY), undefined, 'the last one is of today')
      assert.equal(only('checkpoint', village)?.day, TODAY)
      village.finalise(FOUR, TODAY)
      assert.deepEqual(types(village, 'alice', TODAY + 5), [])
    })

    it('are due in a new period, so that members have slots again', () => {
      const village = settled()
      village.finalise(FOUR, TODAY)
      assert.equal(only('checkpoint', village, 'alice', FIRST_DAY + 29), undefined)
      assert.equal(only('checkpoint', village, 'alice', FIRST_DAY + 30)?.day, FIRST_DAY + 30)
      const alone = new Village(['alice'])
      assert.equal(only('checkpoint', alone, 'alice', FIRST_DAY + 30)?.day, FIRST_DAY + 30)
    })

    it('are not due of what strangers write, or of what came too late', () => {
      const village = settled()
      village.finalise(FOUR, TODAY)
      village.apply('yan')
      village.signed('dan', 'motion', { kind: 'expel', identity: personOf('bob').root }, { on: [village.id] })
      assert.deepEqual(types(village, 'alice', TODAY + 1), [])
    })

    it('list what was retracted since the last one', () => {
      const village = settled()
      const candidacy = village.propose('bob', 'yan')
      village.vouch(candidacy, 'carol')
      const retract = village.retract(candidacy, 'carol')
      assert.deepEqual(only('checkpoint', village)?.retracts, [retract])
      const body = { day: TODAY, retracts: [fromHex(retract)] }
      const checkpoint = village.signed('alice', 'checkpoint', body)
      for (const name of FOUR) village.ack(name, checkpoint)
      village.propose('dan', 'xia')
      assert.deepEqual(only('checkpoint', village, 'alice', TODAY + 1)?.retracts, [])
    })

    it('carry on whom strangers ask for: those with a vouch, and a few others', () => {
      const village = settled()
      const vouchedFor = village.apply('xia')
      village.vouch(vouchedFor, 'bob')
      const others = Array.from({ length: 20 }, (_, i) => village.apply(`stranger ${i}`))
      assert.ok(village.heads().includes(vouchedFor))
      const { carried, retracts } = only('checkpoint', village)!
      assert.deepEqual([carried, retracts], [others.slice(0, 16), []])
      const checkpoint = village.signed(
        'alice',
        'checkpoint',
        { day: TODAY, retracts: [] },
        { on: [...village.heads(), ...carried] }
      )
      for (const name of FOUR) village.ack(name, checkpoint)
      const late = [vouchedFor, ...others].filter((id) => village.evaluator.isLate(id))
      assert.deepEqual(late, others.slice(16))
      const again = village.heads()
      village.vouch(others[0], 'carol')
      assert.deepEqual(village.heads(), again, 'it is in the past of what there is')
    })

    it('that find too few acks are tried again ever less often', () => {
      const village = settled()
      village.finalise(['alice'], TODAY)
      assert.equal(only('checkpoint', village, 'alice', TODAY + 1), undefined, 'it may still be acked')
      let day = TODAY
      const tries: number[] = []
      for (let later = TODAY + 1; later < TODAY + 60; later++) {
        const duty = only('checkpoint', village, 'alice', later)
        if (duty === undefined) continue
        tries.push(later - day)
        day = later
        village.finalise(['alice'], later)
      }
      assert.deepEqual(tries, [2, 4, 8, 16, 16])
    })

    it('that split the acks are followed by one on top of both, which all can ack', () => {
      const village = settled()
      const on = village.heads()
      const [one, two] = ['alice', 'bob'].map((by) => village.checkpoint(by, TODAY, { on }))
      assert.equal(only('checkpoint', village), undefined, 'one of them may become stable')
      for (const name of ['alice', 'carol']) village.ack(name, one, { on: [one] })
      for (const name of ['bob', 'dan']) village.ack(name, two, { on: [two] })
      assert.equal(only('ack', village), undefined)
      assert.equal(only('checkpoint', village)?.day, TODAY)
      const three = village.checkpoint('dan', TODAY)
      for (const name of FOUR) assert.equal(only('ack', village, name)?.checkpoint, three)
    })

    it('that somebody made for days to come, or on old heads, hinder nobody', () => {
      const village = settled()
      for (let i = 1; i < 10; i++) village.checkpoint('dan', TODAY + 100 * i)
      const [last] = village.evaluator.view().finality.stable
      let on = last.id
      for (let i = 0; i < 10; i++) on = village.checkpoint('dan', TODAY, { on: [on] })
      assert.deepEqual(types(village), ['checkpoint'])
    })
  })

  describe('acks', () => {
    it('are due of a checkpoint of these days', () => {
      const village = settled()
      const checkpoint = village.checkpoint('bob', TODAY)
      for (const day of [TODAY - 1, TODAY, TODAY + 1])
        assert.equal(only('ack', village, 'alice', day)?.checkpoint, checkpoint)
      for (const day of [TODAY - 2, TODAY + 2]) assert.equal(only('ack', village, 'alice', day), undefined)
      village.ack('alice', checkpoint)
      assert.equal(only('ack', village), undefined)
    })

    it('are not due any more once enough others gave theirs', () => {
      const village = settled()
      const checkpoint = village.checkpoint('bob', TODAY)
      for (const name of ['bob', 'carol', 'dan']) village.ack(name, checkpoint)
      assert.ok(village.isStable(checkpoint))
      assert.equal(only('ack', village), undefined)
    })

    it('of two at once are of the same one for everybody', () => {
      const village = settled()
      const on = village.heads()
      const made = ['alice', 'bob'].map((by) => village.checkpoint(by, TODAY, { on }))
      assert.equal(new Set(FOUR.map((name) => only('ack', village, name)?.checkpoint)).size, 1)
      const second = made.toSorted()[1]
      village.ack('carol', second, { on: [second] })
      for (const name of ['alice', 'bob', 'dan']) assert.equal(only('ack', village, name)?.checkpoint, second)
      assert.equal(only('ack', village, 'carol'), undefined)
    })

    it('of somebody who makes checkpoint after checkpoint end after a few', () => {
      const village = settled()
      let given = 0
      for (let i = 0; i < 20; i++) {
        for (const name of ['alice', 'bob', 'carol']) {
          const duty = only('ack', village, name)
          if (duty === undefined) continue
          village.ack(name, duty.checkpoint)
          given++
        }
        village.propose('dan', `nobody ${i}`)
        village.checkpoint('dan', TODAY)
      }
      assert.ok(given <= 3 * 4, `${given} acks`)
    })
  })

  describe('new keys', () => {
    const inPeriodOne = (): Village => {
      const village = settled()
      village.finalise(FOUR, FIRST_DAY + 31)
      return village
    }

    it('are due once a period', () => {
      const village = inPeriodOne()
      assert.deepEqual(types(village, 'alice', FIRST_DAY + 31), ['rekey'])
      village.rekey('alice', 2)
      assert.deepEqual(types(village, 'alice', FIRST_DAY + 31), [])
      assert.deepEqual(types(village, 'bob', FIRST_DAY + 31), ['rekey'])
      const fresh = settled()
      assert.ok(!types(fresh).includes('rekey'))
    })

    it('let the old ones go when the change is final and no open motion has them', () => {
      const village = inPeriodOne()
      const open = village.propose('bob', 'xia')
      village.rekey('alice', 2)
      assert.deepEqual(spentKeys(village.evaluator, keyOf('alice')), [])
      village.finalise(FOUR, FIRST_DAY + 32)
      assert.deepEqual(spentKeys(village.evaluator, keyOf('alice')), [], 'there is a motion to vouch on')
      const vouches = ['alice', 'bob'].map((name) => village.vouch(open, name, 0, undefined, ringKeyOf(name, 1).secret))
      village.join('xia', open, vouches)
      village.finalise([...FOUR], FIRST_DAY + 33)
      const spent = spentKeys(village.evaluator, keyOf('alice')).map(({ ring }) => ring)
      assert.deepEqual(spent, [], "zoe's candidacy, of the period before, can still be vouched for")
      village.finalise([...FOUR, 'xia'], FIRST_DAY + 61)
      assert.deepEqual(
        spentKeys(village.evaluator, keyOf('alice')).map(({ ring }) => ring),
        [toHex(ringKeyOf('alice', 1).publicKey)]
      )
      assert.deepEqual(spentKeys(village.evaluator, keyOf('bob')), [], 'who has no newer key keeps it')
    })
  })

  describe('what came too late', () => {
    const behind = (): { village: Village; on: Hex[] } => {
      const village = new Village(FOUR)
      const on = village.heads()
      village.propose('alice', 'zoe')
      village.finalise(FOUR.slice(0, 3), FIRST_DAY)
      return { village, on }
    }

    it('is said again: a candidacy, a motion, a leave', () => {
      const { village, on } = behind()
      const candidacy = village.propose('dan', 'yan', { on })
      const motion = village.signed('dan', 'motion', { kind: 'expel', identity: personOf('bob').root }, { on })
      const leave = village.signed('dan', 'leave', {}, { on: [candidacy, motion] })
      const again = duties(village, 'dan', FIRST_DAY).flatMap((duty) => (duty.type === 'again' ? [duty.of] : []))
      assert.deepEqual(again.toSorted(), [candidacy, motion, leave].toSorted())
      assert.deepEqual(types(village, 'alice', FIRST_DAY), [], "not another's")
    })

    it('is said again once', () => {
      const { village, on } = behind()
      village.propose('dan', 'yan', { on })
      village.signed('dan', 'motion', { kind: 'rule', rule: { ...village.rule, min: 2 } }, { on })
      village.propose('dan', 'yan')
      const motion = village.signed('dan', 'motion', { kind: 'rule', rule: { ...village.rule, min: 2 } })
      assert.deepEqual(types(village, 'dan', FIRST_DAY), [])
      village.certify(motion, FOUR)
      assert.deepEqual(types(village, 'dan', FIRST_DAY), [], 'nor when it was carried')
    })

    it('is not said again where it is done, or pointless', () => {
      const { village, on } = behind()
      village.propose('dan', 'yan', { on })
      village.signed('dan', 'motion', { kind: 'expel', identity: personOf('bob').root }, { on })
      village.admit('yan', ['alice', 'carol'], { on: village.heads() })
      village.signed('bob', 'leave', {})
      assert.deepEqual(types(village, 'dan', FIRST_DAY), [])
    })

    it('is not said again of whom it concerned and who has come and gone since', () => {
      const { village, on } = behind()
      village.propose('dan', 'yan', { on })
      village.apply('xia', { on })
      for (const name of ['xia', 'yan']) {
        village.admit(name, ['alice', 'bob'], { on: village.heads(), slot: name === 'xia' ? 0 : 1 })
        village.expel(name, ['alice', 'bob', 'carol', 'dan'], { on: village.heads() })
      }
      assert.deepEqual(village.members(), FOUR)
      for (const name of ['dan', 'xia', 'yan']) assert.deepEqual(types(village, name, FIRST_DAY), [], name)
    })

    it('is said again by a candidate who is no member yet', () => {
      const { village, on } = behind()
      const candidacy = village.apply('yan', { on })
      assert.deepEqual(duties(village, 'yan', FIRST_DAY), [{ type: 'again', isShared: false, of: candidacy }])
      const fresh = village.apply('yan')
      assert.deepEqual(duties(village, 'yan', FIRST_DAY), [])
      const vouches = ['alice', 'bob'].map((name) => village.vouch(fresh, name))
      village.finalise(FOUR, TODAY)
      const join = village.join('yan', fresh, vouches, { on: [fresh] })
      assert.deepEqual(village.members(), FOUR, 'neither did the checkpoint see the candidacy of a stranger')
      assert.deepEqual(types(village, 'yan', TODAY), ['again'])
      assert.notEqual(join, undefined)
    })

    it('is said again by who joined while a checkpoint was made: the vouches hold', () => {
      const village = settled()
      const candidacy = village.propose('alice', 'yan')
      const vouches = ['alice', 'bob'].map((name) => village.vouch(candidacy, name))
      village.finalise(FOUR, TODAY)
      const join = village.join('yan', candidacy, vouches, { on: [candidacy] })
      assert.deepEqual(village.members(), FOUR)
      assert.deepEqual(duties(village, 'yan'), [{ type: 'again', isShared: false, of: join }])
      village.join('yan', candidacy, vouches, { on: village.heads() })
      assert.deepEqual(village.members(), [...FOUR, 'yan'])
      assert.deepEqual(types(village, 'yan'), [])
    })

    it('is a new key too, which counts where the late one did not', () => {
      const village = settled()
      village.finalise(FOUR, FIRST_DAY + 31)
      const on = village.heads()
      village.propose('alice', 'yan')
      village.finalise(FOUR.slice(0, 3), FIRST_DAY + 32)
      const late = village.rekey('dan', 2, { on })
      assert.deepEqual(duties(village, 'dan', FIRST_DAY + 32), [{ type: 'again', isShared: false, of: late }])
      const ring = toHex(ringKeyOf('dan', 2).publicKey)
      assert.ok(!village.evaluator.view().ring.includes(ring))
      village.rekey('dan', 2)
      assert.ok(village.evaluator.view().ring.includes(ring))
      assert.deepEqual(types(village, 'dan', FIRST_DAY + 32), [])
    })
  })
})

describe('a back-off', () => {
  it('lies within its limit, and grows with what was drawn', () => {
    const number = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(number, number, fc.integer({ min: 0, max: 2_000 }), fc.nat(1e6), (a, b, members, longest) => {
        const [one, two] = [a, b].toSorted((x, y) => x - y).map((random) => backoffMs(random, members, longest))
        assert.ok(one >= 0 && one <= two && two <= longest)
      })
    )
  })

  it('lets a few do it before the others would, however many there are', () => {
    // Of so many who hear of each other within a twentieth of the longest wait: how many have done it by then.
    for (const members of [2, 10, 100, 500]) {
      let done = 0
      for (let run = 0; run < 200; run++) {
        const waits = Array.from({ length: members }, (_, i) => backoffMs(drawn(run * members + i), members, 1_000))
        const first = Math.min(...waits)
        done += waits.filter((wait) => wait <= first + 50).length
      }
      assert.ok(done / 200 < 3, `${done / 200} of ${members}`)
    }
  })
})

/** Evenly spread from 0 to 1. */
function drawn(n: number): number {
  return (Math.imul(n + 1, 0x9e3779b1) >>> 0) / 2 ** 32
}
