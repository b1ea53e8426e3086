// Where devices of contacts have mailboxes for this one, as they said, and what was put there.
import type { DatabaseSync } from 'node:sqlite'
import { migrate } from '../feeds/index.ts'
import { Statements } from '../trust/index.ts'
import { decodeDescriptor, type MailboxDescriptor } from './mailbox-descriptor.ts'
import { MAILBOX_MIGRATIONS } from './mailbox-schema.ts'

/** After this time a message that nobody has acknowledged is put into mailboxes once more, in ms. */
export const PUT_AGAIN_MS = 259_200_000

/** How a device is written to while it is away. */
export interface MailboxContact {
  /** To which cells for it are sealed. */
  key: Uint8Array
  descriptor: MailboxDescriptor
}

/** Its writes belong into a transaction of the caller's. */
export class MailboxContacts {
  readonly #statements: Statements

  /** @throws FeedError STORE_NEWER */
  constructor(database: DatabaseSync) {
    migrate(database, 'mailbox', MAILBOX_MIGRATIONS)
    this.#statements = new Statements(database)
  }

  /**
   * Takes what a device says, in place of what it said before.
   * @param told.descriptor encoded, unchecked: one that is none counts as one without hosts
   * @param told.atMs when it said so, no later than now
   */
  set(device: Uint8Array, { key, descriptor, atMs }: { key: Uint8Array; descriptor: Uint8Array; atMs: number }): void {
    this.#statements.run(
      `INSERT INTO mailbox_contacts VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT DO UPDATE SET key = ?2, descriptor = ?3, at_ms = ?4 WHERE at_ms <= ?4`,
      ...[device, key, descriptor, atMs]
    )
  }

  of(device: Uint8Array): MailboxContact | undefined {
    const [row] = this.#statements.all('SELECT key, descriptor FROM mailbox_contacts WHERE device = ?', device)
    if (row === undefined) return undefined
    try {
      const descriptor = decodeDescriptor(row.descriptor as Uint8Array)
      return descriptor.hosts.length === 0 ? undefined : { key: row.key as Uint8Array, descriptor }
    } catch {
      return undefined
    }
  }

  /** Whether the cells of a transfer are in mailboxes, as far as is known. */
  isPut(transfer: Uint8Array, nowMs: number): boolean {
    const [row] = this.#statements.all('SELECT at_ms FROM mailbox_put WHERE transfer = ?', transfer)
    return row !== undefined && Math.abs(nowMs - (row.at_ms as number)) < PUT_AGAIN_MS
  }

  notePut(transfer: Uint8Array, nowMs: number): void {
    this.#statements.run(
      'INSERT INTO mailbox_put VALUES (?1, ?2) ON CONFLICT DO UPDATE SET at_ms = ?2',
      transfer,
      nowMs
    )
  }

  /** Forgets what was put long ago, and devices that are not to be written to. */
  tidy(nowMs: number, isKnown: (device: Uint8Array) => boolean): void {
    this.#statements.run('DELETE FROM mailbox_put WHERE abs(? - at_ms) > ?', nowMs, PUT_AGAIN_MS)
    for (const { device } of this.#statements.all('SELECT device FROM mailbox_contacts'))
      if (!isKnown(device as Uint8Array))
        this.#statements.run('DELETE FROM mailbox_contacts WHERE device = ?', device as Uint8Array)
  }
}
