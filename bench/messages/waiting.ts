// What was written while the recipient was away: how long after their start all of it is fetched, opened and stored, from
// the author directly; and through a mailbox, when the author is off by then.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Row } from '../groups/report.ts'
import { median } from '../statistics.ts'
import { befriend, exchange, People, type Person, shownAt, until } from './people.ts'

/** That a program asks for without waiting for the one before. */
const TOGETHER = 32
/** Until hosts are found and contacts told of them. */
const SETTLED_MS = 3_000

export async function measureWaiting({ runs, count }: { runs: number; count: number }): Promise<Row[]> {
  const seconds: number[] = []
  const delays: number[] = []
  for (let run = 0; run < runs; run++) {
    await using people = new People()
    const [alice, bob] = [await people.start('alice'), await people.start('bob')]
    await befriend(alice, bob)
    await exchange(alice, bob)
    await bob.stop()
    const sent = await alice.ask('send', { to: bob.did, count, together: TOGETHER })
    await bob.start()
    await bob.ask('watch')
    const times = await shownAt(bob, sent)
    seconds.push((Math.max(...times) - bob.ready.readyMs) / 1_000)
    delays.push((await bob.ask('delay')).p99)
  }
  return [
    rowOf(`${count} waiting messages fetched, opened and stored after ready`, 's', seconds, '≤ 25 of 10,000'),
    rowOf('event loop delay of the reader meanwhile, p99', 'ms', delays, '≤ 50')
  ]
}

export async function measureMailbox({ runs }: { runs: number }): Promise<Row[]> {
  await using people = new People()
  const [alice, bob, carol] = [await people.start('alice'), await people.start('bob'), await people.start('carol')]
  for (const [one, other] of [
    [alice, bob],
    [bob, carol],
    [carol, alice]
  ])
    await befriend(one, other)
  await exchange(alice, bob)
  await sleep(SETTLED_MS)
  const took: number[] = []
  for (let run = 0; run < runs; run++) took.push(await throughMailbox(alice, bob, carol))
  return [rowOf('through a mailbox: ready to shown, the author is off', 'ms', took, '≤ 500')]
}

/** The recipient is off while it is written, the author while it is read. */
async function throughMailbox(author: Person, reader: Person, host: Person): Promise<number> {
  await reader.stop()
  const sent = await author.ask('send', { to: reader.did, count: 1, together: 1 })
  await until(async () => (await author.ask('counts')).mailed > 0)
  await author.stop()
  await reader.start()
  const [shownMs] = await shownAt(reader, sent)
  await author.start()
  for (const other of [reader, host]) await until(() => author.ask('isConnected', other.ready.peer))
  await sleep(SETTLED_MS)
  return shownMs - reader.ready.readyMs
}

function rowOf(what: string, unit: string, values: readonly number[], goal: string): Row {
  return { what, unit, values: [median(values), Math.min(...values), Math.max(...values)], goal }
}
