import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type Message, NodeError, type NodeErrorCode } from '../../../src/index.ts'
import { befriend, Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'
import { messagesAt, reaches, shows, textsAt } from './support.ts'

const withCode = (code: NodeErrorCode) => (error: unknown) => error instanceof NodeError && error.code === code

/** How many rows of a table a stopped node's home has. */
function rowsIn(home: string, table: string): number {
  const database = new DatabaseSync(`${home}/feeds.sqlite`, { readOnly: true, timeout: 5_000 })
  try {
    return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()!.n)
  } finally {
    database.close()
  }
}

describe('private messages between two nodes', function () {
  this.timeout(60_000)

  it('are shown at the other end, and reported as delivered', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const heard: Message[] = []
    bob.addEventListener('message', ({ detail }) => heard.push(detail))
    const sent = await alice.messages.send(bob.identity.did, { text: 'hello bob' })
    assert.equal(sent.state, 'queued')
    await shows(bob, 'hello bob')
    await reaches(alice, sent.id, 'delivered')
    const [{ time, name, warnings, ...got }] = await messagesAt(bob)
    assert.deepEqual(got, {
      id: sent.id,
      from: alice.identity.did,
      to: bob.identity.did,
      type: 'text',
      text: 'hello bob',
      state: 'delivered'
    })
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000)
    assert.deepEqual(heard, [{ time, name, warnings, ...got }])
  })

  it('come in order from both sides, with answers, reactions and long texts', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const long = 'é'.repeat(14_000)
    const first = await alice.messages.send(bob.identity.did, { text: 'one' })
    await Promise.all(
      ['two', 'three', long].map((text) => alice.messages.send(bob.identity.did, { text, reply: first.id }))
    )
    await shows(bob, 'one', 'two', 'three', long)
    const atBob = await messagesAt(bob)
    assert.deepEqual(
      atBob.map(({ text, reply }) => [text, reply]),
      [['one', undefined], ...['two', 'three', long].map((text) => [text, first.id])]
    )
    assert.ok(atBob.every(({ isAfterGap }) => isAfterGap === undefined))
    await bob.messages.react(first.id, '🌻')
    await bob.messages.send(alice.identity.did, { text: 'four' })
    await shows(alice, 'four')
    const reaction = (await messagesAt(alice)).find(({ type }) => type === 'reaction')!
    assert.deepEqual([reaction.about, reaction.emoji, reaction.from], [first.id, '🌻', bob.identity.did])
    assert.deepEqual(await textsAt(alice), await textsAt(bob))
  })

  it('wait while the other is away, and after a restart of either', async () => {
    await using homes = new Homes()
    let [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    await bob.stop()
    const sent = await alice.messages.send(bob.identity.did, { text: 'are you there?' })
    await alice.stop()
    alice = await homes.start('alice')
    assert.deepEqual(
      (await messagesAt(alice)).map(({ state }) => state),
      ['queued']
    )
    bob = await homes.start('bob')
    await bob.connect(alice.addresses[0])
    await shows(bob, 'are you there?')
    await reaches(alice, sent.id, 'delivered')
    const last = await alice.messages.send(bob.identity.did, { text: 'good' })
    await reaches(alice, last.id, 'delivered')
    await Promise.all([alice.stop(), bob.stop()])
    assert.equal(rowsIn(homes.of('alice'), 'message_outbox'), 0)
    const again = await homes.start('bob')
    assert.deepEqual(await textsAt(again), ['are you there?', 'good'])
  })

  it('are neither sent to nor taken from who is blocked, or is no contact', async () => {
    await using homes = new Homes()
    const [alice, bob, carol] = [await homes.start('alice'), await homes.start('bob'), await homes.start('carol')]
    await befriend(alice, bob)
    await carol.connect(alice.addresses[0])
    await assert.rejects(carol.messages.send(alice.identity.did, { text: 'hello' }), withCode('BAD_INPUT'))
    await assert.rejects(alice.messages.send(alice.identity.did, { text: 'hello' }), withCode('BAD_INPUT'))
    await assert.rejects(alice.messages.send('nobody', { text: 'hello' }), withCode('WHO_UNKNOWN'))
    // One who follows without being followed is no contact.
    await carol.contacts.follow(alice.identity.did)
    const unheard = await carol.messages.send(alice.identity.did, { text: 'let me in' })
    const waiting = await alice.messages.send(bob.identity.did, { text: 'before' })
    await reaches(alice, waiting.id, 'delivered')
    await alice.contacts.block(bob.identity.did)
    await assert.rejects(alice.messages.send(bob.identity.did, { text: 'after' }), withCode('BAD_INPUT'))
    await bob.messages.send(alice.identity.did, { text: 'from the blocked' })
    await alice.contacts.follow(carol.identity.did)
    await reaches(carol, unheard.id, 'delivered')
    await alice.contacts.unblock(bob.identity.did)
    assert.deepEqual(await textsAt(alice), ['before', 'let me in'])
  })

  it('refuse what cannot be sent', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const to = bob.identity.did
    await assert.rejects(alice.messages.send(to, { text: '' }), withCode('BAD_INPUT'))
    await assert.rejects(alice.messages.send(to, { text: 'x'.repeat(28_001) }), withCode('BAD_INPUT'))
    await assert.rejects(alice.messages.send(to, { text: 'x', reply: '00'.repeat(16) }), withCode('NOT_FOUND'))
    await assert.rejects(alice.messages.send(to, { text: 'x', expiresInMs: -1 }), withCode('BAD_INPUT'))
    await assert.rejects(alice.messages.react('../../etc', 'x'), withCode('NOT_FOUND'))
    assert.deepEqual(await messagesAt(alice), [])
  })

  it('are erased at both ends when their author says so, and here only when somebody else is', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const sent = await alice.messages.send(bob.identity.did, { text: 'burn this' })
    await shows(bob, 'burn this')
    assert.deepEqual(await alice.messages.erase(sent.id), { id: sent.id, erased: true })
    await until(async () => (await messagesAt(bob))[0].type === 'erased', 'it is erased at Bob’s')
    const kept = await bob.messages.send(alice.identity.did, { text: 'keep this' })
    await shows(alice, 'keep this')
    await alice.messages.erase(kept.id)
    assert.deepEqual(await textsAt(alice), [undefined, undefined])
    await bob.messages.send(alice.identity.did, { text: 'and now?' })
    await shows(alice, 'and now?')
    assert.deepEqual(await textsAt(bob), [undefined, 'keep this', 'and now?'])
  })

  it('can be followed as they come', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    await alice.messages.send(bob.identity.did, { text: 'first' })
    await shows(bob, 'first')
    const texts: (string | undefined)[] = []
    const reading = (async () => {
      for await (const { text, id } of bob.messages.list({ with: alice.identity.did, live: true })) {
        texts.push(text)
        if (text === 'second') await bob.messages.read(id)
        if (texts.length === 3) break
      }
    })()
    await alice.messages.send(bob.identity.did, { text: 'second' })
    await reading
    assert.deepEqual(texts, ['first', 'second', 'second'])
    assert.equal((await messagesAt(bob))[1].state, 'read')
    assert.notEqual((await messagesAt(alice))[1].state, 'read')
  })
})
