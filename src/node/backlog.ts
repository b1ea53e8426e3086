// What has come since somebody began to read, for a reader who may be slower than what comes.
import type { FeedStore } from '../feeds/index.ts'

export class Backlog<Item> {
  readonly #store: FeedStore
  readonly #max: number
  readonly #items: Item[] = []
  #wake: (() => void) | undefined
  readonly #onClosed = (): void => this.#wake?.()

  /** @param max items that wait; past it the oldest are left out */
  constructor(store: FeedStore, max: number) {
    this.#store = store
    this.#max = max
    store.events.on('closed', this.#onClosed)
  }

  push(item: Item): void {
    if (this.#items.length >= this.#max) this.#items.shift()
    this.#items.push(item)
    this.#wake?.()
  }

  /** For one reader. Ends when the store is closed. @throws the signal's reason when it aborts */
  async *items(signal: AbortSignal | undefined): AsyncGenerator<Item> {
    const onAbort = (): void => this.#wake?.()
    signal?.addEventListener('abort', onAbort)
    try {
      while (this.#store.isOpen) {
        signal?.throwIfAborted()
        if (this.#items.length > 0) yield this.#items.shift()!
        else await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  close(): void {
    this.#store.events.off('closed', this.#onClosed)
    this.#wake?.()
  }
}
