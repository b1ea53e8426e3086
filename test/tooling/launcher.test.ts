// ./comrade in a checkout: bundles when it must, runs what is new, and gets out of the program's way.
import assert from 'node:assert/strict'
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../support/documents.ts'

const PROGRAM = `
import { label } from './label.ts'
const [verb, ...rest] = process.argv.slice(2)
if (verb === 'late') console.log((await import('./late.ts')).text)
else if (verb === 'input') for await (const chunk of process.stdin) process.stdout.write(chunk)
else if (verb === 'code') process.exit(Number(rest[0]))
else if (verb === 'wait') {
  process.once('SIGTERM', () => process.exit(9))
  console.log(process.pid)
  setInterval(() => {}, 1000)
} else console.log([label, verb, ...rest].join('|'))
`

describe('./comrade', function () {
  this.timeout(60_000)
  let checkout: string

  beforeEach(() => {
    checkout = mkdtempSync(join(tmpdir(), 'comrade-launcher-'))
    for (const file of ['comrade', 'package.json', 'package-lock.json', 'scripts/build.ts', 'scripts/bundling.ts']) {
      cpSync(join(ROOT, file), join(checkout, file))
    }
    makeOld(join(checkout, 'package-lock.json'))
    symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'))
    write('src/cli/main.ts', PROGRAM)
    write('src/cli/label.ts', "export const label = 'first'")
    write('src/cli/late.ts', "export const text = 'loaded late'")
  })
  afterEach(() => rmSync(checkout, { recursive: true, maxRetries: 5 }))

  function write(file: string, text: string): void {
    mkdirSync(join(checkout, file, '..'), { recursive: true })
    writeFileSync(join(checkout, file), text)
  }

  function run(args: string[], { input, cwd, env }: { input?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
    return spawnSync(join(checkout, 'comrade'), args, { input, cwd, env, encoding: 'utf8', timeout: 30_000 })
  }

  it('bundles the sources on first use and gives the arguments as they are', () => {
    assertPrinted(run(['post', 'two words', '', '*', '$HOME']), 'first|post|two words||*|$HOME\n')
  })

  it('runs the bundle again without another build, and builds anew when a source has changed or gone', () => {
    run(['x'])
    write('scripts/build.ts', 'throw new Error("built again")')
    makeOld(join(checkout, 'scripts/build.ts'))
    assertPrinted(run(['x']), 'first|x\n')

    cpSync(join(ROOT, 'scripts/build.ts'), join(checkout, 'scripts/build.ts'))
    write('src/cli/label.ts', "export const label = 'second'")
    assertPrinted(run(['x']), 'second|x\n')

    rmSync(join(checkout, 'src/cli/label.ts'))
    const { status, stderr } = run(['x'])
    assert.equal(status, 1)
    assert.match(stderr, /label\.ts[^]*comrade: the sources could not be bundled/)
  })

  it('loads late what is imported late', () => {
    assertPrinted(run(['late']), 'loaded late\n')
    assert.ok(readdirSync(join(checkout, 'build/chunks')).some((name) => name.startsWith('late-')))
  })

  it('works through symbolic links and from any directory', () => {
    const bin = join(checkout, 'a folder')
    mkdirSync(bin)
    symlinkSync('../comrade', join(bin, 'inner'))
    symlinkSync(join(bin, 'inner'), join(bin, 'outer'))
    const { stdout } = spawnSync('./outer', ['x'], { cwd: bin, encoding: 'utf8' })
    assert.equal(stdout, 'first|x\n')
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` }
    assert.equal(spawnSync('outer', ['x'], { cwd: '/', env, encoding: 'utf8' }).stdout, 'first|x\n')
  })

  it('leaves standard input to the program, also on first use', () => {
    assertPrinted(run(['input'], { input: 'all\nof it' }), 'all\nof it')
  })

  it("ends with the program's exit code", () => {
    assert.equal(run(['code', '75']).status, 75)
  })

  it('becomes the program, so that signals reach it', async () => {
    run(['x'])
    const child = spawn(join(checkout, 'comrade'), ['wait'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const pid = await new Promise<number>((resolve) => child.stdout.once('data', (text) => resolve(Number(text))))
    assert.equal(pid, child.pid)
    child.kill('SIGTERM')
    assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 9)
  })

  it('bundles once when several start at the same time', async () => {
    const outputs = Array.from({ length: 4 }, () => {
      const child = spawn(join(checkout, 'comrade'), ['x'], { stdio: ['ignore', 'pipe', 'ignore'] })
      let text = ''
      child.stdout.on('data', (more) => (text += more))
      return new Promise((resolve) => child.once('close', (code) => resolve([code, text])))
    })
    for (const output of await Promise.all(outputs)) assert.deepEqual(output, [0, 'first|x\n'])
    assert.deepEqual(readdirSync(join(checkout, 'build')).sort(), ['bin', 'chunks', 'compile-cache'])
  })

  it('takes over the lock of a start that died', () => {
    const { pid } = spawnSync('true')
    write('build/lock/pid', String(pid))
    assertPrinted(run(['x']), 'first|x\n')
  })

  describe('without node_modules', () => {
    const tools = ['sh', 'readlink', 'mkdir', 'rm', 'touch', 'cat', 'find', 'mv', 'sleep', 'ln', 'cp']
    let bin: string
    beforeEach(() => {
      rmSync(join(checkout, 'node_modules'))
      bin = join(checkout, 'bin')
      mkdirSync(bin)
      for (const tool of tools) {
        const { stdout } = spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' })
        symlinkSync(stdout.trim(), join(bin, tool))
      }
    })

    it('says what is missing when there is no npm', () => {
      const { status, stderr } = run(['x'], { env: { PATH: bin } })
      assert.equal(status, 1)
      assert.match(stderr, /^comrade: npm is needed/)
      assert.ok(!existsSync(join(checkout, 'build/lock')))
    })

    it('installs with npm first, keeping its words out of standard output', () => {
      writeNpm(
        `echo chatter; read -r line && echo "took $line"; ln -s "${ROOT}/node_modules" node_modules; echo "$@" >asked`
      )
      const { status, stdout, stderr } = run(['input'], { env: { PATH: bin }, input: 'mine\n' })
      assert.equal(status, 0, stderr)
      assert.equal(stdout, 'mine\n')
      assert.match(stderr, /chatter/)
      assert.doesNotMatch(stderr, /took/)
    })

    it("shows npm's message and a hint when it cannot install", () => {
      writeNpm('echo "npm error network" >&2; exit 7')
      const { status, stdout, stderr } = run(['x'], { env: { PATH: bin } })
      assert.deepEqual([status, stdout], [1, ''])
      assert.match(stderr, /npm error network\ncomrade: npm could not install .* check the network/)
    })

    function writeNpm(script: string): void {
      writeFileSync(join(bin, 'npm'), `#!/bin/sh\n${script}\n`)
      chmodSync(join(bin, 'npm'), 0o755)
    }
  })
})

function assertPrinted({ status, stdout, stderr }: SpawnSyncReturns<string>, expected: string): void {
  assert.equal(status, 0, stderr)
  assert.equal(stdout, expected)
}

/** As a file of a checkout that was installed and bundled after it was made. */
function makeOld(file: string): void {
  utimesSync(file, 1_000_000_000, 1_000_000_000)
}
