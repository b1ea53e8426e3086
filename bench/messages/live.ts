// Both online, and a session exists: from sending a message until the other process has shown it, one at a time; then many
// in a row, until the last one is shown.
import type { Row } from '../groups/report.ts'
import { median, percentile } from '../statistics.ts'
import { befriend, exchange, People, type Person, shownAt } from './people.ts'

/** Between two messages: what is measured is one, not many at once. */
const PAUSE_MS = 20
/** That a program asks for without waiting for the one before. */
const TOGETHER = 32

export interface LiveOptions {
  runs: number
  single: number
  many: number
}

interface LiveRun {
  p50: number
  p99: number
  perSecond: number
  senderDelay: number
  readerDelay: number
}

export async function measureLive({ runs, single, many }: LiveOptions): Promise<Row[]> {
  const all: LiveRun[] = []
  for (let run = 0; run < runs; run++) {
    await using people = new People()
    const [alice, bob] = [await people.start('alice'), await people.start('bob')]
    await befriend(alice, bob)
    await exchange(alice, bob)
    all.push({ ...(await measureSingle(alice, bob, single)), ...(await measureMany(alice, bob, many)) })
  }
  const values = (key: keyof LiveRun): number[] => all.map((each) => each[key])
  const row = (what: string, unit: string, key: keyof LiveRun, goal?: string): Row => ({
    what,
    unit,
    values: [median(values(key)), Math.min(...values(key)), Math.max(...values(key))],
    goal
  })
  return [
    row(`both online: send to shown, ${single} one by one, p50`, 'ms', 'p50', '≤ 8'),
    row('the same, p99', 'ms', 'p99', '≤ 30'),
    row(`sustained, one sender, ${many}, ${TOGETHER} asked for at a time`, 'messages/s', 'perSecond', '≥ 500'),
    row('event loop delay of the sender meanwhile, p99', 'ms', 'senderDelay'),
    row('event loop delay of the reader meanwhile, p99', 'ms', 'readerDelay')
  ]
}

async function measureSingle(from: Person, to: Person, count: number): Promise<Pick<LiveRun, 'p50' | 'p99'>> {
  await to.ask('reset')
  const sent = await from.ask('send', { to: to.did, count, together: 1, pauseMs: PAUSE_MS })
  const times = await shownAt(to, sent)
  const took = times.map((time, i) => time - sent[i].startMs)
  return { p50: median(took), p99: percentile(took, 0.99) }
}

async function measureMany(from: Person, to: Person, count: number): Promise<Omit<LiveRun, 'p50' | 'p99'>> {
  await to.ask('reset')
  for (const person of [from, to]) await person.ask('watch')
  const sent = await from.ask('send', { to: to.did, count, together: TOGETHER })
  const times = await shownAt(to, sent)
  const seconds = (Math.max(...times) - sent[0].startMs) / 1_000
  const [{ p99: senderDelay }, { p99: readerDelay }] = [await from.ask('delay'), await to.ask('delay')]
  return { perSecond: count / seconds, senderDelay, readerDelay }
}
