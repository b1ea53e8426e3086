// Who is at the other end of what comes.

/** A device that is known, and whose it is. */
export interface KnownDevice {
  device: Uint8Array
  /** Root key. */
  person: Uint8Array
}
