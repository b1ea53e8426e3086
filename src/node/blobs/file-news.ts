// Tells how far files of others have come: often enough to be watched, and not with every chunk.
import { formatBlobId } from '../../blobs/index.ts'
import type { FileProgress } from './contract.ts'

/** How often one file is told of, in ms. */
const INTERVAL_MS = 300
/** Files that are told of at a time. What waits can be asked for: {@link FileProgress} of all. */
const MAX_FILES = 64

export interface FileNewsOptions {
  /** How far a blob has come. */
  progressOf: (id: Uint8Array) => FileProgress
  onNews: (progress: FileProgress) => void
}

export class FileNews {
  readonly #options: FileNewsOptions
  readonly #changed = new Map<string, Uint8Array>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: FileNewsOptions) {
    this.#options = options
  }

  /** Something of a blob came, or whether it comes has changed. */
  onChanged(id: Uint8Array): void {
    const name = formatBlobId(id)
    if (this.#changed.size >= MAX_FILES && !this.#changed.has(name)) return
    this.#changed.set(name, id)
    this.#timer ??= setTimeout(() => this.#tell(), INTERVAL_MS).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#changed.clear()
  }

  #tell(): void {
    const ids = [...this.#changed.values()]
    this.stop()
    for (const id of ids) this.#options.onNews(this.#options.progressOf(id))
  }
}
