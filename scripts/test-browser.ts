// `npm run test:browser`: looks for Chromium, installs Debian's where it is missing and may be, and runs the tests of the
// page: all, or the files that are named. The last line is always `N passed, N failed`. With SCREENSHOTS=1 the tests keep
// their pictures in docs/images; CHROMIUM names another browser of that family.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Check, countLine, endOnSignals, runTests } from './check.ts'

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome']
/** A browser without any font draws nothing, and reactions are emoji. */
const PACKAGES = ['chromium', 'fonts-dejavu-core', 'fonts-noto-color-emoji']
/** Where somebody else is installing at the same moment. */
const APT_OPTIONS = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3']
const APT_LIMIT_MS = 600_000
const UPDATE_ATTEMPTS = 6
const UPDATE_PAUSE_MS = 10_000
/** Two files at a time take as long as the longest: the demo. All together it is a minute on a quiet machine. */
const TESTS_LIMIT_MS = 480_000

/** @returns its path */
function findProgram(name: string): string | undefined {
  const paths = (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, name))
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function findChromium(): string | undefined {
  return process.env.CHROMIUM ?? PROGRAMS.map(findProgram).find((path) => path !== undefined)
}

/** Whether it can start here: a package may be there of which parts are missing. */
function starts(path: string): boolean {
  const { status, stdout, stderr, error } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 60_000 })
  if (status === 0) console.log(`browser: ${stdout.trim()}`)
  else console.error(`${path} --version: ${error?.message ?? stderr.trim()}`)
  return status === 0
}

function apt(...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status } = spawnSync('apt-get', [...APT_OPTIONS, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env,
    timeout: APT_LIMIT_MS
  })
  return status === 0
}

/** What is known of packages may be old, or nothing at all, as in a fresh container. */
async function install(): Promise<void> {
  const command = ['install', '-y', '--no-install-recommends', ...PACKAGES]
  console.log(`Chromium is missing: apt-get ${command.join(' ')}`)
  if (apt(...command)) return
  for (let attempt = 1; !apt('update') && attempt < UPDATE_ATTEMPTS; attempt += 1) await setTimeout(UPDATE_PAUSE_MS)
  apt(...command)
}

async function takeChromium(): Promise<string | undefined> {
  const mayInstall = process.getuid?.() === 0 && findProgram('apt-get') !== undefined
  if (findChromium() === undefined && mayInstall) await install()
  const path = findChromium()
  if (path !== undefined && starts(path)) return path
  console.error(
    [
      'The tests of the page need Chromium. Do one of these, then run this again:',
      `  apt-get update && apt-get install -y --no-install-recommends ${PACKAGES.join(' ')}    (as root, on Debian)`,
      '  CHROMIUM=/path/to/chromium npm run test:browser'
    ].join('\n')
  )
  return undefined
}

function testsOf(files: readonly string[]): Check {
  const mocha = ['--no-config', '--reporter', './scripts/reporter.ts', '--require', './scripts/leftovers.ts']
  const pace = ['--timeout', '60000', '--parallel', '--jobs', '2']
  return { name: 'tests', command: 'mocha', args: [...mocha, ...pace, ...files], limitMs: TESTS_LIMIT_MS }
}

endOnSignals()
const given = process.argv.slice(2)
const chromium = await takeChromium()
const { code, ...counts } =
  chromium === undefined
    ? { code: 1, passed: 0, failed: 1 }
    : await runTests(testsOf(given.length === 0 ? ['test/browser/*.browser.ts'] : given), {
        ...process.env,
        CHROMIUM: chromium
      })
console.log(countLine(counts))
process.exitCode = code
