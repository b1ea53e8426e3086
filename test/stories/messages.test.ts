// Private messages as users would write them: whole nodes in processes of their own.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type NodeProcess, Stage, until } from '../support/processes.ts'

/** Makes friends of two running nodes. */
async function meet(one: NodeProcess, other: NodeProcess): Promise<void> {
  const [{ link }] = await one.json('meet')
  await other.json('meet', String(link), '--yes')
}

async function textsAt(node: NodeProcess): Promise<unknown[]> {
  return (await node.json('messages', '--limit', '1000')).map(({ text }) => text).toReversed()
}

async function stateOf(node: NodeProcess, id: unknown): Promise<unknown> {
  return (await node.json('messages')).find((message) => message.id === id)?.state
}

/** Files of a home in which this text stands. */
function filesWith(home: string, text: string): string[] {
  return readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => readFileSync(file).includes(text))
}

describe('messages between people', function () {
  this.timeout(180_000)

  it('arrive while both are online, and after the one to whom they were written was off', async () => {
    await using stage = new Stage()
    let [alice, bob] = [await stage.up('alice'), await stage.up('bob')]
    await meet(alice, bob)
    const following = bob.follow('messages', '--follow')
    const [sent] = await alice.json('message', bob.did, 'hello bob')
    assert.deepEqual([sent.from, sent.to, sent.text, sent.state], [alice.did, bob.did, 'hello bob', 'queued'])
    await following.line(({ text }) => text === 'hello bob')
    await until(async () => (await stateOf(alice, sent.id)) === 'delivered', 'it is delivered')
    await following.end('SIGINT')
    await bob.end()
    const [late] = await alice.json('message', bob.did, 'are you there?')
    await alice.end()
    await bob.run('config', 'set', 'readReceipts', 'on')
    alice = await stage.up('alice')
    assert.equal(await stateOf(alice, late.id), 'queued')
    bob = await stage.up('bob', '--peer', alice.address)
    await until(async () => (await stateOf(alice, late.id)) === 'delivered', 'it is delivered at last')
    assert.deepEqual(await textsAt(bob), ['hello bob', 'are you there?'])
    assert.equal(await stateOf(alice, late.id), 'delivered')
    await bob.json('messages', 'read', String(late.id))
    await until(async () => (await stateOf(alice, late.id)) === 'read', 'Alice is told that it was read')
    await bob.json('message', alice.did, 'now I am')
    await until(async () => (await textsAt(alice)).includes('now I am'), 'the answer comes')
    const wrong = await alice.run('message', bob.did, '')
    assert.equal(wrong.code, 2)
  })

  it('are each shown once, whenever either is killed', async () => {
    await using stage = new Stage()
    let [alice, bob] = [await stage.up('alice'), await stage.up('bob')]
    await meet(alice, bob)
    const texts = Array.from({ length: 24 }, (_, i) => `message ${i}`)
    for (const [i, text] of texts.entries()) {
      await alice.json('message', bob.did, text)
      // In the middle of whatever follows a send: sealing, sending, opening, acknowledging.
      if (i % 6 === 2) {
        await bob.end('SIGKILL')
        bob = await stage.up('bob', '--peer', alice.address)
      }
      if (i % 6 === 5) {
        await alice.end('SIGKILL')
        alice = await stage.up('alice', '--peer', bob.address)
      }
    }
    await until(
      async () => (await alice.json('messages')).every(({ state }) => state === 'delivered'),
      'all are delivered',
      60_000
    )
    assert.deepEqual(await textsAt(bob), texts)
    assert.ok((await bob.json('messages')).every(({ isAfterGap }) => isAfterGap === false))
  })

  it('stand in no file of a friend of both, nor readable in their own homes', async () => {
    await using stage = new Stage()
    const [alice, bob, carol] = [await stage.up('alice'), await stage.up('bob'), await stage.up('carol')]
    await meet(alice, bob)
    await meet(alice, carol)
    await meet(bob, carol)
    const canary = 'canary-5d1f0c7e'
    await alice.json('message', bob.did, canary)
    await until(async () => (await textsAt(bob)).includes(canary), 'it comes')
    for (const node of [alice, bob, carol]) assert.deepEqual(filesWith(node.home, canary), [])
    await Promise.all([alice.end(), bob.end(), carol.end()])
    for (const node of [alice, bob, carol]) assert.deepEqual(filesWith(node.home, canary), [])
  })
})
