// The frames of /comrade/mailbox/1. Every one has the same size, whatever it asks or answers, so that who counts bytes on
// the way sees how many there were and nothing else. Layout: README.md, Mailboxes.
import { CELL_SIZE } from './cell.ts'
import { MessageError } from './errors.ts'
import { MAILBOX_KEY_SIZE } from './mailbox-key.ts'

const MAC_SIZE = 32
const NONCE_SIZE = 32
/** kind u8 ‖ id ‖ number u32 ‖ cell ‖ MAC. */
export const MAILBOX_FRAME_SIZE = 1 + MAILBOX_KEY_SIZE + 4 + CELL_SIZE + MAC_SIZE
const NUMBER_AT = 1 + MAILBOX_KEY_SIZE
const CELL_AT = NUMBER_AT + 4
const MAC_AT = CELL_AT + CELL_SIZE

const REQUESTS = ['make', 'put', 'fetch', 'acknowledge', 'end'] as const
const ANSWERS = ['done', 'cell', 'empty', 'no'] as const
/** Kinds of requests begin at 1, of answers here; the greeting has this one. */
const GREETING = 32
const FIRST_ANSWER = 33

export type RequestKind = (typeof REQUESTS)[number]
export type AnswerKind = (typeof ANSWERS)[number]

export interface MailboxRequest {
  kind: RequestKind
  /** Of the queue: that which may write to it in 'put', that which may read it in all others. */
  id: Uint8Array
  /** Of a cell, where the request is about one. @default 0 */
  number?: number
  /** Up to 2,048 bytes; zeros follow. @default none */
  cell?: Uint8Array
}

export interface ReceivedRequest extends Required<MailboxRequest> {
  /** What the MAC is made over, together with the stream's nonce and the request's place in it. */
  body: Uint8Array
  mac: Uint8Array
}

export interface MailboxAnswer {
  kind: AnswerKind
  number?: number
  cell?: Uint8Array
}

/** What a host says first on every stream. */
export interface MailboxGreeting {
  /** Whether it makes queues and takes cells; one that does not any more still gives out what it has. */
  isHosting: boolean
  /** 32 random bytes: no request of another stream counts in this one. */
  nonce: Uint8Array
  /** Its X25519 public key. */
  key: Uint8Array
}

/** A request without its MAC. */
export function requestBody({ kind, id, number = 0, cell = new Uint8Array() }: MailboxRequest): Uint8Array {
  const body = Buffer.alloc(MAC_AT)
  body[0] = REQUESTS.indexOf(kind) + 1
  body.set(id, 1)
  body.writeUInt32BE(number, NUMBER_AT)
  body.set(cell, CELL_AT)
  return body
}

export function encodeRequest(body: Uint8Array, mac: Uint8Array): Uint8Array {
  return Buffer.concat([body, mac])
}

/** @throws MessageError FRAME */
export function decodeRequest(frame: Uint8Array): ReceivedRequest {
  const bytes = checkedFrame(frame)
  const kind = REQUESTS[bytes[0] - 1]
  if (kind === undefined) throw new MessageError('FRAME', `there is no request of the kind ${bytes[0]}`)
  return {
    kind,
    id: bytes.subarray(1, NUMBER_AT),
    number: bytes.readUInt32BE(NUMBER_AT),
    cell: bytes.subarray(CELL_AT, MAC_AT),
    body: bytes.subarray(0, MAC_AT),
    mac: bytes.subarray(MAC_AT)
  }
}

export function encodeAnswer({ kind, number = 0, cell = new Uint8Array() }: MailboxAnswer): Uint8Array {
  const frame = Buffer.alloc(MAILBOX_FRAME_SIZE)
  frame[0] = FIRST_ANSWER + ANSWERS.indexOf(kind)
  frame.writeUInt32BE(number, NUMBER_AT)
  frame.set(cell, CELL_AT)
  return frame
}

/** @throws MessageError FRAME */
export function decodeAnswer(frame: Uint8Array): Required<MailboxAnswer> {
  const bytes = checkedFrame(frame)
  const kind = ANSWERS[bytes[0] - FIRST_ANSWER]
  if (kind === undefined) throw new MessageError('FRAME', `there is no answer of the kind ${bytes[0]}`)
  return {
    kind,
    number: bytes.readUInt32BE(NUMBER_AT),
    cell: Uint8Array.from(bytes.subarray(CELL_AT, MAC_AT))
  }
}

/** kind u8 ‖ whether it hosts u8 ‖ nonce ‖ key ‖ zeros. */
export function encodeGreeting({ isHosting, nonce, key }: MailboxGreeting): Uint8Array {
  const frame = Buffer.alloc(MAILBOX_FRAME_SIZE)
  frame[0] = GREETING
  frame[1] = Number(isHosting)
  frame.set(nonce, 2)
  frame.set(key, 2 + NONCE_SIZE)
  return frame
}

/** @throws MessageError FRAME */
export function decodeGreeting(frame: Uint8Array): MailboxGreeting {
  const bytes = checkedFrame(frame)
  if (bytes[0] !== GREETING || bytes[1] > 1)
    throw new MessageError('FRAME', 'a host of mailboxes begins with a greeting')
  return {
    isHosting: bytes[1] === 1,
    nonce: Uint8Array.from(bytes.subarray(2, 2 + NONCE_SIZE)),
    key: Uint8Array.from(bytes.subarray(2 + NONCE_SIZE, 2 + NONCE_SIZE + MAILBOX_KEY_SIZE))
  }
}

function checkedFrame(frame: Uint8Array): Buffer {
  if (frame.length !== MAILBOX_FRAME_SIZE)
    throw new MessageError('FRAME', `a frame has ${MAILBOX_FRAME_SIZE} bytes, not ${frame.length}`)
  return Buffer.from(frame.buffer, frame.byteOffset, frame.length)
}
