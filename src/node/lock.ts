// One node per data directory. The lock is SQLite's on an empty file: an advisory lock of the operating system, which
// ends with the process however it ends (SIGKILL, power cut), so that no stale lock can be left.
//
// Node has no flock(); a file with a process id in it goes stale, and a reused id after a reboot locks the owner out;
// a socket's name is not removed by SIGKILL. The file stays empty, so that no power cut can damage it. Nothing else in
// this process may open it: POSIX drops a process's locks on a file when it closes any descriptor of that file.
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { NodeError } from './comrade.ts'

const SQLITE_BUSY = 5
const SQLITE_FULL = 13

/** A held lock. */
export interface HomeLock {
  /** Lets the next one in. May be called twice. */
  release(): void
  [Symbol.dispose](): void
}

/**
 * Takes the lock without waiting.
 * @param path of the lock file, made when it is missing; `<path>.pid` beside it tells people who holds it
 * @throws NodeError HOME_IN_USE when another node holds it, in this process or another; DISK_FULL, FAILED when it cannot
 *   be taken
 */
export function lockHome(path: string): HomeLock {
  makeFile(path)
  const database = take(path)
  const release = (): void => {
    if (!database.isOpen) return
    rmSync(pidFile(path), { force: true })
    database.close()
  }
  try {
    writeFileSync(pidFile(path), `${process.pid}\n`, { mode: 0o600 })
  } catch {
    // Full disk: who holds the lock is a courtesy, the lock itself is held.
  }
  return { release, [Symbol.dispose]: release }
}

/** Process id of the node that holds, or last held, the lock; undefined when it is not known. */
export function lockHolder(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile(path), 'utf8').slice(0, 16))
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined // nobody wrote one
  }
}

/** BEGIN IMMEDIATE holds the lock as long as the connection stays open; nothing is ever written. */
function take(path: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: 0 })
    database.exec('BEGIN IMMEDIATE')
    return database
  } catch (error) {
    database?.close()
    const code = ((error as { errcode?: number }).errcode ?? 0) % 256
    if (code === SQLITE_BUSY) throw inUse(path, error)
    if (code === SQLITE_FULL)
      throw new NodeError('DISK_FULL', `the disk is full: ${path} cannot be locked; make room, then start again`, {
        cause: error
      })
    throw new NodeError('FAILED', `the lock ${path} cannot be taken: ${(error as Error).message}`, { cause: error })
  }
}

/** Makes the file for its owner alone; never opens one that exists (see above). */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    throw new NodeError('FAILED', `the lock ${path} cannot be made: ${(error as Error).message}`, { cause: error })
  }
}

function inUse(path: string, cause: unknown): NodeError {
  const pid = lockHolder(path)
  const holder = pid === undefined ? 'another process' : pid === process.pid ? 'this process' : `process ${pid}`
  return new NodeError(
    'HOME_IN_USE',
    `another node runs in this home already (${holder} holds ${path}): stop it first, or give another --home`,
    { cause }
  )
}

function pidFile(path: string): string {
  return `${path}.pid`
}
