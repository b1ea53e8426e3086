// People with a process each, over loopback: started, made friends, and ended, whatever happens.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PersonAnswer, PersonCalls, PersonReady, Sent } from './person.ts'

const PROGRAM = join(import.meta.dirname, 'person.ts')
/** As the launcher starts Node.js. */
const EXEC_ARGV = ['--max-semi-space-size=2', '--disable-warning=ExperimentalWarning']
const LIMIT_MS = 120_000
const POLL_MS = 5

type Result<N extends keyof PersonCalls> = Awaited<ReturnType<PersonCalls[N]>>

export class Person {
  readonly #home: string
  #child: ChildProcess | undefined
  #answered: PromiseWithResolvers<unknown> | undefined
  ready!: PersonReady

  constructor(home: string) {
    this.#home = home
  }

  get did(): string {
    return this.ready.did
  }

  get pid(): number {
    return this.#child!.pid!
  }

  /** @param execArgv for Node.js, such as `--cpu-prof` */
  async start(execArgv: readonly string[] = []): Promise<this> {
    const child = fork(PROGRAM, [this.#home], { execArgv: [...EXEC_ARGV, ...execArgv] })
    this.#child = child
    ;[this.ready] = (await once(child, 'message', { signal: AbortSignal.timeout(LIMIT_MS) })) as [PersonReady]
    child.on('message', ({ result, error }: PersonAnswer) => {
      if (error === undefined) this.#answered?.resolve(result)
      else this.#answered?.reject(new Error(error))
    })
    child.once('close', () => this.#answered?.reject(new Error('the process has ended')))
    return this
  }

  /** One call at a time. @throws when the node refuses it, or the process ends */
  async ask<N extends keyof PersonCalls>(name: N, ...argument: Parameters<PersonCalls[N]>): Promise<Result<N>> {
    this.#answered = Promise.withResolvers()
    this.#child!.send([name, ...argument])
    return (await this.#answered.promise) as Result<N>
  }

  /** As a user would end it. */
  async stop(): Promise<void> {
    const closed = once(this.#child!, 'close')
    this.#child!.send(['stop'])
    await closed
    this.#child = undefined
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'close')
  }
}

/** Homes in a directory that is removed at the end, when all processes are. */
export class People implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'comrade-bench-messages-'))
  readonly #people: Person[] = []

  async start(name: string, execArgv?: readonly string[]): Promise<Person> {
    const home = join(this.directory, name)
    mkdirSync(home, { mode: 0o700 })
    writeFileSync(join(home, 'config.json'), JSON.stringify({ logLevel: 'silent' }), { mode: 0o600 })
    const person = new Person(home)
    this.#people.push(person)
    return person.start(execArgv)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#people.map((person) => person.kill()))
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

/** They follow each other, and are connected. */
export async function befriend(one: Person, other: Person): Promise<void> {
  await one.ask('follow', other.did)
  await other.ask('follow', one.did)
  await one.ask('connect', other.ready.address)
  await until(async () => (await one.ask('isFriend', other.did)) && (await other.ask('isFriend', one.did)))
}

/** Begins the session between two, and waits until both have used it. */
export async function exchange(one: Person, other: Person): Promise<void> {
  for (const [from, to] of [
    [one, other],
    [other, one]
  ]) {
    const sent = await from.ask('send', { to: to.did, count: 1, together: 1 })
    await shownAt(to, sent)
  }
}

/** Waits until somebody was shown all of these. @returns when each was, in the same order */
export async function shownAt(reader: Person, sent: readonly Sent[]): Promise<number[]> {
  await until(async () => (await reader.ask('counts')).shown >= sent.length)
  let times = new Map<string, number>()
  await until(async () => {
    times = new Map(await reader.ask('shown'))
    return sent.every(({ id }) => times.has(id))
  })
  return sent.map(({ id }) => times.get(id)!)
}

export async function until(holds: () => Promise<boolean>, pollMs = POLL_MS): Promise<void> {
  const endMs = performance.now() + LIMIT_MS
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not within ${LIMIT_MS} ms`)
    await sleep(pollMs)
  }
}
