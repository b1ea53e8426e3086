// The errors of this folder: one class, branched on by `code`.

export type TrustErrorCode =
  | 'DID' // not a did:key of an Ed25519 key
  | 'PHRASE' // not a recovery phrase
  | 'NAME' // not fit to be a petname
  | 'NAME_TAKEN' // another contact has this petname
  | 'WHO_UNKNOWN'
  | 'WHO_AMBIGUOUS' // the message lists the choices
  | 'SELF' // makes no sense with one's own identity
  | 'BLOCKED' // must be unblocked first
  | 'ADDRESS' // not fit to be kept as an address
  | 'LINK' // not an invite, or of another kind, or mangled
  | 'RECORD' // not a directory record, or not one for this key and day

/** Any failure of the trust layer. `message` says what was expected and what was there, and never holds a secret. */
export class TrustError extends Error {
  override name = 'TrustError'
  readonly code: TrustErrorCode

  constructor(code: TrustErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
