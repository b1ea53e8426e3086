// Sessions and keys of this device. Sessions are opened when private messages are first used: most of what a node does
// needs no libsignal, and neither does giving contacts what they need to write.
import type { FeedStore, Turn } from '../../feeds/index.ts'
import {
  CellKeys,
  type DeviceAddress,
  deviceAddress,
  MessageError,
  PrekeyStock,
  Sessions,
  Wiping
} from '../../messages/index.ts'
import type { Vault } from '../vault.ts'
import { orderPrekeys } from './prekey-process.ts'

export interface Opened {
  sessions: Sessions
  keys: CellKeys
  /** Of this device. */
  address: DeviceAddress
}

export interface CryptOptions {
  store: FeedStore
  vault: Vault
  /** This device's key; another one after its feed forked. */
  deviceKey: () => Uint8Array
  /** A session was begun anew, by which side. */
  onAnew: (address: DeviceAddress, event: 'broken' | 'renewed') => void
  /** A device comes with another libsignal identity than it is known by. @default nothing */
  onRefused?: (address: DeviceAddress) => void
  /** All sessions were dropped: the database was an older copy. */
  onDropped: () => void
  /** Lets others have their turn. @default one of its own */
  turn?: Turn
}

export class Crypt {
  /** To which others seal cells for this device. */
  readonly keys: CellKeys
  readonly #options: CryptOptions
  #stock: PrekeyStock | undefined
  #opening: Promise<Opened> | undefined
  #isClosed = false

  constructor(options: CryptOptions) {
    this.#options = options
    const { store, vault } = options
    this.keys = new CellKeys({ database: store.database, vault, wiping: new Wiping(store) })
  }

  /** What another device needs to begin a session with this one. */
  get stock(): PrekeyStock {
    return (this.#stock ??= this.#openStock())
  }

  /** @throws MessageError UNAVAILABLE where libsignal cannot be loaded, CLOSED; FeedError DISK_FULL */
  async open(): Promise<Opened> {
    if (this.#isClosed) throw new MessageError('CLOSED', 'private messages were closed with the node')
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  /** For good: what comes later must not open the same tables beside whoever opens them next. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.renew()
  }

  /** What was opened is closed, and opened again when it is needed: this device has another key. */
  async renew(): Promise<void> {
    const opening = this.#opening
    this.#opening = undefined
    this.#stock = undefined
    const opened = await opening?.catch(() => {})
    await opened?.sessions.close()
  }

  async #open(): Promise<Opened> {
    const { store, vault, deviceKey, onAnew, onRefused, turn } = this.#options
    const address = deviceAddress(deviceKey())
    void this.stock // notices an older copy, before sessions are used
    const sessions = await Sessions.open({ store, vault, address, turn })
    sessions.events.on('broken', (device) => onAnew(device, 'broken'))
    sessions.events.on('renewed', (device) => onAnew(device, 'renewed'))
    sessions.events.on('refused', (device) => onRefused?.(device))
    return { sessions, keys: this.keys, address }
  }

  #openStock(): PrekeyStock {
    const { store, vault, deviceKey, onDropped } = this.#options
    const stock = new PrekeyStock({ store, vault, address: deviceAddress(deviceKey()), order: orderPrekeys })
    if (stock.isAnew) onDropped()
    return stock
  }
}
