// Where devices of contacts have mailboxes for this one, as they said, what a session with them is begun with, and what was
// put there; and what they were told of this device's.
import type { DatabaseSync } from 'node:sqlite'
import { migrate } from '../feeds/index.ts'
import { Statements } from '../trust/index.ts'
import { decodeDescriptor, type MailboxDescriptor } from './mailbox-descriptor.ts'
import { BUNDLE_LIFE_MS } from './prekeys.ts'
import { MAILBOX_MIGRATIONS } from './mailbox-schema.ts'

/** After this time a message that nobody has acknowledged is put into mailboxes once more, in ms. */
export const PUT_AGAIN_MS = 259_200_000

/** What a device says of itself. */
export interface Told {
  key: Uint8Array
  descriptor: Uint8Array
  atMs: number
}

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
  set(device: Uint8Array, { key, descriptor, atMs }: Told): void {
    this.#statements.run(
      `INSERT INTO mailbox_contacts (device, key, descriptor, at_ms) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT DO UPDATE SET key = ?2, descriptor = ?3, at_ms = ?4 WHERE at_ms <= ?4`,
      ...[device, key, descriptor, atMs]
    )
  }

  /** What a device says while it is connected, which is so whatever it said before. */
  setNow(device: Uint8Array, { key, descriptor, atMs }: Told): void {
    this.#statements.run(
      `INSERT INTO mailbox_contacts (device, key, descriptor, at_ms) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT DO UPDATE SET key = ?2, descriptor = ?3, at_ms = ?4`,
      ...[device, key, descriptor, atMs]
    )
  }

  /** Devices that have ever said where they can be written to: whoever says so to this one follows its user. */
  devices(): Uint8Array[] {
    return this.#statements.all('SELECT device FROM mailbox_contacts').map(({ device }) => device as Uint8Array)
  }

  /** @param bundle unchecked; no longer than a bundle may be */
  setBundle(device: Uint8Array, bundle: Uint8Array, nowMs: number): void {
    this.#statements.run(
      'UPDATE mailbox_contacts SET bundle = ?, bundle_ms = ? WHERE device = ?',
      bundle,
      nowMs,
      device
    )
  }

  /** What a session with this device can be begun with, if it is not too old for that. */
  bundleOf(device: Uint8Array, nowMs: number, maxAgeMs = BUNDLE_LIFE_MS): Uint8Array | undefined {
    const sql = 'SELECT bundle FROM mailbox_contacts WHERE device = ? AND abs(? - bundle_ms) <= ?'
    return (this.#statements.all(sql, device, nowMs, maxAgeMs)[0]?.bundle as Uint8Array | null | undefined) ?? undefined
  }

  /** It serves for one session. */
  removeBundle(device: Uint8Array): void {
    this.#statements.run('UPDATE mailbox_contacts SET bundle = NULL, bundle_ms = NULL WHERE device = ?', device)
  }

  /** Whether a device was told this last. */
  isTold(device: Uint8Array, digest: Uint8Array): boolean {
    const sql = 'SELECT 1 FROM mailbox_told WHERE device = ? AND digest = ?'
    return this.#statements.all(sql, device, digest).length > 0
  }

  noteTold(device: Uint8Array, digest: Uint8Array): void {
    this.#statements.run(
      'INSERT INTO mailbox_told VALUES (?1, ?2) ON CONFLICT DO UPDATE SET digest = ?2',
      device,
      digest
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
    for (const table of ['mailbox_contacts', 'mailbox_told'])
      for (const { device } of this.#statements.all(`SELECT device FROM ${table}`))
        if (!isKnown(device as Uint8Array))
          this.#statements.run(`DELETE FROM ${table} WHERE device = ?`, device as Uint8Array)
  }
}
