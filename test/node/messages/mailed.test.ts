import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Comrade, Message } from '../../../src/index.ts'
import { decodeDescriptor } from '../../../src/messages/index.ts'
import { parseDid } from '../../../src/trust/index.ts'
import { befriend, Homes } from '../../support/node.ts'
import { sleep, until } from '../../support/processes.ts'

async function stateOf(node: Comrade, id: string): Promise<Message['state'] | undefined> {
  return (await Array.fromAsync(node.messages.list({ limit: 100 }))).find((each) => each.id === id)?.state
}

async function textsAt(node: Comrade): Promise<(string | undefined)[]> {
  return (await Array.fromAsync(node.messages.list({ limit: 100 }))).map(({ text }) => text)
}

async function is(node: Comrade, id: string, state: Message['state']): Promise<void> {
  await until(async () => (await stateOf(node, id)) === state, `the message is ${state}`)
}

function rowsIn(home: string, table: string): number {
  const database = new DatabaseSync(`${home}/feeds.sqlite`, { readOnly: true, timeout: 5_000 })
  try {
    return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()!.n)
  } finally {
    database.close()
  }
}

/** Beginnings of the cells that a host keeps. */
function cellsIn(home: string): string[] {
  const database = new DatabaseSync(`${home}/feeds.sqlite`, { readOnly: true, timeout: 5_000 })
  try {
    const rows = database.prepare('SELECT bytes FROM mailbox_cells').all() as { bytes: Uint8Array }[]
    return rows.map(({ bytes }) => Buffer.from(bytes).toString('hex'))
  } finally {
    database.close()
  }
}

/** At how many hosts a node can leave something for the other's device. */
function hostsFor(home: string, other: Comrade): number {
  const database = new DatabaseSync(`${home}/feeds.sqlite`, { readOnly: true, timeout: 5_000 })
  try {
    const device = parseDid(other.identity.device)
    const row = database.prepare('SELECT descriptor FROM mailbox_contacts WHERE device = ?').get(device)
    return row === undefined ? 0 : decodeDescriptor(row.descriptor as Uint8Array).hosts.length
  } finally {
    database.close()
  }
}

function holds(directory: string, bytes: Buffer): boolean {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .some((path) => readFileSync(path).includes(bytes))
}

/** Alice and Bob, who have written to each other, and Carol, a friend of Bob's. */
async function threeFriends(homes: Homes) {
  const [alice, bob, carol] = [await homes.start('alice'), await homes.start('bob'), await homes.start('carol')]
  await befriend(bob, carol)
  await befriend(alice, bob)
  const first = await alice.messages.send(bob.identity.did, { text: 'first' })
  await is(alice, first.id, 'delivered')
  await until(() => hostsFor(homes.of('alice'), bob) === 1, 'Alice knows where Bob has a mailbox for her')
  return { alice, bob, carol }
}

describe('private messages over mailboxes', function () {
  this.timeout(60_000)

  it('come although the two are never online together, and leave nothing at the host', async () => {
    await using homes = new Homes()
    const friends = await threeFriends(homes)
    const { carol } = friends
    let { alice, bob } = friends
    await bob.stop()
    const sent = await alice.messages.send(bob.identity.did, { text: 'the canary sings at noon' })
    await is(alice, sent.id, 'mailed')
    await alice.stop()
    assert.equal(rowsIn(homes.of('carol'), 'mailbox_cells'), 2)

    bob = await homes.start('bob')
    await bob.connect(carol.addresses[0])
    await until(async () => (await textsAt(bob)).includes('the canary sings at noon'), 'Bob reads it')
    await until(() => rowsIn(homes.of('carol'), 'mailbox_cells') === 0, 'Carol has nothing any more')
    await carol.stop()
    assert.equal(holds(homes.of('carol'), Buffer.from('canary')), false)

    alice = await homes.start('alice')
    assert.equal(await stateOf(alice, sent.id), 'mailed')
    await alice.connect(bob.addresses[0])
    await is(alice, sent.id, 'delivered')
    assert.deepEqual(
      (await textsAt(bob)).filter((text) => text?.includes('canary')),
      ['the canary sings at noon'],
      'once'
    )
    assert.equal(rowsIn(homes.of('alice'), 'message_outbox'), 0)
  })

  it('bring answers and receipts back the same way', async () => {
    await using homes = new Homes()
    const friends = await threeFriends(homes)
    const { carol } = friends
    let { alice, bob } = friends
    await befriend(alice, carol)
    await until(() => hostsFor(homes.of('bob'), alice) === 1, 'Bob knows where Alice has a mailbox')
    await bob.stop()
    const sent = await alice.messages.send(bob.identity.did, { text: 'are you well?' })
    await is(alice, sent.id, 'mailed')
    await alice.stop()

    bob = await homes.start('bob')
    await bob.connect(carol.addresses[0])
    await until(async () => (await textsAt(bob)).includes('are you well?'), 'Bob reads it')
    const answer = await bob.messages.send(alice.identity.did, { text: 'very', reply: sent.id })
    await is(bob, answer.id, 'mailed')
    await bob.stop()

    alice = await homes.start('alice')
    await alice.connect(carol.addresses[0])
    await until(async () => (await textsAt(alice)).includes('very'), 'Alice reads the answer')
    await is(alice, sent.id, 'delivered')
  })

  it('come also from whoever goes on with an older copy of the home', async function () {
    this.timeout(120_000)
    await using homes = new Homes()
    const { carol, ...friends } = await threeFriends(homes)
    let { alice, bob } = friends
    await befriend(alice, carol)
    await until(() => hostsFor(homes.of('bob'), alice) === 1, 'Bob knows where Alice has a mailbox')
    const up = async (name: string): Promise<Comrade> => {
      const node = await homes.start(name)
      await node.connect(carol.addresses[0])
      return node
    }
    await alice.stop()
    homes.copy('alice', 'copy')
    alice = await up('alice')
    const sent = await alice.messages.send(bob.identity.did, { text: 'not in the copy' })
    await is(alice, sent.id, 'delivered')
    await Promise.all([alice.stop(), bob.stop()])
    homes.copy('copy', 'alice')
    alice = await up('alice')
    const late = await alice.messages.send(bob.identity.did, { text: 'by the copy' })
    await is(alice, late.id, 'mailed')
    await alice.stop()

    bob = await up('bob') // cannot open it, and asks for it
    await until(() => rowsIn(homes.of('carol'), 'mailbox_cells') === 0, 'it was fetched')
    await until(() => rowsIn(homes.of('carol'), 'mailbox_cells') > 0, 'Bob has asked')
    await bob.stop()
    alice = await up('alice') // seals it anew
    await until(() => rowsIn(homes.of('carol'), 'mailbox_cells') === 0, 'it was asked')
    await until(() => rowsIn(homes.of('carol'), 'mailbox_cells') >= 4, 'it was sent again, and that it had been asked')
    await alice.stop()
    bob = await up('bob')
    await until(async () => (await textsAt(bob)).includes('by the copy'), 'Bob reads it')
    assert.deepEqual((await textsAt(bob)).toReversed(), ['first', 'not in the copy', 'by the copy'])
  })

  it('survive the loss of one of two hosts', async () => {
    await using homes = new Homes()
    const { alice, carol, ...friends } = await threeFriends(homes)
    let { bob } = friends
    const dave = await homes.start('dave')
    await befriend(bob, dave)
    await until(() => hostsFor(homes.of('alice'), bob) === 2, 'Alice was told of both')
    await bob.stop()
    const sent = await alice.messages.send(bob.identity.did, { text: 'two copies' })
    await is(alice, sent.id, 'mailed')
    await until(() => rowsIn(homes.of('dave'), 'mailbox_cells') === 2, 'Dave has one, too')
    const kept = ['carol', 'dave'].flatMap((host) => cellsIn(homes.of(host)))
    assert.equal(new Set(kept).size, 4, 'no two are the same, by which their hosts could see that they belong together')
    await Promise.all([alice.stop(), carol.stop()])
    await homes.start('carol in a new home')
    bob = await homes.start('bob')
    await bob.connect(dave.addresses[0])
    await until(async () => (await textsAt(bob)).includes('two copies'), 'Bob reads it')
  })

  it('are not kept for others by a node that does not want to', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    const carol = await homes.start('carol', {}, { mailboxes: 'off' })
    await befriend(bob, carol)
    await befriend(alice, bob)
    const first = await alice.messages.send(bob.identity.did, { text: 'first' })
    await is(alice, first.id, 'delivered')
    await until(() => hostsFor(homes.of('carol'), bob) === 1, 'Alice has a mailbox for Bob’s friend Carol')
    assert.equal(hostsFor(homes.of('alice'), bob), 0)
    assert.equal(rowsIn(homes.of('carol'), 'mailbox_queues'), 0)
  })

  it('are not taken any more from who is blocked in between', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await threeFriends(homes)
    await bob.contacts.block(alice.identity.did)
    await until(() => rowsIn(homes.of('carol'), 'mailbox_queues') === 0, 'the mailbox is gone')
    const sent = await alice.messages.send(bob.identity.did, { text: 'are you angry?' })
    await sleep(6_000) // mailboxes are used after five seconds
    assert.equal(await stateOf(alice, sent.id), 'queued')
    assert.equal(rowsIn(homes.of('carol'), 'mailbox_cells'), 0)
    assert.deepEqual(await textsAt(bob), [])
    assert.equal((await carol.status()).peers, 2)
  })
})
