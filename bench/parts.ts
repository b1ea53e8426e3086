// Runs the programs of one folder of benchmarks one after the other, and puts their tables together.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/**
 * Understands `--quick`, `--only a,b` and `--out file.md`, and gives the first to every part.
 * @param folder where a part `x` is the program `x.ts`, which writes its table to the file after `--out`
 */
export async function runParts(folder: string, parts: readonly string[]): Promise<void> {
  const { values: options } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, out: { type: 'string' } }
  })
  const present = parts.filter((part) => existsSync(join(folder, `${part}.ts`)))
  const directory = mkdtempSync(join(tmpdir(), 'comrade-bench-parts-'))
  try {
    const texts: string[] = []
    let isComplete = true
    for (const part of options.only?.split(',') ?? present) {
      if (!present.includes(part)) throw new Error(`there is no part '${part}': ${present.join(', ')}`)
      const out = join(directory, `${part}.md`)
      const args = [join(folder, `${part}.ts`), '--out', out, ...(options.quick ? ['--quick'] : [])]
      isComplete = (await run(args)) === 0 && isComplete
      if (existsSync(out)) texts.push(`## ${part}\n\n${readFileSync(out, 'utf8')}`)
    }
    if (options.out !== undefined) writeFileSync(options.out, texts.join('\n'))
    process.exitCode = isComplete ? 0 : 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** @returns the exit code */
async function run(args: string[]): Promise<number> {
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}
