// The parent's side of a peer's process: starts it, calls its commands under a time limit, and always ends it.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { CommandName, Commands } from './child.ts'
import { type Contender, nodeOptions } from './contender.ts'

/** See bundle.ts. */
const CHILD = new URL('./build/bin/child.js', import.meta.url)
/** As the launcher does it. */
const COMPILE_CACHE = fileURLToPath(new URL('./build/compile-cache', import.meta.url))
const START_LIMIT_MS = 60_000
const CLOSE_LIMIT_MS = 30_000
/** The slowest command is the writing of 100,000 messages that are signed one by one. */
const COMMAND_LIMIT_MS = 600_000
/** Of what the process said on stderr, this much is told when it fails. */
const KEPT_STDERR = 4_000

type Result<N extends CommandName> = Awaited<ReturnType<Commands[N]>>

interface Reply {
  id: number
  result?: unknown
  error?: string
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))

export class PeerProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #contender: Contender
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>()
  #stderr = ''
  #nextId = 1

  /** Starts a peer of `contender` on the store in `directory`; resolves when it answers. */
  static async start(contender: Contender, directory: string): Promise<PeerProcess> {
    const peer = new PeerProcess(contender, directory)
    try {
      await peer.#ready()
    } catch (error) {
      await peer.kill()
      throw error
    }
    peer.#child.on('message', (reply) => peer.#settle(reply as Reply))
    return peer
  }

  private constructor(contender: Contender, directory: string) {
    this.#contender = contender
    this.#child = fork(CHILD, [contender, directory], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env },
      execArgv: ['--disable-warning=ExperimentalWarning', ...nodeOptions[contender]]
    })
    running.add(this.#child)
    this.#child.stderr!.on('data', (chunk) => (this.#stderr = (this.#stderr + chunk).slice(-KEPT_STDERR)))
    this.#child.on('exit', (code, signal) => this.#ended(code, signal))
  }

  /** Has the process do a command. Rejects with what it said, when it dies, or when it takes longer than `limitMs`. */
  async call<N extends CommandName>(name: N, ...args: Parameters<Commands[N]>): Promise<Result<N>> {
    return this.#request(name, args, COMMAND_LIMIT_MS) as Promise<Result<N>>
  }

  /** Lets the peer close its store, then ends the process. */
  async close(): Promise<void> {
    try {
      await this.#request('close', [], CLOSE_LIMIT_MS)
    } finally {
      await this.kill()
    }
  }

  async kill(): Promise<void> {
    if (!running.has(this.#child)) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  /** The first message; an exit before it rejects. */
  async #ready(): Promise<void> {
    const ready = Promise.withResolvers<unknown>()
    this.#pending.set(0, ready)
    this.#child.once('message', ready.resolve)
    const timer = setTimeout(
      () => ready.reject(new Error(`${this.#contender} did not start in ${START_LIMIT_MS} ms`)),
      START_LIMIT_MS
    )
    try {
      await ready.promise
    } finally {
      clearTimeout(timer)
      this.#pending.delete(0)
    }
  }

  async #request(name: CommandName, args: unknown[], limitMs: number): Promise<unknown> {
    if (!running.has(this.#child)) throw new Error(`the process of ${this.#contender} has ended: ${this.#stderr}`)
    const id = this.#nextId++
    const pending = Promise.withResolvers<unknown>()
    this.#pending.set(id, pending)
    const timer = setTimeout(
      () => pending.reject(new Error(`${this.#contender}: '${name}' took more than ${limitMs} ms`)),
      limitMs
    )
    this.#child.send({ id, name, args })
    try {
      return await pending.promise
    } finally {
      clearTimeout(timer)
      this.#pending.delete(id)
    }
  }

  #settle({ id, result, error }: Reply): void {
    if (error === undefined) this.#pending.get(id)?.resolve(result)
    else this.#pending.get(id)?.reject(new Error(`${this.#contender}: ${error}`))
  }

  #ended(code: number | null, signal: string | null): void {
    running.delete(this.#child)
    const error = new Error(`the process of ${this.#contender} ended (${signal ?? code}): ${this.#stderr}`)
    for (const pending of this.#pending.values()) pending.reject(error)
  }
}
