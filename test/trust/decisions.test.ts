import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Body } from '../../src/feeds/index.ts'
import { signingKey } from '../../src/feeds/signature.ts'
import { openDatabase, transaction } from '../../src/feeds/store/database.ts'
import { Contacts } from '../../src/trust/contacts.ts'
import type { Place } from '../../src/trust/decisions.ts'
import { formatDid } from '../../src/trust/did.ts'

const keyOf = (byte: number) => signingKey(Buffer.alloc(32, byte)).publicKey
const self = keyOf(99)
const people = [1, 2, 3].map(keyOf)
const devices = [11, 12, 13].map(keyOf)
const names = ['ana', 'Ana', 'bob']

/** A device of the identity: its contacts, closed by `using`. */
function device() {
  const database = openDatabase(':memory:')
  const contacts = new Contacts(database, {
    self,
    write: (work) => (database.isTransaction ? work() : transaction(database, work))
  })
  return { contacts, [Symbol.dispose]: () => database.close() }
}

interface Written {
  body: Body
  place: Place
}

const stateOf = ({ contacts }: { contacts: Contacts }) =>
  people.map((key) => {
    const { relation, petname } = contacts.get(key)
    return { relation, petname }
  })

/** Takes what waits out of the queue, as the device would write it. */
function written({ contacts }: { contacts: Contacts }, feed: Uint8Array, seq: number, time: number): Written[] {
  const queued = contacts.queue.list(100)
  contacts.queue.remove(queued)
  return queued.map(({ body }, i) => ({ body, place: { feed, seq: seq + i, time } }))
}

const relations = fc.constantFrom('followed', 'blocked', 'none')
const petnames = fc.constantFrom(null, ...names)
const decision = fc.record({
  feed: fc.constantFrom(...devices),
  seq: fc.integer({ min: 1, max: 4 }),
  time: fc.integer({ min: 0, max: 5 }),
  at: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
  contact: fc.constantFrom(...people),
  relation: fc.option(relations, { nil: undefined }),
  name: fc.option(petnames, { nil: undefined })
})

/** Entries of one place are one entry: of two, only the first is possible. */
const history = fc.uniqueArray(decision, {
  maxLength: 12,
  selector: ({ feed, seq }) => `${Buffer.from(feed).toString('hex')} ${seq}`
})

type Decision = typeof decision extends fc.Arbitrary<infer T> ? T : never

const toWritten = ({ feed, seq, time, contact, ...rest }: Decision): Written => ({
  body: { type: 'contact', contact: formatDid(contact), ...rest },
  place: { feed, seq, time }
})

describe('decisions of several own devices', () => {
  it('give the same contacts in any order of arrival, however often each arrives', () => {
    fc.assert(
      fc.property(
        history.chain((all) =>
          fc.tuple(
            fc.constant(all),
            fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length, maxLength: 2 * all.length })
          )
        ),
        ([all, shuffled]) => {
          using one = device()
          using other = device()
          for (const { body, place } of all.map(toWritten)) one.contacts.applyDecision(body, place)
          for (const { body, place } of shuffled.map(toWritten)) other.contacts.applyDecision(body, place)
          assert.deepEqual(stateOf(other), stateOf(one))
        }
      ),
      { numRuns: 200 }
    )
  })

  it('count up to a revocation only, also when they are heard of before it', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 4 }), (all, last) => {
        const valid = all.filter(({ feed, seq }) => feed !== devices[0] || seq <= last).map(toWritten)
        using early = device()
        using late = device()
        for (const { body, place } of valid) early.contacts.applyDecision(body, place)
        for (const { body, place } of all.map(toWritten)) late.contacts.applyDecision(body, place)
        late.contacts.forgetDecisions(devices[0], last)
        for (const { body, place } of valid) late.contacts.applyDecision(body, place)
        assert.deepEqual(stateOf(late), stateOf(early))
      }),
      { numRuns: 200 }
    )
  })

  it('come to the same on devices that decide while they are apart', () => {
    const act = fc.tuple(
      fc.nat(1),
      fc.constantFrom(...people),
      fc.constantFrom('follow', 'unfollow', 'block', 'unblock', ...names, '')
    )
    fc.assert(
      fc.property(fc.array(act, { maxLength: 12 }), (acts) => {
        using laptop = device()
        using phone = device()
        using restored = device()
        const both = [laptop, phone]
        for (const [which, key, what] of acts) decide(both[which].contacts, key, what)
        const entries = both.flatMap((each, i) => written(each, devices[i], 1, 1_000))
        for (const each of [...both, restored])
          for (const { body, place } of entries) each.contacts.applyDecision(body, place)
        assert.deepEqual(stateOf(phone), stateOf(laptop))
        assert.deepEqual(stateOf(restored), stateOf(laptop))
      }),
      { numRuns: 200 }
    )
  })

  it('win by their time, also when the clock went back since', () => {
    using test = device()
    const { contacts } = test
    const place = { feed: devices[1], seq: 1, time: 0 }
    const future = Date.now() + 1e10
    contacts.applyDecision({ type: 'contact', contact: formatDid(people[0]), relation: 'blocked', at: future }, place)
    contacts.unblock(people[0])
    assert.equal(contacts.get(people[0]).relation, 'none')
    const [{ body }] = contacts.queue.list(1)
    assert.equal(body.at, future + 1)
  })

  it('change nothing when they are about oneself, or have another form', () => {
    using test = device()
    const { contacts } = test
    const place = { feed: devices[1], seq: 1, time: 1 }
    const contact = formatDid(people[0])
    for (const body of [
      { type: 'contact', contact: formatDid(self), relation: 'blocked' },
      { type: 'contact', contact: 'did:key:nobody', relation: 'followed' },
      { type: 'contact', contact: 7, relation: 'followed' },
      { type: 'contact', contact, relation: 'rival' },
      { type: 'contact', contact, name: '\u202Eana' },
      { type: 'post', contact, relation: 'followed' }
    ])
      assert.equal(contacts.applyDecision(body, place), false)
    assert.deepEqual(contacts.list(), [])
  })

  it('forget where somebody is reached, and what a friend shared, when another device blocks', () => {
    using test = device()
    const { contacts } = test
    const [ana, bob] = people
    contacts.follow(ana)
    contacts.setFollowsUs(ana, true)
    contacts.addresses.remember({ address: '/ip4/192.0.2.1/tcp/1', peerId: 'P', identity: ana })
    contacts.shared.set(ana, [bob])
    contacts.topics.learn(ana, { generation: 1, secret: Buffer.alloc(32, 1) })
    assert.equal(contacts.shared.friendsOf(bob).length, 1)
    const at = Date.now() + 1_000
    contacts.applyDecision(
      { type: 'contact', contact: formatDid(ana), relation: 'blocked', at },
      { feed: devices[0], seq: 9, time: at }
    )
    assert.deepEqual(contacts.addresses.of(ana), [])
    assert.deepEqual(contacts.shared.friendsOf(bob), [])
    assert.equal(contacts.topics.of(ana).generation, 0)
    assert.equal(contacts.topics.own.generation, 0) // the device that blocked changes it, and tells
  })
})

function decide(contacts: Contacts, key: Uint8Array, what: string): void {
  try {
    if (what === 'follow' || what === 'unfollow' || what === 'block' || what === 'unblock') contacts[what](key)
    else contacts.setPetname(key, what === '' ? undefined : what)
  } catch {
    // blocked, or the name is taken: then nothing is decided
  }
}
