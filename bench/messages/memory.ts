// What private messages take of a node's memory: before anything was written, and after the first message. Two people who
// have met by a link, by the command line, as it is shipped.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { finish, LAUNCHER, readyLine, residentBytes, startNode, stopNode } from '../command.ts'
import type { Row } from '../groups/report.ts'
import { median } from '../statistics.ts'

/** When memory is read: garbage of the start is gone by then. */
const IDLE_MS = 10_000
const MIB = 2 ** 20
const LIMIT_MS = 30_000
const run = promisify(execFile)

interface MemoryRun {
  /** Resident, in MiB. */
  alone: number
  before: number
  after: number
  /** Whether libsignal's library was mapped before anything was written: 0 or 1. */
  isLoaded: number
}

export async function measureMemory({ runs }: { runs: number }): Promise<Row[]> {
  await finish(LAUNCHER, ['--version']) // bundles the sources when they have changed
  const all: MemoryRun[] = []
  for (let i = 0; i < runs; i++) all.push(await measureOnce())
  const row = (what: string, of: (run: MemoryRun) => number, goal?: string): Row => {
    const values = all.map(of)
    return { what, unit: 'MiB', values: [median(values), Math.min(...values), Math.max(...values)], goal }
  }
  return [
    row('`up`, resident, knows nobody', ({ alone }) => alone),
    row('has met somebody, nothing was written', ({ before }) => before),
    { what: 'libsignal is loaded by then', unit: 'of runs', values: [sum(all), '', ''], goal: '0' },
    row('more after the first message', ({ before, after }) => after - before, '≤ 40')
  ]
}

function sum(all: readonly MemoryRun[]): number {
  return all.reduce((count, { isLoaded }) => count + isLoaded, 0)
}

async function measureOnce(): Promise<MemoryRun> {
  const directory = mkdtempSync(join(tmpdir(), 'comrade-bench-memory-'))
  const homes = ['alice', 'bob'].map((name) => join(directory, name))
  const nodes = homes.map((home) => startNode(home))
  try {
    const [, bob] = await Promise.all(nodes.map((node) => readyLine(node)))
    const [{ pid }] = nodes
    await sleep(IDLE_MS)
    const alone = residentBytes(pid!) / MIB
    const [{ link }] = await comrade(homes[0], 'meet')
    await comrade(homes[1], 'meet', String(link), '--yes')
    await sleep(IDLE_MS)
    const before = residentBytes(pid!) / MIB
    const isLoaded = Number(hasLibsignal(pid!))
    const [{ id }] = await comrade(homes[0], 'message', bob.did, 'the pump is back')
    await delivered(homes[0], id)
    await sleep(IDLE_MS)
    if (!hasLibsignal(pid!)) throw new Error('libsignal is not seen where it is loaded')
    return { alone, before, after: residentBytes(pid!) / MIB, isLoaded }
  } finally {
    await Promise.allSettled(nodes.map((node) => stopNode(node)))
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

function hasLibsignal(pid: number): boolean {
  return readFileSync(`/proc/${pid}/maps`, 'utf8').includes('libsignal')
}

async function delivered(home: string, id: unknown): Promise<void> {
  const endMs = performance.now() + LIMIT_MS
  while (!(await comrade(home, 'messages')).some((each) => each.id === id && each.state !== 'queued')) {
    if (performance.now() > endMs) throw new Error(`the message was not delivered within ${LIMIT_MS} ms`)
    await sleep(100)
  }
}

/** @returns the lines that it printed */
async function comrade(home: string, ...args: string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await run(LAUNCHER, [...args, '--json', '--home', home], { timeout: LIMIT_MS })
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
