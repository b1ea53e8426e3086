// What a set of operations says: who is a member, by which rules, and what is final. The view of an operation's past
// decides whether it is valid; the view of everything is what a node shows.
import type { CheckpointFact, Facts, Seat } from './facts.ts'
import { type Finality, lastStable, NOTHING_STABLE, periodOf } from './finality.ts'
import { type Members, membersIn } from './members.ts'
import type { Create, Hex } from './operations.ts'
import type { Past } from './past.ts'

export interface View extends Members {
  finality: Finality
  /** The last stable checkpoint. */
  last: CheckpointFact | undefined
  /** Number of the period that vouches are given in. */
  period: number
  /** Active ring keys of the members, sorted, each once. */
  readonly ring: readonly Hex[]
  /** By the key that signs; where two people brought the same one, it is the lower identity's. */
  readonly byMember: ReadonlyMap<Hex, Seat>
}

/** What is so before there is anything. */
export const EMPTY_VIEW: View = {
  seats: new Map(),
  admitted: new Set(),
  removals: new Map(),
  rules: [],
  finality: NOTHING_STABLE,
  last: undefined,
  period: 0,
  ring: [],
  byMember: new Map()
}

export function viewOf(
  create: Create,
  facts: Facts,
  scope: { set: Past; finality: Finality; pastOf: (index: number) => Past }
): View {
  const members = membersIn(create, facts, scope)
  const last = lastStable(scope.finality, scope.pastOf)
  let ring: readonly Hex[] | undefined
  let byMember: ReadonlyMap<Hex, Seat> | undefined
  return {
    ...members,
    finality: scope.finality,
    last,
    period: periodOf(last, create.day),
    // Most views are asked for neither.
    get ring() {
      return (ring ??= [...new Set([...members.seats.values()].map((seat) => seat.ring))].toSorted())
    },
    get byMember() {
      return (byMember ??= indexed(members.seats.values()))
    }
  }
}

function indexed(seats: Iterable<Seat>): ReadonlyMap<Hex, Seat> {
  const byMember = new Map<Hex, Seat>()
  for (const seat of seats) {
    const other = byMember.get(seat.member)
    if (other === undefined || seat.identity < other.identity) byMember.set(seat.member, seat)
  }
  return byMember
}
