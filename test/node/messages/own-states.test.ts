// What the author's other devices know of how far a message has come.
import assert from 'node:assert/strict'
import { type Comrade, joinIdentity, type Message } from '../../../src/index.ts'
import { Conversations } from '../../../src/messages/index.ts'
import { rowsOf } from '../../proofs/stage.ts'
import { befriend, Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'
import { messagesAt, reaches, shows } from './support.ts'

async function join(homes: Homes, owner: Comrade, name: string): Promise<Comrade> {
  const { link } = await owner.devices.invite()
  await joinIdentity({ home: homes.of(name), link, deviceName: name })
  const node = await homes.start(name)
  await node.connect(owner.addresses[0])
  return node
}

async function messageAt(node: Comrade, id: string): Promise<Message> {
  return (await messagesAt(node)).find((each) => each.id === id)!
}

async function statesAt(node: Comrade): Promise<string[]> {
  return (await messagesAt(node)).map(({ state }) => state)
}

/** The state of a message, and those of these recipients. */
function stateAt({ state, recipients = [] }: Message, people: readonly string[]): string {
  return [state, ...people.map((did) => recipients.find((each) => each.did === did)?.state)].join()
}

/** Until the end, whoever writes this text sends these fields in its place. */
function lying(text: string, fields: { type: string; [field: string]: unknown }): Disposable {
  const add = Conversations.prototype.add
  Conversations.prototype.add = function (this: Conversations, message) {
    const { id, at } = message.content
    return add.call(
      this,
      message.content.text === text ? { ...message, content: { v: 1, id, at, ...fields } } : message
    )
  }
  return { [Symbol.dispose]: () => void (Conversations.prototype.add = add) }
}

/** With which states a message was given to those who listen, each time that it changed. */
function statesOf(node: Comrade, id: () => string): string[] {
  const states: string[] = []
  node.addEventListener('message', ({ detail }) => {
    if (detail.id === id()) states.push(detail.state)
  })
  return states
}

describe('how far a message has come', function () {
  this.timeout(60_000)

  it('is told to the author’s other devices, also where they were off, and to none that joined later', async () => {
    await using homes = new Homes()
    let alice = await homes.start('alice')
    const bob = await homes.start('bob', {}, { readReceipts: true })
    await befriend(alice, bob)
    const before = await alice.messages.send(bob.identity.did, { text: 'before' })
    await reaches(alice, before.id, 'delivered')
    let pi = await join(homes, alice, 'pi')
    const first = await alice.messages.send(bob.identity.did, { text: 'first' })
    await shows(pi, 'first')
    const states = statesOf(pi, () => first.id)
    await reaches(pi, first.id, 'delivered')
    assert.deepEqual(states, ['delivered'], 'once')
    await pi.connect(bob.addresses[0])
    const fromPi = await pi.messages.send(bob.identity.did, { text: 'from the pi' })
    await reaches(alice, fromPi.id, 'delivered')
    await pi.stop()
    const texts = Array.from({ length: 70 }, (_, i) => `second ${i}`)
    const second = await Promise.all(texts.map((text) => alice.messages.send(bob.identity.did, { text })))
    await shows(bob, ...texts)
    await bob.messages.read(...[first, ...second].map(({ id }) => id))
    await until(async () => (await statesAt(alice)).filter((state) => state === 'read').length === 71, 'all are read')
    await Promise.all([alice.stop(), bob.stop()])
    alice = await homes.start('alice')
    pi = await homes.start('pi')
    await pi.connect(alice.addresses[0])
    await until(async () => (await statesAt(pi)).filter((state) => state === 'read').length === 71, 'the pi knows it')
    assert.equal(
      (await messagesAt(pi)).some(({ id }) => id === before.id),
      false
    )
    const waits = (): unknown[] => [
      ...rowsOf(homes.of('alice'), 'message_untold'),
      ...rowsOf(homes.of('alice'), 'messages').filter(({ is_shown: isShown }) => isShown === 0),
      ...rowsOf(homes.of('pi'), 'message_untold'),
      ...rowsOf(homes.of('pi'), 'messages').filter(({ is_shown: isShown }) => isShown === 0)
    ]
    await until(() => waits().length === 0, 'nothing is left of what was told')
  })

  it('is told for each recipient of a conversation, also of one who was let go', async () => {
    await using homes = new Homes()
    const [alice, bob, carol] = [await homes.start('alice'), await homes.start('bob'), await homes.start('carol')]
    await befriend(alice, bob)
    await befriend(alice, carol)
    const pi = await join(homes, alice, 'pi')
    const people = [bob, carol].map(({ identity }) => identity.did)
    const { id } = await alice.messages.conversations.create({ name: 'three', people })
    await until(() => carol.messages.conversations.list().length === 1, 'Carol knows the conversation')
    await carol.stop()
    const sent = await alice.messages.send(id, { text: 'hello, all' })
    const areSame = async (state: string, ...expected: string[]): Promise<void> => {
      const known = async (node: Comrade): Promise<string> => stateAt(await messageAt(node, sent.id), people)
      const all = [state, ...expected].join()
      await until(async () => (await known(alice)) === all && (await known(pi)) === all, `both know: ${all}`)
    }
    await areSame('queued', 'delivered', 'queued')
    await alice.messages.conversations.remove(id, people[1])
    await areSame('delivered', 'delivered', 'unreachable')
  })

  it('is believed of nobody but own devices', async () => {
    await using homes = new Homes()
    const [alice, bob, carol] = [await homes.start('alice'), await homes.start('bob'), await homes.start('carol')]
    await befriend(alice, bob)
    await befriend(alice, carol)
    await carol.stop()
    const { id } = await alice.messages.send(carol.identity.did, { text: 'are you there?' })
    using _ = lying('a lie', { type: 'states', messages: [[Buffer.from(id, 'hex'), 'read']] })
    await bob.messages.send(alice.identity.did, { text: 'a lie' })
    const honest = await bob.messages.send(alice.identity.did, { text: 'and no lie' })
    await reaches(bob, honest.id, 'delivered')
    assert.equal((await messageAt(alice, id)).state, 'queued')
    const taken = (): boolean => rowsOf(homes.of('bob'), 'message_outbox').length === 0
    await until(taken, 'Alice has taken what it was said with, and does not want it again')
  })
})
