// Messages that go away by themselves.
import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { NodeError } from '../../../src/index.ts'
import { befriend, Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'
import { messagesAt, reaches, shows, textsAt } from './support.ts'

const YEAR_MS = 31_536_000_000
const withCode = (code: string) => (error: unknown) => error instanceof NodeError && error.code === code

describe('the timer of a conversation', function () {
  this.timeout(60_000)

  it('is set by either, seen by both, and erases what is written from then on at both ends', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const [toBob, toAlice] = [bob.identity.did, alice.identity.did]
    await alice.messages.send(toBob, { text: 'stays' })
    const set = await bob.messages.conversations.setTimer(toAlice, 1_500)
    assert.deepEqual([set.type, set.change], ['conversation', { added: [], removed: [], timerMs: 1_500 }])
    await until(() => alice.messages.conversations.timer(toBob) === 1_500, 'Alice knows of it')
    const seen = (await messagesAt(alice)).find(({ id }) => id === set.id)!
    assert.deepEqual([seen.from, seen.change], [toAlice === seen.to ? toBob : toAlice, set.change])
    const short = await alice.messages.send(toBob, { text: 'goes' })
    assert.ok(Date.parse(short.expires!) - Date.parse(short.time) <= 1_500)
    await reaches(alice, short.id, 'delivered')
    for (const node of [alice, bob])
      await until(
        async () => (await messagesAt(node)).some(({ id, type }) => id === short.id && type === 'erased'),
        'it is erased'
      )
    await alice.messages.conversations.setTimer(toBob, undefined)
    await until(() => bob.messages.conversations.timer(toAlice) === undefined, 'Bob knows of it')
    const long = await bob.messages.send(toAlice, { text: 'stays, too' })
    assert.equal(long.expires, undefined)
    await shows(alice, 'stays', 'stays, too')
    assert.deepEqual(
      (await messagesAt(alice)).map(({ type }) => type),
      ['text', 'conversation', 'erased', 'conversation', 'text']
    )
    await assert.rejects(alice.messages.conversations.setTimer(toBob, 0), withCode('BAD_INPUT'))
    await assert.rejects(alice.messages.conversations.setTimer('nobody', 1_000), withCode('WHO_UNKNOWN'))
  })

  it('counts from when a message came, whatever the clock of its author says', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const real = Date.now.bind(Date)
    for (const wrong of [-YEAR_MS, YEAR_MS]) {
      const text = `a clock that is ${wrong} ms off`
      const now = mock.method(Date, 'now', () => real() + wrong)
      const sending = alice.messages.send(bob.identity.did, { text, expiresInMs: 600_000 })
      await sending.finally(() => now.mock.restore())
      await shows(bob, text)
      const got = (await messagesAt(bob)).find((each) => each.text === text)!
      const leftMs = Date.parse(got.expires!) - real()
      assert.ok(leftMs > 500_000 && leftMs <= 600_000, `${leftMs} ms are left`)
    }
    assert.equal((await textsAt(bob)).length, 2)
  })
})
