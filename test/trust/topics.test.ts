import assert from 'node:assert/strict'
import { topicName, topicSecret } from '../../src/feeds/index.ts'
import { signingKey } from '../../src/feeds/signature.ts'
import { openDatabase, transaction } from '../../src/feeds/store/database.ts'
import { Contacts } from '../../src/trust/contacts.ts'
import { GREETING_LIFE_MS } from '../../src/trust/greetings.ts'
import { MAX_NEW_NAMES, MAX_SHARED_FOLLOWS, NEW_NAMES_PER_DAY } from '../../src/trust/shared-follows.ts'

const keyOf = (name: string) => signingKey(Buffer.alloc(32, name)).publicKey
const [self, ana, bob, eve, device] = ['self', 'ana', 'bob', 'eve', 'device'].map(keyOf)
const secretOf = (byte: number) => new Uint8Array(32).fill(byte)

function setup() {
  const database = openDatabase(':memory:')
  const contacts = new Contacts(database, {
    self,
    write: (work) => (database.isTransaction ? work() : transaction(database, work))
  })
  return { contacts, [Symbol.dispose]: () => database.close() }
}

function befriend(contacts: Contacts, key: Uint8Array): void {
  contacts.follow(key)
  contacts.setFollowsUs(key, true)
}

describe('topic secrets', () => {
  it('follow from the identity at first', () => {
    using test = setup()
    assert.deepEqual(test.contacts.topics.own, { generation: 0, secret: topicSecret(self) })
    assert.deepEqual(test.contacts.topics.of(ana), { generation: 0, secret: topicSecret(ana) })
  })

  it('change when somebody is blocked, and when a friend is no longer followed', () => {
    using test = setup()
    const { contacts } = test
    const generation = () => contacts.topics.own.generation
    befriend(contacts, ana)
    contacts.follow(bob)
    contacts.unfollow(bob) // who only was followed knows nothing that is not public
    assert.equal(generation(), 0)
    contacts.unfollow(ana)
    assert.equal(generation(), 1)
    contacts.block(eve) // a stranger was not told this one
    assert.equal(generation(), 1)
    contacts.follow(bob)
    contacts.block(bob)
    assert.equal(generation(), 2)
    contacts.unblock(bob)
    assert.equal(generation(), 2)
  })

  it('change at the first block of anybody: what follows from the identity is known to all', () => {
    using test = setup()
    test.contacts.block(eve)
    assert.equal(test.contacts.topics.own.generation, 1)
    assert.notDeepEqual(test.contacts.topics.own.secret, topicSecret(self))
    assert.deepEqual(
      test.contacts.queue.list(10).map(({ name }) => name.split('/')[0]),
      ['contact', 'self']
    )
  })

  it('never go back, and of two of one generation all come to the same', () => {
    using test = setup()
    const { topics } = test.contacts
    assert.equal(topics.learn(ana, { generation: 2, secret: secretOf(5) }), true)
    assert.equal(topics.learn(ana, { generation: 1, secret: secretOf(9) }), false)
    assert.equal(topics.learn(ana, { generation: 2, secret: secretOf(4) }), false)
    assert.equal(topics.learn(ana, { generation: 2, secret: secretOf(6) }), true)
    assert.equal(topics.learn(ana, { generation: 2, secret: secretOf(6) }), false)
    assert.deepEqual(topics.of(ana), { generation: 2, secret: secretOf(6) })
  })

  it('cannot be brought to an end by a generation after which there is none', () => {
    using test = setup()
    const { topics } = test.contacts
    for (const identity of [self, ana]) {
      assert.equal(topics.learn(identity, { generation: 0xffff_ffff, secret: secretOf(1) }), false)
      assert.equal(topics.learn(identity, { generation: 300, secret: secretOf(2) }), true)
    }
    topics.rotate()
    assert.equal(topics.own.generation, 301)
  })

  it('are not taken from what has another form', () => {
    using test = setup()
    const { topics } = test.contacts
    for (const told of [
      { generation: 0, secret: secretOf(1) },
      { generation: -1, secret: secretOf(1) },
      { generation: 1.5, secret: secretOf(1) },
      { generation: 2 ** 32, secret: secretOf(1) },
      { generation: 1, secret: new Uint8Array(31) },
      { generation: 1, secret: 'secret' },
      { generation: undefined, secret: undefined }
    ])
      assert.equal(topics.learn(ana, told), false)
    assert.equal(topics.of(ana).generation, 0)
  })

  it('give every feed and every month a topic of its own', () => {
    const months = ['2026-01-31T23:59:59Z', '2026-02-01T00:00:00Z'].map((time) => Date.parse(time))
    const names = [ana, bob].flatMap((feed) => months.map((month) => topicName(secretOf(1), feed, month)))
    assert.equal(new Set(names).size, 4)
  })
})

describe('greetings', () => {
  it('are news once, and again after a day or when they changed', () => {
    using test = setup()
    const { greetings } = test.contacts
    const [hello, other] = [Buffer.from('hello'), Buffer.from('other')]
    assert.equal(greetings.isNews(device, hello, true, 0), false)
    assert.equal(greetings.isNews(device, hello, false, 0), true)
    greetings.note(device, ana, hello, 0)
    assert.equal(greetings.isNews(device, hello, false, 1), false)
    assert.equal(greetings.isNews(device, other, false, 1), true)
    assert.equal(greetings.isNews(device, other, true, 1), true) // that there is nothing any more is news, too
    assert.equal(greetings.isNews(device, hello, false, GREETING_LIFE_MS + 1), true)
    greetings.begin(device, ana) // and whether it heard is not known
    for (const isNothing of [true, false]) assert.equal(greetings.isNews(device, hello, isNothing, 1), true)
    greetings.forget(ana)
    assert.equal(greetings.isNews(device, hello, false, 1), true)
  })
})

/** Keys that nobody has. */
function namesFrom(first: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => {
    const key = Buffer.alloc(32)
    key.writeUInt32BE(first + i)
    return key
  })
}

describe('follows that friends share', () => {
  it('count as long as the one who shares them is a friend', () => {
    using test = setup()
    const { contacts } = test
    befriend(contacts, ana)
    assert.equal(contacts.shared.set(ana, [bob, eve, self, ana, bob]), true)
    assert.equal(contacts.shared.set(ana, [eve, bob]), false)
    assert.deepEqual(contacts.shared.friendsOf(bob), [ana])
    assert.equal(contacts.shared.list().length, 2)
    contacts.setFollowsUs(ana, false)
    assert.deepEqual(contacts.shared.friendsOf(bob), [])
    assert.deepEqual(contacts.shared.list(), [])
    contacts.setFollowsUs(ana, true)
    assert.equal(contacts.shared.list().length, 2)
    contacts.unfollow(ana)
    befriend(contacts, ana)
    assert.deepEqual(contacts.shared.list(), [])
  })

  it('name nobody who is followed or blocked', () => {
    using test = setup()
    const { contacts } = test
    befriend(contacts, ana)
    contacts.shared.set(ana, [bob, eve])
    contacts.follow(bob)
    contacts.block(eve)
    assert.deepEqual(contacts.shared.list(), [])
  })

  it('are cut at what one friend may name, and end when the list is empty', () => {
    using test = setup()
    const { contacts } = test
    befriend(contacts, ana)
    contacts.shared.set(ana, namesFrom(1, MAX_SHARED_FOLLOWS + 10))
    assert.equal(contacts.shared.list().length, MAX_SHARED_FOLLOWS)
    contacts.shared.set(ana, [])
    assert.deepEqual(contacts.shared.list(), [])
  })

  it('bring so many new names a day, however often the list is another one: the store knows each for good', () => {
    using test = setup()
    const { contacts } = test
    befriend(contacts, ana)
    const seen = new Set<string>()
    let next = 1
    const share = (nowMs: number): void => {
      contacts.shared.set(ana, namesFrom(next, MAX_SHARED_FOLLOWS), nowMs)
      next += MAX_SHARED_FOLLOWS
      for (const { person } of contacts.shared.list()) seen.add(Buffer.from(person).toString('hex'))
    }
    for (let i = 0; i < 6; i++) share(0)
    assert.equal(seen.size, MAX_NEW_NAMES)
    for (let hour = 1; hour <= 24; hour += 4) share(hour * 3_600_000)
    assert.ok(seen.size <= MAX_NEW_NAMES + NEW_NAMES_PER_DAY)
    assert.ok(seen.size >= MAX_NEW_NAMES + NEW_NAMES_PER_DAY / 2)
  })

  it('may be a whole list again a day later, and are counted for each friend alone', () => {
    using test = setup()
    const { contacts } = test
    for (const friend of [ana, bob]) befriend(contacts, friend)
    for (let i = 0; i < 5; i++) contacts.shared.set(ana, namesFrom(1 + i * MAX_SHARED_FOLLOWS, MAX_SHARED_FOLLOWS), 0)
    assert.equal(contacts.shared.list().length, 0)
    contacts.shared.set(ana, namesFrom(1, MAX_SHARED_FOLLOWS), 86_400_000)
    contacts.shared.set(bob, namesFrom(100_000, MAX_SHARED_FOLLOWS), 0)
    assert.equal(contacts.shared.list().length, 2 * MAX_SHARED_FOLLOWS)
  })
})
