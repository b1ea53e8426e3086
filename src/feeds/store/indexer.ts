// Builds behind what is derived from bodies (timeline, threads, tags, words, expiry), in slices short enough to stay out
// of sync's way. How far it got is stored with what it made, so a crash loses nothing.
import { setImmediate } from 'node:timers/promises'
import { type Body, decodeBody, renderable } from '../body.ts'
import { cidToEntryId } from '../entry-id.ts'
import { type Entry, FLAG_SEALED, VERSION } from '../entry.ts'
import { entriesOf } from '../run.ts'
import { LINK, shownTime } from './reader.ts'
import { placeOf, prefixOf } from './schema.ts'
import type { FeedStore, StoredRun } from './store.ts'

/** Runs looked at before the event loop gets its turn, and the time after which a slice ends early, in ms. */
const SLICE_RUNS = 16
const SLICE_MS = 8
/** How long nothing must have arrived before bulk is indexed, in ms. Single entries are indexed at once. */
const IDLE_MS = 100
const BULK_ENTRIES = 256

export interface IndexerOptions {
  /** Index words for search. @default true */
  hasFullText?: boolean
}

export class Indexer {
  readonly #store: FeedStore
  readonly #hasFullText: boolean
  #timer: NodeJS.Timeout | undefined
  #isStopped = false
  readonly #onExtended = (): void => this.#schedule()

  constructor(store: FeedStore, options: IndexerOptions = {}) {
    this.#store = store
    this.#hasFullText = options.hasFullText ?? true
    store.events.on('extended', this.#onExtended)
    this.#schedule()
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

  /** Indexes all that is stored by now, in slices between which others get their turn. For reads that must miss nothing. */
  async catchUp(): Promise<void> {
    const goal = this.#store.arrival
    while (!this.#isStopped && this.#store.isOpen && this.#reached() < goal && this.#slice()) {
      if (this.#reached() < goal) await setImmediate()
    }
  }

  #reached(): number {
    return Number(this.#store.meta('indexed') ?? 0)
  }

  #schedule(): void {
    if (this.#isStopped) return
    const behind = this.behind
    if (behind <= 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#work(), behind < BULK_ENTRIES ? 0 : IDLE_MS)
    this.#timer.unref()
  }

  #work(): void {
    if (this.#isStopped || !this.#store.isOpen) return
    if (!this.#slice()) return
    if (this.behind > 0) {
      this.#timer = setTimeout(() => this.#work(), 1)
      this.#timer.unref()
    }
  }

  /** @returns whether there was something to do */
  #slice(): boolean {
    const from = this.#reached() + 1
    const rows = this.#store.rowsByArrival(from, SLICE_RUNS)
    if (rows.length === 0) return false
    const start = performance.now()
    this.#store.write(() => {
      let reached = from - 1
      for (const row of rows) {
        this.#indexRun(row)
        reached = Math.max(reached, row.arrival + row.count - 1)
        if (performance.now() - start > SLICE_MS) break
      }
      this.#store.setMeta('indexed', reached)
    })
    return true
  }

  #indexRun(row: StoredRun): void {
    const num = this.#store.feed(row.feed)!.num
    for (const entry of entriesOf(row)) {
      const body = bodyOf(entry)
      if (body !== undefined) this.#indexBody(placeOf(num, entry.seq), body, shownTime({ time: entry.time, arrivedMs: row.arrivedMs }))
    }
  }

  #indexBody(place: number, body: Body, timeMs: number): void {
    const store = this.#store
    store.run('INSERT OR IGNORE INTO timeline VALUES (?, ?, ?)', this.#typeNumber(body.type), timeMs, place)
    const known = renderable(body)
    if (known === undefined) return
    if (known.type === 'reaction') this.#link(known.to, 'reaction', place)
    if (known.type !== 'post') return
    if (known.root !== undefined) this.#link(known.root, 'root', place)
    if (known.reply !== undefined) this.#link(known.reply, 'reply', place)
    for (const tag of known.tags ?? []) store.run('INSERT OR IGNORE INTO tags VALUES (?, ?, ?)', tag, timeMs, place)
    if (known.expires !== undefined) store.run('INSERT OR IGNORE INTO expiries VALUES (?, ?)', known.expires, place)
    if (this.#hasFullText) {
      store.run('DELETE FROM search WHERE rowid = ?', place)
      store.run('INSERT INTO search (rowid, text) VALUES (?, ?)', place, known.text)
    }
  }

  #link(target: Parameters<typeof cidToEntryId>[0], kind: keyof typeof LINK, place: number): void {
    const id = cidToEntryId(target)
    if (id !== undefined) this.#store.run('INSERT OR IGNORE INTO links VALUES (?, ?, ?)', prefixOf(id), LINK[kind], place)
  }

  readonly #types = new Map<string, number>()

  #typeNumber(name: string): number {
    let num = this.#types.get(name)
    if (num === undefined) {
      this.#store.run('INSERT OR IGNORE INTO types (name) VALUES (?)', name)
      num = this.#store.get('SELECT num FROM types WHERE name = ?', name)!.num as number
      if (this.#types.size < 1_000) this.#types.set(name, num)
    }
    return num
  }
}

/** The decoded body of an entry that this program can render, or undefined. */
export function bodyOf(entry: Entry): Body | undefined {
  if (entry.body === undefined || entry.version !== VERSION || (entry.flags & FLAG_SEALED) !== 0) return undefined
  return decodeBody(entry.body)
}

