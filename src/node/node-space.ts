// What this node keeps of other people: the store mode and the quota, which can be changed while it runs, and how much is
// stored of whom.
import { type FeedStore, Trimmer, usageByPriority } from '../feeds/index.ts'
import { quotaOf } from '../trust/index.ts'
import type { Space, StoreMode } from './comrade.ts'
import { setConfig } from './config.ts'
import type { People } from './people.ts'
import type { PersonUsages } from './person-usage.ts'
import { type Distances, distancesOf } from './space.ts'

/** How long a change of what is kept is waited for before it is answered; the rest is done behind. */
const TRIM_WAIT_MS = 1_000

export interface NodeSpaceOptions {
  store: FeedStore
  people: People
  /** Path of config.json. */
  config: string
  /** How much other people's data may take, in bytes. */
  limit: number
  usages: PersonUsages
  /** The node keeps more or less from now on. */
  onMode: (mode: StoreMode) => void
}

export class NodeSpace {
  readonly #options: NodeSpaceOptions
  readonly #trimmer: Trimmer
  #limit: number

  constructor(options: NodeSpaceOptions) {
    const { store, people, limit } = options
    this.#options = options
    this.#limit = limit
    this.#trimmer = new Trimmer(store, quotaOf(limit))
    if (people.mode !== 'all') this.#trimmer.removeUnwanted() // a stop may have come before all of it was gone
  }

  /** How much other people's data may take, in bytes. */
  get limit(): number {
    return this.#limit
  }

  get distances(): Distances {
    const { store, people } = this.#options
    return distancesOf(usageByPriority(store), { store: people.mode, quota: this.#limit })
  }

  async storeMode(mode?: StoreMode): Promise<Space> {
    if (mode !== undefined) {
      const { people, config, onMode } = this.#options
      setConfig(config, 'store', mode)
      people.setMode(mode)
      onMode(mode)
      this.#trimmer.removeUnwanted()
      await this.#trimFor(TRIM_WAIT_MS)
    }
    return this.#space()
  }

  async quota(bytes?: number): Promise<Space> {
    if (bytes !== undefined) {
      const { people, config } = this.#options
      setConfig(config, 'quota', bytes)
      this.#limit = bytes
      people.setQuota(bytes)
      this.#trimmer.setQuota(quotaOf(bytes))
      await this.#trimFor(TRIM_WAIT_MS)
    }
    return this.#space()
  }

  /** Lets go of all that is not to be kept. @throws FeedError DISK_FULL, STORE_IO */
  trim(): Promise<void> {
    return this.#trimmer.catchUp()
  }

  /** What is left to let go is done after the next start. */
  stop(): Promise<void> {
    return this.#trimmer.stop()
  }

  /** Lets go of what is not to be kept, and waits for it, but not for ever: with many entries it takes minutes. */
  async #trimFor(limitMs: number): Promise<void> {
    const { usages } = this.#options
    usages.forget()
    const limit = Promise.withResolvers<void>()
    const timer = setTimeout(limit.resolve, limitMs)
    try {
      await Promise.race([this.#trimmer.catchUp(), limit.promise])
    } finally {
      clearTimeout(timer)
      usages.forget()
    }
  }

  async #space(): Promise<Space> {
    const usages = await this.#options.usages.get()
    return { ...this.distances, ...usages }
  }
}
