// Erases messages when their time has come: a timer for the next one.

/** Longest time until it is looked again, in ms: a clock may be set meanwhile. */
const MAX_WAIT_MS = 30_000
/** Shortest time between two looks, in ms. */
const MIN_WAIT_MS = 50

export interface ExpiryOptions {
  /** When the next message is to be erased, in Unix ms. */
  next: () => number | undefined
  /** Erases what is to be erased by now. */
  erase: () => void
  onError: (error: unknown) => void
}

export class Expiry {
  readonly #options: ExpiryOptions
  #timer: NodeJS.Timeout | undefined
  /** For when the timer is set. */
  #dueMs = Infinity
  #isStarted = false

  constructor(options: ExpiryOptions) {
    this.#options = options
  }

  /** Erases what has expired meanwhile. */
  start(): void {
    this.#isStarted = true
    this.#look()
  }

  stop(): void {
    this.#isStarted = false
    clearTimeout(this.#timer)
  }

  /** There is a message that is to be erased then, in Unix ms. */
  note(expiresMs: number): void {
    if (this.#isStarted && expiresMs < this.#dueMs) this.#wait(expiresMs)
  }

  #look(): void {
    try {
      this.#options.erase()
      this.#wait(this.#options.next() ?? Infinity)
    } catch (error) {
      this.#options.onError(error)
      this.#wait(Infinity)
    }
  }

  #wait(untilMs: number): void {
    clearTimeout(this.#timer)
    const delayMs = Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, untilMs - Date.now()))
    this.#dueMs = Date.now() + delayMs
    this.#timer = setTimeout(() => this.#look(), delayMs)
    this.#timer.unref()
  }
}
