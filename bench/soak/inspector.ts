// What a node holds in memory, by the inspector of Node.js: the heap after garbage was collected, how many objects of a
// kind are alive, and snapshots to compare. The process is started with `--inspect=127.0.0.1:0`.
import { createWriteStream } from 'node:fs'
import type { NodeProcess } from '../../test/support/processes.ts'

const LIMIT_MS = 60_000
const MAX_TRIES = 5
const ADDRESS = /Debugger listening on (ws:\S+)/

/** Kinds of objects that can be counted, and an expression for the prototype of each. */
const PROTOTYPES = {
  timers: 'Object.getPrototypeOf(process.getBuiltinModule("node:timers").setTimeout(() => {}, 0).unref())',
  statements: 'process.getBuiltinModule("node:sqlite").StatementSync.prototype',
  signals: 'AbortSignal.prototype',
  promises: 'Promise.prototype',
  maps: 'Map.prototype',
  sets: 'Set.prototype'
}
export type Kind = keyof typeof PROTOTYPES

/** The prototype of a class that extends one of these is found too, and has no size. */
const SUM_OF_SIZES = `(all) => {
  let sum = 0
  for (const each of all) try { sum += each.size } catch {}
  return sum
}`

export interface Memory {
  heapUsed: number
  external: number
}

interface Answer {
  id?: number
  method?: string
  params?: { chunk?: string }
  result?: { result?: { value?: unknown; objectId?: string }; objects?: { objectId: string } }
  error?: { message: string }
}

export class Inspector implements Disposable {
  readonly #socket: WebSocket
  readonly #pending = new Map<number, PromiseWithResolvers<Answer['result']>>()
  #nextId = 1
  #onChunk: (chunk: string) => void = () => {}

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data)) as Answer))
    socket.addEventListener('close', () => {
      for (const { reject } of this.#pending.values()) reject(new Error('the process has ended'))
      this.#pending.clear()
    })
  }

  static async open({ stderr }: NodeProcess): Promise<Inspector> {
    const url = ADDRESS.exec(stderr)?.[1]
    if (url === undefined) throw new Error('the process was not started with --inspect')
    const socket = new WebSocket(url)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error(`no connection to ${url}`)))
    await promise
    return new Inspector(socket)
  }

  /** After garbage was collected. */
  async memory(): Promise<Memory> {
    await this.#ask('HeapProfiler.collectGarbage')
    const { result } = await this.#evaluate('JSON.stringify(process.memoryUsage())')
    return JSON.parse(String(result!.value)) as Memory
  }

  /** How many objects of a kind are alive. */
  count(kind: Kind): Promise<number> {
    return this.#over(kind, '(all) => all.length')
  }

  /** Entries of all that are alive, in sum. */
  entries(kind: 'maps' | 'sets'): Promise<number> {
    return this.#over(kind, SUM_OF_SIZES)
  }

  /** Writes a snapshot of the heap, as developer tools of browsers open it. */
  async snapshot(path: string): Promise<void> {
    const file = createWriteStream(path)
    this.#onChunk = (chunk) => file.write(chunk)
    await this.#ask('HeapProfiler.takeHeapSnapshot', { reportProgress: false })
    this.#onChunk = () => {}
    await new Promise((resolve) => file.end(resolve))
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }

  /** V8 loses the context of what it was just asked for at times. */
  async #over(kind: Kind, work: string, tries = MAX_TRIES): Promise<number> {
    try {
      return await this.#overOnce(kind, work)
    } catch (error) {
      if (tries === 1) throw error
      return this.#over(kind, work, tries - 1)
    }
  }

  async #overOnce(kind: Kind, work: string): Promise<number> {
    const objectGroup = 'soak'
    const { result } = await this.#evaluate(PROTOTYPES[kind], objectGroup)
    const found = await this.#ask('Runtime.queryObjects', { prototypeObjectId: result!.objectId, objectGroup })
    const world = await this.#evaluate('globalThis', objectGroup)
    const done = await this.#ask('Runtime.callFunctionOn', {
      objectId: world.result!.objectId,
      functionDeclaration: work,
      arguments: [{ objectId: found!.objects!.objectId }],
      returnByValue: true
    })
    await this.#ask('Runtime.releaseObjectGroup', { objectGroup })
    return Number(done!.result!.value)
  }

  async #evaluate(expression: string, objectGroup = ''): Promise<NonNullable<Answer['result']>> {
    return (await this.#ask('Runtime.evaluate', { expression, objectGroup }))!
  }

  async #ask(method: string, params: object = {}): Promise<Answer['result']> {
    const id = this.#nextId++
    const answer = Promise.withResolvers<Answer['result']>()
    this.#pending.set(id, answer)
    this.#socket.send(JSON.stringify({ id, method, params }))
    const timer = setTimeout(() => answer.reject(new Error(`${method} took more than ${LIMIT_MS} ms`)), LIMIT_MS)
    try {
      return await answer.promise
    } finally {
      clearTimeout(timer)
      this.#pending.delete(id)
    }
  }

  #take({ id, method, params, result, error }: Answer): void {
    if (method === 'HeapProfiler.addHeapSnapshotChunk') this.#onChunk(params!.chunk!)
    if (id === undefined) return
    if (error === undefined) this.#pending.get(id)?.resolve(result)
    else this.#pending.get(id)?.reject(new Error(error.message))
  }
}
