// Serves a node's API: on the unix socket always, on loopback HTTP when it is asked for.
import { chmod, lstat, unlink } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { Comrade } from '../node/comrade.ts'
import { NodeError } from '../node/comrade.ts'
import { REQUEST_TIMEOUTS, type RequestTimeouts } from './arrival.ts'
import { EventLog } from './event-log.ts'
import { drained, guardedServer, listening } from './guarded-server.ts'
import { Loopback } from './loopback.ts'
import { routes } from './routes.ts'

export interface ApiInit {
  comrade: Comrade
  /** Path of the unix socket; its folder is private to the user. */
  socketPath: string
  /** Loopback HTTP too. @default never served, not even to browsers that `POST /api/open` would let in */
  http?: {
    /** 0: any free one. @default none, until a browser is to come in */
    port?: number
    /** File with the bearer token; made when it is missing. */
    tokenPath: string
    /** File in which it is kept which browsers were let in; made when it is missing. @default they are not known in the next run */
    sessionsPath?: string
    /** Told the base address when it begins to listen for a browser. */
    onOpened?: (url: string) => void
  }
  /** Makes the node leave; resolves when it has. Asked for by `POST /api/down`. */
  onDown: () => Promise<void>
  /** How long requests may take to arrive. @default 5 s for the head, 30 s for all of it, 15 minutes for a file */
  timeouts?: RequestTimeouts
}

/** A running API. */
export interface Api {
  /** Base address of loopback HTTP, while it is served. */
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
export async function serveApi(init: ApiInit): Promise<Api> {
  const { comrade, socketPath, http, onDown, timeouts = REQUEST_TIMEOUTS } = init
  const closing = new AbortController()
  const needs = { comrade, onDown, closing: closing.signal, log: new EventLog(comrade, closing.signal) }
  const loopback = http && new Loopback({ ...http, timeouts, routes: needs })
  const socket = guardedServer(routes({ ...needs, isSocket: true, browsers: loopback }), timeouts)
  const api: Api = {
    get url() {
      return loopback?.url
    },
    retire() {
      closing.abort()
      socket.close()
      loopback?.retire()
    },
    async close() {
      api.retire()
      await Promise.all([drained(socket), loopback?.close()])
    }
  }
  try {
    await listenOnSocket(socket, socketPath)
    if (http?.port === undefined) await loopback?.resume()
    else await loopback?.listen(http.port)
    return api
  } catch (error) {
    await api.close()
    throw error
  }
}

async function listenOnSocket(server: Server, path: string): Promise<void> {
  await removeStale(path)
  // The mode is right from the moment the socket is there, whatever the user's umask; listen() binds before it returns.
  const umask = process.umask(0o077)
  try {
    await listening(server, { path })
  } finally {
    process.umask(umask)
  }
  await chmod(path, 0o600)
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
