// A group's operations as a graph: each has its place once everything that it stands on is there. What lacks parents
// waits in a bounded room. Operations come here checked by themselves (operation.ts); what they mean is not asked.
import type { Create, Hex, Operation } from './operations.ts'
import { Past } from './past.ts'

/** Most operations that wait for their parents; the oldest goes first. */
export const MAX_WAITING = 1_024
/** Most that wait of one author (of nameless ones: for one motion). */
export const MAX_WAITING_PER_AUTHOR = 64
/** Most candidacies opened by candidates themselves on which nothing stands. Members may always open more. */
export const MAX_LOOSE_CANDIDACIES = 1_024

/** 'refused': there are too many of its kind now; it is taken when something else stands on it. */
export type Placement = 'placed' | 'waiting' | 'known' | 'refused'

export class GroupLog {
  readonly create: Create
  readonly #operations: Operation[] = []
  readonly #indices = new Map<Hex, number>()
  readonly #pasts: Past[] = []
  readonly #parents: number[][] = []
  readonly #waiting = new Map<Hex, Operation>()
  /** Who waits for an operation that is not here. */
  readonly #waitingFor = new Map<Hex, Set<Hex>>()
  readonly #waitingOf = new Map<Hex, number>()
  readonly #loose = new Set<number>()

  constructor(create: Create) {
    this.create = create
    this.#place(create)
  }

  /** How many operations have their place. */
  get size(): number {
    return this.#operations.length
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** An operation by its index: all that it stands on has a lower one. */
  at(index: number): Operation {
    return this.#operations[index]
  }

  indexOf(id: Hex): number | undefined {
    return this.#indices.get(id)
  }

  past(index: number): Past {
    return this.#pasts[index]
  }

  parents(index: number): readonly number[] {
    return this.#parents[index]
  }

  /** Ids that something here waits for: what to ask others for. */
  missing(): Hex[] {
    return [...this.#waitingFor.keys()].filter((id) => !this.#waiting.has(id))
  }

  /** Whether candidates themselves have opened as many candidacies as there is room for. */
  get isCrowded(): boolean {
    return this.#loose.size >= MAX_LOOSE_CANDIDACIES
  }

  /**
   * Gives an operation its place, and those that waited for it. Never throws.
   * @param isNeeded something stands on it that is kept elsewhere: so it is taken however many of its kind there are
   */
  add(operation: Operation, { isNeeded = false } = {}): Placement {
    if (this.#indices.has(operation.id) || this.#waiting.has(operation.id)) return 'known'
    if (!isNeeded && this.#isTooLoose(operation)) return 'refused'
    if (operation.parents.some((id) => !this.#indices.has(id))) {
      this.#wait(operation)
      return 'waiting'
    }
    this.#place(operation)
    const placed = [operation.id]
    for (let id = placed.pop(); id !== undefined; id = placed.pop()) {
      const next = [...(this.#waitingFor.get(id) ?? [])]
      this.#waitingFor.delete(id)
      for (const child of next) if (this.#placeWaiting(child)) placed.push(child)
    }
    return 'placed'
  }

  #isTooLoose(operation: Operation): boolean {
    if (operation.type !== 'candidacy' || !operation.isOwn) return false
    return this.isCrowded && !this.#waitingFor.has(operation.id)
  }

  #placeWaiting(id: Hex): boolean {
    const operation = this.#waiting.get(id)
    if (operation === undefined || operation.parents.some((parent) => !this.#indices.has(parent))) return false
    this.#forget(operation)
    this.#place(operation)
    return true
  }

  #place(operation: Operation): void {
    const index = this.#operations.length
    const parents = operation.parents.map((id) => this.#indices.get(id)!)
    this.#operations.push(operation)
    this.#indices.set(operation.id, index)
    this.#parents.push(parents)
    this.#pasts.push(Past.of(parents, (parent) => this.#pasts[parent]))
    for (const parent of parents) this.#loose.delete(parent)
    if (operation.type === 'candidacy' && operation.isOwn) this.#loose.add(index)
  }

  #wait(operation: Operation): void {
    const owner = ownerOf(operation)
    if ((this.#waitingOf.get(owner) ?? 0) >= MAX_WAITING_PER_AUTHOR) {
      this.#forget([...this.#waiting.values()].find((other) => ownerOf(other) === owner)!)
    } else if (this.#waiting.size >= MAX_WAITING) {
      this.#forget(this.#waiting.values().next().value!)
    }
    this.#waiting.set(operation.id, operation)
    this.#waitingOf.set(owner, (this.#waitingOf.get(owner) ?? 0) + 1)
    for (const id of operation.parents) {
      if (this.#indices.has(id)) continue
      this.#waitingFor.set(id, (this.#waitingFor.get(id) ?? new Set()).add(operation.id))
    }
  }

  #forget(operation: Operation): void {
    this.#waiting.delete(operation.id)
    const owner = ownerOf(operation)
    const left = (this.#waitingOf.get(owner) ?? 1) - 1
    if (left === 0) this.#waitingOf.delete(owner)
    else this.#waitingOf.set(owner, left)
    for (const id of operation.parents) {
      const children = this.#waitingFor.get(id)
      children?.delete(operation.id)
      if (children?.size === 0) this.#waitingFor.delete(id)
    }
  }
}

/** Against whose share of the waiting room an operation counts. */
function ownerOf(operation: Operation): Hex {
  return 'author' in operation ? operation.author : operation.motion
}
