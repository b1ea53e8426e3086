// One session of /comrade/group/1 with one peer, over any message stream: both say hello, find out which groups they both
// hold and what differs in their logs, send what the other lacks, and then push what is new for as long as the stream
// lives. docs/protocol.md describes it.
import { randomBytes } from 'node:crypto'
import {
  FeedError,
  type MessageStream,
  NONCE_SIZE,
  Reconciliation,
  sessionSalt,
  Turn,
  withStream
} from '../../feeds/index.ts'
import { FrameOutbox } from './frame-outbox.ts'
import * as message from './group-messages.ts'
import { KIND } from './group-messages.ts'
import type { GroupReplica, GroupReplicas } from './group-replica.ts'
import { ClaimedLogs, type LogClaims } from './log-claims.ts'
import { SharedLog } from './shared-log.ts'

/** How long the peer may take for its hello, and then for the next bytes of a comparison, in ms. */
const PROGRESS_TIMEOUT_MS = 30_000
const HELLO_SHARE = 1 / 3
/** A log is not compared again before this time has passed, in ms. What was refused is offered no more often. */
const COMPARE_INTERVAL_MS = 10_000
/** How often the peer is told that its turn is still to come. */
const WAITING_INTERVAL_MS = 10_000
/** Comparisons of a log that a peer may begin, besides one each half of that time. */
const FREE_ROUNDS = 8
/** A log of which a peer has this much more is fetched from one peer at a time. */
const CLAIMED_DIFFERENCE = 64
/** Bytes of operations that may be under way in each direction: how far a slow reader may lag behind. */
export const MAX_CREDIT = 262_144

export interface GroupSessionOptions {
  /** Exactly one side of a stream is the initiator. */
  isInitiator: boolean
  /** Shared by all sessions of a node. */
  claims: LogClaims
  /** Everything that differed at the start was compared, and what the peer lacked was sent. */
  onSettled?: () => void
  /** How long the peer may bring nothing of a comparison, in ms; its hello must come within a third of that. @default 30_000 */
  progressTimeoutMs?: number
  /** Time between two comparisons of one log, in ms. @default 10_000 */
  compareIntervalMs?: number
  signal?: AbortSignal
}

export class GroupSession {
  readonly #groups: GroupReplicas
  readonly #stream: MessageStream
  readonly #options: GroupSessionOptions
  readonly #nonce = new Uint8Array(randomBytes(NONCE_SIZE))
  readonly #abort = new AbortController()
  readonly #outbox: FrameOutbox
  readonly #turn = new Turn()
  /** By blinded id. */
  readonly #logs = new Map<string, SharedLog>()
  readonly #endings = new Map<SharedLog, () => void>()
  readonly #claimed: ClaimedLogs
  readonly #compareIntervalMs: number
  #salt: Uint8Array = new Uint8Array()
  #reconciliation: Reconciliation | undefined
  #reconciled: SharedLog[] = []
  /** Groups that the peer dropped before it was known which ones are shared. */
  readonly #droppedEarly = new Set<SharedLog>()
  #lastRound = 0
  readonly #startedAtMs = performance.now()
  #credit = MAX_CREDIT
  #isLive = false
  #hasSettled = false
  #isTakingIn = false
  #progressTimer: NodeJS.Timeout | undefined

  constructor(groups: GroupReplicas, stream: MessageStream, options: GroupSessionOptions) {
    this.#groups = groups
    this.#stream = stream
    this.#options = options
    this.#claimed = new ClaimedLogs(options.claims)
    this.#compareIntervalMs = options.compareIntervalMs ?? COMPARE_INTERVAL_MS
    this.#outbox = new FrameOutbox(stream, {
      next: () => this.#nextOperations(),
      onError: (error) => this.#fail(error)
    })
  }

  /** Whether everything that differed at the start was compared, and what the peer lacked was sent. */
  get isSettled(): boolean {
    return this.#hasSettled
  }

  /** Runs until the stream ends or `signal` aborts. Resolves when the peer closed; rejects with what went wrong. */
  async run(): Promise<void> {
    const { signal: outer } = this.#options
    const signal = outer === undefined ? this.#abort.signal : AbortSignal.any([this.#abort.signal, outer])
    try {
      await withStream(this.#stream, signal, () => this.#talk())
    } finally {
      this.#end()
    }
  }

  /** Whether the peer holds this group too. */
  shares(group: Uint8Array): boolean {
    return this.#logOf(group)?.isShared ?? false
  }

  /** How many operations of this group the peer said it has; 0 where it does not hold it. */
  sizeOf(group: Uint8Array): number {
    const log = this.#logOf(group)
    return log?.isShared === true ? log.theirSize : 0
  }

  /** Something of this group is missing here: compares it with the peer, soon, if the peer holds it. */
  compare(group: Uint8Array): void {
    const log = this.#logOf(group)
    if (log === undefined || !log.isShared) return
    if (this.#options.isInitiator) this.#compareSoon(log)
    else log.whenDue(this.#compareIntervalMs, () => this.#outbox.push(message.encodeState(log.state)))
  }

  async #talk(): Promise<void> {
    await this.#stream.send(message.encodeHello(this.#nonce))
    this.#expectProgress(HELLO_SHARE)
    let isFirst = true
    for await (const frame of this.#stream.receive()) {
      if (isFirst) this.#begin(message.decodeHello(frame))
      else await this.#take(frame)
      isFirst = false
      this.#checkSettled()
      await this.#turn.giveWay()
    }
  }

  #begin(theirs: Uint8Array): void {
    const { isInitiator } = this.#options
    this.#salt = isInitiator ? sessionSalt(this.#nonce, theirs) : sessionSalt(theirs, this.#nonce)
    this.#groups.events.on('added', this.#onAdded)
    this.#groups.events.on('removed', this.#onRemoved)
    this.#reconciled = this.#groups.all().map((group) => this.#add(group))
    this.#reconciliation = new Reconciliation(
      this.#reconciled.map(({ id, state: { size, fingerprint } }) => ({ id, height: size, head: fingerprint }))
    )
    this.#expectProgress()
    if (isInitiator) this.#outbox.push(message.encodeGroups(this.#reconciliation.open()))
  }

  async #take(frame: Uint8Array): Promise<void> {
    switch (frame[0]) {
      case KIND.groups:
        return this.#takeGroups(frame)
      case KIND.compare:
        return this.#takeCompare(message.decodeCompare(frame))
      case KIND.operations:
        return this.#takeOperations(frame)
      case KIND.state:
        return this.#takeState(message.decodeState(frame))
      case KIND.drop:
        return this.#takeDrop(message.decodeDrop(frame))
      case KIND.credit:
        this.#credit = Math.min(MAX_CREDIT, this.#credit + message.decodeCredit(frame))
        return this.#outbox.wake()
      default:
        return // a kind that a later version added
    }
  }

  #takeGroups(frame: Uint8Array): void {
    const reconciliation = this.#reconciliation
    if (reconciliation === undefined) throw new FeedError('FRAME_FORMAT', 'the groups were compared already')
    this.#expectProgress()
    for (const reply of reconciliation.receive(frame.subarray(1))) this.#outbox.push(message.encodeGroups(reply))
    if (!reconciliation.isDone) return
    const { same, differing } = reconciliation.outcome()
    const isCurrent = (log: SharedLog): boolean => this.#isCurrent(log) && !this.#droppedEarly.has(log)
    this.#reconciliation = undefined
    this.#isLive = true
    for (const index of same) {
      const log = this.#reconciled[index]
      if (isCurrent(log)) log.isShared = true
    }
    for (const { index, theirHeight } of differing) {
      const log = this.#reconciled[index]
      if (isCurrent(log)) this.#share(log, theirHeight)
    }
    this.#reconciled = []
    this.#droppedEarly.clear()
    this.#outbox.wake()
  }

  #share(log: SharedLog, theirSize: number): void {
    log.isShared = true
    log.theirSize = theirSize
    this.#compareSoon(log)
  }

  /** The peer says what it holds of a group. Where that was not shared before, it is told what is held here. */
  #takeState({ id, size, fingerprint }: message.GroupState): void {
    const log = this.#logs.get(nameOf(id))
    if (log === undefined) return
    if (!log.isShared) this.#outbox.push(message.encodeState(log.state))
    log.isShared = true
    log.theirSize = size
    if (log.comparison !== undefined) return this.#expectProgress() // its turn is still to come
    if (!log.equals({ size, fingerprint })) this.#compareSoon(log)
  }

  #takeDrop(id: Uint8Array): void {
    const log = this.#logs.get(nameOf(id))
    if (log === undefined) return
    if (!this.#isLive) this.#droppedEarly.add(log)
    this.#claimed.release(log.hex)
    log.drop()
  }

  /** The initiator compares: at once the first time, and later not before its time. */
  #compareSoon(log: SharedLog): void {
    if (!this.#options.isInitiator || log.isComparing) return
    log.whenDue(this.#compareIntervalMs, () => {
      if (log.isShared && !log.isComparing) void this.#compare(log)
    })
  }

  async #compare(log: SharedLog): Promise<void> {
    if (!(await this.#isTurnOf(log))) return
    const round = ++this.#lastRound
    this.#expectProgress()
    this.#outbox.push(message.encodeCompare({ id: log.id, round, message: log.begin(round).open() }))
  }

  /** Waits while others fetch this log. @returns whether it is still to be compared */
  async #isTurnOf(log: SharedLog): Promise<boolean> {
    const attempt = log.prepare()
    if (log.theirSize <= log.replica.size + CLAIMED_DIFFERENCE) return true
    return this.#claimed.take(log.hex, () => this.#isCurrent(log) && log.isAttempt(attempt))
  }

  #takeCompare({ id, round, message: bytes }: message.Compare): void {
    const log = this.#logs.get(nameOf(id))
    const isNext = !this.#options.isInitiator && round > this.#lastRound
    if (isNext) this.#lastRound = round
    if (log === undefined) return
    if (log.comparison?.round === round) return this.#goOn(log, bytes)
    if (isNext) return this.#answer(log, round, Uint8Array.from(bytes))
    // Of a comparison that ended when one of both forgot the group, and holds it again.
  }

  /** The initiator began a comparison, in place of one that may be under way. */
  #answer(log: SharedLog, round: number, bytes: Uint8Array): void {
    this.#countRound(log)
    log.isShared = true
    log.noteCompared()
    const answer = async (): Promise<void> => {
      const waiting = setInterval(() => this.#outbox.push(message.encodeState(log.state)), WAITING_INTERVAL_MS).unref()
      const isWanted = await this.#isTurnOf(log)
      clearInterval(waiting)
      if (!isWanted) return
      log.begin(round)
      this.#goOn(log, bytes)
      this.#checkSettled()
    }
    answer().catch((error: unknown) => this.#fail(error))
  }

  #countRound(log: SharedLog): void {
    const allowed = FREE_ROUNDS + (2 * (performance.now() - this.#startedAtMs)) / this.#compareIntervalMs
    if (++log.rounds > allowed) throw new FeedError('FRAME_FORMAT', 'the peer compares a log again and again')
  }

  #goOn(log: SharedLog, bytes: Uint8Array): void {
    const { round, reconciliation } = log.comparison!
    this.#expectProgress()
    for (const reply of reconciliation.receive(bytes))
      this.#outbox.push(message.encodeCompare({ id: log.id, round, message: reply }))
    if (!reconciliation.isDone) return
    this.#claimed.expect(log.hex, log.finish())
    this.#outbox.wake()
  }

  async #takeOperations(frame: Uint8Array): Promise<void> {
    const { id, operations } = message.decodeOperations(frame)
    const log = this.#logs.get(nameOf(id))
    if (log !== undefined) {
      const { size } = log.replica
      this.#isTakingIn = true
      log.noteBrought(operations)
      const { isGap } = await log.replica.receive(operations, this)
      this.#isTakingIn = false
      this.#claimed.noteBrought(log.hex, operations.length, { hasGrown: log.replica.size > size })
      if (isGap) this.compare(log.replica.id)
    }
    this.#outbox.push(message.encodeCredit(frame.length))
  }

  /** The groups take turns. */
  #nextOperations(): Uint8Array | undefined {
    if (this.#credit <= 0) return undefined
    for (const [name, log] of this.#logs) {
      const frame = log.isShared ? log.nextFrame() : undefined
      if (frame === undefined) continue
      this.#logs.delete(name)
      this.#logs.set(name, log)
      this.#credit -= frame.length
      return frame
    }
    this.#checkSettled()
    return undefined
  }

  readonly #onAdded = (group: GroupReplica): void => {
    this.#outbox.push(message.encodeState(this.#add(group).state))
  }

  readonly #onRemoved = ({ id }: GroupReplica): void => {
    const log = this.#logOf(id)
    if (log === undefined) return
    this.#remove(log)
    this.#outbox.push(message.encodeDrop(log.id))
  }

  #add(group: GroupReplica): SharedLog {
    const log = new SharedLog(group, this.#salt)
    this.#logs.set(nameOf(log.id), log)
    const stop = group.onPlaced((from, to) => {
      if (this.#isLive && !log.isShared) return // a comparison finds it, if it comes to be shared
      log.push(from, to)
      this.#outbox.wake()
    })
    this.#endings.set(log, stop)
    return log
  }

  #remove(log: SharedLog): void {
    this.#endings.get(log)?.()
    this.#endings.delete(log)
    this.#claimed.release(log.hex)
    log.drop()
    this.#logs.delete(nameOf(log.id))
  }

  #logOf(group: Uint8Array): SharedLog | undefined {
    return [...this.#logs.values()].find(({ replica }) => Buffer.compare(replica.id, group) === 0)
  }

  #isCurrent(log: SharedLog): boolean {
    return this.#logs.get(nameOf(log.id)) === log
  }

  #checkSettled(): void {
    const isComparing = [...this.#logs.values()].some((log) => log.comparison !== undefined)
    if (this.#isLive && !isComparing) clearTimeout(this.#progressTimer)
    if (this.#hasSettled || !this.#isLive || ![...this.#logs.values()].every(({ isIdle }) => isIdle)) return
    this.#hasSettled = true
    this.#options.onSettled?.()
  }

  /** Ends the session when the peer lets us wait; while nothing is compared, it may be silent for ever. */
  #expectProgress(share = 1): void {
    const limitMs = (this.#options.progressTimeoutMs ?? PROGRESS_TIMEOUT_MS) * share
    clearTimeout(this.#progressTimer)
    this.#progressTimer = setTimeout(() => {
      if (this.#isTakingIn) return this.#expectProgress(share) // it is we who let the peer wait
      this.#fail(new FeedError('TIMEOUT', `the peer brought nothing of a comparison for ${limitMs} ms`))
    }, limitMs)
    this.#progressTimer.unref()
  }

  #fail(error: unknown): void {
    this.#abort.abort(error)
  }

  #end(): void {
    clearTimeout(this.#progressTimer)
    this.#groups.events.off('added', this.#onAdded)
    this.#groups.events.off('removed', this.#onRemoved)
    for (const log of [...this.#logs.values()]) this.#remove(log)
    this.#outbox.stop()
  }
}

function nameOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1')
}
