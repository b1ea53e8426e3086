// `npm run test:browser`: looks for Chromium, installs Debian's where it is missing and may be, and runs the tests of the page.
// With SCREENSHOTS=1 they keep their pictures in docs/images.
import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'

const ROOT = dirname(import.meta.dirname)
const INSTALL = ['apt-get', 'install', '-y', '--no-install-recommends', 'chromium']

function run(command: string, ...args: string[]): number {
  return spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1
}

function hasProgram(name: string): boolean {
  return spawnSync('which', [name], { stdio: 'ignore' }).status === 0
}

function hasChromium(): boolean {
  if (process.env.CHROMIUM !== undefined || hasProgram('chromium')) return true
  if (process.getuid?.() === 0 && hasProgram('apt-get') && run(INSTALL[0], ...INSTALL.slice(1)) === 0) return true
  console.error(
    `The tests of the page need Chromium: ${INSTALL.join(' ')} (as root), or let CHROMIUM name the program.`
  )
  return false
}

const MOCHA = ['node_modules/mocha/bin/mocha.js', '--no-config', '--timeout', '60000', '--exit']
const files = process.argv.slice(2)
process.exitCode = hasChromium()
  ? run(process.execPath, ...MOCHA, ...(files.length === 0 ? ['test/browser/*.browser.ts'] : files))
  : 1
