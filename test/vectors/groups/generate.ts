// Writes the groups' vectors beside this file: `node test/vectors/groups/generate.ts`. The same bytes each time.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatVectors } from '../generate.ts'
import { earlierVectors, epochVectors, openGroupVectors, postVectors } from './content-cases.ts'
import { forgeryCases } from './forgery-cases.ts'
import { formCases, ringCases, scalarCases } from './form-cases.ts'
import { keyVectors, possessionVectors } from './key-cases.ts'
import { partsVectors } from './parts-cases.ts'
import { replicationVectors } from './replication-cases.ts'
import { boundCases, tagCases, validCases } from './statement-cases.ts'

export const groupVectorFiles: Readonly<Record<string, readonly object[]>> = {
  'epoch.json': epochVectors,
  'earlier.json': earlierVectors,
  'open-group.json': openGroupVectors,
  'post.json': postVectors,
  'replication.json': replicationVectors,
  'ring-key.json': keyVectors,
  'possession.json': possessionVectors,
  'ring-parts.json': partsVectors,
  'ring-signature.json': [validCases, boundCases, tagCases, scalarCases, formCases, ringCases, forgeryCases].flat()
}

if (import.meta.main) {
  for (const [file, vectors] of Object.entries(groupVectorFiles)) {
    writeFileSync(join(import.meta.dirname, file), formatVectors(vectors))
  }
}
