// Makes and verifies ring signatures in one thread beside the node's. It is started when it is first needed, started
// again when it dies, and ended when nothing was asked for a while. Where no thread can run, the node's own does it.
import { extname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import {
  type Anonymous,
  GroupError,
  type NewStatement,
  type ProofPlace,
  prove,
  provableOf,
  provenStatement,
  ready,
  signedStatementOf,
  verify
} from '../../groups/index.ts'
import { NodeError } from '../comrade.ts'
import type { ProofAnswer, ProofQuestion } from './proof-worker.ts'

/** Beside this file in the sources, in dist/, and in the bundle, where scripts/build.ts puts it among the chunks. */
const PROGRAM = new URL(`./proof-worker${extname(import.meta.url)}`, import.meta.url)
/** How long a thread that nobody asks is kept. */
const IDLE_MS = 60_000
/** After this long without an answer a thread is taken for dead: a ring of 64 takes 50 ms on a quiet machine. */
const ANSWER_TIMEOUT_MS = 30_000
/** So many threads one after the other that died before they answered anything, and no more are started. */
const MAX_STILLBORN = 2

export interface VerifierOptions {
  /** @default 60,000 */
  idleMs?: number
  /** What the thread runs. */
  program?: URL
}

interface Task {
  question: ProofQuestion
  resolve: (answer: ProofAnswer) => void
  reject: (error: Error) => void
}

export class Verifier {
  readonly #idleMs: number
  readonly #program: URL
  /** Asked and not answered; the thread answers them in this order. */
  readonly #tasks: Task[] = []
  #worker: Worker | undefined
  #timer: NodeJS.Timeout | undefined
  #stillborn = 0
  #isComputing = false
  #isClosed = false

  constructor({ idleMs = IDLE_MS, program = PROGRAM }: VerifierOptions = {}) {
    this.#idleMs = idleMs
    this.#program = program
  }

  /** Whether a thread is there, at work or idle. */
  get isRunning(): boolean {
    return this.#worker !== undefined
  }

  /**
   * Whether one of the ring made a nameless operation.
   * @param place what its proof has to be about: `Evaluator.placeFor`
   * @throws NodeError FAILED when it is closed meanwhile
   */
  async verify(operation: Anonymous, place: ProofPlace): Promise<boolean> {
    const answer = await this.#ask({ verify: ownBytes(signedStatementOf(operation, place)) })
    return 'isValid' in answer && answer.isValid
  }

  /**
   * Makes a vouch, ballot or retract, as `makeStatement` does.
   * @returns the operation's bytes
   * @throws GroupError KEY, RING; NodeError FAILED when it is closed meanwhile
   */
  async prove(statement: NewStatement, place: ProofPlace, secret: Uint8Array): Promise<Uint8Array> {
    const provable = provableOf(statement, place, secret)
    const answer = await this.#ask({ prove: ownBytes(provable.input) })
    if ('proof' in answer) return provenStatement(provable, answer.proof)
    throw 'code' in answer ? new GroupError(answer.code, answer.message) : new NodeError('FAILED', 'no proof came')
  }

  /** Ends the thread. What was asked and is not answered fails. */
  async close(): Promise<void> {
    this.#isClosed = true
    const worker = this.#drop()
    for (const { reject } of this.#tasks.splice(0)) reject(closed())
    await worker?.terminate()
  }

  async #ask(question: ProofQuestion): Promise<ProofAnswer> {
    if (this.#isClosed) throw closed()
    const { promise, resolve, reject } = Promise.withResolvers<ProofAnswer>()
    this.#tasks.push({ question, resolve, reject })
    if (this.#worker !== undefined) this.#post(this.#worker, question)
    else this.#work()
    return promise
  }

  /** Starts on all that was asked. */
  #work(): void {
    if (this.#stillborn >= MAX_STILLBORN) {
      if (!this.#isComputing) void this.#compute()
      return
    }
    const worker = (this.#worker = new Worker(this.#program, { name: 'comrade-proofs', execArgv: [] }))
    let hasAnswered = false
    worker.on('message', (answer: ProofAnswer) => {
      if (worker !== this.#worker) return
      hasAnswered = true
      this.#stillborn = 0
      this.#tasks.shift()?.resolve(answer)
      this.#watch(worker)
    })
    worker.on('error', () => {}) // 'exit' follows
    worker.on('exit', () => {
      if (worker !== this.#worker) return
      this.#drop()
      if (!hasAnswered) this.#stillborn++
      if (this.#tasks.length > 0) this.#work()
    })
    for (const { question } of this.#tasks) this.#post(worker, question)
  }

  #post(worker: Worker, question: ProofQuestion): void {
    worker.postMessage(question)
    if (this.#timer === undefined || this.#tasks.length === 1) this.#watch(worker)
  }

  /** Ends a thread that owes an answer for too long, or that nobody asks any more. Only the former keeps a process. */
  #watch(worker: Worker): void {
    const isOwing = this.#tasks.length > 0
    if (isOwing) worker.ref()
    else worker.unref()
    clearTimeout(this.#timer)
    const end = (): void => {
      if (!isOwing) this.#drop()
      void worker.terminate()
    }
    this.#timer = setTimeout(end, isOwing ? ANSWER_TIMEOUT_MS : this.#idleMs).unref()
  }

  #drop(): Worker | undefined {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const worker = this.#worker
    this.#worker = undefined
    return worker
  }

  /** In this thread, with a turn for everybody else after each. */
  async #compute(): Promise<void> {
    this.#isComputing = true
    await ready()
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) {
      const { question, resolve, reject } = task
      try {
        resolve('verify' in question ? { isValid: verify(question.verify) } : { proof: prove(question.prove) })
      } catch (error) {
        reject(error as Error)
      }
      await setImmediate()
    }
    this.#isComputing = false
  }
}

/** Bytes that share their memory with others take all of it along to another thread. */
function ownBytes<Statement extends object>(statement: Statement): Statement {
  const copied = Object.entries(statement).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? new Uint8Array(value) : value
  ])
  return Object.fromEntries(copied) as Statement
}

function closed(): NodeError {
  return new NodeError('FAILED', 'the node is stopping: proofs are neither made nor verified any more')
}
