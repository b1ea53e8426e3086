// What a session sends, so that it goes on reading while it writes: short frames first, in their order, then whatever a
// source has when there is room.
import { FeedError, type MessageStream } from '../../feeds/index.ts'

/** Bytes of short frames that may wait for a peer that reads nothing. */
const MAX_WAITING_BYTES = 4_194_304

export interface OutboxOptions {
  /** The next bulk frame, if there is one. */
  next: () => Uint8Array | undefined
  onError: (error: unknown) => void
}

export class FrameOutbox {
  readonly #stream: MessageStream
  readonly #options: OutboxOptions
  readonly #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #isSending = false
  #isStopped = false

  constructor(stream: MessageStream, options: OutboxOptions) {
    this.#stream = stream
    this.#options = options
  }

  get isIdle(): boolean {
    return !this.#isSending
  }

  push(frame: Uint8Array): void {
    this.#waiting.push(frame)
    this.#waitingBytes += frame.length
    if (this.#waitingBytes > MAX_WAITING_BYTES)
      this.#options.onError(
        new FeedError('TIMEOUT', `the peer takes nothing, and ${this.#waitingBytes} bytes wait for it`)
      )
    this.wake()
  }

  /** The source may have something now. What comes to be there in the same turn goes together. */
  wake(): void {
    if (this.#isSending || this.#isStopped) return
    this.#isSending = true
    this.#send().catch((error: unknown) => this.#options.onError(error))
  }

  stop(): void {
    this.#isStopped = true
    this.#waiting.length = 0
  }

  async #send(): Promise<void> {
    try {
      await Promise.resolve()
      for (let frame = this.#next(); frame !== undefined; frame = this.#next()) await this.#stream.send(frame)
    } finally {
      this.#isSending = false
    }
  }

  #next(): Uint8Array | undefined {
    if (this.#isStopped) return undefined
    const frame = this.#waiting.shift()
    this.#waitingBytes -= frame?.length ?? 0
    return frame ?? this.#options.next()
  }
}
