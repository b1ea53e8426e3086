// Streams of the API: one JSON value a line (NDJSON), and the node's events as such a stream.
import type { Comrade } from '../node/comrade.ts'
import { groupEventShape } from './group-shapes.ts'
import { messageShape } from './message-shapes.ts'
import { entryShape, errorShape, requestShape } from './shapes.ts'

/** Events that are kept for a listener that does not read. Past it the oldest go, and the listener is told how many. */
const MAX_WAITING_EVENTS = 1_000

/** One line of the event stream. */
export type EventLine = { event: string } & Record<string, unknown>

/**
 * Streams what `source` yields, a line each. The source's signal fires when the reader is gone. A failure on the way
 * is the last line, as `{"error":{…}}`: the status has been sent long before.
 */
export function ndjson(
  source: (signal: AbortSignal) => AsyncIterable<unknown>,
  headers: Record<string, string> = {}
): Response {
  const gone = new AbortController()
  const iterator = source(gone.signal)[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  const line = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value) + '\n')
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await iterator.next()
          if (gone.signal.aborted) return
          if (done) controller.close()
          else controller.enqueue(line(value))
        } catch (error) {
          if (gone.signal.aborted) return // nobody is left to be told
          controller.enqueue(line(errorShape(error)))
          controller.close()
        }
      },
      cancel() {
        gone.abort()
      }
    },
    { highWaterMark: 0 }
  )
  return new Response(body, { headers: { ...headers, 'content-type': 'application/x-ndjson' } })
}

/**
 * The node's events from this call on (not only from the first read), as the lines that `up --json` prints and
 * `/api/events` streams. Ends when the signal fires.
 */
export function eventLines(comrade: Comrade, signal: AbortSignal): AsyncGenerator<EventLine> {
  const queue = new EventQueue()
  listen(comrade, (line) => queue.push(line), signal)
  return queue.drain(signal)
}

/** Lines between the node, which does not wait, and a reader, which may be slow. */
class EventQueue {
  #waiting: EventLine[] = []
  #lost = 0
  #wake = (): void => {}

  push(line: EventLine): void {
    if (this.#waiting.push(line) > MAX_WAITING_EVENTS) {
      this.#waiting.shift()
      this.#lost += 1
    }
    this.#wake()
  }

  async *drain(signal: AbortSignal): AsyncGenerator<EventLine> {
    signal.addEventListener('abort', () => this.#wake(), { once: true })
    while (!signal.aborted) {
      const line = this.#next()
      if (line !== undefined) yield line
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }

  #next(): EventLine | undefined {
    if (this.#lost === 0) return this.#waiting.shift()
    const count = this.#lost
    this.#lost = 0
    return { event: 'lost', count }
  }
}

function listen(comrade: Comrade, push: (line: EventLine) => void, signal: AbortSignal): void {
  comrade.addEventListener('peer:connect', ({ detail }) => push({ event: 'peer:connect', ...detail }), { signal })
  comrade.addEventListener('peer:disconnect', ({ detail }) => push({ event: 'peer:disconnect', ...detail }), { signal })
  comrade.addEventListener('entry', ({ detail }) => push({ event: 'entry', ...entryShape(detail) }), { signal })
  comrade.addEventListener('request', ({ detail }) => push({ event: 'request', ...requestShape(detail) }), { signal })
  comrade.addEventListener('met', ({ detail }) => push({ event: 'met', ...detail }), { signal })
  comrade.addEventListener('group', ({ detail }) => push({ event: 'group', ...groupEventShape(detail) }), { signal })
  comrade.addEventListener('message', ({ detail }) => push({ event: 'message', ...messageShape(detail) }), { signal })
  comrade.addEventListener('warning', ({ detail }) => push({ event: 'warning', ...detail }), { signal })
}
