// A disk of a few MiB that can be filled, for what a node does when nothing more can be written.
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const CHUNK = Buffer.alloc(65_536)

export class SmallDisk implements Disposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /**
   * Mounts a tmpfs on an empty directory.
   * @returns why it cannot be done here (it takes root), in words
   */
  static mount(path: string, sizeBytes: number): SmallDisk | string {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes},mode=0700`, 'tmpfs', path], { stdio: 'pipe' })
      return new SmallDisk(path)
    } catch (error) {
      return `a small file system cannot be mounted by this user: ${(error as Error).message}`
    }
  }

  /** Takes all room but this much. */
  fill(leaveBytes: number): void {
    const file = openSync(this.#ballast, 'a')
    try {
      while (this.#freeBytes() - leaveBytes >= 4_096)
        writeSync(file, CHUNK, 0, Math.min(CHUNK.length, this.#freeBytes() - leaveBytes))
    } finally {
      closeSync(file)
    }
  }

  makeRoom(): void {
    rmSync(this.#ballast)
  }

  get #ballast(): string {
    return join(this.path, 'ballast')
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path)
    return bavail * bsize
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['--lazy', this.path])
  }
}
