// Stands in for ring proofs where thousands of logs are needed: the "proof" is the secret itself, so a proof holds when
// its key is in the ring and both tags are what this secret gives. It hides nothing and costs nothing.
import type { Anonymous, Hex } from '../../src/groups/operations.ts'

export interface StandInPlace {
  group: Hex
  ring: readonly Hex[]
  period: number
}

export const ringKeyOf = (secret: string): Hex => `ring ${secret}`
const tagOf = (secret: string, group: Hex, motion: Hex): Hex => `tag ${secret} ${group} ${motion}`
const slotTagOf = (secret: string, group: Hex, period: number, slot: number): Hex =>
  `slot ${secret} ${group} ${period} ${slot}`

export function nameless(
  type: Anonymous['type'],
  id: Hex,
  { secret, group, motion, period, slot }: { secret: string; group: Hex; motion: Hex; period: number; slot: number }
): Anonymous {
  return {
    type,
    id,
    parents: [motion],
    motion,
    tag: tagOf(secret, group, motion),
    slotTag: slotTagOf(secret, group, period, slot),
    slot,
    proof: Buffer.from(secret)
  }
}

export function verifyStandIn({ motion, tag, slotTag, slot, proof }: Anonymous, place: StandInPlace): boolean {
  const secret = Buffer.from(proof).toString()
  return (
    place.ring.includes(ringKeyOf(secret)) &&
    tag === tagOf(secret, place.group, motion) &&
    slotTag === slotTagOf(secret, place.group, place.period, slot)
  )
}
