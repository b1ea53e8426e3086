// Asks a running node, over its unix socket. Loads nothing but node:http, so that a command starts fast.
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { NodeError, type NodeErrorCode, type Sentence } from '../node/comrade.ts'

/** How long an answer may take, in ms. */
const ANSWER_TIMEOUT_MS = 30_000

export type Query = Record<string, string | number | boolean | undefined>

export interface AskOptions {
  signal?: AbortSignal
  /** How long the answer may take, in ms. @default 30,000 */
  timeoutMs?: number
}

/** A node's API as the command line sees it. What comes back is trusted: the socket belongs to the same user. */
export interface Client {
  /** Reads. @throws NodeError with the node's code; NOT_RUNNING when nobody listens */
  get<T>(verb: string, query?: Query, options?: AskOptions): Promise<T>
  /** Changes. Fields that are undefined are not sent. */
  post<T>(verb: string, body?: object, options?: AskOptions): Promise<T>
  /** Reads a stream, a value a line, until it ends or the signal fires. */
  lines<T>(verb: string, query?: Query, options?: { signal?: AbortSignal }): AsyncGenerator<T>
}

/** A client of the node whose socket this is. Nothing is connected before the first question. */
export function createClient(socketPath: string): Client {
  const ask = async (method: string, path: string, body: object | undefined, options: AskOptions): Promise<unknown> => {
    const signal = withTimeout(options)
    const response = await send(socketPath, method, path, body, signal)
    return JSON.parse(await readAll(response))
  }
  return {
    get: async <T>(verb: string, query: Query = {}, options: AskOptions = {}) =>
      (await ask('GET', target(verb, query), undefined, options)) as T,
    post: async <T>(verb: string, body: object = {}, options: AskOptions = {}) =>
      (await ask('POST', target(verb, {}), body, options)) as T,
    lines: <T>(verb: string, query: Query = {}, { signal }: { signal?: AbortSignal } = {}) =>
      readLines<T>(socketPath, target(verb, query), signal)
  }
}

function withTimeout({ signal, timeoutMs = ANSWER_TIMEOUT_MS }: AskOptions): AbortSignal {
  const limit = AbortSignal.timeout(timeoutMs)
  return signal === undefined ? limit : AbortSignal.any([signal, limit])
}

function target(verb: string, query: Query): string {
  const fields = Object.entries(query).filter(([, value]) => value !== undefined)
  const search = new URLSearchParams(fields.map(([name, value]) => [name, String(value)])).toString()
  return search === '' ? `/api/${verb}` : `/api/${verb}?${search}`
}

async function* readLines<T>(socketPath: string, path: string, signal: AbortSignal | undefined): AsyncGenerator<T> {
  const response = await send(socketPath, 'GET', path, undefined, signal)
  try {
    for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
      const value: unknown = JSON.parse(line)
      throwIfError(value)
      yield value as T
    }
  } finally {
    response.destroy()
  }
}

/** Sends a question; resolves with the head of an answer that is not an error. */
async function send(
  socketPath: string,
  method: string,
  path: string,
  body: object | undefined,
  signal: AbortSignal | undefined
): Promise<IncomingMessage> {
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const headers =
    payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
  const asked = request({ socketPath, method, path, headers, signal, agent: false })
  const response = await head(asked.end(payload), socketPath)
  if (response.statusCode === 200) return response
  throwIfError(JSON.parse(await readAll(response)))
  throw new NodeError('FAILED', `the node answered with status ${response.statusCode}`)
}

function head(asked: ClientRequest, socketPath: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asked.once('response', resolve)
    asked.once('error', (cause) => reject(connectionError(cause, socketPath)))
  })
}

function connectionError(cause: NodeJS.ErrnoException, socketPath: string): Error {
  if (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED') {
    return new NodeError('NOT_RUNNING', 'no node is running in this home: start one with `comrade up`', { cause })
  }
  if (cause.code === 'ECONNRESET') return new NodeError('NOT_RUNNING', 'the node left before it answered', { cause })
  if (cause.code === 'EACCES') return new NodeError('FAILED', `${socketPath} belongs to another user`, { cause })
  if (cause.name === 'AbortError' && cause.cause instanceof Error && cause.cause.name === 'TimeoutError') {
    return new NodeError('TIMEOUT', 'the node did not answer in time', { cause })
  }
  return cause
}

async function readAll(response: IncomingMessage): Promise<string> {
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of response) text += String(chunk)
  return text
}

function throwIfError(value: unknown): void {
  if (typeof value !== 'object' || value === null || !('error' in value)) return
  const { code, message, sentence } = value.error as { code: NodeErrorCode; message: string; sentence?: Sentence }
  throw new NodeError(code, sentence ?? message)
}
