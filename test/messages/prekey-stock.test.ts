// Prekeys that are made elsewhere, while this device may become another one.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { FeedStore, migrate } from '../../src/feeds/index.ts'
import {
  deviceAddress,
  loadLibsignal,
  makePrekeys,
  MESSAGE_MIGRATIONS,
  PrekeyStock,
  type PrekeyOrder,
  Sessions
} from '../../src/messages/index.ts'
import { Vault } from '../../src/node/vault.ts'

describe('a stock of prekeys', () => {
  it('has none that were made for a device that this one is no more', async () => {
    const store = FeedStore.open(':memory:')
    const other = FeedStore.open(':memory:')
    try {
      migrate(store.database, 'messages', MESSAGE_MIGRATIONS)
      const signal = await loadLibsignal()
      const vault = new Vault(new Uint8Array(32))
      const address = (): string => deviceAddress(new Uint8Array(randomBytes(32)))
      const make = async (order: PrekeyOrder) => makePrekeys(signal, order)
      const gate = Promise.withResolvers<void>()
      const before = new PrekeyStock({
        ...{ store, vault, address: address() },
        order: (order) => gate.promise.then(() => make(order))
      })
      const filling = before.fill()
      const now = address()
      const after = new PrekeyStock({ store, vault, address: now, order: make })
      gate.resolve()
      await filling
      assert.equal(before.bundle(), undefined)
      assert.equal(after.bundle(), undefined)
      await after.fill()
      const sessions = await Sessions.open({ store: other, vault, address: address() })
      await sessions.encrypt(now, new Uint8Array(1), { bundle: after.bundle() })
      await sessions.close()
    } finally {
      store.close()
      other.close()
    }
  })
})
