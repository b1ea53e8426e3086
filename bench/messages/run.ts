// The figures of private messages, in one table:
//   node bench/messages/run.ts [--quick] [--runs 3] [--only live,waiting,mailbox,memory,host,flood] [--out file.md]
// Whole nodes in processes of their own, on loopback, with homes on the disk; the command line as it is shipped where its
// memory is read. What sessions cost by themselves is another program: sessions.ts.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { report, type Row, tableOf } from '../groups/report.ts'
import { describeMachine, probeDisk } from '../machine.ts'
import { measureHost } from './host.ts'
import { measureLive } from './live.ts'
import { measureMemory } from './memory.ts'
import { measureMailbox, measureWaiting } from './waiting.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    only: { type: 'string' },
    out: { type: 'string' }
  }
})
const { quick } = options
const runs = Number(options.runs ?? (quick ? 1 : 3))
const parts: Record<string, () => Promise<Row[]>> = {
  live: () => measureLive({ runs, single: quick ? 50 : 500, many: quick ? 500 : 10_000 }),
  waiting: () => measureWaiting({ runs, count: quick ? 500 : 10_000 }),
  mailbox: () => measureMailbox({ runs: quick ? 2 : 7 }),
  memory: () => measureMemory({ runs }),
  host: () => measureHost({ friends: quick ? 5 : 50, atOnce: 5 }),
  flood: () => measureHost({ friends: quick ? 5 : 50, atOnce: 50 })
}

const directory = mkdtempSync(join(tmpdir(), 'comrade-bench-disk-'))
const machine = describeMachine(directory, probeDisk(directory))
rmSync(directory, { recursive: true })
const rows: Row[] = []
for (const name of options.only?.split(',') ?? Object.keys(parts)) {
  if (!(name in parts)) throw new Error(`there is no part '${name}': ${Object.keys(parts).join(', ')}`)
  const measured = await parts[name]()
  process.stderr.write(`${tableOf(['median', 'least', 'most'], measured)}\n`)
  rows.push(...measured)
}
report(options.out, machine.map((line) => `- ${line}`).join('\n'), tableOf(['median', 'least', 'most'], rows))
