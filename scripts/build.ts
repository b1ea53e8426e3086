// Makes what is run and what is published:
//   node scripts/build.ts run    build/: the command line in one bundle, for ./comrade in a checkout
//   node scripts/build.ts dist   dist/: the library with its types, and the same bundle as the package's bin
// A bundle starts in a third of the time and needs less memory than hundreds of modules.
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { build } from 'esbuild'
import { BUNDLING, PAGE_BUNDLING } from './bundling.ts'

const ROOT = dirname(import.meta.dirname)
const ASIDE = ['src/node/groups/proof-worker.ts', 'src/node/messages/prekey-worker.ts']
/** Chunks of older bundles are kept this long, for nodes that are still running from them. */
const KEEP_CHUNKS_MS = 7 * 86_400_000

/** Programs of threads and of other processes lie beside the chunks, which start them by `new URL('./…', import.meta.url)`. */
function aside(): Record<string, string> {
  const present = ASIDE.filter((source) => existsSync(join(ROOT, source)))
  return Object.fromEntries(present.map((source) => [`chunks/${basename(source, '.ts')}`, source]))
}

/** Bundles the command line into `directory`/bin/comrade.js and `directory`/chunks; what is imported late is loaded late. */
async function bundle(directory: string): Promise<void> {
  await build({
    entryPoints: { 'bin/comrade': 'src/cli/main.ts', ...aside() },
    outdir: directory,
    // Every file lies one folder deep, as in src/: `new URL('../web/…', import.meta.url)` holds in both.
    entryNames: '[dir]/[name]',
    ...BUNDLING
  })
}

/** Bundles the page, where there is one, into `directory`/web: a script, what it loads late, a style and the document. */
async function bundlePage(directory: string): Promise<void> {
  if (!existsSync(join(ROOT, 'src/web'))) return
  await build({
    entryPoints: { page: 'src/web/main.tsx', 'qr-reader': 'src/web/qr-reader.ts', style: 'src/web/style.css' },
    outdir: join(directory, 'web'),
    ...PAGE_BUNDLING
  })
  for (const name of ['index.html', 'icon.svg']) copyFileSync(join(ROOT, 'src/web', name), join(directory, 'web', name))
}

/**
 * Puts a new bundle in the old one's place while others may be starting or running it: chunks are named by their
 * content and only added; the entry is replaced last, by a rename. Its time is that of the beginning, so that a
 * source changed meanwhile counts as newer.
 */
function install(fresh: string, directory: string, startedMs: number): void {
  for (const folder of ['bin', 'chunks']) mkdirSync(join(directory, folder), { recursive: true })
  const chunks = move(join(fresh, 'chunks'), join(directory, 'chunks'))
  move(join(fresh, 'web'), join(directory, 'web'))
  const entry = join(fresh, 'bin/comrade.js')
  utimesSync(entry, startedMs / 1000, startedMs / 1000)
  renameSync(entry, join(directory, 'bin/comrade.js'))
  removeOld(join(directory, 'chunks'), new Set(chunks), startedMs - KEEP_CHUNKS_MS)
}

/** @returns the names of what was there */
function move(from: string, to: string): string[] {
  if (!existsSync(from)) return []
  mkdirSync(to, { recursive: true })
  const names = readdirSync(from)
  for (const name of names) renameSync(join(from, name), join(to, name))
  return names
}

function removeOld(directory: string, current: ReadonlySet<string>, beforeMs: number): void {
  for (const name of readdirSync(directory)) {
    const file = join(directory, name)
    if (!current.has(name) && statSync(file).mtimeMs < beforeMs) rmSync(file, { force: true })
  }
}

async function buildRun(): Promise<void> {
  const startedMs = Date.now()
  const directory = join(ROOT, 'build')
  mkdirSync(directory, { recursive: true })
  const fresh = mkdtempSync(join(directory, 'new-'))
  try {
    await bundle(fresh)
    await bundlePage(fresh)
    install(fresh, directory, startedMs)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

async function buildDist(): Promise<void> {
  const directory = join(ROOT, 'dist')
  rmSync(directory, { recursive: true, force: true })
  const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: ROOT, stdio: 'inherit' })
  if (status !== 0) throw new Error(`tsc ended with ${status}`)
  await bundle(directory)
  await bundlePage(directory)
}

const kinds: Record<string, () => Promise<void>> = { run: buildRun, dist: buildDist }
const kind = kinds[process.argv[2]]
if (kind === undefined) {
  console.error(`usage: node scripts/${basename(import.meta.filename)} ${Object.keys(kinds).join('|')}`)
  process.exit(2)
}
try {
  await kind()
} catch (error) {
  // esbuild and tsc have told what is wrong, by file and line.
  console.error(`build: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
  process.exitCode = 1
}
