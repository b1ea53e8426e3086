// A cell is what travels and what a mailbox keeps: always 2,048 bytes, sealed for one device. Inside is a piece of what a
// session made of one message. Layout: README.md, Cells.
import { MessageError } from './errors.ts'
import { isZeros } from './zeros.ts'

/** On the wire and in stores. */
export const CELL_SIZE = 2_048
/** What sealing adds: a byte for the kind, an X25519 key, a tag. */
export const SEAL_SIZE = 49
/** What is sealed. */
export const CELL_CONTENT_SIZE = CELL_SIZE - SEAL_SIZE
const VERSION = 1
/** Of the random name that the cells of one message share. */
export const TRANSFER_SIZE = 16
const ADDRESS_SIZE = 32
/** version ‖ transfer ‖ sender ‖ index ‖ count ‖ kind ‖ length u16. */
const HEADER_SIZE = 1 + TRANSFER_SIZE + ADDRESS_SIZE + 1 + 1 + 1 + 2
/** Bytes of a message in one cell. */
export const PIECE_SIZE = CELL_CONTENT_SIZE - HEADER_SIZE
/** The first message of a session has about 1,770 bytes more than is in it, any later one about 106: both take as many. */
export const MIN_CELLS = 2
export const MAX_CELLS = 16

/** What a session made of a message: libsignal's kind of message, and its bytes. */
export interface Sealed {
  type: number
  bytes: Uint8Array
}

/** One piece of one message. */
export interface Piece {
  /** 16 random bytes, the same in all cells of a message to one device, also when they are sent again. */
  transfer: Uint8Array
  /** The device that says it sent this: sha256 of its key, 32 bytes. Nobody has checked it. */
  from: Uint8Array
  index: number
  count: number
  /** libsignal's kind of message. */
  type: number
  bytes: Uint8Array
}

/**
 * Cuts what a session made into the contents of cells, all of {@link CELL_CONTENT_SIZE} bytes.
 * @param count how many cells; what does not fill them is zeros
 * @throws MessageError SIZE when it does not fit
 */
export function toCells(
  sealed: Sealed,
  { transfer, from, count }: { transfer: Uint8Array; from: Uint8Array; count: number }
): Uint8Array[] {
  if (sealed.bytes.length > count * PIECE_SIZE || count > MAX_CELLS)
    throw new MessageError('SIZE', `${sealed.bytes.length} bytes do not fit ${Math.min(count, MAX_CELLS)} cells`)
  return Array.from({ length: count }, (_, index) => {
    const bytes = sealed.bytes.subarray(index * PIECE_SIZE, (index + 1) * PIECE_SIZE)
    return encodePiece({ transfer, from, index, count, type: sealed.type, bytes })
  })
}

function encodePiece({ transfer, from, index, count, type, bytes }: Piece): Uint8Array {
  const content = Buffer.alloc(CELL_CONTENT_SIZE)
  content[0] = VERSION
  content.set(transfer, 1)
  content.set(from, 1 + TRANSFER_SIZE)
  content.set([index, count, type], HEADER_SIZE - 5)
  content.writeUInt16BE(bytes.length, HEADER_SIZE - 2)
  content.set(bytes, HEADER_SIZE)
  return content
}

/** Reads what was in a cell. @throws MessageError CELL */
export function readPiece(content: Uint8Array): Piece {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length)
  if (bytes.length !== CELL_CONTENT_SIZE || bytes[0] !== VERSION)
    throw new MessageError('CELL', `a cell holds ${CELL_CONTENT_SIZE} bytes of version ${VERSION}`)
  const [index, count, type] = bytes.subarray(HEADER_SIZE - 5)
  const end = HEADER_SIZE + bytes.readUInt16BE(HEADER_SIZE - 2)
  if (count < MIN_CELLS || count > MAX_CELLS || index >= count || end > bytes.length)
    throw new MessageError('CELL', `cell ${index} of ${count} with ${end - HEADER_SIZE} bytes is none`)
  if (!isZeros(bytes.subarray(end))) throw new MessageError('CELL', 'a cell is filled with zeros')
  const from = HEADER_SIZE - 5 - ADDRESS_SIZE
  return {
    transfer: bytes.subarray(1, from),
    from: bytes.subarray(from, from + ADDRESS_SIZE),
    index,
    count,
    type,
    bytes: bytes.subarray(HEADER_SIZE, end)
  }
}
