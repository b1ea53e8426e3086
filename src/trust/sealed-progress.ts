// How much of the own devices' feeds was looked through for sealed entries: a crash must not lose what they say.
import type { Statements } from './statements.ts'

/** Entries from `low` to `high` were looked through. */
export interface Stretch {
  low: number
  high: number
}

/** Made by Contacts, which owns the tables. */
export class SealedProgress {
  readonly #statements: Statements

  constructor(statements: Statements) {
    this.#statements = statements
  }

  of(feed: Uint8Array): Stretch | undefined {
    const row = this.#statements.all('SELECT low, high FROM sealed_read WHERE feed = ?', feed)[0]
    return row && { low: row.low as number, high: row.high as number }
  }

  /** Call it in the transaction that stores what was read. */
  set(feed: Uint8Array, { low, high }: Stretch): void {
    this.#statements.run(
      'INSERT INTO sealed_read VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET low = ?2, high = ?3',
      feed,
      low,
      high
    )
  }

  /** Everything is to be read anew. */
  forget(): void {
    this.#statements.run('DELETE FROM sealed_read')
  }
}
