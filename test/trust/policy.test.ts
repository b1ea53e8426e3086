import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { WantedFeed } from '../../src/feeds/index.ts'
import {
  blockedFeeds,
  FAR_ENTRIES,
  farRoom,
  MATE_ENTRIES,
  mateRoom,
  MAX_FAR_DEVICES,
  MAX_FAR_FEED_BYTES,
  MAX_FAR_FEEDS,
  MAX_FOLLOWED_FEED_BYTES,
  MAX_LOG_BYTES,
  MAX_LOG_ENTRIES,
  MAX_MATE_FEED_BYTES,
  MAX_MATE_FEEDS,
  type PolicyIdentity,
  type PolicyInput,
  type PolicyPerson,
  quotaOf,
  wantedFeeds
} from '../../src/trust/policy.ts'

const key = (n: number) => new Uint8Array(32).fill(n)
const nameOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const self = { root: key(1), devices: [{ device: key(2) }] }
const person = (n: number, relation: PolicyPerson['relation'], ...devices: PolicyPerson['devices']): PolicyPerson => ({
  key: key(n),
  relation,
  devices
})
const names = (input: PolicyInput) => wantedFeeds(input).map(({ feed, priority }) => `${feed[0]}:${priority}`)

describe('replication policy', () => {
  it('wants own feeds first, and then those of the people who are followed', () => {
    const people = [
      person(10, 'followed', { device: key(11) }, { device: key(12) }),
      person(20, 'none', { device: key(21) })
    ]
    assert.deepEqual(names({ self, people, mode: 'all' }), ['1:0', '2:0', '10:1', '11:1', '12:1'])
  })

  it('keeps nothing of others in the modes groups, own and none, without groups', () => {
    const people = [person(10, 'followed', { device: key(11) })]
    for (const mode of ['groups', 'own', 'none'] as const)
      assert.deepEqual(names({ self, people, mode }), ['1:0', '2:0'])
  })

  it('wants a revoked device only up to its last entry', () => {
    const people = [
      person(10, 'followed', { device: key(11), revoked: { last: 5 } }, { device: key(12), revoked: { last: 0 } })
    ]
    const wanted = wantedFeeds({ self, people, mode: 'all' }).slice(3)
    assert.deepEqual(wanted, [{ feed: key(11), priority: 1, last: 5, maxBytes: MAX_FOLLOWED_FEED_BYTES }])
  })

  it('wants no identity log without end: each entry of it has the whole of it looked at again', () => {
    const shared = [{ friend: key(10), people: [{ key: key(20), devices: [] }] }]
    const people = [{ ...person(10, 'followed'), isFriend: true }]
    const logs = wantedFeeds({ self, people, shared, mode: 'all' }).filter(({ isWhole }) => isWhole)
    assert.deepEqual(logs, [
      { feed: key(1), priority: 0, isWhole: true },
      { feed: key(10), priority: 1, isWhole: true, last: MAX_LOG_ENTRIES, maxBytes: MAX_LOG_BYTES },
      { feed: key(20), priority: 3, isWhole: true, last: MAX_LOG_ENTRIES, maxBytes: MAX_LOG_BYTES }
    ])
  })

  it('never wants a blocked person, also when somebody who is followed names their device', () => {
    const people = [
      person(10, 'followed', { device: key(31) }, { device: key(30) }, { device: key(11) }),
      person(30, 'blocked', { device: key(31) })
    ]
    assert.deepEqual(names({ self, people, mode: 'all' }), ['1:0', '2:0', '10:1', '11:1'])
    assert.deepEqual([...blockedFeeds(people)], [nameOf(key(30)), nameOf(key(31))])
  })

  it('lets nobody take own feeds away by naming them', () => {
    const people = [
      person(30, 'blocked', { device: key(2) }, { device: key(1) }),
      person(10, 'followed', { device: key(2), revoked: { last: 1 } })
    ]
    assert.deepEqual(wantedFeeds({ self, people, mode: 'all' }), [
      { feed: key(1), priority: 0, isWhole: true },
      { feed: key(2), priority: 0 },
      { feed: key(10), priority: 1, isWhole: true, last: MAX_LOG_ENTRIES, maxBytes: MAX_LOG_BYTES }
    ])
  })

  const anyKey = fc.integer({ min: 1, max: 12 }).map(key)
  const anyDevices = fc.array(
    fc.record({ device: anyKey, revoked: fc.option(fc.record({ last: fc.nat(3) }), { nil: undefined }) }),
    { maxLength: 4 }
  )
  // A key has one relation, and a friend one list, as in the tables they come from.
  const anyInput: fc.Arbitrary<PolicyInput> = fc.record({
    self: fc.record({ root: anyKey, devices: anyDevices }),
    people: fc.uniqueArray(
      fc.record({
        key: anyKey,
        relation: fc.constantFrom('followed', 'blocked', 'none'),
        isFriend: fc.boolean(),
        devices: anyDevices
      }),
      { maxLength: 6, selector: (person) => nameOf(person.key) }
    ),
    shared: fc.uniqueArray(
      fc.record({
        friend: anyKey,
        people: fc.array(fc.record({ key: anyKey, devices: anyDevices }), { maxLength: 6 })
      }),
      { maxLength: 4, selector: (list) => nameOf(list.friend) }
    ),
    groups: fc.uniqueArray(
      fc.record({ id: anyKey, members: fc.array(fc.record({ key: anyKey, devices: anyDevices }), { maxLength: 6 }) }),
      { maxLength: 3, selector: (group) => nameOf(group.id) }
    ),
    mode: fc.constantFrom('all', 'groups', 'own', 'none')
  })

  it('holds its rules for any people', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const wanted = wantedFeeds(input)
        const own = new Set([input.self.root, ...input.self.devices.map(({ device }) => device)].map(nameOf))
        const blocked = blockedFeeds(input.people)
        const followed = new Set(
          input.people
            .filter(({ relation }) => relation === 'followed')
            .flatMap((p) => [p.key, ...p.devices.map(({ device }) => device)])
            .map(nameOf)
        )
        assert.equal(new Set(wanted.map(({ feed }) => nameOf(feed))).size, wanted.length, 'each feed once')
        assert.deepEqual(wanted[0].feed, input.self.root)
        const friends = new Set(
          input.people
            .filter(({ relation, isFriend }) => relation === 'followed' && isFriend)
            .map((person) => nameOf(person.key))
        )
        const far = new Set(
          input
            .shared!.filter(({ friend }) => friends.has(nameOf(friend)))
            .flatMap((list) => list.people.flatMap((p) => [p.key, ...p.devices.map(({ device }) => device)]))
            .map(nameOf)
        )
        const mates = new Set(
          input
            .groups!.flatMap(({ members }) => members.flatMap((p) => [p.key, ...p.devices.map(({ device }) => device)]))
            .map(nameOf)
        )
        for (const { feed, priority, last, newest, maxBytes, isWhole } of wanted) {
          const name = nameOf(feed)
          if (priority === 0) assert.ok(own.has(name))
          else assert.ok((input.mode === 'all' || input.mode === 'groups') && !blocked.has(name))
          if (priority === 1) assert.ok(input.mode === 'all' && followed.has(name))
          if (priority === 2) assert.ok(mates.has(name))
          if (priority === 3) assert.ok(input.mode === 'all' && far.has(name))
          if (priority >= 2) assert.ok(maxBytes! > 0 && (newest! > 0 || isWhole))
          assert.notEqual(last, 0)
        }
      })
    )
  })

  it('does not depend on the order in which people are listed', () => {
    const sorted = (input: PolicyInput) => wantedFeeds(input).toSorted((a, b) => a.feed[0] - b.feed[0])
    fc.assert(
      fc.property(anyInput, (input) =>
        assert.deepEqual(
          sorted({
            ...input,
            people: input.people.toReversed(),
            shared: input.shared!.toReversed(),
            groups: input.groups!.toReversed()
          }),
          sorted(input)
        )
      )
    )
  })

  it('changes nothing of what it is given', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const before = structuredClone(input)
        wantedFeeds(input)
        assert.deepEqual(structuredClone(input), before)
      })
    )
  })

  describe('of groups', () => {
    const member = (n: number, ...devices: PolicyIdentity['devices']): PolicyIdentity => ({ key: key(n), devices })
    const group = (n: number, ...members: PolicyIdentity[]) => ({ id: key(n), members })

    it('wants members behind whom one follows and before their friends, in the modes all and groups', () => {
      const input = {
        self,
        people: [{ ...person(10, 'followed', { device: key(11) }), isFriend: true }],
        shared: [{ friend: key(10), people: [member(30), member(20)] }],
        groups: [
          group(90, member(1, { device: key(2) }), member(10, { device: key(11) }), member(20, { device: key(21) }))
        ]
      }
      const all = ['1:0', '2:0', '10:1', '11:1', '20:2', '21:2', '30:3']
      assert.deepEqual(names({ ...input, mode: 'all' }), all)
      assert.deepEqual(names({ ...input, mode: 'groups' }), ['1:0', '2:0', '10:2', '11:2', '20:2', '21:2'])
      for (const mode of ['own', 'none'] as const) assert.deepEqual(names({ ...input, mode }), ['1:0', '2:0'])
    })

    it('keeps of members as much as is reasonable', () => {
      const groups = [group(90, member(20, { device: key(21) }))]
      assert.deepEqual(wantedFeeds({ self, people: [], groups, mode: 'groups' }).slice(2), [
        { feed: key(20), priority: 2, isWhole: true, last: MAX_LOG_ENTRIES, maxBytes: MAX_LOG_BYTES },
        { feed: key(21), priority: 2, newest: MATE_ENTRIES, maxBytes: MAX_MATE_FEED_BYTES }
      ])
    })

    it('never wants a member who is blocked, nor their device where another member names it', () => {
      const people = [person(20, 'blocked', { device: key(21) })]
      const groups = [group(90, member(20, { device: key(22) }), member(30, { device: key(21) }, { device: key(31) }))]
      for (const mode of ['all', 'groups'] as const)
        assert.deepEqual(names({ self, people, groups, mode }), ['1:0', '2:0', '30:2', '31:2'])
    })

    it('shares the room fairly between groups, however large one of them is', () => {
      const wide = (n: number) => Buffer.from(n.toString(16).padStart(64, '0'), 'hex')
      const crowd = Array.from({ length: 20_000 }, (_, i) => ({ key: wide(i + 1_000), devices: [] }))
      const few = Array.from({ length: 300 }, (_, i) => ({ key: wide(i + 100_000), devices: [] }))
      const wanted = wantedFeeds({ self, people: [], groups: [group(90, ...crowd), group(91, ...few)], mode: 'all' })
      const logs = new Set(wanted.map(({ feed }) => nameOf(feed)))
      assert.ok(wanted.length <= MAX_MATE_FEEDS + 2)
      assert.ok(few.every((each) => logs.has(nameOf(each.key))))
      assert.equal(mateRoom(0), 0)
    })
  })

  describe('at distance 2', () => {
    const wide = (n: number) => Buffer.from(n.toString(16).padStart(64, '0'), 'hex')
    const identity = (n: number, devices = 1): PolicyIdentity => ({
      key: wide(n),
      devices: Array.from({ length: devices }, (_, i) => ({ device: wide(1e9 + n * 1_000 + i) }))
    })
    const friend = (n: number): PolicyPerson => ({ ...person(n, 'followed'), isFriend: true })
    const farOf = (input: Omit<PolicyInput, 'self' | 'mode'>): WantedFeed[] =>
      wantedFeeds({ self, mode: 'all', ...input }).filter(({ priority }) => priority === 3)
    const logsOf = (wanted: WantedFeed[]) =>
      new Set(wanted.filter(({ isWhole }) => isWhole).map(({ feed }) => nameOf(feed)))

    it('wants the newest entries of those whom a friend names, and as much of their logs as is reasonable', () => {
      const wanted = farOf({ people: [friend(10)], shared: [{ friend: key(10), people: [identity(500)] }] })
      assert.deepEqual(wanted, [
        { feed: wide(500), priority: 3, isWhole: true, last: 1_024, maxBytes: 262_144 },
        { feed: identity(500).devices[0].device, priority: 3, newest: FAR_ENTRIES, maxBytes: MAX_FAR_FEED_BYTES }
      ])
    })

    it('does not count what somebody says who is not a friend: one hop further, and blocked', () => {
      const shared = [10, 11, 12, 500].map((n, i) => ({
        friend: n < 100 ? key(n) : wide(n),
        people: [identity(500 + i)]
      }))
      const people = [friend(10), person(11, 'followed'), person(12, 'blocked')]
      assert.deepEqual([...logsOf(farOf({ people, shared }))], [nameOf(wide(500))])
    })

    it('leaves out those who are followed already, blocked ones, their devices, and oneself', () => {
      const people = [friend(10), { ...person(20, 'blocked'), devices: [{ device: wide(7) }] }, person(30, 'followed')]
      const named: PolicyIdentity[] = [
        { key: key(1), devices: [] },
        { key: key(20), devices: [{ device: wide(8) }] },
        { key: key(30), devices: [{ device: wide(9) }] },
        { key: wide(7), devices: [] },
        { key: wide(500), devices: [{ device: wide(7) }, { device: wide(6) }] }
      ]
      const wanted = farOf({ people, shared: [{ friend: key(10), people: named }] })
      assert.deepEqual(
        wanted.map(({ feed }) => nameOf(feed)),
        [nameOf(wide(500)), nameOf(wide(6))]
      )
    })

    it('cannot widen or narrow what is kept of nearer people by naming their devices', () => {
      const near = { ...person(30, 'followed'), devices: [{ device: wide(5), revoked: { last: 3 } }] }
      const named = { key: wide(500), devices: [{ device: wide(5) }, { device: self.devices[0].device }] }
      const wanted = wantedFeeds({
        self,
        mode: 'all',
        people: [friend(10), near],
        shared: [{ friend: key(10), people: [named] }]
      })
      const of = (feed: Uint8Array) => wanted.find((each) => nameOf(each.feed) === nameOf(feed))
      assert.deepEqual([of(wide(5))?.priority, of(wide(5))?.last], [1, 3])
      assert.deepEqual(of(self.devices[0].device), { feed: self.devices[0].device, priority: 0 })
    })

    it('shares the room fairly between friends, however many people one of them names', () => {
      const crowd = Array.from({ length: 40_000 }, (_, i) => identity(10_000 + i))
      const few = Array.from({ length: 300 }, (_, i) => identity(1_000 + i))
      const wanted = farOf({
        people: [friend(10), friend(11)],
        shared: [
          { friend: key(10), people: crowd },
          { friend: key(11), people: few }
        ]
      })
      assert.equal(wanted.length, MAX_FAR_FEEDS)
      const logs = logsOf(wanted)
      assert.ok(few.every((each) => logs.has(nameOf(each.key))))
    })

    it('stays within its number of feeds, whatever logs and devices there are', () => {
      fc.assert(
        fc.property(
          fc.array(fc.nat(130), { maxLength: 200 }),
          fc.integer({ min: 0, max: 2 ** 27 }),
          (counts, quota) => {
            const named = counts.map((devices, i) => identity(500 + i, devices))
            const wanted = farOf({ people: [friend(10)], shared: [{ friend: key(10), people: named }], quota })
            assert.ok(wanted.length <= farRoom(quota))
            for (const list of named) {
              const devices = wanted.filter(({ feed }) =>
                list.devices.some(({ device }) => nameOf(device) === nameOf(feed))
              )
              assert.ok(devices.length <= MAX_FAR_DEVICES)
            }
          }
        )
      )
    })

    it('prefers the newest devices, and those that are not revoked', () => {
      const { key: root, devices } = identity(500, 12)
      const revoked = devices.map((each, i) => (i > 8 ? { ...each, revoked: { last: 7 } } : each))
      const wanted = farOf({
        people: [friend(10)],
        shared: [{ friend: key(10), people: [{ key: root, devices: revoked }] }]
      })
      assert.deepEqual(
        wanted.slice(1).map(({ feed }) => nameOf(feed)),
        [8, 7, 6, 5, 4, 3, 2, 1].map((i) => nameOf(devices[i].device))
      )
    })

    it('ends when friends name the same people again and again', () => {
      const named = Array.from({ length: 2_000 }, (_, i) => identity(500 + i))
      const people = Array.from({ length: 40 }, (_, i) => ({ ...friend(10), key: wide(1e6 + i) }))
      const wanted = farOf({ people, shared: people.map(({ key: by }) => ({ friend: by, people: named })) })
      assert.equal(logsOf(wanted).size, 2_000)
    })

    it('is not kept in the modes groups, own and none', () => {
      for (const mode of ['groups', 'own', 'none'] as const) {
        const shared = [{ friend: key(10), people: [identity(500)] }]
        assert.equal(wantedFeeds({ self, mode, people: [friend(10)], shared }).length, 2)
      }
    })

    it('has a quarter of the quota', () => {
      assert.deepEqual(quotaOf(1_000), { bytes: 1_000, ofPriority: { 2: 500, 3: 250 } })
      assert.equal(farRoom(0), 0)
      assert.equal(farRoom(), MAX_FAR_FEEDS)
    })
  })
})
