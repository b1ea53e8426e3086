import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Candidature, elect, FULL_MESH, neighbours } from '../../src/groups/index.ts'
import { sha256 } from '../../src/feeds/index.ts'

const TERM = sha256(Buffer.from('term'))
const keyOf = (name: string | number): string => Buffer.from(sha256(Buffer.from(`member ${name}`))).toString('hex')

/** What members say when these are connected. */
function saidOf(edges: readonly (readonly [string, string])[], members: readonly string[] = []): Candidature[] {
  const names = new Set([...edges.flat(), ...members])
  return [...names].map((name) => ({
    member: keyOf(name),
    links: edges.flatMap(([a, b]) => (a === name ? [keyOf(b)] : b === name ? [keyOf(a)] : [])),
    serves: true
  }))
}

/** Random connections among n members, and an order in which what they say arrives. */
const graphs = fc.integer({ min: 1, max: 12 }).chain((n) =>
  fc.record({
    n: fc.constant(n),
    edges: fc.array(fc.tuple(fc.integer({ min: 0, max: n - 1 }), fc.integer({ min: 0, max: n - 1 })), {
      maxLength: 40
    }),
    order: fc.infiniteStream(fc.nat())
  })
)

describe('the election of a representative', () => {
  it('is for who is connected with most, then for the lower hash; whoever follows is in the same order', () => {
    const said = saidOf([
      ['a', 'b'],
      ['a', 'c'],
      ['a', 'd'],
      ['b', 'c']
    ])
    const order = elect(TERM, said, keyOf('d'))
    assert.deepEqual(order.slice(0, 1), [keyOf('a')])
    assert.deepEqual(new Set(order.slice(1, 3)), new Set([keyOf('b'), keyOf('c')]))
    assert.equal(order[3], keyOf('d'))
    const later = elect(sha256(Buffer.from('another term')), said, keyOf('d'))
    assert.deepEqual(later.toSorted(), order.toSorted())
  })

  it('counts a connection only when both ends name it: a fake-degree representative is none', () => {
    const honest = saidOf([
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'd']
    ])
    const fake = { member: keyOf('d'), links: ['a', 'b', 'c', 'x', 'y', 'z', 'd'].map(keyOf), serves: true }
    const said = [...honest.filter(({ member }) => member !== fake.member), fake]
    const order = elect(TERM, said, keyOf('a'))
    assert.notEqual(order[0], fake.member)
    assert.deepEqual(order, elect(TERM, honest, keyOf('a')))
  })

  it('is not for who does not serve, and says nothing where nobody does', () => {
    const said = saidOf([
      ['a', 'b'],
      ['a', 'c']
    ])
    said[0].serves = false
    assert.ok(!elect(TERM, said, keyOf('b')).includes(keyOf('a')))
    for (const word of said) word.serves = false
    assert.deepEqual(elect(TERM, said, keyOf('b')), [])
    assert.deepEqual(elect(TERM, [], keyOf('b')), [])
  })

  it('gives the same order to everybody of a part, in whatever order words arrive', () => {
    fc.assert(
      fc.property(graphs, ({ n, edges, order }) => {
        const said = saidOf(
          edges.map(([a, b]) => [String(a), String(b)]),
          Array.from({ length: n }, (_, i) => String(i))
        )
        const shuffled = said
          .map((word) => ({ word, at: order.next().value }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ word }) => word)
        for (const { member } of said) {
          const mine = elect(TERM, said, member)
          assert.ok(mine.includes(member))
          assert.deepEqual(elect(TERM, shuffled, member), mine)
          for (const other of mine) assert.deepEqual(elect(TERM, shuffled, other), mine)
        }
      })
    )
  })

  it('follows a lost representative by the next, and a split heals to one', () => {
    const whole = saidOf([
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'c'],
      ['c', 'd'],
      ['d', 'e'],
      ['e', 'f'],
      ['d', 'f']
    ])
    const parts = whole.map(({ member, links, serves }) => {
      const isCut = (other: string): boolean =>
        new Set([member, other]).isSubsetOf(new Set([keyOf('c'), keyOf('d')])) && member !== other
      return { member, links: links.filter((other) => !isCut(other)), serves }
    })
    const [left, right] = [elect(TERM, parts, keyOf('a')), elect(TERM, parts, keyOf('f'))]
    assert.equal(left.length, 3)
    assert.equal(right.length, 3)
    assert.notEqual(left[0], right[0])
    const healed = elect(TERM, whole, keyOf('a'))
    assert.equal(healed.length, 6)
    assert.deepEqual(elect(TERM, whole, keyOf('f')), healed)
    const [lost] = healed
    const without = whole.map(({ member, links, serves }) => ({
      member,
      links: links.filter((other) => other !== lost),
      serves
    }))
    for (const { member } of without) assert.notEqual(elect(TERM, without, member)[0], member === lost ? '' : lost)
  })
})

describe("a group's neighbours", () => {
  const membersOf = (n: number): string[] => Array.from({ length: n }, (_, i) => keyOf(i))

  it('are all others in a small group', () => {
    const members = membersOf(FULL_MESH)
    assert.equal(neighbours(keyOf('group'), members, members[3]).size, FULL_MESH - 1)
    assert.deepEqual(neighbours(keyOf('group'), [members[0]], members[0]), new Set())
  })

  it('are few in a large one, hold it together also when a third is gone, and have the representative among them', () => {
    const members = membersOf(200)
    const chosen = new Map(members.map((member) => [member, neighbours(keyOf('group'), members, member, [members[7]])]))
    const degrees = members.map((member) => members.filter((other) => isEdge(chosen, member, other)).length)
    const others = degrees.filter((_, i) => i !== 7)
    assert.ok(Math.max(...others) <= 24, `at most ${Math.max(...others)}`)
    for (const [member, near] of chosen) assert.ok(member === members[7] || near.has(members[7]))
    const left = members.filter((_, i) => i % 3 !== 0 && i !== 7)
    const found = new Set([left[0]])
    for (const member of found) for (const other of left) if (isEdge(chosen, member, other)) found.add(other)
    assert.equal(found.size, left.length)
  })
})

function isEdge(chosen: ReadonlyMap<string, ReadonlySet<string>>, a: string, b: string): boolean {
  return chosen.get(a)!.has(b) || chosen.get(b)!.has(a)
}
