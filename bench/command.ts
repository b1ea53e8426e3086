// The command line as a user runs it: from the launcher, which bundles the sources when they have changed.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { median } from './statistics.ts'

export const LAUNCHER = fileURLToPath(new URL('../comrade', import.meta.url))
const UP = ['up', '--json', '--no-mdns', '--no-lan', '--no-input', '--listen', '/ip4/127.0.0.1/tcp/0']
const LIMIT_MS = 60_000
/** Starts of which the median is taken where a start is short. */
const SHORT_STARTS = 5

/** Starts a node in this home; it is ready after {@link readyLine}. */
export function startNode(home: string): ChildProcess {
  return spawn(LAUNCHER, [...UP, '--home', home], { stdio: ['ignore', 'pipe', 'ignore'] })
}

/** Waits for the line with which a node says that it is ready. */
export async function readyLine(node: ChildProcess): Promise<{ did: string; device: string }> {
  const lines = createInterface({ input: node.stdout! })
  const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(LIMIT_MS) })) as [string]
  const ready = JSON.parse(line) as { event?: string; did: string; device: string }
  if (ready.event !== 'ready') throw new Error(`the first line is not the ready line: ${line}`)
  return ready
}

/** Ends a node as a user would. @returns how long that took, in ms */
export async function stopNode(node: ChildProcess): Promise<number> {
  const start = performance.now()
  const exit = once(node, 'exit', { signal: AbortSignal.timeout(LIMIT_MS) })
  node.kill('SIGTERM')
  await exit
  return performance.now() - start
}

/** Median time of a command that ends by itself, in ms. */
export async function shortStart(command: string, args: string[]): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < SHORT_STARTS; i++) times.push(await finish(command, args))
  return median(times)
}

/** Runs a command to its end. @returns how long that took, in ms */
export async function finish(command: string, args: string[]): Promise<number> {
  const start = performance.now()
  const child = spawn(command, args, { stdio: 'ignore', timeout: LIMIT_MS })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}`)
  return performance.now() - start
}

export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}
