// What is published holds all that its package.json names, and what is locked installs on every platform.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ROOT } from '../support/documents.ts'

/** Script, style and document of the page together, compressed, in bytes. */
const MAX_PAGE_BYTES = 150_000
/** The oldest that npm may run on: Debian 12 and Raspberry Pi OS have it. */
const OLDEST_NODE = 18

interface Locked {
  version?: string
  hasInstallScript?: boolean
  resolved?: string
  optional?: boolean
  engines?: { node?: string }
  optionalDependencies?: Record<string, string>
}
interface Manifest {
  version: string
  bin: { comrade: string }
  exports: { '.': { types: string; import: string } }
  allowScripts: Record<string, boolean>
}
const manifest = readJson('package.json') as Manifest
const locked = (readJson('package-lock.json') as { packages: Record<string, Locked> }).packages

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, file), 'utf8'))
}

describe('package', function () {
  this.timeout(60_000)

  describe('as published', () => {
    let files: string[]
    before(() => {
      execFileSync(process.execPath, ['scripts/build.ts', 'dist'], { cwd: ROOT, stdio: 'pipe' })
      const report = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
        cwd: ROOT,
        encoding: 'utf8',
        stdio: 'pipe'
      })
      files = packed(JSON.parse(report)).map(({ path }) => path)
    })

    it('holds the program, the library and its types, the licence and the documentation', () => {
      const { types, import: library } = manifest.exports['.']
      for (const file of [manifest.bin.comrade, types, library, './LICENSE', './CHANGELOG.md']) {
        assert.ok(files.includes(file.replace('./', '')), file)
      }
    })

    it('holds nothing but what is built and written for it', () => {
      for (const file of files) assert.match(file, /^(dist|docs)\/|^(package\.json|[A-Z]+(\.md)?)$/)
      for (const file of files) assert.ok(!file.endsWith('.ts') || file.endsWith('.d.ts'), file)
    })

    it('holds what runs beside the node, beside the library and beside the chunks of the program', () => {
      for (const file of ['groups/proof-worker.js', 'messages/prekey-worker.js']) {
        for (const place of [`dist/node/${file}`, `dist/chunks/${basename(file)}`]) {
          assert.ok(files.includes(place), place)
          assertStarts(join(ROOT, place))
        }
      }
    })

    it('holds the page, which loads nothing but its own small files', () => {
      for (const name of ['index.html', 'page.js', 'qr-reader.js', 'style.css', 'icon.svg'])
        assert.ok(files.includes(`dist/web/${name}`), name)
      const texts = ['index.html', 'page.js', 'style.css'].map((name) => readFileSync(join(ROOT, 'dist/web', name)))
      const bytes = texts.reduce((sum, text) => sum + gzipSync(text).length, 0)
      assert.ok(bytes <= MAX_PAGE_BYTES, `${bytes} bytes, compressed`)
      for (const [, address] of texts[0].toString().matchAll(/(?:href|src)="(.*?)"/g)) assert.match(address, /^\/web\//)
      assert.ok(!/url\(|@import/.test(texts[2].toString()))
    })

    it('has a program that runs and a library that loads', () => {
      const run = (...args: string[]): string => execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' })
      assert.equal(run(manifest.bin.comrade, '--version'), `${manifest.version}\n`)
      const load = `console.log(typeof (await import('comrade-node')).createNode)`
      assert.equal(run('--input-type=module', '--eval', load), 'function\n')
    })
  })

  it('locks every platform’s build of each dependency, without which npm refuses to install', () => {
    for (const [path, { optionalDependencies = {} }] of Object.entries(locked)) {
      for (const name of Object.keys(optionalDependencies)) {
        const places = [`${path}/node_modules/${name}`, `node_modules/${name}`]
        assert.ok(
          places.some((place) => place in locked),
          `${path} needs ${name}`
        )
      }
    }
  })

  it('locks no optional build for newer versions of Node than npm may run on, which that npm would leave out without a word', () => {
    for (const [path, { optional, engines }] of Object.entries(locked)) {
      if (optional !== true || engines?.node === undefined) continue
      const [, oldest] = /^>=\s*(\d+)/.exec(engines.node) ?? []
      assert.ok(
        Number(oldest) <= OLDEST_NODE,
        `${path} asks for ${engines.node}: take "engines" out of package-lock.json`
      )
    }
  })

  it('names no place that a dependency is to be loaded from, but the registry that npm is set to', () => {
    for (const [path, { resolved }] of Object.entries(locked)) assert.equal(resolved, undefined, path)
  })

  it('decides about the install script of each dependency that has one', () => {
    for (const [path, { hasInstallScript }] of Object.entries(locked)) {
      const name = path.split('node_modules/').at(-1)!
      if (hasInstallScript === true) assert.ok(name in manifest.allowScripts, name)
    }
  })

  it('has the licence that it says', () => {
    assert.match(
      readFileSync(join(ROOT, 'LICENSE'), 'utf8'),
      /^ +GNU AFFERO GENERAL PUBLIC LICENSE\n +Version 3, 19 November 2007\n/
    )
  })

  it('keeps the files that are run as programs runnable', () => {
    for (const file of ['comrade', '.ci/run']) {
      assert.ok(existsSync(join(ROOT, file)), file)
      assert.ok((statSync(join(ROOT, file)).mode & 0o111) === 0o111, file)
    }
  })
})

/** A thread or process that only waits to be asked has loaded all that it needs. */
function assertStarts(file: string): void {
  const start = `const { once } = await import('node:events')
    const { Worker } = await import('node:worker_threads')
    const { fork } = await import('node:child_process')
    const file = ${JSON.stringify(file)}
    const isThread = file.endsWith('proof-worker.js')
    const asked = isThread ? new Worker(file, { execArgv: [] }) : fork(file, { execArgv: [], serialization: 'advanced' })
    if (isThread) asked.postMessage({ verify: { ring: [], proof: new Uint8Array() } })
    else asked.send({ identity: new Uint8Array(32).fill(7), nowMs: 0, wanted: [] })
    const [answer] = await once(asked, 'message')
    console.log(Object.keys(answer).join())
    await (isThread ? asked.terminate() : asked.kill())`
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', start], { encoding: 'utf8' })
  assert.match(output, /^(isValid|made)\n$/)
}

/** npm 10 and 11 give a list of packages, npm 12 a record by name. */
function packed(report: unknown): { path: string }[] {
  const [first] = Object.values(report as object) as { files: { path: string }[] }[]
  return first.files
}
