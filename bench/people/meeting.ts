// Two strangers, each with a fresh home and a post: how long it takes from `comrade meet <link>` until each can read the
// other. Two processes on loopback, and the command's own:
//   node bench/people/meeting.ts [--quick] [--runs 7] [--out file.md]
import { type ChildProcess, execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs, promisify } from 'node:util'
import { finish, LAUNCHER, startNode, stopNode } from '../command.ts'
import { describeMachine, probeDisk } from '../machine.ts'
import { median } from '../statistics.ts'

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, runs: { type: 'string' }, out: { type: 'string' } }
})
const RUNS = Number(options.runs ?? (options.quick ? 3 : 7))
const LIMIT_MS = 30_000
const run = promisify(execFile)

interface Row {
  what: string
  values: number[]
  goal?: string
}

const directory = mkdtempSync(join(tmpdir(), 'comrade-meeting-'))
try {
  await finish(LAUNCHER, ['--version']) // bundles the sources when they have changed
  const meetings: number[][] = []
  for (let i = 0; i < RUNS; i++) meetings.push(await measure(join(directory, String(i))))
  const column = (index: number): number[] => meetings.map((values) => values[index])
  const rows: Row[] = [
    { what: 'from `meet <link>` until each reads the other’s post', values: column(0), goal: '≤ 3,000' },
    { what: 'from their connection until each reads the other’s post', values: column(1) },
    { what: '`meet <link>`, the whole process', values: column(2) },
    { what: '`meet`, which makes the link, the whole process', values: column(3) }
  ]
  const text = [
    ...describeMachine(directory, probeDisk(directory)).map((line) => `- ${line}`),
    '',
    `| two strangers, ${RUNS} times | unit | median | highest | to reach |`,
    '| --- | --- | ---: | ---: | --- |',
    ...rows.map(({ what, values, goal = '' }) => {
      return `| ${what} | ms | ${median(values).toFixed(0)} | ${Math.max(...values).toFixed(0)} | ${goal} |`
    }),
    ''
  ].join('\n')
  process.stdout.write(text)
  if (options.out !== undefined) writeFileSync(options.out, text)
} finally {
  rmSync(directory, { recursive: true, force: true })
}

/** One meeting of two new people. @returns ms, as the rows have them */
async function measure(path: string): Promise<number[]> {
  const homes = ['alice', 'bob'].map((name) => join(path, name))
  const nodes = homes.map((home) => watch(startNode(home)))
  try {
    await Promise.all(nodes.map((node) => node.first(({ event }) => event === 'ready')))
    await Promise.all(homes.map((home) => comrade(home, 'post', 'hello')))
    const beforeInvite = performance.now()
    const { link } = JSON.parse(await comrade(homes[0], 'meet')) as { link: string }
    const inviteMs = performance.now() - beforeInvite
    const start = performance.now()
    const connected = nodes[1].first(({ event }) => event === 'peer:connect')
    const meeting = comrade(homes[1], 'meet', link, '--yes').then(() => performance.now() - start)
    const dialledAt = await connected
    const readAt = await Promise.all(nodes.map(({ first, isOthers }) => first(isOthers)))
    const lastRead = Math.max(...readAt)
    return [lastRead - start, lastRead - dialledAt, await meeting, inviteMs]
  } finally {
    await Promise.all(nodes.map(({ child }) => stopNode(child)))
  }
}

async function comrade(home: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(LAUNCHER, [...args, '--json', '--home', home], { timeout: LIMIT_MS })
  return stdout
}

/** A node, and what it prints with the time at which it did. */
function watch(child: ChildProcess) {
  const lines: { line: Record<string, unknown>; atMs: number }[] = []
  createInterface({ input: child.stdout! }).on('line', (text) => {
    lines.push({ line: JSON.parse(text) as Record<string, unknown>, atMs: performance.now() })
    child.emit('line')
  })
  /** Waits for a line. @returns when it came */
  const first = async (fits: (line: Record<string, unknown>) => boolean): Promise<number> => {
    const signal = AbortSignal.timeout(LIMIT_MS)
    for (;;) {
      const found = lines.find(({ line }) => fits(line))
      if (found !== undefined) return found.atMs
      await once(child, 'line', { signal })
    }
  }
  /** Whether a line is a post of somebody else. */
  const isOthers = ({ text, feed }: Record<string, unknown>): boolean =>
    text === 'hello' && feed !== lines[0].line.device
  return { child, first, isOthers }
}
