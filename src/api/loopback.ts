// Loopback HTTP of one node: listens from the start when it was asked for, or when browsers were let in in the run before;
// else from the first browser that is to come in, and then as long as there are sessions.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { NodeError } from '../node/comrade.ts'
import type { RequestTimeouts } from './arrival.ts'
import { drained, guardedServer, listening } from './guarded-server.ts'
import type { LoopbackPolicy } from './guard.ts'
import { routes, type RouteInit } from './routes.ts'
import type { BrowserAccess } from './session-routes.ts'
import { SessionFile } from './session-file.ts'
import { CODE_LIFETIME_MS, Sessions } from './sessions.ts'
import { apiToken } from './token.ts'

export interface LoopbackInit {
  /** File with the bearer token, made when it is missing. */
  tokenPath: string
  /** File in which sessions are kept. @default they end with the node */
  sessionsPath?: string
  timeouts: RequestTimeouts
  /** What the routes need; `browsers` is this very object. */
  routes: Omit<RouteInit, 'isSocket' | 'browsers'>
  /** Told the base address when it begins to listen for a browser. */
  onOpened?: (url: string) => void
}

export class Loopback implements BrowserAccess {
  readonly sessions: Sessions
  readonly #init: LoopbackInit
  /** Where browsers know the node. */
  #lastPort: number | undefined
  #server: Promise<Server> | undefined
  #port: number | undefined
  /** Nobody asked for it but browsers: without them it need not listen. */
  #isForBrowsers = false
  #stopped: Promise<void> = Promise.resolve()
  #isRetired = false

  constructor(init: LoopbackInit) {
    this.#init = init
    const file = init.sessionsPath === undefined ? undefined : new SessionFile(init.sessionsPath)
    const { port, sessions: kept } = file?.read() ?? { sessions: [] }
    this.#lastPort = port
    this.sessions = new Sessions({
      kept,
      onChange: (sessions, isEnding) => file?.write({ port: this.#lastPort, sessions }, isEnding)
    })
  }

  get port(): number | undefined {
    return this.#port
  }

  /** Base address, while it listens. */
  get url(): string | undefined {
    return this.#port === undefined ? undefined : `http://127.0.0.1:${this.#port}`
  }

  /** Listens until the API closes. @throws NodeError FAILED when the port is in use, KEYS_EXPOSED for the token's file */
  async listen(port: number): Promise<void> {
    const server = (this.#server ??= this.#listen(port))
    try {
      const address = (await server).address() as AddressInfo | null
      if (this.#server === server && address !== null) this.#settle(address.port)
    } catch (error) {
      if (this.#server === server) this.#server = undefined
      throw error
    }
  }

  /** Listens where it did before, for browsers that were let in; where that port is taken now, they have to be let in anew. */
  async resume(): Promise<void> {
    if (this.#lastPort === undefined || this.sessions.size === 0) return
    try {
      await this.listen(this.#lastPort)
      this.#isForBrowsers = true
    } catch (error) {
      if (!isTaken(error)) throw error
      this.sessions.endAll()
    }
  }

  async open(expiresInMs: number = CODE_LIFETIME_MS): Promise<{ url: string; expires: string }> {
    if (this.#isRetired) throw new NodeError('NOT_RUNNING', 'the node is leaving')
    const isFirst = this.#server === undefined
    this.#isForBrowsers ||= isFirst
    await this.#listenAnywhere()
    if (this.url === undefined)
      throw new NodeError('FAILED', 'browsers were shut out at the same moment: open once more')
    if (isFirst) this.#init.onOpened?.(this.url)
    const expires = new Date(Date.now() + expiresInMs).toISOString()
    // In the fragment, which a browser neither sends nor names as where it came from.
    return { url: `${this.url}/open#${this.sessions.issue(expiresInMs)}`, expires }
  }

  end(): { ended: number } {
    const ended = this.sessions.endAll()
    if (this.#isForBrowsers) this.#stop()
    return { ended }
  }

  /** Takes no more connections. Answers under way go on. */
  retire(): void {
    this.#isRetired = true
    void this.#server?.then(
      (server) => server.close(),
      () => {}
    )
  }

  async close(): Promise<void> {
    this.retire()
    await Promise.all([this.#stopped, this.#server?.then(drained, () => {})])
  }

  /**
   * Browsers show their cookies to whoever listens where they know the node. Where that is somebody else now, what they were
   * let in with may be known, and it does not count at another port.
   */
  #settle(port: number): void {
    const isElsewhere = this.#lastPort !== undefined && port !== this.#lastPort
    this.#port = this.#lastPort = port
    if (isElsewhere) this.sessions.endAll()
  }

  /** Where browsers know the node, if that port is free. */
  async #listenAnywhere(): Promise<void> {
    try {
      await this.listen(this.#lastPort ?? 0)
    } catch (error) {
      if (!isTaken(error)) throw error
      await this.listen(0)
    }
  }

  /** Listens no more, until somebody is to come in again. */
  #stop(): void {
    const server = this.#server
    this.#server = undefined
    this.#port = undefined
    this.#isForBrowsers = false
    this.#stopped = Promise.all([this.#stopped, server?.then(closed, () => {})]).then(() => {})
  }

  async #listen(port: number): Promise<Server> {
    const { tokenPath, timeouts } = this.#init
    const policy: LoopbackPolicy = { port, token: await apiToken(tokenPath), sessions: this.sessions }
    const app = routes({ ...this.#init.routes, isSocket: false, browsers: this })
    const server = guardedServer(app, timeouts, policy)
    await listening(server, { port, host: '127.0.0.1' })
    policy.port = (server.address() as AddressInfo).port
    return server
  }
}

/** Whether another program listens at a port. */
function isTaken(error: unknown): boolean {
  return error instanceof NodeError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE'
}

function closed(server: Server): Promise<void> {
  server.close()
  return drained(server)
}
