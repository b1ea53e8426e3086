// The door of the messages layer: sessions, contents and cells of private messages. It knows devices' addresses and
// bytes; who is at the other end of a connection is for the node to say.
export { CELL_SIZE, type Piece, readPiece, type Sealed, toCells } from './cell.ts'
export {
  type Content,
  decodeContent,
  encodeContent,
  known,
  type KnownContent,
  MAX_TEXT_SIZE,
  newContent,
  type TextContent
} from './content.ts'
export { MessageError, type MessageErrorCode } from './errors.ts'
export { cellsFor, pad, unpad } from './padding.ts'
export { type Reassembled, Reassembly } from './reassembly.ts'
