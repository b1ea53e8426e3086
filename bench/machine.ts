// The machine that the figures belong to, and how many times a second its disk makes a small write durable.
import { closeSync, fdatasyncSync, openSync, readFileSync, statfsSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'

const PROBE_MS = 1_000
const PROBE_BYTES = 4_096

/** Lines for the table's head. `directory` is where the stores lie. */
export function describeMachine(directory: string, syncsPerSecond: number): string[] {
  return [
    `Date: ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    `CPU: ${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores; memory ${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    `System: ${type()} ${release()}; Node ${process.version}`,
    `Disk: ${fileSystem(directory)}; ${Math.round(syncsPerSecond).toLocaleString('en')} fdatasync/s (4 KiB appended each time)`
  ]
}

/** Appends 4 KiB and syncs them, again and again, for a second. */
export function probeDisk(directory: string): number {
  const file = openSync(join(directory, 'fsync-probe'), 'w')
  const block = Buffer.alloc(PROBE_BYTES, 1)
  const start = performance.now()
  let syncs = 0
  try {
    while (performance.now() - start < PROBE_MS) {
      writeSync(file, block)
      fdatasyncSync(file)
      syncs++
    }
  } finally {
    closeSync(file)
  }
  return syncs / ((performance.now() - start) / 1_000)
}

/** Type of the file system that holds a directory, by /proc/mounts' longest match. */
function fileSystem(directory: string): string {
  try {
    const mounts = readFileSync('/proc/self/mounts', 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
    const [, , kind] = mounts
      .filter(([, point]) => `${directory}/`.startsWith(point.endsWith('/') ? point : `${point}/`))
      .reduce((best, mount) => (mount[1].length >= best[1].length ? mount : best))
    return kind
  } catch {
    return `type 0x${statfsSync(directory).type.toString(16)}` // not Linux
  }
}
