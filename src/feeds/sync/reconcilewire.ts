// Bytes of a reconciliation: a reader that trusts nothing, and a writer that cuts its output into messages.
// The format is described at the head of reconcile.ts.
import { FeedError } from '../errors.ts'
import { BLINDED_SIZE } from './blind.ts'
import { FINGERPRINT_SIZE, HEAD_SIZE, MAX_U32, type ReconItem } from './reconcileset.ts'

/** Largest message, in bytes, that is written or accepted. */
export const MAX_MESSAGE_SIZE = 60 * 1024
/** Largest number of items in one LIST. With it, no reply is larger than a message. */
export const MAX_LIST = 2_048
/** Largest number of parts in one SPLIT. */
export const MAX_PARTS = 64

/** First bytes of the replies. EQUAL is 0 to 127: a run of that many ranges, and one. SPLIT carries its parts less one. */
export const OP = { split: 0x80, list: 0xc0, ask: 0xc1, answer: 0xc2 } as const
/** Largest run of ranges in one EQUAL. */
export const MAX_EQUAL_RUN = OP.split

/** What an ANSWER says of each listed item, in two bits. */
export const VERDICT = { same: 0, missing: 1, differs: 2 } as const

const VARINT_SIZE = 5
const STATE_SIZE = VARINT_SIZE + HEAD_SIZE
const ZERO_HEAD = new Uint8Array(HEAD_SIZE)

export interface ItemState {
  height: number
  /** 8 bytes. */
  head: Uint8Array
}

/** The error for anything wrong in a message from outside. */
export function badMessage(what: string): FeedError {
  return new FeedError('FRAME_FORMAT', `reconciliation: ${what}`)
}

export class MessageReader {
  readonly #bytes: Buffer
  #offset = 0

  /** @throws FeedError FRAME_FORMAT when the message is empty or too large */
  constructor(message: Uint8Array) {
    if (message.length === 0 || message.length > MAX_MESSAGE_SIZE) {
      throw badMessage(`a message has 1 to ${MAX_MESSAGE_SIZE} bytes, not ${message.length}`)
    }
    // A copy: what is read outlives this call, and the transport may use its memory again.
    this.#bytes = Buffer.from(message)
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  byte(): number {
    return this.bytes(1)[0]
  }

  bytes(length: number): Buffer {
    const end = this.#offset + length
    if (end > this.#bytes.length)
      throw badMessage(`expected ${length} more bytes, found ${this.#bytes.length - this.#offset}`)
    const bytes = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return bytes
  }

  /** Unsigned LEB128, at most 2^32 - 1, in its shortest form. */
  varint(): number {
    let value = 0
    for (let digit = 0; digit < VARINT_SIZE; digit++) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** (7 * digit)
      if (byte >= 0x80) continue
      if ((byte === 0 && digit > 0) || value > MAX_U32) break
      return value
    }
    throw badMessage('a varint is at most 2^32 - 1 and in its shortest form')
  }

  /** A bound, filled up with zeros to the length of an id. */
  bound(): Uint8Array {
    const length = this.byte()
    if (length < 1 || length > BLINDED_SIZE) throw badMessage(`a bound has 1 to ${BLINDED_SIZE} bytes, not ${length}`)
    const prefix = this.bytes(length)
    if (prefix[length - 1] === 0) throw badMessage('a bound does not end in a zero byte')
    const bound = new Uint8Array(BLINDED_SIZE)
    bound.set(prefix)
    return bound
  }

  fingerprint(): Uint8Array {
    return this.bytes(FINGERPRINT_SIZE)
  }

  state(): ItemState {
    const height = this.varint()
    return { height, head: height === 0 ? ZERO_HEAD : this.bytes(HEAD_SIZE) }
  }
}

/** Writes replies in order. None is spread over two messages. */
export class MessageWriter {
  readonly #done: Uint8Array[] = []
  #message = Buffer.alloc(0)
  #size = 0
  #equalRun = 0

  equal(): void {
    if (++this.#equalRun === MAX_EQUAL_RUN) this.#endRun()
  }

  ask(): void {
    this.#begin(1)
    this.#byte(OP.ask)
  }

  /** Part i ends at bounds[i]; the last one ends where the whole range does. */
  split(bounds: Uint8Array[], parts: { count: number; fingerprint: Uint8Array }[]): void {
    this.#begin(1 + parts.length * (1 + BLINDED_SIZE + VARINT_SIZE + FINGERPRINT_SIZE))
    this.#byte(OP.split + parts.length - 1)
    parts.forEach((part, index) => {
      if (index < bounds.length) {
        this.#byte(bounds[index].length)
        this.#bytes(bounds[index])
      }
      this.#varint(part.count)
      this.#bytes(part.fingerprint)
    })
  }

  list(items: ReconItem[]): void {
    this.#begin(1 + VARINT_SIZE + items.length * (BLINDED_SIZE + STATE_SIZE))
    this.#byte(OP.list)
    this.#varint(items.length)
    for (const item of items) {
      this.#bytes(item.id)
      this.#state(item)
    }
  }

  /** `states` are those of the items whose verdict is "differs"; `extra` counts the own items that were not listed. */
  answer(verdicts: number[], states: ItemState[], extra: number): void {
    const packed = packVerdicts(verdicts)
    this.#begin(1 + packed.length + states.length * STATE_SIZE + VARINT_SIZE)
    this.#byte(OP.answer)
    this.#bytes(packed)
    for (const state of states) this.#state(state)
    this.#varint(extra)
  }

  /** The messages, each at most MAX_MESSAGE_SIZE; none when nothing was written. */
  finish(): Uint8Array[] {
    this.#endRun()
    this.#cut()
    return this.#done
  }

  /** Makes room for a reply of at most `size` bytes. */
  #begin(size: number): void {
    this.#endRun()
    if (this.#size + size > MAX_MESSAGE_SIZE) this.#cut()
    const needed = this.#size + size
    if (needed <= this.#message.length) return
    const grown = Buffer.alloc(Math.min(MAX_MESSAGE_SIZE, 2 * needed))
    grown.set(this.#message.subarray(0, this.#size))
    this.#message = grown
  }

  #endRun(): void {
    const run = this.#equalRun
    if (run === 0) return
    this.#equalRun = 0
    this.#begin(1)
    this.#byte(run - 1)
  }

  #cut(): void {
    if (this.#size > 0) this.#done.push(new Uint8Array(this.#message.subarray(0, this.#size)))
    this.#size = 0
  }

  #byte(value: number): void {
    this.#message[this.#size++] = value
  }

  #bytes(bytes: Uint8Array): void {
    this.#message.set(bytes, this.#size)
    this.#size += bytes.length
  }

  #varint(value: number): void {
    for (; value >= 0x80; value = Math.floor(value / 0x80)) this.#byte((value % 0x80) + 0x80)
    this.#byte(value)
  }

  #state({ height, head }: ItemState): void {
    this.#varint(height)
    if (height > 0) this.#bytes(head)
  }
}

function packVerdicts(verdicts: number[]): Uint8Array {
  const packed = new Uint8Array(Math.ceil(verdicts.length / 4))
  for (let index = 0; index < verdicts.length; index++) packed[index >> 2] |= verdicts[index] << (2 * (index & 3))
  return packed
}
