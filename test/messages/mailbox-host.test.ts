import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { ENDLESS_ROOM, messageStreamPair } from '../../src/feeds/index.ts'
import { MailboxCaller, MailboxHost, type NumberedCell } from '../../src/messages/index.ts'
import { encodeRequest, MAILBOX_FRAME_SIZE, requestBody } from '../../src/messages/mailbox-frame.ts'
import { MAX_REFUSALS } from '../../src/messages/mailbox-host.ts'
import { mailboxKey, macKey, macOf } from '../../src/messages/mailbox-key.ts'
import { CELL_DAYS, MAX_QUEUE_CELLS, QUEUE_DAYS } from '../../src/messages/mailbox-queues.ts'
import { cell, hostMailboxes, queueKeys } from './mailbox.ts'

type Host = ReturnType<typeof hostMailboxes>

/** A host with a queue that a friend made. */
async function hostWithQueue(options: Parameters<typeof hostMailboxes>[0] = {}) {
  const host = hostMailboxes(options)
  const keys = queueKeys()
  const friend = await host.call({ friend: 'bob' })
  assert.ok(await friend.make(keys.receive, keys.send.id))
  return { host, friend, stranger: await host.call(), ...keys }
}

async function readAll(reader: MailboxCaller, receive: ReturnType<typeof queueKeys>['receive']): Promise<number[]> {
  const firsts: number[] = []
  for (let after = 0; ;) {
    const found = await reader.fetch(receive, after)
    if (found === 'empty' || found === 'no') return firsts
    firsts.push(found.cell[0])
    after = found.number
  }
}

/** A million where the environment says 100. */
const FLOOD = 10_000 * Number(process.env.COMRADE_PROOF_SCALE ?? 1)

describe('host of mailboxes', () => {
  it('keeps cells in order until they are acknowledged', async () => {
    const { host, friend, stranger, send, receive } = await hostWithQueue()
    using _ = host
    const cells = [cell(), cell(), cell()]
    for (const each of cells) assert.ok(await stranger.put(send, each))
    const first = (await friend.fetch(receive, 0)) as NumberedCell
    assert.deepEqual(first.cell, Uint8Array.from(cells[0]))
    assert.deepEqual(await friend.fetch(receive, 0), first, 'nothing is gone before it was acknowledged')
    assert.ok(await friend.acknowledge(receive, first.number))
    assert.deepEqual(((await friend.fetch(receive, 0)) as NumberedCell).cell, Uint8Array.from(cells[1]))
    assert.ok(await friend.acknowledge(receive, 4_000_000_000))
    assert.equal(await friend.fetch(receive, 0), 'empty')
    assert.deepEqual(host.queues.size, { queues: 1, cells: 0 })
  })

  it('never gives a number twice, also when the queue was empty in between', async () => {
    const { host, friend, stranger, send, receive } = await hostWithQueue()
    using _ = host
    const numbers: number[] = []
    for (let i = 0; i < 3; i++) {
      await stranger.put(send, cell())
      const { number } = (await friend.fetch(receive, 0)) as NumberedCell
      numbers.push(number)
      await friend.acknowledge(receive, number)
      host.restart()
    }
    assert.deepEqual(numbers, [1, 2, 3])
  })

  it('takes nothing, and says no, while there is no room for what others send; what is there is given out', async () => {
    const { host, friend, stranger, send, receive } = await hostWithQueue()
    using _ = host
    await stranger.put(send, cell(1))
    host.store.store.room = { ...ENDLESS_ROOM, isLeft: false }
    assert.equal(await stranger.put(send, cell(2)), false)
    const another = queueKeys()
    assert.equal(await friend.make(another.receive, another.send.id), false)
    assert.deepEqual(await readAll(friend, receive), [1])
    host.store.store.room = ENDLESS_ROOM
    assert.ok(await stranger.put(send, cell(3)))
  })

  it('makes a queue once, however often it is asked, and only for friends', async () => {
    using host = hostMailboxes()
    const { receive, send } = queueKeys()
    const [stranger, friend] = [await host.call(), await host.call({ friend: 'bob' })]
    assert.equal(await stranger.make(receive, send.id), false)
    assert.ok(await friend.make(receive, send.id))
    assert.ok(await friend.make(receive, send.id))
    assert.equal(await friend.make(receive, queueKeys().send.id), false, 'with another writer')
    assert.equal(await friend.make(queueKeys().receive, send.id), false, 'with the writer of another queue')
    assert.equal(await friend.make(queueKeys().receive, receive.id), false)
    const both = mailboxKey()
    assert.equal(await friend.make(both, both.id), false, 'one id for both')
    assert.deepEqual(host.queues.size, { queues: 1, cells: 0 })
  })

  it('lets the writer write and the reader read, and neither do what the other may', async () => {
    const { host, stranger, send, receive } = await hostWithQueue()
    using _ = host
    assert.equal(await stranger.put(receive, cell()), false)
    await stranger.put(send, cell())
    assert.equal(await stranger.fetch(send, 0), 'no')
    assert.equal(await stranger.acknowledge(send, 1), false)
    assert.equal(await stranger.end(send), false)
    assert.deepEqual(host.queues.size, { queues: 1, cells: 1 })
  })

  it('answers a wrong MAC, an unknown queue and a full one with the same bytes', async () => {
    const { host, send } = await hostWithQueue()
    using _ = host
    const answers = new Set<string>()
    const ask = async (key: typeof send): Promise<void> => {
      const [here, there] = messageStreamPair()
      void new MailboxHost({ queues: host.queues, isHosting: true }).serve(there)
      const frames = here.receive()[Symbol.asyncIterator]()
      const greeting = (await frames.next()).value as Uint8Array
      const hostKey = host.queues.key.id
      const body = requestBody({ kind: 'put', id: key.id, cell: cell() })
      await here.send(
        encodeRequest(body, macOf(macKey(key.secret, hostKey, key.id, hostKey), greeting.subarray(2, 34), 0, body))
      )
      answers.add(Buffer.from((await frames.next()).value as Uint8Array).toString('hex'))
    }
    const writer = await host.call()
    for (let i = 0; i < MAX_QUEUE_CELLS; i++) assert.ok(await writer.put(send, cell()))
    await ask(send)
    await ask(mailboxKey())
    await ask({ id: send.id, secret: randomBytes(32) })
    await ask({ id: new Uint8Array(32), secret: randomBytes(32) })
    assert.equal(answers.size, 1)
    assert.equal([...answers][0].length, 2 * MAILBOX_FRAME_SIZE)
    assert.equal(host.queues.size.cells, MAX_QUEUE_CELLS)
  })

  it('takes no request of another stream, or of another place in its own', async () => {
    const { host, send } = await hostWithQueue()
    using _ = host
    const sent: Uint8Array[] = []
    const record = async (): Promise<MailboxCaller> => {
      const [here, there] = messageStreamPair()
      void new MailboxHost({ queues: host.queues, isHosting: true }).serve(there)
      const tap = {
        ...here,
        receive: () => here.receive(),
        send: (frame: Uint8Array) => (sent.push(frame), here.send(frame))
      }
      return MailboxCaller.open(tap)
    }
    assert.ok(await (await record()).put(send, cell()))
    for (let i = 0; i < 2; i++) {
      const [here, there] = messageStreamPair()
      void new MailboxHost({ queues: host.queues, isHosting: true }).serve(there)
      const frames = here.receive()[Symbol.asyncIterator]()
      await frames.next()
      await here.send(sent[0])
      assert.equal(((await frames.next()).value as Uint8Array)[0], 36, 'no')
    }
    assert.equal(host.queues.size.cells, 1)
  })

  it('ends a stream on which too much was refused, with little work for it', async () => {
    const { host, send } = await hostWithQueue()
    using _ = host
    const flood = await host.call()
    let refused = 0
    await assert.rejects(async () => {
      for (;;) if (!(await flood.put({ id: send.id, secret: randomBytes(32) }, cell()))) refused++
    })
    assert.equal(refused, MAX_REFUSALS)
    assert.equal(((await flood.ended) as { code?: string }).code, 'FLOOD')
  })

  it(`has no more after a flood of ${FLOOD} cells than before, and lets the next one in when there is room`, async function () {
    this.timeout(60_000 + FLOOD)
    const { host, friend, stranger, send, receive } = await hostWithQueue({ kind: 'disk' })
    using _ = host
    const hostKey = host.queues.key.id
    const key = macKey(send.secret, hostKey, send.id, hostKey)
    const body = requestBody({ kind: 'put', id: send.id, cell: cell() })
    const sizes: number[] = []
    let taken = 0
    for (let sent = 0; sent < FLOOD;) {
      const exchange = new MailboxHost({ queues: host.queues, isHosting: true })
      const nonce = exchange.greeting().subarray(2, 34)
      const more = taken === MAX_QUEUE_CELLS ? MAX_REFUSALS : MAX_QUEUE_CELLS
      for (let place = 0; place < more; place++, sent++)
        if (exchange.answer(encodeRequest(body, macOf(key, nonce, place, body)))[0] === 33) taken++
      sizes.push(statSync(host.store.path).size)
    }
    assert.equal(taken, MAX_QUEUE_CELLS)
    assert.deepEqual(host.queues.size, { queues: 1, cells: MAX_QUEUE_CELLS })
    assert.equal(sizes.at(-1), sizes[1], 'its file has not grown')
    await friend.acknowledge(receive, 1)
    assert.ok(await stranger.put(send, cell()))
  })

  it('ends a stream with a frame of another size or kind, and goes on with others', async () => {
    const { host, send, stranger } = await hostWithQueue()
    using _ = host
    for (const frame of [
      Uint8Array.of(1),
      new Uint8Array(MAILBOX_FRAME_SIZE),
      new Uint8Array(MAILBOX_FRAME_SIZE).fill(255),
      new Uint8Array(MAILBOX_FRAME_SIZE - 1).fill(2),
      new Uint8Array(1_048_576)
    ]) {
      const { stream, ended } = await host.call()
      await stream.send(frame)
      assert.equal(((await ended) as { code?: string }).code, 'FRAME')
    }
    assert.ok(await stranger.put(send, cell()))
  })

  it('changes nothing at mutated and cut frames', async () => {
    const { host, send, receive } = await hostWithQueue()
    using _ = host
    const hostKey = host.queues.key.id
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('put', 'end', 'acknowledge' as const),
        fc.nat(MAILBOX_FRAME_SIZE - 1),
        fc.integer({ min: 1, max: 255 }),
        async (kind, at, change) => {
          const exchange = new MailboxHost({ queues: host.queues, isHosting: true, friend: 'bob' })
          const key = kind === 'put' ? send : receive
          const body = requestBody({ kind, id: key.id, cell: cell() })
          const mac = macOf(macKey(key.secret, hostKey, key.id, hostKey), exchange.greeting().subarray(2, 34), 0, body)
          const frame = encodeRequest(body, mac)
          frame[at] ^= change
          try {
            assert.equal(exchange.answer(frame)[0], 36)
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'FRAME')
          }
          assert.deepEqual(host.queues.size, { queues: 1, cells: 0 })
        }
      ),
      { numRuns: 300 }
    )
  })

  it('takes no more than 128 cells in a queue, and goes on when there is room again', async () => {
    const { host, friend, stranger, send, receive } = await hostWithQueue()
    using _ = host
    for (let i = 0; i < MAX_QUEUE_CELLS; i++) assert.ok(await stranger.put(send, cell()))
    assert.equal(await stranger.put(send, cell()), false)
    await friend.acknowledge(receive, 1)
    assert.ok(await stranger.put(send, cell()))
    assert.equal(await stranger.put(send, cell()), false)
  })

  it('holds a friend to its quota of queues and cells, and does not let it take that of others', async () => {
    using host = hostMailboxes({ limits: { queuesPerFriend: 2, cellsPerFriend: 3 } })
    const [bob, carol] = [await host.call({ friend: 'bob' }), await host.call({ friend: 'carol' })]
    const keys = [queueKeys(), queueKeys(), queueKeys()]
    const make = (caller: MailboxCaller, { receive, send }: (typeof keys)[0]) => caller.make(receive, send.id)
    assert.ok(await make(bob, keys[0]))
    assert.ok(await make(bob, keys[1]))
    assert.equal(await make(bob, keys[2]), false)
    assert.ok(await make(carol, keys[2]))
    for (let i = 0; i < 3; i++) assert.ok(await carol.put(keys[i % 2].send, cell()))
    assert.equal(await carol.put(keys[0].send, cell()), false)
    assert.ok(await carol.put(keys[2].send, cell()))
    assert.ok(await bob.end(keys[0].receive))
    assert.ok(await make(bob, queueKeys()))
  })

  it('counts what waits for a friend again after a start, once the friend has asked for it', async () => {
    const { host, send, receive } = await hostWithQueue({ limits: { cellsPerFriend: 1, queuesPerFriend: 1 } })
    using _ = host
    host.restart()
    const bob = await host.call({ friend: 'bob' })
    assert.ok(await bob.put(send, cell()))
    assert.ok(await bob.put(send, cell()), 'whose it is, nobody knows yet')
    await bob.fetch(receive, 0)
    assert.equal(await bob.put(send, cell()), false)
    assert.equal(await bob.make(queueKeys().receive, queueKeys().send.id), false)
  })

  it('keeps all of it within bounds, also where nobody knows whose it is', async () => {
    using host = hostMailboxes({ limits: { queues: 2, cells: 3 } })
    const keys = [queueKeys(), queueKeys(), queueKeys()]
    const made: boolean[] = []
    for (const [i, { receive, send }] of keys.entries()) {
      host.restart()
      made.push(await (await host.call({ friend: `friend ${i}` })).make(receive, send.id))
    }
    assert.deepEqual(made, [true, true, false])
    const writer = await host.call()
    const taken: boolean[] = []
    for (let i = 0; i < 4; i++) taken.push(await writer.put(keys[i % 2].send, cell()))
    assert.deepEqual(taken, [true, true, true, false])
  })

  it('takes nothing more when its user has opted out, but gives out what there is', async () => {
    const { host, send, receive } = await hostWithQueue()
    using _ = host
    await (await host.call()).put(send, cell(7))
    const bob = await host.call({ friend: 'bob', isHosting: false })
    assert.equal(bob.isHosting, false)
    assert.equal(await bob.put(send, cell()), false)
    assert.equal(await bob.make(queueKeys().receive, queueKeys().send.id), false)
    assert.equal(await bob.make(receive, send.id), false)
    assert.deepEqual(await readAll(bob, receive), [7])
    assert.ok(await bob.acknowledge(receive, 1))
    assert.ok(await bob.end(receive))
    assert.deepEqual(host.queues.size, { queues: 0, cells: 0 })
  })

  it('deletes a cell after 14 days on which it ran, and a queue after 60 in which nobody asked for it', async () => {
    const { host, send, receive } = await hostWithQueue()
    using _ = host
    const pass = (days: number): void => {
      for (let i = 0; i < days; i++) {
        host.clock.day++
        host.queues.expire()
      }
    }
    await (await host.call()).put(send, cell())
    pass(CELL_DAYS)
    host.queues.expire()
    assert.equal(host.queues.size.cells, 1)
    pass(1)
    assert.deepEqual(host.queues.size, { queues: 1, cells: 0 })
    await (await host.call({ friend: 'bob' })).fetch(receive, 0)
    pass(QUEUE_DAYS)
    assert.equal(host.queues.size.queues, 1)
    pass(1)
    assert.equal(host.queues.size.queues, 0)
  })

  it('loses nothing when its clock jumps by a year, there or back', async () => {
    const { host, send, receive } = await hostWithQueue()
    using _ = host
    await (await host.call()).put(send, cell(1))
    for (const days of [365, -365, -365, 365]) {
      host.clock.day += days
      host.queues.expire()
    }
    assert.deepEqual(await readAll(await host.call({ friend: 'bob' }), receive), [1])
  })

  it('keeps what it was given through a restart, and gives nothing of another queue', async () => {
    using host = hostMailboxes()
    const model = new Map<number, number[]>()
    const keys = Array.from({ length: 5 }, queueKeys)
    const bob = await host.call({ friend: 'bob' })
    for (const [i, { receive, send }] of keys.entries()) {
      await bob.make(receive, send.id)
      model.set(i, [])
    }
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(4), fc.nat(3)), { maxLength: 40 }), async (actions) => {
        const peer = await host.call({ friend: 'bob' })
        for (const [queue, action] of actions) {
          const waiting = model.get(queue)!
          if (action < 2) {
            const first = Math.floor(Math.random() * 256)
            if (await peer.put(keys[queue].send, cell(first))) waiting.push(first)
          } else if (action === 2) {
            const found = await peer.fetch(keys[queue].receive, 0)
            if (typeof found === 'object') {
              await peer.acknowledge(keys[queue].receive, found.number)
              assert.equal(found.cell[0], waiting.shift())
            } else assert.equal(waiting.length, 0)
          } else host.restart()
        }
        for (const [queue, waiting] of model) assert.deepEqual(await readAll(peer, keys[queue].receive), waiting)
      }),
      { numRuns: 30 }
    )
  })

  it('leaves nothing of a cell in its files once it was acknowledged', async () => {
    const { host, friend, stranger, send, receive } = await hostWithQueue({ kind: 'disk' })
    using _ = host
    const canary = Buffer.from('nobody is to find this in a file')
    for (let i = 0; i < 20; i++) {
      const bytes = cell()
      for (let at = 0; at < bytes.length; at += canary.length) bytes.set(canary, at)
      await stranger.put(send, bytes)
    }
    assert.ok(contains(host, canary))
    await friend.acknowledge(receive, 20)
    host.queues.flush()
    assert.equal(contains(host, canary), false)
  })

  it('names nobody in its files', async () => {
    const { host, send } = await hostWithQueue({ kind: 'disk' })
    using _ = host
    const friend = `friend ${randomBytes(8).toString('hex')}`
    const bob = await host.call({ friend })
    const { receive, send: other } = queueKeys()
    await bob.make(receive, other.id)
    await bob.put(send, cell())
    await bob.fetch(receive, 0)
    assert.equal(contains(host, Buffer.from(friend)), false)
  })

  it('needs no more than 60 MiB for 50 friends with four full queues each', async function () {
    this.timeout(60_000)
    using host = hostMailboxes({ kind: 'disk' })
    const { queues, store } = host
    const nums: number[] = []
    for (let i = 0; i < 200; i++) {
      const { receive, send } = queueKeys()
      assert.ok(queues.make({ receive: receive.id, send: send.id }, `friend ${i % 50}`))
      nums.push(queues.find(send.id)!.num)
    }
    store.store.database.exec('PRAGMA synchronous = OFF') // the size is measured, not the disk
    for (let i = 0; i < MAX_QUEUE_CELLS; i++) for (const num of nums) assert.ok(queues.put(num, cell()))
    store.store.database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    assert.equal(queues.size.cells, 25_600)
    assert.equal(queues.put(nums[0], cell()), false)
    const bytes = statSync(store.path).size
    assert.ok(bytes <= 60 * 1_048_576, `${bytes} bytes`)
  })
})

function contains({ store }: Host, bytes: Uint8Array): boolean {
  const directory = dirname(store.path)
  return readdirSync(directory).some((file) => readFileSync(join(directory, file)).includes(Buffer.from(bytes)))
}
