// Adapts a libp2p stream to the message stream that protocols of this program talk to: length-prefixed frames, read
// backpressure that js-libp2p does not have by itself, and a limit on how long a reader may keep a writer waiting.
import type { Stream } from '@libp2p/interface'
import { pEvent } from 'p-event'
import { Uint8ArrayList } from 'uint8arraylist'
import { FeedError, FrameQueue, framePrefix, type MessageStream } from '../feeds/index.ts'

/** How long `send` waits for a reader that has stopped reading, in ms. */
const SEND_TIMEOUT_MS = 60_000
/** How long `close` waits for what was sent to leave, and then for the peer to close its side, in ms. */
const CLOSE_TIMEOUT_MS = 2_000

export interface FrameOptions {
  /** Time limit of one `send`. @default 60_000 */
  sendTimeoutMs?: number
  /** Time limit of the two steps of `close`. @default 2_000 */
  closeTimeoutMs?: number
}

/**
 * Frames over a libp2p stream. Call it in the same turn in which the stream was handed over. A malformed frame aborts
 * the stream and nothing else.
 */
export function framedStream(stream: Stream, options: FrameOptions = {}): MessageStream {
  return new FramedStream(stream, options)
}

class FramedStream implements MessageStream {
  readonly #stream: Stream
  readonly #sendTimeoutMs: number
  readonly #closeTimeoutMs: number
  readonly #queue: FrameQueue
  bytesSent = 0

  constructor(stream: Stream, { sendTimeoutMs = SEND_TIMEOUT_MS, closeTimeoutMs = CLOSE_TIMEOUT_MS }: FrameOptions) {
    this.#stream = stream
    this.#sendTimeoutMs = sendTimeoutMs
    this.#closeTimeoutMs = closeTimeoutMs
    this.#queue = new FrameQueue({ onFull: () => this.#pauseSoon(), onRoom: () => this.#resume() })
    this.#listen()
  }

  get bytesReceived(): number {
    return this.#queue.bytesReceived
  }

  async send(frame: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const prefix = framePrefix(frame.length)
    if (signal?.aborted) throw aborted(signal)
    this.bytesSent += prefix.length + frame.length
    if (!this.#stream.send(new Uint8ArrayList(prefix, frame))) await this.#drained(signal)
  }

  receive(): AsyncIterable<Uint8Array> {
    return this.#queue.read()
  }

  async close(): Promise<void> {
    try {
      await this.#stream.close({ signal: AbortSignal.timeout(this.#closeTimeoutMs) })
    } catch (error) {
      this.abort(error as Error)
    }
    this.#abortUnlessClosed()
  }

  abort(error: Error): void {
    this.#queue.fail(error)
    this.#stream.abort(error)
  }

  #listen(): void {
    const stream = this.#stream
    stream.addEventListener('message', ({ data }) => this.#take(data))
    stream.addEventListener('end', () => {
      // 'end' comes at a reset too, before the 'close' that says so.
      if (stream.status !== 'reset' && stream.status !== 'aborted') this.#end()
    })
    stream.addEventListener('close', ({ error }) => {
      if (error !== undefined) this.#queue.fail(error)
      // A connection that closed leaves what was read before it, if any; 'end' follows when that has been taken.
      else if (stream.readBufferLength === 0) this.#end()
      else this.#resume()
    })
    // The peer may have closed before this listener was there.
    if (stream.status === 'reset' || stream.status === 'aborted')
      this.#queue.fail(new FeedError('ABORTED', 'the stream was reset'))
    else if (stream.readableEnded || (stream.remoteWriteStatus === 'closed' && stream.readBufferLength === 0))
      this.#end()
  }

  /** A connection that ends inside a frame says nothing about who was at its other end: it may have lost its network. */
  #end(): void {
    if (this.#stream.status === 'closed' && this.#queue.isInsideFrame)
      this.#queue.fail(new FeedError('ABORTED', 'the connection ended inside a frame'))
    else this.#queue.end()
  }

  #take(data: Uint8Array | Uint8ArrayList): void {
    try {
      if (data instanceof Uint8Array) this.#queue.push(data)
      else for (const chunk of data) this.#queue.push(chunk)
    } catch (error) {
      this.#stream.abort(error as FeedError)
    }
  }

  /**
   * Not within the 'message' event: resume() dispatches what was buffered and then goes on as resumed, so a pause from
   * inside would be undone while the stream believes itself paused, and its buffer would overrun.
   */
  #pauseSoon(): void {
    queueMicrotask(() => {
      if (this.#queue.isFull && this.#stream.readStatus === 'readable') this.#stream.pause()
    })
  }

  #resume(): void {
    if (this.#stream.readStatus !== 'paused') return
    try {
      this.#stream.resume()
    } catch (error) {
      this.#queue.fail(error as Error) // the muxer below is gone; the reader is told after what is queued
    }
  }

  /** 'drain' says that some room was made, not that all was taken: without the loop, large frames would pile up. */
  async #drained(signal?: AbortSignal): Promise<void> {
    const timeout = AbortSignal.timeout(this.#sendTimeoutMs)
    const either = signal === undefined ? timeout : AbortSignal.any([timeout, signal])
    try {
      while (this.#stream.writableNeedsDrain) {
        await pEvent(this.#stream, 'drain', { rejectionEvents: ['close'], signal: either })
        await Promise.resolve() // the stream sends the rest of its buffer in a microtask of its own
      }
    } catch (error) {
      if (signal?.aborted) throw aborted(signal)
      if (!timeout.aborted) throw closedWhileSending(error)
      const stalled = new FeedError('TIMEOUT', `the peer took nothing for ${this.#sendTimeoutMs} ms`)
      this.abort(stalled)
      throw stalled
    }
  }

  /** Half of a stream that the peer leaves open would stay for as long as the connection. */
  #abortUnlessClosed(): void {
    if (this.#stream.timeline.close !== undefined) return
    const timer = setTimeout(
      () => this.abort(new FeedError('TIMEOUT', 'the peer did not close its side of the stream')),
      this.#closeTimeoutMs
    )
    timer.unref()
    this.#stream.addEventListener('close', () => clearTimeout(timer), { once: true })
  }
}

function aborted(signal: AbortSignal): FeedError {
  return new FeedError('ABORTED', 'sending was aborted', { cause: signal.reason })
}

/** p-event rejects with the 'close' event itself. */
function closedWhileSending(event: unknown): Error {
  const cause = event instanceof Error ? event : (event as { error?: Error }).error
  return cause ?? new FeedError('ABORTED', 'the stream was closed while a frame was being sent')
}
