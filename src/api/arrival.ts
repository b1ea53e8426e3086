// How long a request's body may take to arrive. Node has one limit for all of a server's requests: a file may take longer
// than what one writes, as long as it comes.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { GUARD_HEADERS, isUpload } from './guard.ts'

/** How long a request may take to arrive, in ms. */
export interface RequestTimeouts {
  /** Its head, from the moment the connection is there. */
  headersMs: number
  /** All of it. */
  requestMs: number
  /** The same of a file. Within each `requestMs` of it some of it has to come. */
  uploadMs: number
}

export const REQUEST_TIMEOUTS: RequestTimeouts = { headersMs: 5_000, requestMs: 30_000, uploadMs: 900_000 }

/** What comes of a file within `requestMs`, in bytes: a line that is slower is taken for one that is broken. */
const MIN_SIZE = 32_768

const TOO_SLOW = { code: 'TIMEOUT', message: 'the request did not arrive in time' }

/** Ends a request whose body comes too slowly: with 408 where no answer has begun. */
export function limitArrival(request: IncomingMessage, response: ServerResponse, timeouts: RequestTimeouts): void {
  const endsAt = performance.now() + (isUpload(request) ? timeouts.uploadMs : timeouts.requestMs)
  let seen = request.socket.bytesRead
  const look = (): void => {
    if (request.complete) return
    const { bytesRead } = request.socket
    const isMoving = bytesRead - seen >= MIN_SIZE && performance.now() < endsAt
    seen = bytesRead
    if (isMoving) timer.refresh()
    else end(request, response)
  }
  const timer = setTimeout(look, timeouts.requestMs).unref()
  response.once('close', () => clearTimeout(timer))
}

/** Past the response, as Node does it: who reads the body learns by its end that nothing more comes, and answers nobody. */
function end({ socket }: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent) return void socket.destroy()
  const body = JSON.stringify({ error: TOO_SLOW })
  const headers = {
    ...GUARD_HEADERS,
    'content-type': 'application/json',
    'content-length': body.length,
    connection: 'close'
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`HTTP/1.1 408 Request Timeout\r\n${lines.join('')}\r\n${body}`)
  socket.destroySoon()
}
