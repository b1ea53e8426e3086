// libsignal's sessions as a device has them for one life, with a clock of its own.
import { CellKeys, deviceAddress, loadLibsignal, Sessions, Wiping } from '../../src/messages/index.ts'
import type { Sealing } from './lossy-side.ts'

/** @param now Unix ms */
export function libsignalSealing(now: () => number): Sealing {
  return ({ store, vault, device, onBroken, onRenewed, onDropped }) => {
    const address = deviceAddress(device)
    const opening = (async () => {
      await loadLibsignal()
      const sessions = await Sessions.open({ store, vault, address, now })
      sessions.events.on('broken', onBroken)
      sessions.events.on('renewed', onRenewed)
      if (sessions.isAnew) onDropped()
      const keys = new CellKeys({ database: store.database, vault, wiping: new Wiping(store), now })
      return { sessions, address, keys }
    })()
    opening.catch(() => {}) // killed while it began
    return { open: () => opening, close: async () => (await opening).sessions.close() }
  }
}
