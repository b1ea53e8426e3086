// Runs what is measured of people, one part after the other, and puts the tables together:
//   node bench/people/run.ts [--quick] [--only directory,policy] [--out file.md]
// Each part is a program of its own; what else it understands is said at its top.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const PARTS = ['directory', 'meeting', 'policy'].filter((part) => existsSync(join(import.meta.dirname, `${part}.ts`)))

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, out: { type: 'string' } }
})
const directory = mkdtempSync(join(tmpdir(), 'comrade-bench-people-'))
try {
  const texts: string[] = []
  let isComplete = true
  for (const part of options.only?.split(',') ?? PARTS) {
    if (!PARTS.includes(part)) throw new Error(`there is no part '${part}': ${PARTS.join(', ')}`)
    const out = join(directory, `${part}.md`)
    isComplete = (await run(part, out)) === 0 && isComplete
    if (existsSync(out)) texts.push(`## ${part}\n\n${readFileSync(out, 'utf8')}`)
  }
  if (options.out !== undefined) writeFileSync(options.out, texts.join('\n'))
  process.exitCode = isComplete ? 0 : 1
} finally {
  rmSync(directory, { recursive: true, force: true })
}

/** @returns the exit code */
async function run(part: string, out: string): Promise<number> {
  const args = [join(import.meta.dirname, `${part}.ts`), '--out', out, ...(options.quick ? ['--quick'] : [])]
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}
