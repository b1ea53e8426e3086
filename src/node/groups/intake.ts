// What others bring of one group, before it is taken: each operation is read and checked, fitted into the quotas and, if
// it is nameless, proven in the verifier's thread. So whatever is in a log was proven, and is never verified again.
// One batch at a time, and never so long that the rest of the node does not get its turn.
import { Turn } from '../../feeds/index.ts'
import {
  type Anonymous,
  type Fit,
  GroupError,
  type Hex,
  isPossessed,
  LSAG_PROOF,
  type Operation,
  operationId,
  PART_PROOF,
  Quotas,
  readChecked,
  readOperation,
  ready,
  toHex
} from '../../groups/index.ts'
import { NodeError } from '../comrade.ts'
import type { CheckedOperation, LocalGroup } from './local-group.ts'
import type { Verifier } from './verifier.ts'
import { type Arrival, WaitingRoom } from './waiting-room.ts'

/** Batches of one origin that may be under way; more are dropped, and come again when logs are compared. */
export const MAX_BATCHES = 16
/** More operations that no node keeps, of one who brings them, are no accident. */
export const MAX_VOID = 64
/** Operations that are taken together at most: those under way are in no quota yet. */
const MAX_CHECKED = 32
/** Of so many who bring such is remembered how many. */
const MAX_BLAMED = 256
/** Nameless operations of which is remembered whether their proofs hold. */
const MAX_REMEMBERED = 4_096

/** What became of what somebody brought. */
export interface Receipt {
  /** How many are in the log now, also those that were there before. */
  placed: number
  /** Something stands on what is not here: whoever brought it may have that too. */
  isGap: boolean
}

export class Intake {
  readonly #group: LocalGroup
  readonly #verifier: Verifier
  readonly #room = new WaitingRoom()
  readonly #turn = new Turn()
  /** How many batches are under way, by origin. */
  readonly #batches = new Map<unknown, number>()
  /** Whether a nameless operation's proof holds; the oldest first. */
  readonly #proofs = new Map<Hex, boolean>()
  /** How many operations that no node keeps each has brought, by origin; the oldest first. */
  readonly #voids = new Map<unknown, number>()
  #quotas: Quotas | undefined
  #last: Promise<unknown> = Promise.resolve()
  /** Checked, and to be taken together; all of one origin. */
  #checked = new Map<Hex, CheckedOperation>()
  #origin: unknown
  /** What waited, and lacks nothing now. */
  #released: Arrival[] = []
  #isClosed = false

  constructor(group: LocalGroup, verifier: Verifier) {
    this.#group = group
    this.#verifier = verifier
    group.events.on('placed', this.#onPlaced)
  }

  /** Ids of operations that something here waits for: what others should be asked for. */
  missing(): Hex[] {
    return this.#room.missing()
  }

  /** How many operations wait for what they stand on, or are set aside. */
  get waiting(): number {
    return this.#room.size
  }

  /**
   * Takes what holds, and keeps for a while what stands on something that is not here.
   * @param operations parents first, as far as the sender can
   * @param origin who brings them; not undefined
   * @throws GroupError what the origin is to blame for: then nothing after it was looked at; FeedError DISK_FULL, STORE_IO
   */
  async receive(operations: readonly Uint8Array[], origin: unknown): Promise<Receipt> {
    const underWay = this.#batches.get(origin) ?? 0
    if (underWay >= MAX_BATCHES) return { placed: 0, isGap: true }
    this.#batches.set(origin, underWay + 1)
    try {
      const ids = operations.map((bytes) => toHex(operationId(bytes)))
      await this.#inTurn(() => this.#takeAll(operations, ids, origin))
      const placed = ids.filter((id) => this.#group.has(id)).length
      return { placed, isGap: ids.some((id) => this.#room.isAboveGap(id)) }
    } finally {
      const left = this.#batches.get(origin)! - 1
      if (left === 0) this.#batches.delete(origin)
      else this.#batches.set(origin, left)
    }
  }

  /**
   * Checks a nameless operation as {@link receive} does, and does not take it. Its proof is verified also when it was
   * before: whoever brings it is answered, and an answer that comes sooner would tell who has had it.
   * @throws GroupError when it does not hold; NodeError NOT_FOUND when its motion is not here, BUSY when there are enough
   *   of its kind
   */
  async check(bytes: Uint8Array): Promise<Anonymous> {
    await ready()
    const operation = this.#verified(bytes)
    if ('author' in operation) throw new GroupError('OPERATION', `a ${operation.type} names its author`)
    await this.#inTurn(async () => {
      if (this.#group.has(operation.id)) return
      if (!this.#group.has(operation.motion)) throw new NodeError('NOT_FOUND', 'what it is about is not here')
      if (isOfLaterKind(operation) || this.#fit(operation) === 'full')
        throw new NodeError('BUSY', `there is no use for another ${operation.type} like this one`)
      await this.#proveAnew(operation)
    })
    return operation
  }

  close(): void {
    this.#isClosed = true
    this.#group.events.off('placed', this.#onPlaced)
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {}) // whoever asked is told
    return result
  }

  async #takeAll(operations: readonly Uint8Array[], ids: readonly Hex[], origin: unknown): Promise<void> {
    await ready()
    try {
      for (const [i, bytes] of operations.entries()) {
        await this.#turn.giveWay()
        const arrival = this.#isClosed ? undefined : this.#read(bytes, ids[i], origin)
        if (arrival === undefined) continue
        if (!(await this.#place(arrival))) this.#blame(origin)
        await this.#placeReleased()
      }
    } finally {
      this.#flush() // what came before a fault holds
      await this.#placeReleased()
    }
  }

  /** @throws GroupError FLOOD */
  #blame(origin: unknown): void {
    const voids = (this.#voids.get(origin) ?? 0) + 1
    this.#voids.delete(origin)
    if (voids > MAX_VOID) throw new GroupError('FLOOD', `${voids} operations that no node keeps`)
    this.#voids.set(origin, voids)
    if (this.#voids.size > MAX_BLAMED) this.#voids.delete(this.#voids.keys().next().value)
  }

  /** @returns undefined when it is here already, or was set aside */
  #read(bytes: Uint8Array, id: Hex, origin: unknown): Arrival | undefined {
    if (this.#group.has(id) || this.#room.has(id) || this.#checked.has(id)) return undefined
    const own = new Uint8Array(bytes) // not a part of a frame, all of which it would keep in memory
    if (this.#group.evaluator?.log.isCrowded === true) {
      const operation = readChecked(own, this.#group.hex) // thousands of candidacies are not worth a signature each
      if (isLoose(operation) && !this.#isNeeded(operation)) {
        this.#room.setAside({ operation, bytes: own, origin })
        return undefined
      }
    }
    return { operation: this.#verified(own), bytes: own, origin }
  }

  /** Puts an operation with those that are taken, or lets it wait. @returns false when no node keeps it */
  async #place(arrival: Arrival): Promise<boolean> {
    const { operation, bytes, origin } = arrival
    const { id, parents } = operation
    if (origin !== this.#origin || !isPlain(operation) || parents.some((parent) => this.#checked.has(parent)))
      this.#flush()
    const lacks = parents.filter((parent) => !this.#group.has(parent))
    if (lacks.length > 0) {
      this.#wait(arrival, lacks)
      return true
    }
    const fit = this.#fit(operation)
    if ('author' in operation ? fit === 'void' : isOfLaterKind(operation)) return false
    if (fit === 'full' && !this.#isNeeded(operation)) {
      this.#room.setAside(arrival)
      return true
    }
    if (!('author' in operation)) await this.#prove(operation)
    else if (fit === 'full') this.#verified(bytes) // it may have been set aside unread
    this.#origin = origin
    this.#checked.set(id, { operation, bytes, isNeeded: fit === 'full' })
    if (this.#checked.size >= MAX_CHECKED) this.#flush()
    return true
  }

  /** Lets an operation wait, and looks again at what it stands on and was set aside. */
  #wait(arrival: Arrival, lacks: readonly Hex[]): void {
    this.#room.wait(arrival, lacks)
    const { operation } = arrival
    if (!lacks.some((id) => this.#room.has(id))) return
    this.#released.push(...this.#room.takeSetAside(operation, (each) => this.#isNeeded(each)))
  }

  /** Whether something waits for it that is reason enough to take it, on top of it or of what waits for it. */
  #isNeeded(operation: Operation): boolean {
    const quotas = this.#quotasHere
    const seen = new Set([operation.id])
    const next = [operation]
    for (let each = next.pop(); each !== undefined && quotas !== undefined; each = next.pop()) {
      for (const child of this.#room.above(each.id)) {
        if (quotas.isReason(child, each)) return true
        if (seen.size < seen.add(child.id).size) next.push(child)
      }
    }
    return false
  }

  /** Whoever brings something is not to blame for what others brought before. */
  async #placeReleased(): Promise<void> {
    for (let next = this.#released.shift(); next !== undefined; next = this.#released.shift()) {
      await this.#turn.giveWay()
      if (this.#isClosed) return
      try {
        await this.#place(next)
      } catch (error) {
        if (!(error instanceof GroupError)) throw error
      }
      if (this.#released.length === 0) this.#flush()
    }
  }

  /** Takes what was checked, and so releases what waited for it. */
  #flush(): void {
    const checked = [...this.#checked.values()]
    this.#checked.clear()
    if (checked.length > 0 && !this.#isClosed) this.#group.take(checked, this.#origin)
  }

  readonly #onPlaced = (operations: readonly Operation[]): void => {
    const released = operations.flatMap(({ id }) => this.#room.release(id))
    if (released.length === 0) return
    this.#released.push(...released)
    // Where a batch is under way it goes on with them first, and this finds nothing left.
    void this.#inTurn(async () => {
      await this.#placeReleased()
      this.#flush()
    }).catch(() => {}) // they come again when logs are compared
  }

  #fit(operation: Operation): Fit {
    return this.#quotasHere?.fit(operation) ?? (operation.type === 'create' ? 'fits' : 'void')
  }

  get #quotasHere(): Quotas | undefined {
    const { evaluator } = this.#group
    if (evaluator !== this.#quotas?.evaluator) this.#quotas = evaluator && new Quotas(evaluator)
    return this.#quotas
  }

  /** @throws GroupError PROOF when none of its motion's ring made it */
  async #prove(operation: Anonymous): Promise<void> {
    if (this.#proofs.get(operation.id) !== true) await this.#proveAnew(operation)
  }

  async #proveAnew(operation: Anonymous): Promise<void> {
    let holds = this.#proofs.get(operation.id)
    if (holds !== false) {
      const place = this.#group.evaluated.placeFor(operation)
      holds = place !== undefined && (await this.#verifier.verify(operation, place))
      this.#proofs.set(operation.id, holds)
      if (this.#proofs.size > MAX_REMEMBERED) this.#proofs.delete(this.#proofs.keys().next().value!)
    }
    if (!holds) throw new GroupError('PROOF', `the ${operation.type} was made by nobody of its motion's ring`)
  }

  #verified(bytes: Uint8Array): Operation {
    return readOperation(bytes, this.#group.hex, isPossessed)
  }
}

/** A stranger's, for which there is little room. */
function isLoose(operation: Operation): boolean {
  return operation.type === 'candidacy' && operation.isOwn
}

/** Neither dear to make nor to check: several are fitted into the quotas, and taken, together. */
function isPlain(operation: Operation): boolean {
  return 'author' in operation && operation.type !== 'join' && !isLoose(operation)
}

/** A proof that only later programs understand: nobody is to blame for it. */
function isOfLaterKind(operation: Anonymous): boolean {
  const [kind] = operation.proof
  return kind !== LSAG_PROOF && kind !== PART_PROOF
}
