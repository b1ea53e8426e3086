import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { candidacyOf, chainOf, connect, foundingOf, Holder, idOf, same } from './replicas.ts'

const FOUNDING = foundingOf('portland')
const GROUP = idOf(FOUNDING)
const NAMES = ['alice', 'bob', 'carol', 'dan', 'erin']

type Link = ReturnType<typeof connect>

/** What happens: somebody says something on top of all they know, two are connected, or a connection is cut. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('say' as const), by: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('link' as const), by: fc.nat(4), to: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), by: fc.nat(4), to: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const) }) }
)

/** Of a connection, whoever made it. */
const nameOf = (one: number, other: number): string => `${Math.min(one, other)} ${Math.max(one, other)}`

describe('group sessions among several', function () {
  this.timeout(120_000)

  it('end with the same log everywhere, whoever was connected with whom when', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 300 })),
        async (steps, chunkSizes) => {
          using stack = new DisposableStack()
          const holders = NAMES.map((name) => stack.use(new Holder(name)))
          const links = new Map<string, Link>()
          holders[0].hold(FOUNDING)
          for (const holder of holders.slice(1)) holder.open(GROUP)
          const link = (by: number, to: number): void => {
            const name = nameOf(by, to)
            if (by !== to && !links.has(name)) links.set(name, connect(holders[by], holders[to], { chunkSizes }))
          }
          let said = 1
          for (const each of steps) {
            if (each.kind === 'link') link(each.by, each.to)
            else if (each.kind === 'wait') await new Promise((resolve) => setTimeout(resolve, 2))
            else if (each.kind === 'cut') {
              const name = nameOf(each.by, each.to)
              await links.get(name)?.close()
              links.delete(name)
            } else {
              const heads = holders[each.by].group(GROUP).evaluator?.heads()
              if (heads !== undefined) holders[each.by].say(GROUP, candidacyOf(GROUP, `${said++}`, heads))
            }
          }
          for (let i = 1; i < NAMES.length; i++) link(i - 1, i)
          await same(GROUP, ...holders)
          assert.equal(holders[4].group(GROUP).size, said)
          for (const each of links.values()) await each.close()
          assert.deepEqual(
            [...links.values()].flatMap(({ errors }) => errors),
            []
          )
        }
      ),
      { numRuns: 40 }
    )
  })

  it('bring two halves of thousands together, over a stream that takes little at a time', async () => {
    using alice = new Holder('alice')
    using bob = new Holder('bob')
    const [left, right] = ['left', 'right'].map((name) => chainOf(GROUP, name, 1_500))
    alice.hold(FOUNDING, left)
    bob.hold(FOUNDING, right)
    const link = connect(alice, bob, { chunkSizes: [1_000, 10, 3_000] })
    await same(GROUP, alice, bob)
    assert.deepEqual([alice.group(GROUP).size, alice.received, bob.received], [3_001, 1_500, 1_500])
    await link.close()
    assert.deepEqual(link.errors, [])
  })

  it('spread what one says to thirty in a ring, each hearing it at most twice', async () => {
    using stack = new DisposableStack()
    const holders = Array.from({ length: 30 }, (_, i) => stack.use(new Holder(`member ${i}`)))
    for (const holder of holders) holder.hold(FOUNDING)
    const links = holders.map((holder, i) => connect(holder, holders[(i + 1) % holders.length]))
    for (const link of links) await link.settled()
    holders[0].say(GROUP, candidacyOf(GROUP, 'news', [GROUP]))
    await same(GROUP, ...holders)
    assert.ok(holders.every(({ received }) => received <= 2))
    for (const link of links) await link.close()
  })
})
