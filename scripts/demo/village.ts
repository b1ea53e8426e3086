// The seven nodes of the demo and the directory that they live in. When it is disposed of, all processes and files are gone.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { PEOPLE, type PersonId } from './people.ts'
import { Resident } from './resident.ts'

const COMRADE = join(import.meta.dirname, '../../comrade')
/** How long something may take until it has come to another node; usually some milliseconds. */
const ARRIVAL_LIMIT_MS = 60_000
const PAUSE_MS = 50

export class Village implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'comrade-demo-'))
  /** Is called when a node has ended that was not asked to. */
  onLost: (one: Resident) => void = () => {}
  readonly #residents = new Map<PersonId, Resident>()
  readonly #signal: AbortSignal
  readonly #onExit = (): void => this.#remove()
  #isEnding = false

  /** @param signal ends whatever is waited for */
  constructor(signal: AbortSignal) {
    this.#signal = signal
    process.on('exit', this.#onExit)
  }

  /** Starts all nodes, and waits until they are ready. */
  async start(): Promise<void> {
    // Bundles the sources where they have changed: once, and not by seven at the same time.
    await promisify(execFile)(COMRADE, ['--version'], { signal: this.#signal })
    for (const { id } of PEOPLE) this.#residents.set(id, this.#settle(id))
    await Promise.all([...this.#residents.values()].map((one) => one.ready()))
  }

  get residents(): readonly Resident[] {
    return [...this.#residents.values()]
  }

  at(id: PersonId): Resident {
    return this.#residents.get(id)!
  }

  /** Waits until something is so. @throws at the limit */
  async until(isSo: () => Promise<boolean>, what: string): Promise<void> {
    const end = performance.now() + ARRIVAL_LIMIT_MS
    while (!(await isSo())) {
      if (performance.now() > end) throw new Error(`not so within ${ARRIVAL_LIMIT_MS / 1000} s: ${what}`)
      await setTimeout(PAUSE_MS, undefined, { signal: this.#signal })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true
    await Promise.all(this.residents.map((one) => one.stop()))
    this.#remove()
    process.off('exit', this.#onExit)
  }

  #settle(id: PersonId): Resident {
    const one = new Resident(id, join(this.directory, id), this.#signal)
    one.onEnd = () => {
      if (!this.#isEnding) this.onLost(one)
    }
    return one
  }

  /** Also the last resort, where nothing can be waited for. */
  #remove(): void {
    for (const one of this.residents) if (one.end === undefined) one.kill()
    const folders = this.residents.map(({ socketFolder }) => socketFolder).filter((folder) => folder !== undefined)
    for (const path of [this.directory, ...folders]) rmSync(path, { recursive: true, force: true, maxRetries: 5 })
  }
}
