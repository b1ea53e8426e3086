// How an entry's id, 32 bytes, is written outside of feeds: as a CID in bodies, and as that CID's text for people.
import { base32 } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { FeedError } from './errors.ts'

const RAW = 0x55
const SHA256 = 0x12
const ID_SIZE = 32
/** CIDv1, raw codec, sha256 of 32 bytes: what stands before the id in the CID's binary form. */
const PREFIX = Buffer.from([1, RAW, SHA256, ID_SIZE])

/** The link to an entry: CIDv1, raw codec (the hashed bytes are the header), sha256. */
export function entryCid(id: Uint8Array): CID {
  checkIdSize(id)
  return CID.createV1(RAW, createDigest(SHA256, new Uint8Array(id)))
}

/** The id in a link to an entry; undefined when it is a link of another kind. */
export function cidToEntryId(cid: CID): Uint8Array | undefined {
  return fromBinary(cid.bytes)
}

/** Writes an id as its CID in base32, 59 characters from `bafkrei` on. */
export function formatEntryId(id: Uint8Array): string {
  checkIdSize(id)
  return base32.encode(new Uint8Array(Buffer.concat([PREFIX, id])))
}

/**
 * Reads what {@link formatEntryId} wrote, in that one form only.
 * @throws FeedError BAD_ID
 */
export function parseEntryId(text: string): Uint8Array {
  const id = fromText(text)
  if (id === undefined) {
    throw new FeedError(
      'BAD_ID',
      `an entry's id is 59 characters from 'bafkrei' on, found ${JSON.stringify(text.slice(0, 80))}`
    )
  }
  return id
}

function fromText(text: string): Uint8Array | undefined {
  if (!/^bafkrei[a-z2-7]{52}$/.test(text)) return undefined
  try {
    return fromBinary(base32.decode(text))
  } catch {
    return undefined // the last character holds bits beyond the id
  }
}

function fromBinary(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length !== PREFIX.length + ID_SIZE) return undefined
  if (Buffer.compare(bytes.subarray(0, PREFIX.length), PREFIX) !== 0) return undefined
  return bytes.slice(PREFIX.length)
}

function checkIdSize(id: Uint8Array): void {
  if (id.length !== ID_SIZE) throw new FeedError('BAD_ID', `an entry's id has ${ID_SIZE} bytes, not ${id.length}`)
}
