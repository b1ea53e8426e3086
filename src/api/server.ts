// Serves a node's API: on the unix socket always, on loopback HTTP when it is asked for.
import { getRequestListener } from '@hono/node-server'
import { once } from 'node:events'
import { chmod, lstat, unlink } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, ListenOptions } from 'node:net'
import type { Comrade } from '../node/comrade.ts'
import { NodeError } from '../node/comrade.ts'
import { GUARD_HEADERS, refusalOf, type LoopbackPolicy } from './guard.ts'
import { routes, type RouteInit } from './routes.ts'
import { apiToken } from './token.ts'

/** How long a request's head and its whole body may take to arrive, in ms. */
const HEADERS_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 30_000
/** Connections on one listener; more are refused at once. */
const MAX_CONNECTIONS = 256
/** How long answers that are under way may take when the API closes, in ms. */
const CLOSE_TIMEOUT_MS = 1_000

export interface ApiInit {
  comrade: Comrade
  /** Path of the unix socket; its folder is private to the user. */
  socketPath: string
  /** Loopback HTTP too: a port (0: any free one), and the file with the token. @default not served */
  http?: { port: number; tokenPath: string }
  /** Makes the node leave; resolves when it has. Asked for by `POST /api/down`. */
  onDown: () => Promise<void>
}

/** A running API. */
export interface Api {
  /** Base address of loopback HTTP, if it is served. */
  readonly url: string | undefined
  /** Takes no more connections, removes the socket, and ends streams. Answers under way go on. */
  retire(): void
  /** Retires, then waits up to a second for answers under way, then drops what is left. */
  close(): Promise<void>
}

/**
 * Starts to serve. Only for who holds the home's lock: a socket that is in the way is taken for a stale one.
 * @throws NodeError FAILED when the socket's path is taken by something else or too long, or the port is in use
 */
export async function serveApi({ comrade, socketPath, http, onDown }: ApiInit): Promise<Api> {
  const closing = new AbortController()
  const init = { comrade, onDown, closing: closing.signal }
  const servers: Server[] = []
  const api: Api = {
    url: undefined,
    retire() {
      closing.abort()
      for (const server of servers) server.close()
    },
    async close() {
      api.retire()
      await Promise.all(servers.map(drained))
    }
  }
  try {
    servers.push(await listenOnSocket(socketPath, { ...init, isSocket: true }))
    if (http === undefined) return api
    const server = await listenOnLoopback(http, { ...init, isSocket: false })
    servers.push(server)
    return Object.assign(api, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  } catch (error) {
    await api.close()
    throw error
  }
}

async function listenOnSocket(path: string, init: RouteInit): Promise<Server> {
  await removeStale(path)
  const server = guardedServer(init, () => undefined)
  // The mode is right from the moment the socket is there, whatever the user's umask; listen() binds before it returns.
  const umask = process.umask(0o077)
  try {
    await listening(server, { path })
  } finally {
    process.umask(umask)
  }
  await chmod(path, 0o600)
  return server
}

async function listenOnLoopback(
  { port, tokenPath }: { port: number; tokenPath: string },
  init: RouteInit
): Promise<Server> {
  const policy: LoopbackPolicy = { port, token: await apiToken(tokenPath) }
  const server = guardedServer(init, () => policy)
  await listening(server, { port, host: '127.0.0.1' })
  policy.port = (server.address() as AddressInfo).port
  return server
}

/** A server that judges a request's head before anything else sees it. */
function guardedServer(init: RouteInit, policy: () => LoopbackPolicy | undefined): Server {
  const answer = getRequestListener(routes(init).fetch, { hostname: 'localhost', overrideGlobalObjects: false })
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    for (const [name, value] of Object.entries(GUARD_HEADERS)) response.setHeader(name, value)
    const refusal = refusalOf(request, policy())
    if (refusal !== undefined) return refuse(response, refusal)
    void answer(request, response)
  }
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS }, handle)
  server.maxConnections = MAX_CONNECTIONS
  // Who asks before sending a large body is answered by the guard, not by an automatic "100 Continue".
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (refusalOf(request, policy()) === undefined) response.writeContinue()
    handle(request, response)
  })
  return server
}

/** Answers without reading the body, and closes: what follows on the connection is the body that nobody wants. */
function refuse(
  response: ServerResponse,
  { status, code, message }: { status: number; code: string; message: string }
): void {
  if (status === 401) response.setHeader('www-authenticate', 'Bearer')
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(JSON.stringify({ error: { code, message } }))
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) return
  if (!found.isSocket())
    throw new NodeError('FAILED', `${path} is in the way: it should be the API's socket, and is something else`)
  await unlink(path)
}

async function listening(server: Server, options: ListenOptions): Promise<void> {
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

async function drained(server: Server): Promise<void> {
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
