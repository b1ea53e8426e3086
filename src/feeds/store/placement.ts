// Where a run goes: it continues what is stored upwards or downwards, is known already, leaves a gap, or proves a fork.
import { encodeForkProof, proveFork } from '../fork.ts'
import {
  type CheckedRun,
  entriesOf,
  headersOf,
  idAt,
  idsOf,
  lastOf,
  MAX_RUN_BYTES,
  recordsBetween,
  tailOf
} from '../run.ts'
import { forgetDerived } from './derived.ts'
import { applyErasures, noteWishes } from './erasure.ts'
import { deleteAll } from './deletion.ts'
import type { IdIndex } from './id-index.ts'
import { isOutgrown } from './limits.ts'
import { placeOf } from './schema.ts'
import { type FeedState, idOf, type Stored, type StoredRun } from './stored.ts'

/** What became of a run that was offered. */
export type IngestOutcome =
  | { kind: 'stored'; from: number; to: number }
  | { kind: 'known' }
  | { kind: 'unwanted' }
  /** Entries between what is stored and this run are missing. Nothing was kept. */
  | { kind: 'gap'; from: number; to: number }
  /** It contradicts what is stored from a seq below `before` on; a run from there will prove the fork. */
  | { kind: 'diverges'; before: number }
  | { kind: 'frozen' }

/** What grows with every change; undone together with the transaction it was part of. */
export interface Counters {
  change: number
  /** The number that the next entry to arrive gets. */
  arrival: number
}

/** Every method runs inside a write transaction of its caller. */
export class Placement {
  readonly #stored: Stored
  readonly #ids: IdIndex
  readonly #counters: Counters

  constructor(stored: Stored, ids: IdIndex, counters: Counters) {
    this.#stored = stored
    this.#ids = ids
    this.#counters = counters
  }

  /** Finds the run's place relative to low and height, and writes what is new of it. `feed` is brought up to date. */
  place(feed: FeedState, run: CheckedRun): IngestOutcome {
    // A run may reach beyond the last entry that counts: with its signature, but not with its height.
    const last = Math.min(lastOf(run), feed.last ?? Infinity)
    const head = idAt(run, last - run.first)
    if (isOutgrown(feed, last) && run.first > feed.height + 1) this.#beginAnew(feed)
    if (feed.height === 0) return this.#insert(feed, run, { low: run.first, height: last, head })
    if (run.first > feed.height + 1) return { kind: 'gap', from: feed.height + 1, to: run.first - 1 }
    if (last < feed.low - 1) return { kind: 'gap', from: last + 1, to: feed.low - 1 }
    if (last > feed.height) {
      const before = run.first === feed.height + 1 ? run.prev : idAt(run, feed.height - run.first)
      if (!isEqual(before, feed.head)) return this.#conflict(feed, run)
      return this.#insert(feed, tailOf(run, feed.height + 1), { height: last, head })
    }
    if (last === feed.low - 1) {
      if (!isEqual(head, this.#idBefore(feed, feed.low))) return { kind: 'diverges', before: feed.low }
      return this.#insert(feed, run, { low: run.first })
    }
    if (!isEqual(head, idOf(this.#stored, feed, last)!)) return this.#conflict(feed, run)
    return run.first < feed.low ? this.#insertAcrossLow(feed, run) : { kind: 'known' }
  }

  /** Lets go of all that is held: only newer entries are kept, and the run is among those. */
  #beginAnew(feed: FeedState): void {
    deleteAll(this.#stored, feed)
    Object.assign(feed, { low: 1, height: 0, head: new Uint8Array(), beforeLow: undefined, bytes: 0 })
  }

  #insert(
    feed: FeedState,
    run: CheckedRun,
    grown: { low?: number; height?: number; head?: Uint8Array }
  ): IngestOutcome {
    const place = placeOf(feed.num, run.first)
    const records = applyErasures(this.#stored, place, run)
    const change = ++this.#counters.change
    this.#stored.run(
      'INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)',
      place,
      run.count,
      this.#counters.arrival,
      Date.now(),
      run.prev,
      run.signature,
      records
    )
    this.#counters.arrival += run.count
    this.#ids.add(feed.num, run, this.#counters.arrival - 1)
    this.#stored.run(
      'UPDATE feeds SET low = ?, height = ?, head = ?, bytes = bytes + ?, bare = min(bare, ?), changed = ? WHERE num = ?',
      grown.low ?? feed.low,
      grown.height ?? feed.height,
      grown.head ?? feed.head,
      records.length,
      run.first - 1,
      change,
      feed.num
    )
    // The caller's state goes along, so that the next run of a batch needs no look at the table.
    Object.assign(feed, grown, {
      changed: change,
      bytes: feed.bytes + records.length,
      beforeLow: feed.height === 0 || grown.low !== undefined ? run.prev : feed.beforeLow
    })
    noteWishes(this.#stored, feed, run)
    return { kind: 'stored', from: run.first, to: Math.min(lastOf(run), feed.height) }
  }

  /** A run that begins below `low` and ends inside what is stored: it takes the place of the rows it covers. */
  #insertAcrossLow(feed: FeedState, run: CheckedRun): IngestOutcome {
    const { low } = feed
    const last = lastOf(run)
    const rows = this.#stored.rows(feed, low, last)
    const whole = withStored(run, low, rows)
    if (whole.records.length > MAX_RUN_BYTES) return { kind: 'known' } // a row must fit into a run that can be sent on
    for (const row of rows) this.#takeOut(feed, row, last)
    this.#insert(feed, whole, { low: run.first })
    return { kind: 'stored', from: run.first, to: low - 1 }
  }

  /** Takes a row out, but for what it holds after `last`. What was derived from it is found anew under the new row's time. */
  #takeOut(feed: FeedState, row: StoredRun, last: number): void {
    for (const entry of entriesOf(row)) {
      if (entry.seq <= last) forgetDerived(this.#stored, placeOf(feed.num, entry.seq), entry, row.arrivedMs)
    }
    this.#stored.run('DELETE FROM runs WHERE place = ?', placeOf(feed.num, row.first))
    this.#stored.run('UPDATE feeds SET bytes = bytes - ? WHERE num = ?', row.records.length, feed.num)
    if (lastOf(row) > last) this.#reinsertTail(feed, row, last)
  }

  #reinsertTail(feed: FeedState, row: StoredRun, last: number): void {
    const tail = tailOf({ ...row, ids: idsOf(row) }, last + 1)
    this.#stored.run(
      'INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)',
      placeOf(feed.num, tail.first),
      tail.count,
      row.arrival + (tail.first - row.first),
      row.arrivedMs,
      tail.prev,
      tail.signature,
      tail.records
    )
    this.#stored.run('UPDATE feeds SET bytes = bytes + ? WHERE num = ?', tail.records.length, feed.num)
  }

  /** The run and the store disagree: proves the fork where it began, or says where to look for that. */
  #conflict(feed: FeedState, run: CheckedRun): IngestOutcome {
    const from = Math.max(run.first, feed.low)
    const to = Math.min(lastOf(run), feed.height)
    for (let seq = from; seq <= to; seq++) {
      if (isEqual(idAt(run, seq - run.first), idOf(this.#stored, feed, seq)!)) continue
      if (seq === from && seq > 1 && !isEqual(idBefore(run, seq), this.#idBefore(feed, seq))) break
      const row = this.#stored.rows(feed, seq, seq)[0]
      const proof = proveFork(
        run.feed,
        { headers: headersOf(row, seq), signature: row.signature },
        { headers: headersOf(run, seq), signature: run.signature }
      )
      this.freeze(feed, seq, encodeForkProof(proof))
      return { kind: 'frozen' }
    }
    return { kind: 'diverges', before: from }
  }

  /** Keeps the common prefix. Own rows beyond it stay on the disk, unreachable by sync, so that their text is not lost. */
  freeze(feed: FeedState, seq: number, proof: Uint8Array): void {
    const height = seq - 1 < feed.low ? 0 : Math.min(feed.height, seq - 1)
    const head = height === 0 ? new Uint8Array() : idOf(this.#stored, feed, height)!
    if (!feed.isOwn) this.#deleteFrom(feed, seq)
    this.#stored.run(
      'INSERT INTO forks VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET proof = ?2',
      feed.num,
      proof,
      Date.now()
    )
    this.#stored.run(
      'UPDATE feeds SET frozen = ?, low = ?, height = ?, head = ?, changed = ? WHERE num = ?',
      seq,
      height === 0 ? 1 : feed.low,
      height,
      head,
      ++this.#counters.change,
      feed.num
    )
  }

  #deleteFrom(feed: FeedState, seq: number): void {
    const [from, to] = [placeOf(feed.num, seq), placeOf(feed.num + 1, 0) - 1]
    this.keepArrival()
    for (const table of ['runs', 'timeline', 'links', 'reactions', 'tags', 'mentions', 'expiries', 'expired', 'blobs'])
      this.#stored.run(`DELETE FROM ${table} WHERE place BETWEEN ? AND ?`, from, to)
    this.#stored.run('DELETE FROM search WHERE rowid BETWEEN ? AND ?', from, to)
    const left = 'SELECT coalesce(sum(length(records)), 0) FROM runs WHERE place BETWEEN ? AND ?'
    this.#stored.run(`UPDATE feeds SET bytes = (${left}) WHERE num = ?`, placeOf(feed.num, 0), to, feed.num)
  }

  /** Arrival numbers of deleted runs are not given out again: whoever follows them would take new entries for old. */
  keepArrival(): void {
    this.#stored.setMeta('arrival', this.#counters.arrival)
  }

  /** The id before a stored entry, which the lowest one's run names too. */
  #idBefore(feed: FeedState, seq: number): Uint8Array {
    if (seq === feed.low) return feed.beforeLow ?? this.#stored.rows(feed, seq, seq)[0].prev
    return idOf(this.#stored, feed, seq - 1)!
  }
}

/** A run that reaches below `low`, with the stored records from there on: no body goes because a peer has it no more. */
function withStored(run: CheckedRun, low: number, rows: readonly StoredRun[]): CheckedRun {
  const stored = rows.map((row) => recordsBetween(row, row.first, Math.min(lastOf(row), lastOf(run))))
  const held = lastOf(rows[rows.length - 1]) // the run may reach further where the height is bounded
  const beyond = held < lastOf(run) ? [recordsBetween(run, held + 1, lastOf(run))] : []
  return { ...run, records: Buffer.concat([recordsBetween(run, run.first, low - 1), ...stored, ...beyond]) }
}

/** The id that a run names before its entry `seq`. */
function idBefore(run: CheckedRun, seq: number): Uint8Array {
  return seq === run.first ? run.prev : idAt(run, seq - 1 - run.first)
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
