// Writes the vectors beside this file: `node test/vectors/generate.ts`. The same bytes each time; a test compares them.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bodyCases, largeCases } from './cases/body.ts'
import type { Vector } from './cases/build.ts'
import { cborCases } from './cases/cbor.ts'
import { chainCases } from './cases/chain.ts'
import { headerCases } from './cases/header.ts'
import { mentionCases } from './cases/mentions.ts'
import { boxCases, sealedCases, selfKeyCases } from './cases/sealed.ts'
import { signatureCases } from './cases/signature.ts'
import { typeCases } from './cases/types.ts'

/** The vectors of each file, by its name. */
export const vectorFiles: Readonly<Record<string, readonly Vector[]>> = {
  'header.json': headerCases,
  'chain.json': chainCases,
  'signature.json': signatureCases,
  'cbor.json': cborCases,
  'body.json': bodyCases,
  'large.json': largeCases,
  'types.json': typeCases
}

/** What is not about entries, in files of their own. */
export const trustFiles: Readonly<Record<string, readonly object[]>> = {
  'sealed.json': sealedCases,
  'self-keys.json': selfKeyCases,
  'boxes.json': boxCases,
  'mentions.json': mentionCases
}

/** A file's text: an array with one vector a line, so that a change shows as the lines that it concerns. */
export function formatVectors(vectors: readonly object[]): string {
  return `[\n${vectors.map((vector) => `  ${JSON.stringify(vector)}`).join(',\n')}\n]\n`
}

if (import.meta.main) {
  for (const [file, vectors] of Object.entries(vectorFiles)) {
    writeFileSync(join(import.meta.dirname, file), formatVectors(vectors))
  }
  for (const [file, vectors] of Object.entries(trustFiles)) {
    writeFileSync(join(import.meta.dirname, 'trust', file), formatVectors(vectors))
  }
}
