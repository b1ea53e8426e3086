// Runs the benchmarks and prints the table:
//   node bench/run.ts [--quick] [--runs 5] [--only catch-up,live] [--contenders comrade,hypercore,ssb-db2] [--out file.md]
// Contenders take turns within each run, so that what disturbs the machine disturbs all of them.
import { writeFileSync } from 'node:fs'
import { inspect, parseArgs } from 'node:util'
import { bundle } from './bundle.ts'
import { contenders, type Contender } from './contender.ts'
import { describeMachine, probeDisk } from './machine.ts'
import type { Scenario } from './scenario.ts'
import { FULL, QUICK, scenarios } from './scenarios/index.ts'
import { median } from './statistics.ts'
import { tableHead, tableRow, type Runs } from './table.ts'
import { Workshop } from './workshop.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string', default: process.env.BENCH_RUNS },
    only: { type: 'string' },
    contenders: { type: 'string', default: Object.keys(contenders).join(',') },
    out: { type: 'string' }
  }
})
const runs = Number(options.runs ?? (options.quick ? 1 : 5))
const names = options.contenders.split(',').map(contenderNamed)
const sizes = options.quick ? QUICK : FULL
const workshop = new Workshop(sizes)
const chosen = scenarios(sizes).filter(
  ({ name }) => options.only?.split(',').some((start) => name.startsWith(start)) ?? true
)
const failures: string[] = []
const startMs = performance.now()
await bundle()
const probes = [probeDisk(workshop.root)]

const rows: string[] = []
for (const scenario of chosen) {
  const results = await measure(scenario)
  const filled = scenario.rows.filter(({ key }) =>
    Object.values(pick(results, key))
      .flat()
      .some((value) => value !== undefined)
  )
  rows.push(...filled.map((row) => tableRow(scenario, row, pick(results, row.key), names)))
  probes.push(probeDisk(workshop.root))
}
const report = [
  ...describeMachine(workshop.root, median(probes)),
  `Took ${Math.round((performance.now() - startMs) / 60_000)} min.`,
  `Medians of ${runs} run${runs === 1 ? '' : 's'}; posts of 256 bytes.`
].map((line) => `- ${line}`)
const notes = chosen.flatMap(({ name, without = {} }) =>
  names.flatMap((who) => (without[who] === undefined ? [] : [`- ${name}: ${who} ${without[who]}`]))
)
const text = [
  ...report,
  '',
  tableHead(names),
  ...rows,
  '',
  ...notes,
  ...failures.map((failure) => `- failed: ${failure}`),
  ''
].join('\n')
process.stdout.write(text)
if (options.out !== undefined) writeFileSync(options.out, text)
process.exit(failures.length === 0 ? 0 : 1)

type Results = Partial<Record<Contender, Record<string, number | undefined>[]>>

/** All runs of one scenario, the contenders in turn. One that fails is left out of the rest. */
async function measure(scenario: Scenario): Promise<Results> {
  const results: Results = {}
  const startMs = performance.now()
  const able = new Set(names.filter((name) => scenario.without?.[name] === undefined))
  for (const name of able)
    await attempt(scenario, name, able, async () => void (await scenario.prepare?.(name, workshop)))
  for (let run = 1; run <= runs; run++) {
    for (const name of able) {
      await attempt(scenario, name, able, async () => {
        const runStartMs = performance.now()
        const result = await scenario.run(name, workshop)
        const seconds = ((performance.now() - runStartMs) / 1_000).toFixed(1)
        ;(results[name] ??= []).push(result)
        const shown = Object.entries(result).map(([key, value]) => `${key} ${value?.toPrecision(4) ?? '–'}`)
        process.stderr.write(`${scenario.name} ${run}/${runs} ${name}: ${shown.join(', ')} (${seconds} s)\n`)
      })
    }
  }
  process.stderr.write(`${scenario.name}: ${((performance.now() - startMs) / 1_000).toFixed(1)} s\n`)
  return results
}

async function attempt(
  scenario: Scenario,
  name: Contender,
  able: Set<Contender>,
  work: () => Promise<void>
): Promise<void> {
  try {
    await work()
  } catch (error) {
    able.delete(name)
    failures.push(`${scenario.name}, ${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
    process.stderr.write(`${inspect(error)}\n`)
  }
}

function pick(results: Results, key: string): Runs {
  return Object.fromEntries(Object.entries(results).map(([name, list]) => [name, list.map((result) => result[key])]))
}

function contenderNamed(name: string): Contender {
  if (Object.hasOwn(contenders, name)) return name as Contender
  throw new Error(`there is no contender '${name}': ${Object.keys(contenders).join(', ')}`)
}
