// Who carries for the others: among members who are online, the one who is connected with most. A pure function of what
// members say about their connections, in which nobody can claim more than the other ends confirm.
import { sha256 } from '../feeds/index.ts'
import type { Hex } from './operations.ts'

const TIE_DOMAIN = Buffer.from('comrade/group/election/1\0')

/** What one member says: with whom it is connected, and whether it keeps and passes on what others send. */
export interface Candidature {
  member: Hex
  /** Keys of members. */
  links: readonly Hex[]
  /** A member who opted out of storing is never elected. */
  serves: boolean
}

/**
 * The order in which members are representatives: the first one is, the next follows when that one is lost.
 *
 * A connection counts when both ends name it. Of the members, those count who can be reached from `from` by such
 * connections: so each part of a group that fell apart has a representative of its own, and when the parts meet there is
 * one again. Most distinct neighbours come first, of those that have as many the lower sha256(domain ‖ term ‖ key).
 *
 * @param term what ties are decided by anew: 32 bytes, the same for all members
 * @param said the newest word of each member; of two by one member the last is taken
 * @returns the same for every member of the part, in any order of `said`; empty when nobody of it serves
 */
export function elect(term: Uint8Array, said: Iterable<Candidature>, from: Hex): Hex[] {
  const words = new Map([...said].map((word) => [word.member, word]))
  const neighbours = neighboursIn(words)
  const standings = reachable(from, neighbours)
    .filter((member) => words.get(member)?.serves === true)
    .map((member) => ({ member, degree: neighbours.get(member)!.size, tie: tieOf(term, member) }))
  standings.sort((a, b) => b.degree - a.degree || Buffer.compare(a.tie, b.tie))
  return standings.map(({ member }) => member)
}

/** With whom each is connected, as both ends say. */
function neighboursIn(words: ReadonlyMap<Hex, Candidature>): Map<Hex, Set<Hex>> {
  const named = new Map([...words].map(([member, { links }]) => [member, new Set(links)]))
  return new Map(
    [...named].map(([member, links]) => [
      member,
      new Set([...links].filter((other) => other !== member && named.get(other)?.has(member)))
    ])
  )
}

function reachable(from: Hex, neighbours: ReadonlyMap<Hex, ReadonlySet<Hex>>): Hex[] {
  const found = new Set([from])
  for (const member of found) for (const next of neighbours.get(member) ?? []) found.add(next)
  return [...found].filter((member) => neighbours.has(member))
}

function tieOf(term: Uint8Array, member: Hex): Uint8Array {
  return sha256(Buffer.concat([TIE_DOMAIN, term, Buffer.from(member, 'hex')]))
}
