// Looks at a store from outside, by a second connection to the database, while a node writes it: nothing is decoded
// only to be counted.
import { closeSync, existsSync, fdatasyncSync, openSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

/** How often it is looked whether something was committed. */
const LOOK_MS = 1

export class Observer {
  readonly #file: string
  readonly #database: DatabaseSync
  readonly #version: StatementSync
  readonly #stored: StatementSync

  /** `feeds` are the keys of those that count. All preparation is done here. */
  constructor(file: string, feeds: Uint8Array[]) {
    this.#file = file
    this.#database = new DatabaseSync(file, { readOnly: true, timeout: 1_000 })
    this.#database.exec('PRAGMA temp_store = MEMORY; CREATE TEMP TABLE observed (key BLOB PRIMARY KEY) WITHOUT ROWID')
    const insert = this.#database.prepare('INSERT INTO observed VALUES (?)')
    this.#database.exec('BEGIN')
    for (const feed of feeds) insert.run(feed)
    this.#database.exec('COMMIT')
    this.#version = this.#database.prepare('PRAGMA data_version')
    this.#stored = this.#database.prepare(
      'SELECT sum(height - low + 1) AS entries FROM observed CROSS JOIN feeds USING (key) WHERE height > 0'
    )
    this.#stored.get()
  }

  /**
   * Resolves when so many entries of the feeds are stored and on the disk. What was committed is readable by place and
   * id; what is in the database's log survives when that is synced.
   */
  async reach(entries: number): Promise<void> {
    for (let seen: unknown; ; await sleep(LOOK_MS)) {
      const version = this.#version.get()!.data_version
      if (version === seen) continue
      if (Number(this.#stored.get()!.entries) >= entries) break
      seen = version
    }
    for (const path of [`${this.#file}-wal`, this.#file]) if (existsSync(path)) syncFile(path)
  }

  close(): void {
    this.#database.close()
  }
}

function syncFile(path: string): void {
  const file = openSync(path, 'r')
  fdatasyncSync(file)
  closeSync(file)
}
