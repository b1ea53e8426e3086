// `npm test`: types, lint, format, then mocha (which also runs the examples and the commands in the documentation).
// The first check that fails ends the run with its exit code. The last line is always `N passed, N failed`.
import { type Check, countLine, endOnSignals, runCheck, runTests } from './check.ts'

interface StaticCheck extends Check {
  hint?: string
}

/** Independent of each other and quick: run side by side. */
const STATIC: readonly StaticCheck[] = [
  { name: 'types', command: 'tsc', args: [], limitMs: 180_000 },
  { name: 'lint', command: 'oxlint', args: [], limitMs: 180_000 },
  { name: 'format', command: 'oxfmt', args: ['--check'], limitMs: 60_000, hint: 'npm run format' }
]
const UNIT: Check = { name: 'tests', command: 'mocha', args: process.argv.slice(2), limitMs: 1_200_000 }

async function runStatic(): Promise<number> {
  const results = await Promise.all(STATIC.map((check) => runCheck(check, process.env, false)))
  for (const [index, { code, output }] of results.entries()) {
    const { name, hint } = STATIC[index]
    if (code === 0) console.log(`${name}: ok`)
    else console.log(`${output}\n${name}: failed${hint === undefined ? '' : `; try: ${hint}`}`)
  }
  return results.find(({ code }) => code !== 0)?.code ?? 0
}

endOnSignals()
const staticCode = await runStatic()
const { code, ...counts } =
  staticCode === 0 ? await runTests(UNIT, process.env) : { code: staticCode, passed: 0, failed: 1 }
console.log(countLine(counts))
process.exitCode = code
