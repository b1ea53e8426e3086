// Exit codes: which failure ends the process with which number. Scripts rely on them.

import { errorShape } from '../api/shapes.ts'

/** Done, failed, wrong usage, passphrase needed, no node in this home, home in use, interrupted. */
export const EXIT = { done: 0, failed: 1, usage: 2, locked: 4, notRunning: 69, inUse: 75, interrupted: 130 } as const

const BY_CODE: Readonly<Record<string, number>> = {
  BAD_INPUT: EXIT.usage,
  BAD_ID: EXIT.usage,
  DID: EXIT.usage,
  NAME: EXIT.usage,
  ADDRESS: EXIT.usage,
  LINK: EXIT.usage,
  LOCKED: EXIT.locked,
  NOT_RUNNING: EXIT.notRunning,
  HOME_IN_USE: EXIT.inUse,
  INTERRUPTED: EXIT.interrupted
}

/** Thrown to end with a failure that was already told: `doctor` and its lines. */
export class Failed extends Error {
  override name = 'Failed'
}

/** Thrown when the person has interrupted; nothing is said about it. */
export class Interrupted extends Error {
  override name = 'Interrupted'
  readonly code = 'INTERRUPTED'
}

export function exitCodeOf(error: unknown): number {
  return BY_CODE[errorShape(error).error.code] ?? EXIT.failed
}
