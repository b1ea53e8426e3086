// The first evening with two machines, and the morning after: each reads what the other wrote, also after a time apart,
// and passes it on to a third.
import assert from 'node:assert/strict'
import { fixedAddress, type NodeProcess, Stage, until } from '../support/processes.ts'

describe('two homes in two processes', function () {
  this.timeout(90_000)

  it('read each other, catch up after a time apart, and pass on what they hold to a third', async () => {
    await using stage = new Stage()
    const listen = await fixedAddress()
    const [alice, bob] = await Promise.all([stage.up('alice'), stage.up('bob', '--listen', listen)])
    const bobAddress = `${listen}/p2p/${bob.peerId}`
    await alice.end()

    const back = await stage.up('alice', '--peer', bobAddress)
    await befriend(back, bob)
    await back.json('post', 'hello bob')
    await bob.json('post', 'hello alice')
    await Promise.all([back.entry('hello alice'), bob.entry('hello bob')])
    assert.deepEqual(await texts(back), ['hello alice', 'hello bob'])
    assert.deepEqual(await texts(bob), ['hello alice', 'hello bob'])

    // Bob is away; a bot of his writes a thousand entries; Alice was away, too.
    assert.equal(await back.end(), 0)
    assert.equal(await bob.end(), 0)
    const bot = await stage.program('bot', { home: bob.home, listen, count: 1_000 })
    const { last } = await bot.line(({ event }) => event === 'published')
    const morning = await stage.up('alice')
    await until(async () => (await entriesOf(morning)) === 1_006, 'the thousand entries are here')
    const feed = await morning.json('feed', bob.did, '--limit', '10000')
    assert.equal(feed.length, 1_001) // and one entry that says, sealed, whom Bob follows
    assert.deepEqual(
      feed.slice(0, 1_000).map(({ seq }) => seq),
      Array.from({ length: 1_000 }, (_, i) => 1_002 - i)
    )
    assert.equal(last, 1_002)

    // Bob's node comes back at its address: Alice finds it by herself.
    assert.equal(await bot.end(), 0)
    await morning.line(({ event }) => event === 'peer:disconnect')
    const connects = morning.lines.filter(({ event }) => event === 'peer:connect').length
    const evening = await stage.up('bob', '--listen', listen)
    await until(
      () => morning.lines.filter(({ event }) => event === 'peer:connect').length > connects,
      'they are connected again'
    )
    await evening.json('post', 'I am back')
    await morning.entry('I am back')

    // Carol knows only Bob, and reads Alice through him.
    const carol = await stage.up('carol', '--peer', evening.address)
    await morning.end()
    await carol.json('follow', back.did)
    await until(async () => (await texts(carol, back.did)).includes('hello bob'), "Carol has Alice's feed")
    assert.deepEqual(await texts(carol), ['hello bob'])
  })
})

async function befriend(one: NodeProcess, other: NodeProcess): Promise<void> {
  await Promise.all([one.json('follow', other.did), other.json('follow', one.did)])
  await until(async () => (await one.json('contacts'))[0]?.relation === 'friend', 'both know that they are friends')
}

async function texts(node: NodeProcess, ...args: string[]): Promise<string[]> {
  const entries = await node.json('feed', ...args)
  return entries.map(({ text }) => String(text)).toSorted((a, b) => (a < b ? -1 : 1))
}

async function entriesOf(node: NodeProcess): Promise<number> {
  return Number((await node.json('status'))[0].entries)
}
