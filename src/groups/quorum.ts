// How many distinct members a decision takes, as a function of how many could have taken part. Whole numbers only, so
// that no two machines round differently.

export type QuorumKind = 'isqrt' | 'log2' | 'constant' | 'percent'

/** What a group decides by; fixed at its creation, changed by a motion with a majority. */
export interface Rule {
  quorum: QuorumKind
  /** Vouches for `constant`, percents for `percent`, 0 for the others. */
  value: number
  /** The quorum is never below this, nor below 1. */
  min: number
  /** The quorum is never above this. */
  max: number
  /** How many vouches a member can give in a period. */
  slots: number
}

/** No group is larger, so no quorum is. */
export const MAX_QUORUM = 1_024
/** Most slots that a rule may give. */
export const MAX_SLOTS = 64

/** The rule of a group whose founder names none: the whole root of the ring's size, two vouches a period. */
export const DEFAULT_RULE: Readonly<Rule> = { quorum: 'isqrt', value: 0, min: 1, max: MAX_QUORUM, slots: 2 }

/**
 * How many vouches admit a candidate. Never more than the ring has members: else a small group with a constant quorum
 * could not grow to the size at which the constant can be met.
 * @param n members in the motion's ring
 */
export function quorum(rule: Rule, n: number): number {
  const wanted = Math.min(rule.max, Math.max(rule.min, ofSize(rule, n)))
  return Math.max(1, Math.min(n, wanted))
}

/** The quorum where several rules are in force, since none of them saw the other: the strictest. */
export function strictestQuorum(rules: readonly Rule[], n: number): number {
  return Math.max(...rules.map((rule) => quorum(rule, n)))
}

/** The slots a period where several rules are in force: the fewest. */
export function strictestSlots(rules: readonly Rule[]): number {
  return Math.min(...rules.map(({ slots }) => slots))
}

/** Ballots that carry a motion in a ring of n: more than half. */
export function majority(n: number): number {
  return Math.floor(n / 2) + 1
}

/** Acks that make a checkpoint stable with a roster of n: more than two thirds, so that two such sets share a third. */
export function supermajority(n: number): number {
  return Math.floor((2 * n) / 3) + 1
}

/** The whole part of a square root, exact for every safe integer. */
export function isqrt(n: number): number {
  let root = Math.floor(Math.sqrt(n))
  while (root * root > n) root--
  while ((root + 1) * (root + 1) <= n) root++
  return root
}

function ofSize({ quorum, value }: Rule, n: number): number {
  switch (quorum) {
    case 'isqrt':
      return isqrt(n)
    case 'log2':
      return n < 1 ? 0 : 31 - Math.clz32(n)
    case 'constant':
      return value
    case 'percent':
      return Math.ceil((n * value) / 100)
  }
}
