// Writes the groups' vectors beside this file: `node test/vectors/groups/generate.ts`. The same bytes each time.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatVectors } from '../generate.ts'
import { keyVectors, possessionVectors, signatureVectors } from './cases.ts'

export const groupVectorFiles: Readonly<Record<string, readonly object[]>> = {
  'ring-key.json': keyVectors,
  'possession.json': possessionVectors,
  'ring-signature.json': signatureVectors
}

if (import.meta.main) {
  for (const [file, vectors] of Object.entries(groupVectorFiles)) {
    writeFileSync(join(import.meta.dirname, file), formatVectors(vectors))
  }
}
