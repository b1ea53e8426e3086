// Mocha's spec reporter, which also leaves its counts for scripts/test.ts, and says at once why a test failed: a run that is
// stopped does not come to its list of failures.
import { writeFileSync } from 'node:fs'
import mocha from 'mocha'

export default class Reporter extends mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options)
    runner.on('fail', (_test, error: Error) => console.log(`       ${error.message.split('\n')[0]}`))
    runner.once('end', () => {
      const { passes, failures } = this.stats
      if (process.env.TEST_COUNTS_FILE !== undefined) {
        writeFileSync(process.env.TEST_COUNTS_FILE, JSON.stringify({ passed: passes, failed: failures }))
      }
    })
  }
}
