// A disk whose power can be cut: a file system in a file. What the file holds at a moment is what has reached the disk, and
// no more: what a program has written and not synced is still in memory, as it is with a real disk.
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'

const SIZE = 64 * 2 ** 20
/** What would reach the disk by itself every few seconds waits for longer than a test takes. */
const LAZY = 'loop,noatime,commit=300'

export class CutDisk implements Disposable {
  readonly path: string
  readonly #image: string

  private constructor(path: string, image: string) {
    this.path = path
    this.#image = image
  }

  /**
   * Makes an empty one. @param path a directory that is made, for files; the image lies beside it
   * @returns why it cannot be done here (it takes root, and loop devices), in words
   */
  static make(path: string): CutDisk | string {
    const image = `${path}.image`
    try {
      writeFileSync(image, '')
      truncateSync(image, SIZE)
      execFileSync('mkfs.ext4', ['-q', '-F', image], { stdio: 'pipe' })
      return CutDisk.#mount(path, image)
    } catch (error) {
      return `a file system cannot be made and mounted by this user: ${(error as Error).message}`
    }
  }

  /**
   * What there would be if the power were cut now. Whoever writes has to be stopped meanwhile.
   * @param path a directory that is made, where it is mounted
   */
  cut(path: string): CutDisk {
    const image = `${path}.image`
    execFileSync('cp', ['--sparse=always', this.#image, image], { stdio: 'pipe' })
    return CutDisk.#mount(path, image)
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['-l', this.path], { stdio: 'pipe' })
    rmSync(this.#image, { force: true })
  }

  static #mount(path: string, image: string): CutDisk {
    mkdirSync(path, { mode: 0o700 })
    execFileSync('mount', ['-o', LAZY, image, path], { stdio: 'pipe' })
    return new CutDisk(path, image)
  }
}
