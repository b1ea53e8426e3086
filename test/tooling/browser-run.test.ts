// `npm run test:browser` itself: where it finds a browser, how it gets one, and its last line.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../support/documents.ts'

const CHROMIUM = '[ "$1" = --version ] && echo "Chromium 1"'

describe('npm run test:browser', () => {
  let project: string
  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), 'comrade-browser-'))
    mkdirSync(join(project, 'bin'))
    for (const name of ['test-browser.ts', 'check.ts'])
      cpSync(join(ROOT, 'scripts', name), join(project, 'scripts', name))
    command('mocha', `echo "in $CHROMIUM"; echo '{"passed":7,"failed":0}' >"$TEST_COUNTS_FILE"`)
  })
  afterEach(() => rmSync(project, { recursive: true }))

  const file = (name: string): string => join(project, 'bin', name)

  function command(name: string, script: string): void {
    writeFileSync(file(name), `#!/bin/sh\n${script}\n`)
    chmodSync(file(name), 0o755)
  }

  /** Nothing but the commands of this project can be found. */
  function test(): { status: number | null; stdout: string; stderr: string; last: string } {
    const { CHROMIUM: _chromium, ...env } = process.env
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(project, 'scripts/test-browser.ts')], {
      env: { ...env, PATH: join(project, 'bin') },
      encoding: 'utf8',
      timeout: 30_000
    })
    return { status, stdout, stderr, last: stdout.trimEnd().split('\n').at(-1)! }
  }

  it('runs the tests in the browser that is there, and ends with how many passed and failed', () => {
    command('chromium', CHROMIUM)
    const { status, stdout } = test()
    assert.equal(stdout, `browser: Chromium 1\nin ${file('chromium')}\n7 passed, 0 failed\n`)
    assert.equal(status, 0)
  })

  it('fails as the tests fail', () => {
    command('chromium', CHROMIUM)
    command('mocha', `echo '{"passed":5,"failed":2}' >"$TEST_COUNTS_FILE"; exit 2`)
    assert.deepEqual([test().status, test().last], [2, '5 passed, 2 failed'])
  })

  it('says what to do where there is no browser, or one that does not start', () => {
    const missing = test()
    assert.deepEqual([missing.status, missing.last], [1, '0 passed, 1 failed'])
    assert.match(missing.stderr, /need Chromium.*\n.*apt-get update && apt-get install .*chromium/)
    command('chromium', 'echo "a library is missing" >&2; exit 127')
    const broken = test()
    assert.deepEqual([broken.status, broken.last], [1, '0 passed, 1 failed'])
    assert.match(broken.stderr, /a library is missing\n.*need Chromium/)
  })

  it('installs it, and looks for packages anew where none is known yet', function () {
    if (process.getuid?.() !== 0) return this.skip() // only root may install
    // An own `touch` and the like cannot be found here: the shell writes what it has been asked.
    command(
      'apt-get',
      [
        `echo "$* $DEBIAN_FRONTEND" >>"${join(project, 'asked')}"`,
        `case "$*" in *update) : >"${join(project, 'lists')}"; exit 0; esac`,
        `[ -e "${join(project, 'lists')}" ] || exit 100`,
        `printf '#!/bin/sh\\necho "Chromium 2"\\n' >"${file('chromium')}"`,
        `/bin/chmod 755 "${file('chromium')}"`
      ].join('\n')
    )
    const { status, stdout, stderr } = test()
    assert.equal(status, 0, stderr)
    assert.match(stdout, /browser: Chromium 2\n/)
    const asked = readFileSync(join(project, 'asked'), 'utf8').trim().split('\n')
    assert.deepEqual(
      asked.map((line) => /\b(install|update)\b/.exec(line)![1]),
      ['install', 'update', 'install']
    )
    for (const line of asked) assert.match(line, /DPkg::Lock::Timeout=\d+ .*noninteractive$/)
  })
})
