import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { until } from '../../support/feeds.ts'
import { candidacyOf, chainOf, connect, foundingOf, Holder, idOf, same } from './replicas.ts'

const FOUNDING = foundingOf('portland')
const GROUP = idOf(FOUNDING)

describe('a group session', function () {
  this.timeout(60_000)

  it('brings a whole log to whoever has only the link', async () => {
    using alice = new Holder('alice')
    using bob = new Holder('bob')
    alice.hold(FOUNDING, chainOf(GROUP, 'x', 50))
    bob.open(GROUP)
    const link = connect(alice, bob)
    await link.settled()
    await same(GROUP, alice, bob)
    assert.equal(bob.group(GROUP).size, 51)
    assert.equal(alice.received, 0, 'nothing is sent back')
    await link.close()
    assert.deepEqual(link.errors, [])
  })

  it('brings each side what only the other has', async () => {
    using alice = new Holder('alice')
    using bob = new Holder('bob')
    const common = chainOf(GROUP, 'common', 200)
    const fork = idOf(common[99])
    const [left, right] = [chainOf(GROUP, 'left', 70, fork), chainOf(GROUP, 'right', 3, fork)]
    alice.hold(FOUNDING, [...common, ...left])
    bob.hold(FOUNDING, [...common, ...right])
    const link = connect(alice, bob)
    await same(GROUP, alice, bob)
    assert.equal(alice.group(GROUP).size, 274)
    assert.deepEqual([alice.received, bob.received], [3, 70])
    await link.close()
    assert.deepEqual(link.errors, [])
  })

  it('says nothing of groups that the other does not hold', async () => {
    using alice = new Holder('alice')
    using bob = new Holder('bob')
    const other = foundingOf('lisbon')
    alice.hold(FOUNDING, chainOf(GROUP, 'x', 5))
    bob.hold(other, chainOf(idOf(other), 'x', 5))
    const link = connect(alice, bob)
    await link.settled()
    assert.deepEqual([alice.received, bob.received], [0, 0])
    assert.equal(link.alice.shares(alice.group(GROUP).id), false)
    assert.ok(link.bytes < 200, `${link.bytes} bytes`)
    await link.close()
  })

  it('needs under 150 bytes for a log that is the same on both sides', async () => {
    using alice = new Holder('alice')
    using bob = new Holder('bob')
    const chain = chainOf(GROUP, 'x', 300)
    alice.hold(FOUNDING, chain)
    bob.hold(FOUNDING, chain)
    const link = connect(alice, bob)
    await link.settled()
    assert.ok(link.alice.shares(alice.group(GROUP).id) && link.bob.shares(alice.group(GROUP).id))
    assert.ok(link.bytes < 150, `${link.bytes} bytes`)
    await link.close()
  })

  it('pushes what is said while connected, both ways and on to others, and never back', async () => {
    using alice = new Holder('alice')
    using bob = new Holder('bob')
    using carol = new Holder('carol')
    for (const each of [alice, bob, carol]) each.hold(FOUNDING)
    const links = [connect(alice, bob), connect(bob, carol)]
    for (const link of links) await link.settled()
    for (let i = 0; i < 5; i++) {
      alice.say(GROUP, candidacyOf(GROUP, `a${i}`, [GROUP]))
      carol.say(GROUP, candidacyOf(GROUP, `c${i}`, [GROUP]))
    }
    await same(GROUP, alice, bob, carol)
    assert.equal(bob.group(GROUP).size, 11)
    assert.deepEqual([alice.received, bob.received, carol.received], [5, 10, 5])
    for (const link of links) await link.close()
    assert.deepEqual(
      links.flatMap(({ errors }) => errors),
      []
    )
  })

  for (const who of ['the initiator', 'the other side'] as const)
    it(`begins with a group that ${who} opens while connected, and ends with one that it forgets`, async () => {
      using alice = new Holder('alice')
      using bob = new Holder('bob')
      const [opener, holder] = who === 'the initiator' ? [alice, bob] : [bob, alice]
      holder.hold(FOUNDING, chainOf(GROUP, 'x', 20))
      const link = connect(alice, bob, { alice: { compareIntervalMs: 50 }, bob: { compareIntervalMs: 50 } })
      await link.settled()
      opener.open(GROUP)
      await same(GROUP, alice, bob)
      const [ours, theirs] = who === 'the initiator' ? [link.alice, link.bob] : [link.bob, link.alice]
      assert.ok(theirs.shares(holder.group(GROUP).id))
      opener.forget(GROUP)
      assert.equal(ours.shares(holder.group(GROUP).id), false)
      holder.say(GROUP, candidacyOf(GROUP, 'late', [GROUP]))
      assert.equal(opener.received, 21)
      opener.open(GROUP)
      await same(GROUP, alice, bob)
      await link.close()
      assert.deepEqual(link.errors, [])
    })

  it('goes through what is said while logs are compared', async () => {
    using alice = new Holder('alice')
    using bob = new Holder('bob')
    const common = chainOf(GROUP, 'common', 100)
    alice.hold(FOUNDING, [...common, ...chainOf(GROUP, 'left', 100, idOf(common[50]))])
    bob.hold(FOUNDING, [...common, ...chainOf(GROUP, 'right', 100, idOf(common[70]))])
    const link = connect(alice, bob, { chunkSizes: [7, 1_000] })
    let said = GROUP
    for (let i = 0; i < 30; i++) {
      const operation = candidacyOf(GROUP, `live ${i}`, [said])
      alice.say(GROUP, operation)
      said = idOf(operation)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await same(GROUP, alice, bob)
    assert.equal(bob.group(GROUP).size, 331)
    await link.close()
    assert.deepEqual(link.errors, [])
  })

  it('brings who was away what was said since, among 10,000 operations', async () => {
    using alice = new Holder('alice')
    using bob = new Holder('bob')
    const chain = chainOf(GROUP, 'x', 10_000)
    alice.hold(FOUNDING, chain)
    bob.hold(FOUNDING, chain.slice(0, 9_990))
    const back = connect(alice, bob)
    await same(GROUP, alice, bob)
    assert.equal(bob.received, 10)
    assert.ok(back.bytes < 20_000, `${back.bytes} bytes`)
    await back.close()
  })

  it('brings 10,000 operations to a late joiner, and each once though three peers have them', async () => {
    using joiner = new Holder('bob')
    using stack = new DisposableStack()
    const chain = chainOf(GROUP, 'x', 10_000)
    const holders = ['alice', 'carol', 'dan'].map((name) => stack.use(new Holder(name)))
    for (const holder of holders) holder.hold(FOUNDING, chain)
    joiner.open(GROUP)
    const links = [connect(joiner, holders[0]), connect(holders[1], joiner), connect(joiner, holders[2])]
    await same(GROUP, joiner, ...holders)
    assert.equal(joiner.received, 10_001)
    assert.deepEqual(
      holders.map(({ received }) => received),
      [0, 0, 0]
    )
    for (const link of links) await link.close()
    assert.deepEqual(
      links.flatMap(({ errors }) => errors),
      []
    )
  })

  for (const who of ['the initiator', 'the other side'] as const)
    it(`brings again what ${who} did not take, when something comes that stands on it`, async () => {
      using alice = new Holder('alice')
      using bob = new Holder('bob')
      const [keeper, sayer] = who === 'the initiator' ? [alice, bob] : [bob, alice]
      for (const each of [alice, bob]) each.hold(FOUNDING)
      const link = connect(alice, bob, { alice: { compareIntervalMs: 50 }, bob: { compareIntervalMs: 50 } })
      await link.settled()
      const refused = candidacyOf(GROUP, 'refused', [GROUP])
      keeper.refuses.add(idOf(refused))
      sayer.say(GROUP, refused)
      await until(() => keeper.refuses.size === 0, 'it was refused')
      assert.equal(keeper.group(GROUP).size, 1)
      sayer.say(GROUP, candidacyOf(GROUP, 'on top', [idOf(refused)]))
      await same(GROUP, alice, bob)
      assert.equal(keeper.group(GROUP).size, 3)
      await link.close()
      assert.deepEqual(link.errors, [])
    })

  it('does not offer again and again what the other side does not take', async () => {
    using alice = new Holder('alice')
    using bob = new Holder('bob')
    for (const each of [alice, bob]) each.hold(FOUNDING)
    const link = connect(alice, bob)
    await link.settled()
    const refused = candidacyOf(GROUP, 'refused', [GROUP])
    bob.refuses.add(idOf(refused))
    alice.say(GROUP, refused)
    for (let i = 0; i < 50; i++) alice.say(GROUP, candidacyOf(GROUP, `x${i}`, [GROUP]))
    await until(() => bob.group(GROUP).size === 51, 'all others are there')
    assert.equal(bob.received, 51)
    await link.close()
  })

  it('brings any two logs together, whatever each has', async () => {
    const pool = Array.from({ length: 40 }, (_, i) => candidacyOf(GROUP, `p${i}`, [GROUP]))
    const part = fc.uniqueArray(fc.nat(pool.length - 1))
    await fc.assert(
      fc.asyncProperty(part, part, part, async (one, other, live) => {
        using alice = new Holder('alice')
        using bob = new Holder('bob')
        alice.hold(
          FOUNDING,
          one.map((i) => pool[i])
        )
        bob.hold(
          FOUNDING,
          other.map((i) => pool[i])
        )
        const link = connect(alice, bob)
        for (const i of live) {
          const sayer = i % 2 === 0 ? alice : bob
          sayer.say(GROUP, pool[i])
          if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        await same(GROUP, alice, bob)
        assert.equal(alice.group(GROUP).size, 1 + new Set([...one, ...other, ...live]).size)
        await link.close()
        assert.deepEqual(link.errors, [])
      }),
      { numRuns: 60 }
    )
  })
})
