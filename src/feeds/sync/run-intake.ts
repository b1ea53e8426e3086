// The receiving half's last step: runs of several frames are checked as they come, their signatures verified beside the
// event loop, and all of them stored in one transaction.
import { type CheckedRun, checkRunContent, idAt, type Run } from '../run.ts'
import { verifySignature, verifySignatureAside } from '../signature.ts'
import type { FeedStore, IngestOutcome } from '../store/store.ts'
import type { BlindIndex } from './blind-index.ts'
import { decodeRuns } from './messages.ts'

/** Entries after which what was collected is stored, before more is taken. */
const BATCH_ENTRIES = 1_024

export interface RunIntakeOptions {
  store: FeedStore
  index: BlindIndex
  /** Passed on to the store: who brought the entries. */
  origin: object
  onOutcome: (run: CheckedRun, outcome: IngestOutcome) => void
  /** After all outcomes of a batch. */
  onStored: () => void
  /** There is no room for something that has come. */
  onLeftOut: () => void
  onError: (error: unknown) => void
}

export class RunIntake {
  readonly #options: RunIntakeOptions
  #runs: CheckedRun[] = []
  #verified: Promise<void>[] = []
  #entries = 0
  #flushing: Promise<void> = Promise.resolve()
  #isScheduled = false

  constructor(options: RunIntakeOptions) {
    this.#options = options
  }

  /** Takes a frame of runs; those of feeds that are not wanted, or may not grow, are passed over. @throws FeedError when one is not valid */
  async add(frame: Uint8Array): Promise<void> {
    const runs = this.#recognise(frame).map(checkRunContent)
    this.#verify(runs)
    this.#runs.push(...runs)
    for (const run of runs) this.#entries += run.count
    const isFresh = runs.length === 1 && this.#runs.length === 1 // a single post that somebody waits for
    if (isFresh || this.#entries >= BATCH_ENTRIES) await this.flush()
    else this.#flushSoon()
  }

  /** The runs of a frame whose feeds are wanted, and for which there is room. Runs of one feed mostly stand together. */
  #recognise(frame: Uint8Array): Run[] {
    let last: { id: Uint8Array; feed: Uint8Array | undefined } | undefined
    return decodeRuns(frame).flatMap((run) => {
      if (last === undefined || Buffer.compare(last.id, run.id) !== 0) last = { id: run.id, feed: this.#find(run.id) }
      return last.feed === undefined ? [] : { ...run, feed: last.feed }
    })
  }

  #find(id: Uint8Array): Uint8Array | undefined {
    const { store, index, onLeftOut } = this.#options
    const feed = index.find(id)
    if (feed === undefined || store.mayGrow(feed)) return feed?.key
    onLeftOut()
    return undefined
  }

  /** Stores what was collected. */
  flush(): Promise<void> {
    if (this.#runs.length === 0) return this.#flushing
    const [runs, verified] = [this.#runs, this.#verified]
    this.#runs = []
    this.#verified = []
    this.#entries = 0
    this.#flushing = this.#flushing.then(() => this.#store(runs, verified))
    return this.#flushing
  }

  /** One signature is verified at once; several take the other core while the next frame is being checked. */
  #verify(runs: readonly CheckedRun[]): void {
    if (runs.length === 1) return verifySignature(runs[0].feed, lastId(runs[0]), runs[0].signature)
    for (const run of runs) {
      const verified = verifySignatureAside(run.feed, lastId(run), run.signature)
      verified.catch(() => {}) // awaited in #store
      this.#verified.push(verified)
    }
  }

  async #store(runs: CheckedRun[], verified: Promise<void>[]): Promise<void> {
    if (verified.length > 0) await Promise.all(verified)
    const { store, origin, onOutcome, onStored } = this.#options
    const outcomes = store.ingest(runs, { origin })
    outcomes.forEach((outcome, i) => onOutcome(runs[i], outcome))
    onStored()
  }

  #flushSoon(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.flush().catch((error: unknown) => this.#options.onError(error))
    })
  }
}

function lastId(run: CheckedRun): Uint8Array {
  return idAt(run, run.count - 1)
}
