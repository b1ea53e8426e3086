// Writes an own feed. Calls that come together are committed together (one sync of the disk), and none resolves before
// its entries are on the disk. It does not sign while the feed may have been continued elsewhere.
import { MAX_BODY_SIZE } from './body.ts'
import { FLAG_SEALED } from './entry.ts'
import { FeedError } from './errors.ts'
import { type CheckedRun, idAt, lastOf, signRuns } from './run.ts'
import type { Sentence } from './sentence.ts'
import { sayPause } from './sentences.ts'
import type { SigningKey } from './signature.ts'
import type { Extension, FeedState, FeedStore } from './store/store.ts'

/** Most bodies in one call. */
export const MAX_BATCH = 10_000
/** Bodies after which a commit is not filled further. */
const COMMIT_TARGET = 4_096

/** How long a peer's bare word that it holds more of the feed keeps it from being written, in ms, and how often such a word may have come to nothing. */
const DOUBT_MS = 10_000
const MAX_DOUBTS = 8
/** The same after entries came that are missing here: then this store is an older copy. */
const CATCH_UP_MS = 600_000

/** Where an appended entry stands. */
export interface Appended {
  id: Uint8Array
  seq: number
}

interface Waiting {
  bodies: readonly Uint8Array[]
  isSealed: boolean
  resolve: (entries: Appended[]) => void
  reject: (error: unknown) => void
}

export class FeedWriter {
  readonly key: SigningKey
  readonly #store: FeedStore
  readonly #now: () => number
  readonly #waiting: Waiting[] = []
  #isScheduled = false
  #pause: Sentence | undefined
  /** What peers say they hold, and until when that is waited for: anybody can say anything. */
  #aheadHeight = 0
  #aheadUntilMs = 0
  #doubts = 0
  readonly #onOwnAhead = ({ feed, height }: { feed: FeedState; height: number }): void => {
    if (!this.#isOwn(feed)) return
    const now = this.#now()
    if (now >= this.#aheadUntilMs) {
      if (++this.#doubts > MAX_DOUBTS) return
      this.#aheadUntilMs = now + DOUBT_MS
      this.#aheadHeight = 0
    }
    this.#aheadHeight = Math.max(height, this.#aheadHeight)
  }
  readonly #onExtended = ({ feed, origin }: Extension): void => {
    if (origin === this || !this.#isOwn(feed)) return
    this.#doubts = 0
    if (feed.height < this.#aheadHeight) this.#aheadUntilMs = this.#now() + CATCH_UP_MS
  }

  /** @param options.now a clock that never goes back, in ms. @default performance.now */
  constructor(store: FeedStore, key: SigningKey, { now = () => performance.now() }: { now?: () => number } = {}) {
    this.key = key
    this.#now = now
    this.#store = store
    store.own(key.publicKey)
    store.events.on('ownAhead', this.#onOwnAhead)
    store.events.on('extended', this.#onExtended)
  }

  get feed(): FeedState {
    return this.#store.feed(this.key.publicKey)!
  }

  /** Why nothing is signed now, or undefined. */
  get paused(): Sentence | undefined {
    const { frozen, height } = this.feed
    if (frozen !== undefined) return sayPause('pause.forked', { entry: frozen })
    if (height < this.#aheadHeight && this.#now() < this.#aheadUntilMs)
      return sayPause('pause.behind', { theirs: this.#aheadHeight, ours: height })
    return this.#pause
  }

  /** Signs nothing until {@link resume}: this store may be an older copy. */
  pause(reason: Sentence): void {
    this.#pause = reason
  }

  resume(): void {
    this.#pause = undefined
  }

  /**
   * Appends bodies (encoded) as the next entries, under one signature every 64 and one at the end; all or none.
   * @param options.isSealed the bodies are ciphertext, and their entries are marked so @default false
   * @returns their ids and seqs, when they are on the disk
   * @throws FeedError BODY_TOO_LARGE, SIGNING_PAUSED, FEED_FROZEN, DISK_FULL, STORE_IO; RangeError for more than 10,000 bodies
   */
  append(bodies: readonly Uint8Array[], { isSealed = false }: { isSealed?: boolean } = {}): Promise<Appended[]> {
    if (bodies.length > MAX_BATCH)
      throw new RangeError(`at most ${MAX_BATCH} entries can be appended at once, not ${bodies.length}`)
    const tooLarge = bodies.find((body) => body.length > MAX_BODY_SIZE)
    if (tooLarge !== undefined)
      throw new FeedError(
        'BODY_TOO_LARGE',
        `a body has at most ${MAX_BODY_SIZE} bytes, this one has ${tooLarge.length}`
      )
    if (bodies.length === 0) return Promise.resolve([])
    const { promise, resolve, reject } = Promise.withResolvers<Appended[]>()
    this.#waiting.push({ bodies, isSealed, resolve, reject })
    this.#schedule()
    return promise
  }

  /** Writes what is waiting, and hears no more of the store. */
  close(): void {
    while (this.#waiting.length > 0) this.#commit()
    this.#store.events.off('ownAhead', this.#onOwnAhead)
    this.#store.events.off('extended', this.#onExtended)
  }

  #isOwn(feed: FeedState): boolean {
    return Buffer.compare(feed.key, this.key.publicKey) === 0
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#commit()
      if (this.#waiting.length > 0) this.#schedule()
    })
  }

  #commit(): void {
    const group = this.#takeGroup()
    if (group.length === 0) return
    try {
      this.#checkMaySign()
      const signed = this.#sign(group)
      const outcomes = this.#store.ingest(signed.flat(), { origin: this, isDurable: true })
      const failed = outcomes.find((outcome) => outcome.kind !== 'stored')
      if (failed !== undefined)
        throw new FeedError('STORE_IO', `own entries must continue the feed; the store says: ${failed.kind}`)
      group.forEach((waiting, i) => waiting.resolve(signed[i].flatMap(appendedOf)))
    } catch (error) {
      for (const waiting of group) waiting.reject(error)
    }
  }

  #takeGroup(): Waiting[] {
    const group: Waiting[] = []
    for (let size = 0; this.#waiting.length > 0 && size < COMMIT_TARGET;) {
      const next = this.#waiting.shift()!
      size += next.bodies.length
      group.push(next)
    }
    return group
  }

  #checkMaySign(): void {
    const reason = this.paused
    if (reason === undefined) return
    throw new FeedError(this.feed.frozen === undefined ? 'SIGNING_PAUSED' : 'FEED_FROZEN', reason.text)
  }

  #sign(group: Waiting[]): CheckedRun[][] {
    const { height, head } = this.feed
    let place = { first: height + 1, prev: height === 0 ? new Uint8Array(32) : head }
    const time = Math.max(0, Date.now())
    return group.map(({ bodies, isSealed }) => {
      const runs = signRuns(this.key, place, bodies, time, isSealed ? FLAG_SEALED : 0)
      const last = runs[runs.length - 1]
      place = { first: lastOf(last) + 1, prev: idAt(last, last.count - 1) }
      return runs
    })
  }
}

function appendedOf(run: CheckedRun): Appended[] {
  return Array.from({ length: run.count }, (_, i) => ({ id: idAt(run, i), seq: run.first + i }))
}
