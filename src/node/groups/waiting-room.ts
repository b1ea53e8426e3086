// Operations that cannot be taken yet: what they stand on is not here, or there are too many of their kind and nothing
// stands on them so far. Bounded in number and size; what falls out comes again when two nodes next compare their logs.
import type { Hex, Operation } from '../../groups/index.ts'

/** Most operations of one group that wait: twice as many as one member may sign in a period. */
export const MAX_WAITING = 2_048
/** Most bytes of them. */
export const MAX_WAITING_BYTES = 8_388_608

/** An operation with its bytes, and who brought it. */
export interface Arrival {
  readonly operation: Operation
  readonly bytes: Uint8Array
  readonly origin: unknown
}

interface Waiting extends Arrival {
  /** Empty when it is set aside. */
  readonly lacks: Set<Hex>
}

export class WaitingRoom {
  /** By id, the oldest first. */
  readonly #waiting = new Map<Hex, Waiting>()
  /** Who lacks an operation. */
  readonly #lacking = new Map<Hex, Set<Hex>>()
  #bytes = 0

  get size(): number {
    return this.#waiting.size
  }

  has(id: Hex): boolean {
    return this.#waiting.has(id)
  }

  /** Whether it stands on something that is not here, nor waits here too. */
  isAboveGap(id: Hex): boolean {
    const lacks = [...(this.#waiting.get(id)?.lacks ?? [])]
    return lacks.some((other) => !this.#waiting.has(other))
  }

  /** What waits for an operation. */
  above(id: Hex): Operation[] {
    return [...(this.#lacking.get(id) ?? [])].map((child) => this.#waiting.get(child)!.operation)
  }

  /** What others should be asked for. */
  missing(): Hex[] {
    return [...this.#lacking.keys()].filter((id) => !this.#waiting.has(id))
  }

  /** Sets an operation aside, until something stands on it. */
  setAside(arrival: Arrival): void {
    this.#add({ ...arrival, lacks: new Set() })
  }

  /** @param lacks ids that it stands on and that have no place */
  wait(arrival: Arrival, lacks: readonly Hex[]): void {
    this.#add({ ...arrival, lacks: new Set(lacks) })
  }

  /** Takes out those that were set aside under what waits here, and that `isWanted` now. */
  takeSetAside(under: Operation, isWanted: (operation: Operation) => boolean): Arrival[] {
    const seen = new Set([under.id])
    const next = [under.id]
    const taken: Waiting[] = []
    for (let id = next.pop(); id !== undefined; id = next.pop()) {
      const waiting = this.#waiting.get(id)
      if (waiting === undefined) continue
      if (waiting.lacks.size === 0 && isWanted(waiting.operation)) taken.push(waiting)
      for (const below of waiting.lacks) if (seen.size < seen.add(below).size) next.push(below)
    }
    for (const each of taken) this.#remove(each)
    return taken
  }

  /** An operation has its place: takes out those that lacked only this one. */
  release(id: Hex): Arrival[] {
    const children = [...(this.#lacking.get(id) ?? [])].map((child) => this.#waiting.get(child)!)
    this.#lacking.delete(id)
    for (const { lacks } of children) lacks.delete(id)
    const released = children.filter(({ lacks }) => lacks.size === 0)
    for (const each of released) this.#remove(each)
    return released
  }

  #add(waiting: Waiting): void {
    const { operation, bytes, lacks } = waiting
    if (this.#waiting.has(operation.id)) return
    this.#waiting.set(operation.id, waiting)
    this.#bytes += bytes.length
    for (const id of lacks) this.#lacking.set(id, (this.#lacking.get(id) ?? new Set()).add(operation.id))
    while (this.#waiting.size > MAX_WAITING || this.#bytes > MAX_WAITING_BYTES) this.#remove(this.#worst())
  }

  /** The oldest of whoever brought most, so that nobody crowds out what others bring. */
  #worst(): Waiting {
    const byOrigin = Map.groupBy(this.#waiting.values(), ({ origin }) => origin)
    return [...byOrigin.values()].reduce((most, each) => (each.length > most.length ? each : most))[0]
  }

  #remove({ operation, bytes, lacks }: Waiting): void {
    this.#waiting.delete(operation.id)
    this.#bytes -= bytes.length
    for (const id of lacks) {
      const children = this.#lacking.get(id)
      children?.delete(operation.id)
      if (children?.size === 0) this.#lacking.delete(id)
    }
  }
}
