// How the sources are bundled: the same for what is shipped and for what is measured (bench/bundle.ts).
import { dirname } from 'node:path'
import type { BuildOptions } from 'esbuild'

export const BUNDLING = {
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // Packages with compiled parts, which find them beside their own files.
  external: ['classic-level', '@signalapp/libsignal-client'],
  // CommonJS packages inside a bundle of ES modules call `require` for Node's own modules.
  banner: {
    js: "import { createRequire as comradeCreateRequire } from 'node:module'; const require = comradeCreateRequire(import.meta.url);"
  },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  absWorkingDir: dirname(import.meta.dirname)
} as const satisfies BuildOptions

/** The page, for browsers that are at most two years old. */
export const PAGE_BUNDLING = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'browser',
  target: ['chrome120', 'firefox121', 'safari17.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
  absWorkingDir: dirname(import.meta.dirname)
} as const satisfies BuildOptions
