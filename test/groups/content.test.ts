import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { encodeBody, sha256 } from '../../src/feeds/index.ts'
import {
  currentEpoch,
  earlierSecrets,
  epochBodyOf,
  epochNeed,
  fromHex,
  GroupError,
  hasHint,
  type Hex,
  hintKey,
  isSealedForGroup,
  kemKey,
  makeEpoch,
  MAX_EARLIER,
  MAX_GROUP_BODY,
  MAX_OPERATION_SIZE,
  MAX_RECIPIENTS,
  openForGroup,
  openGroupSecret,
  ready,
  type Recipient,
  SEALED_SIZES,
  sealForGroup,
  toHex,
  unwrapSecret,
  writersEpoch
} from '../../src/groups/index.ts'
import { keyOf } from '../support/feeds.ts'
import type { earlierVectors, EpochVector, openGroupVectors, PostVector } from '../vectors/groups/content-cases.ts'
import { memberKeyOf, Village } from './village.ts'

const bytes = (hex: string) => Buffer.from(hex, 'hex')
const read = (file: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../vectors/groups', file), 'utf8'))
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const feed = keyOf('a device').publicKey
const [group, secret] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]

describe('posts to a group', () => {
  for (const vector of read('post.json') as PostVector[]) {
    it(`${vector.body === undefined ? 'do not open with' : 'open as'} ${vector.name}`, () => {
      const key = { group: bytes(vector.group), secret: bytes(vector.secret) }
      const [sealed, of] = [bytes(vector.sealed), bytes(vector.feed)]
      assert.equal(hasHint(sealed, of, hintKey(key)), vector.hasHint)
      const opened = openForGroup(sealed, of, key)
      assert.equal(opened && toHex(encodeBody(opened)), vector.body)
      if (opened !== undefined)
        assert.equal(toHex(sealForGroup(opened, of, key, { salt: bytes(vector.salt!) })), vector.sealed)
    })
  }

  for (const vector of read('open-group.json') as typeof openGroupVectors) {
    it(`are sealed for an open group under ${vector.secret.slice(0, 8)}`, () =>
      assert.equal(toHex(openGroupSecret(bytes(vector.group))), vector.secret))
  }

  it('give back any body to the right secret, group and feed only', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 5_000 }), bytes32, bytes32, bytes32, (text, secret, group, other) => {
        fc.pre(![secret, group, feed].some((each) => Buffer.compare(each, other) === 0))
        const key = { group, secret }
        const sealed = sealForGroup({ type: 'note', text: text.toWellFormed() }, feed, key)
        assert.equal(openForGroup(sealed, feed, key)?.text, text.toWellFormed())
        assert.ok(isSealedForGroup(sealed) && hasHint(sealed, feed, hintKey(key)))
        for (const [of, wrong] of [
          [other, key],
          [feed, { group: other, secret }],
          [feed, { group, secret: other }]
        ] as const) {
          assert.equal(openForGroup(sealed, of, wrong), undefined)
          assert.equal(hasHint(sealed, of, hintKey(wrong)), false)
        }
      })
    )
  })

  it('have one of five sizes, whatever is in them', () => {
    const sizeOf = (length: number) => {
      const empty = encodeBody({ type: 'note', text: '' }).length
      const text = 'x'.repeat(length - empty)
      return sealForGroup({ type: 'note', text }, feed, { group, secret }).length
    }
    assert.deepEqual([50, 90, 120, 200].map(sizeOf), [256, 256, 256, 256])
    assert.deepEqual([300, 2_000, 10_000, MAX_GROUP_BODY - 2].map(sizeOf), SEALED_SIZES.slice(1))
  })

  it('are refused when they are larger than the largest size', () => {
    const text = 'x'.repeat(MAX_GROUP_BODY)
    assert.throws(() => sealForGroup({ type: 'note', text }, feed, { group, secret }), RangeError)
  })

  it('have hints that do not repeat, and nothing else that is alike', () => {
    const all = Array.from({ length: 2_000 }, () => sealForGroup({ type: 'note', text: 'hi' }, feed, { group, secret }))
    assert.equal(new Set(all.map((sealed) => toHex(sealed.subarray(1, 9)))).size, all.length)
    const alike = Array.from({ length: 256 }, (_, at) => at).filter((at) =>
      all.every((sealed) => sealed[at] === all[0][at])
    )
    assert.deepEqual(alike, [0]) // the version
  })

  it('never throw on bytes from elsewhere', () => {
    const key = { group, secret }
    const sizes = fc.constantFrom(0, 1, 24, 25, 41, 256, 1_024)
    fc.assert(
      fc.property(sizes, fc.uint8Array({ maxLength: 64 }), (size, input) => {
        const sealed = Buffer.alloc(size, 2)
        sealed.set(input.subarray(0, Math.max(0, size - 1)), Math.min(1, size))
        assert.equal(openForGroup(sealed, feed, key), undefined)
        assert.equal(hasHint(sealed, feed, hintKey(key)), false)
      })
    )
  })
})

describe("epochs' secrets", () => {
  before(ready)

  for (const vector of read('epoch.json') as EpochVector[]) {
    it(`${vector.secret === undefined ? 'do not open' : 'open'}: ${vector.name}`, () => {
      const body = { secret: bytes(vector.epoch), recipients: [bytes(vector.member)], wrapped: [bytes(vector.wrapped)] }
      const use = { member: vector.member, kem: bytes(vector.kem) }
      assert.equal(toHex(kemKey(use.kem)), vector.kemKey)
      const opened = unwrapSecret(bytes(vector.group), body, use)
      assert.equal(opened && toHex(opened), vector.secret)
      if (opened === undefined) return
      const [ephemeral, recipient] = [bytes(vector.ephemeral!), { member: vector.member, kem: vector.kemKey }]
      const again = makeEpoch(bytes(vector.group), [recipient], { secret: opened, ephemeral })
      assert.deepEqual([toHex(again.secret), toHex(again.wrapped[0])], [vector.epoch, vector.wrapped])
    })
  }

  for (const vector of read('earlier.json') as typeof earlierVectors) {
    it(`give earlier ones: ${vector.name}`, () => {
      const body = { secret, recipients: [], wrapped: [], earlier: bytes(vector.earlier) }
      assert.deepEqual(earlierSecrets(bytes(vector.group), body, bytes(vector.secret)).map(toHex), vector.secrets)
    })
  }

  it('reach every recipient, and nobody else', () => {
    fc.assert(
      fc.property(fc.uniqueArray(bytes32, { minLength: 2, maxLength: 8, selector: toHex }), (secrets) => {
        const people = secrets.map((kem) => ({ member: toHex(sha256(kem)), kem }))
        const [outsider, ...members] = people
        const body = makeEpoch(group, members.map(recipientOf), { earlier: [secret] })
        const opened = members.map((member) => toHex(unwrapSecret(group, body, member)!))
        assert.equal(new Set(opened).size, 1)
        assert.deepEqual(earlierSecrets(group, body, bytes(opened[0])).map(toHex), [toHex(secret)])
        assert.equal(unwrapSecret(group, body, outsider), undefined)
        assert.equal(unwrapSecret(group, body, { ...members[0], kem: outsider.kem }), undefined)
        assert.equal(unwrapSecret(group, body, { ...outsider, kem: members[0].kem }), undefined)
        assert.equal(unwrapSecret(Buffer.alloc(32, 9), body, members[0]), undefined)
      }),
      { numRuns: 25 }
    )
  })

  it('reach the others when somebody has brought a key of small order', () => {
    const kem = Buffer.alloc(32, 3)
    const [good, bad] = [
      recipientOf({ member: '11'.repeat(32), kem }),
      { member: '22'.repeat(32), kem: '00'.repeat(32) }
    ]
    const body = makeEpoch(group, [good, bad])
    assert.notEqual(unwrapSecret(group, body, { member: good.member, kem }), undefined)
    assert.deepEqual(body.wrapped[1], new Uint8Array(80))
  })

  it('fit into one operation for as many members and earlier secrets as may be', () => {
    const village = new Village(['alice'])
    const recipients = Array.from({ length: MAX_RECIPIENTS }, (_, at) => ({
      member: toHex(sha256(Buffer.from(`${at}`))),
      kem: toHex(kemKey(Buffer.alloc(32, 5)))
    }))
    const earlier = Array.from({ length: MAX_EARLIER + 1 }, () => randomBytes(32))
    const made = village.bytesOf('alice', 'epoch', makeEpoch(fromHex(village.id), recipients, { earlier }))
    assert.ok(made.length <= MAX_OPERATION_SIZE, `${made.length} bytes`)
    assert.equal(epochBodyOf(made).wrapped.length, MAX_RECIPIENTS)
    assert.throws(() => epochBodyOf(village.bytesOf('alice', 'leave', {})), GroupError)
  })
})

describe('the epoch that a writer uses', () => {
  before(ready)
  const FOUR = ['alice', 'bob', 'carol', 'dan']
  const of = (name: string) => toHex(memberKeyOf(name).publicKey)
  /** @returns its id */
  const epoch = (village: Village, by: string, to: readonly string[], on: Hex[] = village.heads()): Hex => {
    const recipients = to.map((name) => recipientOf({ member: of(name), kem: memberKeyOf(`kem of ${name}`).publicKey }))
    return village.signed(by, 'epoch', makeEpoch(fromHex(village.id), recipients), { on })
  }
  const need = (village: Village) => epochNeed(village.evaluator, () => true)

  it('is needed first of all, then when somebody came, and when somebody went', () => {
    const village = new Village(FOUR)
    assert.equal(need(village), 'none')
    epoch(village, 'alice', FOUR)
    assert.equal(need(village), undefined)
    village.admit('zoe', ['alice', 'bob'])
    assert.equal(need(village), 'left out')
    epoch(village, 'bob', [...FOUR, 'zoe'])
    assert.equal(need(village), undefined)
    village.expel('dan', ['alice', 'bob', 'carol'])
    assert.equal(need(village), 'none')
    epoch(village, 'zoe', ['alice', 'bob', 'carol', 'zoe'])
    assert.equal(need(village), undefined)
  })

  it('is not one whose author was removed, though its list leaves them out', () => {
    const village = new Village(FOUR)
    const on = village.heads()
    epoch(village, 'dan', ['alice', 'bob', 'carol'], on)
    village.expel('dan', ['alice', 'bob', 'carol'], { on })
    assert.equal(need(village), 'none')
  })

  it('is another one when a member was given a wrong secret and made it on top', () => {
    for (const by of FOUR) {
      const village = new Village(FOUR)
      const wrong = epoch(village, 'alice', FOUR)
      assert.equal(currentEpoch(village.evaluator)?.id, wrong)
      assert.equal(
        epochNeed(village.evaluator, ({ id }) => id !== wrong),
        'cheated'
      )
      const right = epoch(village, by, FOUR, [wrong])
      assert.equal(currentEpoch(village.evaluator)?.id, right)
    }
  })

  it('locks nobody out: one more epoch for all is enough, whatever was made before and at once', () => {
    const steps = fc.array(
      fc.record({
        kind: fc.constantFrom('epoch', 'epoch', 'epoch', 'join', 'expel'),
        by: fc.nat(3),
        to: fc.subarray(FOUR, { minLength: 1 }),
        isBlind: fc.boolean()
      }),
      { maxLength: 8 }
    )
    fc.assert(
      fc.property(steps, (made) => {
        const village = new Village(FOUR)
        let [hasJoined, hasGone] = [false, false]
        for (const { kind, by, to, isBlind } of made) {
          const on = isBlind ? [village.id] : village.heads()
          if (kind === 'epoch') epoch(village, FOUR[by], to, on)
          else if (kind === 'join' && !hasJoined)
            hasJoined = village.admit('zoe', ['alice', 'bob'], { on }) !== undefined
          else if (kind === 'expel' && !hasGone)
            hasGone = village.expel('dan', ['alice', 'bob', 'carol'], { on }) !== ''
        }
        const members = village.members()
        const chosen = currentEpoch(village.evaluator)
        if (hasGone && chosen !== undefined)
          assert.ok(![chosen.author, ...chosen.recipients].includes(of('dan')), 'dan knows nothing that is used')
        if (need(village) !== undefined) epoch(village, members[0], members)
        assert.equal(need(village), undefined)
        assert.deepEqual(currentEpoch(village.evaluator)?.recipients, members.map(of).toSorted())
      }),
      { numRuns: 60 }
    )
  })

  it('is the same in every order of arrival', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.subarray(FOUR, { minLength: 1 }))), fc.nat(), (made, seed) => {
        const village = new Village(FOUR)
        for (const [by, to] of made.slice(0, 4))
          epoch(village, FOUR[by], to, seed % 2 === 0 ? village.heads() : [village.id])
        const chosen = currentEpoch(village.evaluator)?.id
        const other = village.evaluatorOf(village.operations.slice(1).toReversed())
        assert.equal(currentEpoch(other)?.id, chosen)
        if (chosen === undefined) assert.equal(made.length, 0)
        assert.equal(writersEpoch([], other.view()), undefined)
      }),
      { numRuns: 40 }
    )
  })
})

function recipientOf({ member, kem }: { member: Hex; kem: Uint8Array }): Recipient {
  return { member, kem: toHex(kemKey(kem)) }
}
