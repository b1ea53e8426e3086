// The errors of this folder: one class, branched on by `code`.

export type GroupErrorCode =
  | 'NOT_READY' // ready() was not awaited
  | 'KEY' // not a ring key, or not one of this ring
  | 'RING' // not a ring: size, order, duplicates
  | 'CONTEXT' // not a group, motion, period or slot

/** Any failure of the groups layer. `message` says what was expected and what was there, and never holds a secret. */
export class GroupError extends Error {
  override name = 'GroupError'
  readonly code: GroupErrorCode

  constructor(code: GroupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
