// Bundles the processes that are measured, with the settings of scripts/build.ts: what is measured is what is shipped,
// and no measured process carries a TypeScript compiler.
import { build } from 'esbuild'
import { BUNDLING } from '../scripts/bundling.ts'

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
    ...BUNDLING
  })
}
