// Prekeys that were made before anybody asks, so that a bundle can be handed out by a process that has no libsignal.
import type { FeedStore } from '../feeds/index.ts'
import { kemKey } from '../groups/index.ts'
import { Statements } from '../trust/index.ts'
import { encodeBundle } from './bundle.ts'
import { curveKey } from './curve-key.ts'
import type { PrekeyOrder } from './prekey-maker.ts'
import { countOneTime, handOut, keepPrekeys, type MadePrekey, missingPrekeys } from './prekeys.ts'
import { register, type Registration, type RegistrationPlace } from './registration.ts'
import { Wiping } from './wiping.ts'

/** Prekeys for one use that are made together, and how few are left when more are made. */
const STOCK = 64
const LOW_STOCK = 8

export interface PrekeyStockOptions extends Omit<RegistrationPlace, 'epoch'> {
  /** One in which the tables of messages were made. */
  store: Pick<FeedStore, 'database' | 'write' | 'epoch'>
  /** Makes what is wanted, wherever libsignal is. */
  order: (order: PrekeyOrder) => Promise<MadePrekey[]>
  /** Unix ms. @default Date.now */
  now?: () => number
}

export class PrekeyStock {
  /** Whether this has dropped all sessions, since the database was an older copy or another device's. */
  readonly isAnew: boolean
  readonly #options: PrekeyStockOptions
  readonly #statements: Statements
  readonly #wiping: Wiping
  readonly #now: () => number
  readonly #registration: Registration
  #filling: Promise<void> | undefined

  constructor(options: PrekeyStockOptions) {
    this.#options = options
    const { store, vault, address, now = Date.now } = options
    this.#statements = new Statements(store.database)
    this.#wiping = new Wiping(store)
    this.#now = now
    this.#registration = this.#wiping.write(() => register(this.#statements, { vault, address, epoch: store.epoch }))
    this.isAnew = this.#registration.isAnew
  }

  /** This device's public libsignal identity key. */
  get identity(): Uint8Array {
    return curveKey(kemKey(this.#registration.secret))
  }

  /**
   * A bundle for one device, with what is in stock.
   * @returns canonical DAG-CBOR; undefined when something is to be made first, or this device has become another one
   * @throws FeedError DISK_FULL
   */
  bundle(): Uint8Array | undefined {
    const { id } = this.#registration
    const prekeys = this.#wiping.write(() => (this.#isCurrent() ? handOut(this.#tables) : undefined))
    if (prekeys === undefined) return undefined
    return encodeBundle({ v: 1, registration: id, identity: curveKey(kemKey(this.#registration.secret)), ...prekeys })
  }

  /**
   * Has made what is missing, if it is much.
   * @throws whatever `order` throws; FeedError DISK_FULL
   */
  fill(): Promise<void> {
    this.#filling ??= this.#fill().finally(() => (this.#filling = undefined))
    return this.#filling
  }

  async #fill(): Promise<void> {
    const { statements } = this.#tables
    const stock = countOneTime(statements).here > LOW_STOCK ? 0 : STOCK
    const wanted = missingPrekeys(this.#tables, stock)
    if (wanted.length === 0) return
    const { nowMs } = this.#tables
    const made = await this.#options.order({ identity: this.#registration.secret, nowMs, wanted })
    this.#wiping.write(() => this.#isCurrent() && keepPrekeys(this.#tables, made))
  }

  /** This device may have become another one while they were made: they are signed by its identity of before. */
  #isCurrent(): boolean {
    const sql = 'SELECT 1 FROM message_registration WHERE address = ? AND registration = ?'
    return this.#statements.all(sql, this.#options.address, this.#registration.id).length > 0
  }

  get #tables() {
    return { statements: this.#statements, vault: this.#options.vault, nowMs: this.#now() }
  }
}
