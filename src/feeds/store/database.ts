// The SQLite file that holds what is precious, and its numbered migrations. Each layer brings its own tables to it.
import { DatabaseSync } from 'node:sqlite'
import { FeedError } from '../errors.ts'

/** Resident limit of SQLite's page cache, in KiB. */
const CACHE_KIB = 4_096
/** Pages of 4 KiB in the write-ahead log before a checkpoint copies them into the main file. */
const CHECKPOINT_PAGES = 1_000
/** How long another process's short lock on the file is waited for, in ms. */
const BUSY_TIMEOUT_MS = 2_000
/** SQLite's codes for no room: in its files, and for the index of the write-ahead log. */
const SQLITE_FULL = 13
const SQLITE_IOERR_SHMSIZE = 4_874

/**
 * Opens (or makes) the database.
 * @param path a file, or ':memory:' for a database that is gone when it is closed
 * @throws FeedError DISK_FULL, STORE_IO
 */
export function openDatabase(path: string): DatabaseSync {
  const database = connect(path)
  try {
    configure(database)
    return database
  } catch (error) {
    database.close()
    throw storeError(error)
  }
}

function connect(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  } catch (error) {
    throw storeError(error)
  }
}

function configure(database: DatabaseSync): void {
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -${CACHE_KIB};
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    PRAGMA journal_size_limit = 67108864;
  `)
}

/**
 * Brings one layer's tables to their newest form: runs those of its migrations that this file has not seen, each in
 * a transaction. Migration n stands at index n - 1 and never changes once it was released.
 * @throws FeedError STORE_NEWER when the file was written by a newer program
 */
export function migrate(database: DatabaseSync, layer: string, migrations: readonly string[]): void {
  database.exec('CREATE TABLE IF NOT EXISTS migrations (layer TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT')
  const row = database.prepare('SELECT version FROM migrations WHERE layer = ?').get(layer)
  const version = Number(row?.version ?? 0)
  if (version > migrations.length) {
    throw new FeedError(
      'STORE_NEWER',
      `the store's ${layer} tables have version ${version}; this program knows ${migrations.length}: use a newer one`
    )
  }
  for (let next = version; next < migrations.length; next++) {
    transaction(database, () => {
      database.exec(migrations[next])
      database
        .prepare('INSERT INTO migrations VALUES (?, ?) ON CONFLICT DO UPDATE SET version = excluded.version')
        .run(layer, next + 1)
    })
  }
}

/** Runs `work` in one write transaction: all of it, or nothing when it throws. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** Names what SQLite met: a full disk is something the user can mend, and nothing that was acknowledged is lost by it. */
export function storeError(error: unknown): unknown {
  const { errcode } = error as { errcode?: number }
  if (errcode === undefined) return error
  if ((errcode & 0xff) === SQLITE_FULL || errcode === SQLITE_IOERR_SHMSIZE) {
    return new FeedError(
      'DISK_FULL',
      'the disk is full: nothing was written, and what was acknowledged before is safe. Make room and try again',
      { cause: error }
    )
  }
  return new FeedError('STORE_IO', `the store failed: ${(error as Error).message}`, { cause: error })
}
