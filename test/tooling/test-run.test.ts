// `npm test` itself: what it runs, where it stops, and its last line.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { ROOT } from '../support/documents.ts'

const COUNTS = (passed: number, failed: number): string =>
  `echo "tests ran"; echo '{"passed":${passed},"failed":${failed}}' >"$TEST_COUNTS_FILE"`

describe('npm test', () => {
  let project: string
  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), 'comrade-gate-'))
    mkdirSync(join(project, 'bin'))
    for (const name of ['test.ts', 'check.ts']) cpSync(join(ROOT, 'scripts', name), join(project, 'scripts', name))
    for (const name of ['tsc', 'oxlint', 'oxfmt']) command(name, 'exit 0')
    command('mocha', COUNTS(12, 0))
  })
  afterEach(() => rmSync(project, { recursive: true }))

  function command(name: string, script: string): void {
    writeFileSync(join(project, 'bin', name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(project, 'bin', name), 0o755)
  }

  function test(): { status: number | null; stdout: string; last: string } {
    const env = { ...process.env, PATH: join(project, 'bin') + delimiter + process.env.PATH }
    const { status, stdout } = spawnSync(process.execPath, [join(project, 'scripts/test.ts')], {
      env,
      encoding: 'utf8'
    })
    return { status, stdout, last: stdout.trimEnd().split('\n').at(-1)! }
  }

  it('ends with how many tests passed and failed', () => {
    assert.deepEqual(test(), {
      status: 0,
      stdout: 'types: ok\nlint: ok\nformat: ok\ntests ran\n12 passed, 0 failed\n',
      last: '12 passed, 0 failed'
    })
  })

  it('stops before the tests when a check fails, with its output and exit code', () => {
    command('oxlint', 'echo "a promise floats"; exit 3')
    const { status, stdout, last } = test()
    assert.deepEqual([status, last], [3, '0 passed, 1 failed'])
    assert.match(stdout, /a promise floats/)
    assert.doesNotMatch(stdout, /tests ran/)
  })

  it('fails as mocha fails', () => {
    command('mocha', `${COUNTS(10, 2)}; exit 2`)
    const { status, last } = test()
    assert.deepEqual([status, last], [2, '10 passed, 2 failed'])
  })

  it('counts a failure when mocha could not run the tests or end', () => {
    command('mocha', 'echo "cannot load" >&2; exit 1')
    assert.deepEqual([test().status, test().last], [1, '0 passed, 1 failed'])
    command('mocha', `${COUNTS(12, 0)}; exit 1`)
    assert.deepEqual([test().status, test().last], [1, '12 passed, 1 failed'])
  })
})
