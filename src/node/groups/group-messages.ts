// The messages of /comrade/group/1, packed by hand: one byte of kind, then fixed fields, big-endian. docs/protocol.md has
// the same for implementers. Decoders take hostile bytes and throw FRAME_FORMAT; what they give are views of the frame.
import { BLINDED_SIZE, FeedError, NONCE_SIZE } from '../../feeds/index.ts'
import { MAX_OPERATION_SIZE } from '../../groups/index.ts'

export const KIND = {
  hello: 0x00,
  /** A reconciliation of the groups that both sides hold. */
  groups: 0x01,
  /** A reconciliation of one group's operations. */
  compare: 0x02,
  operations: 0x03,
  state: 0x04,
  drop: 0x05,
  credit: 0x06
} as const

export const GROUP_VERSION = 1
/** Bytes of operations that a frame aims at. */
export const OPERATIONS_TARGET_SIZE = 65_536
/** More operations than fit into the size that is aimed at: each costs its reader a hash at least. */
export const MAX_OPERATIONS = 1_024
const FINGERPRINT_SIZE = 8
const STATE_SIZE = BLINDED_SIZE + 4 + FINGERPRINT_SIZE

/** How much of a group's log the sender has. */
export interface GroupState {
  /** Blinded, 12 bytes. */
  id: Uint8Array
  size: number
  /** 8 bytes. */
  fingerprint: Uint8Array
}

export function encodeHello(nonce: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(KIND.hello, GROUP_VERSION), nonce])
}

/** @returns the peer's nonce */
export function decodeHello(frame: Uint8Array): Uint8Array {
  if (frame[0] !== KIND.hello) throw bad('the stream begins with a hello')
  if (frame[1] !== GROUP_VERSION) throw bad(`version ${GROUP_VERSION} was expected, found ${frame[1]}`)
  if (frame.length !== 2 + NONCE_SIZE) throw bad(`a hello has ${2 + NONCE_SIZE} bytes, not ${frame.length}`)
  return Uint8Array.from(frame.subarray(2))
}

export function encodeGroups(message: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(KIND.groups), message])
}

export interface Compare {
  id: Uint8Array
  /** Counts the comparisons that the initiator began, from 1 on. */
  round: number
  message: Uint8Array
}

export function encodeCompare({ id, round, message }: Compare): Uint8Array {
  return Buffer.concat([Uint8Array.of(KIND.compare), id, u32(round), message])
}

export function decodeCompare(frame: Uint8Array): Compare {
  const at = 1 + BLINDED_SIZE + 4
  if (frame.length <= at) throw bad('a comparison ends too early')
  return {
    id: frame.subarray(1, 1 + BLINDED_SIZE),
    round: readU32(frame, 1 + BLINDED_SIZE),
    message: frame.subarray(at)
  }
}

/** @param operations 1 to 1,024, each of 1 to 65,536 bytes */
export function encodeOperations(id: Uint8Array, operations: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(KIND.operations),
    id,
    ...operations.flatMap((operation) => [u32(operation.length), operation])
  ])
}

export function decodeOperations(frame: Uint8Array): { id: Uint8Array; operations: Uint8Array[] } {
  const operations: Uint8Array[] = []
  let at = 1 + BLINDED_SIZE
  while (at < frame.length) {
    const size = at + 4 <= frame.length ? readU32(frame, at) : 0
    if (size < 1 || size > MAX_OPERATION_SIZE) throw bad(`an operation has 1 to ${MAX_OPERATION_SIZE} bytes`)
    if (at + 4 + size > frame.length) throw bad('an operation ends too early')
    if (operations.length === MAX_OPERATIONS) throw bad(`more than ${MAX_OPERATIONS} operations`)
    operations.push(frame.subarray(at + 4, at + 4 + size))
    at += 4 + size
  }
  if (operations.length === 0) throw bad('operations without any')
  return { id: frame.subarray(1, 1 + BLINDED_SIZE), operations }
}

export function encodeState({ id, size, fingerprint }: GroupState): Uint8Array {
  return Buffer.concat([Uint8Array.of(KIND.state), id, u32(size), fingerprint])
}

export function decodeState(frame: Uint8Array): GroupState {
  if (frame.length !== 1 + STATE_SIZE) throw bad(`a state has ${STATE_SIZE} bytes, not ${frame.length - 1}`)
  const at = 1 + BLINDED_SIZE
  return { id: frame.subarray(1, at), size: readU32(frame, at), fingerprint: frame.subarray(at + 4) }
}

export function encodeDrop(id: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(KIND.drop), id])
}

/** @returns the blinded id */
export function decodeDrop(frame: Uint8Array): Uint8Array {
  if (frame.length !== 1 + BLINDED_SIZE) throw bad(`a drop has ${BLINDED_SIZE} bytes, not ${frame.length - 1}`)
  return frame.subarray(1)
}

export function encodeCredit(bytes: number): Uint8Array {
  return Buffer.concat([Uint8Array.of(KIND.credit), u32(bytes)])
}

export function decodeCredit(frame: Uint8Array): number {
  if (frame.length !== 5) throw bad(`a credit has 4 bytes, not ${frame.length - 1}`)
  return readU32(frame, 1)
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function readU32(frame: Uint8Array, at: number): number {
  return new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(at)
}

function bad(what: string): FeedError {
  return new FeedError('FRAME_FORMAT', `malformed group frame: ${what}`)
}
