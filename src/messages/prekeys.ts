// This device's prekeys: made each week, handed out, and deleted when nothing can come any more that needs them. Making them
// is the work of prekey-maker.ts.
import { randomInt } from 'node:crypto'
import type { Statements } from '../trust/index.ts'
import { type Bundle, MAX_PREKEY_ID } from './bundle.ts'
import type { Vault } from './vault.ts'

const WEEK_MS = 7 * 86_400_000
/** How long whoever was given prekeys may begin a session with them, in ms. */
export const BUNDLE_LIFE_MS = 8 * WEEK_MS
/** A prekey is handed out for a week, then kept by whoever was given it, and what was written with it lies in a mailbox. */
export const PREKEY_LIFE_MS = WEEK_MS + BUNDLE_LIFE_MS + 2 * WEEK_MS
/** Prekeys for one use that are handed out and not used yet; whoever asks beyond that gets a bundle without one. */
export const MAX_ONE_TIME = 1_000

type Bytes = Uint8Array<ArrayBuffer>

export type PrekeyKind = 'once' | 'signed' | 'kyber'

/** One that is to be made. */
export interface WantedPrekey {
  kind: PrekeyKind
  id: number
}

export interface MadePrekey extends WantedPrekey {
  /** Public, as libsignal writes it. */
  key: Uint8Array
  /** By the libsignal identity key; none of a key for one use. */
  signature?: Uint8Array
  /** libsignal's record, with the secret. */
  record: Uint8Array
}

interface Tables {
  statements: Statements
  vault: Vault
}

interface TablesNow extends Tables {
  nowMs: number
}

/**
 * What is to be made before a bundle can be handed out.
 * @param stock how many for one use are to be there
 */
export function missingPrekeys({ statements, nowMs }: Omit<TablesNow, 'vault'>, stock: number): WantedPrekey[] {
  const lasting = (['signed', 'kyber'] as const).filter((kind) => newest(statements, kind, nowMs) === undefined)
  const { given, here } = countOneTime(statements)
  const once = given >= MAX_ONE_TIME ? 0 : Math.max(0, stock - here)
  return [
    ...lasting.map((kind) => ({ kind, id: freeId(statements, kind, new Set()) })),
    ...freeIds(statements, once).map((id) => ({ kind: 'once' as const, id }))
  ]
}

/** Call it in a durable transaction. */
export function keepPrekeys({ statements, vault, nowMs }: TablesNow, made: readonly MadePrekey[]): void {
  for (const { kind, id, key, signature, record } of made)
    statements.run(
      'INSERT INTO message_prekeys VALUES (?, ?, ?, 0, ?, ?, ?)',
      ...[kind, id, nowMs, key, signature ?? null, vault.seal(record, about(kind, id))]
    )
}

/**
 * What a bundle has of prekeys, for one device. Call it in a durable transaction.
 * @returns undefined when those of this week are still to be made
 */
export function handOut({
  statements,
  nowMs
}: Omit<TablesNow, 'vault'>): Pick<Bundle, 'signed' | 'kyber' | 'once'> | undefined {
  const [signed, kyber] = [newest(statements, 'signed', nowMs), newest(statements, 'kyber', nowMs)]
  if (signed === undefined || kyber === undefined) return undefined
  const once = takeOneTime(statements, nowMs)
  return { signed, kyber, ...(once !== undefined && { once }) }
}

/** How many for one use are still to be given out. */
export function countOneTime(statements: Statements): { given: number; here: number } {
  const sql = `SELECT coalesce(sum(is_given), 0) AS given, count(*) AS total FROM message_prekeys WHERE kind = 'once'`
  const [{ given, total }] = statements.all(sql) as [{ given: number; total: number }]
  return { given, here: total - given }
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

/** That of this week. */
function newest(statements: Statements, kind: 'signed' | 'kyber', nowMs: number): Bundle['signed'] | undefined {
  const [row] = statements.all(
    `SELECT id, key, signature FROM message_prekeys WHERE kind = ? AND made_ms BETWEEN ? AND ?
     ORDER BY made_ms DESC LIMIT 1`,
    ...[kind, nowMs - WEEK_MS, nowMs]
  )
  return row && { id: row.id as number, key: row.key as Bytes, signature: row.signature as Bytes }
}

/** From now on somebody may have it. */
function takeOneTime(statements: Statements, nowMs: number): Bundle['once'] {
  if (countOneTime(statements).given >= MAX_ONE_TIME) return undefined
  const [row] = statements.all("SELECT id, key FROM message_prekeys WHERE kind = 'once' AND is_given = 0 LIMIT 1")
  if (row === undefined) return undefined
  const id = row.id as number
  statements.run("UPDATE message_prekeys SET is_given = 1, made_ms = ? WHERE kind = 'once' AND id = ?", nowMs, id)
  return { id, key: row.key as Bytes }
}

function freeIds(statements: Statements, count: number): number[] {
  const ids = new Set<number>()
  while (ids.size < count) ids.add(freeId(statements, 'once', ids))
  return [...ids]
}

function freeId(statements: Statements, kind: PrekeyKind, others: ReadonlySet<number>): number {
  for (;;) {
    const id = randomInt(1, MAX_PREKEY_ID + 1)
    const taken = statements.all('SELECT 1 FROM message_prekeys WHERE kind = ? AND id = ?', kind, id)
    if (taken.length === 0 && !others.has(id)) return id
  }
}

function about(kind: PrekeyKind, id: number): Uint8Array {
  return Buffer.from(`comrade/message/prekey/1\0${kind} ${id}`)
}
