// Every example is a program that ends by itself, without an error.
import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from './support/documents.ts'

const EXAMPLE_LIMIT_MS = 60_000
const run = promisify(execFile)

describe('examples', function () {
  this.timeout(EXAMPLE_LIMIT_MS + 5_000)

  for (const path of globSync('examples/*.ts', { cwd: ROOT }).sort()) {
    it(`${path} runs to its end`, async () => {
      const args = ['--disable-warning=ExperimentalWarning', join(ROOT, path)]
      await run(process.execPath, args, { cwd: ROOT, timeout: EXAMPLE_LIMIT_MS, killSignal: 'SIGKILL' })
    })
  }
})
