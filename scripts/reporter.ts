// Mocha's spec reporter, which also leaves its counts for scripts/test.ts.
import { writeFileSync } from 'node:fs'
import mocha from 'mocha'

export default class Reporter extends mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options)
    runner.once('end', () => {
      const { passes, failures } = this.stats
      if (process.env.TEST_COUNTS_FILE !== undefined) {
        writeFileSync(process.env.TEST_COUNTS_FILE, JSON.stringify({ passed: passes, failed: failures }))
      }
    })
  }
}
