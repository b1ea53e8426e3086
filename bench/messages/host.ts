// What hosting takes: fifty friends with four queues each, which are filled, and then emptied, by a few friends at a time, as
// when each asks by its own clock, or by all of them at once. They are in the process that measures, and connected before
// anything is asked.
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CELL_SIZE, MailboxCaller, type MailboxKey, mailboxKey, MAX_QUEUE_CELLS } from '../../src/messages/index.ts'
import { framedStream } from '../../src/node/frames.ts'
import { MAILBOX_PROTOCOL } from '../../src/node/messages/mailbox-service.ts'
import type { Network } from '../../src/node/network.ts'
import { startTcpNode } from '../../test/support/network.ts'
import type { Row } from '../groups/report.ts'
import type { HosterCalls } from './hoster.ts'

const QUEUES = 4
const MIB = 2 ** 20
/** Before memory is read. */
const REST_MS = 5_000
/** After so many cells a recipient says what it has taken. */
const ACKNOWLEDGE_EVERY = 16

interface Queue {
  receive: MailboxKey
  send: MailboxKey
}

interface Friend {
  network: Network
  queues: Queue[]
}

export async function measureHost({ friends: count, atOnce }: { friends: number; atOnce: number }): Promise<Row[]> {
  await using host = await Host.start()
  const friends: Friend[] = []
  try {
    for (let i = 0; i < count; i++) friends.push(await makeFriend(host.address))
    const connected = await host.ask('connections')
    if (connected !== count) throw new Error(`${connected} of ${count} friends are connected`)
    await sleep(REST_MS)
    const before = await host.ask('memory')
    const fillMs = await timed(() => inTurn(friends, atOnce, fill))
    const filled = await host.ask('memory')
    const [cells, disk] = [await host.ask('cells'), await host.ask('disk')]
    await sleep(REST_MS)
    const full = await host.ask('memory')
    const emptyMs = await timed(() => inTurn(friends, atOnce, empty))
    const emptied = await host.ask('memory')
    const more = (bytes: number): number => (bytes - before.now) / MIB
    const row = (what: string, unit: string, value: number, goal?: string): Row => ({
      what,
      unit,
      values: [value, '', ''],
      goal
    })
    return [
      row(`host: ${count} friends × ${QUEUES} queues, ${cells} cells, on disk`, 'MiB', disk / MIB, '≤ 60'),
      row('its memory with all of them connected', 'MiB', before.now / MIB),
      row(`more while they are filled, ${atOnce} friends at a time, at most`, 'MiB', more(filled.most), '≤ 10'),
      row('more afterwards, at rest', 'MiB', more(full.now)),
      row(`more while they are emptied, ${atOnce} friends at a time, at most`, 'MiB', more(emptied.most), '≤ 10'),
      row('cells taken', 'cells/s', (cells / fillMs) * 1_000),
      row('cells given out and deleted', 'cells/s', (cells / emptyMs) * 1_000)
    ]
  } finally {
    await Promise.allSettled(friends.map(({ network }) => network.stop()))
  }
}

class Host implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'comrade-bench-host-'))
  readonly #child = fork(join(import.meta.dirname, 'hoster.ts'), [this.#directory], {
    execArgv: ['--max-semi-space-size=2', '--disable-warning=ExperimentalWarning']
  })
  address = ''

  static async start(): Promise<Host> {
    const host = new Host()
    ;[host.address] = (await once(host.#child, 'message')) as [string]
    return host
  }

  async ask<N extends keyof HosterCalls>(name: N): Promise<ReturnType<HosterCalls[N]>> {
    this.#child.send(name)
    return (await once(this.#child, 'message'))[0] as ReturnType<HosterCalls[N]>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await closed
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

async function makeFriend(address: string): Promise<Friend> {
  const network = await startTcpNode()
  await network.connect(address)
  const queues = Array.from({ length: QUEUES }, () => ({
    receive: mailboxKey(randomBytes(32)),
    send: mailboxKey(randomBytes(32))
  }))
  return { network, queues }
}

async function fill(friend: Friend): Promise<void> {
  const { caller, end } = await call(friend)
  for (const { receive, send } of friend.queues) {
    await agreed(caller.make(receive, send.id))
    for (let i = 0; i < MAX_QUEUE_CELLS; i++) await agreed(caller.put(send, randomBytes(CELL_SIZE)))
  }
  await end()
}

async function empty(friend: Friend): Promise<void> {
  const { caller, end } = await call(friend)
  for (const { receive } of friend.queues) {
    let taken = 0
    for (;;) {
      const found = await caller.fetch(receive, taken)
      if (typeof found === 'string') break
      taken = found.number
      if (taken % ACKNOWLEDGE_EVERY === 0) await agreed(caller.acknowledge(receive, taken))
    }
    await agreed(caller.acknowledge(receive, taken))
  }
  await end()
}

async function call({ network }: Friend): Promise<{ caller: MailboxCaller; end: () => Promise<void> }> {
  const [host] = network.libp2p.getPeers()
  const messages = framedStream(await network.libp2p.dialProtocol(host, MAILBOX_PROTOCOL))
  return { caller: await MailboxCaller.open(messages), end: () => messages.close() }
}

async function inTurn(
  friends: readonly Friend[],
  atOnce: number,
  work: (friend: Friend) => Promise<void>
): Promise<void> {
  const left = [...friends]
  const worker = async (): Promise<void> => {
    for (let friend = left.pop(); friend !== undefined; friend = left.pop()) await work(friend)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

async function agreed(answer: Promise<boolean>): Promise<void> {
  if (!(await answer)) throw new Error('the host refused')
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}
