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
/** What ballots have in the place of a slot. */
export const NO_SLOT = 2 ** 32 - 1

interface Context {
  group: Hex
  motion: Hex
  period: number
  slot: number
}

const slotTagOf = (secret: string, { group, motion, period, slot }: Context): Hex =>
  slot === NO_SLOT ? `ballot ${secret} ${group} ${motion}` : `slot ${secret} ${group} ${period} ${slot}`

export function nameless(
  type: Anonymous['type'],
  id: Hex,
  { secret, ...context }: Context & { secret: string }
): Anonymous {
  const { group, motion, slot } = context
  return {
    type,
    id,
    parents: [motion],
    motion,
    tag: tagOf(secret, group, motion),
    slotTag: slotTagOf(secret, context),
    slot,
    proof: Buffer.from(secret)
  }
}

export function verifyStandIn({ motion, tag, slotTag, slot, proof }: Anonymous, place: StandInPlace): boolean {
  const secret = Buffer.from(proof).toString()
  return (
    place.ring.includes(ringKeyOf(secret)) &&
    tag === tagOf(secret, place.group, motion) &&
    slotTag === slotTagOf(secret, { ...place, motion, slot })
  )
}
