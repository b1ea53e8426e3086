// The errors of this folder: one class, branched on by `code`.

export type BlobErrorCode =
  | 'ID' // not the id of a blob
  | 'SIZE' // smaller or larger than a blob may be
  | 'MANIFEST' // not a manifest, or another blob's
  | 'CHUNK' // not the bytes that the manifest names
  | 'SEALED' // does not open with this key, or is not as long as was said
  | 'NOT_FOUND' // not here, or no more
  | 'FRAME' // not a frame of the protocol
  | 'REFUSED' // the other side does not give it
  | 'CLOSED' // the store was closed, or the blob removed meanwhile

/** Any failure of the blobs layer. `message` says what was expected and what was there. */
export class BlobError extends Error {
  override name = 'BlobError'
  readonly code: BlobErrorCode

  constructor(code: BlobErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
