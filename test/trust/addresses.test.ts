import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import { signingKey } from '../../src/feeds/signature.ts'
import { openDatabase, transaction } from '../../src/feeds/store/database.ts'
import { MAX_ADDRESSES, MAX_ADDRESSES_PER_IDENTITY, MAX_ADDRESSES_PER_PEER } from '../../src/trust/addresses.ts'
import { Contacts } from '../../src/trust/contacts.ts'
import type { Write } from '../../src/trust/statements.ts'
import { TrustError } from '../../src/trust/errors.ts'

const [self, ana, bob] = ['self', 'ana', 'bob'].map((name) => signingKey(Buffer.alloc(32, name)).publicKey)
const at = (n: number) => `/ip4/192.0.2.${n}/tcp/4001`

const writeTo =
  (database: DatabaseSync): Write =>
  (work) =>
    database.isTransaction ? work() : transaction(database, work)

function setup() {
  const database = openDatabase(':memory:')
  const contacts = new Contacts(database, { self, write: writeTo(database) })
  return { contacts, addresses: contacts.addresses, database, [Symbol.dispose]: () => database.close() }
}

describe('address book', () => {
  it('knows an address once, with or without the peer id at its end', () => {
    using test = setup()
    const { addresses } = test
    addresses.remember({ address: at(1), peerId: 'P' })
    addresses.remember({ address: `${at(1)}/p2p/P` })
    addresses.remember({ address: `${at(1)}/p2p/P`, peerId: 'P', identity: ana })
    addresses.remember({ address: at(1), peerId: 'P' })
    assert.deepEqual(addresses.ofPeer('P'), [
      { peerId: 'P', address: `${at(1)}/p2p/P`, identity: ana, isGiven: false, failures: 0 }
    ])
    assert.deepEqual(addresses.of(ana), addresses.ofPeer('P'))
  })

  it('keeps what the user gave, tied to nobody, until the user forgets it', () => {
    using test = setup()
    const { addresses } = test
    addresses.remember({ address: at(1), isGiven: true })
    addresses.remember({ address: at(1) })
    assert.deepEqual(addresses.given(), [{ address: at(1), isGiven: true, failures: 0 }])
    assert.equal(addresses.forget(at(1)), true)
    assert.equal(addresses.forget(at(1)), false)
    assert.deepEqual(addresses.given(), [])
  })

  it('keeps relayed addresses whole but for their end', () => {
    using test = setup()
    test.addresses.remember({ address: `${at(1)}/p2p/R/p2p-circuit/p2p/P`, isGiven: true })
    test.addresses.remember({ address: `${at(1)}/p2p/R/p2p-circuit`, peerId: 'Q' })
    assert.equal(test.addresses.ofPeer('P')[0].address, `${at(1)}/p2p/R/p2p-circuit/p2p/P`)
    assert.equal(test.addresses.ofPeer('Q')[0].address, `${at(1)}/p2p/R/p2p-circuit/p2p/Q`)
  })

  it('keeps a bounded number of one person, who says to be at ever new peers, and first those that worked', () => {
    using test = setup()
    const { addresses } = test
    addresses.remember({ address: at(1), peerId: 'B', identity: bob })
    addresses.remember({ address: at(1), peerId: 'good', identity: ana })
    addresses.noteSuccess(at(1), 'good', 1_000)
    for (let i = 0; i < 2 * MAX_ADDRESSES_PER_IDENTITY; i++)
      addresses.remember({ address: at(2), peerId: `P${i}`, identity: ana })
    for (let i = 0; i < 20; i++) {
      addresses.remember({ address: at(3), peerId: `Q${i}` })
      addresses.tie(`Q${i}`, ana)
    }
    assert.equal(addresses.of(ana).length, MAX_ADDRESSES_PER_IDENTITY)
    assert.equal(addresses.of(ana)[0].peerId, 'good')
    assert.equal(addresses.of(bob).length, 1)
    addresses.remember({ address: at(9), peerId: 'given', identity: ana, isGiven: true })
    assert.equal(addresses.of(ana).length, MAX_ADDRESSES_PER_IDENTITY + 1)
  })

  it('puts the most promising first: what worked, latest first, before what failed', () => {
    using test = setup()
    const { addresses } = test
    for (const n of [1, 2, 3, 4]) addresses.remember({ address: at(n), peerId: 'P' })
    addresses.noteSuccess(at(1), 'P', 100)
    addresses.noteSuccess(`${at(2)}/p2p/P`, undefined, 200)
    addresses.noteFailure(at(2), 'P')
    addresses.noteFailure(at(3), 'P')
    const order = () => addresses.ofPeer('P').map(({ address }) => Number(address.split('.')[3].split('/')[0]))
    assert.deepEqual(order(), [1, 4, 2, 3])
    addresses.noteSuccess(at(2), 'P', 300)
    assert.deepEqual(order(), [2, 1, 4, 3])
    assert.deepEqual(addresses.ofPeer('P')[0], {
      peerId: 'P',
      address: `${at(2)}/p2p/P`,
      isGiven: false,
      lastSuccess: 300,
      failures: 0
    })
  })

  it('keeps 16 addresses of a peer that announces thousands, and the one that worked among them', () => {
    using test = setup()
    const { addresses } = test
    addresses.remember({ address: at(1), peerId: 'P' })
    addresses.noteSuccess(at(1), 'P', 1)
    addresses.remember({ address: at(2), peerId: 'P', isGiven: true })
    for (let port = 1; port <= 1_000; port++)
      addresses.remember({ address: `/ip4/198.51.100.1/tcp/${port}`, peerId: 'P' })
    const kept = addresses.ofPeer('P').map(({ address }) => address)
    assert.equal(kept.length, MAX_ADDRESSES_PER_PEER + 1)
    assert.ok(
      kept.includes(`${at(1)}/p2p/P`) &&
        kept.includes(`${at(2)}/p2p/P`) &&
        kept.includes('/ip4/198.51.100.1/tcp/1000/p2p/P')
    )
  })

  it('bounds the whole book', () => {
    using test = setup()
    const { addresses, database } = test
    database.exec('BEGIN')
    const insert = database.prepare('INSERT INTO contact_addresses (peer, address, success_ms) VALUES (?, ?, ?)')
    for (let i = 0; i < MAX_ADDRESSES; i++) insert.run(`peer ${i}`, at(1), i)
    database.exec('COMMIT')
    addresses.remember({ address: at(9), peerId: 'new', isGiven: true })
    addresses.remember({ address: at(9), peerId: 'newer' })
    addresses.remember({ address: at(9), peerId: 'newest' })
    assert.equal(
      database.prepare('SELECT count(*) AS n FROM contact_addresses WHERE given = 0').get()!.n,
      MAX_ADDRESSES
    )
    assert.equal(addresses.ofPeer('newest').length, 1)
    assert.equal(addresses.ofPeer('new').length, 1)
    assert.equal(addresses.ofPeer('peer 8000').length, 1)
  })

  it('names as targets the given ones and the devices of those who are followed, by peer', () => {
    using test = setup()
    const { addresses, contacts } = test
    contacts.follow(ana)
    addresses.remember({ address: at(1), isGiven: true })
    addresses.remember({ address: at(2), peerId: 'A', identity: ana })
    addresses.remember({ address: at(3), peerId: 'A' })
    addresses.remember({ address: at(4), peerId: 'B', identity: bob })
    addresses.remember({ address: at(5), peerId: 'S', identity: self })
    const byPeer = () =>
      new Map(addresses.targets().map(({ peerId, identity, addresses: list }) => [peerId, { identity, list }]))
    assert.deepEqual(
      byPeer(),
      new Map([
        ['S', { identity: self, list: [`${at(5)}/p2p/S`] }],
        ['A', { identity: ana, list: [`${at(2)}/p2p/A`] }],
        [undefined, { identity: undefined, list: [at(1)] }]
      ])
    )
    addresses.tie('A', ana)
    assert.equal(byPeer().get('A')?.list.length, 2)
    contacts.unfollow(ana)
    assert.deepEqual([...byPeer().keys()].length, 2)
  })

  it('refuses what is no multiaddr, and an address of another peer', () => {
    using test = setup()
    const wrong = [
      '',
      '/',
      'ip4/1.2.3.4',
      '/ip4/1.2.3.4/',
      '/ip4/1.2\u001b[2J',
      '/ip4/1 2',
      '//x',
      `/ip4/${'1'.repeat(600)}`,
      '/dns4/ex\u202eample'
    ]
    for (const address of wrong)
      assert.throws(
        () => test.addresses.remember({ address }),
        (error) => error instanceof TrustError && error.code === 'ADDRESS' && !/[\u001b\u202e]/.test(error.message),
        address
      )
    assert.throws(() => test.addresses.remember({ address: `${at(1)}/p2p/P`, peerId: 'Q' }), TrustError)
    assert.throws(() => test.addresses.remember({ address: at(1), peerId: 'Q'.repeat(200) }), TrustError)
  })
})
