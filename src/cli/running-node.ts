// A node in the foreground: with its API, its lines on stdout, and one way to leave for signals and `down` alike.
import { join } from 'node:path'
import type { Api, EventLine } from '../api/index.ts'
import type { GroupEventShape } from '../api/group-shapes.ts'
import type { MessageShape } from '../api/message-shapes.ts'
import { type EntryShape, READABLE_TYPES } from '../api/shapes.ts'
import type { Comrade, Meeting, MeetingRequest, Sentence } from '../node/comrade.ts'
import { homeAt } from '../node/home.ts'
import { EXIT } from './exit.ts'
import { groupEventLine } from './group-lines.ts'
import { messageLines } from './message-lines.ts'
import { coloured, dim, type Line, type Output } from './output.ts'
import { entryLines, meetingLine, requestLine } from './paint.ts'

/** A node leaves within 3 s, its API within another; past this the process ends anyhow. */
const LEAVE_TIMEOUT_MS = 8_000

export interface StartOptions {
  /** Port of loopback HTTP, 0 for any free one. @default not served */
  http?: number
  /** Multiaddrs to connect with, and to stay connected with. */
  peer: readonly string[]
  /** Whoever starts it says what to do next. @default false */
  open?: boolean
  /** What is printed is kept by others: nothing of people. @default false */
  unattended?: boolean
}

/** A node with its API and its lines on stdout. */
export class RunningNode {
  readonly #node: Comrade
  readonly #output: Output
  readonly #left = new AbortController()
  readonly #asked = new AbortController()
  #api: Api | undefined
  #leaving: Promise<void> | undefined

  constructor(node: Comrade, output: Output) {
    this.#node = node
    this.#output = output
  }

  /** Starts the node, then its API, and says that it is ready. @throws what either throws */
  async start(socketPath: string, options: StartOptions): Promise<void> {
    const { http, peer, open = false, unattended = false } = options
    const node = this.#node
    const { eventLines, serveApi } = await import('../api/index.ts')
    const lines = eventLines(node, this.#left.signal)
    await node.start()
    this.#api = await serveApi({
      comrade: node,
      socketPath,
      http: {
        port: http,
        tokenPath: join(homeAt(node.home).keys, 'api-token'),
        sessionsPath: join(homeAt(node.home).keys, 'api-sessions'),
        onOpened: (url) => this.#announceUrl(url)
      },
      onDown: () => this.leave()
    })
    this.#announce(this.#api.url)
    if (!open) this.#output.next(`comrade post 'hello'    (in another terminal; ^C here to leave)`)
    void this.#printAll(unattended ? withoutPeople(lines) : lines)
    for (const address of peer) void this.#connect(address)
  }

  /** Waits until a signal comes, or the API was asked to end the node. */
  async until(leaving: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([leaving, this.#asked.signal])
    if (signal.aborted) return
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }

  /** Leaves: the API takes no more questions, then the node stops. Called again, waits for the same. */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave()
    return this.#leaving
  }

  /** Lets answers under way reach who asked. */
  async close(): Promise<void> {
    await this.#api?.close()
  }

  async #leave(): Promise<void> {
    const limit = setTimeout(() => process.exit(EXIT.failed), LEAVE_TIMEOUT_MS)
    this.#asked.abort()
    this.#left.abort()
    this.#api?.retire()
    try {
      await this.#node.stop()
    } finally {
      clearTimeout(limit)
    }
  }

  #announce(url: string | undefined): void {
    const {
      identity: { did, device },
      peerId,
      addresses,
      home
    } = this.#node
    const ready = { event: 'ready', did, device, peerId, addresses, home }
    this.#output.result(ready, () => [
      [coloured('green', 'ready   '), did],
      [dim('home    '), home],
      ...addresses.map((address) => [dim('address '), address])
    ])
    if (url !== undefined) this.#announceUrl(url)
  }

  #announceUrl(url: string): void {
    this.#output.result({ event: 'http', url }, () => [[dim('http    '), `${url}/api/status`]])
  }

  async #printAll(lines: AsyncIterable<EventLine>): Promise<void> {
    for await (const line of lines) this.#print(line)
  }

  #print(line: EventLine): void {
    this.#output.result(line, () => eventText(line))
  }

  async #connect(address: string): Promise<void> {
    try {
      await this.#node.connect(address, { signal: this.#left.signal })
    } catch (error) {
      const message = `no connection to ${address}: ${(error as Error).message}`
      if (!this.#left.signal.aborted) this.#print({ event: 'warning', code: 'UNREACHABLE', message })
    }
  }
}

/** A log outlives what is erased here, and may be read by others: only what is wrong with this node itself is for it. */
async function* withoutPeople(lines: AsyncIterable<EventLine>): AsyncGenerator<EventLine> {
  for await (const { feed: _feed, ...line } of lines) {
    const isAboutSomebody = (line.sentence as Sentence | undefined)?.values?.name !== undefined
    if (line.event === 'warning' && !isAboutSomebody) yield line
  }
}

function eventText(line: EventLine): readonly Line[] {
  switch (line.event) {
    case 'entry':
      return READABLE_TYPES.includes(String(line.type)) ? entryLines(line as unknown as EntryShape) : []
    case 'peer:connect':
      return [[coloured('green', 'connected    '), String(line.did ?? line.peerId)]]
    case 'peer:disconnect':
      return [[dim('disconnected '), String(line.did ?? line.peerId)]]
    case 'request':
      return [requestLine(line as unknown as MeetingRequest)]
    case 'met':
      return [meetingLine(line as unknown as Meeting)]
    case 'group':
      return [groupEventLine(line as unknown as GroupEventShape)]
    case 'message':
      return messageLines(line as unknown as MessageShape)
    case 'warning':
      return [[coloured('yellow', 'warning: '), String(line.message)]]
    case 'sync':
      return [] // for programs: on a terminal the entries themselves are shown
    default:
      return [[dim(JSON.stringify(line))]]
  }
}
