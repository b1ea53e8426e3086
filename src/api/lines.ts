// Streams of the API: one JSON value a line (NDJSON) or server-sent events, and the node's events as lines.
import type { Comrade } from '../node/comrade.ts'
import { groupEventShape } from './group-shapes.ts'
import { messageShape } from './message-shapes.ts'
import { entryShape, errorShape, requestShape, syncShape, type ErrorShape } from './shapes.ts'

/** Events that are kept for a listener that does not read. Past it the oldest go, and the listener is told how many. */
const MAX_WAITING_EVENTS = 1_000

/** One line of the event stream. */
export type EventLine = { event: string } & Record<string, unknown>

/** A browser that lost an event stream waits this long before it asks again, in ms. */
const RETRY_MS = 1_000

/** One event, as server-sent events number it. */
export interface NumberedEvent {
  /** `<8 hex digits>-<number>`: which log, and its place in it. */
  id: string
  /** JSON: a line of the event stream. */
  data: string
}

/**
 * Streams what `source` yields, a line each. The source's signal fires when the reader is gone. A failure on the way
 * is the last line, as `{"error":{…}}`: the status has been sent long before.
 */
export function ndjson(source: (signal: AbortSignal) => AsyncIterable<unknown>): Response {
  return streamed(source, 'application/x-ndjson', (value) => JSON.stringify(value) + '\n')
}

/**
 * The same as server-sent events, which a browser's EventSource reads and asks for again when the connection breaks.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function serverSentEvents(source: (signal: AbortSignal) => AsyncIterable<NumberedEvent>): Response {
  let begin = `retry: ${RETRY_MS}\n`
  return streamed(source, 'text/event-stream', (value) => {
    const text =
      'id' in value ? `${begin}id: ${value.id}\ndata: ${value.data}\n\n` : `data: ${JSON.stringify(value)}\n\n`
    begin = ''
    return text
  })
}

function streamed<T>(
  source: (signal: AbortSignal) => AsyncIterable<T>,
  type: string,
  write: (value: T | ErrorShape) => string
): Response {
  const gone = new AbortController()
  const iterator = source(gone.signal)[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await iterator.next()
          if (gone.signal.aborted) return
          if (done) controller.close()
          else controller.enqueue(encoder.encode(write(value)))
        } catch (error) {
          if (gone.signal.aborted) return // nobody is left to be told
          controller.enqueue(encoder.encode(write(errorShape(error))))
          controller.close()
        }
      },
      cancel() {
        gone.abort()
      }
    },
    { highWaterMark: 0 }
  )
  return new Response(body, { headers: { 'content-type': type } })
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

/** Tells each event of the node as a line, until the signal fires. */
export function listen(comrade: Comrade, push: (line: EventLine) => void, signal: AbortSignal): void {
  comrade.addEventListener('peer:connect', ({ detail }) => push({ event: 'peer:connect', ...detail }), { signal })
  comrade.addEventListener('peer:disconnect', ({ detail }) => push({ event: 'peer:disconnect', ...detail }), { signal })
  comrade.addEventListener('entry', ({ detail }) => push({ event: 'entry', ...entryShape(detail) }), { signal })
  comrade.addEventListener('request', ({ detail }) => push({ event: 'request', ...requestShape(detail) }), { signal })
  comrade.addEventListener('met', ({ detail }) => push({ event: 'met', ...detail }), { signal })
  comrade.addEventListener('group', ({ detail }) => push({ event: 'group', ...groupEventShape(detail) }), { signal })
  comrade.addEventListener('message', ({ detail }) => push({ event: 'message', ...messageShape(detail) }), { signal })
  comrade.addEventListener('sync', ({ detail }) => push({ event: 'sync', ...syncShape(detail) }), { signal })
  comrade.addEventListener('file', ({ detail }) => push({ event: 'file', ...detail }), { signal })
  comrade.addEventListener('warning', ({ detail }) => push({ event: 'warning', ...detail }), { signal })
}
