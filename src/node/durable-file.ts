// Files that are replaced so that a crash or power cut leaves the old one or the new one, whole.
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { NodeError } from './comrade.ts'

/**
 * Replaces a file so that after a crash or power cut either the old or the new one is there, whole. Returns when it is
 * on the disk.
 * @param mode @default 0600
 */
export function replaceFile(path: string, content: Uint8Array | string, mode = 0o600): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    writeDurably(temporary, content, mode)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw writeError(path, error)
  }
  syncDirectory(dirname(path))
}

/** Writes a new file and waits until it is on the disk; one that was left at this path by a crash is written anew. */
export function writeDurably(path: string, content: Uint8Array | string, mode = 0o600): void {
  rmSync(path, { force: true })
  const file = openSync(path, 'wx', mode)
  try {
    writeFileSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Waits until the names in a directory are on the disk. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return // a directory cannot be opened there; NTFS journals its names
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/** Names what a failed write met. */
export function writeError(path: string, error: unknown): NodeError {
  const { message } = error as NodeJS.ErrnoException
  if (isDiskFull(error)) {
    return new NodeError('DISK_FULL', `the disk is full: ${path} was not changed. Make room and try again`, {
      cause: error
    })
  }
  return new NodeError('FAILED', `${path} could not be written: ${message}`, { cause: error })
}
