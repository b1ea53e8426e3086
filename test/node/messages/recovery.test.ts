// Sessions that were lost at one side, and what becomes of the messages that needed them.
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import type { Comrade } from '../../../src/index.ts'
import { befriend, Homes, warningsOf } from '../../support/node.ts'
import { until } from '../../support/processes.ts'
import { reaches, shows, textsAt } from './support.ts'

/** Public key of nobody who takes part, as libsignal writes it: its kind, then X25519. */
const OTHER_IDENTITY = Buffer.concat([Buffer.of(5), Buffer.alloc(32, 9)])

/** Changes the database of a node that is stopped. */
function change(home: string, sql: string, ...values: (string | number | Uint8Array)[]): void {
  const database = new DatabaseSync(`${home}/feeds.sqlite`, { timeout: 5_000 })
  try {
    database.prepare(sql).run(...values)
  } finally {
    database.close()
  }
}

function find(home: string, sql: string): unknown[] {
  const database = new DatabaseSync(`${home}/feeds.sqlite`, { readOnly: true, timeout: 5_000 })
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}

/** Both have written to the other, in a session that both have. */
async function exchange(alice: Comrade, bob: Comrade): Promise<void> {
  await befriend(alice, bob)
  await alice.messages.send(bob.identity.did, { text: 'one' })
  await shows(bob, 'one')
  const { id } = await bob.messages.send(alice.identity.did, { text: 'two' })
  await reaches(bob, id, 'delivered')
}

describe('a session that was lost', function () {
  this.timeout(60_000)

  it('is begun anew, nothing is lost with it, and both sides are warned', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice')
    let bob = await homes.start('bob')
    await exchange(alice, bob)
    await bob.stop()
    change(homes.of('bob'), 'UPDATE message_devices SET session = NULL, heard = 0')
    const { id } = await alice.messages.send(bob.identity.did, { text: 'three' })
    bob = await homes.start('bob')
    const warnings = [warningsOf(alice), warningsOf(bob)]
    await bob.connect(alice.addresses[0])
    await shows(bob, 'three')
    await reaches(alice, id, 'delivered')
    assert.deepEqual(await textsAt(bob), ['one', 'two', 'three'])
    assert.deepEqual(warnings, [['SESSION_RENEWED'], ['SESSION_RENEWED']])
  })

  it('is still asked for after a restart, when the other side could not be told before, until it answers', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice')
    let bob = await homes.start('bob')
    await exchange(alice, bob)
    await bob.stop()
    const given = 'UPDATE message_devices SET session = NULL, heard = 0, given_up_ms = ?'
    change(homes.of('bob'), given, Date.now())
    bob = await homes.start('bob')
    const warnings = warningsOf(alice)
    await bob.connect(alice.addresses[0])
    await until(() => warnings.includes('SESSION_RENEWED'), 'alice hears that bob has begun anew')
    const isHeard = (): boolean => find(homes.of('bob'), 'SELECT 1 FROM message_devices WHERE heard = 1').length === 1
    await until(isHeard, 'bob hears alice in the new session')
    assert.deepEqual(warnings, ['SESSION_RENEWED'])
  })

  it('comes back for a device that has other keys for messages by now, when its owner is met again, and not before', async () => {
    await using homes = new Homes()
    let alice = await homes.start('alice')
    const bob = await homes.start('bob')
    await exchange(alice, bob)
    await alice.stop()
    change(homes.of('alice'), 'UPDATE message_devices SET session = NULL, heard = 0, identity = ?', OTHER_IDENTITY)
    alice = await homes.start('alice')
    const warnings = warningsOf(alice)
    await bob.messages.send(alice.identity.did, { text: 'three' })
    await alice.connect(bob.addresses[0])
    await until(() => warnings.includes('SESSION_REFUSED'), 'alice is warned')
    assert.deepEqual(await textsAt(alice), ['one', 'two'])
    const { link } = await bob.contacts.invite()
    await alice.contacts.meet(link)
    await shows(alice, 'three')
    await alice.messages.send(bob.identity.did, { text: 'four' })
    await shows(bob, 'four')
    assert.equal(warnings.filter((code) => code === 'SESSION_REFUSED').length, 1)
  })
})
