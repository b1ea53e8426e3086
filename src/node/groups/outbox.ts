// Own vouches and ballots that nobody has seen yet: they survive a restart, and leave nothing behind on the disk once
// they are in the log, where they are nobody's.
import { type FeedStore, migrate } from '../../feeds/index.ts'
import { GROUP_MIGRATIONS } from './schema.ts'

/** All ids have 32 bytes. */
export interface Waiting {
  id: Uint8Array
  group: Uint8Array
  bytes: Uint8Array
  dueMs: number
}

export class Outbox {
  readonly #store: FeedStore

  /** @throws FeedError STORE_NEWER */
  constructor(store: FeedStore) {
    this.#store = store
    migrate(store.database, 'groups', GROUP_MIGRATIONS)
  }

  all(): Waiting[] {
    return this.#select('')
  }

  of(group: Uint8Array): Waiting[] {
    return this.#select('WHERE group_id = ?', group)
  }

  #select(condition: string, ...values: Uint8Array[]): Waiting[] {
    const sql = `SELECT id, group_id AS "group", bytes, due_ms AS dueMs FROM group_outbox ${condition}`
    return this.#store.all(sql, ...values) as unknown as Waiting[]
  }

  /** On the disk before it returns. @throws FeedError DISK_FULL, STORE_IO */
  add({ id, group, bytes, dueMs }: Waiting): void {
    this.#writeWithoutTrace('INSERT INTO group_outbox VALUES (?, ?, ?, ?)', id, group, bytes, Math.ceil(dueMs))
  }

  /** Overwrites it in the file, and takes away what the write-ahead log still has of it. */
  remove(id: Uint8Array): void {
    this.#writeWithoutTrace('DELETE FROM group_outbox WHERE id = ?', id)
    if (!this.#store.database.isTransaction) this.#store.all('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  /** Rows are moved from page to page when others come: what is left where they were is overwritten, too. */
  #writeWithoutTrace(sql: string, ...values: (Uint8Array | number)[]): void {
    this.#store.all('PRAGMA secure_delete = ON')
    try {
      this.#store.write(() => this.#store.run(sql, ...values), { isDurable: true })
    } finally {
      this.#store.all('PRAGMA secure_delete = OFF')
    }
  }
}
