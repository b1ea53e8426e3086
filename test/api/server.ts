// A real node with its API, asked over loopback HTTP with exactly the heads that a test writes.
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient, type Client } from '../../src/api/client.ts'
import type { RequestTimeouts } from '../../src/api/arrival.ts'
import { serveApi, type Api } from '../../src/api/index.ts'
import type { Comrade } from '../../src/node/comrade.ts'
import { createNode } from '../../src/node/index.ts'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** Asks with exactly these headers; `body` is sent as it is. @returns the answer's head, with its body yet to be read */
export async function asked(options: RequestOptions, body?: string | Buffer): Promise<IncomingMessage> {
  const [response] = (await once(request({ agent: false, ...options }).end(body), 'response')) as [IncomingMessage]
  return response
}

/** Waits until a connection is closed, by whichever side and in whichever way: `once` would fail where it is reset. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

/** As {@link asked}, to the end of the answer. */
export async function ask(options: RequestOptions, body?: string | Buffer): Promise<Answer> {
  const response = await asked(options, body)
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
  return { status: response.statusCode!, headers: response.headers, text }
}

export function codeOf({ text }: Answer): string {
  return (JSON.parse(text) as { error: { code: string } }).error.code
}

export interface Served extends AsyncDisposable {
  node: Comrade
  api: Api
  client: Client
  token(): Promise<string>
}

/** A node in a fresh home, and its API. @param http as {@link serveApi} has it, without the token's path */
export async function served(
  http: { port?: number; onOpened?: (url: string) => void } = {},
  timeouts?: RequestTimeouts,
  onDown: () => Promise<void> = async () => {}
): Promise<Served> {
  const directory = await mkdtemp(join(tmpdir(), 'comrade-api-'))
  const home = join(directory, 'home')
  const node = await createNode({ home, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
  await node.start()
  const socketPath = join(home, 'api.sock')
  const tokenPath = join(home, 'keys', 'api-token')
  const api = await serveApi({
    comrade: node,
    socketPath,
    http: { ...http, tokenPath },
    onDown,
    timeouts
  })
  return {
    node,
    api,
    client: createClient(socketPath),
    token: async () => (await readFile(tokenPath, 'utf8')).trim(),
    async [Symbol.asyncDispose]() {
      await api.close()
      await node.stop()
      await rm(directory, { recursive: true, force: true })
    }
  }
}

/** A browser of which one can say everything that it sends: it keeps its cookies, and names its origin. */
export class Browser {
  readonly base: URL
  readonly cookies = new Map<string, string>()

  constructor(url: string) {
    this.base = new URL(url)
  }

  /** What a page of the node's own sends, but for these headers; undefined takes one away. */
  options(method: string, path: string, headers: Record<string, string | undefined> = {}): RequestOptions {
    const all = {
      host: this.base.host,
      'sec-fetch-site': 'same-origin',
      cookie: [...this.cookies].map((pair) => pair.join('=')).join('; ') || undefined,
      ...(method === 'POST' ? { origin: this.base.origin, 'content-type': 'application/json' } : {}),
      ...headers
    }
    const sent = Object.entries(all).filter(([, value]) => value !== undefined) as [string, string][]
    return { host: '127.0.0.1', port: this.base.port, method, path, headers: Object.fromEntries(sent) }
  }

  async get(path: string, headers?: Record<string, string | undefined>): Promise<Answer> {
    return this.#keep(await ask(this.options('GET', path, headers)))
  }

  async post(path: string, body: object | string = {}, headers?: Record<string, string | undefined>): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return this.#keep(await ask(this.options('POST', path, headers), text))
  }

  #keep(answer: Answer): Answer {
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [name, value] = line.split(';')[0].split('=')
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answer
  }
}
