// The errors of this folder: one class, branched on by `code`.

export type GroupErrorCode =
  | 'NOT_READY' // ready() was not awaited
  | 'KEY' // not a ring key, or not one of this ring
  | 'RING' // not a ring: size, order, duplicates
  | 'CONTEXT' // not a group, motion, period or slot
  | 'OPERATION' // not an operation of a known form
  | 'SIZE' // more bytes than an operation may have
  | 'SIGNATURE' // not signed by its author
  | 'CREDENTIAL' // a member key that its identity did not certify
  | 'POSSESSION' // a ring key whose secret was not shown to be known
  | 'GROUP' // belongs to another group
  | 'PROOF' // nameless, and not by one of the motion's ring
  | 'FLOOD' // more than there is any use for

/** Any failure of the groups layer. `message` says what was expected and what was there, and never holds a secret. */
export class GroupError extends Error {
  override name = 'GroupError'
  readonly code: GroupErrorCode

  constructor(code: GroupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
