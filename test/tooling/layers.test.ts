// The layering is a lint rule: what it refuses, and that the linter really applies it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { forbidden, impure, LAYERS } from '../../scripts/layers.ts'
import { ROOT } from '../support/documents.ts'

describe('layers', () => {
  const allowed: [from: string, to: string, form?: 'import()' | 'type'][] = [
    ['src/feeds/store/store.ts', 'src/feeds/entry.ts'],
    ['src/trust/contacts.ts', 'src/feeds/index.ts'],
    ['src/groups/log.ts', 'src/trust/index.ts'],
    ['src/node/node.ts', 'src/messages/index.ts'],
    ['src/api/server.ts', 'src/node/index.ts'],
    ['src/cli/verbs/post.ts', 'src/api/client.ts'],
    ['src/cli/verbs/up.ts', 'src/node/index.ts', 'import()'],
    ['src/index.ts', 'src/node/index.ts'],
    ['examples/hello.ts', 'src/index.ts'],
    ['test/feeds/entry.test.ts', 'src/feeds/entry.ts'],
    ['bench/run.ts', 'src/node/network.ts']
  ]
  for (const [from, to, form = 'type'] of allowed) {
    it(`${from} may use ${to}`, () => assert.equal(forbidden({ from, to, form }), undefined))
  }

  const refused: [from: string, to: string, form?: 'import()'][] = [
    ['src/feeds/sync/diff.ts', 'src/trust/index.ts'],
    ['src/trust/contacts.ts', 'src/groups/index.ts'],
    ['src/groups/log.ts', 'src/messages/index.ts'],
    ['src/messages/session.ts', 'src/node/index.ts'],
    ['src/node/node.ts', 'src/api/index.ts'],
    ['src/api/server.ts', 'src/cli/output.ts'],
    ['src/trust/contacts.ts', 'src/feeds/entry.ts'],
    ['src/cli/verbs/post.ts', 'src/node/index.ts'],
    ['src/cli/verbs/post.ts', 'src/feeds/index.ts', 'import()'],
    ['src/web/page.ts', 'src/node/comrade.ts'],
    ['src/node/node.ts', 'src/index.ts'],
    ['src/node/node.ts', 'test/support/network.ts'],
    ['src/index.ts', 'src/feeds/entry.ts'],
    ['examples/hello.ts', 'src/node/index.ts']
  ]
  for (const [from, to, form] of refused) {
    it(`${from} may not use ${to}`, () => {
      for (const as of form === undefined ? (['import', 'type'] as const) : [form]) {
        assert.notEqual(forbidden({ from, to, form: as }), undefined, as)
      }
    })
  }

  it('of rules alone reach no disk and no network', () => {
    for (const name of ['node:fs', 'node:sqlite', 'node:net', '@libp2p/interface', 'libp2p'])
      assert.notEqual(impure('src/groups/log.ts', name), undefined, name)
    assert.equal(impure('src/groups/log.ts', 'node:crypto'), undefined)
    assert.equal(impure('src/node/node.ts', 'node:fs'), undefined)
    assert.equal(impure('test/groups/log.test.ts', 'node:fs'), undefined)
  })

  describe('in the linter', function () {
    this.timeout(30_000)
    const fromAbove = [
      "import { answer } from '../trust/index.ts'\nexport const doubled = answer * 2\n",
      "import type { Person } from '../trust/index.ts'\nexport const nobody: Person[] = []\n",
      "export { answer } from '../trust/index.ts'\n",
      "export * from '../trust/index.ts'\n",
      "export const load = () => import('../trust/index.ts')\n",
      "export const nobody: import('../trust/index.ts').Person[] = []\n"
    ]
    const files: Record<string, string> = {
      'src/trust/index.ts': 'export interface Person {\n  name: string\n}\nexport const answer = 42\n',
      'src/groups/below.ts': "export { answer } from '../trust/index.ts'\n",
      'src/groups/disk.ts': "export { readFileSync } from 'node:fs'\n",
      'src/feeds/a.ts': "import type { B } from './b.ts'\nexport interface A {\n  b: B\n}\n",
      'src/feeds/b.ts': "import type { A } from './a.ts'\nexport interface B {\n  a: A\n}\n",
      'src/feeds/late.ts': 'async function stop() {}\nexport const go = () => {\n  stop()\n}\n',
      ...Object.fromEntries(fromAbove.map((text, index) => [`src/feeds/above-${index}.ts`, text]))
    }
    let problems: string[]

    before(() => {
      const directory = mkdtempSync(join(tmpdir(), 'comrade-lint-'))
      try {
        problems = lint(directory, files)
      } finally {
        rmSync(directory, { recursive: true })
      }
    })

    const about = (file: string): string => problems.filter((problem) => problem.startsWith(file)).join('\n')

    for (const [index, text] of fromAbove.entries()) {
      it(`refuses what is above: ${text.split('\n')[0]}`, () => {
        assert.match(about(`src/feeds/above-${index}.ts`), /feeds must not use trust.*comrade\(layers\)/)
      })
    }

    it('passes a file that uses what is below it', () => assert.equal(about('src/groups/below.ts'), ''))

    it('refuses a disk to a layer of rules alone', () => assert.match(about('src/groups/disk.ts'), /groups is pure/))

    it('refuses a cycle, also one of types alone', () => assert.match(about('src/feeds/a.ts'), /import\(no-cycle\)/))

    it('refuses a promise that nobody awaits', () => assert.match(about('src/feeds/late.ts'), /no-floating-promises/))
  })

  it('knows every folder of src/', () => {
    const folders = globSync('*/', { cwd: join(ROOT, 'src') })
    for (const folder of folders) assert.ok((LAYERS as readonly string[]).includes(folder), `${folder} is in no layer`)
  })
})

/** The project's linter over files in a folder of their own. @returns its lines: `file:line:column: problem` */
function lint(directory: string, files: Record<string, string>): string[] {
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json', 'scripts/layers.ts']) {
    cpSync(join(ROOT, file), join(directory, file))
  }
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true })
    writeFileSync(join(directory, file), text)
  }
  const oxlint = join(ROOT, 'node_modules/.bin/oxlint')
  const { status, stdout } = spawnSync(oxlint, ['src', '--format=unix'], { cwd: directory, encoding: 'utf8' })
  assert.equal(status, 1)
  return stdout.split('\n')
}
