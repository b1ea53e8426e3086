// Stays in touch with the peers that one wants: js-libp2p neither dials by itself nor keeps trying for longer than half a
// minute. Tries for ever, ever less often, with jitter so that a village that wakes up together does not call at once.
// Who is connected through a relay is tried as well: a direct connection is better.

const FIRST_DELAY_MS = 1_000
const LAST_DELAY_MS = 600_000
/** A connection that lasted this long was a good one: after it the delays begin anew. */
const GOOD_CONNECTION_MS = 60_000
const MAX_PARALLEL = 8
const DIAL_TIMEOUT_MS = 15_000
/** How often wanted targets are looked at again when nothing else is due. */
const LOOK_INTERVAL_MS = 30_000

/** Somebody whom one wants to be connected with: a peer id, addresses, or both. */
export interface RedialTarget {
  peerId?: string
  multiaddrs: string[]
  /** Higher goes first when many are due. */
  priority: number
}

export interface Clock {
  now(): number
  setTimeout(callback: () => void, delayMs: number): unknown
  clearTimeout(timer: unknown): void
}

/** What a loop runs by but for tests. */
export const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout)
}

export interface RedialOptions {
  /** Asked at every look: whoever is in it is wanted for as long as it is. */
  targets(): Iterable<RedialTarget>
  /** `target` has the peer id of who answered last when it had none. */
  isConnected(target: RedialTarget): boolean
  /** Whether it is connected, but only through a relay. @default never */
  isRelayed?(target: RedialTarget): boolean
  /** Resolves with the peer id when connected, rejects when not; must end soon after `signal` aborts. */
  dial(target: RedialTarget, signal: AbortSignal): Promise<string>
  /** @default the system's */
  clock?: Clock
  /** A number from 0 to 1. @default Math.random */
  random?: () => number
}

interface Attempts {
  failures: number
  dueMs: number
  isDialing: boolean
  connectedSinceMs?: number
  isRelayed: boolean
  /** Who answered. */
  peerId?: string
  error?: unknown
}

/** How it stands with somebody who is to be connected. */
export interface RedialState {
  /** Attempts that failed, one after the other. */
  failures: number
  /** When it is tried again, Unix ms. */
  dueMs: number
  /** What went wrong the last time. */
  error?: unknown
}

/**
 * How long to wait after so many failures in a row (0 is the first): doubles from one second to ten minutes, and of that
 * between a half and the whole.
 */
export function redialDelayMs(failures: number, random: number): number {
  const delay = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 30))
  return Math.round(delay * (0.5 + random / 2))
}

export class RedialLoop {
  readonly #options: RedialOptions
  readonly #clock: Clock
  readonly #random: () => number
  readonly #attempts = new Map<string, Attempts>()
  #dials = new Set<Promise<void>>()
  #stopping: AbortController | undefined
  #timer: unknown

  constructor(options: RedialOptions) {
    this.#options = options
    this.#clock = options.clock ?? SYSTEM_CLOCK
    this.#random = options.random ?? Math.random
  }

  start(): void {
    if (this.#stopping !== undefined) return
    this.#stopping = new AbortController()
    this.look()
  }

  /** Ends the dials that are underway, and waits for them. */
  async stop(): Promise<void> {
    this.#stopping?.abort(new Error('the node is stopping'))
    this.#stopping = undefined
    this.#clock.clearTimeout(this.#timer)
    this.#attempts.clear()
    await Promise.all(this.#dials)
  }

  /** Tries all who are not connected at once, as when the network has changed or the user asks; or only this peer. */
  retryNow(peerId?: string): void {
    for (const [name, attempts] of this.#attempts) {
      if (peerId === undefined || name === peerId) Object.assign(attempts, { failures: 0, dueMs: this.#clock.now() })
    }
    this.look()
  }

  /** How it stands with a peer; undefined when it is no target. */
  stateOf(peerId: string): RedialState | undefined {
    const attempts = this.#attempts.get(peerId)
    return attempts && { failures: attempts.failures, dueMs: attempts.dueMs, error: attempts.error }
  }

  /** Looks who is wanted, connected and due. Call it when a peer came or went, or when the targets changed. */
  look(): void {
    if (this.#stopping === undefined) return
    const targets = new Map([...this.#options.targets()].map((target) => [targetName(target), target]))
    for (const name of this.#attempts.keys()) if (!targets.has(name)) this.#attempts.delete(name)
    const due = [...targets].filter(([name, target]) => this.#isDue(name, target))
    due.sort(([, a], [, b]) => b.priority - a.priority)
    for (const [name, target] of due.slice(0, MAX_PARALLEL - this.#dials.size)) this.#dial(name, target)
    this.#schedule()
  }

  #isDue(name: string, target: RedialTarget): boolean {
    const now = this.#clock.now()
    const fresh = { failures: 0, dueMs: now, isDialing: false, isRelayed: false }
    const attempts: Attempts = this.#attempts.get(name) ?? fresh
    this.#attempts.set(name, attempts)
    if (attempts.isDialing) return false
    const known = { ...target, peerId: target.peerId ?? attempts.peerId }
    const isConnected = this.#options.isConnected(known)
    this.#note(attempts, isConnected && (this.#options.isRelayed?.(known) ?? false), now)
    if (isConnected && !attempts.isRelayed) {
      attempts.connectedSinceMs ??= now
      return false
    }
    if (attempts.connectedSinceMs !== undefined) this.#onLost(attempts, now)
    return attempts.dueMs <= now
  }

  /** A relayed connection that came gives time before the next attempt; one that went is a reason to try soon. */
  #note(attempts: Attempts, isRelayed: boolean, now: number): void {
    if (isRelayed === attempts.isRelayed) return
    attempts.isRelayed = isRelayed
    if (isRelayed) attempts.connectedSinceMs = undefined
    else attempts.failures = 0
    if (isRelayed || attempts.connectedSinceMs === undefined) this.#delay(attempts, now)
  }

  #onLost(attempts: Attempts, now: number): void {
    if (now - attempts.connectedSinceMs! >= GOOD_CONNECTION_MS) attempts.failures = 0
    attempts.connectedSinceMs = undefined
    this.#delay(attempts, now)
  }

  #dial(name: string, target: RedialTarget): void {
    const attempts = this.#attempts.get(name)!
    attempts.isDialing = true
    const dial = this.#tryOnce(target, attempts).then((peerId) => {
      this.#dials.delete(dial)
      attempts.isDialing = false
      attempts.peerId = peerId ?? attempts.peerId
      if (peerId !== undefined) attempts.connectedSinceMs = this.#clock.now()
      else this.#delay(attempts, this.#clock.now())
      this.look()
    })
    this.#dials.add(dial)
  }

  async #tryOnce(target: RedialTarget, attempts: Attempts): Promise<string | undefined> {
    const timeout = new AbortController()
    const timer = this.#clock.setTimeout(() => timeout.abort(new Error('nobody answered in time')), DIAL_TIMEOUT_MS)
    try {
      const peerId = await this.#options.dial(target, AbortSignal.any([this.#stopping!.signal, timeout.signal]))
      attempts.error = undefined
      return peerId
    } catch (error) {
      attempts.error = error // for who asks; it is tried again, whatever it was
      return undefined
    } finally {
      this.#clock.clearTimeout(timer)
    }
  }

  #delay(attempts: Attempts, now: number): void {
    attempts.dueMs = now + redialDelayMs(attempts.failures++, this.#random())
  }

  #schedule(): void {
    this.#clock.clearTimeout(this.#timer)
    const now = this.#clock.now()
    const waiting = [...this.#attempts.values()].filter(
      ({ isDialing, connectedSinceMs }) => !isDialing && connectedSinceMs === undefined
    )
    const next = Math.min(now + LOOK_INTERVAL_MS, ...waiting.map(({ dueMs }) => dueMs))
    // With all dials taken, the next one that ends looks again.
    const delayMs = this.#dials.size >= MAX_PARALLEL ? LOOK_INTERVAL_MS : Math.max(0, next - now)
    this.#timer = this.#clock.setTimeout(() => this.look(), delayMs)
  }
}

/** A target is the same as long as it is the same peer; without a peer id, as long as its addresses are the same. */
function targetName({ peerId, multiaddrs }: RedialTarget): string {
  return peerId ?? multiaddrs.join(' ')
}
