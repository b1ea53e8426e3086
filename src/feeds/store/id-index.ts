// Finds entries by id. Ids are random, so each insertion into a B-tree would rewrite a page of its own: new ones wait in
// memory until there are enough for one sorted pass. After a restart they are computed again from the newest runs.
import { HASH_SIZE } from '../entry.ts'
import { type CheckedRun, idsOf } from '../run.ts'
import { placeOf, prefixOf } from './schema.ts'
import type { Stored } from './stored.ts'

/** Entries that wait in memory. A look-up scans them in some microseconds. */
const CAPACITY = 8_192
const MARK = 'ids'

export class IdIndex {
  readonly #store: Stored
  readonly #prefixes = new Float64Array(CAPACITY)
  readonly #places = new Float64Array(CAPACITY)
  #waiting = 0

  constructor(store: Stored) {
    this.#store = store
  }

  /** Computes anew what had not been written when the store was closed, or was undone by a failed transaction. */
  reload(): void {
    this.#waiting = 0
    let from = Number(this.#store.meta(MARK) ?? 0) + 1
    for (let isEnd = false; !isEnd;) {
      const rows = this.#store.rowsByArrival(from, 64)
      isEnd = rows.length === 0
      for (const row of rows) {
        from = row.arrival + row.count
        this.add(this.#store.feed(row.feed)!.num, { ...row, ids: idsOf(row) }, from - 1)
      }
    }
  }

  /** Notes the entries of a run that is being stored. @param arrival the number of its last entry */
  add(feed: number, run: CheckedRun, arrival: number): void {
    if (this.#waiting + run.count > CAPACITY) this.#flush(arrival - run.count)
    this.#hold(feed, run)
  }

  /** Places at which an entry with an id of this prefix may stand. */
  find(id: Uint8Array): number[] {
    const prefix = prefixOf(id)
    const places = this.#store.all('SELECT place FROM ids WHERE prefix = ?', prefix).map((row) => row.place as number)
    for (let i = 0; i < this.#waiting; i++) if (this.#prefixes[i] === prefix) places.push(this.#places[i])
    return places
  }

  #hold(feed: number, run: CheckedRun): void {
    const place = placeOf(feed, run.first)
    for (let i = 0; i < run.count; i++) {
      this.#prefixes[this.#waiting] = prefixOf(run.ids, i * HASH_SIZE)
      this.#places[this.#waiting++] = place + i
    }
  }

  #flush(arrival: number): void {
    const order = Uint32Array.from({ length: this.#waiting }, (_, i) => i).sort(
      (a, b) => this.#prefixes[a] - this.#prefixes[b]
    )
    const insert = this.#store.prepare('INSERT OR IGNORE INTO ids VALUES (?, ?)')
    for (const i of order) insert.run(this.#prefixes[i], this.#places[i])
    this.#store.setMeta(MARK, arrival)
    this.#waiting = 0
  }
}
