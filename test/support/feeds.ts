// Feeds for tests: keys by name, stores that clean up after themselves, and entries made as an author makes them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Body, encodeBody } from '../../src/feeds/body.ts'
import { sha256 } from '../../src/feeds/entry.ts'
import { type CheckedRun, checkRun, entriesOf, idAt, joinRuns, lastOf, signRuns } from '../../src/feeds/run.ts'
import { type SigningKey, signingKey } from '../../src/feeds/signature.ts'
import { FeedStore } from '../../src/feeds/store/store.ts'
import { FeedClaims } from '../../src/feeds/sync/feed-claims.ts'
import { type MessageStream, messageStreamPair, type PairOptions } from '../../src/feeds/sync/message-stream.ts'
import { type SyncOptions, SyncSession } from '../../src/feeds/sync/session.ts'

/** The same key for the same name, in every test. */
export function keyOf(name: string): SigningKey {
  return signingKey(sha256(Buffer.from(`test key of ${name}`)))
}

/** Writes a feed without a store: what `key` signs, batch by batch. */
export class Author {
  readonly key: SigningKey
  /** The time its entries claim, Unix ms. */
  time = 1_700_000_000_000
  #place = { first: 1, prev: new Uint8Array(32) as Uint8Array }

  constructor(name: string) {
    this.key = keyOf(name)
  }

  /** One signature for each 64 of these bodies. */
  write(...bodies: Body[]): CheckedRun[] {
    const runs = signRuns(this.key, this.#place, bodies.map(encodeBody), this.time)
    const last = runs[runs.length - 1]
    this.#place = { first: lastOf(last) + 1, prev: idAt(last, last.count - 1) }
    return runs
  }

  post(...texts: string[]): CheckedRun[] {
    return this.write(...texts.map((text) => ({ type: 'post', text })))
  }

  /** Each of these bodies under a signature of its own, so that {@link cut} may cut the feed anywhere. */
  writeSingly(...bodies: Body[]): CheckedRun[] {
    return bodies.flatMap((body) => this.write(body))
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

/** Runs of single entries, joined to runs of these sizes, again and again: the same entries under fewer signatures. */
export function cut(singles: readonly CheckedRun[], sizes: readonly number[]): CheckedRun[] {
  const runs: CheckedRun[] = []
  for (let start = 0, i = 0; start < singles.length; i++) {
    const part = singles.slice(start, start + sizes[i % sizes.length])
    runs.push(checkRun(joinRuns(part)))
    start += part.length
  }
  return runs
}

/** What a store holds of a feed, as plain values: two stores that converged give the same. */
export function contentsOf(store: FeedStore, key: SigningKey): unknown {
  const feed = store.feed(key.publicKey)
  if (feed === undefined) return undefined
  const entries = feed.height === 0 ? [] : store.rows(feed, feed.low, feed.height).flatMap((row) => entriesOf(row))
  return {
    low: feed.low,
    height: feed.height,
    head: Buffer.from(feed.head).toString('hex'),
    frozen: feed.frozen,
    entries: entries
      .filter(({ seq }) => seq >= feed.low && seq <= feed.height)
      .map(({ seq, id, body }) => [seq, Buffer.from(id).toString('hex'), body && Buffer.from(body).toString('hex')])
  }
}

/** Offers runs again and again, as peers do, until no more of them is taken in. */
export function deliver(store: FeedStore, runs: readonly CheckedRun[]): void {
  for (let isStored = true; isStored;) {
    isStored = false
    for (const run of runs) if (store.ingest([run])[0].kind === 'stored') isStored = true
  }
}

/** A stream on which frames are sent in another way; all else is as it was. */
export function sending(stream: MessageStream, send: MessageStream['send']): MessageStream {
  return {
    send,
    receive: () => stream.receive(),
    close: () => stream.close(),
    abort: (error) => stream.abort(error),
    get bytesSent() {
      return stream.bytesSent
    },
    get bytesReceived() {
      return stream.bytesReceived
    }
  }
}

export interface LinkOptions {
  alice?: Partial<SyncOptions>
  bob?: Partial<SyncOptions>
  stream?: PairOptions
  /** Puts something between the sessions and their ends of the stream. */
  wrap?: (stream: MessageStream) => MessageStream
}

/** Two sessions over one stream in memory. */
export function connect(alice: FeedStore, bob: FeedStore, options: LinkOptions = {}) {
  const [a, b] = messageStreamPair(options.stream).map((stream) => options.wrap?.(stream) ?? stream)
  const aliceSession = new SyncSession(alice, a, {
    peer: 'bob',
    isInitiator: true,
    claims: new FeedClaims(),
    ...options.alice
  })
  const bobSession = new SyncSession(bob, b, {
    peer: 'alice',
    isInitiator: false,
    claims: new FeedClaims(),
    ...options.bob
  })
  const errors: unknown[] = []
  const running = [aliceSession.run(), bobSession.run()].map((run) =>
    run.catch((error: unknown) => void errors.push(error))
  )
  return {
    alice: aliceSession,
    bob: bobSession,
    errors,
    get bytes() {
      return a.bytesSent + b.bytesSent
    },
    settled: () => until(() => aliceSession.stats.isSettled && bobSession.stats.isSettled, 'both have settled'),
    ended: Promise.all(running),
    async close() {
      await Promise.allSettled([a.close(), b.close()])
      await Promise.all(running)
    }
  }
}
