// The documentation is run: every console block of README.md and docs/, and every TypeScript block is type-checked;
// one marked `ts run` is run too. A block that cannot be run says why: skip=<reason>.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { commandsOf, fencedBlocks, Session, type Block } from './support/console-blocks.ts'
import { documents, ROOT } from './support/documents.ts'

const PROGRAM_LIMIT_MS = 30_000
const TYPES_LIMIT_MS = 60_000
/** Blocks of these would be read as commands and are not: they are to be written as console blocks. */
const UNRUN_SHELLS = ['sh', 'bash', 'shell', 'zsh', 'shell-session']
const run = promisify(execFile)

interface Document {
  path: string
  blocks: Block[]
}

function read(path: string): Document {
  return { path, blocks: fencedBlocks(readFileSync(join(ROOT, path), 'utf8')) }
}

describe('documentation', function () {
  this.timeout(300_000)

  for (const document of documents().map(read)) {
    describe(document.path, () => {
      it('gives a reason for each block that is skipped, and shows commands in console blocks only', () => {
        for (const { line, language, skip } of document.blocks) {
          assert.notEqual(skip, '', `line ${line}: skip=<reason>`)
          assert.ok(
            !UNRUN_SHELLS.includes(language),
            `line ${line}: write commands as a console block, not ${language}`
          )
        }
      })
      describeConsole(document.blocks.filter(({ language }) => language === 'console'))
    })
  }

  describeTypeScript(documents().map(read))
})

/** One test a block, in order, in one terminal. What follows a failed block would fail for that alone: it is not run. */
function describeConsole(blocks: readonly Block[]): void {
  if (blocks.every(({ skip }) => skip !== undefined)) {
    for (const { line, skip } of blocks) it(`line ${line}: not run: ${skip}`)
    return
  }
  let session: Session
  let hasFailed = false
  before(() => {
    session = new Session(join(ROOT, 'comrade'))
  })
  after(async () => {
    await session[Symbol.asyncDispose]()
  })
  for (const block of blocks) {
    if (block.skip !== undefined) {
      it(`line ${block.line}: not run: ${block.skip}`)
      continue
    }
    it(`line ${block.line}: ${block.lines[0]}`, async function () {
      if (hasFailed) this.skip()
      hasFailed = true
      for (const command of commandsOf(block)) await session.run(command)
      hasFailed = false
    })
  }
}

/** Each block is a module of its own, written beside a package that resolves to the sources. */
function describeTypeScript(all: readonly Document[]): void {
  const programs = all.flatMap(({ path, blocks }) =>
    blocks
      .filter(({ language, skip }) => (language === 'ts' || language === 'typescript') && skip === undefined)
      .map((block) => ({ ...block, path, file: `${path.replace(/\W+/g, '-')}-${block.line}.ts` }))
  )
  if (programs.length === 0) return

  describe('TypeScript blocks', () => {
    let directory: string
    before(() => {
      mkdirSync(join(ROOT, 'build'), { recursive: true })
      directory = mkdtempSync(join(ROOT, 'build/docs-'))
      linkPackage(directory)
      for (const { file, lines } of programs) writeFileSync(join(directory, file), `${lines.join('\n')}\nexport {}\n`)
    })
    after(() => rmSync(directory, { recursive: true, force: true }))

    it('have the types that they claim', async () => {
      const config = { extends: '../../tsconfig.json', compilerOptions: { noUnusedLocals: false }, include: ['*.ts'] }
      writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config))
      const tsc = join(ROOT, 'node_modules/.bin/tsc')
      await run(tsc, ['-p', directory], { cwd: directory, timeout: TYPES_LIMIT_MS }).catch(
        (error: { stdout?: string }) => {
          assert.fail(`file names end in the block's line:\n${error.stdout}`)
        }
      )
    })

    for (const { path, line, info, file } of programs) {
      if (!/\brun\b/.test(info)) continue
      it(`${path}, line ${line}: runs`, async () => {
        const args = ['--disable-warning=ExperimentalWarning', join(directory, file)]
        await run(process.execPath, args, { cwd: directory, timeout: PROGRAM_LIMIT_MS })
      })
    }
  })
}

/** A folder in which `import 'comrade-node'` finds the sources as an embedder finds the package. */
function linkPackage(directory: string): void {
  const target = join(directory, 'node_modules/comrade-node')
  mkdirSync(target, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(target, 'package.json'), '{ "type": "module", "exports": "./src/index.ts" }')
  if (existsSync(join(ROOT, 'src'))) symlinkSync(join(ROOT, 'src'), join(target, 'src'))
}
