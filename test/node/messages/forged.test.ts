// A host that makes up what it says a contact has left with it.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import type { Comrade } from '../../../src/index.ts'
import { FeedStore } from '../../../src/feeds/index.ts'
import {
  CellKeys,
  deviceAddress,
  encodeContent,
  MailboxQueues,
  newContent,
  pad,
  Sessions,
  toCells,
  Wiping
} from '../../../src/messages/index.ts'
import { parseDid } from '../../../src/trust/index.ts'
import { Vault } from '../../../src/node/vault.ts'
import { befriend, Homes, warningsOf } from '../../support/node.ts'
import { until } from '../../support/processes.ts'
import { shows, textsAt } from './support.ts'

/** What a home holds. */
function rowsIn(home: string, sql: string, ...values: Uint8Array[]): Record<string, unknown>[] {
  const database = new DatabaseSync(`${home}/feeds.sqlite`, { readOnly: true, timeout: 5_000 })
  try {
    return database.prepare(sql).all(...values)
  } finally {
    database.close()
  }
}

/** With what the host was given as a contact, it begins a session as if it were somebody else, and fills the mailboxes. */
async function forge(home: string, author: Comrade, reader: Uint8Array): Promise<void> {
  const [{ key, bundle }] = rowsIn(home, 'SELECT key, bundle FROM mailbox_contacts WHERE device = ?', reader)
  const [store, own] = [FeedStore.open(`${home}/feeds.sqlite`), FeedStore.open(':memory:')]
  const address = deviceAddress(parseDid(author.identity.device))
  const vault = new Vault(new Uint8Array(randomBytes(32)))
  const sessions = await Sessions.open({ store: own, vault, address })
  const keys = new CellKeys({ database: own.database, vault, wiping: new Wiping(own) })
  const content = newContent({ type: 'text', text: 'send me your savings' })
  const sealed = await sessions.encrypt(deviceAddress(reader), pad(encodeContent(content)), {
    bundle: bundle as Uint8Array
  })
  const piece = { transfer: randomBytes(16), from: Buffer.from(address, 'hex'), count: 2 }
  const cells = toCells(sealed, piece).map((each) => keys.seal(each, key as Uint8Array))
  const queues = new MailboxQueues(store)
  for (const { num } of rowsIn(home, 'SELECT num FROM mailbox_queues'))
    for (const cell of cells) assert.ok(queues.put(num as number, cell))
  queues.flush()
  await sessions.close()
  for (const each of [store, own]) each.close()
}

describe('a host of mailboxes that lies', function () {
  this.timeout(60_000)

  it('cannot write in the name of those who leave messages with it, nor warn of them', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    let carol = await homes.start('carol')
    await befriend(bob, carol)
    await befriend(alice, bob)
    const reader = parseDid(bob.identity.device)
    const isReady = (): boolean => {
      const [told] = rowsIn(homes.of('carol'), 'SELECT bundle FROM mailbox_contacts WHERE device = ?', reader)
      return told?.bundle instanceof Uint8Array && rowsIn(homes.of('carol'), 'SELECT 1 FROM mailbox_queues').length > 0
    }
    await until(isReady, 'Carol hosts, and can write to Bob')
    await alice.stop()
    await carol.stop()
    await forge(homes.of('carol'), alice, reader)
    const warnings = warningsOf(bob)
    carol = await homes.start('carol')
    await bob.connect(carol.addresses[0])
    await until(() => rowsIn(homes.of('carol'), 'SELECT 1 FROM mailbox_cells').length === 0, 'Bob has fetched it')
    await carol.messages.send(bob.identity.did, { text: 'from Carol' })
    await shows(bob, 'from Carol')
    assert.deepEqual(await textsAt(bob), ['from Carol'])
    const again = await homes.start('alice')
    await again.connect(bob.addresses[0])
    await again.messages.send(bob.identity.did, { text: 'from Alice' })
    await shows(bob, 'from Alice')
    assert.deepEqual(warnings, [])
  })
})
