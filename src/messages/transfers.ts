// Which transfers were opened: they come again when their sender has not heard so, are not opened twice, and are
// acknowledged again.
import type { DatabaseSync } from 'node:sqlite'
import { Statements } from '../trust/index.ts'

/** How long it is remembered, in ms: longer than a mailbox keeps a cell. */
export const TRANSFER_KEPT_MS = 5_184_000_000

/** Its writes belong into a transaction of the caller's. */
export class Transfers {
  readonly #statements: Statements

  /** @param database one in which the tables of messages were made */
  constructor(database: DatabaseSync) {
    this.#statements = new Statements(database)
  }

  /** @param id of the message, when it is to be acknowledged */
  add(device: Uint8Array, transfer: Uint8Array, { id, nowMs }: { id?: Uint8Array; nowMs: number }): void {
    const sql = 'INSERT OR IGNORE INTO message_transfers VALUES (?, ?, ?, ?)'
    this.#statements.run(sql, device, transfer, id ?? null, nowMs)
  }

  /** What is known of a transfer that was opened: the message's id, when it is to be acknowledged. */
  find(device: Uint8Array, transfer: Uint8Array): { id?: Uint8Array } | undefined {
    const sql = 'SELECT id FROM message_transfers WHERE device = ? AND transfer = ?'
    const row = this.#statements.all(sql, device, transfer)[0]
    return row && (row.id === null ? {} : { id: row.id as Uint8Array })
  }

  /** Forgets those that nobody sends any more. */
  forgetOld(nowMs: number): void {
    this.#statements.run('DELETE FROM message_transfers WHERE time < ?', nowMs - TRANSFER_KEPT_MS)
  }
}
