// Builds behind what is derived from bodies (timeline, threads, tags, words, expiry), in slices short enough to stay out
// of sync's way. How far it got is stored with what it made, so a crash loses nothing.
import { setImmediate } from 'node:timers/promises'
import { schemaOf } from '../body.ts'
import { entriesOf } from '../run.ts'
import { type Derived, derivedOf, MAX_REACTIONS } from './derived.ts'
import { feedOfPlace, placeOf } from './schema.ts'
import type { FeedStore, StoredRun } from './store.ts'

/** Runs looked at before the event loop gets its turn, and the time after which a slice ends early, in ms. */
const SLICE_RUNS = 16
const SLICE_MS = 8
/** How long nothing must have arrived before bulk is indexed, in ms. Single entries are indexed at once. */
const IDLE_MS = 100
const BULK_ENTRIES = 256
/** How long single entries wait, so that several are indexed with one transaction, in ms. Who reads before does not wait. */
const SOON_MS = 20
/** Entries that are not indexed yet, from which on nobody waits for them who can do without. */
const MAX_AWAITED = 1_024
/** How long what was left by the last run waits, in ms: a start has enough to do. */
const START_MS = 2_000
/** How long to wait after the store failed (the disk is full), in ms. */
const RETRY_MS = 10_000
/** Body types by which entries are listed. */
const MAX_TYPES = 1_024

export interface IndexerOptions {
  /** Index words for search. @default true */
  hasFullText?: boolean
}

export class Indexer {
  readonly #store: FeedStore
  readonly #hasFullText: boolean
  #timer: NodeJS.Timeout | undefined
  #isStopped = false
  /** The timer stands for single entries: further ones do not put it off. */
  #isSoon = false
  /** As it is stored; read once. */
  #reachedArrival: number | undefined
  readonly #onExtended = (): void => this.#schedule()

  constructor(store: FeedStore, options: IndexerOptions = {}) {
    this.#store = store
    this.#hasFullText = options.hasFullText ?? true
    store.events.on('extended', this.#onExtended)
    if (this.behind > 0) this.#workIn(START_MS)
  }

  /** Stops; what is left is indexed after the next start. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#store.events.off('extended', this.#onExtended)
  }

  /** Entries that are stored but not yet indexed. */
  get behind(): number {
    return this.#store.arrival - this.#reached()
  }

  /** So much is not indexed yet that whoever can do without it does not wait. */
  get isFarBehind(): boolean {
    return this.behind >= MAX_AWAITED
  }

  /** Indexes all that is stored by now, in slices between which others get their turn. For reads that must miss nothing. */
  async catchUp(): Promise<void> {
    const goal = this.#store.arrival
    while (!this.#isStopped && this.#store.isOpen && this.#reached() < goal && this.#slice()) {
      if (this.#reached() < goal) await setImmediate()
    }
  }

  #reached(): number {
    this.#reachedArrival ??= Number(this.#store.meta('indexed') ?? 0)
    return this.#reachedArrival
  }

  #schedule(): void {
    if (this.#isStopped) return
    const behind = this.behind
    if (behind <= 0) return
    if (this.#isSoon && behind < BULK_ENTRIES) return
    clearTimeout(this.#timer)
    this.#isSoon = behind < BULK_ENTRIES
    this.#workIn(this.#isSoon ? SOON_MS : IDLE_MS)
  }

  #work(): void {
    this.#isSoon = false
    if (this.#isStopped || !this.#store.isOpen) return
    try {
      if (this.#slice() && this.behind > 0) this.#workIn(1)
    } catch {
      this.#workIn(RETRY_MS) // nothing of the slice was kept; whoever writes entries is told that the disk is full
    }
  }

  #workIn(delayMs: number): void {
    this.#timer = setTimeout(() => this.#work(), delayMs)
    this.#timer.unref()
  }

  /** @returns whether there was something to do */
  #slice(): boolean {
    const from = this.#reached() + 1
    const rows = this.#store.rowsByArrival(from, SLICE_RUNS)
    if (rows.length === 0) return false
    try {
      this.#reachedArrival = this.#store.write(() => {
        const reached = this.#indexRuns(rows)
        this.#store.setMeta('indexed', reached)
        return reached
      })
    } catch (error) {
      this.#types.clear() // numbers given in it are gone with it
      throw error
    }
    return true
  }

  /** @returns the arrival number of the last entry that is indexed now */
  #indexRuns(rows: readonly StoredRun[]): number {
    const start = performance.now()
    for (const row of rows) {
      this.#indexRun(row)
      if (performance.now() - start > SLICE_MS) return row.arrival + row.count - 1
    }
    return rows[rows.length - 1].arrival + rows[rows.length - 1].count - 1
  }

  #indexRun(row: StoredRun): void {
    const { num, height } = this.#store.feed(row.feed)!
    for (const entry of entriesOf(row)) {
      const derived = entry.seq > height ? undefined : derivedOf(entry, row.arrivedMs) // what is above lies beyond a fork
      if (derived !== undefined) this.#write(placeOf(num, entry.seq), derived)
    }
  }

  #write(place: number, { type, timeMs, links, reaction, tags, mentions, blobs, expiresMs, text }: Derived): void {
    const store = this.#store
    const typeNumber = this.#typeNumber(type)
    if (typeNumber !== undefined)
      store.run('INSERT OR IGNORE INTO timeline VALUES (?, ?, ?)', typeNumber, timeMs, place)
    for (const { target, kind } of links) store.run('INSERT OR IGNORE INTO links VALUES (?, ?, ?)', target, kind, place)
    if (reaction !== undefined) this.#writeReaction(place, reaction)
    for (const tag of tags) store.run('INSERT OR IGNORE INTO tags VALUES (?, ?, ?)', tag, timeMs, place)
    for (const did of mentions) store.run('INSERT OR IGNORE INTO mentions VALUES (?, ?, ?)', did, timeMs, place)
    for (const cid of blobs) store.run('INSERT OR IGNORE INTO blobs (place, cid) VALUES (?, ?)', place, cid)
    if (expiresMs !== undefined) store.run('INSERT OR IGNORE INTO expiries VALUES (?, ?)', expiresMs, place)
    if (text !== undefined && this.#hasFullText) {
      store.run('DELETE FROM search WHERE rowid = ?', place)
      store.run('INSERT INTO search (rowid, text) VALUES (?, ?)', place, text)
    }
  }

  /** Each reader of the entry looks at them all: one feed cannot make that dear. */
  #writeReaction(place: number, { target, emoji }: NonNullable<Derived['reaction']>): void {
    const feed = feedOfPlace(place)
    const { n } = this.#store.get('SELECT count(*) AS n FROM reactions WHERE target = ? AND feed = ?', target, feed)!
    if (Number(n) < MAX_REACTIONS)
      this.#store.run('INSERT OR IGNORE INTO reactions VALUES (?, ?, ?, ?)', target, feed, emoji, place)
  }

  readonly #types = new Map<string, number>()

  /** Undefined for a type that is unknown here when there are too many of them: each one makes every read dearer. */
  #typeNumber(name: string): number | undefined {
    const known = this.#types.get(name)
    if (known !== undefined) return known
    const isWelcome =
      schemaOf(name) !== undefined || Number(this.#store.get('SELECT count(*) AS n FROM types')!.n) < MAX_TYPES
    if (isWelcome) this.#store.run('INSERT OR IGNORE INTO types (name) VALUES (?)', name)
    const num = this.#store.get('SELECT num FROM types WHERE name = ?', name)?.num as number | undefined
    if (num !== undefined) this.#types.set(name, num)
    return num
  }
}
