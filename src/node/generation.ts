// Notices that the store is an older copy than the keys beside it: a token that is new at every opening of the store is
// kept in both places. (A copy of the whole home has both; that one shows when contacts hold more of our feed than we do.)
import { randomBytes } from 'node:crypto'
import type { FeedStore } from '../feeds/index.ts'
import { EPOCH_SIZE, readEpoch, RESTORED_EPOCH, writeEpoch } from './keystore.ts'

/**
 * Whether the store may lack what was signed before. 'backup': it was restored from an older copy, or made anew beside keys
 * that have signed before. 'phrase': the device is new, but its identity was restored, and has signed its log elsewhere.
 */
export type Restored = 'no' | 'backup' | 'phrase'

const STATES: readonly Restored[] = ['no', 'backup', 'phrase']

/**
 * Compares the two tokens and renews both. A crash between any two steps leaves a pair that still fits.
 * @param keys directory of the keys
 */
export function renewGeneration(store: FeedStore, keys: string): Restored {
  const token = readEpoch(keys)
  const fits = [store.meta('generation'), store.meta('next generation')].some((known) => isSame(known, token))
  const isRestored = token !== undefined && !fits
  if (isRestored) store.renewEpoch()
  const next = randomBytes(EPOCH_SIZE)
  // The store accepts both tokens while the file is being replaced.
  store.write(
    () => {
      if (token !== undefined && !isRestored) store.setMeta('generation', token)
      store.setMeta('next generation', next)
      if (isRestored) store.setMeta('restored', STATES.indexOf(isSame(RESTORED_EPOCH, token) ? 'phrase' : 'backup'))
    },
    { isDurable: true }
  )
  writeEpoch(keys, next)
  return STATES[Number(store.meta('restored') ?? 0)]
}

/** The store has caught up with what its owner's contacts hold: it may sign again, also after a restart. */
export function forgetRestored(store: FeedStore): void {
  store.write(() => store.setMeta('restored', 0), { isDurable: true })
}

function isSame(known: unknown, token: Uint8Array | undefined): boolean {
  return known instanceof Uint8Array && token !== undefined && Buffer.compare(known, token) === 0
}
