// How long a message is must not tell what it is: what a session encrypts has one of few lengths, and all that is short
// (texts of up to 1,500 bytes, receipts, reactions) the same one.
import { MessageError } from './errors.ts'
import { MAX_CELLS, MIN_CELLS, PIECE_SIZE } from './cell.ts'
import { isZeros } from './zeros.ts'

/** What every short message is padded to, in bytes. With a first message's overhead it fits the fewest cells there are. */
export const SHORT_SIZE = 2_048
/** Before the content: how long it is, u16. */
const LENGTH_SIZE = 2
/** Largest content, encoded, in bytes. */
export const MAX_PLAINTEXT_SIZE = SHORT_SIZE + (MAX_CELLS - MIN_CELLS) * PIECE_SIZE - LENGTH_SIZE

/** Length ‖ content ‖ zeros. @throws MessageError SIZE */
export function pad(content: Uint8Array): Uint8Array {
  if (content.length > MAX_PLAINTEXT_SIZE)
    throw new MessageError('SIZE', `a message has at most ${MAX_PLAINTEXT_SIZE} bytes, this one ${content.length}`)
  const more = Math.max(0, LENGTH_SIZE + content.length - SHORT_SIZE)
  const padded = new Uint8Array(SHORT_SIZE + Math.ceil(more / PIECE_SIZE) * PIECE_SIZE)
  new DataView(padded.buffer).setUint16(0, content.length)
  padded.set(content, LENGTH_SIZE)
  return padded
}

/** In how many cells padded content of this size travels, in a new session as in an old one. */
export function cellsFor(paddedSize: number): number {
  return MIN_CELLS + Math.ceil((paddedSize - SHORT_SIZE) / PIECE_SIZE)
}

/** @throws MessageError CONTENT when it is not padded as {@link pad} does it */
export function unpad(padded: Uint8Array): Uint8Array {
  const isSize = padded.length >= SHORT_SIZE && (padded.length - SHORT_SIZE) % PIECE_SIZE === 0
  const length = isSize ? Buffer.from(padded.buffer, padded.byteOffset, LENGTH_SIZE).readUInt16BE() : 0
  const end = LENGTH_SIZE + length
  if (!isSize || end > padded.length || !isZeros(padded.subarray(end)))
    throw new MessageError('CONTENT', `${padded.length} bytes are not padded content`)
  return padded.subarray(LENGTH_SIZE, end)
}
