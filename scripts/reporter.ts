// Mocha's spec reporter, which also leaves its counts for scripts/test.ts and names what keeps a finished run alive.
import { writeFileSync } from 'node:fs'
import mocha from 'mocha'

/** A run that ended and released all it held ends its process at once; a socket left open would hold it for ever. */
const LINGER_LIMIT_MS = 5_000

export default class Reporter extends mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options)
    runner.once('end', () => {
      const { passes, failures } = this.stats
      if (process.env.TEST_COUNTS_FILE !== undefined) {
        writeFileSync(process.env.TEST_COUNTS_FILE, JSON.stringify({ passed: passes, failed: failures }))
      }
      setTimeout(endLingering, LINGER_LIMIT_MS).unref()
    })
  }
}

function endLingering(): void {
  const held = process.getActiveResourcesInfo().join(', ')
  console.error(
    `\nThe tests ended ${LINGER_LIMIT_MS / 1000} s ago, and something that they left open holds the process: ${held}`
  )
  // Mocha's own handler sets the exit code to the number of failures: this one comes after it.
  process.once('exit', () => (process.exitCode = 1))
  process.exit()
}
