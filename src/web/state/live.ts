// The node's events, as long as the page is open: one connection, opened again when it broke.
import { signal } from '@preact/signals'

/**
 * 'live': events come. 'away': the node cannot be reached, it is tried again. 'shut': the node does not let this browser
 * in, or no longer.
 */
export type Connection = 'connecting' | 'live' | 'away' | 'shut'
export const connection = signal<Connection>('connecting')

/** One line of the stream; what it holds depends on `event`. */
export type EventLine = { event: string } & Record<string, unknown>
type Listener = (line: EventLine) => unknown

const FIRST_RETRY_MS = 250
const MAX_RETRY_MS = 4_000
/** Of the last event: what came after it is asked for when the connection broke. */
let lastId = ''
const listeners = new Map<string, Set<Listener>>()

/**
 * Calls `listener` for each event of this kind; 'open' when events begin to come, also after a break, in which some may
 * have been missed. @returns what ends it
 */
export function onEvent(event: string, listener: Listener): () => void {
  const those = listeners.get(event) ?? new Set()
  listeners.set(event, those.add(listener))
  return () => void those.delete(listener)
}

/** Listens for ever, until the node shuts this browser out. */
export async function listenForEvents(): Promise<void> {
  let retryMs = FIRST_RETRY_MS
  while (connection.value !== 'shut') {
    try {
      await readEvents(() => (retryMs = FIRST_RETRY_MS))
    } catch {
      // tried again below, whatever it was
    }
    if (isShut()) return
    connection.value = 'away'
    await new Promise((resolve) => setTimeout(resolve, retryMs))
    retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)
  }
}

function isShut(): boolean {
  return connection.value === 'shut'
}

/** Reads server-sent events. Unlike an EventSource it says why it ended, and tries again sooner than after seconds. */
async function readEvents(onOpen: () => void): Promise<void> {
  const headers = { accept: 'text/event-stream', ...(lastId === '' ? {} : { 'last-event-id': lastId }) }
  const response = await fetch('/api/events', { headers })
  if (response.status === 401) connection.value = 'shut'
  if (!response.ok || response.body === null) return
  onOpen()
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const lines = (rest + value).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  }
}

/** The two kinds of lines that the node sends; what else there may be is for others. */
function take(line: string): void {
  if (line.startsWith('id: ')) lastId = line.slice(4)
  else if (line.startsWith('data: ')) dispatch(JSON.parse(line.slice(6)) as EventLine)
}

function dispatch(line: EventLine): void {
  if (line.event === 'open') connection.value = 'live'
  // What was missed is not known any more: all that is shown is read again, as at the beginning.
  const kind = line.event === 'reset' ? 'open' : line.event
  for (const listener of listeners.get(kind) ?? []) listener(line)
}
