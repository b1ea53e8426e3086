// The keys to which cells are sealed: a new one each week, none of which tells who it belongs to. Who steals a device
// cannot say of older cells who sent them. To make and to give them needs no libsignal; to seal and to open does.
import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { kemKey } from '../groups/index.ts'
import { Statements } from '../trust/index.ts'
import { CELL_CONTENT_SIZE, CELL_SIZE } from './cell.ts'
import { MessageError } from './errors.ts'
import { CURVE_KEY_SIZE, curveKey, isCurveKey } from './curve-key.ts'
import { type Libsignal, loadedLibsignal } from './libsignal.ts'
import { BUNDLE_LIFE_MS } from './prekeys.ts'
import type { Vault } from './vault.ts'
import type { Wiping } from './wiping.ts'

/** How long a key is handed out. */
export const CELL_KEY_RENEWED_MS = 604_800_000
/** How long it opens cells after that: whoever was given it may write for that long, and a mailbox keeps what they wrote. */
export const CELL_KEY_KEPT_MS = BUNDLE_LIFE_MS + 1_209_600_000
/** HPKE's info: what a seal is for. */
const PURPOSE = 'comrade/message/cell/1'

interface Key {
  public: Uint8Array
  secret: Uint8Array
  madeMs: number
}

export interface CellKeysOptions {
  /** One in which the tables of messages were made. */
  database: DatabaseSync
  vault: Vault
  wiping: Wiping
  /** Unix ms. @default Date.now */
  now?: () => number
}

export class CellKeys {
  readonly #statements: Statements
  readonly #vault: Vault
  readonly #wiping: Wiping
  readonly #now: () => number
  #keys: Key[]

  constructor({ database, vault, wiping, now = Date.now }: CellKeysOptions) {
    this.#statements = new Statements(database)
    this.#vault = vault
    this.#wiping = wiping
    this.#now = now
    this.#keys = this.#read()
  }

  /** The key that others are to seal to now; made when there is none of this week. */
  current(): Uint8Array {
    this.upkeep()
    const now = this.#now()
    const newest = this.#keys.find(({ madeMs }) => now < madeMs + CELL_KEY_RENEWED_MS && madeMs <= now)
    return newest?.public ?? this.#make(now).public
  }

  /** Deletes keys whose cells no mailbox has any more. */
  upkeep(): void {
    const oldest = this.#now() - CELL_KEY_RENEWED_MS - CELL_KEY_KEPT_MS
    if (!this.#keys.some(({ madeMs }) => madeMs < oldest)) return
    this.#wiping.write(() => this.#statements.run('DELETE FROM message_cell_keys WHERE made_ms < ?', oldest))
    this.#keys = this.#read()
  }

  /** Opens a cell, once libsignal is loaded. @throws MessageError CELL when none of the keys does, UNAVAILABLE */
  open(cell: Uint8Array): Uint8Array {
    if (cell.length !== CELL_SIZE) throw new MessageError('CELL', `a cell has ${CELL_SIZE} bytes, not ${cell.length}`)
    const { PrivateKey } = loadedLibsignal()
    const copy = new Uint8Array(cell)
    for (const { secret } of this.#keys) {
      try {
        const key = PrivateKey.deserialize(new Uint8Array(secret))
        return key.open(copy, PURPOSE)
      } catch {
        // sealed to another
      }
    }
    throw new MessageError('CELL', 'this cell is not sealed to a key of this device')
  }

  /** Seals the content of a cell to somebody's key, once libsignal is loaded. @throws MessageError CELL when it is none */
  seal(content: Uint8Array, to: Uint8Array): Uint8Array {
    if (content.length !== CELL_CONTENT_SIZE)
      throw new MessageError('CELL', `a cell holds ${CELL_CONTENT_SIZE} bytes, not ${content.length}`)
    return publicKey(to).seal(new Uint8Array(content), PURPOSE)
  }

  /** Checks what somebody says is their key. @throws MessageError CELL */
  check(key: unknown): Uint8Array {
    if (!(key instanceof Uint8Array)) throw new MessageError('CELL', 'a key for cells is bytes')
    if (!isCurveKey(key))
      throw new MessageError('CELL', `a key for cells has ${CURVE_KEY_SIZE} bytes and begins with its kind`)
    return key
  }

  #make(now: number): Key {
    const secret = randomBytes(32)
    const key = { public: curveKey(kemKey(secret)), secret, madeMs: now }
    const sealed = this.#vault.seal(key.secret, key.public)
    this.#wiping.write(() =>
      this.#statements.run('INSERT INTO message_cell_keys VALUES (?, ?, ?)', key.public, sealed, now)
    )
    this.#keys = this.#read()
    return key
  }

  /** The newest first: most cells are sealed to it. Where the keys of the home are others, those of before open nothing. */
  #read(): Key[] {
    const rows = this.#statements.all('SELECT * FROM message_cell_keys ORDER BY made_ms DESC')
    return rows.flatMap((row) => {
      const key = row.public as Uint8Array
      const secret = this.#vault.open(row.secret as Uint8Array, key)
      return secret === undefined ? [] : [{ public: key, secret, madeMs: row.made_ms as number }]
    })
  }
}

function publicKey(key: Uint8Array): ReturnType<Libsignal['PublicKey']['deserialize']> {
  try {
    return loadedLibsignal().PublicKey.deserialize(new Uint8Array(key))
  } catch (error) {
    if (error instanceof MessageError) throw error
    throw new MessageError('CELL', 'a key for cells that is none', { cause: error })
  }
}
