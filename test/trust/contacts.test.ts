import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { FeedStore } from '../../src/feeds/index.ts'
import { signingKey } from '../../src/feeds/signature.ts'
import { openDatabase, transaction } from '../../src/feeds/store/database.ts'
import { Contacts, MAX_STRANGERS } from '../../src/trust/contacts.ts'
import { formatDid } from '../../src/trust/did.ts'
import type { Write } from '../../src/trust/statements.ts'
import { TrustError, type TrustErrorCode } from '../../src/trust/errors.ts'
import { wantedFeeds } from '../../src/trust/policy.ts'

const keyOf = (name: string) => signingKey(Buffer.alloc(32, name)).publicKey
const [self, ana, bob, eve] = ['self', 'ana', 'bob', 'eve'].map(keyOf)
const has = (code: TrustErrorCode) => (error: unknown) => error instanceof TrustError && error.code === code

const writeTo =
  (database: DatabaseSync): Write =>
  (work) =>
    database.isTransaction ? work() : transaction(database, work)

/** Contacts in memory, closed by `using`. */
function setup() {
  const database = openDatabase(':memory:')
  const contacts = new Contacts(database, { self, write: writeTo(database) })
  return { contacts, database, [Symbol.dispose]: () => database.close() }
}

describe('contacts', () => {
  it('follows, ends following, and follows again', () => {
    using test = setup()
    const { contacts } = test
    assert.equal(contacts.get(ana).relation, 'none')
    assert.equal(contacts.follow(ana).relation, 'followed')
    assert.equal(contacts.follow(ana).relation, 'followed')
    assert.deepEqual(
      contacts.list().map(({ did }) => did),
      [formatDid(ana)]
    )
    assert.equal(contacts.unfollow(ana).relation, 'none')
    assert.deepEqual(contacts.list(), [])
    assert.equal(contacts.follow(ana).relation, 'followed')
  })

  it('ends following and forgets addresses when somebody is blocked; unblocking does not follow again', () => {
    using test = setup()
    const { contacts } = test
    contacts.follow(eve)
    contacts.addresses.remember({ address: '/ip4/192.0.2.1/tcp/1', peerId: 'P', identity: eve })
    assert.equal(contacts.block(eve).relation, 'blocked')
    assert.deepEqual(contacts.addresses.of(eve), [])
    assert.throws(() => contacts.follow(eve), has('BLOCKED'))
    assert.equal(contacts.unfollow(eve).relation, 'blocked')
    assert.equal(contacts.unblock(eve).relation, 'none')
    assert.equal(contacts.unblock(eve).relation, 'none')
    assert.equal(contacts.follow(eve).relation, 'followed')
    assert.equal(contacts.unblock(eve).relation, 'followed')
  })

  it('calls a friend only who follows and is followed', () => {
    using test = setup()
    const { contacts } = test
    contacts.setFollowsUs(ana, true)
    assert.equal(contacts.get(ana).isFriend, false)
    assert.equal(contacts.follow(ana).isFriend, true)
    assert.equal(contacts.block(ana).isFriend, false)
    contacts.setFollowsUs(ana, false)
    contacts.unblock(ana)
    assert.equal(contacts.follow(ana).isFriend, false)
  })

  it('does not let one follow, block or name oneself', () => {
    using test = setup()
    const { contacts } = test
    for (const act of [() => contacts.follow(self), () => contacts.block(self), () => contacts.setPetname(self, 'me')])
      assert.throws(act, has('SELF'))
    contacts.setClaimed(self, { name: 'me' }, 1)
    assert.equal(contacts.find('me').relation, 'self')
    assert.deepEqual(contacts.list(), [])
  })

  it('shows the petname, else the claimed name with a tag', () => {
    using test = setup()
    const { contacts } = test
    contacts.setClaimed(ana, { name: 'Ana', about: 'hi' }, 1)
    assert.equal(contacts.get(ana).name, `Ana#${formatDid(ana).slice(-8)}`)
    assert.equal(contacts.setPetname(ana, 'sis').name, 'sis')
    assert.equal(contacts.get(ana).claimed, 'Ana')
    assert.equal(contacts.setPetname(ana, undefined).name, `Ana#${formatDid(ana).slice(-8)}`)
  })

  it('gives a petname to one person only, without case', () => {
    using test = setup()
    const { contacts } = test
    contacts.setPetname(ana, 'Sis')
    contacts.setPetname(ana, 'sis')
    assert.throws(() => contacts.setPetname(bob, 'SIS'), has('NAME_TAKEN'))
    assert.throws(() => contacts.setPetname(bob, 'ｓｉｓ'), has('NAME_TAKEN'))
    assert.throws(() => contacts.setPetname(bob, 'a\u202eb'), has('NAME'))
    contacts.setPetname(ana, 'ana')
    assert.equal(contacts.setPetname(bob, 'sis').name, 'sis')
  })

  it('keeps the newest claim, cleaned and cut, whatever was sent', () => {
    using test = setup()
    const { contacts } = test
    contacts.setClaimed(ana, { name: 'new', about: 'x'.repeat(1e5) }, 5)
    contacts.setClaimed(ana, { name: 'old' }, 4)
    assert.equal(contacts.get(ana).claimed, 'new')
    assert.equal(contacts.get(ana).about?.length, 2_048)
    contacts.setClaimed(ana, { name: '\ud800 x\n', about: 7 }, 6)
    assert.equal(contacts.get(ana).claimed, '\ufffd x')
    assert.equal(contacts.get(ana).about, undefined)
    contacts.setClaimed(ana, { name: { toString: 1 } }, 7)
    assert.equal(contacts.get(ana).claimed, undefined)
  })

  it('remembers the latest time that somebody was seen', () => {
    using test = setup()
    test.contacts.setSeen(ana, 5)
    test.contacts.setSeen(ana, 3)
    assert.equal(test.contacts.get(ana).lastSeen, 5)
  })

  it('takes any text for a claim or a search without failing otherwise than by name', () => {
    using test = setup()
    const { contacts } = test
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(1e6), (text, at) => {
        contacts.setClaimed(ana, { name: text, about: text }, at)
        try {
          contacts.find(text)
        } catch (error) {
          assert.ok(error instanceof TrustError && ['WHO_UNKNOWN', 'DID'].includes(error.code))
        }
      })
    )
  })
})

describe('finding a person', () => {
  it('goes by petname before claimed name', () => {
    using test = setup()
    const { contacts } = test
    contacts.setClaimed(eve, { name: 'ana' }, 1)
    contacts.setPetname(ana, 'ana')
    assert.deepEqual(contacts.find(' ANA ').key, ana)
  })

  it('goes by did, also of somebody never heard of', () => {
    using test = setup()
    assert.deepEqual(test.contacts.find(formatDid(bob)), { ...test.contacts.get(bob) })
    assert.throws(() => test.contacts.find('did:key:zzz'), has('DID'))
    assert.throws(() => test.contacts.find('nobody'), has('WHO_UNKNOWN'))
    assert.throws(() => test.contacts.find(''), has('WHO_UNKNOWN'))
  })

  it('goes by a claimed name that one person has, and lists the choices when several have it', () => {
    using test = setup()
    const { contacts } = test
    contacts.setClaimed(ana, { name: 'Ana' }, 1)
    assert.deepEqual(contacts.find('ana').key, ana)
    contacts.setClaimed(eve, { name: 'ANA' }, 1)
    assert.throws(
      () => contacts.find('ana'),
      (error) =>
        has('WHO_AMBIGUOUS')(error) && [ana, eve].every((key) => (error as Error).message.includes(formatDid(key)))
    )
    assert.deepEqual(contacts.find(contacts.get(eve).name).key, eve, 'by the name as it is shown')
    assert.deepEqual(contacts.find(`#${formatDid(ana).slice(-8)}`).key, ana)
  })

  it('prints nothing harmful in its errors', () => {
    using test = setup()
    const { contacts } = test
    for (const key of [ana, eve]) contacts.setClaimed(key, { name: 'a\u001b[2J' }, 1)
    assert.throws(
      () => contacts.find('a\u001b[2J'),
      (error) => has('WHO_AMBIGUOUS')(error) && !(error as Error).message.includes('\u001b')
    )
    assert.throws(
      () => contacts.find('\u202e\u001b'),
      (error) => has('WHO_UNKNOWN')(error) && !/[\u001b\u202e]/.test((error as Error).message)
    )
  })
})

describe('devices of contacts', () => {
  const [laptop, phone] = [keyOf('laptop'), keyOf('phone')]

  it('replaces what was known, and tells whose a device is', () => {
    using test = setup()
    const { contacts } = test
    contacts.setDevices(ana, [{ device: laptop, name: 'l', addedAt: 1 }])
    contacts.setDevices(ana, [
      { device: laptop, name: 'l', addedAt: 1, revoked: { last: 4 } },
      { device: phone, name: 'p', addedAt: 3 }
    ])
    assert.deepEqual(contacts.deviceByKey(laptop), {
      identity: ana,
      device: laptop,
      name: 'l',
      addedAt: 1,
      revoked: { last: 4 }
    })
    assert.deepEqual(
      contacts.devicesOf(ana).map(({ device }) => device),
      [laptop, phone]
    )
    contacts.setDevices(ana, [])
    assert.equal(contacts.deviceByKey(laptop), undefined)
  })

  it('leaves a device with the identity that named it first', () => {
    using test = setup()
    const { contacts } = test
    contacts.setDevices(ana, [{ device: laptop, name: 'l', addedAt: 1 }])
    contacts.setDevices(eve, [{ device: laptop, name: 'mine', addedAt: 1 }])
    assert.deepEqual(contacts.deviceByKey(laptop)?.identity, ana)
  })

  it('hands the policy those who are followed and blocked', () => {
    using test = setup()
    const { contacts } = test
    contacts.setDevices(ana, [{ device: laptop, name: 'l', addedAt: 1 }])
    contacts.setDevices(eve, [{ device: phone, name: 'p', addedAt: 1 }])
    contacts.follow(ana)
    contacts.block(eve)
    contacts.setPetname(bob, 'bob')
    const wanted = wantedFeeds({ self: { root: self, devices: [] }, people: contacts.policyPeople(), mode: 'all' })
    assert.deepEqual(
      wanted.map(({ feed }) => feed),
      [self, ana, laptop]
    )
  })
})

describe('the contacts table', () => {
  it('bounds how many strangers are remembered, and never forgets whom the user knows', function () {
    using test = setup()
    const { contacts, database } = test
    contacts.follow(ana)
    contacts.setPetname(bob, 'bob')
    contacts.block(eve)
    database.exec('BEGIN')
    const insert = database.prepare('INSERT INTO contacts (key, seen_ms) VALUES (?, ?)')
    for (let i = 0; i < MAX_STRANGERS; i++) insert.run(Buffer.alloc(32, `stranger ${i}`), i + 10)
    database.exec('COMMIT')
    for (const name of ['x', 'y', 'z']) contacts.setSeen(keyOf(name), 1)
    const count = database.prepare(`SELECT count(*) AS n FROM contacts`).get()!.n
    assert.equal(count, MAX_STRANGERS + 3)
    assert.deepEqual(
      contacts
        .list()
        .map(({ relation }) => relation)
        .toSorted(),
      ['blocked', 'followed', 'none']
    )
    assert.equal(contacts.get(keyOf('z')).lastSeen, 1)
  })

  it('is there again after the database was opened anew', () => {
    const directory = mkdtempSync(join(tmpdir(), 'contacts-'))
    try {
      const path = join(directory, 'feeds.sqlite')
      const first = openDatabase(path)
      new Contacts(first, { self, write: writeTo(first) }).follow(ana)
      first.close()
      const second = openDatabase(path)
      assert.equal(new Contacts(second, { self, write: writeTo(second) }).get(ana).relation, 'followed')
      second.close()
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('asks for durability where the user decided, and joins a transaction that is open', () => {
    const database = openDatabase(':memory:')
    const asked: (boolean | undefined)[] = []
    const contacts = new Contacts(database, {
      self,
      write: (work, options) => (asked.push(options?.isDurable), work())
    })
    contacts.follow(ana)
    contacts.setSeen(ana, 1)
    assert.deepEqual(asked, [true, undefined])
    const plain = new Contacts(database, { self, write: writeTo(database) })
    database.exec('BEGIN')
    plain.block(ana)
    database.exec('ROLLBACK')
    assert.equal(plain.get(ana).relation, 'followed')
    database.close()
  })

  it('works in the file of a feed store, whose policy it feeds', () => {
    const store = FeedStore.open(':memory:')
    const contacts = new Contacts(store.database, { self, write: (work, options) => store.write(work, options) })
    contacts.follow(ana)
    contacts.setSeen(ana, 1)
    store.setWanted(wantedFeeds({ self: { root: self, devices: [] }, people: contacts.policyPeople(), mode: 'all' }))
    assert.deepEqual(
      store.wantedFeeds().map((feed) => [feed.key, feed.priority]),
      [
        [self, 0],
        [ana, 1]
      ]
    )
    store.close()
  })
})
