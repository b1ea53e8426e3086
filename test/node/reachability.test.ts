import assert from 'node:assert/strict'
import { checkReach, explainDial, type PersonReach, type Reach } from '../../src/node/reachability.ts'
import { befriend, Homes } from '../support/node.ts'
import { until } from '../support/processes.ts'

const REACH: Reach = {
  addresses: { all: 1, public: 0, relayed: 0 },
  isReached: false,
  observed: [],
  relays: [],
  relay: { waiting: 0, relayed: 0, bytes: 0, bytesPerHour: 100 },
  people: []
}

function detailOf(reach: Partial<Reach>, name: string): string {
  return checkReach({ ...REACH, ...reach }, 0).find(({ check }) => check === name)!.detail
}

describe('reachability', () => {
  it('says whether this node can be reached from outside, and how', () => {
    assert.match(detailOf({}, 'reachable'), /only the local network/)
    assert.match(detailOf({ isReached: true }, 'reachable'), /has connected/)
    assert.match(detailOf({ relays: ['Carol', 'Dave'] }, 'reachable'), /through Carol and Dave/)
    assert.match(detailOf({ addresses: { all: 2, public: 1, relayed: 0 } }, 'reachable'), /nobody has used one yet/)
    assert.match(detailOf({ observed: ['/ip4/5.5.5.5/tcp/7'] }, 'reachable'), /see this node at \/ip4\/5\.5\.5\.5/)
    assert.match(detailOf({ relay: undefined }, 'relay'), /as configured/)
  })

  it('says in plain words why somebody cannot be reached, and what to do', () => {
    const reasons: [error: unknown, reason: RegExp][] = [
      [new Error('connection error 127.0.0.1:9: connect ECONNREFUSED 127.0.0.1:9'), /no node listens there/],
      [new AggregateError([new Error('connect ENETUNREACH 10.0.0.1:4')], 'All multiaddr dials failed'), /no way to/],
      [new Error('The connection gater denied all addresses in the dial request'), /only private addresses/],
      [new Error('failed to connect via relay with status NO_RESERVATION'), /passes connections on/],
      [new DOMException('The operation was aborted due to timeout', 'TimeoutError'), /nobody answers/],
      [undefined, /not tried yet/],
      [new Error('\u001b[2Jnever heard of'), /^Error: [^\u001b]*never heard of$/]
    ]
    for (const [error, reason] of reasons) {
      assert.match(explainDial(error).reason.text, reason)
      assert.ok(explainDial(error).advice.text.length > 0)
    }
  })

  it('names at most fifty who are away, and calls nothing wrong that is none of this node', () => {
    const person = (i: number): PersonReach => ({ name: `p${i}\u202e`, connection: 'none', addresses: i })
    const checks = checkReach({ ...REACH, people: Array.from({ length: 60 }, (_, i) => person(i)) }, 0)
    const away = checks.filter(({ check }) => check === 'contact')
    assert.equal(away.length, 51)
    assert.match(away[50].detail, /10 more/)
    assert.match(away[0].detail, /no address is known; never reached/)
    assert.ok(!away[0].detail.includes('\u202e'))
    assert.ok(checks.every(({ ok }) => ok))
  })

  it('is told by the doctor of a running node', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice')
    const bob = await homes.start('bob')
    await befriend(alice, bob)
    const find = async (name: string): Promise<string | undefined> =>
      (await alice.doctor()).find(({ check }) => check === name)?.detail
    assert.match((await find('contacts'))!, /connected with 1 of 1 people/)
    assert.equal(await find('contact'), undefined)
    await bob.stop()
    await until(
      async () => /no node listens there; last reached .*; tried again in/.test((await find('contact')) ?? ''),
      'bob is away'
    )
  })
})
