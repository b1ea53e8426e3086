// What valid operations say, in the form that evaluation reads again and again. `at` is always an operation's index.
import type { Hex, Keys } from './operations.ts'
import type { Rule } from './quorum.ts'

/** A motion's place in the log, and what was so when it was opened: one ring, for everybody. */
export interface Ballotable {
  at: number
  /** Active ring keys of the members at its past, sorted. */
  ring: readonly Hex[]
  seats: ReadonlyMap<Hex, Seat>
  rules: readonly Rule[]
  /** Vouches that admit a candidate by these rules. */
  quorum: number
  period: number
}

/** One member's place in the group. */
export interface Seat extends Keys {
  identity: Hex
  /** The key that signs. */
  member: Hex
  /** Where it comes from: the create (0) or a join. */
  origin: number
  /** Where its ring key comes from: the same, or a rekey. */
  keyOrigin: number
}

export interface JoinFact extends Keys {
  at: number
  id: Hex
  identity: Hex
  member: Hex
  motion: Ballotable
  /** The vouches that it lists and that hold. */
  vouches: readonly { tag: Hex; slotTag: Hex }[]
  /** How many different tags they have. */
  tags: number
  /** Whether a join for another motion lists a vouch from one of the same slots: rare, and looked at only then. */
  isContested: boolean
}

export interface RemovalFact {
  at: number
  identity: Hex
  /** The motion that decided it; of somebody who left: `at`. */
  motion: number
  /** Ballots and the ring's size; absent when they left. */
  ballots?: { count: number; of: number }
}

export interface RuleFact {
  at: number
  motion: number
  rule: Rule
}

export interface RekeyFact extends Keys {
  at: number
  id: Hex
  member: Hex
}

export interface RetractFact {
  at: number
  motion: number
  tag: Hex
}

export interface CheckpointFact {
  at: number
  id: Hex
  day: number
  /** Who may ack it, by identity. */
  roster: ReadonlySet<Hex>
  /** How many of them make it stable. */
  needed: number
  acks: { at: number; identity: Hex }[]
}

/** All facts of a log, each list by rising index. */
export interface Facts {
  joins: JoinFact[]
  /** Which joins list a vouch from a slot, by slot tag. */
  slotUses: Map<Hex, JoinFact[]>
  removals: RemovalFact[]
  rules: RuleFact[]
  rekeys: RekeyFact[]
  retracts: RetractFact[]
  checkpoints: CheckpointFact[]
}
