// One group on this device: its log with the evaluation of it, kept on the disk, and the keys of this device as a member.
// What it means to people is in node-group.ts; how it comes and goes is in group-sync.ts.
import { EventEmitter } from 'node:events'
import {
  type BodyOf,
  type Create,
  Evaluator,
  fingerprintBytes,
  fromHex,
  GroupLog,
  type Hex,
  isPossessed,
  MAX_IDS,
  type Operation,
  readChecked,
  readOperation,
  type Seat,
  signOperation,
  type SignedType,
  toHex,
  withOperation
} from '../../groups/index.ts'
import { NodeError } from '../comrade.ts'
import { refuse } from '../refusal-sentences.ts'
import type { GroupStore, StoredKey, StoredOperation } from './group-store.ts'
import { type Membership, membershipsOf } from './membership.ts'

const NO_PROOF = new Uint8Array()

/** An operation that was read, checked and, if it is nameless, proven. */
export interface CheckedOperation {
  operation: Operation
  bytes: Uint8Array
  /** Taken also where there are too many of its kind: something stands on it. @default false */
  isNeeded?: boolean
}

export interface LocalGroupEvents {
  /** They have their place. `origin` is whoever brought them; undefined: made here. */
  placed: [operations: readonly Operation[], origin: unknown]
  /** Something was placed: members, rules, candidates or epochs may have changed. Once a turn of the event loop. */
  changed: []
  /** Another member represents the group now, or nobody is known to. */
  represented: []
}

export class LocalGroup {
  /** 32 bytes. */
  readonly id: Uint8Array
  readonly hex: Hex
  readonly num: number
  readonly events = new EventEmitter<LocalGroupEvents>()
  /** Own root key. */
  readonly identity: Hex
  readonly #store: GroupStore
  #evaluator: Evaluator | undefined
  #memberships: readonly Membership[] = []
  /** Sum of hashes of the ids of all that is placed, mod 2^64: it depends on no order. */
  #fingerprint = 0n
  #changing: NodeJS.Immediate | undefined
  #isClosed = false

  constructor(store: GroupStore, { num, id }: { num: number; id: Uint8Array }, root: Uint8Array) {
    this.#store = store
    this.num = num
    this.id = id
    this.hex = toHex(id)
    this.identity = toHex(root)
    this.events.setMaxListeners(0)
    this.#load()
  }

  /** undefined until the group's first operation has arrived. */
  get evaluator(): Evaluator | undefined {
    return this.#evaluator
  }

  /** @throws NodeError FAILED when the log has not arrived yet */
  get evaluated(): Evaluator {
    if (this.#evaluator !== undefined) return this.#evaluator
    throw new NodeError('FAILED', refuse('refusal.groupNotArrived'))
  }

  /**
   * This device's keys; undefined outside. Of several times that somebody came in those of the seat, else the newest: an
   * expulsion may come to count no more after they have asked to come in again.
   */
  get membership(): Membership | undefined {
    const seat = this.#memberships.length > 1 ? this.#evaluator?.view().seats.get(this.identity) : undefined
    return this.#memberships.find(({ memberKey }) => memberKey === seat?.member) ?? this.#memberships.at(-1)
  }

  /** This device's own place among the members. */
  get seat(): Seat | undefined {
    const seat = this.#evaluator?.view().seats.get(this.identity)
    return seat !== undefined && seat.member === this.membership?.memberKey ? seat : undefined
  }

  /** Whether this device has the secrets of its seat: not where it was restored from a copy older than they are. */
  get hasKeys(): boolean {
    const { seat, membership } = this
    if (seat === undefined || membership === undefined) return false
    return membership.ringSecrets.has(seat.ring) && membership.kemSecrets.has(seat.kem)
  }

  /** How many operations have their place. */
  get size(): number {
    return this.#evaluator?.log.size ?? 0
  }

  /** 8 bytes that depend on which operations are placed, and on nothing else. */
  get fingerprint(): Uint8Array {
    return fingerprintBytes(this.#fingerprint)
  }

  /** By rising index each stands on earlier ones. */
  idAt(index: number): Uint8Array {
    return fromHex(this.#evaluator!.log.at(index).id)
  }

  has(id: Hex): boolean {
    return this.#evaluator?.log.indexOf(id) !== undefined
  }

  bytesOf(id: Hex): Uint8Array | undefined {
    const at = this.#evaluator?.log.indexOf(id)
    return at === undefined ? undefined : this.#store.operation(this.num, at)
  }

  /** Takes keys of this device, durably, before anything is signed by them. */
  addKeys(keys: readonly StoredKey[]): void {
    this.#requireOpen()
    this.#store.addKeys(this.num, keys)
    this.#memberships = membershipsOf(this.#store.keys(this.num))
  }

  /** Forgets a ring or KEM key that nothing needs any more. */
  removeKey(publicKey: Hex): void {
    this.#store.removeKey(this.num, fromHex(publicKey))
    this.#memberships = membershipsOf(this.#store.keys(this.num))
  }

  /**
   * Signs an operation of this member on everything that is known, keeps it, and announces it.
   * @param carried operations to stand on besides: strangers' candidacies
   * @throws NodeError FAILED where this device has no keys; GroupError when the body is not one of its type
   */
  sign<Type extends SignedType>(type: Type, body: BodyOf<Type>, carried: readonly Hex[] = []): Operation {
    const { membership } = this
    if (membership === undefined) throw new NodeError('FAILED', 'this device has no keys of this group')
    this.#requireOpen()
    const prev = [...this.evaluated.heads(), ...carried].slice(0, MAX_IDS).map(fromHex)
    const bytes = signOperation(membership.member, { type, group: this.id, prev, body })
    const operation = readOperation(bytes, this.hex, isPossessed)
    this.take([{ operation, bytes }], undefined)
    return operation
  }

  /**
   * Gives checked operations their place, on the disk too. Those that lack what they stand on are left out.
   * @param origin whoever brought them; undefined when they were made here: then they are durable before this returns
   * @returns those that were placed
   * @throws FeedError DISK_FULL, STORE_IO: then none was taken
   */
  take(operations: readonly CheckedOperation[], origin: unknown): readonly Operation[] {
    if (this.#isClosed) return []
    if (origin !== undefined) this.#store.room.take(operations.reduce((sum, each) => sum + each.bytes.length, 0))
    const from = this.size
    const bytes = new Map(operations.map((each) => [each.operation.id, each.bytes]))
    this.#place(operations)
    const placed = this.#placedFrom(from)
    if (placed.length === 0) return placed
    try {
      const rows = placed.map((operation, i): StoredOperation => {
        return { at: from + i, id: fromHex(operation.id), bytes: bytes.get(operation.id)! }
      })
      this.#store.addOperations(this.num, rows, { isDurable: origin === undefined })
    } catch (error) {
      this.#load() // what is in memory is again what is on the disk
      throw error
    }
    for (const { id } of placed) this.#note(id)
    this.events.emit('placed', placed, origin)
    this.#changing ??= setImmediate(() => {
      this.#changing = undefined
      this.events.emit('changed')
    })
    return placed
  }

  /** Nothing is signed or taken any more: the group was forgotten, or the node is stopping. */
  close(): void {
    this.#isClosed = true
    clearImmediate(this.#changing)
    this.events.removeAllListeners()
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new NodeError('NOT_FOUND', refuse('refusal.groupGone'))
  }

  #load(): void {
    this.#evaluator = undefined
    this.#fingerprint = 0n
    this.#memberships = membershipsOf(this.#store.keys(this.num))
    const stored = this.#store.operations(this.num)
    const read = stored.map((bytes, i) => readChecked(bytes, i === 0 ? undefined : this.hex))
    this.#place(read.map((operation, i) => ({ operation, bytes: stored[i], isNeeded: true })))
    for (const { id } of read) this.#note(id)
  }

  /** In an order in which each has what it stands on; who has not is left out. */
  #place(operations: readonly CheckedOperation[]): void {
    const left = new Set(operations)
    for (let isProgress = true; isProgress;) {
      isProgress = false
      for (const checked of left) {
        const { operation, isNeeded } = checked
        if (!this.#hasParents(operation)) continue
        left.delete(checked)
        if (this.#evaluator === undefined) this.#found(operation as Create)
        else this.#evaluator.log.add(withoutProof(operation), { isNeeded })
        isProgress = true
      }
    }
  }

  #hasParents({ id, parents }: Operation): boolean {
    if (this.#evaluator === undefined) return id === this.hex
    return parents.every((parent) => this.has(parent))
  }

  /** Whatever is nameless was proven before it was taken. */
  #found(create: Create): void {
    this.#evaluator = new Evaluator(new GroupLog(create), () => true)
  }

  #placedFrom(from: number): Operation[] {
    return Array.from({ length: this.size - from }, (_, i) => this.#evaluator!.log.at(from + i))
  }

  #note(id: Hex): void {
    this.#fingerprint = withOperation(this.#fingerprint, fromHex(id))
  }
}

/** Nobody asks for a proof again, and it is most of an operation: of 10,000 vouches, 20 MiB. The bytes are on the disk. */
function withoutProof(operation: Operation): Operation {
  return 'proof' in operation ? { ...operation, proof: NO_PROOF } : operation
}
