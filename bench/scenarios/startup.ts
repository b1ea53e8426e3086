// Comrade's own command line on a store with many entries: how soon it is ready, what it holds when idle, how it stops.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Scenario } from '../scenario.ts'
import { median } from '../statistics.ts'

const LAUNCHER = fileURLToPath(new URL('../../comrade', import.meta.url))
const UP = ['up', '--json', '--no-mdns', '--no-lan', '--no-input', '--listen', '/ip4/127.0.0.1/tcp/0']
const LIMIT_MS = 60_000
/** When memory is read: garbage of the start is gone by then. */
const IDLE_MS = 10_000
/** Starts of which the median is taken where a start is short. */
const SHORT_STARTS = 5
const MIB = 2 ** 20

export function startup(entries: number): Scenario {
  return {
    name: 'startup',
    rows: [
      {
        key: 'ready',
        what: `\`up\` to the ready line, ${entries.toLocaleString('en')} entries in store`,
        unit: 'ms',
        better: 'less',
        goal: '≤ 1,000'
      },
      { key: 'idle', what: `resident ${IDLE_MS / 1_000} s later, idle`, unit: 'MiB', better: 'less', goal: '≤ 100' },
      { key: 'status', what: '`status`, over the start of bare Node.js', unit: 'ms', better: 'less', goal: '≤ 150' },
      { key: 'stop', what: 'SIGTERM to the end of the process', unit: 'ms', better: 'less', goal: '≤ 3,000' }
    ],
    without: { hypercore: 'is a library', 'ssb-db2': 'is a library' },
    prepare: async (contender, workshop) => {
      await finish(LAUNCHER, ['--version']) // bundles the sources when they have changed
      await workshop.own(contender, entries)
    },
    run: async (contender, workshop) => {
      const { directory } = await workshop.own(contender, entries)
      const start = performance.now()
      const node = spawn(LAUNCHER, [...UP, '--home', directory], { stdio: ['ignore', 'pipe', 'ignore'] })
      try {
        await readyLine(node)
        const ready = performance.now() - start
        await sleep(IDLE_MS)
        const idle = residentBytes(node.pid!) / MIB
        const status =
          (await shortStart(LAUNCHER, ['status', '--home', directory])) -
          (await shortStart(process.execPath, ['-e', '0']))
        return { ready, idle, status, stop: await stop(node) }
      } finally {
        node.kill('SIGKILL')
      }
    }
  }
}

async function readyLine(node: ChildProcess): Promise<void> {
  const lines = createInterface({ input: node.stdout! })
  const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(LIMIT_MS) })) as [string]
  if ((JSON.parse(line) as { event?: string }).event !== 'ready')
    throw new Error(`the first line is not the ready line: ${line}`)
}

async function stop(node: ChildProcess): Promise<number> {
  const start = performance.now()
  const exit = once(node, 'exit', { signal: AbortSignal.timeout(LIMIT_MS) })
  node.kill('SIGTERM')
  await exit
  return performance.now() - start
}

/** Median time of a command that ends by itself, in ms. */
async function shortStart(command: string, args: string[]): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < SHORT_STARTS; i++) times.push(await finish(command, args))
  return median(times)
}

async function finish(command: string, args: string[]): Promise<number> {
  const start = performance.now()
  const child = spawn(command, args, { stdio: 'ignore', timeout: LIMIT_MS })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}`)
  return performance.now() - start
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}
