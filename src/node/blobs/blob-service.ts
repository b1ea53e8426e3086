// `/comrade/blob/1`: gives blobs to those who name them and may have them, and asks others for some. Nothing is announced:
// who asks knows the blob's id from a message or a post. Bytes: docs/protocol.md.
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import { BlobCaller, BlobError, type BlobStore, giveBlob } from '../../blobs/index.ts'
import { FeedError, withStream } from '../../feeds/index.ts'
import { framedStream } from '../frames.ts'

export const BLOB_PROTOCOL = '/comrade/blob/1'
const OPEN_TIMEOUT_MS = 10_000
/** A stream on which nothing is asked for so long is ended, in ms. */
const IDLE_MS = 60_000
/** Blobs that one peer may fetch at a time. */
const MAX_INBOUND_STREAMS = 4

export interface BlobServiceOptions {
  libp2p: () => Libp2p
  store: BlobStore
  /** Whether this peer may have a blob; asked again for each chunk. */
  mayHave: (peerId: PeerId, id: Uint8Array) => boolean
  /** A peer sent what no node of this program sends. */
  onFault: (peerId: PeerId, error: Error) => void
  /** What is kept could not be read. */
  onError: (error: unknown) => void
}

export class BlobService {
  readonly #options: BlobServiceOptions
  #stopping = new AbortController()

  constructor(options: BlobServiceOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController()
    await this.#options.libp2p().handle(BLOB_PROTOCOL, (stream, connection) => this.#accept(stream, connection), {
      maxInboundStreams: MAX_INBOUND_STREAMS,
      maxOutboundStreams: 8,
      runOnLimitedConnection: true
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new FeedError('ABORTED', 'the node is stopping'))
    await this.#options.libp2p().unhandle(BLOB_PROTOCOL)
  }

  /** Asks a connected peer on a stream of its own. @throws whatever ended the stream, or `work` */
  async ask<T>(peerId: PeerId, signal: AbortSignal, work: (caller: BlobCaller) => Promise<T>): Promise<T> {
    const limit = AbortSignal.any([this.#stopping.signal, signal])
    const stream = await this.#options.libp2p().dialProtocol(peerId, BLOB_PROTOCOL, {
      signal: AbortSignal.any([limit, AbortSignal.timeout(OPEN_TIMEOUT_MS)]),
      runOnLimitedConnection: true
    })
    return withStream(framedStream(stream), limit, (messages) => work(new BlobCaller(messages)))
  }

  async #accept(stream: Stream, { remotePeer }: Connection): Promise<void> {
    const { store, mayHave } = this.#options
    const idle = new AbortController()
    const timer = setTimeout(() => idle.abort(new FeedError('TIMEOUT', 'nothing was asked')), IDLE_MS).unref()
    try {
      const limit = AbortSignal.any([this.#stopping.signal, idle.signal])
      await withStream(framedStream(stream), limit, (messages) =>
        giveBlob(messages, {
          find: (id) => store.find(id),
          mayHave: (id) => mayHave(remotePeer, id),
          onRequest: () => timer.refresh()
        })
      )
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#failed(remotePeer, error as NodeJS.ErrnoException)
    } finally {
      clearTimeout(timer)
    }
  }

  /** A peer that goes away or waits is not to blame. */
  #failed(peerId: PeerId, error: NodeJS.ErrnoException): void {
    if (isFault(error)) this.#options.onFault(peerId, error)
    else if (error.syscall !== undefined) this.#options.onError(error)
  }
}

/** Whether a peer sent what no node of this program sends. */
export function isFault(error: unknown): boolean {
  if (error instanceof BlobError) return ['FRAME', 'CHUNK', 'MANIFEST'].includes(error.code)
  return error instanceof FeedError && error.code === 'FRAME_FORMAT'
}
