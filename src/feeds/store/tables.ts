// The database under the store: statements prepared once, one write transaction at a time, as durable as its work asks
// for, and counters that are undone with it.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { FeedError } from '../errors.ts'
import { storeError, transaction } from './database.ts'
import type { Counters } from './placement.ts'

export class Tables {
  readonly counters: Counters = { change: 0, arrival: 1 }
  readonly #database: DatabaseSync
  readonly #onUndo: () => void
  readonly #statements = new Map<string, StatementSync>()
  #isDurable = false
  #isOpen = true

  /** @param options.onUndo called after a transaction failed, for whoever keeps in memory what it had written */
  constructor(database: DatabaseSync, { onUndo }: { onUndo: () => void }) {
    this.#database = database
    this.#onUndo = onUndo
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  close(): void {
    this.#isOpen = false
    this.#statements.clear()
    this.#database.close()
  }

  /** @throws FeedError STORE_CLOSED */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      this.#checkOpen()
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  /** See Stored.write. Called inside a transaction, `work` becomes part of it. */
  write<T>(work: () => T, { isDurable = false }: { isDurable?: boolean }): T {
    this.#checkOpen()
    if (this.#database.isTransaction) return work()
    const before = { ...this.counters }
    this.#setDurable(isDurable)
    try {
      return transaction(this.#database, work)
    } catch (error) {
      Object.assign(this.counters, before)
      this.#onUndo()
      throw storeError(error)
    }
  }

  #setDurable(isDurable: boolean): void {
    if (isDurable === this.#isDurable) return
    this.#database.exec(`PRAGMA synchronous = ${isDurable ? 'FULL' : 'NORMAL'}`)
    this.#isDurable = isDurable
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new FeedError('STORE_CLOSED', 'the store is closed')
  }
}
