// `npm test`: types, lint, format, then mocha (which also runs the examples and the commands in the documentation).
// The first check that fails ends the run with its exit code. The last line is always `N passed, N failed`.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const ROOT = dirname(import.meta.dirname)

interface Check {
  name: string
  command: string
  args: string[]
  limitMs: number
  hint?: string
}

/** Independent of each other and quick: run side by side. */
const STATIC: readonly Check[] = [
  { name: 'types', command: 'tsc', args: [], limitMs: 180_000 },
  { name: 'lint', command: 'oxlint', args: [], limitMs: 180_000 },
  { name: 'format', command: 'oxfmt', args: ['--check'], limitMs: 60_000, hint: 'npm run format' }
]
const UNIT: Check = { name: 'tests', command: 'mocha', args: process.argv.slice(2), limitMs: 840_000 }

interface Result {
  /** Exit code; 1 for a check that was stopped at its time limit. */
  code: number
  output: string
}

/** Runs a check in a process group of its own, so that at its time limit all that it started ends with it. */
async function run({ name, command, args, limitMs }: Check, env: NodeJS.ProcessEnv, isLive: boolean): Promise<Result> {
  const child = spawn(command, args, {
    cwd: ROOT,
    env,
    detached: true,
    stdio: ['ignore', isLive ? 'inherit' : 'pipe', isLive ? 'inherit' : 'pipe']
  })
  const stop = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
  }
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
  if (isLate) return { code: 1, output: `${output}\n${name}: stopped, not done within ${limitMs / 1000} s\n` }
  return { code, output }
}

async function runStatic(): Promise<number> {
  const results = await Promise.all(STATIC.map((check) => run(check, process.env, false)))
  for (const [index, { code, output }] of results.entries()) {
    const { name, hint } = STATIC[index]
    if (code === 0) console.log(`${name}: ok`)
    else console.log(`${output}\n${name}: failed${hint === undefined ? '' : `; try: ${hint}`}`)
  }
  return results.find(({ code }) => code !== 0)?.code ?? 0
}

interface Counts {
  passed: number
  failed: number
}

async function runUnit(): Promise<Counts & { code: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'comrade-test-'))
  const file = join(directory, 'counts.json')
  try {
    const { code, output } = await run(UNIT, { ...process.env, TEST_COUNTS_FILE: file }, true)
    process.stdout.write(output)
    const { passed, failed } = readCounts(file)
    return { code, passed, failed: code !== 0 && failed === 0 ? 1 : failed } // also a run that could not end has failed
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

for (const [name, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143]
] as const)
  process.once(name, () => process.exit(code))

const staticCode = await runStatic()
const { code, passed, failed } = staticCode === 0 ? await runUnit() : { code: staticCode, passed: 0, failed: 1 }
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = code
