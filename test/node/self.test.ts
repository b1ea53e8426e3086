// What an identity's devices tell each other, and what friends are told: whole nodes over loopback TCP.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { parseDid } from '../../src/trust/index.ts'
import { befriend, Homes, post } from '../support/node.ts'
import { until } from '../support/processes.ts'

const CAROL = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
const MALLORY = 'did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH'

describe('what is sealed', function () {
  this.timeout(60_000)
  let homes: Homes

  beforeEach(() => {
    homes = new Homes()
  })

  afterEach(async () => {
    await homes[Symbol.asyncDispose]()
  })

  it('shows a follower neither whom one follows or blocks, nor what one calls them', async () => {
    const [alice, bob] = await Promise.all([homes.start('alice'), homes.start('bob')])
    await befriend(alice, bob)
    await alice.contacts.follow(CAROL)
    await alice.contacts.name(CAROL, 'a very secret petname')
    await alice.contacts.block(MALLORY)
    await post(alice, 'in the clear')
    await holdsAll(homes, 'bob', 'alice', alice.identity.device)
    const bytes = recordsOf(homes.of('bob'))
    assert.ok(bytes.includes('in the clear'))
    for (const did of [CAROL, MALLORY]) {
      assert.ok(!bytes.includes(Buffer.from(parseDid(did))))
      assert.ok(!bytes.includes(did.slice('did:key:'.length)))
    }
    for (const word of ['secret petname', 'relation', 'blocked', 'self/topic']) assert.ok(!bytes.includes(word), word)
    assert.ok(heightOf(homes.of('bob'), alice.identity.device) >= 6) // two follows, a name, a block, a secret, a post
  })

  it('follows a decision later, when this device does not sign at the moment, and holds nobody up', async () => {
    const alice = await homes.start('alice')
    await alice.stop()
    // A store whose token is not the one beside the keys is taken for an older copy.
    change(homes.of('alice'), `DELETE FROM meta WHERE key IN ('generation', 'next generation')`)
    const paused = await homes.start('alice')
    assert.ok((await paused.status()).paused !== undefined)
    const { entries } = await paused.status()
    await paused.contacts.follow(CAROL)
    assert.equal((await paused.contacts.find(CAROL)).relation, 'followed')
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.deepEqual(queueOf(homes.of('alice')), [`contact/relation/${CAROL}`])
    assert.equal((await paused.status()).entries, entries)
    await paused.stop()
    change(homes.of('alice'), `UPDATE meta SET value = 0 WHERE key = 'restored'`)
    const signing = await homes.start('alice')
    await until(() => queueOf(homes.of('alice')).length === 0, 'it is written')
    assert.equal((await signing.status()).entries, entries + 1)
  })

  it('brings contacts back to an identity that lost its store', async () => {
    const [alice, bob] = await Promise.all([homes.start('alice'), homes.start('bob')])
    await befriend(alice, bob)
    await alice.contacts.name(bob.identity.did, 'Bobby')
    await alice.contacts.block(MALLORY)
    await holdsAll(homes, 'bob', 'alice', alice.identity.device)
    await alice.stop()
    for (const end of ['', '-wal', '-shm']) rmSync(join(homes.of('alice'), `feeds.sqlite${end}`), { force: true })
    const again = await homes.start('alice')
    assert.deepEqual(await again.contacts.list(), [])
    await again.connect(bob.addresses[0])
    await until(async () => (await again.contacts.list()).length === 2, 'contacts are back')
    const list = await again.contacts.list()
    assert.deepEqual(
      list.map(({ did, name, relation }) => [did, relation === 'blocked' ? 'blocked' : name]).toSorted(),
      [
        [bob.identity.did, 'Bobby'],
        [MALLORY, 'blocked']
      ].toSorted()
    )
  })
})

/** Waits until a node holds all that a person's device has written and still wants to write. */
async function holdsAll(homes: Homes, holder: string, author: string, device: string): Promise<void> {
  const height = (name: string) => heightOf(homes.of(name), device)
  await until(
    () => queueOf(homes.of(author)).length === 0 && height(holder) === height(author),
    `${holder} holds all of ${author}`
  )
}

function heightOf(home: string, device: string): number {
  return query(home, 'SELECT height FROM feeds WHERE key = ?', parseDid(device))[0]?.height as number
}

/** All that a node keeps of feeds, as bytes. */
function recordsOf(home: string): Buffer {
  return Buffer.concat(query(home, 'SELECT records FROM runs').map(({ records }) => records as Uint8Array))
}

function queueOf(home: string): string[] {
  return query(home, 'SELECT name FROM sealed_queue').map(({ name }) => name as string)
}

/** Reads a home's database, also while its node runs. */
function query(home: string, sql: string, ...values: Uint8Array[]): Record<string, unknown>[] {
  const database = new DatabaseSync(join(home, 'feeds.sqlite'), { readOnly: true })
  try {
    return database.prepare(sql).all(...values)
  } finally {
    database.close()
  }
}

/** Changes a home's database while no node runs. */
function change(home: string, sql: string): void {
  const database = new DatabaseSync(join(home, 'feeds.sqlite'))
  database.exec(sql)
  database.close()
}
