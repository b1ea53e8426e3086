// Conversations of several people, each message of which goes to each of them.
import assert from 'node:assert/strict'
import { type Comrade, joinIdentity, type Message, NodeError } from '../../../src/index.ts'
import { befriend, Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'
import { messagesAt, reaches, shows, textsAt } from './support.ts'

const withCode = (code: string) => (error: unknown) => error instanceof NodeError && error.code === code

/** Makes friends of all. */
async function meetAll(...nodes: Comrade[]): Promise<void> {
  for (const [i, one] of nodes.entries()) for (const other of nodes.slice(i + 1)) await befriend(one, other)
}

async function join(homes: Homes, owner: Comrade, name: string): Promise<Comrade> {
  const { link } = await owner.devices.invite()
  await joinIdentity({ home: homes.of(name), link, deviceName: name })
  return homes.start(name)
}

const didOf = (node: Comrade): string => node.identity.did

/** Waits until a node knows a conversation with these people. */
async function has(node: Comrade, id: string, people: readonly Comrade[]): Promise<void> {
  const expected = people.map(didOf).toSorted().join()
  await until(() => {
    const found = node.messages.conversations.list().find((each) => each.id === id)
    return (
      found?.members
        .map(({ did }) => did)
        .toSorted()
        .join() === expected
    )
  }, `${people.length} people belong to it`)
}

function find(messages: readonly Message[], id: string): Message {
  return messages.find((each) => each.id === id)!
}

describe('a conversation of several', function () {
  this.timeout(60_000)

  it('is read by all who belong to it, who say how far each message has come', async () => {
    await using homes = new Homes()
    const [alice, bob, carol] = [await homes.start('alice'), await homes.start('bob'), await homes.start('carol')]
    await meetAll(alice, bob, carol)
    const { id } = await alice.messages.conversations.create({ name: 'weekend', people: [didOf(bob), didOf(carol)] })
    const sent = await alice.messages.send('+weekend', { text: 'who comes along?' })
    assert.deepEqual([sent.to, sent.conversation, sent.recipients?.length], [id, id, 2])
    for (const node of [bob, carol]) await shows(node, 'who comes along?')
    await reaches(alice, sent.id, 'delivered')
    const { recipients } = find(await messagesAt(alice), sent.id)
    assert.ok(recipients!.every(({ state }) => state === 'delivered'))
    const got = find(await messagesAt(bob), sent.id)
    assert.deepEqual([got.from, got.conversation, got.recipients], [didOf(alice), id, undefined])
    const answer = await bob.messages.send('+weekend', { text: 'I do', reply: sent.id })
    for (const node of [alice, carol]) await shows(node, 'I do')
    await carol.messages.react(answer.id, '🌻')
    await until(
      async () => (await messagesAt(alice)).some(({ emoji, conversation }) => emoji === '🌻' && conversation === id),
      'the reaction comes'
    )
    await carol.messages.send(didOf(bob), { text: 'to you alone' })
    await shows(bob, 'to you alone')
    const inIt = await Array.fromAsync(bob.messages.list({ with: `+${id.slice(0, 8)}` }))
    assert.deepEqual(inIt.map(({ type }) => type).toSorted(), ['conversation', 'reaction', 'text', 'text'])
    assert.equal((await Array.fromAsync(bob.messages.list({ with: didOf(carol) }))).length, 1)
    await alice.messages.erase(sent.id)
    for (const node of [bob, carol])
      await until(async () => find(await messagesAt(node), sent.id).type === 'erased', 'it is erased')
    for (const node of [alice, bob, carol])
      assert.ok((await messagesAt(node)).every(({ isAfterGap }) => isAfterGap === undefined))
  })

  it('is changed by any of them: who is new gets what comes then, who is removed nothing more', async () => {
    await using homes = new Homes()
    const [alice, bob, carol] = [await homes.start('alice'), await homes.start('bob'), await homes.start('carol')]
    const dora = await homes.start('dora')
    await meetAll(alice, bob, carol)
    await befriend(bob, dora)
    const { id } = await alice.messages.conversations.create({ name: 'hive', people: [didOf(bob), didOf(carol)] })
    await alice.messages.send('+hive', { text: 'before' })
    await shows(bob, 'before')
    const added = await bob.messages.conversations.add('+hive', didOf(dora))
    assert.equal(added.members.length, 4)
    for (const node of [alice, carol, dora]) await has(node, id, [alice, bob, carol, dora])
    // Dora and Alice do not know each other: nobody is left to believe that she reads it.
    const unheard = await alice.messages.send('+hive', { text: 'hello dora' })
    const without = unheard.recipients!.filter(({ state }) => state === 'unreachable').map(({ did }) => did)
    assert.deepEqual([unheard.recipients!.length, without], [3, [didOf(dora)]])
    await reaches(alice, unheard.id, 'delivered')
    await bob.messages.send('+hive', { text: 'dora, this is the hive' })
    await shows(dora, 'dora, this is the hive')
    assert.deepEqual((await textsAt(dora)).filter(Boolean), ['dora, this is the hive'])
    await carol.messages.conversations.rename('+hive', 'old hive')
    await until(() => alice.messages.conversations.get(id).name === 'old hive', 'Alice hears of the name')
    await alice.messages.conversations.remove(id, didOf(carol))
    await has(bob, id, [alice, bob, dora])
    await until(() => !carol.messages.conversations.get(id).isMember, 'Carol hears of it')
    await assert.rejects(carol.messages.send(id, { text: 'why?' }), withCode('BAD_INPUT'))
    await bob.messages.send(id, { text: 'without carol' })
    await shows(alice, 'without carol')
    assert.ok(!(await textsAt(carol)).includes('without carol'))
    await bob.messages.conversations.leave(id)
    await has(alice, id, [alice, dora])
    await assert.rejects(alice.messages.send(id, { text: 'anybody?' }), withCode('BAD_INPUT'))
  })

  it('goes on after somebody was away while it was changed by two at the same time', async () => {
    await using homes = new Homes()
    let [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    const [carol, dora] = [await homes.start('carol'), await homes.start('dora')]
    await meetAll(alice, bob, carol, dora)
    const { id } = await alice.messages.conversations.create({ people: [didOf(bob), didOf(carol)] })
    for (const node of [bob, carol]) await has(node, id, [alice, bob, carol])
    const address = carol.addresses[0]
    await Promise.all([alice.stop(), bob.stop()])
    ;[alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await alice.messages.conversations.add(id, didOf(dora))
    await alice.messages.send(id, { text: 'welcome dora' })
    await bob.messages.conversations.rename(id, 'four')
    await bob.messages.conversations.setTimer(id, 3_600_000)
    await bob.messages.send(id, { text: 'this goes' })
    await Promise.all([alice, bob].map((node) => node.connect(address)))
    await alice.connect(bob.addresses[0])
    await dora.connect(alice.addresses[0])
    await dora.connect(bob.addresses[0])
    for (const node of [alice, bob, carol, dora]) {
      await has(node, id, [alice, bob, carol, dora])
      await until(() => {
        const { name, timerMs } = node.messages.conversations.get(id)
        return name === 'four' && timerMs === 3_600_000
      }, 'all know the name and the timer')
    }
    const last = await dora.messages.send(id, { text: 'hello all' })
    assert.ok(last.expires !== undefined)
    for (const node of [alice, bob, carol]) await shows(node, 'hello all')
    await shows(carol, 'welcome dora', 'this goes')
    await shows(dora, 'welcome dora')
  })

  it('comes to devices that joined later, of its author too', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const { id } = await alice.messages.conversations.create({ name: 'hive', people: [didOf(bob)] })
    await has(bob, id, [alice, bob])
    const [pi, phone] = [await join(homes, alice, 'pi'), await join(homes, bob, 'phone')]
    for (const one of [alice, pi]) for (const other of [bob, phone]) await one.connect(other.addresses[0])
    await until(
      async () => (await alice.peers()).filter(({ did }) => did === didOf(bob)).length === 2,
      'both of Bob’s devices are connected'
    )
    await alice.messages.send('+hive', { text: 'to all of you' })
    for (const node of [bob, phone, pi]) await shows(node, 'to all of you')
    for (const node of [phone, pi]) await has(node, id, [alice, bob]) // which the pi hears after what was written in it
    await pi.messages.send(id, { text: 'from the pi' })
    for (const node of [alice, bob, phone]) await shows(node, 'from the pi')
    await phone.messages.conversations.rename(id, 'new hive')
    for (const node of [alice, bob, pi])
      await until(() => node.messages.conversations.get(id).name === 'new hive', 'all know the name')
  })

  it('is neither begun with strangers, with nobody, nor with more than 32', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    const { conversations } = alice.messages
    await assert.rejects(conversations.create({ people: [] }), withCode('BAD_INPUT'))
    await assert.rejects(conversations.create({ people: ['nobody'] }), withCode('WHO_UNKNOWN'))
    await assert.rejects(conversations.create({ people: [didOf(bob)] }), withCode('BAD_INPUT'))
    await assert.rejects(alice.messages.send('+nothing', { text: 'hello' }), withCode('WHO_UNKNOWN'))
    await alice.contacts.follow(didOf(bob))
    await conversations.create({ name: 'same', people: [didOf(bob)] })
    await conversations.create({ name: 'Same', people: [didOf(bob)] })
    await assert.rejects(alice.messages.send('+same', { text: 'hello' }), withCode('WHO_AMBIGUOUS'))
    await assert.rejects(conversations.create({ name: 'x'.repeat(257), people: [didOf(bob)] }), withCode('BAD_INPUT'))
    assert.equal(conversations.list().length, 2)
  })

  it('cannot be taken for another one whose id it has as its name', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await alice.contacts.follow(didOf(bob))
    const create = async (name: string): Promise<string> =>
      (await alice.messages.conversations.create({ name, people: [didOf(bob)] })).id
    const id = await create('plans')
    await create(id)
    await create(id.slice(0, 8))
    for (const which of [id, `+${id}`]) {
      assert.equal(alice.messages.conversations.get(which).id, id)
      assert.equal((await alice.messages.send(which, { text: 'the plan' })).to, id)
    }
    assert.throws(() => alice.messages.conversations.get(`+${id.slice(0, 8)}`), withCode('WHO_AMBIGUOUS'))
    assert.equal(alice.messages.conversations.get(`+${id.slice(0, 9)}`).id, id)
  })

  it('lets what was written be erased also when nobody in it is reached any more', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await alice.contacts.follow(didOf(bob))
    await alice.messages.conversations.create({ name: 'plans', people: [didOf(bob)] })
    const { id } = await alice.messages.send('+plans', { text: 'the plan' })
    await alice.contacts.block(didOf(bob))
    assert.deepEqual(await alice.messages.erase(id), { id, erased: true })
    assert.equal(find(await messagesAt(alice), id).type, 'erased')
  })
})
