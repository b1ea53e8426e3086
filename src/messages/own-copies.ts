// The user's other devices, which have copies of what this one writes: since when, and of which messages they do not know how
// far these have come. Triggers in schema.ts note that, in the transaction in which a state changes or a copy has come.
import type { DatabaseSync } from 'node:sqlite'
import { Statements } from '../trust/index.ts'
import type { MessageState } from './message-state.ts'

/** A message whose state a device does not know. */
export interface UntoldMessage {
  num: number
  id: Uint8Array
  state: MessageState
}

/** Its writes belong into a transaction of the caller's. */
export class OwnCopies {
  readonly #statements: Statements

  /** @param database one in which the tables of messages were made */
  constructor(database: DatabaseSync) {
    this.#statements = new Statements(database)
  }

  /** From this message on, another device gets what this one writes; nothing when it does so already. */
  begin(device: Uint8Array, { writer, num }: { writer: Uint8Array; num: number }): void {
    const sql = 'INSERT OR IGNORE INTO message_copies (device, writer, since) VALUES (?, ?, ?)'
    this.#statements.run(sql, device, writer, num)
  }

  devices(): Uint8Array[] {
    return this.#statements.all('SELECT DISTINCT device FROM message_copies').map(({ device }) => device as Uint8Array)
  }

  /** What a device is to be told of, the oldest first. */
  untold(device: Uint8Array, limit: number): UntoldMessage[] {
    const sql = `SELECT num, id, state FROM message_untold JOIN messages USING (num)
      WHERE message_untold.device = ? ORDER BY num LIMIT ?`
    return this.#statements.all(sql, device, limit).map(({ num, id, state }) => ({
      num: num as number,
      id: id as Uint8Array,
      state: state as MessageState
    }))
  }

  /** Whether a device has not acknowledged yet what it was told last. */
  isUnderWay(device: Uint8Array): boolean {
    const sql = `SELECT 1 FROM message_copies AS copies JOIN message_outbox AS waiting
      ON waiting.device = copies.device AND waiting.num = copies.news WHERE copies.device = ?`
    return this.#statements.all(sql, device).length > 0
  }

  /** A device is told of these messages. @param news number of what tells it */
  noteTold(device: Uint8Array, nums: readonly number[], news: number): void {
    for (const num of nums) this.#statements.run('DELETE FROM message_untold WHERE device = ? AND num = ?', device, num)
    this.#statements.run('UPDATE message_copies SET news = ? WHERE device = ?', news, device)
  }

  /** A device gets nothing any more. */
  end(device: Uint8Array): void {
    for (const table of ['message_copies', 'message_untold'])
      this.#statements.run(`DELETE FROM ${table} WHERE device = ?`, device)
    // What was to tell it, and waits for nobody else.
    this.#statements.run(
      'DELETE FROM messages WHERE is_shown = 0 AND peer = author AND num NOT IN (SELECT num FROM message_outbox)'
    )
  }
}
