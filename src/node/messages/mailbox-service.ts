// Hosts mailboxes: answers `/comrade/mailbox/1` for whoever asks, and lets go what has waited too long. Nothing about
// queues is logged. Bytes and rules: src/messages/README.md, Mailboxes.
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import { FeedError, withStream } from '../../feeds/index.ts'
import { MailboxHost, type MailboxQueues, MessageError } from '../../messages/index.ts'
import { framedStream } from '../frames.ts'

export const MAILBOX_PROTOCOL = '/comrade/mailbox/1'
/** A stream on which nothing is asked for so long is ended, in ms. */
const IDLE_MS = 60_000
/** Requests of one peer in a minute: a friend whose queues are all full fetches them in one. */
const MAX_REQUESTS_PER_MINUTE = 1_200
const MINUTE_MS = 60_000
const MAX_REMEMBERED_PEERS = 1_024
/** How often it is looked whether a day has passed, in ms. */
const UPKEEP_MS = 600_000

export interface MailboxServiceOptions {
  libp2p: Libp2p
  queues: MailboxQueues
  /** Whether the user lets queues be made and filled here. */
  isHosting: () => boolean
  /** A name of the friend, or of oneself, whose device this peer has proven to be; undefined for others. */
  friendOf: (peerId: PeerId) => string | undefined
  /** A peer sent what no node of this program sends. */
  onFault: (peerId: PeerId, error: Error) => void
  /** What is kept could not be read or written. */
  onError: (error: unknown) => void
  /** @default Date.now */
  now?: () => number
  /** Of one peer. @default 1_200 */
  requestsPerMinute?: number
}

export class MailboxService {
  readonly #options: MailboxServiceOptions
  readonly #now: () => number
  readonly #requestsPerMinute: number
  /** Requests of the present minute, by peer. */
  readonly #asked = new Map<string, number>()
  #minute = 0
  #upkeep: NodeJS.Timeout | undefined
  #stopping = new AbortController()

  constructor(options: MailboxServiceOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#requestsPerMinute = options.requestsPerMinute ?? MAX_REQUESTS_PER_MINUTE
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController()
    await this.#options.libp2p.handle(MAILBOX_PROTOCOL, (stream, connection) => this.#accept(stream, connection), {
      maxInboundStreams: 2,
      maxOutboundStreams: 8,
      runOnLimitedConnection: true
    })
    this.#expire()
    this.#upkeep = setInterval(() => this.#expire(), UPKEEP_MS).unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#upkeep)
    this.#stopping.abort(new FeedError('ABORTED', 'the node is stopping'))
    this.#options.queues.flush()
    await this.#options.libp2p.unhandle(MAILBOX_PROTOCOL)
  }

  async #accept(stream: Stream, { remotePeer }: Connection): Promise<void> {
    const { queues, isHosting, friendOf } = this.#options
    const idle = new AbortController()
    const timer = setTimeout(() => idle.abort(new FeedError('TIMEOUT', 'nothing was asked')), IDLE_MS).unref()
    const host = new MailboxHost({
      queues,
      isHosting: isHosting(),
      friend: friendOf(remotePeer),
      onRequest: () => {
        timer.refresh()
        this.#count(remotePeer.toString())
      }
    })
    try {
      const limit = AbortSignal.any([this.#stopping.signal, idle.signal])
      await withStream(framedStream(stream), limit, (messages) => host.serve(messages))
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#failed(remotePeer, error as Error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** A peer that goes away, waits, or asks too much is not to blame. */
  #failed(peerId: PeerId, error: Error & { code?: string }): void {
    if (error instanceof MessageError && error.code === 'FRAME') this.#options.onFault(peerId, error)
    if (error instanceof FeedError && error.code === 'FRAME_FORMAT') this.#options.onFault(peerId, error)
    if (error instanceof FeedError && ['DISK_FULL', 'STORE_IO'].includes(error.code)) this.#options.onError(error)
  }

  #count(peer: string): void {
    const minute = Math.floor(this.#now() / MINUTE_MS)
    if (minute !== this.#minute || this.#asked.size > MAX_REMEMBERED_PEERS) this.#asked.clear()
    this.#minute = minute
    const count = (this.#asked.get(peer) ?? 0) + 1
    this.#asked.set(peer, count)
    if (count > this.#requestsPerMinute)
      throw new MessageError('FLOOD', `at most ${this.#requestsPerMinute} requests are answered in a minute`)
  }

  #expire(): void {
    try {
      this.#options.queues.expire()
    } catch (error) {
      this.#options.onError(error)
    }
  }
}
