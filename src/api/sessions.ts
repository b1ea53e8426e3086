// Browsers that may use the API: a code from `comrade open` is traded once for a session, whose secret the browser keeps as
// a cookie. Codes end with the node; what is kept of sessions outlives it.
import { createHash, randomBytes } from 'node:crypto'
import { NodeError } from '../node/comrade.ts'

/** How long a code may be traded, in ms. */
export const CODE_LIFETIME_MS = 60_000
/** After this time without a request a session is over, in ms: 30 days. */
export const SESSION_IDLE_MS = 30 * 86_400_000
/** How exactly it is kept when a session was used last, in ms: not every request is worth a write. */
const USED_STEP_MS = 3_600_000
/** Codes and sessions at a time. Past it the oldest code, and the session that was not used for longest, are given up. */
const MAX_CODES = 16
const MAX_SESSIONS = 64
const SECRET_BYTES = 32

interface Code {
  expiresAtMs: number
  /** Key of the session that it was traded for. */
  session?: string
}

interface Session {
  /** Unix ms. */
  usedAtMs: number
  keptAtMs: number
  over: AbortController
}

/** What is to be known of a session in the node's next run. */
export interface KeptSession {
  /** sha256 of its secret, in base64url. */
  key: string
  usedAtMs: number
}

export interface SessionsOptions {
  /** Those of the run before, in the order of their last use. @default none */
  kept?: readonly KeptSession[]
  /** Told all sessions when one was added, used for the first time in an hour, or ended. @default they are not kept */
  onChange?: (sessions: KeptSession[], isEnding: boolean) => void
  /** A clock that does not jump, in ms. */
  now?: () => number
  /** Unix ms. @default Date.now */
  date?: () => number
}

/** The codes and sessions of one node, by the sha256 of their secrets: what is looked up tells nothing by its timing. */
export class Sessions {
  readonly #codes = new Map<string, Code>()
  /** In the order of their last use. */
  readonly #sessions = new Map<string, Session>()
  readonly #now: () => number
  readonly #date: () => number
  readonly #onChange: NonNullable<SessionsOptions['onChange']>

  constructor({
    kept = [],
    onChange = () => {},
    now = () => performance.now(),
    date = Date.now
  }: SessionsOptions = {}) {
    this.#now = now
    this.#date = date
    this.#onChange = onChange
    for (const { key, usedAtMs } of kept.slice(-MAX_SESSIONS)) this.#add(key, usedAtMs)
  }

  get size(): number {
    this.#forgetOld()
    return this.#sessions.size
  }

  /** Makes a code, good once: 43 characters of base64url. @param expiresInMs @default {@link CODE_LIFETIME_MS} */
  issue(expiresInMs: number = CODE_LIFETIME_MS): string {
    this.#forgetOld()
    if (this.#codes.size >= MAX_CODES) this.#codes.delete(this.#codes.keys().next().value!)
    const code = randomBytes(SECRET_BYTES).toString('base64url')
    this.#codes.set(keyOf(code), { expiresAtMs: this.#now() + expiresInMs })
    return code
  }

  /**
   * Trades a code for a new session. A code that comes a second time has been seen by somebody else, who may have been the
   * first: what it was traded for is ended (as RFC 6749, section 4.1.2, has it). The browser that has it may come again.
   * @param present secrets of sessions that the browser has already
   * @returns the session's secret: 43 characters of base64url
   * @throws NodeError EXPIRED for a code that is not known, or no longer; USED
   */
  trade(code: string, present: readonly string[] = []): string {
    this.#forgetOld()
    const known = this.#codes.get(keyOf(code))
    if (known === undefined)
      throw new NodeError('EXPIRED', 'this address is not good any more: ask for another one with `comrade open`')
    if (known.session !== undefined) {
      const own = present.find((secret) => keyOf(secret) === known.session)
      if (own !== undefined && this.use(own) !== undefined) return own
      if (this.#end(known.session)) this.#tell(true)
      throw new NodeError(
        'USED',
        'this address was used before: whoever used it is shut out now; run `comrade open` again'
      )
    }
    const secret = randomBytes(SECRET_BYTES).toString('base64url')
    known.session = keyOf(secret)
    if (this.#sessions.size >= MAX_SESSIONS) this.#end(this.#sessions.keys().next().value!)
    this.#add(known.session, this.#date())
    this.#tell(false)
    return secret
  }

  /** Notes that a session is used. @returns what fires when it is over; undefined when there is no such session */
  use(secret: string): AbortSignal | undefined {
    this.#forgetOld()
    const key = keyOf(secret)
    const session = this.#sessions.get(key)
    if (session === undefined) return undefined
    session.usedAtMs = Math.max(session.usedAtMs, this.#date()) // a machine without a clock begins in 1970
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    if (session.usedAtMs - session.keptAtMs >= USED_STEP_MS) this.#tell(false)
    return session.over.signal
  }

  end(secret: string): void {
    if (this.#end(keyOf(secret))) this.#tell(true)
  }

  /** Ends all sessions, and takes back the codes. @returns how many sessions there were */
  endAll(): number {
    const count = this.size
    for (const key of [...this.#sessions.keys()]) this.#end(key)
    this.#codes.clear()
    this.#tell(true)
    return count
  }

  #add(key: string, usedAtMs: number): void {
    this.#sessions.set(key, { usedAtMs, keptAtMs: usedAtMs, over: new AbortController() })
  }

  /** @returns whether there was such a session */
  #end(key: string): boolean {
    this.#sessions.get(key)?.over.abort()
    return this.#sessions.delete(key)
  }

  #tell(isEnding: boolean): void {
    for (const session of this.#sessions.values()) session.keptAtMs = session.usedAtMs
    const kept = [...this.#sessions].map(([key, { usedAtMs }]) => ({ key, usedAtMs }))
    this.#onChange(kept, isEnding)
  }

  #forgetOld(): void {
    const now = this.#now()
    for (const [key, { expiresAtMs }] of this.#codes) if (expiresAtMs <= now) this.#codes.delete(key)
    const date = this.#date()
    for (const [key, { usedAtMs }] of this.#sessions) if (usedAtMs + SESSION_IDLE_MS <= date) this.#end(key)
  }
}

function keyOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}
