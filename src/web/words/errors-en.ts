// What it means that the node refused something or could not do it, and what to do: by code, in English.
import type { ErrorCode } from '../shapes.ts'

/** `OFFLINE`: the node could not be reached at all. */
export type Errors = Readonly<Record<ErrorCode | 'OFFLINE', string>>

export const errorsEn: Errors = {
  OFFLINE: 'Your node does not answer. The page goes on when it is back.',
  BAD_INPUT: 'The node cannot do anything with this. See whether all of it is there, and nothing too long.',
  BAD_ID: 'This address leads to nothing.',
  DID: 'This is not a key, or not all of it. A key begins with did:key:z6Mk.',
  NAME: 'This cannot be a name. Choose another one.',
  ADDRESS: 'This is not an address of a node.',
  LINK: 'This is not the link that belongs here, or not all of it. Copy all of it once more.',
  SELF: 'That makes no sense with yourself.',
  BODY_TOO_LARGE: 'This is too long. Make it shorter.',
  BODY_SCHEMA: 'This cannot be posted as it is. Make it shorter, or leave something out.',
  UNAUTHORIZED: 'This browser is not let in. Run “comrade open” in a terminal on the same machine.',
  FORBIDDEN: 'The node takes this only from its own page. Load the page again.',
  NOT_OWN: 'This is not yours to do here.',
  NOT_OWN_FEED: 'This can be done only on the device that wrote it.',
  NOT_FOUND: 'This is not here any more, or has not come yet.',
  WHO_UNKNOWN: 'Nobody of this name is known. Look under People.',
  WHO_AMBIGUOUS: 'Several have this name. Choose by the key, under People.',
  NAME_TAKEN: 'You call somebody else so. Choose another name.',
  USED: 'This works only once, and was done before.',
  DECLINED: 'The other side does not want this.',
  BLOCKED: 'You have blocked this person. Unblock them first.',
  FEED_FROZEN: 'This device cannot write any more. “Is it working?” says why, and what to do.',
  SIGNING_PAUSED: 'This device does not write at the moment. “Is it working?” says why.',
  EXPIRED: 'This is not good any more. Ask for a new one.',
  LENGTH_REQUIRED: 'The node wants to know first how much there is.',
  TOO_LARGE: 'This is too large.',
  UNSUPPORTED_TYPE: 'The node does not take this kind of data.',
  MISDIRECTED: 'The node does not answer under this address. Open the one that “comrade open” prints.',
  ARCHIVE_FORMAT: 'This file is not an export of Comrade.',
  LOCKED: 'The node’s keys are locked. Start it with the passphrase.',
  BUSY: 'Too much at once. Try again in a minute.',
  FAILED: 'That did not work. Try again; if it stays so, “Is it working?” may say why.',
  UNAVAILABLE: 'There can be no private messages on this machine. “Is it working?” says what to do.',
  UNREACHABLE: 'The other side cannot be reached now. Try again when their node runs.',
  NOT_RUNNING: 'The node is leaving. The page goes on when it is back.',
  STORE_CLOSED: 'The node is leaving. The page goes on when it is back.',
  TIMEOUT: 'There was no answer in time. Try again.',
  DISK_FULL: 'The disk is full, and nothing was written. Make room, and try again.'
}
