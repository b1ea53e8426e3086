import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { decodeDescriptor, encodeDescriptor, type MailboxDescriptor } from '../../../src/messages/index.ts'
import { MAILBOX_FRAME_SIZE } from '../../../src/messages/mailbox-frame.ts'
import { framedStream } from '../../../src/node/frames.ts'
import { MAILBOX_PROTOCOL } from '../../../src/node/messages/mailbox-service.ts'
import { until } from '../../support/network.ts'
import { cell } from '../../messages/mailbox.ts'
import { type Person, Village } from './mailboxes.ts'

const ALICE = randomBytes(32)

/** Bob, with queues for Alice at these hosts, and what Alice was told of them. */
async function bobAt(village: Village, hosts: Person[], home = village.home('bob')) {
  const bob = await village.person('bob', { friends: hosts, home })
  for (const host of hosts) host.friends = [bob]
  bob.contacts = [ALICE]
  await bob.connect(...hosts)
  await until(() => bob.book.of(ALICE).filter(({ state }) => state === 'made').length === Math.min(3, hosts.length))
  return { bob, told: toldBy(bob) }
}

function toldBy(bob: Person): MailboxDescriptor {
  return decodeDescriptor(encodeDescriptor(bob.client.descriptorFor(ALICE)!))
}

async function hostsIn(village: Village, count: number): Promise<Person[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => village.person(`host ${i}`, { isHosting: true })))
}

const heldBy = (hosts: Person[]): number[] => hosts.map(({ queues }) => queues.size.cells)

describe('mailboxes', () => {
  for (const where of ['tcp', 'memory'] as const) {
    it(`bring what was written while the recipient was away, over ${where}`, async () => {
      await using village = new Village(where)
      const [carol] = await hostsIn(village, 1)
      const home = village.home('bob')
      const { bob, told } = await bobAt(village, [carol], home)
      await bob.stop()

      const alice = await village.person('alice')
      assert.equal(await alice.client.put(told, () => [cell(1), cell(2), cell(3)]), 1)
      await alice.stop()
      assert.equal(carol.queues.size.cells, 3)

      const again = await village.person('bob', { friends: [carol], home })
      again.contacts = [ALICE]
      carol.friends = [again]
      // The peer is another one now, the queue is at the same host.
      await again.connect(carol)
      await until(() => again.received.length === 3)
      assert.deepEqual(again.received, [1, 2, 3])
      await until(() => carol.queues.size.cells === 0)
      assert.deepEqual(carol.queues.size, { queues: 1, cells: 0 })
      assert.deepEqual(carol.faults, [])
    })
  }

  it('are made at three hosts, and two of them get what is written', async () => {
    await using village = new Village()
    const hosts = await hostsIn(village, 5)
    const { bob, told } = await bobAt(village, hosts)
    assert.equal(told.hosts.length, 3)
    assert.equal(new Set(told.hosts.map(({ secret }) => Buffer.from(secret).toString('hex'))).size, 3)
    const alice = await village.person('alice')
    assert.equal(await alice.client.put(told, () => [cell(9)]), 2)
    assert.deepEqual(
      heldBy(hosts).toSorted((a, b) => a - b),
      [0, 0, 0, 1, 1]
    )
    await bob.client.poll()
    assert.deepEqual(bob.received, [9, 9], 'both copies')
    assert.deepEqual(heldBy(hosts), [0, 0, 0, 0, 0])
  })

  it('do without hosts that are away, or have lost what they had', async () => {
    await using village = new Village()
    const hosts = await hostsIn(village, 3)
    const { bob, told } = await bobAt(village, hosts)
    await hosts[0].stop()
    const alice = await village.person('alice')
    assert.equal(await alice.client.put(told, () => [cell(5)]), 2)
    const [lost] = bob.book.at(hosts[1].name)
    hosts[1].queues.end(hosts[1].queues.find(lost.receive.id)!.num)
    bob.moved.length = 0
    await bob.client.poll()
    assert.deepEqual(bob.received, [5])
    assert.deepEqual(bob.moved[0], Uint8Array.from(ALICE), 'the contact is to be told')
    await until(() => bob.book.at(hosts[1].name).some(({ state }) => state === 'made'))
    assert.equal(hosts[1].queues.size.queues, 1)
  })

  it('are made elsewhere when a host is gone for long, and asked for in case it comes back', async () => {
    await using village = new Village()
    const [carol, dave] = await hostsIn(village, 2)
    const bob = await village.person('bob', { friends: [carol, dave], goneMs: 1 })
    for (const host of [carol, dave]) host.friends = [bob]
    bob.contacts = [ALICE]
    await bob.connect(carol)
    await until(() => bob.book.of(ALICE).some(({ state }) => state === 'made'))
    const alice = await village.person('alice')
    await alice.client.put(toldBy(bob), () => [cell(1)])
    await carol.service.stop()
    await bob.client.poll()
    assert.equal(bob.client.descriptorFor(ALICE), undefined, 'there is no other one yet')
    await bob.connect(dave)
    await until(
      () =>
        bob.client
          .descriptorFor(ALICE)
          ?.hosts.map(({ peer }) => peer)
          .join() === dave.name
    )
    assert.equal(await alice.client.put(toldBy(bob), () => [cell(2)]), 1)

    await carol.service.start()
    await bob.client.poll()
    assert.deepEqual(
      bob.received.toSorted((a, b) => a - b),
      [1, 2],
      'also what had waited there'
    )
    assert.equal(toldBy(bob).hosts.length, 2)
  })

  it('move on when a host opts out, and what was there is taken first', async () => {
    await using village = new Village()
    const hosts = await hostsIn(village, 2)
    const [carol, dave] = hosts
    dave.isHosting = false
    const { bob, told } = await bobAt(village, [carol])
    dave.friends = [bob]
    bob.friends = hosts
    const alice = await village.person('alice')
    await alice.client.put(told, () => [cell(1)])
    carol.isHosting = false
    dave.isHosting = true
    await bob.connect(dave)
    await until(() => toldBy(bob).hosts.length === 2)
    await bob.client.poll()
    assert.deepEqual(bob.received, [1])
    assert.deepEqual(
      toldBy(bob).hosts.map(({ peer }) => peer),
      [dave.name]
    )
    assert.deepEqual(carol.queues.size, { queues: 0, cells: 0 })
    assert.equal(await alice.client.put(told, () => [cell(2)]), 0, 'the old place')
    assert.equal(await alice.client.put(toldBy(bob), () => [cell(2)]), 1)
  })

  it('are made anew when a device that knows them was revoked: it cannot fill the new ones', async () => {
    await using village = new Village()
    const [carol] = await hostsIn(village, 1)
    const { bob, told } = await bobAt(village, [carol])
    const stolen = await village.person('stolen')
    assert.equal(await stolen.client.put(told, () => [cell(1)]), 1)
    bob.revoked = 1
    await bob.client.review()
    await until(() => bob.client.descriptorFor(bob.contacts[0]) !== undefined)
    assert.deepEqual(bob.received, [1], 'what waited there')
    assert.equal(await stolen.client.put(told, () => [cell(2)]), 0)
    assert.equal(await stolen.client.put(toldBy(bob), () => [cell(3)]), 1, 'whoever is told of it')
    assert.equal(bob.moved.length, 3, 'made, moved on, made')
    await bob.client.poll()
    assert.equal(carol.queues.size.queues, 1, 'and it stays')
  })

  it('end for somebody who is no contact any more, who does not see why', async () => {
    await using village = new Village()
    const [carol] = await hostsIn(village, 1)
    const { bob, told } = await bobAt(village, [carol])
    const alice = await village.person('alice')
    assert.equal(await alice.client.put(told, () => [cell(1)]), 1)
    bob.contacts = []
    await bob.client.review()
    assert.deepEqual(carol.queues.size, { queues: 0, cells: 0 })
    assert.deepEqual(bob.received, [])
    assert.equal(await alice.client.put(told, () => [cell(2)]), 0)
    assert.deepEqual(bob.book.all(), [])
  })

  it('are not made by a node that hosts for nobody, nor for strangers', async () => {
    await using village = new Village()
    const [carol, dave] = [await village.person('carol', { isHosting: false }), (await hostsIn(village, 1))[0]]
    const bob = await village.person('bob')
    bob.contacts = [ALICE]
    await bob.connect(carol, dave)
    await bob.client.review()
    await bob.client.review()
    assert.equal(bob.client.descriptorFor(ALICE), undefined)
    assert.equal(carol.queues.size.queues + dave.queues.size.queues, 0)
  })

  it('give a cell again that could not be stored, and what came after it', async () => {
    await using village = new Village()
    const [carol] = await hostsIn(village, 1)
    const { bob, told } = await bobAt(village, [carol])
    const alice = await village.person('alice')
    await alice.client.put(told, () => [cell(1), cell(2), cell(3)])
    bob.onCell = (bytes) => {
      if (bytes[0] === 2) throw new Error('the disk is full')
    }
    await bob.client.poll()
    assert.deepEqual(bob.received, [1])
    assert.equal(carol.queues.size.cells, 2)
    bob.onCell = () => {}
    await bob.client.poll()
    assert.deepEqual(bob.received, [1, 2, 3])
    assert.equal(carol.queues.size.cells, 0)
  })

  it('take a bounded number of cells from a host that makes them up, and nothing from one that counts wrongly', async () => {
    await using village = new Village()
    const [carol] = await hostsIn(village, 1)
    const { bob } = await bobAt(village, [carol])
    let number = 0
    carol.queues.fetch = () => ({ number: ++number, cell: cell(7) })
    await bob.client.poll()
    assert.equal(bob.received.length, 256)
    carol.queues.fetch = () => ({ number: 3, cell: cell(8) })
    await bob.client.poll()
    assert.equal(bob.received.filter((first) => first === 8).length, 1)
    assert.equal(bob.book.of(ALICE).length, 1)
  })

  it('go on at other hosts when one is silent, and one gives nothing out', async () => {
    await using village = new Village()
    const hosts = await hostsIn(village, 3)
    const { bob, told } = await bobAt(village, hosts)
    const alice = await village.person('alice')
    await alice.client.put(told, () => [cell(4)])
    // The one that has a copy and gives it out is the last of the two.
    hosts.sort((a, b) => a.queues.size.cells - b.queues.size.cells)
    hosts[1].queues.fetch = () => undefined
    await hosts[0].service.stop()
    await hosts[0].node.libp2p.handle(MAILBOX_PROTOCOL, () => {})
    void bob.client.poll()
    await until(() => bob.received.length > 0)
    assert.deepEqual(bob.received, [4])
  })

  it('take what is sent fast in bounds: a flood ends its own stream, and others are answered', async () => {
    await using village = new Village()
    const [carol] = await hostsIn(village, 1)
    const { bob, told } = await bobAt(village, [carol])
    const mallory = await village.person('mallory')
    let sent = 0
    for (let i = 0; i < 40; i++) {
      const cells = Array.from({ length: 50 }, () => cell(1))
      const before = carol.queues.size.cells
      await mallory.client.put(told, () => cells)
      sent += carol.queues.size.cells - before
    }
    assert.equal(sent, 128)
    await bob.client.poll()
    assert.equal(bob.received.length, 128)
    assert.equal(carol.queues.size.cells, 0)
  })

  it('answer a peer no more than so often in a minute', async () => {
    await using village = new Village()
    const carol = await village.person('carol', { isHosting: true, requestsPerMinute: 5 })
    const { bob } = await bobAt(village, [carol])
    let answered = 0
    const fetch = carol.queues.fetch.bind(carol.queues)
    carol.queues.fetch = (...request) => (answered++, fetch(...request))
    for (let i = 0; i < 10; i++) await bob.client.poll()
    assert.ok(answered <= 4, `${answered} besides that which made the queue`)
    assert.equal(bob.book.of(ALICE).length, 1, 'the queue is not given up for it')
    carol.clock.now += 60_000
    const alice = await village.person('alice')
    assert.equal(await alice.client.put(toldBy(bob), () => [cell(6)]), 1)
    await bob.client.poll()
    assert.deepEqual(bob.received, [6])
    assert.deepEqual(carol.faults, [])
  })

  it('tell a fault of a peer that sends what is no frame, and go on', async () => {
    await using village = new Village()
    const [carol] = await hostsIn(village, 1)
    const { bob, told } = await bobAt(village, [carol])
    const mallory = await village.person('mallory')
    await mallory.connect(carol)
    for (const frame of [Uint8Array.of(1), randomBytes(MAILBOX_FRAME_SIZE - 1), new Uint8Array(MAILBOX_FRAME_SIZE)]) {
      const stream = framedStream(await mallory.node.libp2p.dialProtocol(carol.peerId, MAILBOX_PROTOCOL))
      await stream.send(frame)
      await assert.rejects(async () => {
        for await (const greeting of stream.receive()) assert.equal(greeting.length, MAILBOX_FRAME_SIZE)
      })
    }
    await until(() => carol.faults.length === 3)
    const alice = await village.person('alice')
    assert.equal(await alice.client.put(told, () => [cell(2)]), 1)
    await bob.client.poll()
    assert.deepEqual(bob.received, [2])
  })

  it('are not written to through descriptors that name no host, or another one', async () => {
    await using village = new Village()
    const [carol] = await hostsIn(village, 1)
    const { told } = await bobAt(village, [carol])
    const alice = await village.person('alice')
    const [place] = told.hosts
    for (const hosts of [
      [],
      [{ ...place, peer: 'no peer' }],
      [{ ...place, addresses: ['/ip4/127.0.0.1/tcp/1'], peer: alice.name }],
      [{ ...place, key: randomBytes(32) }],
      [{ ...place, secret: randomBytes(32) }]
    ])
      assert.equal(await alice.client.put({ hosts }, () => [cell(1)], { signal: AbortSignal.timeout(5_000) }), 0)
    assert.equal(carol.queues.size.cells, 0)
    for (const bytes of [randomBytes(40), encodeDescriptor(told).subarray(1)])
      assert.throws(() => decodeDescriptor(bytes), { code: 'DESCRIPTOR' })
  })
})
