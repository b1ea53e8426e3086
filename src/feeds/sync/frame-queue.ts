// Frames on the wire: an unsigned varint with the length, then the bytes. Here are the prefix, the decoder, and the queue
// of what has arrived and was not read yet: the half of a message stream that is the same whatever the bytes come from.
import { FeedError } from '../errors.ts'

/** Largest frame in bytes, without its prefix. Checked before anything is allocated for it. */
export const MAX_FRAME_SIZE = 1_048_576
/** A receiver that has this many bytes unread stops taking more from the network. */
export const HIGH_WATER_BYTES = 1_048_576
/** Below this it goes on. */
export const LOW_WATER_BYTES = 262_144
/** What one queued frame is counted as beside its bytes, so that many tiny frames are bounded too. */
const FRAME_OVERHEAD_BYTES = 96
/** Bytes of a varint that can say {@link MAX_FRAME_SIZE}. */
const MAX_PREFIX_SIZE = 3

/** The prefix of a frame. @throws RangeError when no frame may have this size */
export function framePrefix(size: number): Uint8Array {
  if (!(size >= 1 && size <= MAX_FRAME_SIZE)) {
    throw new RangeError(`a frame has 1 to ${MAX_FRAME_SIZE} bytes, not ${size}`)
  }
  if (size < 0x80) return Uint8Array.of(size)
  if (size < 0x4000) return Uint8Array.of((size & 0x7f) | 0x80, size >>> 7)
  return Uint8Array.of((size & 0x7f) | 0x80, ((size >>> 7) & 0x7f) | 0x80, size >>> 14)
}

/** Finds frames in a sequence of chunks that are cut anywhere. */
export class FrameDecoder {
  #prefix = 0
  #prefixSize = 0
  /** Bytes that the frame at hand still lacks; 0 while its prefix is read. */
  #missing = 0
  #parts: Uint8Array[] = []

  /** Whether bytes of an unfinished frame are held. */
  get isInsideFrame(): boolean {
    return this.#prefixSize > 0 || this.#missing > 0
  }

  /**
   * Takes the next chunk and gives the frames that it completes. A frame that lies within one chunk is a view of it.
   * @throws FeedError FRAME_FORMAT; the decoder is of no use afterwards
   */
  push(chunk: Uint8Array, onFrame: (frame: Uint8Array) => void): void {
    let offset = 0
    while (offset < chunk.length) {
      if (this.#missing === 0) {
        this.#takePrefixByte(chunk[offset++])
        continue
      }
      const end = Math.min(offset + this.#missing, chunk.length)
      const part = chunk.subarray(offset, end)
      this.#missing -= part.length
      offset = end
      if (this.#missing > 0) this.#parts.push(part)
      else onFrame(this.#finish(part))
    }
  }

  #takePrefixByte(byte: number): void {
    this.#prefix |= (byte & 0x7f) << (7 * this.#prefixSize++)
    if (byte >= 0x80) {
      if (this.#prefixSize === MAX_PREFIX_SIZE)
        throw new FeedError('FRAME_FORMAT', `a frame's length has at most ${MAX_PREFIX_SIZE} bytes`)
      return
    }
    if (byte === 0) throw new FeedError('FRAME_FORMAT', "a frame's length is neither 0 nor padded with zeros")
    if (this.#prefix > MAX_FRAME_SIZE) {
      throw new FeedError('FRAME_FORMAT', `a frame has at most ${MAX_FRAME_SIZE} bytes, announced were ${this.#prefix}`)
    }
    this.#missing = this.#prefix
    this.#prefix = 0
    this.#prefixSize = 0
  }

  #finish(last: Uint8Array): Uint8Array {
    if (this.#parts.length === 0) return last
    const frame = Buffer.concat([...this.#parts, last])
    this.#parts = []
    return frame
  }
}

/**
 * Frames that have arrived and were not read yet: the receiving half of a {@link MessageStream}, whatever the bytes come
 * from. `onFull` and `onRoom` tell the source when to pause and when to go on.
 */
export class FrameQueue {
  #frames: Uint8Array[] = []
  #next = 0
  #queuedBytes = 0
  #isFull = false
  #isEnded = false
  #error: Error | undefined
  #wake: (() => void) | undefined
  readonly #decoder = new FrameDecoder()
  readonly #source: { onFull(): void; onRoom(): void }
  bytesReceived = 0

  constructor(source: { onFull(): void; onRoom(): void }) {
    this.#source = source
  }

  get isFull(): boolean {
    return this.#isFull
  }

  /** Whether bytes of an unfinished frame are held. */
  get isInsideFrame(): boolean {
    return this.#decoder.isInsideFrame
  }

  /** @throws FeedError FRAME_FORMAT, which the reader gets too after the frames before it */
  push(chunk: Uint8Array): void {
    if (this.#isEnded || this.#error !== undefined) return
    this.bytesReceived += chunk.length
    try {
      this.#decoder.push(chunk, (frame) => this.#add(frame))
    } catch (error) {
      this.fail(error as FeedError)
      throw error
    }
    this.#wake?.()
    if (!this.#isFull && this.#queuedBytes > HIGH_WATER_BYTES) {
      this.#isFull = true
      this.#source.onFull()
    }
  }

  /** No more will come. Ending inside a frame is a failure. */
  end(): void {
    if (this.#decoder.isInsideFrame) this.fail(new FeedError('FRAME_FORMAT', 'the stream ended inside a frame'))
    this.#isEnded = true
    this.#wake?.()
  }

  /** The reader gets what is queued, then this error. Only the first one counts. */
  fail(error: Error): void {
    if (!this.#isEnded) this.#error ??= error
    this.#wake?.()
  }

  /** Drops what was not read. */
  clear(): void {
    this.#frames = []
    this.#next = 0
    this.#queuedBytes = 0
  }

  async *read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      while (this.#next < this.#frames.length) yield this.#take()
      if (this.#error !== undefined) throw this.#error
      if (this.#isEnded) return
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  #add(frame: Uint8Array): void {
    this.#frames.push(frame)
    this.#queuedBytes += frame.length + FRAME_OVERHEAD_BYTES
  }

  #take(): Uint8Array {
    const frame = this.#frames[this.#next++]
    this.#queuedBytes -= frame.length + FRAME_OVERHEAD_BYTES
    if (this.#next === this.#frames.length) {
      this.#frames = []
      this.#next = 0
    }
    if (this.#isFull && this.#queuedBytes < LOW_WATER_BYTES) {
      this.#isFull = false
      this.#source.onRoom()
    }
    return frame
  }
}
