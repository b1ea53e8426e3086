// The errors of this folder: one class, branched on by `code`.

/** Why an entry, run or frame from outside is not valid. These codes are part of the protocol's test vectors. */
export type InvalidCode =
  // header
  | 'HEADER_SIZE'
  | 'FLAGS'
  | 'FEED_KEY'
  | 'SEQ_ZERO'
  | 'PREV_NOT_ZERO'
  | 'BODY_TOO_LARGE'
  // body against header
  | 'BODY_SIZE'
  | 'BODY_HASH'
  // body by itself
  | 'CBOR_TRUNCATED'
  | 'CBOR_TRAILING'
  | 'CBOR_DEPTH'
  | 'CBOR_ITEMS'
  | 'CBOR_INDEFINITE'
  | 'CBOR_NON_MINIMAL'
  | 'CBOR_FLOAT'
  | 'CBOR_SIMPLE'
  | 'CBOR_TAG'
  | 'CBOR_UTF8'
  | 'CBOR_KEY_TYPE'
  | 'CBOR_KEY_ORDER'
  | 'CBOR_DUPLICATE_KEY'
  | 'BODY_NOT_MAP'
  | 'BODY_TYPE'
  | 'BODY_SALT'
  | 'BODY_SCHEMA'
  // chain
  | 'FEED_MISMATCH'
  | 'SEQ_MISMATCH'
  | 'PREV_MISMATCH'
  // signature
  | 'SIGNATURE_SIZE'
  | 'SIGNATURE_MALLEABLE'
  | 'SIGNATURE_SMALL_ORDER'
  | 'SIGNATURE_INVALID'
  // runs, proofs, frames, archives
  | 'RUN_FORMAT'
  | 'FORK_PROOF'
  | 'FRAME_FORMAT'
  | 'ARCHIVE_FORMAT'

/** What this node refuses to do, or cannot do now. */
export type RefusalCode =
  | 'DISK_FULL'
  | 'STORE_CLOSED'
  | 'STORE_NEWER'
  | 'STORE_IO'
  | 'FEED_FROZEN'
  | 'SIGNING_PAUSED'
  | 'NOT_OWN_FEED'
  | 'NOT_FOUND'
  | 'BAD_ID'
  | 'TIMEOUT'
  | 'ABORTED'

export type FeedErrorCode = InvalidCode | RefusalCode

/** Any failure of the feeds layer. `message` says what failed, what was expected and what was there. */
export class FeedError extends Error {
  override name = 'FeedError'
  readonly code: FeedErrorCode

  constructor(code: FeedErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
