// How a blob's id, the 32-byte sha256 of its manifest, is written outside of this folder: as a CID in bodies and messages,
// and as that CID's text for people.
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { BlobError } from './errors.ts'

export const BLOB_ID_SIZE = 32
const DAG_CBOR = 0x71
const SHA256 = 0x12
/** CIDv1, dag-cbor codec, sha256 of 32 bytes: what stands before the id in the CID's binary form. */
const PREFIX = Buffer.from([1, DAG_CBOR, SHA256, BLOB_ID_SIZE])

/** The link to a blob: CIDv1, dag-cbor codec (the hashed bytes are the manifest), sha256. @throws BlobError ID */
export function blobCid(id: Uint8Array): CID {
  if (id.length !== BLOB_ID_SIZE) throw new BlobError('ID', `a blob's id has ${BLOB_ID_SIZE} bytes, not ${id.length}`)
  return CID.createV1(DAG_CBOR, createDigest(SHA256, new Uint8Array(id)))
}

/** The id in a link to a blob; undefined when it is a link of another kind. */
export function cidToBlobId(cid: CID): Uint8Array | undefined {
  const { bytes } = cid
  const isBlob = bytes.length === PREFIX.length + BLOB_ID_SIZE && PREFIX.equals(bytes.subarray(0, PREFIX.length))
  return isBlob ? bytes.slice(PREFIX.length) : undefined
}

/** Writes an id as its CID in base32, 59 characters from `bafyrei` on. @throws BlobError ID */
export function formatBlobId(id: Uint8Array): string {
  return blobCid(id).toString()
}

/** Reads what {@link formatBlobId} wrote, in that one form only. @throws BlobError ID */
export function parseBlobId(text: string): Uint8Array {
  const id = /^bafyrei[a-z2-7]{52}$/.test(text) ? cidToBlobId(CID.parse(text)) : undefined
  if (id !== undefined && formatBlobId(id) === text) return id
  throw new BlobError(
    'ID',
    `a blob's id is 59 characters from 'bafyrei' on, found ${JSON.stringify(text.slice(0, 80))}`
  )
}
