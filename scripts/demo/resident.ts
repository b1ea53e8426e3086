// One person of the demo: a node in a process of its own, started by ./comrade as a user would, and asked over its socket.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { dirname, join } from 'node:path'
import { createClient, type Client, type Query } from '../../src/api/client.ts'
import { setConfig } from '../../src/node/config.ts'
import { homeAt, makePrivateDirectory } from '../../src/node/home.ts'
import type { PersonId } from './people.ts'

const ROOT = join(import.meta.dirname, '../..')
/** An idle machine needs a second. */
const READY_LIMIT_MS = 60_000
const ANSWER_LIMIT_MS = 60_000
/** Past it a node that was asked to leave is killed. It takes 8 s at most by itself. */
const LEAVE_LIMIT_MS = 10_000
const MAX_KEPT_STDERR = 2_000

/** A line of `up --json`. */
export type EventLine = Record<string, unknown>

export class Resident {
  readonly id: PersonId
  readonly home: string
  /** Where the API's socket is; usually in the home. */
  readonly socket: string
  /** Why it has ended, once it has. */
  end: string | undefined
  /** Is called with each event, and once when the process has ended. */
  onLine: (line: EventLine) => void = () => {}
  onEnd: () => void = () => {}
  #did = ''
  #stderr = ''
  readonly #child: ChildProcess
  readonly #client: Client
  readonly #signal: AbortSignal
  readonly #ready = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<void>()

  /** Starts a node in a fresh home. @param signal ends all that is asked of it */
  constructor(id: PersonId, home: string, signal: AbortSignal) {
    this.id = id
    this.home = home
    this.#signal = signal
    const { config, socket } = homeAt(home)
    this.socket = socket
    this.#client = createClient(socket)
    makePrivateDirectory(home)
    setConfig(config, 'shareContacts', true) // so that requests say how many one has in common
    setConfig(config, 'readReceipts', true)
    this.#child = this.#spawn()
    this.#ready.promise.catch(() => {}) // is told to whoever waits
  }

  get did(): string {
    return this.#did
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Waits until the node has said that it is ready. @throws when it ends before, or at the limit */
  async ready(): Promise<this> {
    const late = AbortSignal.any([this.#signal, AbortSignal.timeout(READY_LIMIT_MS)])
    late.addEventListener('abort', () => this.#ready.reject(late.reason as Error), { once: true })
    await this.#ready.promise
    return this
  }

  get<T>(verb: string, query?: Query): Promise<T> {
    return this.#client.get<T>(verb, query, { signal: this.#signal, timeoutMs: ANSWER_LIMIT_MS })
  }

  post<T>(verb: string, body?: object): Promise<T> {
    return this.#client.post<T>(verb, body, { signal: this.#signal, timeoutMs: ANSWER_LIMIT_MS })
  }

  /** What a stream gives now. */
  async list<T>(verb: string, query?: Query): Promise<T[]> {
    return Array.fromAsync(this.#client.lines<T>(verb, query, { signal: this.#signal }))
  }

  /** Has the node leave; returns when its process is gone. */
  async stop(): Promise<void> {
    if (this.end !== undefined) return
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.kill(), LEAVE_LIMIT_MS)
    await this.#closed.promise
    clearTimeout(timer)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #spawn(): ChildProcess {
    const { COMRADE_HOME: _home, COMRADE_PASSPHRASE_FILE: _file, ...env } = process.env
    const words = `${this.home}.words`
    const up = ['--home', this.home, '--json', 'up', '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns']
    // In a process group of its own: ^C in the terminal goes to the demo alone, which has them leave.
    const child = spawn(join(ROOT, 'comrade'), [...up, '--recovery-file', words], {
      detached: true,
      env,
      stdio: ['ignore', 'pipe', 'pipe']
    })
    createInterface({ input: child.stdout }).on('line', (text) => this.#take(JSON.parse(text) as EventLine))
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_KEPT_STDERR)
    })
    child.once('error', (error) => this.#close(error.message))
    child.once('close', (code, signal) => this.#close(signal ?? `exit code ${code}`))
    return child
  }

  #take(line: EventLine): void {
    if (line.event === 'ready') {
      this.#did = String(line.did)
      this.#ready.resolve()
    } else this.onLine(line)
  }

  #close(why: string): void {
    if (this.end !== undefined) return
    this.end = why
    this.#ready.reject(new Error(`the node of ${this.id} has ended (${why}): ${this.#stderr.trim()}`))
    this.#closed.resolve()
    this.onEnd()
  }

  /** The folder of a socket that does not fit into the home; it is to be removed, too. */
  get socketFolder(): string | undefined {
    const folder = dirname(this.socket)
    return folder === this.home ? undefined : folder
  }
}
