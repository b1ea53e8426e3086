// Bundles the processes that are measured, with the settings of scripts/build.ts: what is measured is what is shipped,
// and no measured process carries a TypeScript compiler.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** Packages with compiled parts, which find them beside their own files. */
const NATIVE = ['classic-level']
const BANNER =
  "import { createRequire as comradeCreateRequire } from 'node:module'; const require = comradeCreateRequire(import.meta.url);"

/** Makes bench/build/bin/: child.js, and one module for each contender. */
export async function bundle(): Promise<void> {
  await build({
    entryPoints: {
      child: 'bench/child.ts',
      comrade: 'bench/contenders/comrade.ts',
      hypercore: 'bench/contenders/hypercore.ts',
      'ssb-db2': 'bench/contenders/ssb.ts'
    },
    outdir: 'bench/build',
    entryNames: 'bin/[name]',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: NATIVE,
    banner: { js: BANNER },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    absWorkingDir: ROOT
  })
}
