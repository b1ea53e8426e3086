// Whom contacts say that one should meet. It is their word: it names a key and where it may be, and proves nothing.
import type { Row, Statements, Write } from './statements.ts'

/** New introductions that one contact may make in a day. */
export const MAX_INTRODUCTIONS_PER_DAY = 10
/** Introductions that are remembered of one contact; the oldest go first. */
export const MAX_INTRODUCTIONS = 100
/** How long one is remembered, in ms: 30 days. */
const LIFE_MS = 30 * 86_400_000
const DAY_MS = 86_400_000
/** Whoever is no longer followed, or was blocked, introduces nobody any more. */
const COUNTS = `introductions.by IN (SELECT key FROM contacts WHERE relation = 'followed')`

export interface Introduction {
  /** Root keys. */
  person: Uint8Array
  by: Uint8Array
  /** What the contact says they are called: not escaped. */
  name?: string
  /** Multiaddrs with a peer id at their end; unchecked. */
  addresses: string[]
  timeMs: number
  expiresMs: number
}

/** Made by Contacts, which owns the tables. */
export class Introductions {
  readonly #statements: Statements
  readonly #write: Write

  constructor(statements: Statements, { write }: { write: Write }) {
    this.#statements = statements
    this.#write = write
  }

  /** Those that count, newest first; nobody whom one follows or blocks. */
  list(nowMs: number = Date.now()): Introduction[] {
    return this.#select(`person NOT IN (SELECT key FROM contacts WHERE relation <> 'none')`, nowMs)
  }

  /** Who introduced this person. */
  of(person: Uint8Array, nowMs: number = Date.now()): Introduction[] {
    return this.#select('person = ?', nowMs, person)
  }

  /**
   * Keeps an introduction; the same one again only says anew where they are.
   * @returns 'new', 'known', or 'refused' when this contact has made as many today as it may
   */
  add(
    introduction: Pick<Introduction, 'person' | 'by' | 'name' | 'addresses'>,
    nowMs: number = Date.now()
  ): 'new' | 'known' | 'refused' {
    const { person, by, name, addresses } = introduction
    const isKnown = this.of(person, nowMs).some((known) => Buffer.compare(known.by, by) === 0)
    return this.#write(() => {
      this.#statements.run('DELETE FROM introductions WHERE time_ms <= ?', nowMs - LIFE_MS)
      const today = 'SELECT count(*) AS n FROM introductions WHERE by = ? AND time_ms > ?'
      const count = Number(this.#statements.all(today, by, nowMs - DAY_MS)[0].n)
      if (!isKnown && count >= MAX_INTRODUCTIONS_PER_DAY) return 'refused'
      this.#statements.run(
        `INSERT INTO introductions VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET name = coalesce(?3, name), addresses = ?4`,
        person,
        by,
        name ?? null,
        JSON.stringify(addresses),
        nowMs
      )
      const oldest = 'SELECT rowid FROM introductions WHERE by = ? ORDER BY time_ms DESC LIMIT -1 OFFSET ?'
      this.#statements.run(`DELETE FROM introductions WHERE rowid IN (${oldest})`, by, MAX_INTRODUCTIONS)
      return isKnown ? 'known' : 'new'
    })
  }

  #select(condition: string, nowMs: number, ...values: Uint8Array[]): Introduction[] {
    return this.#statements
      .all(
        `SELECT * FROM introductions WHERE ${COUNTS} AND (${condition}) AND time_ms > ?
         ORDER BY time_ms DESC, person`,
        ...values,
        nowMs - LIFE_MS
      )
      .map(toIntroduction)
  }
}

function toIntroduction(row: Row): Introduction {
  return {
    person: row.person as Uint8Array,
    by: row.by as Uint8Array,
    ...(row.name === null ? {} : { name: row.name as string }),
    addresses: JSON.parse(row.addresses as string) as string[],
    timeMs: row.time_ms as number,
    expiresMs: (row.time_ms as number) + LIFE_MS
  }
}
