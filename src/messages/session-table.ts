// What is kept of other devices and the sessions with them, in the node's database.
import type { DatabaseSync } from 'node:sqlite'
import type { SessionRecord } from '@signalapp/libsignal-client'
import type { Statements } from '../trust/index.ts'
import type { DeviceAddress } from './device-address.ts'
import { MessageError } from './errors.ts'
import type { Libsignal } from './libsignal.ts'
import { type PrekeyKind, prekeyRecord } from './prekeys.ts'
import type { Vault } from './vault.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** First messages of one device that are opened by the same Kyber prekey, thus in a week. */
export const MAX_FIRST_MESSAGES = 1_000

/** Which prekeys a first message was opened with, and the sender's key that it began with. */
export interface KyberUse {
  kyber: number
  signed: number
  base: Bytes
}

/** All that operations with one device change. It is replaced, never changed itself. */
export interface SessionState {
  /** libsignal's public identity key. */
  identity: Bytes | undefined
  /** Is not changed in place. */
  session: SessionRecord | undefined
  /** Whether a message was opened in this session. */
  isHeard: boolean
  givenUpMs: number | undefined
  /** Whether it has come with another identity, and not with the one that is known since. */
  isRefused: boolean
  usedOnce: readonly number[]
  kyberUses: readonly KyberUse[]
}

export interface SessionTableOptions {
  signal: Libsignal
  statements: Statements
  vault: Vault
}

export class SessionTable {
  readonly #signal: Libsignal
  readonly #statements: Statements
  readonly #vault: Vault

  constructor({ signal, statements, vault }: SessionTableOptions) {
    this.#signal = signal
    this.#statements = statements
    this.#vault = vault
  }

  load(address: DeviceAddress): SessionState {
    const row = this.#statements.all('SELECT * FROM message_devices WHERE address = ?', address)[0]
    return {
      identity: (row?.identity as Bytes | null | undefined) ?? undefined,
      session: this.#opened(address, row?.session as Bytes | null | undefined),
      isHeard: row?.heard === 1,
      givenUpMs: (row?.given_up_ms as number | null | undefined) ?? undefined,
      isRefused: row?.refused === 1,
      usedOnce: [],
      kyberUses: []
    }
  }

  /**
   * Call it in a durable transaction.
   * @throws MessageError UNREADABLE when another message has used the same prekey meanwhile
   */
  save(address: DeviceAddress, state: SessionState): void {
    const { identity, session, isHeard, givenUpMs, isRefused } = state
    if (identity === undefined && session === undefined && givenUpMs === undefined)
      this.#statements.run('DELETE FROM message_devices WHERE address = ?', address)
    else
      this.#statements.run(
        'INSERT OR REPLACE INTO message_devices VALUES (?, ?, ?, ?, ?, ?)',
        ...[
          address,
          identity ?? null,
          this.#sealed(address, session),
          isHeard ? 1 : 0,
          givenUpMs ?? null,
          isRefused ? 1 : 0
        ]
      )
    this.#usePrekeys(address, state)
  }

  /** @throws MessageError UNREADABLE when this device has none, or not any more */
  prekey(kind: PrekeyKind, id: number): Bytes {
    const record = prekeyRecord({ statements: this.#statements, vault: this.#vault }, kind, id)
    if (record === undefined) throw missingPrekey(kind, id)
    return record
  }

  /** @throws MessageError UNREADABLE for a first message that was opened before, or one too many of this device */
  checkUse(address: DeviceAddress, { kyber, signed, base }: KyberUse): void {
    const used = 'SELECT 1 FROM message_kyber_uses WHERE kyber = ? AND signed = ? AND base = ?'
    if (this.#statements.all(used, kyber, signed, base).length > 0) throw replayed()
    const counted = 'SELECT count(*) AS count FROM message_kyber_uses WHERE address = ? AND kyber = ?'
    if ((this.#statements.all(counted, address, kyber)[0].count as number) >= MAX_FIRST_MESSAGES)
      throw new MessageError('UNREADABLE', `more than ${MAX_FIRST_MESSAGES} first messages of one device in a week`)
  }

  #usePrekeys(address: DeviceAddress, { usedOnce, kyberUses }: SessionState): void {
    const remove = "DELETE FROM message_prekeys WHERE kind = 'once' AND id = ?"
    for (const once of usedOnce) if (this.#statements.run(remove, once) === 0) throw missingPrekey('once', once)
    const add = 'INSERT OR IGNORE INTO message_kyber_uses (kyber, signed, base, address) VALUES (?, ?, ?, ?)'
    for (const { kyber, signed, base } of kyberUses)
      if (this.#statements.run(add, kyber, signed, base, address) === 0) throw replayed()
  }

  #opened(address: DeviceAddress, sealed: Bytes | null | undefined): SessionRecord | undefined {
    const session = sealed instanceof Uint8Array ? this.#vault.open(sealed, about(address)) : undefined
    return session === undefined ? undefined : this.#signal.SessionRecord.deserialize(new Uint8Array(session))
  }

  #sealed(address: DeviceAddress, session: SessionRecord | undefined): Uint8Array | null {
    return session === undefined ? null : this.#vault.seal(session.serialize(), about(address))
  }
}

/** Whether there is a session with a device, also where libsignal is not loaded. It may have to be begun anew all the same. */
export function hasSession(database: DatabaseSync, address: DeviceAddress): boolean {
  const sql = 'SELECT 1 FROM message_devices WHERE address = ? AND session IS NOT NULL'
  return database.prepare(sql).get(address) !== undefined
}

/** Notes what a device that has shown which one it is says of its libsignal identity, where none is known; in a transaction. */
export function noteIdentity(database: DatabaseSync, address: DeviceAddress, identity: Uint8Array): void {
  const sql = `INSERT INTO message_devices (address, identity, refused) VALUES (?1, ?2, 0)
    ON CONFLICT DO UPDATE SET identity = ?2 WHERE identity IS NULL`
  database.prepare(sql).run(address, identity)
}

export function missingPrekey(kind: PrekeyKind, id: number): MessageError {
  return new MessageError('UNREADABLE', `this device has no prekey ${kind} ${id}: it was used, or was too old`)
}

function about(address: DeviceAddress): Uint8Array {
  return Buffer.from(`comrade/message/session/1\0${address}`)
}

function replayed(): MessageError {
  return new MessageError('UNREADABLE', 'a first message was sent a second time')
}
