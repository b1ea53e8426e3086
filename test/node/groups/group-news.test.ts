// What is told of a group: each thing once, and nothing of what was known when the node began.
import assert from 'node:assert/strict'
import type { Comrade, GroupEvent } from '../../../src/index.ts'
import { type GroupState, happenings } from '../../../src/node/groups/group-news.ts'
import { Homes } from '../../support/node.ts'
import { until } from '../../support/network.ts'

const EMPTY: GroupState = { members: [], candidates: [], motions: [] }
const ANA = { did: 'did:key:ana', name: 'Ana' }
const ASKING = { ...ANA, motion: 'm', vouches: 0, needed: 1 }
const MOTION = { motion: 'm', kind: 'rule' as const, rule: 'log2', ballots: 1, needed: 2, ring: 3, isCarried: false }

describe('the news of a group', function () {
  this.timeout(30_000)

  it('of a log that has just arrived are that it has', () => {
    assert.deepEqual(happenings(undefined, { ...EMPTY, members: [ANA] }), [{ kind: 'arrived' }])
  })

  it('tell who asks, how often they were vouched for, who joined and who is gone', () => {
    const kinds = (before: GroupState, after: GroupState): unknown[] =>
      happenings(before, after).map(({ kind, did, count }) => [kind, did, count])
    assert.deepEqual(kinds(EMPTY, { ...EMPTY, candidates: [ASKING] }), [['candidate', ANA.did, 0]])
    const vouched = { ...EMPTY, candidates: [{ ...ASKING, vouches: 1 }] }
    assert.deepEqual(kinds({ ...EMPTY, candidates: [ASKING] }, vouched), [['vouched', ANA.did, 1]])
    assert.deepEqual(kinds(vouched, { ...EMPTY, members: [ANA] }), [['joined', ANA.did, undefined]])
    assert.deepEqual(kinds({ ...EMPTY, members: [ANA] }, EMPTY), [['gone', ANA.did, undefined]])
    assert.deepEqual(kinds(vouched, vouched), [])
  })

  it('tell what is voted about, and what was carried, once', () => {
    const kinds = (before: GroupState, after: GroupState): unknown[] =>
      happenings(before, after).map(({ kind }) => kind)
    const open = { ...EMPTY, motions: [MOTION] }
    const carried = { ...EMPTY, motions: [{ ...MOTION, ballots: 2, isCarried: true }] }
    assert.deepEqual(kinds(EMPTY, open), ['motion'])
    assert.deepEqual(kinds(open, { ...EMPTY, motions: [{ ...MOTION, ballots: 2 }] }), ['voted'])
    assert.deepEqual(kinds(open, carried), ['carried'])
    assert.deepEqual(kinds(EMPTY, carried), ['carried'])
    assert.deepEqual(kinds(carried, carried), [])
  })

  it('tell who carries for the others, and that nobody does', () => {
    const carried = { ...EMPTY, representative: ANA }
    const told = { kind: 'representative', did: ANA.did, person: ANA.name }
    assert.deepEqual(happenings(EMPTY, carried), [told])
    assert.deepEqual(happenings(carried, carried), [])
    assert.deepEqual(happenings(carried, EMPTY), [{ kind: 'representative', did: undefined, person: undefined }])
  })

  it('are events of the node; what was there when it began is none', async () => {
    await using homes = new Homes()
    const first = await homes.start('alice')
    const heard: GroupEvent[] = []
    const listen = (node: Comrade): void =>
      node.addEventListener('group', ({ detail }) => {
        if (detail.kind !== 'representative') heard.push(detail)
      })
    listen(first)
    const group = await first.groups.create({ name: 'portland' })
    await until(() => heard.length === 1)
    await group.propose((await homes.start('bob')).identity.did)
    await until(() => heard.length === 2)
    assert.deepEqual(
      heard.map(({ kind, name, group: id }) => [kind, name, id]),
      [
        ['arrived', 'portland', group.id],
        ['candidate', 'portland', group.id]
      ]
    )
    await first.stop()
    const second = await homes.start('alice')
    listen(second)
    await (await second.groups.get('portland')).rule('log2')
    await until(() => heard.length > 2)
    assert.deepEqual(heard[2].rule, 'log2')
  })
})
