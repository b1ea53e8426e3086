// An HTTP server of the local API: the guard judges each request before anything else sees it, and everything has its limit.
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ListenOptions } from 'node:net'
import { NodeError } from '../node/comrade.ts'
import { limitArrival, type RequestTimeouts } from './arrival.ts'
import { GUARD_HEADERS, refusalOf, sessionOf, type LoopbackPolicy, type Refusal } from './guard.ts'

/** Connections on one listener; more are refused at once. */
const MAX_CONNECTIONS = 256
/** How long answers that are under way may take when the API closes, in ms. */
const CLOSE_TIMEOUT_MS = 1_000

/** A server that does not listen yet. @param policy absent for the unix socket */
export function guardedServer(app: Hono, timeouts: RequestTimeouts, policy?: LoopbackPolicy): Server {
  const answer = getRequestListener(app.fetch, { hostname: 'localhost', overrideGlobalObjects: false })
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    for (const [name, value] of Object.entries(GUARD_HEADERS)) response.setHeader(name, value)
    const refusal = refusalOf(request, policy)
    if (refusal !== undefined) return refuse(response, refusal)
    if (policy !== undefined) endWithSession(response, sessionOf(request, policy))
    limitArrival(request, response, timeouts)
    void answer(request, response)
  }
  const server = createServer(limits(timeouts), handle)
  server.maxConnections = MAX_CONNECTIONS
  // Who asks before sending a large body is answered by the guard, not by an automatic "100 Continue".
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (refusalOf(request, policy) === undefined) response.writeContinue()
    handle(request, response)
  })
  return server
}

/** Node looks for requests that are late every half minute, unless it is told to do so more often. */
function limits({ headersMs, uploadMs }: RequestTimeouts) {
  return { headersTimeout: headersMs, requestTimeout: uploadMs, connectionsCheckingInterval: headersMs / 5 }
}

/** A stream that a session has opened ends with it; an answer that is under way may still arrive. */
function endWithSession(response: ServerResponse, over: AbortSignal | undefined): void {
  if (over === undefined) return
  let limit: NodeJS.Timeout | undefined
  const end = (): void => {
    if (response.headersSent) response.destroy()
    else limit = setTimeout(() => response.destroy(), CLOSE_TIMEOUT_MS).unref()
  }
  over.addEventListener('abort', end, { once: true })
  response.once('close', () => {
    clearTimeout(limit)
    over.removeEventListener('abort', end)
  })
}

/** Answers without reading the body, and closes: what follows on the connection is the body that nobody wants. */
function refuse(response: ServerResponse, { status, code, message }: Refusal): void {
  if (status === 401) response.setHeader('www-authenticate', 'Bearer')
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(JSON.stringify({ error: { code, message } }))
}

/** @throws NodeError FAILED when it cannot listen there */
export async function listening(server: Server, options: ListenOptions): Promise<void> {
  try {
    const listens = once(server, 'listening')
    server.listen(options)
    await listens
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new NodeError(
      'FAILED',
      `cannot serve the API on ${options.path ?? `port ${options.port}`}: ${code ?? String(cause)}${hint(code, options)}`,
      { cause }
    )
  }
}

function hint(code: string | undefined, { path }: ListenOptions): string {
  if (path !== undefined && (code === 'EINVAL' || code === 'ENAMETOOLONG'))
    return ' (a socket path has at most 107 bytes: use a shorter --home)'
  return code === 'EADDRINUSE' ? ' (choose another port, or 0 for any)' : ''
}

/** Waits up to a second for answers under way, then drops what is left. */
export async function drained(server: Server): Promise<void> {
  const deadline = AbortSignal.timeout(CLOSE_TIMEOUT_MS)
  while ((await connectionCount(server)) > 0 && !deadline.aborted)
    await new Promise((resolve) => setTimeout(resolve, 10))
  server.closeAllConnections()
}

function connectionCount(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}
