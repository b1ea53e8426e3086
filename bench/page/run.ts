// The figures of the page, in one table. Nodes in processes, and Chromium, on this machine:
//   npm run bench:page -- [--quick] [--posts 100000] [--out file.md]
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Browser } from 'playwright-core'
import { launch, meet, Person } from '../../test/browser/support.ts'
import { Stage } from '../../test/support/processes.ts'
import { describeMachine, probeDisk } from '../machine.ts'
import { median, percentile } from '../statistics.ts'
import { measureArrival } from './arrival.ts'
import { measurePaint } from './paint.ts'
import { measureResume } from './resume.ts'
import { measureScroll } from './scroll.ts'
import type { Row } from './visit.ts'
import { measureWeight } from './weight.ts'

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, posts: { type: 'string' }, out: { type: 'string' } }
})
const SIZES = options.quick
  ? { visits: 3, arrivals: 10, breaks: 1, frames: 120, posts: 5_000 }
  : { visits: 15, arrivals: 100, breaks: 5, frames: 600, posts: 100_000 }

const stage = new Stage()
const browser = await launch()
try {
  const rows = await measure(stage, browser)
  const text = table(rows, [
    ...describeMachine(stage.path, probeDisk(stage.path)),
    `Browser: Chromium ${browser.version()}, headless`
  ])
  process.stdout.write(text)
  if (options.out !== undefined) writeFileSync(options.out, text)
} finally {
  await browser.close()
  await stage[Symbol.asyncDispose]()
}

async function measure(stage: Stage, browser: Browser): Promise<Row[]> {
  const rows = await measurePaint(stage, browser, SIZES.visits)
  const alice = await Person.return(stage, browser, 'alice')
  const bob = await Person.return(stage, browser, 'bob')
  await meet(alice, bob)
  await bob.context.close()
  rows.push(...(await measureArrival(alice, bob, SIZES.arrivals)))
  rows.push(...(await measureResume(stage, alice, bob, SIZES.breaks)))
  await alice.context.close()
  await bob.node.end()
  rows.push(...(await measureScroll(stage, browser, Number(options.posts ?? SIZES.posts), SIZES.frames)))
  return [...rows, ...measureWeight()]
}

function table(rows: readonly Row[], machine: readonly string[]): string {
  return [
    ...machine.map((line) => `- ${line}`),
    '',
    '| what | unit | median | highest, or p99 | how many | to reach |',
    '| --- | --- | ---: | ---: | ---: | --- |',
    ...rows.map(rowText),
    ''
  ].join('\n')
}

function rowText({ what, unit, values, isTail = false, goal = '' }: Row): string {
  const worst = isTail ? `p99 ${format(percentile(values, 0.99))}` : format(Math.max(...values))
  const many = values.length === 1 ? ['', ''] : [worst, String(values.length)]
  return `| ${[what, unit, format(median(values)), ...many, goal].join(' | ')} |`
}

function format(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: Number.isInteger(value) || value >= 100 ? 0 : 1 })
}
