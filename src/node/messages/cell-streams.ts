// `/comrade/message/1`: a stream of cells from one device to another, and nothing else. Each side opens its own, when it
// has something to send. Bytes: docs/protocol.md.
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import { FeedError, type MessageStream, Turn } from '../../feeds/index.ts'
import { CELL_SIZE } from '../../messages/index.ts'
import { framedStream } from '../frames.ts'

export const MESSAGE_PROTOCOL = '/comrade/message/1'
const OPEN_TIMEOUT_MS = 10_000
/** Cells of one stream that are dealt with at a time: what belongs together is written together. */
const MAX_UNDER_WAY = 64

export interface CellStreamsOptions {
  libp2p: Libp2p
  /** Whether cells are taken from this peer at all. */
  isWelcome: (peerId: PeerId) => boolean
  /** Takes one cell; never rejects. Called in the order in which they came, and for several at a time. */
  onCell: (peerId: PeerId, cell: Uint8Array) => Promise<void>
  /** A peer sent what is no cell. */
  onFault: (peerId: PeerId, error: Error) => void
  /** Lets others have their turn. @default one of its own */
  turn?: Turn
}

export class CellStreams {
  readonly #options: CellStreamsOptions
  readonly #turn: Turn
  readonly #outbound = new Map<string, Promise<MessageStream>>()
  #stopping = new AbortController()

  constructor(options: CellStreamsOptions) {
    this.#options = options
    this.#turn = options.turn ?? new Turn()
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController()
    await this.#options.libp2p.handle(MESSAGE_PROTOCOL, (stream, connection) => this.#accept(stream, connection), {
      maxInboundStreams: 2,
      maxOutboundStreams: 2,
      runOnLimitedConnection: true
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new FeedError('ABORTED', 'the node is stopping'))
    await this.#options.libp2p.unhandle(MESSAGE_PROTOCOL)
    const streams = [...this.#outbound.values()]
    this.#outbound.clear()
    await Promise.all(streams.map((stream) => stream.then((open) => open.close()).catch(() => {})))
  }

  /**
   * Sends cells to a connected peer. That they left does not mean that they came.
   * @throws whatever ended the stream
   */
  async send(peerId: PeerId, cells: readonly Uint8Array[]): Promise<void> {
    const name = peerId.toString()
    const opening = this.#outbound.get(name) ?? this.#open(peerId)
    this.#outbound.set(name, opening)
    try {
      const stream = await opening
      for (const cell of cells) await stream.send(cell, { signal: this.#stopping.signal })
    } catch (error) {
      if (this.#outbound.get(name) === opening) this.#outbound.delete(name)
      throw error
    }
  }

  /** What is sent to a peer from now on goes over a new stream. */
  forget(peerId: PeerId): void {
    const stream = this.#outbound.get(peerId.toString())
    this.#outbound.delete(peerId.toString())
    stream?.then((open) => open.abort(new FeedError('ABORTED', 'the peer is gone'))).catch(() => {})
  }

  async #open(peerId: PeerId): Promise<MessageStream> {
    const stream = await this.#options.libp2p.dialProtocol(peerId, MESSAGE_PROTOCOL, {
      signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(OPEN_TIMEOUT_MS)]),
      runOnLimitedConnection: true
    })
    const messages = framedStream(stream)
    void this.#watch(peerId, messages)
    return messages
  }

  /** Nothing comes back on a stream of one's own; that it ended is seen by reading it. */
  async #watch(peerId: PeerId, messages: MessageStream): Promise<void> {
    try {
      for await (const _ of messages.receive()) throw new FeedError('FRAME_FORMAT', 'cells are answered by other cells')
    } catch (error) {
      messages.abort(error as Error)
    }
    const current = this.#outbound.get(peerId.toString())
    if ((await current?.catch(() => {})) === messages) this.#outbound.delete(peerId.toString())
  }

  async #accept(stream: Stream, { remotePeer }: Connection): Promise<void> {
    if (!this.#options.isWelcome(remotePeer)) return stream.abort(new Error('cells are taken from contacts only'))
    const messages = framedStream(stream)
    const onStop = (): void => messages.abort(this.#stopping.signal.reason as Error)
    this.#stopping.signal.addEventListener('abort', onStop, { once: true })
    const underWay = new Set<Promise<void>>()
    let failure: Error | undefined
    try {
      for await (const frame of messages.receive()) {
        if (frame.length !== CELL_SIZE)
          throw new FeedError('FRAME_FORMAT', `a cell has ${CELL_SIZE} bytes, not ${frame.length}`)
        if (!this.#options.isWelcome(remotePeer)) throw new FeedError('ABORTED', 'this peer is not a contact any more')
        const taking: Promise<void> = this.#options
          .onCell(remotePeer, frame)
          .catch((error: Error) => void (failure ??= error)) // also when nobody waits for it any more
          .finally(() => underWay.delete(taking))
        underWay.add(taking)
        await this.#turn.giveWay()
        if (underWay.size >= MAX_UNDER_WAY) await Promise.race(underWay)
        if (failure !== undefined) throw failure
      }
      await Promise.all(underWay)
      if (failure !== undefined) throw failure
      await messages.close()
    } catch (error) {
      messages.abort(error as Error)
      if (error instanceof FeedError && error.code === 'FRAME_FORMAT') this.#options.onFault(remotePeer, error)
    } finally {
      this.#stopping.signal.removeEventListener('abort', onStop)
    }
  }
}
