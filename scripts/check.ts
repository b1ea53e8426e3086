// One check of a run of tests: a command in a process group of its own, with a time limit; and mocha's counts.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const ROOT = dirname(import.meta.dirname)

export interface Check {
  name: string
  command: string
  args: readonly string[]
  limitMs: number
}

export interface Result {
  /** Exit code; 1 for a check that was stopped at its time limit. */
  code: number
  output: string
}

export interface Counts {
  passed: number
  failed: number
}

/**
 * Runs a check in a process group of its own, so that all that it started ends with it.
 * @param isLive what it prints is shown at once, and is not in the result
 */
export async function runCheck(
  { name, command, args, limitMs }: Check,
  env: NodeJS.ProcessEnv,
  isLive: boolean
): Promise<Result> {
  const child = spawn(command, args, {
    cwd: ROOT,
    env,
    detached: true,
    stdio: ['ignore', isLive ? 'inherit' : 'pipe', isLive ? 'inherit' : 'pipe']
  })
  const stop = (): void => endGroup(child.pid)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    stop()
  }, limitMs)
  process.once('exit', stop)
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve(status ?? 1))
  })
  clearTimeout(timer)
  process.off('exit', stop)
  stop() // what it has left behind
  if (isLate) return { code: 1, output: `${output}\n${name}: stopped, not done within ${limitMs / 1000} s\n` }
  return { code, output }
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // there is nobody in it any more
  }
}

/** Runs mocha with the project's reporter, which leaves its counts in a file. A run that could not end has failed. */
export async function runTests(check: Check, env: NodeJS.ProcessEnv): Promise<Counts & { code: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'comrade-test-'))
  const file = join(directory, 'counts.json')
  try {
    const { code, output } = await runCheck(check, { ...env, TEST_COUNTS_FILE: file }, true)
    process.stdout.write(output)
    const { passed, failed } = readCounts(file)
    return { code, passed, failed: code !== 0 && failed === 0 ? 1 : failed }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function readCounts(file: string): Counts {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Counts
  } catch {
    return { passed: 0, failed: 0 } // mocha ended before it had run the tests, and has said why
  }
}

/** A signal ends this process as a shell expects it, and with it what it runs. */
export function endOnSignals(): void {
  process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143))
}

/** The last line of every run of tests. */
export function countLine({ passed, failed }: Counts): string {
  return `${passed} passed, ${failed} failed`
}
