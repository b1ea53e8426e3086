// Takes into a group's log what peers bring: each operation is read and checked, a nameless one proven against its motion,
// and given its place. What stands on operations that are not here waits in a bounded room.
import {
  type Anonymous,
  GroupError,
  type Hex,
  isPossessed,
  isProven,
  MAX_WAITING,
  operationId,
  readOperation,
  toHex
} from '../../groups/index.ts'
import type { Receipt } from './group-replica.ts'
import type { CheckedOperation, LocalGroup } from './local-group.ts'

export class DirectIntake {
  readonly #group: LocalGroup
  readonly #waiting = new Map<Hex, CheckedOperation>()

  constructor(group: LocalGroup) {
    this.#group = group
  }

  /** @throws GroupError when an operation is not one of this group, or its proof does not hold */
  async receive(operations: readonly Uint8Array[], origin: unknown): Promise<Receipt> {
    const ids = operations.map((bytes) => toHex(operationId(bytes)))
    operations.forEach((bytes, i) => {
      if (!this.#group.has(ids[i]) && !this.#waiting.has(ids[i])) this.#wait(bytes)
    })
    while (this.#takeReady(origin) > 0);
    return {
      placed: ids.filter((id) => this.#group.has(id)).length,
      isGap: ids.some((id) => this.#waiting.has(id))
    }
  }

  #wait(given: Uint8Array): void {
    const bytes = Uint8Array.from(given) // it may be part of a larger frame
    const operation = readOperation(bytes, this.#group.hex, isPossessed)
    if (this.#waiting.size >= MAX_WAITING) this.#waiting.delete(this.#waiting.keys().next().value!)
    this.#waiting.set(operation.id, { operation, bytes })
  }

  #takeReady(origin: unknown): number {
    const ready = [...this.#waiting.values()].filter(({ operation }) => {
      return 'author' in operation || this.#isProven(operation)
    })
    const placed = this.#group.take(ready, origin)
    for (const { id } of placed) this.#waiting.delete(id)
    return placed.length
  }

  #isProven(operation: Anonymous): boolean {
    const place = this.#group.evaluator?.place(operation.motion)
    if (place === undefined) return false
    if (isProven(operation, place)) return true
    this.#waiting.delete(operation.id)
    throw new GroupError('OPERATION', `the proof of a ${operation.type} does not hold`)
  }
}
