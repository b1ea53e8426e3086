// Makes an empty home a new device of an identity whose recovery phrase is known. Its log was signed elsewhere: nothing is
// signed here before somebody who keeps the log has given it back.
import { formatDid, rootSeedFromPhrase } from '../trust/index.ts'
import { NodeError } from './comrade.ts'
import { asNodeError } from './contacts.ts'
import { findHome, openHome } from './home.ts'
import { createKeys, hasKeys, isJoining } from './keystore.ts'
import { lockHome } from './lock.ts'

export interface RestoreOptions {
  /** The 24 words. */
  phrase: string
  /** Data directory, in which there is no identity. @default $COMRADE_HOME, else `comrade/` in the XDG data folder */
  home?: string
  /** Protects the keys on the disk. @default none */
  passphrase?: string
  /**
   * Signs at once, as for a new identity. Only where nobody keeps this identity's log: else the log is continued in two
   * places, and no device can ever be added to it again.
   * @default false
   */
  isAlone?: boolean
}

/** Whose device this home is now. */
export interface Restored {
  did: string
  /** `did:key:…` of the new device's feed. */
  device: string
}

/**
 * Restores an identity; afterwards `createNode()` opens the device, and its status says why it does not sign yet.
 * @throws NodeError BAD_INPUT (not a phrase), FAILED (there is an identity in the home), HOME_IN_USE, DISK_FULL
 */
export async function restoreIdentity({
  phrase,
  home,
  passphrase,
  isAlone = false
}: RestoreOptions): Promise<Restored> {
  asNodeError(() => rootSeedFromPhrase(phrase)) // before anything is made
  const { directory, keys: place, lock } = openHome(findHome(home))
  using stack = new DisposableStack()
  stack.use(lockHome(lock))
  if (hasKeys(place) || isJoining(place))
    throw new NodeError('FAILED', `there is an identity in ${directory} already: restore into an empty home`)
  const { keys } = await createKeys(place, { phrase, passphrase, isRestored: !isAlone })
  return { did: formatDid(keys.identity), device: formatDid(keys.device.publicKey) }
}
