// Writes the directory's vectors beside this file: `node test/vectors/directory/generate.ts`. The same bytes each time.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { blindingVectors, recordVectors } from './cases.ts'

export const directoryVectorFiles: Readonly<Record<string, readonly object[]>> = {
  'blinding.json': blindingVectors,
  'record.json': recordVectors
}

/** A file's text: an array with one vector a line. */
export function formatDirectoryVectors(vectors: readonly object[]): string {
  return `[\n${vectors.map((vector) => `  ${JSON.stringify(vector)}`).join(',\n')}\n]\n`
}

if (import.meta.main) {
  for (const [file, vectors] of Object.entries(directoryVectorFiles)) {
    writeFileSync(join(import.meta.dirname, file), formatDirectoryVectors(vectors))
  }
}
