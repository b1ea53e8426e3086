// Notices that the store is an older copy than the keys beside it: a token that is new at every opening of the store is
// kept in both places. (A copy of the whole home has both; that one shows when contacts hold more of our feed than we do.)
import { randomBytes } from 'node:crypto'
import type { FeedStore } from '../feeds/index.ts'
import { EPOCH_SIZE, readEpoch, writeEpoch } from './keystore.ts'

/**
 * Compares the two tokens and renews both. A crash between any two steps leaves a pair that still fits.
 * @param keys directory of the keys
 * @returns whether the store was restored from an older copy, or made anew beside keys that have signed before
 */
export function renewGeneration(store: FeedStore, keys: string): boolean {
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
      if (isRestored) store.setMeta('restored', 1)
    },
    { isDurable: true }
  )
  writeEpoch(keys, next)
  return store.meta('restored') === 1
}

/** The store has caught up with what its owner's contacts hold: it may sign again, also after a restart. */
export function forgetRestored(store: FeedStore): void {
  store.write(() => store.setMeta('restored', 0), { isDurable: true })
}

function isSame(known: unknown, token: Uint8Array | undefined): boolean {
  return known instanceof Uint8Array && token !== undefined && Buffer.compare(known, token) === 0
}
