// This device's prekeys: made each week, handed out, and deleted when nothing can come any more that needs them.
import { randomInt } from 'node:crypto'
import type { PrivateKey } from '@signalapp/libsignal-client'
import type { Statements } from '../trust/index.ts'
import { type Bundle, MAX_PREKEY_ID } from './bundle.ts'
import type { Libsignal } from './libsignal.ts'
import type { Vault } from './vault.ts'

const WEEK_MS = 7 * 86_400_000
/** A prekey that was handed out on its last day is kept as long as mailboxes keep a message: two more weeks. */
export const PREKEY_LIFE_MS = 3 * WEEK_MS
/** Prekeys for one use that are handed out and not used yet; whoever asks beyond that gets a bundle without one. */
export const MAX_ONE_TIME = 1_000

type Bytes = Uint8Array<ArrayBuffer>

export type PrekeyKind = 'once' | 'signed' | 'kyber'

interface Tables {
  statements: Statements
  vault: Vault
}

interface Maker extends Tables {
  signal: Libsignal
  identity: PrivateKey
  nowMs: number
}

/** What a bundle has of prekeys; makes those that are missing. Call it in a durable transaction. */
export function handOut(maker: Maker): Pick<Bundle, 'signed' | 'kyber' | 'once'> {
  const { signal } = maker
  const signed = signal.SignedPreKeyRecord.deserialize(current('signed', maker))
  const kyber = signal.KyberPreKeyRecord.deserialize(current('kyber', maker))
  const once = newOneTime(maker)
  return {
    signed: { id: signed.id(), key: signed.publicKey().serialize(), signature: signed.signature() },
    kyber: { id: kyber.id(), key: kyber.publicKey().serialize(), signature: kyber.signature() },
    ...(once !== undefined && { once })
  }
}

/** Deletes what is too old to be asked for; by a clock that was set back, also what is far too new. */
export function deleteOldPrekeys(statements: Statements, nowMs: number): void {
  statements.run('DELETE FROM message_prekeys WHERE abs(? - made_ms) > ?', nowMs, PREKEY_LIFE_MS)
  statements.run(
    "DELETE FROM message_kyber_uses WHERE kyber NOT IN (SELECT id FROM message_prekeys WHERE kind = 'kyber')"
  )
}

/** Whether {@link deleteOldPrekeys} has something to delete. */
export function hasOldPrekeys(statements: Statements, nowMs: number): boolean {
  const sql = 'SELECT 1 FROM message_prekeys WHERE abs(? - made_ms) > ? LIMIT 1'
  return statements.all(sql, nowMs, PREKEY_LIFE_MS).length > 0
}

export function prekeyRecord({ statements, vault }: Tables, kind: PrekeyKind, id: number): Bytes | undefined {
  const row = statements.all('SELECT record FROM message_prekeys WHERE kind = ? AND id = ?', kind, id)[0]
  const record = row === undefined ? undefined : vault.open(row.record as Uint8Array, about(kind, id))
  return record === undefined ? undefined : new Uint8Array(record)
}

/** The newest of a kind, or a new one where that is older than a week. */
function current(kind: 'signed' | 'kyber', maker: Maker): Bytes {
  const sql = 'SELECT id FROM message_prekeys WHERE kind = ? AND made_ms BETWEEN ? AND ? ORDER BY made_ms DESC LIMIT 1'
  const newest = maker.statements.all(sql, kind, maker.nowMs - WEEK_MS, maker.nowMs)[0]
  const known = newest === undefined ? undefined : prekeyRecord(maker, kind, newest.id as number)
  const make = kind === 'signed' ? signedRecord : kyberRecord
  return known ?? add(kind, maker, (id) => make(id, maker))
}

function signedRecord(id: number, { signal, identity, nowMs }: Maker): Bytes {
  const key = signal.PrivateKey.generate()
  const signature = identity.sign(key.getPublicKey().serialize())
  return signal.SignedPreKeyRecord.new(id, nowMs, key.getPublicKey(), key, signature).serialize()
}

function kyberRecord(id: number, { signal, identity, nowMs }: Maker): Bytes {
  const keys = signal.KEMKeyPair.generate()
  const signature = identity.sign(keys.getPublicKey().serialize())
  return signal.KyberPreKeyRecord.new(id, nowMs, keys, signature).serialize()
}

function newOneTime(maker: Maker): Bundle['once'] {
  const { signal, statements } = maker
  const { count } = statements.all("SELECT count(*) AS count FROM message_prekeys WHERE kind = 'once'")[0]
  if ((count as number) >= MAX_ONE_TIME) return undefined
  const key = signal.PrivateKey.generate()
  const record = add('once', maker, (id) => signal.PreKeyRecord.new(id, key.getPublicKey(), key).serialize())
  return { id: signal.PreKeyRecord.deserialize(record).id(), key: key.getPublicKey().serialize() }
}

function add(kind: PrekeyKind, { statements, vault, nowMs }: Maker, make: (id: number) => Bytes): Bytes {
  const id = freeId(statements, kind)
  const record = make(id)
  const sealed = vault.seal(record, about(kind, id))
  statements.run('INSERT INTO message_prekeys VALUES (?, ?, ?, ?)', kind, id, nowMs, sealed)
  return record
}

function freeId(statements: Statements, kind: PrekeyKind): number {
  for (;;) {
    const id = randomInt(1, MAX_PREKEY_ID + 1)
    const taken = statements.all('SELECT 1 FROM message_prekeys WHERE kind = ? AND id = ?', kind, id)
    if (taken.length === 0) return id
  }
}

function about(kind: PrekeyKind, id: number): Uint8Array {
  return Buffer.from(`comrade/message/prekey/1\0${kind} ${id}`)
}
