// Identities and their directory records, made by the rules and without a node.
import { generateSeed, signingKey } from '../../src/feeds/index.ts'
import {
  blindedKey,
  certify,
  dayOf,
  type DirectoryContent,
  directoryKey,
  directorySeed,
  sealRecord
} from '../../src/trust/index.ts'

export interface RecordOptions {
  /** The identity's seed. @default another one each time */
  seed?: Uint8Array
  day?: number
  sequence?: number
  /** How many devices were revoked. */
  generation?: number
  content?: DirectoryContent
}

/** A valid record of today, unless told otherwise, and the key under which it belongs. */
export function directoryRecord({
  seed = generateSeed(),
  day = dayOf(Date.now()),
  sequence = Date.now(),
  generation = 0,
  content = { log: { seq: 1, id: new Uint8Array(32) }, devices: [] }
}: RecordOptions = {}): { root: Uint8Array; blinded: Uint8Array; bytes: Uint8Array } {
  const root = signingKey(seed).publicKey
  const key = directoryKey(directorySeed(seed, generation), day)
  const certificate = certify(seed, generation, day)
  return {
    root,
    blinded: blindedKey(root, day),
    bytes: sealRecord({ root, key, certificate, sequence, content })
  }
}
