// With whom a member keeps connections: with everybody in a small group, with a few in a large one, so that any group
// hangs together and nobody dials hundreds.
import { sha256 } from '../feeds/index.ts'
import type { Hex } from './operations.ts'

/** Up to this many members are all connected with each other. */
export const FULL_MESH = 12
/** Distances on the circle at which neighbours are looked for, in a larger group: the next ones, and some far away. */
const NEAR = 3
const PLACE_DOMAIN = Buffer.from('comrade/group/place/1\0')

/**
 * Members to be connected with. In a group of more than 12, each member has a place on a circle by a hash of its key:
 * the three after it, and those a half, a quarter, an eighth … of the circle further on. Whoever does the same is one's
 * neighbour from the other side, so a group of n has about 2 · (3 + log2 n) connections a member and a diameter of log2 n.
 * @param members keys of all members
 * @param also members who are always among them, such as the representative
 */
export function neighbours(group: Hex, members: Iterable<Hex>, self: Hex, also: readonly Hex[] = []): Set<Hex> {
  const others = [...new Set(members)].filter((member) => member !== self)
  if (others.length < FULL_MESH) return new Set(others)
  const circle = [...others, self]
    .map((member) => ({ member, place: placeOf(group, member) }))
    .toSorted((a, b) => Buffer.compare(a.place, b.place))
    .map(({ member }) => member)
  const own = circle.indexOf(self)
  const steps = Array.from({ length: NEAR }, (_, i) => i + 1)
  for (let step = Math.floor(circle.length / 2); step > NEAR; step = Math.floor(step / 2)) steps.push(step)
  const chosen = steps.map((step) => circle[(own + step) % circle.length])
  return new Set([...chosen, ...also.filter((member) => member !== self && others.includes(member))])
}

function placeOf(group: Hex, member: Hex): Uint8Array {
  return sha256(Buffer.concat([PLACE_DOMAIN, Buffer.from(group + member, 'hex')]))
}
