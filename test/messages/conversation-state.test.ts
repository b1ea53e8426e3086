import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  changesOf,
  type ConversationState,
  decodeContent,
  EMPTY_STATE,
  encodeContent,
  fromFields,
  MAX_MEMBERS,
  membersOf,
  merge,
  MessageError,
  newContent,
  receive,
  standingOf,
  toFields,
  viewOf,
  withMember,
  withName,
  withoutMember,
  withTimer
} from '../../src/messages/index.ts'

/** Root keys of as many people as a test needs. */
const person = (i: number): string => i.toString(16).padStart(64, '0')
const PEOPLE = Array.from({ length: 8 }, (_, i) => person(i))

function begin(people: readonly string[]): ConversationState {
  return people.reduce((state, key) => withMember(state, key), withName(EMPTY_STATE, 'weekend'))
}

const isEqual = (a: ConversationState, b: ConversationState): boolean => Buffer.compare(viewOf(a), viewOf(b)) === 0

const counted = <T>(value: fc.Arbitrary<T>) => fc.record({ value, count: fc.integer({ min: 1, max: 4 }) })
const states: fc.Arbitrary<ConversationState> = fc.record({
  people: fc
    .array(fc.tuple(fc.constantFrom(...PEOPLE), counted(fc.boolean())), { maxLength: 8 })
    .map((all) => new Map(all)),
  name: counted(fc.constantFrom('a', 'b', '')),
  timer: counted(fc.constantFrom(0, 1_000, 2_000))
})

describe('what is agreed in a conversation', () => {
  it('comes to the same in whatever order, and however often, it is merged', () => {
    fc.assert(
      fc.property(states, states, states, (a, b, c) => {
        assert.ok(isEqual(merge(a, b), merge(b, a)))
        assert.ok(isEqual(merge(merge(a, b), c), merge(a, merge(b, c))))
        assert.ok(isEqual(merge(merge(a, b), a), merge(a, b)))
      })
    )
  })

  it('lets somebody be removed who has counted as far as one can count', () => {
    const [self, other, eve] = PEOPLE
    const people = new Map(begin([self, other, eve]).people).set(eve, { value: true, count: Number.MAX_SAFE_INTEGER })
    const state = { ...begin([self, other, eve]), people }
    const after = withoutMember(state, eve)
    assert.deepEqual(membersOf(after), [self, other])
    for (const merged of [merge(state, after), merge(after, state)]) assert.deepEqual(membersOf(merged), [self, other])
  })

  it('survives being written and read', () => {
    fc.assert(
      fc.property(states, (state) => {
        const bytes = encodeContent(newContent({ type: 'conversation', ...toFields(state) }))
        assert.ok(isEqual(fromFields(decodeContent(bytes) as never), state))
      })
    )
  })

  it('keeps out who was removed by one and added by another, and the shorter of two timers', () => {
    const start = begin([person(0), person(1), person(2)])
    const gone = withoutMember(start, person(2))
    const back = withMember(withoutMember(start, person(2)), person(2))
    assert.deepEqual(membersOf(merge(start, gone)), [person(0), person(1)])
    assert.ok(membersOf(merge(gone, back)).includes(person(2)), 'who added knew of the removal')
    const again = withoutMember(back, person(2))
    const other = { ...again, people: new Map(again.people).set(person(2), { value: true, count: 4 }) }
    assert.ok(!membersOf(merge(again, other)).includes(person(2)), 'at the same time')
    assert.equal(merge(withTimer(start, 2_000), withTimer(start, 1_000)).timer.value, 1_000)
    assert.equal(merge(withTimer(start, 2_000), withTimer(start, 0)).timer.value, 2_000)
  })

  it('tells what has become different', () => {
    const start = begin([person(0), person(1)])
    assert.equal(changesOf(start, merge(start, start)), undefined)
    const after = withTimer(withName(withoutMember(withMember(start, person(2)), person(1)), 'monday'), 5)
    assert.deepEqual(changesOf(start, after), { added: [person(2)], removed: [person(1)], name: 'monday', timer: 5 })
  })

  it('has room for 32, also where several people add somebody at the same time', () => {
    const full = begin(Array.from({ length: MAX_MEMBERS }, (_, i) => person(i)))
    assert.throws(
      () => withMember(full, person(99)),
      (error) => error instanceof MessageError && /make a group/.test(error.message)
    )
    const almost = withoutMember(full, person(31))
    const [one, other] = [withMember(almost, person(98)), withMember(almost, person(99))]
    const both = merge(one, other)
    assert.equal(membersOf(both).length, MAX_MEMBERS)
    assert.deepEqual(membersOf(both), membersOf(merge(other, one)))
  })

  it('is heard from those who belong to it, and from nobody else', () => {
    const [self, alice, bob, eve] = PEOPLE
    const own = begin([self, alice])
    const self2 = { from: alice, self }
    assert.ok(standingOf(receive(own, withMember(own, bob), self2)!, bob) === 'member')
    assert.equal(receive(own, withMember(own, eve), { from: eve, self }), undefined, 'one who adds herself')
    const without = withoutMember(own, alice)
    assert.equal(receive(without, withMember(without, alice), self2), undefined, 'one who was removed and comes back')
    assert.equal(receive(undefined, begin([alice, bob]), self2), undefined, 'one to which this device does not belong')
    assert.ok(receive(undefined, own, self2), 'an invitation')
    assert.ok(receive(withoutMember(own, self), withMember(withoutMember(own, self), self), self2), 'and another one')
    const crowd = Array.from({ length: 300 }, (_, i) => person(1_000 + i))
    const flood = {
      ...own,
      people: new Map([...own.people, ...crowd.map((key) => [key, { value: false, count: 1 }] as const)])
    }
    assert.equal(receive(own, flood, self2), undefined, 'more people than there may be')
  })

  it('becomes the same for all members, in whatever order they hear of what others do at the same time', () => {
    const [acts, orders] = [
      fc.array(fc.tuple(fc.nat(7), fc.nat(3), fc.nat(7)), { maxLength: 12 }),
      fc.infiniteStream(fc.nat())
    ]
    fc.assert(
      fc.property(acts, orders, (all, order) => {
        const held = new Map<string, ConversationState>()
        const start = begin(PEOPLE.slice(0, 4))
        for (const key of PEOPLE.slice(0, 4)) held.set(key, start)
        const underWay: { from: string; to: string; state: ConversationState }[] = []
        const send = (from: string, to: readonly string[]): void => {
          const state = held.get(from)!
          for (const each of to) if (each !== from) underWay.push({ from, to: each, state })
        }
        // Messages between two devices keep their order; nothing else does.
        const deliver = (): void => {
          const [{ value: at }] = [order.next()]
          const next = underWay[at % underWay.length]
          const first = underWay.findIndex(({ from, to }) => from === next.from && to === next.to)
          const [{ from, to, state }] = underWay.splice(first, 1)
          const merged = receive(held.get(to), state, { from, self: to })
          if (merged === undefined) return
          held.set(to, merged)
          if (!isEqual(merged, state)) send(to, [from])
        }
        for (const [actor, what, other] of all) {
          const [self, whom] = [PEOPLE[actor], PEOPLE[other]]
          const own = held.get(self)
          if (own === undefined || standingOf(own, self) !== 'member') continue
          const after = [
            () => withMember(own, whom),
            () => withoutMember(own, whom),
            () => withName(own, `by ${actor}`),
            () => withTimer(own, 1_000 * (other + 1))
          ][what]()
          held.set(self, after)
          send(self, [...membersOf(own), ...membersOf(after)])
          if (underWay.length > 0) deliver()
        }
        while (underWay.length > 0) deliver()
        // Whoever writes shows what they know, and is told what they do not.
        for (let round = 0; round < 4; round++)
          for (const [key, state] of held) {
            if (standingOf(state, key) === 'member') send(key, membersOf(state))
            while (underWay.length > 0) deliver()
          }
        for (const [key, state] of held)
          for (const other of membersOf(state)) {
            const theirs = held.get(other)
            if (standingOf(state, key) !== 'member' || theirs === undefined) continue
            if (standingOf(theirs, key) === 'member' && standingOf(theirs, other) === 'member')
              assert.ok(isEqual(state, theirs), `${key.slice(-1)} and ${other.slice(-1)} know the same`)
          }
      }),
      { numRuns: Number(process.env.CONVERSATION_RUNS ?? 300) }
    )
  })
})
