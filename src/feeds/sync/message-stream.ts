// What a sync protocol talks to: whole frames in order, both ways, with backpressure. The node adapts a libp2p stream to
// it; tests and simulations use the pair in memory.
import { FeedError } from '../errors.ts'
import { FrameQueue, framePrefix } from './frame-queue.ts'

export interface MessageStream {
  /**
   * Sends one frame of 1 to 1,048,576 bytes; resolves when the stream takes more. The bytes must not be
   * changed afterwards: they may not have left yet.
   * @throws FeedError TIMEOUT (the reader stopped reading), ABORTED; whatever closed the stream
   */
  send(frame: Uint8Array, options?: { signal?: AbortSignal }): Promise<void>
  /**
   * Whole frames in order. Ends when the peer closed, throws when the stream was reset or a frame is malformed
   * (FeedError FRAME_FORMAT). One reader at a time; a reader that left may be followed by another. A frame may share
   * memory with its neighbours: copy what is kept for long.
   */
  receive(): AsyncIterable<Uint8Array>
  /** Ends the writing side after what was sent; the stream is gone soon after, at the latest after a time limit. */
  close(): Promise<void>
  /** Ends both sides at once; what is underway is lost. */
  abort(error: Error): void
  /** Bytes of frames with their prefixes. */
  readonly bytesSent: number
  readonly bytesReceived: number
}

export interface PairOptions {
  /** Cuts what is sent into chunks of these sizes (bytes), again and again, as a network might. Default: not cut. */
  chunkSizes?: readonly number[]
}

/** Two ends of one message stream in memory, through the same framing and with the same backpressure as over a network. */
export function messageStreamPair(options: PairOptions = {}): [MessageStream, MessageStream] {
  const alice = new StreamEnd(options)
  const bob = new StreamEnd(options)
  alice.remote = bob
  bob.remote = alice
  return [alice, bob]
}

class StreamEnd implements MessageStream {
  readonly #chunkSizes: readonly number[]
  #nextChunk = 0
  remote!: StreamEnd
  #isClosed = false
  #error: Error | undefined
  #waiting = new Set<() => void>()
  readonly #queue = new FrameQueue({ onFull: () => {}, onRoom: () => this.remote.#wakeAll() })
  bytesSent = 0

  constructor({ chunkSizes = [] }: PairOptions) {
    if (chunkSizes.some((size) => !(size >= 1))) throw new RangeError('a chunk has at least 1 byte')
    this.#chunkSizes = chunkSizes
  }

  get bytesReceived(): number {
    return this.#queue.bytesReceived
  }

  async send(frame: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const bytes = Buffer.concat([framePrefix(frame.length), frame])
    this.#checkWritable(signal)
    this.bytesSent += bytes.length
    for (const chunk of this.#cut(bytes)) this.remote.#queue.push(chunk)
    while (this.remote.#queue.isFull) {
      await this.#room(signal)
      if (this.#error !== undefined || signal?.aborted) this.#checkWritable(signal)
    }
  }

  receive(): AsyncIterable<Uint8Array> {
    return this.#queue.read()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.remote.#queue.end()
  }

  abort(error: Error): void {
    this.#reset(error)
    this.remote.#reset(new FeedError('ABORTED', 'the peer aborted the stream', { cause: error }))
  }

  #reset(error: Error): void {
    this.#error ??= error
    this.#queue.clear()
    this.#queue.fail(error)
    this.#wakeAll()
  }

  #checkWritable(signal?: AbortSignal): void {
    if (this.#error !== undefined) throw this.#error
    if (signal?.aborted) throw new FeedError('ABORTED', 'sending was aborted', { cause: signal.reason })
    if (this.#isClosed) throw new FeedError('ABORTED', 'this end of the stream was closed')
  }

  *#cut(bytes: Uint8Array): Generator<Uint8Array> {
    if (this.#chunkSizes.length === 0) return yield bytes
    for (let start = 0; start < bytes.length;) {
      const size = this.#chunkSizes[this.#nextChunk++ % this.#chunkSizes.length]
      yield bytes.subarray(start, start + size)
      start += size
    }
  }

  async #room(signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    signal?.addEventListener('abort', () => resolve(), { once: true })
    await promise
    this.#waiting.delete(resolve)
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake()
  }
}
