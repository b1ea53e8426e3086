// Runs sessions of one protocol on connections: one stream a pair of peers, opened by the side with the lower peer id,
// opened again when it broke while a connection lives. A direct connection takes it over from a relayed one.
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import { FeedError, type MessageStream } from '../feeds/index.ts'
import { GroupError } from '../groups/index.ts'
import { framedStream } from './frames.ts'

const OPEN_TIMEOUT_MS = 10_000
const FIRST_RETRY_MS = 1_000
/** A peer whose disk was full has room again at some time, and cannot say so: it is tried while connected. */
const LAST_RETRY_MS = 10_000

export interface Session {
  /** Runs until the stream ends. Resolves when the peer closed; rejects with what went wrong. */
  run(): Promise<void>
}

/** What a session is made for. */
export interface SessionPlace {
  peerId: PeerId
  isInitiator: boolean
  /** Whatever differed at the start has been dealt with. */
  onSettled: () => void
  signal: AbortSignal
}

export interface SessionServiceOptions<S extends Session> {
  libp2p: Libp2p
  protocol: string
  makeSession: (stream: MessageStream, place: SessionPlace) => S
  /** Whether there is anything to talk about; asked before this side opens a stream. @default always */
  isNeeded?: () => boolean
  /** Whether this peer may not be served. */
  isBlocked: (peerId: PeerId) => boolean
  onSettled?: (peerId: PeerId, session: S) => void
  onEnded?: (session: S) => void
  /** A peer sent what breaks the protocol or is not valid. */
  onFault: (peerId: PeerId, error: FeedError | GroupError) => void
}

interface Running<S> {
  session: S
  abort: AbortController
  ended: Promise<void>
  connection: Connection
}

export class SessionService<S extends Session> {
  readonly #options: SessionServiceOptions<S>
  readonly #running = new Map<string, Running<S>>()
  readonly #retries = new Map<string, { delayMs: number; timer?: NodeJS.Timeout }>()
  #isStopped = true
  #onOpen = ({ detail }: CustomEvent<Connection>): void => this.#offer(detail)
  #onDisconnect = ({ detail }: CustomEvent<PeerId>): void => {
    clearTimeout(this.#retries.get(detail.toString())?.timer)
    this.#retries.delete(detail.toString())
  }

  constructor(options: SessionServiceOptions<S>) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { libp2p, protocol } = this.#options
    this.#isStopped = false
    await libp2p.handle(protocol, (stream, connection) => this.#accept(stream, connection), {
      maxInboundStreams: 2,
      maxOutboundStreams: 2
    })
    libp2p.addEventListener('connection:open', this.#onOpen)
    libp2p.addEventListener('peer:disconnect', this.#onDisconnect)
    this.look()
  }

  /** Ends all sessions, and waits until they have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true
    const { libp2p, protocol } = this.#options
    libp2p.removeEventListener('connection:open', this.#onOpen)
    libp2p.removeEventListener('peer:disconnect', this.#onDisconnect)
    for (const { timer } of this.#retries.values()) clearTimeout(timer)
    this.#retries.clear()
    const running = [...this.#running.values()]
    this.endAll('the node is stopping')
    await Promise.all(running.map(({ ended }) => ended))
    await libp2p.unhandle(protocol)
  }

  /** The session with a peer, while there is one. */
  sessionOf(peerId: PeerId): S | undefined {
    return this.#running.get(peerId.toString())?.session
  }

  get sessions(): S[] {
    return [...this.#running.values()].map(({ session }) => session)
  }

  /** Ends the session with a peer, as when it was recognised as blocked. */
  end(peerId: PeerId, reason: string): void {
    this.#running.get(peerId.toString())?.abort.abort(new FeedError('ABORTED', reason))
  }

  /** Ends all sessions; others follow where there is a connection. */
  endAll(reason: string): void {
    for (const { abort } of this.#running.values()) abort.abort(new FeedError('ABORTED', reason))
  }

  /** Opens streams with those who are connected and have none: sessions may be needed now. */
  look(): void {
    for (const connection of this.#options.libp2p.getConnections()) this.#offer(connection)
  }

  #offer(connection: Connection): void {
    const { libp2p, isBlocked, isNeeded } = this.#options
    const peer = connection.remotePeer
    const running = this.#running.get(peer.toString())
    const isBetter = running === undefined || (connection.direct && !running.connection.direct)
    if (this.#isStopped || !isBetter || isBlocked(peer) || isNeeded?.() === false) return
    if (Buffer.compare(libp2p.peerId.toMultihash().bytes, peer.toMultihash().bytes) < 0) void this.#open(connection)
  }

  async #open(connection: Connection): Promise<void> {
    try {
      const stream = await connection.newStream(this.#options.protocol, {
        signal: AbortSignal.timeout(OPEN_TIMEOUT_MS)
      })
      this.#run(stream, connection, true)
    } catch {
      this.#retryLater(connection) // it does not speak this protocol (yet), or is about to go
    }
  }

  #accept(stream: Stream, connection: Connection): void {
    const { libp2p, isBlocked, protocol } = this.#options
    const isLower = Buffer.compare(connection.remotePeer.toMultihash().bytes, libp2p.peerId.toMultihash().bytes) < 0
    if (this.#isStopped || !isLower || isBlocked(connection.remotePeer))
      return stream.abort(new Error(`${protocol} is opened by the lower peer id`))
    this.#run(stream, connection, false)
  }

  #run(stream: Stream, connection: Connection, isInitiator: boolean): void {
    const peerId = connection.remotePeer
    const abort = new AbortController()
    const session = this.#options.makeSession(framedStream(stream), {
      peerId,
      isInitiator,
      onSettled: () => {
        this.#retries.delete(peerId.toString())
        this.#options.onSettled?.(peerId, session)
      },
      signal: abort.signal
    })
    const running: Running<S> = { session, abort, connection, ended: Promise.resolve() }
    this.#running.get(peerId.toString())?.abort.abort(new FeedError('ABORTED', 'the session goes on elsewhere'))
    this.#running.set(peerId.toString(), running)
    running.ended = this.#watch(running, isInitiator)
  }

  async #watch(running: Running<S>, isInitiator: boolean): Promise<void> {
    const peerId = running.connection.remotePeer
    try {
      await running.session.run()
    } catch (error) {
      if (isFault(error)) this.#options.onFault(peerId, error)
    }
    if (this.#running.get(peerId.toString()) === running) this.#running.delete(peerId.toString())
    this.#options.onEnded?.(running.session)
    if (isInitiator) this.#retryLater(running.connection)
  }

  #retryLater(connection: Connection): void {
    const name = connection.remotePeer.toString()
    if (this.#isStopped || this.#running.has(name) || this.#connectionWith(connection.remotePeer) === undefined) return
    const delayMs = this.#retries.get(name)?.delayMs ?? FIRST_RETRY_MS
    const timer = setTimeout(() => {
      const current = this.#connectionWith(connection.remotePeer)
      if (current !== undefined) this.#offer(current)
    }, delayMs)
    timer.unref()
    clearTimeout(this.#retries.get(name)?.timer)
    this.#retries.set(name, { delayMs: Math.min(delayMs * 2, LAST_RETRY_MS), timer })
  }

  /** The best open connection: a direct one, if there is one. */
  #connectionWith(peerId: PeerId): Connection | undefined {
    const open = this.#options.libp2p.getConnections(peerId).filter(({ status }) => status === 'open')
    return open.find(({ direct }) => direct) ?? open[0]
  }
}

/** Whether the peer is to blame, rather than this node or the network. */
function isFault(error: unknown): error is FeedError | GroupError {
  if (error instanceof GroupError) return error.code !== 'NOT_READY'
  if (!(error instanceof FeedError)) return false
  return !['ABORTED', 'TIMEOUT', 'STORE_CLOSED', 'STORE_IO', 'DISK_FULL'].includes(error.code)
}
