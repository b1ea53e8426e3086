// What devices are told so that they can write to each other while one is away.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Comrade, joinIdentity } from '../../../src/index.ts'
import { decodeDescriptor, encodeDescriptor } from '../../../src/messages/index.ts'
import { encodeCbor, withStream } from '../../../src/feeds/index.ts'
import { framedStream } from '../../../src/node/frames.ts'
import { PEOPLE_PROTOCOL } from '../../../src/node/people-protocol.ts'
import { parseDid } from '../../../src/trust/index.ts'
import { befriend, Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'

interface Known {
  key: Uint8Array
  bundle: Uint8Array | null
  hosts: string[]
}

/** What a home knows of how to write to a device. */
function knownOf(home: string, other: Comrade): Known | undefined {
  const database = new DatabaseSync(`${home}/feeds.sqlite`, { readOnly: true, timeout: 5_000 })
  try {
    const sql = 'SELECT key, bundle, descriptor FROM mailbox_contacts WHERE device = ?'
    const row = database.prepare(sql).get(parseDid(other.identity.device)) as
      | (Known & { descriptor: Uint8Array })
      | undefined
    return row && { ...row, hosts: decodeDescriptor(row.descriptor).hosts.map(({ peer }) => peer) }
  } finally {
    database.close()
  }
}

/** Asks a question, and says what type the answer has. */
async function ask(from: Comrade, to: Comrade, question: object): Promise<string> {
  const peerId = peerIdFromString(to.libp2p.peerId.toString())
  const stream = framedStream(await from.libp2p.dialProtocol(peerId, PEOPLE_PROTOCOL))
  return withStream(stream, AbortSignal.timeout(20_000), async (messages) => {
    await messages.send(encodeCbor(question))
    for await (const answer of messages.receive()) return Buffer.from(answer).toString('latin1')
    return 'nothing'
  })
}

describe('what a device tells of its mailboxes', function () {
  this.timeout(60_000)

  it('is taken from contacts only, and only where it has the right form', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    const mallory = await homes.start('mallory')
    await befriend(alice, bob)
    await until(() => (knownOf(homes.of('bob'), alice)?.bundle?.length ?? 0) > 1_000, 'Bob has a bundle of Alice')
    const before = knownOf(homes.of('bob'), alice)
    const key = Uint8Array.of(5, ...randomBytes(32))
    const good = { type: 'mailboxes', at: 1, key, identity: key, descriptor: encodeDescriptor({ hosts: [] }) }
    const bad = [
      { type: 'mailboxes' },
      { ...good, at: -1 },
      { ...good, at: 'now' },
      { ...good, key: key.subarray(1) },
      { ...good, identity: key.subarray(1) },
      { ...good, key: Uint8Array.of(6, ...key.subarray(1)) },
      { ...good, descriptor: new Uint8Array(4_097) },
      { ...good, bundle: new Uint8Array(4_097) },
      { ...good, bundle: 'bundle' }
    ]
    for (const question of bad) assert.match(await ask(alice, bob, question), /BAD_INPUT/)
    assert.deepEqual(knownOf(homes.of('bob'), alice), before)
    await mallory.connect(bob.addresses[0])
    assert.match(await ask(mallory, bob, good), /DECLINED/)
    assert.equal(knownOf(homes.of('bob'), mallory), undefined)
    // What is no descriptor names no host; a bundle that is none begins no session.
    const nonsense = { ...good, descriptor: randomBytes(99), bundle: randomBytes(99) }
    assert.match(await ask(alice, bob, nonsense), /mailboxes/)
    await alice.stop()
    await bob.messages.send(alice.identity.did, { text: 'waits' })
    assert.equal((await bob.status()).did, bob.identity.did)
  })

  it('lets a third own device keep what the other two write to each other', async () => {
    await using homes = new Homes()
    const laptop = await homes.start('laptop')
    const join = async (name: string): Promise<Comrade> => {
      const { link } = await laptop.devices.invite()
      await joinIdentity({ home: homes.of(name), link, deviceName: name })
      return homes.start(name)
    }
    const [phone, pi] = [await join('phone'), await join('pi')]
    await phone.connect(pi.addresses[0])
    await phone.connect(laptop.addresses[0])
    await pi.connect(laptop.addresses[0])
    const place = pi.libp2p.peerId.toString()
    await until(() => knownOf(homes.of('laptop'), phone)?.hosts.includes(place) === true, 'the phone has one at the pi')
  })
})
