// People whom one follows and is not connected with: when to look in the directory where they are now. First after their
// known addresses have had a chance, then ever more seldom.

const LOOK_MS = 5_000
/** For who was reached at a known address before. */
const FIRST_DELAY_MS = 5_000
const RETRY_MS = 30_000
const LAST_RETRY_MS = 4 * 3_600_000
const MAX_PARALLEL = 4

/** Somebody whom one would like to be connected with. */
export interface Missing {
  key: Uint8Array
  /** Whether there are addresses to try meanwhile. */
  hasAddresses: () => boolean
}

export interface MissingPeopleOptions {
  /** Who is missing now. */
  missing: () => Iterable<Missing>
  lookUp: (key: Uint8Array) => Promise<void>
  now: () => number
}

interface Attempts {
  key: Uint8Array
  failures: number
  dueMs: number
  isUnderway: boolean
}

export class MissingPeople {
  readonly #options: MissingPeopleOptions
  readonly #attempts = new Map<string, Attempts>()
  readonly #underway = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: MissingPeopleOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_MS)
    this.#timer.unref()
    this.look()
  }

  /** Waits for what is underway: end the lookups before. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await Promise.all(this.#underway)
    this.#attempts.clear()
  }

  /** Looks up who is due. */
  look(): void {
    if (this.#timer === undefined) return
    const now = this.#options.now()
    const missing = new Map([...this.#options.missing()].map((each) => [Buffer.from(each.key).toString('hex'), each]))
    for (const name of this.#attempts.keys()) if (!missing.has(name)) this.#attempts.delete(name)
    for (const [name, { key, hasAddresses }] of missing) {
      if (this.#attempts.has(name)) continue
      const dueMs = now + (hasAddresses() ? FIRST_DELAY_MS : 0)
      this.#attempts.set(name, { key, failures: 0, dueMs, isUnderway: false })
    }
    const due = [...this.#attempts.values()].filter(({ dueMs, isUnderway }) => dueMs <= now && !isUnderway)
    due.sort((a, b) => a.dueMs - b.dueMs)
    for (const attempt of due.slice(0, MAX_PARALLEL - this.#underway.size)) this.#lookUp(attempt)
  }

  #lookUp(attempt: Attempts): void {
    attempt.isUnderway = true
    const work = this.#options.lookUp(attempt.key).finally(() => {
      this.#underway.delete(work)
      attempt.isUnderway = false
      const delay = Math.min(LAST_RETRY_MS, RETRY_MS * 2 ** Math.min(attempt.failures++, 30))
      attempt.dueMs = this.#options.now() + delay * (0.5 + Math.random() / 2)
    })
    this.#underway.add(work)
  }
}
