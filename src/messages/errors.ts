// The errors of this folder: one class, branched on by `code`.

export type MessageErrorCode =
  | 'UNAVAILABLE' // libsignal cannot be loaded here: the node runs without private messages
  | 'NO_SESSION' // nothing to encrypt with: a prekey bundle of that device is needed
  | 'BUNDLE' // not a prekey bundle, or one whose signatures are wrong
  | 'IDENTITY' // the device comes with another libsignal identity than the one it is known by
  | 'DUPLICATE' // was opened before, and is not opened again
  | 'UNREADABLE' // no session and no prekey opens it
  | 'SIZE' // more bytes than there may be
  | 'CONTENT' // not the content of a message
  | 'CELL' // not a cell, or not one for this device
  | 'CLOSED' // the sessions were closed
  | 'FRAME' // not a frame of a mailbox
  | 'FLOOD' // more than there is any use for
  | 'DESCRIPTOR' // not a description of mailboxes

/** Any failure of the messages layer. `message` says what was expected and what was there, and never holds a secret. */
export class MessageError extends Error {
  override name = 'MessageError'
  readonly code: MessageErrorCode

  constructor(code: MessageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
