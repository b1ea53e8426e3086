// Something that others ask for, and that takes a while: it is done at once, and then no more than once in a time for each
// of them, however often they ask.

export interface PacedOptions {
  intervalMs: number
  work: (device: Uint8Array) => void
}

export class Paced {
  readonly #options: PacedOptions
  /** By device: when it was done last (performance.now()), and until it is done again. */
  readonly #done = new Map<string, { atMs: number; timer?: NodeJS.Timeout }>()

  constructor(options: PacedOptions) {
    this.#options = options
  }

  /** Does it now, or as soon as it may be done again. */
  ask(device: Uint8Array): void {
    const { intervalMs, work } = this.#options
    const name = Buffer.from(device).toString('hex')
    const before = this.#done.get(name)
    if (before?.timer !== undefined) return
    const waitMs = (before?.atMs ?? -Infinity) + intervalMs - performance.now()
    if (before !== undefined && waitMs > 0) {
      before.timer = setTimeout(() => {
        this.#done.delete(name)
        this.ask(device)
      }, waitMs).unref()
      return
    }
    this.#done.set(name, { atMs: performance.now() })
    work(device)
  }

  stop(): void {
    for (const { timer } of this.#done.values()) clearTimeout(timer)
    this.#done.clear()
  }
}
