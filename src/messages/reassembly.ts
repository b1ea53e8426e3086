// Puts the pieces of messages together, in whatever order and however often they come. Whoever sends pieces and no whole
// message only pushes out their own.
import { type Piece, type Sealed, PIECE_SIZE } from './cell.ts'

/** Most messages of one sender, and of all, of which some pieces are missing. */
export const MAX_UNFINISHED_PER_SENDER = 8
export const MAX_UNFINISHED = 64
/** Most bytes of all of them. */
export const MAX_UNFINISHED_BYTES = 1_048_576
/** How long the rest of a message is waited for; its sender sends it again. */
export const UNFINISHED_LIMIT_MS = 600_000

interface Unfinished {
  from: string
  count: number
  type: number
  pieces: Map<number, Uint8Array>
  sinceMs: number
}

/** A message whose pieces have all come; nothing says yet that it can be opened. */
export interface Reassembled extends Sealed {
  transfer: Uint8Array
  from: Uint8Array
}

export class Reassembly {
  readonly #now: () => number
  /** By sender and transfer: nobody can complete or spoil the messages of another. Oldest first. */
  readonly #unfinished = new Map<string, Unfinished>()
  #bytes = 0

  constructor({ now = Date.now }: { now?: () => number } = {}) {
    this.#now = now
  }

  /** How many bytes are waiting for the rest of their messages. */
  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#unfinished.size
  }

  /**
   * @param source whoever brought it, as far as that is known: a connected device, or a queue
   * @returns the whole message with its last piece
   */
  add(piece: Piece, source: string): Reassembled | undefined {
    this.#dropOld()
    const name = `${source} ${Buffer.from(piece.from).toString('hex')} ${Buffer.from(piece.transfer).toString('hex')}`
    const message = this.#unfinished.get(name) ?? this.#begin(name, piece, source)
    if (message.count !== piece.count || message.type !== piece.type) return undefined // two that contradict each other
    if (!message.pieces.has(piece.index)) {
      message.pieces.set(piece.index, new Uint8Array(piece.bytes))
      this.#bytes += PIECE_SIZE
    }
    if (message.pieces.size === message.count) return this.#finish(name, message, piece)
    while (this.#bytes > MAX_UNFINISHED_BYTES) this.#drop(this.#oldest()!)
    return undefined
  }

  #begin(name: string, { count, type }: Piece, from: string): Unfinished {
    const own = [...this.#unfinished].filter(([, each]) => each.from === from)
    if (own.length >= MAX_UNFINISHED_PER_SENDER) this.#drop(own[0][0])
    if (this.#unfinished.size >= MAX_UNFINISHED) this.#drop(this.#oldest()!)
    const begun = { from, count, type, pieces: new Map<number, Uint8Array>(), sinceMs: this.#now() }
    this.#unfinished.set(name, begun)
    return begun
  }

  #finish(name: string, { count, type, pieces }: Unfinished, { transfer, from }: Piece): Reassembled {
    const bytes = Buffer.concat(Array.from({ length: count }, (_, index) => pieces.get(index)!))
    this.#drop(name)
    return { type, bytes, transfer: new Uint8Array(transfer), from: new Uint8Array(from) }
  }

  #oldest(): string | undefined {
    return this.#unfinished.keys().next().value
  }

  #drop(name: string): void {
    this.#bytes -= (this.#unfinished.get(name)?.pieces.size ?? 0) * PIECE_SIZE
    this.#unfinished.delete(name)
  }

  #dropOld(): void {
    const now = this.#now()
    for (const [name, { sinceMs }] of this.#unfinished) {
      // A clock that was set back would keep them for ever.
      if (Math.abs(now - sinceMs) > UNFINISHED_LIMIT_MS) this.#drop(name)
    }
  }
}
