// What one session knows of one group's log: whether the peer holds it too, what of it the peer still lacks, and the
// comparison that is under way.
import { blindFeeds, Reconciliation, sha256 } from '../../feeds/index.ts'
import { type Hex, toHex } from '../../groups/index.ts'
import { encodeOperations, type GroupState, MAX_OPERATIONS, OPERATIONS_TARGET_SIZE } from './group-messages.ts'
import type { GroupReplica } from './group-replica.ts'

/** Operations of which is remembered that the peer brought them, so that they are not sent back. */
const MAX_BROUGHT = 4_096

export class SharedLog {
  /** The group's blinded id in this session. */
  readonly id: Uint8Array
  /** The group's own id. */
  readonly hex: Hex
  readonly replica: GroupReplica
  readonly #salt: Uint8Array
  /** The peer said that it holds this group. */
  isShared = false
  /** How many operations the peer said it has. */
  theirSize = 0
  /** How many comparisons the peer began. */
  rounds = 0
  /** The comparison that is under way. */
  comparison: { round: number; size: number; reconciliation: Reconciliation } | undefined
  /** Names the comparison that is under way, or waits for its turn; 0 is none. */
  #attempt = 0
  #attempts = 0
  /** Places in the log of what the peer is still to be sent, in order. */
  #unsent = new Set<number>()
  readonly #brought = new Set<string>()
  /** When the last comparison began, by the monotonic clock. */
  #comparedAtMs = -Infinity
  #due: NodeJS.Timeout | undefined

  constructor(replica: GroupReplica, salt: Uint8Array) {
    this.replica = replica
    this.#salt = salt
    this.hex = toHex(replica.id)
    this.id = blindFeeds(salt, [replica.id])[0]
  }

  get state(): GroupState {
    const { size, fingerprint } = this.replica
    return { id: this.id, size, fingerprint }
  }

  /** Whether a state says what this log is. */
  equals({ size, fingerprint }: Pick<GroupState, 'size' | 'fingerprint'>): boolean {
    return size === this.replica.size && Buffer.compare(fingerprint, this.replica.fingerprint) === 0
  }

  /** A comparison is under way, or waits for its turn. */
  get isComparing(): boolean {
    return this.#attempt > 0
  }

  /** Nothing waits to be sent, and nothing is compared. */
  get isIdle(): boolean {
    return !this.isComparing && this.#unsent.size === 0
  }

  /** Begins a comparison when so much time has passed since the last one: now, or later. */
  whenDue(intervalMs: number, work: () => void): void {
    if (this.#due !== undefined) return
    const waitMs = this.#comparedAtMs + intervalMs - performance.now()
    const start = (): void => {
      this.#due = undefined
      this.noteCompared()
      work()
    }
    if (waitMs <= 0) return start()
    this.#due = setTimeout(start, waitMs)
    this.#due.unref()
  }

  /** A comparison begins now. */
  noteCompared(): void {
    this.#comparedAtMs = performance.now()
  }

  /** A comparison waits for its turn, in place of any that is under way. @returns its name */
  prepare(): number {
    this.comparison = undefined
    return (this.#attempt = ++this.#attempts)
  }

  isAttempt(attempt: number): boolean {
    return this.#attempt === attempt
  }

  /** Compares what has its place now. */
  begin(round: number): Reconciliation {
    const ids = Array.from({ length: this.replica.size }, (_, index) => this.replica.idAt(index))
    const blinded = blindFeeds(this.#salt, ids)
    const items = ids.map((id, index) => ({ id: blinded[index], height: 1, head: id.subarray(0, 8) }))
    this.comparison = { round, size: ids.length, reconciliation: new Reconciliation(items) }
    return this.comparison.reconciliation
  }

  /** The comparison is done: what only this side has is to be sent. @returns how many operations only the peer has */
  finish(): number {
    const { reconciliation, size } = this.comparison!
    const { onlyMine, onlyTheirs } = reconciliation.outcome()
    const later = [...this.#unsent].filter((index) => index >= size)
    this.comparison = undefined
    this.#attempt = 0
    this.#unsent = new Set([...onlyMine.toSorted((a, b) => a - b), ...later])
    return onlyTheirs
  }

  /** The peer no longer holds it, or this side does not. */
  drop(): void {
    clearTimeout(this.#due)
    this.#due = undefined
    this.isShared = false
    this.comparison = undefined
    this.#attempt = 0
    this.#unsent.clear()
    this.#brought.clear()
  }

  /** Operations [from, to) are to be sent, unless the peer has brought them. */
  push(from: number, to: number): void {
    for (let index = from; index < to; index++) this.#unsent.add(index)
  }

  noteBrought(operations: readonly Uint8Array[]): void {
    for (const bytes of operations) {
      if (this.#brought.size >= MAX_BROUGHT) this.#brought.delete(this.#brought.values().next().value!)
      this.#brought.add(toHex(sha256(bytes)))
    }
  }

  /** The next operations to be sent; none while a comparison may still find earlier ones, or that the peer has them. */
  nextFrame(): Uint8Array | undefined {
    const operations: Uint8Array[] = []
    let size = 0
    for (const index of this.isComparing ? [] : this.#unsent) {
      const bytes = this.#brought.delete(toHex(this.replica.idAt(index))) ? undefined : this.replica.bytesAt(index)
      const isFull = operations.length > 0 && size + (bytes?.length ?? 0) > OPERATIONS_TARGET_SIZE
      if (isFull || operations.length === MAX_OPERATIONS) break
      this.#unsent.delete(index)
      if (bytes === undefined) continue
      operations.push(bytes)
      size += bytes.length
    }
    return operations.length === 0 ? undefined : encodeOperations(this.id, operations)
  }
}
