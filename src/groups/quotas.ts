// How much of a kind one log takes, asked before anything dear is looked at. Without it one member, or somebody who is
// none, could fill every other member's disk. What counts for membership never depends on it: whatever something else
// stands on is taken, however much there is.
import type { Evaluator } from './evaluate.ts'
import type { Anonymous, Hex, Join, Operation, SignedOperation } from './operations.ts'

/** Most nameless operations with one tag, for one motion and of one kind: an honest member makes one. */
export const MAX_PER_TAG = 4
/** Most joins for one candidacy: an honest candidate makes one, and again after a fall-back to an older state. */
export const MAX_JOINS_PER_CANDIDACY = 4
/** Most operations that one person signs in one period of 30 days: an honest member signs a few a day. */
export const MAX_PER_AUTHOR = 1_024

/** 'full': there are enough of its kind, unless something stands on it. 'void': it can never count, so no node keeps it. */
export type Fit = 'fits' | 'full' | 'void'

export class Quotas {
  readonly evaluator: Evaluator
  readonly #counts = new Map<string, number>()
  /** Keys that anybody ever came in with, and who it was: one vouched for may come in with any number of them. */
  readonly #members: Map<Hex, Hex>
  /** Identities that have had all that they may in any period. */
  readonly #spent = new Set<Hex>()
  /** How many of the log's operations were counted. */
  #counted = 0

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator
    this.#members = new Map(evaluator.log.create.founders.map(({ member, identity }) => [member, identity]))
  }

  /**
   * Whether an operation is reason enough to take another that it stands on, and that is 'full'. Else nodes that heard
   * things in another order could not agree. Junk proofs end the session that brings them; strangers bring in only the
   * vouches that they join with; and nobody's own excess brings in more of it.
   */
  isReason(child: Operation, parent: Operation): boolean {
    this.#catchUp()
    if (!('author' in child)) return true
    if (child.type === 'join' && !('author' in parent)) return true
    const identity = this.#members.get(child.author)
    return identity !== undefined && !this.#spent.has(identity)
  }

  /** @param operation one that has no place yet, and all of whose parents have */
  fit(operation: Operation): Fit {
    this.#catchUp()
    switch (operation.type) {
      case 'create':
        return 'void'
      case 'candidacy':
        if (operation.isOwn) return this.evaluator.log.isCrowded ? 'full' : 'fits'
        return this.#fitOfMember(operation)
      case 'join':
        if (!this.#hasEnoughVouches(operation)) return 'void'
        return this.#count(keyOf(operation)) < MAX_JOINS_PER_CANDIDACY ? 'fits' : 'full'
      case 'vouch':
      case 'ballot':
      case 'retract':
        if (this.evaluator.placeFor(operation) === undefined) return 'void'
        return this.#count(keyOf(operation)) < MAX_PER_TAG ? 'fits' : 'full'
      default:
        return this.#fitOfMember(operation)
    }
  }

  #fitOfMember(operation: SignedOperation): Fit {
    if (!this.#members.has(operation.author)) return 'void'
    return this.#count(this.#authorKey(operation)) < MAX_PER_AUTHOR ? 'fits' : 'full'
  }

  /** What a valid join must have at least. All that is in the log was proven. */
  #hasEnoughVouches({ candidacy, identity, vouches }: Join): boolean {
    const { log } = this.evaluator
    const motion = log.at(log.indexOf(candidacy)!)
    const tally = motion.type === 'candidacy' && motion.identity === identity && this.evaluator.tally(candidacy)
    if (tally === undefined || tally === false || vouches.length > tally.of) return false
    const given = vouches
      .map((id) => log.at(log.indexOf(id)!))
      .filter((operation): operation is Anonymous => operation.type === 'vouch' && operation.motion === candidacy)
    return new Set(given.map(({ tag }) => tag)).size >= tally.needed
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  #catchUp(): void {
    const { log } = this.evaluator
    for (; this.#counted < log.size; this.#counted++) {
      const operation = log.at(this.#counted)
      if (operation.type === 'join') this.#members.set(operation.author, operation.identity)
      const isLoose = operation.type === 'candidacy' && operation.isOwn
      if (operation.type === 'create' || isLoose) continue
      const key = isKeyed(operation) ? keyOf(operation) : this.#authorKey(operation)
      const count = this.#count(key) + 1
      this.#counts.set(key, count)
      if (!isKeyed(operation) && count >= MAX_PER_AUTHOR) this.#spent.add(this.#personOf(operation))
    }
  }

  /** The period is that of the newest that it stands on: no clock decides. */
  #authorKey(operation: SignedOperation): string {
    const periods = operation.parents.map((id) => this.evaluator.before(id)!.period)
    return `${this.#personOf(operation)} ${Math.max(0, ...periods)}`
  }

  #personOf({ author }: SignedOperation): Hex {
    return this.#members.get(author) ?? author
  }
}

function isKeyed(operation: Operation): operation is Anonymous | Join {
  return !('author' in operation) || operation.type === 'join'
}

function keyOf(operation: Anonymous | Join): string {
  if (operation.type === 'join') return `join ${operation.candidacy}`
  return `${operation.type} ${operation.motion} ${operation.tag}`
}
