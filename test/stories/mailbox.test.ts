// People who are never online together write to each other through a friend's node: the first message as well as later
// ones, to several devices, when a host is lost, and when the writer's own directory is an older copy.
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Line, type NodeProcess, sleep, Stage, until } from '../support/processes.ts'

/** Makes friends of two running nodes. */
async function meet(one: NodeProcess, other: NodeProcess): Promise<void> {
  const [{ link }] = await one.json('meet')
  await other.json('meet', String(link), '--yes')
}

async function textsAt(node: NodeProcess): Promise<unknown[]> {
  return (await node.json('messages', '--limit', '1000')).map(({ text }) => text).toReversed()
}

async function sortedTextsAt(node: NodeProcess): Promise<string[]> {
  return (await textsAt(node)).map(String).toSorted((a, b) => a.localeCompare(b))
}

/** Asks a node until it is so; each time is a process, so there is a pause between. */
async function untilAt(node: NodeProcess, isSo: (messages: Line[]) => boolean, what: string): Promise<void> {
  for (let i = 0; !isSo(await node.json('messages', '--limit', '1000')); i++) {
    if (i > 100) throw new Error(`not so: ${what}`)
    await sleep(300)
  }
}

async function reads(node: NodeProcess, ...texts: string[]): Promise<void> {
  const areShown = (messages: Line[]): boolean => texts.every((each) => messages.some(({ text }) => text === each))
  await untilAt(node, areShown, `${texts.join(', ')} is read`)
}

async function isAt(node: NodeProcess, sent: Line, state: string): Promise<void> {
  const isSo = (messages: Line[]): boolean => messages.some(({ id, state: now }) => id === sent.id && now === state)
  await untilAt(node, isSo, `${String(sent.text)} is ${state}`)
}

/** Writes a message, and waits until it has come this far. */
async function write(from: NodeProcess, to: NodeProcess, text: string, state: string): Promise<Line> {
  const [sent] = await from.json('message', to.did, text)
  await isAt(from, sent, state)
  return sent
}

function rowsIn(home: string, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(join(home, 'feeds.sqlite'), { readOnly: true, timeout: 5_000 })
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}

/** Waits until a node can write to so many devices that it has never written to, each at so many hosts. */
async function canWriteTo(node: NodeProcess, devices: number, hosts: number): Promise<void> {
  const sql = 'SELECT descriptor FROM mailbox_contacts WHERE bundle IS NOT NULL'
  // Each host takes more than 150 bytes of a descriptor.
  const isTold = ({ descriptor }: Record<string, unknown>): boolean => (descriptor as Uint8Array).length > 150 * hosts
  await until(() => rowsIn(node.home, sql).filter(isTold).length >= devices, `${devices} devices have mailboxes`)
}

function cellsAt(host: NodeProcess): Buffer[] {
  return rowsIn(host.home, 'SELECT bytes FROM mailbox_cells').map(({ bytes }) => Buffer.from(bytes as Uint8Array))
}

/** Whether any file of a home has one of these in it. */
function holds(home: string, all: readonly Buffer[]): boolean {
  return readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name)))
    .some((file) => all.some((bytes) => file.includes(bytes)))
}

/** Whether a node has libsignal in its memory, where that can be seen. */
function hasLoaded({ child }: NodeProcess): boolean | undefined {
  return process.platform === 'linux'
    ? readFileSync(`/proc/${child.pid}/maps`, 'utf8').includes('libsignal')
    : undefined
}

describe('a mailbox at a friend', function () {
  this.timeout(120_000)

  it('brings the first message between two people to both devices of one, and keeps nothing of it', async () => {
    await using stage = new Stage()
    let [alice, bob] = [await stage.up('alice'), await stage.up('bob')]
    const carol = await stage.up('carol')
    const [{ link }] = await bob.json('device', 'invite')
    assert.equal((await stage.run(stage.home('pi'), 'device', 'join', String(link), '--name', 'pi')).code, 0)
    await meet(bob, carol)
    await meet(alice, carol)
    await meet(alice, bob)
    let pi = await stage.up('pi', '--peer', carol.address, '--peer', alice.address)
    await canWriteTo(alice, 3, 1)
    for (const node of [alice, bob, pi, carol]) assert.notEqual(hasLoaded(node), true, 'it was not used yet')
    await Promise.all([bob.end(), pi.end()])

    const first = await write(alice, bob, 'the first', 'mailed')
    await until(() => cellsAt(carol).length >= 4, 'the copy for the other device is there, too')
    const cells = cellsAt(carol)
    assert.ok(holds(carol.home, cells))
    await alice.end()
    const up = (name: string): Promise<NodeProcess> => stage.up(name, '--peer', carol.address)
    bob = await up('bob')
    await reads(bob, 'the first')
    await bob.end()
    pi = await up('pi')
    await reads(pi, 'the first')
    await until(() => !holds(carol.home, cells), 'Carol has nothing of it any more')

    await write(pi, alice, 'from the pi', 'mailed')
    await until(() => rowsIn(pi.home, 'SELECT * FROM mailbox_put').length === 2, 'there is a copy for the laptop, too')
    await pi.end()
    alice = await up('alice')
    await reads(alice, 'from the pi')
    await isAt(alice, first, 'delivered')
    bob = await up('bob')
    await reads(bob, 'the first', 'from the pi')
    pi = await up('pi') // takes what says that its message came
    await until(() => cellsAt(carol).length === 0, 'Carol has no cell')
    assert.notEqual(hasLoaded(carol), true, 'hosts need not open anything')
    assert.notEqual(hasLoaded(bob), false)
  })

  it('is not missed when it is lost, with a second one at another friend', async () => {
    await using stage = new Stage()
    let [alice, bob] = [await stage.up('alice'), await stage.up('bob')]
    const [carol, dave] = [await stage.up('carol'), await stage.up('dave')]
    await meet(alice, bob)
    await meet(bob, carol)
    await meet(bob, dave)
    await canWriteTo(alice, 1, 2)
    await bob.end()
    await write(alice, bob, 'before the loss', 'mailed')
    await until(() => cellsAt(carol).length > 0 && cellsAt(dave).length > 0, 'both have it')
    await carol.end('SIGKILL')
    rmSync(carol.home, { recursive: true })
    await write(alice, bob, 'after the loss', 'mailed')
    await alice.end()
    bob = await stage.up('bob', '--peer', dave.address)
    await reads(bob, 'before the loss', 'after the loss')
    alice = await stage.up('alice', '--peer', bob.address)
    await write(bob, alice, 'I have both', 'delivered')
    assert.deepEqual(await textsAt(bob), ['before the loss', 'after the loss', 'I have both'])
  })

  it('serves also whoever was restored from an older copy of the directory', async () => {
    await using stage = new Stage()
    let [alice, bob] = [await stage.up('alice'), await stage.up('bob')]
    const carol = await stage.up('carol')
    await meet(alice, bob)
    await meet(alice, carol)
    await meet(bob, carol)
    await write(alice, bob, 'one', 'delivered')
    await alice.end()
    cpSync(alice.home, join(stage.path, 'copy'), { recursive: true })
    const up = (name: string): Promise<NodeProcess> => stage.up(name, '--peer', carol.address)
    alice = await up('alice')
    await write(alice, bob, 'two', 'delivered')
    await write(bob, alice, 'three', 'delivered')
    await write(alice, bob, 'four', 'delivered')
    await alice.end()
    await write(bob, alice, 'five', 'mailed')
    await bob.end()

    rmSync(alice.home, { recursive: true })
    cpSync(join(stage.path, 'copy'), alice.home, { recursive: true })
    alice = await up('alice')
    await write(alice, bob, 'six', 'mailed')
    await alice.end()
    bob = await up('bob')
    alice = await up('alice')
    await write(alice, bob, 'seven', 'delivered')
    await write(bob, alice, 'eight', 'delivered')
    await reads(bob, 'six')
    await reads(alice, 'five')
    assert.deepEqual(await sortedTextsAt(bob), ['eight', 'five', 'four', 'one', 'seven', 'six', 'three', 'two'])
    assert.deepEqual(await sortedTextsAt(alice), ['eight', 'five', 'one', 'seven', 'six'])
  })
})
