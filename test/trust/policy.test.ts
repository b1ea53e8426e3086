import assert from 'node:assert/strict'
import fc from 'fast-check'
import { blockedFeeds, wantedFeeds, type PolicyInput, type PolicyPerson } from '../../src/trust/policy.ts'

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

  it('keeps nothing of others in the modes groups, own and none', () => {
    const people = [person(10, 'followed', { device: key(11) })]
    for (const mode of ['groups', 'own', 'none'] as const)
      assert.deepEqual(names({ self, people, mode }), ['1:0', '2:0'])
  })

  it('wants a revoked device only up to its last entry', () => {
    const people = [
      person(10, 'followed', { device: key(11), revoked: { last: 5 } }, { device: key(12), revoked: { last: 0 } })
    ]
    const wanted = wantedFeeds({ self, people, mode: 'all' }).slice(3)
    assert.deepEqual(wanted, [{ feed: key(11), priority: 1, last: 5 }])
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
      { feed: key(1), priority: 0 },
      { feed: key(2), priority: 0 },
      { feed: key(10), priority: 1 }
    ])
  })

  const anyKey = fc.integer({ min: 1, max: 12 }).map(key)
  const anyDevices = fc.array(
    fc.record({ device: anyKey, revoked: fc.option(fc.record({ last: fc.nat(3) }), { nil: undefined }) }),
    { maxLength: 4 }
  )
  const anyInput: fc.Arbitrary<PolicyInput> = fc.record({
    self: fc.record({ root: anyKey, devices: anyDevices }),
    people: fc.array(
      fc.record({ key: anyKey, relation: fc.constantFrom('followed', 'blocked', 'none'), devices: anyDevices }),
      { maxLength: 6 }
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
        for (const { feed, priority, last } of wanted) {
          const name = nameOf(feed)
          if (priority === 0) assert.ok(own.has(name))
          else assert.ok(input.mode === 'all' && followed.has(name) && !blocked.has(name))
          assert.notEqual(last, 0)
        }
      })
    )
  })

  it('does not depend on the order in which people are listed', () => {
    const sorted = (input: PolicyInput) => wantedFeeds(input).toSorted((a, b) => a.feed[0] - b.feed[0])
    fc.assert(
      fc.property(anyInput, (input) =>
        assert.deepEqual(sorted({ ...input, people: input.people.toReversed() }), sorted(input))
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
})
