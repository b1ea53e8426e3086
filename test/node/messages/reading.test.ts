// Who is told that a message was read.
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { NodeError } from '../../../src/index.ts'
import { befriend, Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'
import { messagesAt, reaches, shows } from './support.ts'

/** Messages that are not shown, and what waits for devices. */
function unshownIn(home: string): [number, number] {
  const database = new DatabaseSync(`${home}/feeds.sqlite`, { readOnly: true, timeout: 5_000 })
  try {
    const count = (sql: string): number => Number(database.prepare(sql).get()!.n)
    return [
      count('SELECT count(*) AS n FROM messages WHERE is_shown = 0'),
      count('SELECT count(*) AS n FROM message_outbox')
    ]
  } finally {
    database.close()
  }
}

describe('reading a private message', function () {
  this.timeout(60_000)

  it('is told to its author by whoever has chosen so, also when the author was away', async () => {
    await using homes = new Homes()
    const bob = await homes.start('bob', {}, { readReceipts: true })
    let alice = await homes.start('alice')
    await befriend(alice, bob)
    const sent = []
    for (let i = 0; i < 40; i++) sent.push(await alice.messages.send(bob.identity.did, { text: `number ${i}` }))
    for (const { id } of sent) await reaches(alice, id, 'delivered')
    await alice.stop()
    const read = await bob.messages.read(...sent.map(({ id }) => id))
    assert.ok(read.every(({ state }) => state === 'read'))
    assert.equal((await messagesAt(bob)).length, 40, 'a receipt is not shown')
    alice = await homes.start('alice')
    await alice.connect(bob.addresses[0])
    await until(async () => (await messagesAt(alice)).every(({ state }) => state === 'read'), 'Alice knows it')
    await until(() => unshownIn(homes.of('bob')).join() === '0,0', 'nothing is left of the receipts')
    const answer = await bob.messages.send(alice.identity.did, { text: 'all of them' })
    await shows(alice, 'all of them')
    await alice.messages.read(answer.id)
    await reaches(alice, answer.id, 'read')
    await alice.messages.send(bob.identity.did, { text: 'do you see?' })
    await shows(bob, 'do you see?')
    const atBob = await messagesAt(bob)
    assert.equal(atBob.find(({ id }) => id === answer.id)!.state, 'delivered', 'Alice has not chosen so')
    assert.ok([...atBob, ...(await messagesAt(alice))].every(({ isAfterGap }) => isAfterGap === undefined))
  })

  it('is not noted where one of the messages is not there, or is one’s own', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const { id } = await alice.messages.send(bob.identity.did, { text: 'hello' })
    await shows(bob, 'hello')
    const withCode = (code: string) => (error: unknown) => error instanceof NodeError && error.code === code
    await assert.rejects(bob.messages.read(id, '00'.repeat(16)), withCode('NOT_FOUND'))
    await assert.rejects(alice.messages.read(id), withCode('NOT_OWN'))
    assert.equal((await messagesAt(bob))[0].state, 'delivered')
  })
})
