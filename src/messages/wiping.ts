// Writes after which the secrets that they replaced or deleted cannot be read from the database's files any more. Keys
// that move on with every message are worth nothing where the disk keeps the old ones.
import type { DatabaseSync } from 'node:sqlite'
import type { FeedStore } from '../feeds/index.ts'
import type { Write } from '../trust/index.ts'

/** How long the write-ahead log may still hold what was overwritten, in ms: one checkpoint serves many writes. */
const CHECKPOINT_DELAY_MS = 1_000
/** How long until it is tried again when the disk had no room for it, in ms. */
const RETRY_MS = 10_000

export class Wiping {
  readonly #database: DatabaseSync
  readonly #write: Write
  #checkpoint: NodeJS.Timeout | undefined

  constructor(store: Pick<FeedStore, 'database' | 'write'>) {
    this.#database = store.database
    this.#write = (work, options) => store.write(work, options)
  }

  /** In one transaction, on the disk before it returns; freed bytes are overwritten. Inside another one it is part of that. */
  write<T>(work: () => T): T {
    this.#database.exec('PRAGMA secure_delete = ON')
    try {
      return this.#write(work, { isDurable: true })
    } finally {
      if (this.#database.isOpen && !this.#database.isTransaction) this.#database.exec('PRAGMA secure_delete = OFF')
      this.#flushLater(CHECKPOINT_DELAY_MS)
    }
  }

  /** Empties the write-ahead log now, where something was written since the last time; later when the disk is full. */
  flush(): void {
    if (this.#checkpoint === undefined) return
    clearTimeout(this.#checkpoint)
    this.#checkpoint = undefined
    if (!this.#database.isOpen || this.#database.isTransaction) return
    try {
      // While others read it, the log cannot be emptied; the next write tries again, as closing the database does.
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      this.#flushLater(RETRY_MS)
    }
  }

  #flushLater(delayMs: number): void {
    this.#checkpoint ??= setTimeout(() => this.flush(), delayMs).unref()
  }
}
