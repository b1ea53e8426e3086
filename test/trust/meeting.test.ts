import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { generateSeed, signingKey } from '../../src/feeds/signature.ts'
import { FeedStore } from '../../src/feeds/index.ts'
import {
  MAX_REQUESTS,
  MAX_REQUESTS_PER_PEER,
  MAX_STRANGERS_PER_MINUTE,
  REQUEST_LIFE_MS
} from '../../src/trust/acquaintances.ts'
import { Contacts } from '../../src/trust/contacts.ts'
import { MAX_INTRODUCTIONS_PER_DAY } from '../../src/trust/introductions.ts'
import { inviteId, inviteProof, isInviteProof } from '../../src/trust/invites.ts'

const keyOf = (name: string) => signingKey(Buffer.alloc(32, name)).publicKey
const [self, ana, bob, eve] = ['self', 'ana', 'bob', 'eve'].map(keyOf)
const stranger = () => signingKey(generateSeed()).publicKey
const NOW = 1_800_000_000_000
const DAY = 86_400_000

/** Contacts in memory, closed by `using`. */
function setup() {
  const store = FeedStore.open(':memory:')
  const prepared: string[] = []
  const prepare = store.database.prepare.bind(store.database)
  store.database.prepare = (sql) => {
    prepared.push(sql)
    return prepare(sql)
  }
  const contacts = new Contacts(store.database, { self, write: (work, options) => store.write(work, options) })
  return { contacts, ...contacts, prepared, [Symbol.dispose]: () => store.close() }
}

describe('invites', () => {
  it('are used by one, who may come again, also when their time is over', () => {
    using test = setup()
    const { invites } = test
    const id = inviteId(invites.create({ expiresMs: NOW + DAY }, NOW))
    assert.equal(invites.use(id, ana, undefined, NOW), 'first')
    assert.equal(invites.use(id, bob, undefined, NOW), 'used')
    assert.equal(invites.use(id, ana, undefined, NOW + 2 * DAY), 'again')
    assert.equal(invites.use(id, bob, undefined, NOW + 2 * DAY), 'used')
    assert.deepEqual(Buffer.from(invites.find(id)!.usedBy!), Buffer.from(ana))
  })

  it('end at their time, and are not found by a wrong id', () => {
    using test = setup()
    const id = inviteId(test.invites.create({ expiresMs: NOW + DAY }, NOW))
    assert.equal(test.invites.use(id, ana, undefined, NOW + DAY), 'expired')
    assert.equal(test.invites.use(randomBytes(16), ana, undefined, NOW), undefined)
    assert.equal(test.invites.find(id)!.usedBy, undefined)
  })

  it('are forgotten a month after their end', () => {
    using test = setup()
    const id = inviteId(test.invites.create({ expiresMs: NOW }, NOW))
    test.invites.create({ expiresMs: NOW + 31 * DAY }, NOW + 29 * DAY)
    assert.ok(test.invites.find(id) !== undefined)
    test.invites.create({ expiresMs: NOW + 62 * DAY }, NOW + 31 * DAY)
    assert.equal(test.invites.find(id), undefined)
  })

  it('are not used when what goes with it fails', () => {
    using test = setup()
    const id = inviteId(test.invites.create({ expiresMs: NOW + DAY }, NOW))
    assert.throws(() =>
      test.invites.use(
        id,
        ana,
        () => {
          throw new Error('the disk is full')
        },
        NOW
      )
    )
    assert.equal(test.invites.use(id, bob, undefined, NOW), 'first')
  })

  it('have one winner, whoever comes how often and in which order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ who: fc.integer({ min: 0, max: 5 }), at: fc.integer({ min: 0, max: 20 }) })),
        (visits) => {
          using test = setup()
          const id = inviteId(test.invites.create({ expiresMs: NOW + 10 }, NOW))
          const people = Array.from({ length: 6 }, (_, i) => keyOf(String(i)))
          const won = new Set<number>()
          let firsts = 0
          for (const { who, at } of visits) {
            const use = test.invites.use(id, people[who], undefined, NOW + at)
            if (use === 'first') firsts++
            if (use === 'first' || use === 'again') won.add(who)
          }
          assert.ok(won.size <= 1 && firsts <= 1)
          assert.equal(won.size === 1, firsts === 1)
        }
      )
    )
  })

  it('are proven only with all of the secret, the two peers and the key as they were', () => {
    const parts = { asker: randomBytes(38), inviter: randomBytes(38), key: ana }
    const secret = randomBytes(16)
    const proof = inviteProof('meet', secret, parts)
    assert.ok(isInviteProof('meet', secret, proof, parts))
    assert.ok(!isInviteProof('device', secret, proof, parts))
    assert.ok(!isInviteProof('meet', randomBytes(16), proof, parts))
    assert.ok(!isInviteProof('meet', secret, proof.subarray(1), parts))
    assert.ok(!isInviteProof('meet', secret, proof, { ...parts, asker: randomBytes(38) }))
    assert.ok(!isInviteProof('meet', secret, proof, { ...parts, inviter: randomBytes(38) }))
    assert.ok(!isInviteProof('meet', secret, proof, { ...parts, key: bob }))
  })
})

const request = (person: Uint8Array, peer = 'peer') => ({
  person,
  name: 'n',
  peer,
  addresses: ['/ip4/192.0.2.1/tcp/1']
})

describe('acquaintances', () => {
  it('list who asks and who was asked, newest first, until a month is over', () => {
    using test = setup()
    const { acquaintances } = test
    assert.ok(acquaintances.noteAsks(request(ana), false, NOW))
    acquaintances.ask(bob, NOW + 1)
    assert.deepEqual(
      acquaintances.pending(NOW + 2).map(({ state }) => state),
      ['asked', 'asks']
    )
    assert.deepEqual(acquaintances.pending(NOW + REQUEST_LIFE_MS + 2), [])
    assert.equal(acquaintances.of(ana, NOW + REQUEST_LIFE_MS), undefined)
  })

  it('tell a request once, and where it may be answered now', () => {
    using test = setup()
    const { acquaintances } = test
    assert.ok(acquaintances.noteAsks(request(ana), false, NOW))
    assert.ok(!acquaintances.noteAsks({ ...request(ana, 'other peer'), addresses: ['/memory/b'] }, false, NOW + 1))
    const { peer, addresses, timeMs } = acquaintances.of(ana, NOW + 1)!
    assert.deepEqual({ peer, addresses, timeMs }, { peer: 'other peer', addresses: ['/memory/b'], timeMs: NOW })
  })

  it('do not list again who was declined, before a month is over', () => {
    using test = setup()
    const { acquaintances } = test
    acquaintances.noteAsks(request(ana), false, NOW)
    acquaintances.decline(ana, NOW)
    assert.ok(!acquaintances.noteAsks(request(ana), true, NOW + DAY))
    assert.deepEqual(acquaintances.pending(NOW + DAY), [])
    assert.ok(acquaintances.noteAsks(request(ana), false, NOW + 31 * DAY))
  })

  it('forget who is blocked, also when one has asked oneself', () => {
    using test = setup()
    const { contacts, acquaintances } = test
    acquaintances.noteAsks(request(ana), false, NOW)
    acquaintances.ask(bob, NOW)
    for (const person of [ana, bob]) contacts.block(person)
    assert.deepEqual(acquaintances.pending(NOW), [])
    for (const person of [ana, bob]) contacts.unblock(person)
    assert.deepEqual(acquaintances.pending(NOW), [])
    assert.equal(acquaintances.of(bob, NOW), undefined)
  })

  it('take five new requests of a peer in a day', () => {
    using test = setup()
    const take = (at: number) => test.acquaintances.noteAsks(request(stranger(), 'mallory'), false, at)
    const taken = Array.from({ length: 1_000 }, (_, i) => take(NOW + i)).filter(Boolean)
    assert.equal(taken.length, MAX_REQUESTS_PER_PEER)
    assert.ok(test.acquaintances.noteAsks(request(ana, 'another'), false, NOW + 1_000))
    assert.ok(take(NOW + DAY + 1_000))
  })

  it('take twenty strangers in a minute, two hundred in all, and whom contacts know before them', () => {
    using test = setup()
    const { acquaintances } = test
    const take = (i: number, at: number, isKnown = false) =>
      acquaintances.noteAsks(request(stranger(), `peer ${i}`), isKnown, at)
    const minute = Array.from({ length: 1_000 }, (_, i) => take(i, NOW)).filter(Boolean)
    assert.equal(minute.length, MAX_STRANGERS_PER_MINUTE)
    for (let m = 1; m <= 15; m++) for (let i = 0; i < 30; i++) take(1_000 * m + i, NOW + m * 60_000)
    assert.equal(acquaintances.pending(NOW + DAY / 2).length, MAX_REQUESTS)
    assert.ok(!take(0, NOW + DAY / 2))
    const first = acquaintances.pending(NOW + DAY / 2).at(-1)!.timeMs
    for (let i = 0; i < MAX_REQUESTS; i++) assert.ok(take(50_000 + i, NOW + DAY / 2 + i, true), `${i}`)
    const pending = acquaintances.pending(NOW + DAY)
    assert.equal(pending.length, MAX_REQUESTS)
    assert.ok(pending.every(({ timeMs }) => timeMs > first))
    assert.ok(!take(99_999, NOW + DAY, true), 'nobody goes for another one whom a contact knows')
  })
})

describe('introductions', () => {
  const introduction = (person: Uint8Array, by: Uint8Array) => ({ person, by, name: 'n', addresses: [] })

  it('count while the contact who made them is followed, and hide who is known or blocked', () => {
    using test = setup()
    const { contacts, introductions } = test
    contacts.follow(ana)
    contacts.follow(bob)
    assert.equal(introductions.add(introduction(eve, ana), NOW), 'new')
    assert.equal(introductions.add(introduction(eve, bob), NOW), 'new')
    assert.equal(introductions.add(introduction(eve, bob), NOW), 'known')
    assert.equal(introductions.of(eve, NOW).length, 2)
    contacts.block(bob)
    assert.equal(introductions.of(eve, NOW).length, 1)
    contacts.block(eve)
    assert.deepEqual(introductions.list(NOW), [])
    contacts.unblock(eve)
    assert.equal(introductions.list(NOW).length, 1)
    contacts.unfollow(ana)
    assert.deepEqual(introductions.list(NOW), [])
  })

  it('are ten a contact and day, and end after a month', () => {
    using test = setup()
    const { contacts, introductions } = test
    contacts.follow(ana)
    const made = Array.from({ length: 1_000 }, () => introductions.add(introduction(stranger(), ana), NOW))
    assert.equal(made.filter((made) => made === 'new').length, MAX_INTRODUCTIONS_PER_DAY)
    assert.equal(introductions.add(introduction(eve, ana), NOW + DAY), 'new')
    assert.equal(introductions.list(NOW + 30 * DAY).length, 1)
    assert.equal(introductions.list(NOW + 31 * DAY).length, 0)
  })
})

describe('looking up how it stands with people', () => {
  it('takes no more memory the thousandth time, since whoever is connected has it done', () => {
    using test = setup()
    const { contacts, acquaintances, introductions, prepared } = test
    contacts.follow(bob)
    const look = (nowMs: number): void => {
      acquaintances.noteAsks({ person: eve, peer: 'peer', addresses: [] }, false, nowMs)
      introductions.add({ person: ana, by: bob, addresses: [] }, nowMs)
      for (const person of [ana, eve]) assert.ok(acquaintances.of(person, nowMs) ?? introductions.of(person, nowMs))
      assert.equal(acquaintances.pending(nowMs).length + introductions.list(nowMs).length, 2)
    }
    for (let i = 0; i < 10; i++) look(NOW + i)
    const before = prepared.length
    for (let i = 10; i < 1_000; i++) look(NOW + i)
    assert.equal(prepared.length, before, prepared.at(-1))
  })
})
