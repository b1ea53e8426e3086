// Strict DAG-CBOR: bytes to values and back, with nothing that two programs could read differently.
import { CID } from 'multiformats/cid'
import { encode } from './cbor-encode.ts'
import { checkCanonical } from './cbor-scan.ts'
import { FeedError } from './errors.ts'

export { encode } from './cbor-encode.ts'
export { checkCanonical, MAX_DEPTH, MAX_ITEMS } from './cbor-scan.ts'

/**
 * Reads one value. Maps become plain objects whose keys are their own properties, `__proto__` too; links become CIDs;
 * integers beyond ±(2^53 - 1) become bigints. What is returned shares no memory with `bytes`.
 * @throws FeedError CBOR_* when the bytes are not canonical; see checkCanonical
 */
export function decode(bytes: Uint8Array): unknown {
  checkCanonical(bytes)
  return decodeChecked(bytes)
}

/** {@link decode} for bytes that checkCanonical has accepted. */
export function decodeChecked(bytes: Uint8Array): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const value = readValue({ buffer, at: 0 })
  // What is shown must be what was signed, even if the scan or this reader has a fault.
  if (Buffer.compare(encode(value), bytes) !== 0) {
    throw new FeedError('CBOR_NON_MINIMAL', 'not canonical DAG-CBOR: the value read has another encoding')
  }
  return value
}

interface Reader {
  buffer: Buffer
  at: number
}

/**
 * Reads canonical bytes, which spares every check here. Not dag-cbor's own decoder, because that drops a byte order
 * mark from the beginning of a text, so that the text would no longer be the one that was signed.
 */
function readValue(reader: Reader): unknown {
  const head = reader.buffer[reader.at++]
  const info = head & 31
  switch (head >> 5) {
    case 0:
      return readArgument(reader, info)
    case 1:
      return negative(readArgument(reader, info))
    case 2:
      return new Uint8Array(readBytes(reader, info))
    case 3:
      return readText(reader, info)
    case 4:
      return readArray(reader, info)
    case 5:
      return readMap(reader, info)
    case 6:
      return readLink(reader)
    default:
      return info === 22 ? null : info === 21
  }
}

function readArgument(reader: Reader, info: number): number | bigint {
  if (info < 24) return info
  const size = 1 << (info - 24)
  reader.at += size
  if (size < 8) return reader.buffer.readUIntBE(reader.at - size, size)
  const value = reader.buffer.readBigUInt64BE(reader.at - size)
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

function negative(argument: number | bigint): number | bigint {
  return argument < Number.MAX_SAFE_INTEGER ? -1 - Number(argument) : -1n - BigInt(argument)
}

function readBytes(reader: Reader, info: number): Buffer {
  const size = readArgument(reader, info) as number
  reader.at += size
  return reader.buffer.subarray(reader.at - size, reader.at)
}

function readText(reader: Reader, info: number): string {
  const size = readArgument(reader, info) as number
  reader.at += size
  return reader.buffer.toString('utf8', reader.at - size, reader.at)
}

function readArray(reader: Reader, info: number): unknown[] {
  const items: unknown[] = []
  for (let left = readArgument(reader, info) as number; left > 0; left--) items.push(readValue(reader))
  return items
}

function readMap(reader: Reader, info: number): Record<string, unknown> {
  const map: Record<string, unknown> = {}
  for (let left = readArgument(reader, info) as number; left > 0; left--) {
    const key = readValue(reader) as string
    const value = readValue(reader)
    if (key === '__proto__') {
      // An assignment would set the prototype instead.
      Object.defineProperty(map, key, { value, configurable: true, enumerable: true, writable: true })
    } else {
      map[key] = value
    }
  }
  return map
}

function readLink(reader: Reader): CID {
  reader.at++ // the tag's number, 42
  const content = reader.buffer[reader.at++]
  return CID.decode(new Uint8Array(readBytes(reader, content & 31).subarray(1)))
}
