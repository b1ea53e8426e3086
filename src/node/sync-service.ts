// Runs /comrade/sync/1 on every connection: one stream a pair of peers, opened by the side with the lower peer id, opened
// again when it broke while a connection lives. A direct connection takes it over from a relayed one.
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import { FeedClaims, FeedError, type FeedState, type FeedStore, SyncSession } from '../feeds/index.ts'
import { framedStream } from './frames.ts'

export const SYNC_PROTOCOL = '/comrade/sync/1'
const OPEN_TIMEOUT_MS = 10_000
const FIRST_RETRY_MS = 1_000
/** A peer whose disk was full has room again at some time, and cannot say so: it is tried while connected. */
const LAST_RETRY_MS = 10_000

export interface SyncServiceOptions {
  libp2p: Libp2p
  store: FeedStore
  isPacked: boolean
  /** The device at the other end, if it was recognised. */
  deviceOf: (peerId: PeerId) => Uint8Array | undefined
  /** Whether this peer may not be served. */
  isBlocked: (peerId: PeerId) => boolean
  /** A session has compared and fetched everything that differed at its start. */
  onSettled: (peerId: PeerId, session: SyncSession) => void
  /** A peer sent what breaks the protocol or is not valid. */
  onFault: (peerId: PeerId, error: FeedError) => void
}

interface Running {
  session: SyncSession
  abort: AbortController
  ended: Promise<void>
  connection: Connection
}

export class SyncService {
  readonly #options: SyncServiceOptions
  readonly #claims = new FeedClaims()
  readonly #running = new Map<string, Running>()
  readonly #retries = new Map<string, { delayMs: number; timer?: NodeJS.Timeout }>()
  #isStopped = true
  #onOpen = ({ detail }: CustomEvent<Connection>): void => this.#offer(detail)
  #onDisconnect = ({ detail }: CustomEvent<PeerId>): void => {
    clearTimeout(this.#retries.get(detail.toString())?.timer)
    this.#retries.delete(detail.toString())
  }

  constructor(options: SyncServiceOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { libp2p } = this.#options
    this.#isStopped = false
    await libp2p.handle(SYNC_PROTOCOL, (stream, connection) => this.#accept(stream, connection), {
      maxInboundStreams: 2,
      maxOutboundStreams: 2
    })
    libp2p.addEventListener('connection:open', this.#onOpen)
    libp2p.addEventListener('peer:disconnect', this.#onDisconnect)
    for (const connection of libp2p.getConnections()) this.#offer(connection)
  }

  /** Ends all sessions; what they know of their peers is stored. */
  async stop(): Promise<void> {
    this.#isStopped = true
    const { libp2p } = this.#options
    libp2p.removeEventListener('connection:open', this.#onOpen)
    libp2p.removeEventListener('peer:disconnect', this.#onDisconnect)
    for (const { timer } of this.#retries.values()) clearTimeout(timer)
    this.#retries.clear()
    const running = [...this.#running.values()]
    for (const { abort } of running) abort.abort(new FeedError('ABORTED', 'the node is stopping'))
    await Promise.all(running.map(({ ended }) => ended))
    await libp2p.unhandle(SYNC_PROTOCOL)
  }

  /** The session with a peer, while there is one. */
  sessionOf(peerId: PeerId): SyncSession | undefined {
    return this.#running.get(peerId.toString())?.session
  }

  get sessions(): SyncSession[] {
    return [...this.#running.values()].map(({ session }) => session)
  }

  /** Ends the session with a peer, as when it was recognised as blocked. */
  end(peerId: PeerId, reason: string): void {
    this.#running.get(peerId.toString())?.abort.abort(new FeedError('ABORTED', reason))
  }

  /** Fetches what was heard of elsewhere, from this peer or any other that shares the feed. */
  pull(feed: FeedState, height: number, from: PeerId): void {
    const sessions = [this.sessionOf(from), ...this.sessions]
    for (const session of sessions) session?.pull(feed, height)
  }

  #offer(connection: Connection): void {
    const { libp2p, isBlocked } = this.#options
    const peer = connection.remotePeer
    const running = this.#running.get(peer.toString())
    const isBetter = running === undefined || (connection.direct && !running.connection.direct)
    if (this.#isStopped || !isBetter || isBlocked(peer)) return
    if (Buffer.compare(libp2p.peerId.toMultihash().bytes, peer.toMultihash().bytes) < 0) void this.#open(connection)
  }

  async #open(connection: Connection): Promise<void> {
    try {
      const stream = await connection.newStream(SYNC_PROTOCOL, { signal: AbortSignal.timeout(OPEN_TIMEOUT_MS) })
      this.#run(stream, connection, true)
    } catch {
      this.#retryLater(connection) // it does not speak this protocol (yet), or is about to go
    }
  }

  #accept(stream: Stream, connection: Connection): void {
    const { libp2p, isBlocked } = this.#options
    const isLower = Buffer.compare(connection.remotePeer.toMultihash().bytes, libp2p.peerId.toMultihash().bytes) < 0
    if (this.#isStopped || !isLower || isBlocked(connection.remotePeer))
      return stream.abort(new Error('sync is opened by the lower peer id'))
    this.#run(stream, connection, false)
  }

  #run(stream: Stream, connection: Connection, isInitiator: boolean): void {
    const peerId = connection.remotePeer
    const abort = new AbortController()
    const session = new SyncSession(this.#options.store, framedStream(stream), {
      peer: peerId.toString(),
      isInitiator,
      claims: this.#claims,
      isPacked: this.#options.isPacked,
      peerFeed: () => this.#options.deviceOf(peerId),
      onSettled: () => {
        this.#retries.delete(peerId.toString())
        this.#options.onSettled(peerId, session)
      },
      signal: abort.signal
    })
    const running: Running = { session, abort, connection, ended: Promise.resolve() }
    this.#running.get(peerId.toString())?.abort.abort(new FeedError('ABORTED', 'sync goes on elsewhere'))
    this.#running.set(peerId.toString(), running)
    running.ended = this.#watch(running, isInitiator)
  }

  async #watch(running: Running, isInitiator: boolean): Promise<void> {
    const peerId = running.connection.remotePeer
    try {
      await running.session.run()
    } catch (error) {
      if (error instanceof FeedError && isFault(error)) this.#options.onFault(peerId, error)
    }
    if (this.#running.get(peerId.toString()) === running) this.#running.delete(peerId.toString())
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
function isFault(error: FeedError): boolean {
  return !['ABORTED', 'TIMEOUT', 'STORE_CLOSED', 'STORE_IO', 'DISK_FULL'].includes(error.code)
}
