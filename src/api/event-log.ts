// What happened last in a node, numbered, so that a browser that was away for a moment goes on where it was. It begins with the
// first reader, and ends a while after the last one has gone: a node that no browser looks at keeps nothing.
import { randomBytes } from 'node:crypto'
import type { Comrade } from '../node/comrade.ts'
import { listen, type NumberedEvent } from './lines.ts'

/** Bounds of what is kept: events, their size as JSON in bytes, and how long after the last reader, in ms. */
const MAX_EVENTS = 1_000
const MAX_BYTES = 4 * 2 ** 20
const IDLE_MS = 300_000

export interface EventLogBounds {
  /** @default 1,000 */
  maxEvents?: number
  /** The newest event is kept whatever its size. @default 4 MiB */
  maxBytes?: number
  /** @default five minutes */
  idleMs?: number
}

export class EventLog {
  readonly #comrade: Comrade
  readonly #closing: AbortSignal
  readonly #bounds: Required<EventLogBounds>
  #listening: AbortController | undefined
  #name = ''
  #kept: string[] = []
  #bytes = 0
  /** Number of the oldest event that is kept. */
  #first = 1
  #readers = 0
  #idle: NodeJS.Timeout | undefined
  readonly #wakes = new Set<() => void>()

  /** @param closing ends it, and all that is read from it */
  constructor(comrade: Comrade, closing: AbortSignal, bounds: EventLogBounds = {}) {
    this.#comrade = comrade
    this.#closing = closing
    this.#bounds = { maxEvents: MAX_EVENTS, maxBytes: MAX_BYTES, idleMs: IDLE_MS, ...bounds }
    closing.addEventListener('abort', () => this.#end(), { once: true })
  }

  /** Whether anything is kept. */
  get isKeeping(): boolean {
    return this.#listening !== undefined
  }

  /**
   * What happens from this call on; with `lastId`, from the event after that one on. The first is `open`. `reset` says that
   * events are missing before the next one, because they are not kept any more or the reader was too slow.
   * @param signal ends it; fires in any case, also when nothing was read
   */
  read(lastId: string | undefined, signal: AbortSignal): AsyncGenerator<NumberedEvent> {
    const over = AbortSignal.any([signal, this.#closing])
    if (!over.aborted) this.#enter(over)
    const from = this.#placeAfter(lastId)
    return this.#follow(from ?? this.#next, lastId !== undefined && from === undefined, over)
  }

  get #next(): number {
    return this.#first + this.#kept.length
  }

  #enter(over: AbortSignal): void {
    this.#readers += 1
    clearTimeout(this.#idle)
    this.#begin()
    over.addEventListener('abort', () => this.#leave(), { once: true })
  }

  #leave(): void {
    this.#readers -= 1
    for (const wake of this.#wakes) wake()
    if (this.#readers > 0 || this.#closing.aborted) return
    this.#idle = setTimeout(() => this.#end(), this.#bounds.idleMs).unref()
  }

  #begin(): void {
    if (this.#listening !== undefined) return
    this.#listening = new AbortController()
    this.#name = randomBytes(4).toString('hex')
    listen(this.#comrade, (line) => this.#push(JSON.stringify(line)), this.#listening.signal)
  }

  #end(): void {
    clearTimeout(this.#idle)
    this.#listening?.abort()
    this.#listening = undefined
    this.#kept = []
    this.#bytes = 0
    this.#first = 1
  }

  #push(data: string): void {
    const { maxEvents, maxBytes } = this.#bounds
    this.#kept.push(data)
    this.#bytes += Buffer.byteLength(data)
    while (this.#kept.length > 1 && (this.#kept.length > maxEvents || this.#bytes > maxBytes)) {
      this.#bytes -= Buffer.byteLength(this.#kept.shift()!)
      this.#first += 1
    }
    for (const wake of this.#wakes) wake()
  }

  /** undefined when it is no id of this log, or what came after it is not kept. */
  #placeAfter(id: string | undefined): number | undefined {
    const [, name, number] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id ?? '') ?? []
    const place = Number(number) + 1
    return name === this.#name && place >= this.#first && place <= this.#next ? place : undefined
  }

  async *#follow(from: number, hasGap: boolean, over: AbortSignal): AsyncGenerator<NumberedEvent> {
    let place = from
    const numbered = (data: string): NumberedEvent => ({ id: `${this.#name}-${place - 1}`, data })
    const reset = JSON.stringify({ event: 'reset' })
    yield numbered(JSON.stringify({ event: 'open', ...this.#comrade.identity }))
    if (hasGap) yield numbered(reset)
    while (!over.aborted) {
      if (place < this.#first) {
        place = this.#next
        yield numbered(reset)
      } else if (place < this.#next) {
        place += 1
        yield numbered(this.#kept[place - 1 - this.#first])
      } else {
        await this.#news()
      }
    }
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wakes.delete(wake)
        resolve()
      }
      this.#wakes.add(wake)
    })
  }
}
