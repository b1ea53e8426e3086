// The sending half of a session: turns what was asked for, and what is pushed, into frames of runs, as fast as credit
// and the stream allow.
import { joinRuns, lastOf, type Run, tailOf, idsOf, MAX_RUN_BYTES, MAX_RUN_ENTRIES } from '../run.ts'
import { isServed } from '../store/limits.ts'
import type { FeedState, FeedStore } from '../store/store.ts'
import { encodeNumber, encodeRun, encodeRuns, KIND, packRuns, RUNS_TARGET_SIZE } from './messages.ts'

/** Bytes of run frames (as they are before compression) that may be under way before the receiver grants more. */
export const INITIAL_CREDIT = 1_048_576
/** Frames below this size are sent as they are: compressing a single post costs more time than it saves. Bytes. */
const MIN_PACKED_SIZE = 2_048
/** Wants that one peer may have waiting here. */
export const MAX_QUEUED_WANTS = 4_096

interface Job {
  num: number
  id: Uint8Array
  from: number
  to: number
  isDown: boolean
  /** Not asked for: no DONE follows. */
  isPush: boolean
}

export interface RunSenderOptions {
  send: (frame: Uint8Array) => Promise<void>
  /** Compress frames (the receiver said it takes them). */
  isPacked: boolean
  /** All that was queued has been sent. */
  onIdle: () => void
  onError: (error: unknown) => void
}

export class RunSender {
  readonly #store: FeedStore
  readonly #options: RunSenderOptions
  /** Pushes first: they are small and fresh. By feed number. */
  readonly #pushes = new Map<number, Job>()
  readonly #wants: Job[] = []
  /** Entries that were sent. */
  #sent = 0
  #credit = INITIAL_CREDIT
  #isPumping = false
  #isStopped = false

  constructor(store: FeedStore, options: RunSenderOptions) {
    this.#store = store
    this.#options = options
  }

  get sent(): number {
    return this.#sent
  }

  get isIdle(): boolean {
    return this.#pushes.size === 0 && this.#wants.length === 0 && !this.#isPumping
  }

  /** Sends new entries unasked. A feed that the peer is just fetching upwards is continued by that. */
  push(feed: FeedState, id: Uint8Array, from: number, to: number): void {
    const fetching = this.#wants.find((job) => job.num === feed.num && !job.isDown)
    const waiting = fetching ?? this.#pushes.get(feed.num)
    if (waiting !== undefined) waiting.to = Math.max(waiting.to, to)
    else this.#pushes.set(feed.num, { num: feed.num, id, from, to, isDown: false, isPush: true })
    this.#pump()
  }

  /** Queues what the peer asked for. @returns false when it has asked for too much at once */
  serve(feed: { num: number }, want: { id: Uint8Array; from: number; to: number; isDown: boolean }): boolean {
    if (this.#wants.length >= MAX_QUEUED_WANTS) return false
    this.#wants.push({ ...want, num: feed.num, isPush: false })
    this.#pump()
    return true
  }

  grant(bytes: number): void {
    this.#credit = Math.min(this.#credit + bytes, INITIAL_CREDIT)
    this.#pump()
  }

  stop(): void {
    this.#isStopped = true
    this.#pushes.clear()
    this.#wants.length = 0
  }

  #pump(): void {
    if (this.#isPumping || this.#isStopped) return
    this.#isPumping = true
    // What is queued in the same turn of the event loop goes into the same frame.
    queueMicrotask(() => {
      this.#run().catch((error: unknown) => this.#options.onError(error))
    })
  }

  async #run(): Promise<void> {
    try {
      while (this.#credit > 0 && !this.#isStopped) {
        const { parts, done } = this.#fill()
        if (parts.length === 0 && done === 0) break
        if (parts.length > 0) await this.#sendRuns(parts)
        if (done > 0) await this.#options.send(encodeNumber(KIND.done, done))
      }
    } finally {
      this.#isPumping = false
    }
    if (this.isIdle && !this.#isStopped) this.#options.onIdle()
  }

  async #sendRuns(parts: Uint8Array[]): Promise<void> {
    const plain = encodeRuns(parts)
    const frame = this.#options.isPacked && plain.length >= MIN_PACKED_SIZE ? packRuns(plain) : plain
    this.#credit -= plain.length
    await this.#options.send(frame)
  }

  /** The next frame's runs, and how many wants end with it. */
  #fill(): { parts: Uint8Array[]; done: number } {
    const frame = { parts: [] as Uint8Array[], size: 0 }
    let done = 0
    for (const [num, job] of this.#pushes) {
      if (frame.size >= RUNS_TARGET_SIZE) break
      if (this.#take(job, frame)) this.#pushes.delete(num)
    }
    while (this.#wants.length > 0 && frame.size < RUNS_TARGET_SIZE) {
      if (!this.#take(this.#wants[0], frame)) continue
      this.#wants.shift()
      done++
    }
    return { parts: frame.parts, done }
  }

  /** Puts runs of a job into the frame. @returns whether nothing of the job is left */
  #take(job: Job, frame: { parts: Uint8Array[]; size: number }): boolean {
    const feed = this.#store.feedByNumber(job.num)
    if (feed?.priority === undefined) return true
    while (frame.size < RUNS_TARGET_SIZE) {
      const run = job.isDown ? runDown(this.#store, feed, job.from, job.to) : runUp(this.#store, feed, job.from, job.to)
      if (run === undefined) return true
      const parts = encodeRun(job.id, run)
      frame.parts.push(...parts)
      this.#sent += run.count
      for (const part of parts) frame.size += part.length
      if (job.isDown) job.to = run.first - 1
      else job.from = lastOf(run) + 1
      if (job.from > job.to) return true
    }
    return false
  }
}

/** The run that begins at seq `from`, as long as a run may be. */
function runUp(store: FeedStore, feed: FeedState, from: number, to: number): Run | undefined {
  const rows: Run[] = []
  const size = { count: 0, bytes: 0 }
  for (const row of store.rowsUp(feed, from, Math.min(to, feed.height))) {
    if (!isServed(feed, row)) break
    const run = row.first < from ? tailOf({ ...row, ids: idsOf(row) }, from) : row
    if (run.first !== from + size.count || !fits(size, run)) break
    rows.push(run)
  }
  return rows.length === 0 ? undefined : joinRuns(rows)
}

/** The run that ends at seq `to` or, where that is not signed, a little later. */
function runDown(store: FeedStore, feed: FeedState, from: number, to: number): Run | undefined {
  const rows: Run[] = []
  const size = { count: 0, bytes: 0 }
  for (const row of store.rowsDown(feed, from, Math.min(to, feed.height))) {
    if (!isServed(feed, row)) continue
    if (!fits(size, row)) break
    rows.unshift(row)
  }
  return rows.length === 0 ? undefined : joinRuns(rows)
}

function fits(size: { count: number; bytes: number }, run: Run): boolean {
  if (
    size.count > 0 &&
    (size.count + run.count > MAX_RUN_ENTRIES ||
      size.bytes + run.records.length > Math.min(MAX_RUN_BYTES, RUNS_TARGET_SIZE))
  )
    return false
  size.count += run.count
  size.bytes += run.records.length
  return true
}
