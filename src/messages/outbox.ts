// What is still to be delivered, to which device; once it is sealed, the same bytes are sent until they are acknowledged,
// so that they open once, however often they come.
import type { DatabaseSync } from 'node:sqlite'
import { Statements } from '../trust/index.ts'
import type { Sealed } from './cell.ts'

/** One message for one device. */
export interface Outgoing {
  /** The message's number. */
  num: number
  /** 16 random bytes that its cells share. */
  transfer: Uint8Array
  /** What the session has made of it, and in how many cells it travels. */
  sealed?: Sealed
  count: number
}

/** Its writes belong into a transaction of the caller's. */
export class Outbox {
  readonly #statements: Statements

  /** @param database one in which the tables of messages were made */
  constructor(database: DatabaseSync) {
    this.#statements = new Statements(database)
  }

  /** A message is to be delivered to a device; nothing when it is there already. */
  add(num: number, device: Uint8Array, transfer: Uint8Array): void {
    this.#statements.run(
      'INSERT OR IGNORE INTO message_outbox (num, device, transfer) VALUES (?, ?, ?)',
      ...[num, device, transfer]
    )
  }

  /** What is to be delivered to a device, the oldest first. @param after only messages with a higher number than this */
  of(device: Uint8Array, { after = 0, limit = -1 }: { after?: number; limit?: number } = {}): Outgoing[] {
    const sql = 'SELECT * FROM message_outbox WHERE device = ? AND num > ? ORDER BY num LIMIT ?'
    return this.#statements.all(sql, device, after, limit).map((row) => ({
      num: row.num as number,
      transfer: row.transfer as Uint8Array,
      count: (row.count as number | null) ?? 0,
      ...(row.bytes === null ? {} : { sealed: { type: row.type as number, bytes: row.bytes as Uint8Array } })
    }))
  }

  /** Numbers of what a device has not acknowledged. */
  numsOf(device: Uint8Array): Set<number> {
    const sql = 'SELECT num FROM message_outbox WHERE device = ?'
    return new Set(this.#statements.all(sql, device).map(({ num }) => num as number))
  }

  /** How many messages up to this number a device has not acknowledged. */
  countUpTo(device: Uint8Array, num: number): number {
    const sql = 'SELECT count(*) AS n FROM message_outbox WHERE device = ? AND num <= ?'
    return this.#statements.all(sql, device, num)[0].n as number
  }

  /** Devices for which something waits. */
  devices(): Uint8Array[] {
    return this.#statements.all('SELECT DISTINCT device FROM message_outbox').map(({ device }) => device as Uint8Array)
  }

  /** Keeps what the session has made of it; to be sent only when this is on the disk. */
  keep(device: Uint8Array, { num, transfer }: Outgoing, { type, bytes }: Sealed, count: number): void {
    const sql = `UPDATE message_outbox SET type = ?, bytes = ?, count = ?
      WHERE device = ? AND num = ? AND transfer = ?`
    this.#statements.run(sql, type, bytes, count, device, num, transfer)
  }

  /** A device has it, or never will. @returns whether it was waiting for that */
  remove(num: number, device: Uint8Array): boolean {
    return this.#statements.run('DELETE FROM message_outbox WHERE num = ? AND device = ?', num, device) > 0
  }

  /** A device is not written to any more. */
  removeDevice(device: Uint8Array): void {
    this.#statements.run('DELETE FROM message_outbox WHERE device = ?', device)
  }

  /** A device gets nothing of a conversation any more. @param peer its id */
  removeConversation(peer: Uint8Array, device: Uint8Array): void {
    const sql = 'DELETE FROM message_outbox WHERE device = ? AND num IN (SELECT num FROM messages WHERE peer = ?)'
    this.#statements.run(sql, device, peer)
  }

  /** Nobody gets it any more. */
  removeMessage(num: number): void {
    this.#statements.run('DELETE FROM message_outbox WHERE num = ?', num)
  }

  /** A device cannot open what was sealed for it: all of it is sealed anew, under names that it has not seen. */
  unseal(device: Uint8Array, makeTransfer: () => Uint8Array): void {
    const sql = 'SELECT num FROM message_outbox WHERE device = ? AND bytes IS NOT NULL'
    for (const { num } of this.#statements.all(sql, device))
      this.#statements.run(
        'UPDATE message_outbox SET transfer = ?, type = NULL, bytes = NULL, count = NULL WHERE num = ? AND device = ?',
        ...[makeTransfer(), num as number, device]
      )
  }
}
