import assert from 'node:assert/strict'
import { explain, ready } from '../../src/groups/index.ts'
import { FIRST_DAY, personOf, Village } from './village.ts'

const NAMES = ['alice', 'bob', 'carol', 'dan', 'xia', 'yan', 'zoe']
const nameOf = (identity: string): string => NAMES.find((name) => personOf(name).identity === identity) ?? 'somebody'
const about = (village: Village, name: string, evaluator = village.evaluator): string[] =>
  explain(evaluator, personOf(name).root, nameOf).map(({ text }) => text)

describe('the explanation of a group', () => {
  before(ready)

  it('says how somebody came in, and how many vouches are surely by present members', () => {
    const village = new Village(['alice', 'bob', 'carol', 'dan'])
    village.admit('zoe', ['alice', 'bob', 'carol'])
    village.expel('dan', ['alice', 'bob', 'carol'])
    assert.deepEqual(about(village, 'zoe'), [
      'alice proposed zoe: 3 of 2 vouches that it takes, by a ring of 4, in which nobody is hidden.',
      'zoe joined, vouched for 3 times (2 needed), at least 2 of them by who is a member now.',
      'zoe is a member.'
    ])
    assert.deepEqual(about(village, 'dan'), [
      'dan founded the group.',
      'dan was expelled by 3 of 5 ballots.',
      'dan is not a member.'
    ])
    assert.deepEqual(about(village, 'yan'), ['yan is not a member.'])
  })

  it('says why a joining does not count', () => {
    const village = new Village(['alice', 'bob', 'carol', 'dan'])
    village.expel('bob', ['alice', 'carol', 'dan'], { on: [village.id] })
    village.admit('zoe', ['alice', 'bob'], { on: [village.id] })
    village.admit('yan', ['alice'], { on: [village.id], slot: 1 })
    assert.match(
      about(village, 'zoe')[1],
      /2 vouches, and up to 1 of them by people who do not count for it, and 2 are needed/
    )
    assert.match(about(village, 'yan')[1], /A join of yan does not count: it has 1 of 2 vouches by different members\./)
  })

  it('says what came too late', () => {
    const village = new Village(['alice', 'bob', 'carol'])
    village.finalise(['alice', 'bob', 'carol'], FIRST_DAY + 1)
    village.signed('carol', 'leave', {}, { on: [village.id] })
    assert.deepEqual(about(village, 'carol'), [
      'carol founded the group.',
      'A leave of carol does not count: it did not reach the others before a checkpoint that is final now.',
      'carol is a member.'
    ])
  })

  it('is the same in whatever order things were heard', () => {
    const village = new Village(['alice', 'bob', 'carol', 'dan'])
    village.admit('zoe', ['alice', 'bob'], { on: [village.id] })
    village.admit('yan', ['carol', 'dan'], { on: [village.id] })
    village.expel('zoe', ['alice', 'carol', 'dan', 'yan'])
    village.admit('zoe', ['alice', 'bob'], { on: village.heads(), slot: 1, time: 2 })
    const backwards = village.evaluatorOf(village.operations.toReversed())
    for (const name of NAMES) assert.deepEqual(about(village, name), about(village, name, backwards))
  })
})
