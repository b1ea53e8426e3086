// Feeds for tests: keys by name, stores that clean up after themselves, and entries made as an author makes them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Body, encodeBody } from '../../src/feeds/body.ts'
import { sha256 } from '../../src/feeds/entry.ts'
import { type CheckedRun, idAt, lastOf, signRuns } from '../../src/feeds/run.ts'
import { type SigningKey, signingKey } from '../../src/feeds/signature.ts'
import { FeedStore } from '../../src/feeds/store/store.ts'

/** The same key for the same name, in every test. */
export function keyOf(name: string): SigningKey {
  return signingKey(sha256(Buffer.from(`test key of ${name}`)))
}

/** Writes a feed without a store: what `key` signs, batch by batch. */
export class Author {
  readonly key: SigningKey
  #place = { first: 1, prev: new Uint8Array(32) as Uint8Array }

  constructor(name: string) {
    this.key = keyOf(name)
  }

  /** One signature for each 64 of these bodies. */
  write(...bodies: Body[]): CheckedRun[] {
    const runs = signRuns(this.key, this.#place, bodies.map(encodeBody), 1_700_000_000_000)
    const last = runs[runs.length - 1]
    this.#place = { first: lastOf(last) + 1, prev: idAt(last, last.count - 1) }
    return runs
  }

  post(...texts: string[]): CheckedRun[] {
    return this.write(...texts.map((text) => ({ type: 'post', text })))
  }

  /** Another machine with the same key that stands where this one stands. */
  clone(): Author {
    const clone = new Author('')
    Object.defineProperty(clone, 'key', { value: this.key })
    clone.#place = { ...this.#place }
    return clone
  }
}

export function texts(count: number, word = 'post'): string[] {
  return Array.from({ length: count }, (_, i) => `${word} ${i + 1}`)
}

/** A store in memory or in a fresh directory; gone at the end of the test. */
export function temporaryStore(kind: 'memory' | 'disk' = 'memory'): { store: FeedStore; path: string } & Disposable {
  const directory = kind === 'disk' ? mkdtempSync(join(tmpdir(), 'comrade-store-')) : undefined
  const path = directory === undefined ? ':memory:' : join(directory, 'feeds.sqlite')
  const store = FeedStore.open(path)
  return {
    store,
    path,
    [Symbol.dispose]() {
      store.close()
      if (directory !== undefined) rmSync(directory, { recursive: true })
    }
  }
}

/** Wants these feeds, besides those that were wanted before. */
export function want(store: FeedStore, ...keys: SigningKey[]): void {
  const before = store.wantedFeeds().map((feed) => ({ feed: feed.key, priority: feed.priority! }))
  store.setWanted([...before, ...keys.map((key) => ({ feed: key.publicKey, priority: 1 }))])
}

/** Waits until something holds, with a time limit. */
export async function until(holds: () => boolean, what: string, limitMs = 5_000): Promise<void> {
  const end = performance.now() + limitMs
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
