// Stands in for libsignal where delivery is tried and not the cryptography: a session counts what it sealed, opens each
// number once, and keeps its state in the same transactions. It notices when a number is given out twice, as a key would be.
import type { FeedStore } from '../../src/feeds/index.ts'
import { CELL_SIZE, deviceAddress, MessageError, type Sealed } from '../../src/messages/index.ts'
import { SEAL_SIZE } from '../../src/messages/cell.ts'
import type { Opened } from '../../src/node/messages/crypt.ts'
import type { Sealing } from './lossy-side.ts'

/** libsignal's kind of a message in a session that both know. */
const WHISPER = 2
const NUMBER_SIZE = 8
/** What an honest session does not do. */
interface Faults {
  /** The count is written after what was sealed has left. */
  isLateOnDisk?: boolean
}

class CheapSessions {
  readonly #store: FeedStore
  readonly #faults: Faults
  readonly #onSealed: (number: bigint) => void

  constructor(store: FeedStore, onSealed: (number: bigint) => void, faults: Faults) {
    this.#store = store
    this.#onSealed = onSealed
    this.#faults = faults
    store.database.exec(`CREATE TABLE IF NOT EXISTS cheap_sealed (address TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT`)
    store.database.exec(`CREATE TABLE IF NOT EXISTS cheap_opened (n INTEGER PRIMARY KEY) STRICT`)
  }

  has(): boolean {
    return true
  }

  bundle(): Uint8Array {
    return new Uint8Array(1)
  }

  async encrypt(to: string, plaintext: Uint8Array): Promise<Sealed> {
    const { database } = this.#store
    const n = Number(database.prepare('SELECT n FROM cheap_sealed WHERE address = ?').get(to)?.n ?? 0) + 1
    const keep = (): void =>
      this.#store.write(() => database.prepare('INSERT OR REPLACE INTO cheap_sealed VALUES (?, ?)').run(to, n), {
        isDurable: true
      }) as unknown as void
    if (!this.#faults.isLateOnDisk) keep()
    this.#onSealed(BigInt(n))
    if (this.#faults.isLateOnDisk) keep()
    const bytes = Buffer.alloc(NUMBER_SIZE + plaintext.length)
    bytes.writeBigUInt64BE(BigInt(n))
    bytes.set(plaintext, NUMBER_SIZE)
    return { type: WHISPER, bytes }
  }

  async decrypt<T>(_: string, { bytes }: Sealed, accept: (plaintext: Uint8Array) => T): Promise<T> {
    const n = Buffer.from(bytes).readBigUInt64BE()
    const { database } = this.#store
    const note = (): void => {
      const { changes } = database.prepare('INSERT OR IGNORE INTO cheap_opened VALUES (?)').run(n)
      if (changes === 0) throw new MessageError('DUPLICATE', 'this message was opened before')
    }
    const plaintext = bytes.subarray(NUMBER_SIZE)
    return this.#store.write(
      () => {
        note()
        return accept(plaintext)
      },
      { isDurable: true }
    )
  }
}

/** @returns what seals, and how many numbers it has given out more than once */
export function cheapSealing(faults: Faults = {}): { sealing: Sealing; reused: () => number } {
  const given = new Map<string, Set<bigint>>()
  let reused = 0
  const keys = {
    current: () => new Uint8Array(1),
    check: (key: Uint8Array) => key,
    seal: (content: Uint8Array) => Buffer.concat([Buffer.alloc(SEAL_SIZE), content]),
    open: (cell: Uint8Array) => {
      if (cell.length !== CELL_SIZE) throw new MessageError('CELL', `a cell has ${CELL_SIZE} bytes`)
      return cell.subarray(SEAL_SIZE)
    }
  }
  const sealing: Sealing = ({ store, device }) => {
    const address = deviceAddress(device)
    const numbers = given.get(address) ?? new Set<bigint>()
    given.set(address, numbers)
    const onSealed = (n: bigint): void => {
      if (numbers.has(n)) reused += 1
      numbers.add(n)
    }
    const sessions = new CheapSessions(store, onSealed, faults)
    const opened = { sessions, keys, address } as unknown as Opened
    return { open: async () => opened, close: async () => {} }
  }
  return { sealing, reused: () => reused }
}
