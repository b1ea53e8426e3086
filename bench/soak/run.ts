// Whether a node that runs for long stays the same: four nodes with some life, and what three of them hold, minute by minute:
//   npm run bench:soak -- [--minutes 35] [--warm-up 5] [--snapshots directory] [--out file.md]
// Garbage is collected at each look, so that what grows is what is held. Snapshots of the heap are taken every ten minutes, to
// be compared; they take memory themselves. On Linux only: figures come from /proc.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Stage } from '../../test/support/processes.ts'
import { finish, LAUNCHER } from '../command.ts'
import { report, tableOf } from '../groups/report.ts'
import { describeMachine, probeDisk } from '../machine.ts'
import { Inspector } from './inspector.ts'
import { Load } from './load.ts'
import { type Sample, takeSample } from './sample.ts'
import { type Name, NAMES, RESTLESS, Town } from './town.ts'
import { TREND_COLUMNS, trendsOf } from './trend.ts'

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '35' },
    'warm-up': { type: 'string', default: '5' },
    snapshots: { type: 'string' },
    out: { type: 'string' }
  }
})
const [minutes, warmUp] = [Number(options.minutes), Number(options['warm-up'])]
const SNAPSHOT_MINUTES = 10
/** Those who run from the beginning to the end. */
const LASTING = NAMES.filter((name) => name !== RESTLESS)

await finish(LAUNCHER, ['--version']) // bundles the sources when they have changed
process.env.NODE_OPTIONS = '--inspect=127.0.0.1:0'
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130)) // which ends the nodes
await using stage = new Stage()
const machine = describeMachine(stage.path, probeDisk(stage.path))
const town = new Town(stage)
await town.begin()
const load = new Load(town, stage.path)
const samples = new Map<Name, Sample[]>(LASTING.map((name) => [name, []]))
if (options.snapshots !== undefined) mkdirSync(options.snapshots, { recursive: true })

const startMs = performance.now()
for (let second = 0; second <= minutes * 60; second++) {
  await sleep(Math.max(0, startMs + second * 1_000 - performance.now()))
  if (second % 60 === 0) await look(second / 60).catch((error: Error) => say(`no look: ${error.message}`))
  load.tick(second)
}
const rows = trendsOf([...samples.values()].map((each) => each.slice(warmUp)))
const lines = [
  ...machine,
  `${minutes} minutes, of which the first ${warmUp} are not counted`,
  `done: ${textOf(load.done)}`,
  `failed: ${textOf(load.failed)}`
]
report(options.out, lines.map((line) => `- ${line}`).join('\n'), tableOf(TREND_COLUMNS, rows))

async function look(minute: number): Promise<void> {
  for (const name of LASTING) {
    const sample = await takeSample(town.at(name), minute)
    samples.get(name)!.push(sample)
    say(`${name} ${JSON.stringify(sample)}`)
    if (options.snapshots !== undefined && (minute - warmUp) % SNAPSHOT_MINUTES === 0 && minute >= warmUp) {
      using inspector = await Inspector.open(town.at(name))
      await inspector.snapshot(join(options.snapshots, `${name}-${minute}.heapsnapshot`))
    }
  }
  say(`done: ${textOf(load.done)}\nfailed: ${textOf(load.failed)}`)
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

function textOf(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, times]) => `${times} × ${what}`).join('; ') || 'nothing'
}
