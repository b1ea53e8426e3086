// Rings of more members than one proof can be for: dealt out into parts, of which each member is in one. Everybody can
// speak, everybody is counted, and each is hidden among their part.
import { sha256 } from '../feeds/index.ts'
import { fromHex, toHex } from './operation.ts'
import type { Hex } from './operations.ts'
import { MAX_RING } from './ring-statement.ts'

const PART_DOMAIN = Buffer.from('comrade/ring/part/1\0')

/**
 * The parts of a ring, each sorted: one where it has 64 members or fewer; else ⌈n/64⌉ that differ in size by one at most,
 * so none has fewer than 32. The keys are dealt out in the order of their hashes with the last checkpoint's id: whoever
 * opens a motion has no say in it, nor has who chooses a key before that checkpoint.
 * @param last the last stable checkpoint in the motion's past; the group's id where there is none
 */
export function partsOf(ring: readonly Hex[], last: Hex): readonly (readonly Hex[])[] {
  const count = Math.ceil(ring.length / MAX_RING)
  if (count <= 1) return [ring]
  const seed = fromHex(last)
  const rank = new Map(ring.map((key) => [key, toHex(sha256(Buffer.concat([PART_DOMAIN, seed, fromHex(key)])))]))
  const dealt = ring.toSorted((a, b) => (rank.get(a)! < rank.get(b)! ? -1 : 1))
  return Array.from({ length: count }, (_, part) => dealt.filter((_, i) => i % count === part).toSorted())
}
