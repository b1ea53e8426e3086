// Operations on sessions, in turn: libsignal does not lock, so of two with one device that read the same state one would be
// lost. Those that wait for a device meanwhile are written together, since a disk takes longer than the cryptography.
import { Turn } from '../feeds/index.ts'

/** Operations with one device that are written in one transaction, at most. */
const MAX_TOGETHER = 32

export interface Operation<Value, Result> {
  /** Computes on the state. What it throws fails this operation alone: it leaves only those changes that are meant. */
  compute: () => Promise<Value>
  /** In the transaction that writes the state. What it throws undoes this operation. */
  keep: (value: Value) => Result
}

/** The state that operations in turn work on. */
export interface Work {
  commit(): void
  /** After the transaction. */
  finish(): void
}

interface Waiting<State> {
  begin: (state: State) => Operation<unknown, unknown>
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
}

type Outcome = { settle: () => void }

export class Turns<State extends Work> {
  readonly #load: (name: string) => State
  readonly #write: (work: () => void) => void
  readonly #waiting = new Map<string, Waiting<State>[]>()
  readonly #running = new Set<Promise<void>>()
  /** libsignal computes in this thread, and never leaves it by itself. */
  readonly #turn: Turn

  /**
   * @param options.load the state as it was written
   * @param options.write runs its argument in one transaction
   * @param options.turn shared with what else is done in bulk @default one of its own
   */
  constructor({
    load,
    write,
    turn = new Turn()
  }: {
    load: (name: string) => State
    write: (work: () => void) => void
    turn?: Turn
  }) {
    this.#load = load
    this.#write = write
    this.#turn = turn
  }

  /** Runs an operation after all those of the same name that began before. */
  run<Value, Result>(name: string, begin: (state: State) => Operation<Value, Result>): Promise<Result> {
    return new Promise<unknown>((resolve, reject) => {
      const waiting = { begin: begin as Waiting<State>['begin'], resolve, reject }
      const queue = this.#waiting.get(name)
      if (queue !== undefined) return void queue.push(waiting)
      this.#waiting.set(name, [waiting])
      const running = this.#drain(name).finally(() => this.#running.delete(running))
      this.#running.add(running)
    }) as Promise<Result>
  }

  /** Waits until nothing is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  async #drain(name: string): Promise<void> {
    const queue = this.#waiting.get(name)!
    await Promise.resolve() // what is asked for in the same breath is done together
    while (queue.length > 0) await this.#runTogether(name, queue.splice(0, MAX_TOGETHER))
    this.#waiting.delete(name)
  }

  async #runTogether(name: string, together: Waiting<State>[]): Promise<void> {
    try {
      const outcomes = await this.#attempt(name, together)
      for (const { settle } of outcomes) settle()
    } catch (error) {
      // Not all could be written together: each by itself, so that one does not undo another.
      if (together.length === 1) together[0].reject(error)
      else for (const waiting of together) await this.#runTogether(name, [waiting])
    }
  }

  async #attempt(name: string, together: Waiting<State>[]): Promise<Outcome[]> {
    const state = this.#load(name)
    const computed: (() => Outcome)[] = []
    for (const waiting of together) {
      await this.#turn.giveWay()
      computed.push(await compute(state, waiting))
    }
    const outcomes: Outcome[] = []
    this.#write(() => {
      state.commit()
      for (const keep of computed) outcomes.push(keep())
    })
    state.finish()
    return outcomes
  }
}

async function compute<State>(state: State, { begin, resolve, reject }: Waiting<State>): Promise<() => Outcome> {
  try {
    const operation = begin(state)
    const value = await operation.compute()
    return () => {
      const result = operation.keep(value)
      return { settle: () => resolve(result) }
    }
  } catch (error) {
    return () => ({ settle: () => reject(error) })
  }
}
