// Lets go, behind, of what is no longer to be kept: entries beyond a feed's limits, bodies above its bytes, feeds that are
// not wanted any more, and bodies for which there is no room. In slices short enough to stay out of sync's way.
import { setImmediate } from 'node:timers/promises'
import { deleteBeyondLimits, deleteUnwanted } from './deletion.ts'
import { eraseForRoom, eraseOverLimits, usageByPriority } from './erasure.ts'
import type { Extension, FeedStore } from './store.ts'

/** Entries that are deleted, and runs whose bodies are erased, before the event loop gets its turn. */
const SLICE_ENTRIES = 128
const SLICE_RUNS = 16
/** How long what falls out of limits waits for more of it, in ms. */
const DELAY_MS = 1_000
/** How long to wait after the store failed (the disk is full), in ms. */
const RETRY_MS = 10_000

/** Bytes that others' feeds, those of a priority above 0, may take. The highest numbers go first. */
export interface Quota {
  /** All of them together. */
  bytes: number
  /** Those of one priority, where that is less. */
  ofPriority?: Readonly<Record<number, number>>
}

export class Trimmer {
  readonly #store: FeedStore
  #quota: Quota
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> | undefined
  #isStopped = false
  /** Something was asked for that the round of work under way may have passed. */
  #isAsked = false
  #isRemoving = false
  /** Arrival numbers up to which bodies were erased for room, by priority. */
  readonly #reached = new Map<number, number>()
  readonly #onLimited = (): void => this.#workSoon(0)
  readonly #onWanted = (): void => this.#reached.clear()
  readonly #onExtended = ({ feed }: Extension): void => {
    if (feed.newest !== undefined || feed.maxBytes !== undefined) this.#workSoon(DELAY_MS)
  }

  constructor(store: FeedStore, quota: Quota) {
    this.#store = store
    this.#quota = quota
    store.events.on('limited', this.#onLimited)
    store.events.on('wanted', this.#onWanted)
    store.events.on('extended', this.#onExtended)
    this.#workSoon(DELAY_MS)
  }

  /** Stops; what is left is done after the next start. Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#store.events.off('limited', this.#onLimited)
    this.#store.events.off('wanted', this.#onWanted)
    this.#store.events.off('extended', this.#onExtended)
    await this.#working?.catch(() => {})
  }

  /** Sets how much others' feeds may take; what is above it goes in the next moments. */
  setQuota(quota: Quota): void {
    this.#quota = quota
    this.#workSoon(0)
  }

  /** Deletes what is stored of feeds that are not wanted, too. */
  removeUnwanted(): void {
    this.#isRemoving = true
    this.#workSoon(0)
  }

  /** Does all there is to do. @throws FeedError DISK_FULL, STORE_IO */
  catchUp(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isAsked = true
    this.#working ??= this.#workAll().finally(() => (this.#working = undefined))
    return this.#working
  }

  async #workAll(): Promise<void> {
    while (this.#isAsked && this.#mayWork) {
      this.#isAsked = false
      await this.#work()
    }
  }

  #workSoon(delayMs: number): void {
    if (this.#isStopped || (this.#timer !== undefined && delayMs > 0)) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.catchUp().catch(() => this.#workSoon(RETRY_MS)) // the rest stays for then; a slice is whole or not at all
    }, delayMs)
    this.#timer.unref()
  }

  async #work(): Promise<void> {
    await this.#repeat(() => deleteBeyondLimits(this.#store, SLICE_ENTRIES))
    await this.#repeat(() => eraseOverLimits(this.#store, SLICE_RUNS))
    const isRemoving = this.#isRemoving
    this.#isRemoving = false
    if (isRemoving || (this.#mayWork && this.#over(usageByPriority(this.#store)) > 0))
      await this.#repeat(() => deleteUnwanted(this.#store, SLICE_ENTRIES))
    if (!this.#mayWork) return
    const priorities = usageByPriority(this.#store).flatMap(({ priority }) => priority || [])
    for (const priority of priorities.toSorted((a, b) => b - a)) await this.#makeRoom(priority)
  }

  /** Slice by slice, until one finds nothing. */
  async #repeat(slice: () => number): Promise<void> {
    while (this.#mayWork && slice() > 0) await setImmediate()
  }

  async #makeRoom(priority: number): Promise<void> {
    if (!this.#mayWork) return
    const usage = usageByPriority(this.#store)
    const taken = usage.find((each) => each.priority === priority)?.bytes ?? 0
    let bytes = Math.max(this.#over(usage), taken - (this.#quota.ofPriority?.[priority] ?? Infinity))
    while (bytes > 0 && this.#mayWork) {
      const from = this.#reached.get(priority) ?? 1
      const { freed, next, isEnd } = eraseForRoom(this.#store, { bytes, priority, from, runs: SLICE_RUNS })
      this.#reached.set(priority, next)
      bytes -= freed
      if (isEnd) return
      await setImmediate()
    }
  }

  get #mayWork(): boolean {
    return !this.#isStopped && this.#store.isOpen
  }

  /** Bytes above the quota for all others. */
  #over(usage: readonly { priority: number | undefined; bytes: number }[]): number {
    return usage.reduce((over, { priority, bytes }) => over + (priority === 0 ? 0 : bytes), -this.#quota.bytes)
  }
}
