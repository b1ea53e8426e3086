// The store of feeds: what is held of which feed, and the rules by which a run is taken in. Every write is one
// transaction, and listeners hear of it after it was committed.
import { EventEmitter } from 'node:events'
import { randomBytes } from 'node:crypto'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { HASH_SIZE } from '../entry.ts'
import { FeedError } from '../errors.ts'
import { type ForkProof, encodeForkProof, proveFork, verifyForkProof } from '../fork.ts'
import { type CheckedRun, headersOf, idAt, idsOf, lastOf, placesOf, type Run, tailOf, entriesOf, MAX_RUN_BYTES, recordsBetween } from '../run.ts'
import { migrate, openDatabase, transaction } from './database.ts'
import { applyErasures, noteWishes } from './erasure.ts'
import { IdIndex } from './id-index.ts'
import { forgetDerived } from './derived.ts'
import { FEEDS_MIGRATIONS, MAX_FEEDS, placeOf, seqOfPlace } from './schema.ts'

/** Bytes of the random name under which a store's change counter is known to peers. */
export const EPOCH_SIZE = 8
/** After an unclean end, changes that peers saw may be gone here: the counter goes on beyond all of them. */
const COUNTER_SKIP = 0x100_0000

/** What is held of one feed. Stored is everything from `low` to `height`; nothing when height is 0. */
export interface FeedState {
  num: number
  key: Uint8Array
  low: number
  height: number
  /** Id of the entry at `height`; empty at height 0. */
  head: Uint8Array
  /** Change counter at its last change, and when it was last wanted anew. */
  changed: number
  wantedSince: number
  /** undefined: not wanted. 0: own, 1: followed, 2: further away. */
  priority: number | undefined
  /** The seq from which on the feed is not trusted, because a fork was proven. */
  frozen: number | undefined
  isOwn: boolean
  /** Nothing in it may be erased. */
  isWhole: boolean
}

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

/** A feed grew: entries `from` to `to` are stored. */
export interface Extension {
  feed: FeedState
  from: number
  to: number
  /** Whoever handed the entries to the store, so that they are not sent back there. */
  origin: unknown
}

export interface StoreEvents {
  extended: [Extension]
  /** A feed is wanted that was not, or no longer is. */
  wanted: [FeedState]
  /** A fork was proven; the feed is frozen. */
  fork: [FeedState]
  /** A peer holds more of an own feed than this store: whoever signs it must catch up first. */
  ownAhead: [{ feed: FeedState; height: number }]
}

/** A feed to be kept, and how dear it is: 0 own, 1 followed, 2 further away. */
export interface WantedFeed {
  feed: Uint8Array
  priority: number
  /** Runs with erased bodies are not taken: an identity log says nothing when a body is missing. @default false */
  isWhole?: boolean
}

type Row = Record<string, unknown>

export class FeedStore {
  readonly database: DatabaseSync
  readonly events = new EventEmitter<StoreEvents>()
  /** Names this store's change counter. New after a restored copy was noticed. */
  epoch: Uint8Array
  #counter: number
  #arrival: number
  #isDurable = false
  #isOpen = true
  /** Finds entries by id. */
  readonly ids = new IdIndex(this)
  readonly #statements = new Map<string, StatementSync>()

  /** @param path a file, or ':memory:' */
  static open(path: string): FeedStore {
    const database = openDatabase(path)
    try {
      migrate(database, 'feeds', FEEDS_MIGRATIONS)
      return new FeedStore(database)
    } catch (error) {
      database.close()
      throw error
    }
  }

  private constructor(database: DatabaseSync) {
    this.database = database
    this.events.setMaxListeners(0)
    this.epoch = (this.meta('epoch') as Uint8Array | undefined) ?? this.renewEpoch()
    const counter = Number(this.get('SELECT max(changed) AS n FROM feeds')?.n ?? 0)
    const reached = Math.max(counter, Number(this.meta('counter') ?? 0))
    this.#counter = this.meta('clean') === 1 ? reached : reached + COUNTER_SKIP
    const arrived = Number(this.get('SELECT arrival + count AS n FROM runs ORDER BY arrival DESC LIMIT 1')?.n ?? 1)
    this.#arrival = Math.max(arrived, Number(this.meta('arrival') ?? 1))
    this.write(
      () => {
        this.#saveCounter(0)
        this.ids.reload()
      },
      { isDurable: true }
    )
  }

  /** Leaves a clean mark, so that peers can go on from the cursor they have. Safe to call twice. */
  close(): void {
    if (!this.#isOpen) return
    try {
      this.write(() => this.#saveCounter(1), { isDurable: true })
    } finally {
      this.#isOpen = false
      this.#statements.clear()
      this.database.close()
    }
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** The number of the last change; grows with every change of a feed's height, want or freeze. */
  get counter(): number {
    return this.#counter
  }

  /** The arrival number of the newest entry. */
  get arrival(): number {
    return this.#arrival - 1
  }

  /** Forgets what peers were told: they compare everything anew. */
  renewEpoch(): Uint8Array {
    const epoch = new Uint8Array(randomBytes(EPOCH_SIZE))
    this.write(() => {
      this.setMeta('epoch', epoch)
      this.run('DELETE FROM sync_peers')
    })
    this.epoch = epoch
    return epoch
  }

  /** The feed's state, or undefined when it was never wanted. */
  feed(key: Uint8Array): FeedState | undefined {
    return toFeedState(this.get('SELECT * FROM feeds WHERE key = ?', key))
  }

  feedByNumber(num: number): FeedState | undefined {
    return toFeedState(this.get('SELECT * FROM feeds WHERE num = ?', num))
  }

  /** All wanted feeds, dearest first. */
  wantedFeeds(): FeedState[] {
    return this.all('SELECT * FROM feeds WHERE priority IS NOT NULL ORDER BY priority, num').map((row) => toFeedState(row)!)
  }

  /** Wanted feeds whose older entries are not all here. */
  feedsWithGap(): FeedState[] {
    return this.all('SELECT * FROM feeds WHERE low > 1 AND priority IS NOT NULL ORDER BY priority').map((row) => toFeedState(row)!)
  }

  /** Feeds that changed after the counter stood at `cursor`, in the order of their changes. */
  changedSince(cursor: number): FeedState[] {
    return this.all('SELECT * FROM feeds WHERE changed > ? ORDER BY changed', cursor).map((row) => toFeedState(row)!)
  }

  /** Sets which feeds are kept; what is no longer wanted stays on the disk until {@link removeUnwanted}. */
  setWanted(wanted: readonly WantedFeed[]): void {
    const before = new Map(this.wantedFeeds().map((feed) => [keyName(feed.key), feed]))
    const changed: Uint8Array[] = []
    this.write(() => {
      for (const { feed, priority, isWhole = false } of wanted) {
        const known = before.get(keyName(feed))
        before.delete(keyName(feed))
        if (known?.priority === priority && known.isWhole === isWhole) continue
        if (known === undefined) changed.push(feed)
        this.#want(feed, priority, isWhole, known === undefined)
      }
      for (const feed of before.values()) {
        if (feed.isOwn) continue
        this.run('UPDATE feeds SET priority = NULL, changed = ? WHERE num = ?', ++this.#counter, feed.num)
        changed.push(feed.key)
      }
    })
    for (const key of changed) this.events.emit('wanted', this.feed(key)!)
  }

  #want(key: Uint8Array, priority: number, isWhole: boolean, isNew: boolean): void {
    const changed = isNew ? ++this.#counter : 0
    this.run(
      `INSERT INTO feeds (key, priority, changed, wanted, whole) VALUES (?1, ?2, ?3, ?3, ?4)
       ON CONFLICT DO UPDATE SET priority = ?2, changed = max(changed, ?3), wanted = max(wanted, ?3), whole = ?4`,
      key,
      priority,
      changed,
      isWhole ? 1 : 0
    )
    if (isNew && this.feed(key)!.num >= MAX_FEEDS) throw new FeedError('STORE_IO', `a store holds at most ${MAX_FEEDS} feeds`)
  }

  /** Marks a feed as written by this device: always wanted, and continued by {@link append}. */
  own(key: Uint8Array): FeedState {
    this.write(() => {
      const known = this.feed(key)
      if (known?.priority !== 0) this.#want(key, 0, known?.isWhole ?? false, true)
      this.run('UPDATE feeds SET own = 1 WHERE key = ?', key)
    })
    return this.feed(key)!
  }

  /** Deletes what is stored of feeds that are not wanted. @returns entries deleted */
  removeUnwanted(): number {
    return this.write(() => {
      let entries = 0
      this.#keepArrival()
      for (const row of this.all('SELECT * FROM feeds WHERE priority IS NULL AND height > 0')) {
        const feed = toFeedState(row)!
        entries += feed.height - feed.low + 1
        const [from, to] = [placeOf(feed.num, 0), placeOf(feed.num + 1, 0) - 1]
        for (const table of ['runs', 'ids', 'timeline', 'links', 'tags', 'expiries', 'erasures', 'erased_at']) {
          this.run(`DELETE FROM ${table} WHERE place BETWEEN ? AND ?`, from, to)
        }
        this.run('DELETE FROM search WHERE rowid BETWEEN ? AND ?', from, to)
        this.run(`UPDATE feeds SET low = 1, height = 0, head = x'', bytes = 0, changed = ? WHERE num = ?`, ++this.#counter, feed.num)
      }
      return entries
    })
  }

  /**
   * Takes in runs that were checked, in one transaction. Each outcome stands at its run's index.
   * @throws FeedError DISK_FULL, STORE_IO: then nothing of it was stored
   */
  ingest(runs: readonly CheckedRun[], options: { origin?: unknown; isDurable?: boolean } = {}): IngestOutcome[] {
    const extensions: Extension[] = []
    const forks: number[] = []
    const outcomes = this.write(() => runs.map((run) => this.#ingestRun(run, options.origin, extensions, forks)), options)
    for (const extension of joined(extensions)) this.events.emit('extended', extension)
    for (const num of forks) this.events.emit('fork', this.feedByNumber(num)!)
    return outcomes
  }

  #ingestRun(run: CheckedRun, origin: unknown, extensions: Extension[], forks: number[]): IngestOutcome {
    const feed = this.feed(run.feed)
    if (feed === undefined || feed.priority === undefined) return { kind: 'unwanted' }
    const last = lastOf(run)
    if (feed.frozen !== undefined && last >= feed.frozen) return { kind: 'frozen' }
    if (feed.isWhole && placesOf(run.records, run.count).some(({ isErased }) => isErased)) return { kind: 'unwanted' }
    const stored = this.#place(feed, run, last, forks)
    if (stored.kind === 'stored') {
      const grown = this.feedByNumber(feed.num)!
      extensions.push({ feed: grown, from: stored.from, to: stored.to, origin })
    }
    return stored
  }

  /** Finds the run's place relative to low and height, and writes what is new of it. */
  #place(feed: FeedState, run: CheckedRun, last: number, forks: number[]): IngestOutcome {
    if (feed.height === 0) return this.#insert(feed, run, { low: run.first, height: last, head: idAt(run, run.count - 1) })
    if (run.first > feed.height + 1) return { kind: 'gap', from: feed.height + 1, to: run.first - 1 }
    if (last < feed.low - 1) return { kind: 'gap', from: last + 1, to: feed.low - 1 }
    if (last > feed.height) {
      const before = run.first === feed.height + 1 ? run.prev : idAt(run, feed.height - run.first)
      if (!isEqual(before, feed.head)) return this.#conflict(feed, run, forks)
      return this.#insert(feed, tailOf(run, feed.height + 1), { height: last, head: idAt(run, run.count - 1) })
    }
    if (last === feed.low - 1) {
      if (!isEqual(idAt(run, run.count - 1), this.#idBefore(feed))) return { kind: 'diverges', before: feed.low }
      return this.#insert(feed, run, { low: run.first })
    }
    if (!isEqual(idAt(run, run.count - 1), this.idOf(feed, last)!)) return this.#conflict(feed, run, forks)
    return run.first < feed.low ? this.#insertAcrossLow(feed, run, last) : { kind: 'known' }
  }

  #insert(feed: FeedState, run: CheckedRun, grown: { low?: number; height?: number; head?: Uint8Array }): IngestOutcome {
    const place = placeOf(feed.num, run.first)
    const records = applyErasures(this, place, run)
    this.run(
      'INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)',
      place,
      run.count,
      this.#arrival,
      Date.now(),
      run.prev,
      run.signature,
      records
    )
    this.#arrival += run.count
    this.ids.add(feed.num, run, this.#arrival - 1)
    this.run(
      'UPDATE feeds SET low = ?, height = ?, head = ?, bytes = bytes + ?, changed = ? WHERE num = ?',
      grown.low ?? feed.low,
      grown.height ?? feed.height,
      grown.head ?? feed.head,
      records.length,
      ++this.#counter,
      feed.num
    )
    noteWishes(this, feed, run)
    return { kind: 'stored', from: run.first, to: lastOf(run) }
  }

  /** A run that begins below `low` and ends inside what is stored: it takes the place of the rows it covers. */
  #insertAcrossLow(feed: FeedState, run: CheckedRun, last: number): IngestOutcome {
    const rows = this.rows(feed, feed.low, last)
    const whole = withStored(run, feed.low, rows)
    if (whole.records.length > MAX_RUN_BYTES) return { kind: 'known' } // a row must fit into a run that can be sent on
    for (const row of rows) {
      const place = placeOf(feed.num, row.first)
      // Found anew under the time of the new row.
      for (const entry of entriesOf(row)) if (entry.seq <= last) forgetDerived(this, placeOf(feed.num, entry.seq), entry, row.arrivedMs)
      this.run('DELETE FROM runs WHERE place = ?', place)
      this.run('UPDATE feeds SET bytes = bytes - ? WHERE num = ?', row.records.length, feed.num)
      if (lastOf(row) > last) this.#reinsertTail(feed, row, last)
    }
    this.#insert(feed, whole, { low: run.first })
    return { kind: 'stored', from: run.first, to: feed.low - 1 }
  }

  #reinsertTail(feed: FeedState, row: StoredRun, last: number): void {
    const tail = tailOf({ ...row, ids: idsOf(row) }, last + 1)
    this.run('INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)', placeOf(feed.num, tail.first), tail.count, row.arrival + (tail.first - row.first), row.arrivedMs, tail.prev, tail.signature, tail.records)
    this.run('UPDATE feeds SET bytes = bytes + ? WHERE num = ?', tail.records.length, feed.num)
  }

  /** The run and the store disagree: proves the fork where it began, or says where to look for that. */
  #conflict(feed: FeedState, run: CheckedRun, forks: number[]): IngestOutcome {
    const from = Math.max(run.first, feed.low)
    const to = Math.min(lastOf(run), feed.height)
    for (let seq = from; seq <= to; seq++) {
      if (isEqual(idAt(run, seq - run.first), this.idOf(feed, seq)!)) continue
      const isFirst = seq > from || seq === 1 || (seq === run.first && isEqual(run.prev, this.#idAtOrBefore(feed, seq - 1)))
      if (!isFirst) break
      const row = this.rows(feed, seq, seq)[0]
      const proof = proveFork(run.feed, { headers: headersOf(row, seq), signature: row.signature }, { headers: headersOf(run, seq), signature: run.signature })
      this.#freeze(feed, seq, encodeForkProof(proof))
      forks.push(feed.num)
      return { kind: 'frozen' }
    }
    return { kind: 'diverges', before: from }
  }

  /**
   * Takes a proof of a fork that came from outside; freezes the feed unless it was frozen earlier in the chain.
   * @returns whether it told us something new
   * @throws FeedError FORK_PROOF when it proves nothing
   */
  acceptForkProof(proof: ForkProof): boolean {
    const seq = verifyForkProof(proof)
    const feed = this.feed(proof.feed)
    if (feed === undefined || feed.priority === undefined) return false
    if (feed.frozen !== undefined && feed.frozen <= seq) return false
    this.write(() => this.#freeze(feed, seq, encodeForkProof(proof)), { isDurable: feed.isOwn })
    this.events.emit('fork', this.feedByNumber(feed.num)!)
    return true
  }

  /** The proof for which a feed is frozen. */
  forkProof(feed: FeedState): Uint8Array | undefined {
    return this.get('SELECT proof FROM forks WHERE feed = ?', feed.num)?.proof as Uint8Array | undefined
  }

  /** Keeps the common prefix. Own rows beyond it stay on the disk, unreachable by sync, so that their text is not lost. */
  #freeze(feed: FeedState, seq: number, proof: Uint8Array): void {
    const height = seq - 1 < feed.low ? 0 : Math.min(feed.height, seq - 1)
    const head = height === 0 ? new Uint8Array() : this.idOf(feed, height)!
    if (!feed.isOwn) this.#deleteFrom(feed, seq)
    this.run('INSERT INTO forks VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET proof = ?2', feed.num, proof, Date.now())
    this.run('UPDATE feeds SET frozen = ?, low = ?, height = ?, head = ?, changed = ? WHERE num = ?', seq, height === 0 ? 1 : feed.low, height, head, ++this.#counter, feed.num)
  }

  #deleteFrom(feed: FeedState, seq: number): void {
    const [from, to] = [placeOf(feed.num, seq), placeOf(feed.num + 1, 0) - 1]
    this.#keepArrival()
    for (const table of ['runs', 'timeline', 'links', 'tags', 'expiries']) this.run(`DELETE FROM ${table} WHERE place BETWEEN ? AND ?`, from, to)
    this.run('DELETE FROM search WHERE rowid BETWEEN ? AND ?', from, to)
    const left = 'SELECT coalesce(sum(length(records)), 0) FROM runs WHERE place BETWEEN ? AND ?'
    this.run(`UPDATE feeds SET bytes = (${left}) WHERE num = ?`, placeOf(feed.num, 0), to, feed.num)
  }

  /** Arrival numbers of deleted runs are not given out again: whoever follows them would take new entries for old. */
  #keepArrival(): void {
    this.setMeta('arrival', this.#arrival)
  }

  /** Stored runs that hold entries from seq `from` to `to`, in order. The first may begin before `from`, the last end after `to`. */
  rows(feed: FeedState, from: number, to: number): StoredRun[] {
    return [...this.rowsUp(feed, from, to)]
  }

  /** The same, read one by one. Nothing may be written before the last one was taken or the loop was left. */
  *rowsUp(feed: FeedState, from: number, to: number): Generator<StoredRun> {
    const start = this.get('SELECT max(place) AS place FROM runs WHERE place <= ?', placeOf(feed.num, from))?.place as number | null
    const lowest = Math.max(start ?? 0, placeOf(feed.num, 0))
    const rows = this.prepare('SELECT * FROM runs WHERE place BETWEEN ? AND ? ORDER BY place').iterate(lowest, placeOf(feed.num, to))
    for (const row of rows) {
      const run = toRun(row, feed.key)
      if (lastOf(run) >= from) yield run
    }
  }

  /** The same, from the newest down. */
  *rowsDown(feed: FeedState, from: number, to: number): Generator<StoredRun> {
    const rows = this.prepare('SELECT * FROM runs WHERE place BETWEEN ? AND ? ORDER BY place DESC').iterate(placeOf(feed.num, 0), placeOf(feed.num, to))
    for (const row of rows) {
      const run = toRun(row, feed.key)
      if (lastOf(run) < from) return
      yield run
    }
  }

  /** Runs in the order of their arrival, from that number on. */
  rowsByArrival(from: number, limit: number): StoredRun[] {
    return this.all(
      'SELECT runs.*, feeds.key FROM runs JOIN feeds ON feeds.num = runs.place >> 32 WHERE arrival >= ? ORDER BY arrival LIMIT ?',
      from,
      limit
    ).map((row) => toRun(row, row.key as Uint8Array))
  }

  /** The id of a stored entry. */
  idOf(feed: FeedState, seq: number): Uint8Array | undefined {
    if (seq === feed.height && feed.head.length > 0) return feed.head
    if (seq < feed.low) return undefined
    const row = this.rows(feed, seq, seq)[0]
    return row && idsOf(row).subarray((seq - row.first) * HASH_SIZE, (seq - row.first + 1) * HASH_SIZE)
  }

  /** The id before the lowest stored entry. */
  #idBefore(feed: FeedState): Uint8Array {
    return this.rows(feed, feed.low, feed.low)[0].prev
  }

  #idAtOrBefore(feed: FeedState, seq: number): Uint8Array {
    return seq < feed.low ? this.#idBefore(feed) : this.idOf(feed, seq)!
  }

  /** A value kept beside the feeds, or undefined. */
  meta(key: string): unknown {
    return this.get('SELECT value FROM meta WHERE key = ?', key)?.value
  }

  setMeta(key: string, value: SQLInputValue): void {
    this.run('INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2', key, value)
  }

  /** Changes a feed's counter so that peers are told of it again. */
  touch(num: number): void {
    this.run('UPDATE feeds SET changed = ? WHERE num = ?', ++this.#counter, num)
  }

  #saveCounter(clean: 0 | 1): void {
    this.setMeta('counter', this.#counter)
    this.setMeta('clean', clean)
  }

  /** One statement's first row. Statements are prepared once. */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.prepare(sql).get(...values)
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.prepare(sql).all(...values)
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.prepare(sql).run(...values).changes)
  }

  /** A statement that is prepared once. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      if (!this.#isOpen) throw new FeedError('STORE_CLOSED', 'the store is closed')
      statement = this.database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  /**
   * Runs `work` in one write transaction.
   * @param options.isDurable on the disk before this returns (synchronous=FULL). @default false: a power cut may take it
   * @throws FeedError DISK_FULL, STORE_IO; nothing of `work` stays, and counters are as before
   */
  write<T>(work: () => T, options: { isDurable?: boolean } = {}): T {
    if (!this.#isOpen) throw new FeedError('STORE_CLOSED', 'the store is closed')
    if (this.database.isTransaction) return work()
    const [counter, arrival] = [this.#counter, this.#arrival]
    this.#setDurable(options.isDurable ?? false)
    try {
      return transaction(this.database, work)
    } catch (error) {
      this.#counter = counter
      this.#arrival = arrival
      this.ids.reload()
      throw storeError(error)
    }
  }

  #setDurable(isDurable: boolean): void {
    if (isDurable === this.#isDurable) return
    this.database.exec(`PRAGMA synchronous = ${isDurable ? 'FULL' : 'NORMAL'}`)
    this.#isDurable = isDurable
  }
}

/** A run that reaches below `low`, with the stored records from there on: no body goes because a peer has it no more. */
function withStored(run: CheckedRun, low: number, rows: readonly StoredRun[]): CheckedRun {
  const stored = rows.map((row) => recordsBetween(row, row.first, Math.min(lastOf(row), lastOf(run))))
  return { ...run, records: Buffer.concat([recordsBetween(run, run.first, low - 1), ...stored]) }
}

/** A run as it was stored. */
export interface StoredRun extends Run {
  arrival: number
  arrivedMs: number
}

function toRun(row: Row, feed: Uint8Array): StoredRun {
  return {
    feed,
    first: seqOfPlace(row.place as number),
    count: row.count as number,
    prev: row.prev as Uint8Array,
    signature: row.signature as Uint8Array,
    records: row.records as Uint8Array,
    arrival: row.arrival as number,
    arrivedMs: row.arrived_ms as number
  }
}

function toFeedState(row: Row | undefined): FeedState | undefined {
  return (
    row && {
      num: row.num as number,
      key: row.key as Uint8Array,
      low: row.low as number,
      height: row.height as number,
      head: row.head as Uint8Array,
      changed: row.changed as number,
      wantedSince: row.wanted as number,
      priority: (row.priority as number | null) ?? undefined,
      frozen: (row.frozen as number | null) ?? undefined,
      isOwn: row.own === 1,
      isWhole: row.whole === 1
    }
  )
}

/** Extensions of one feed that follow each other, as one. */
function joined(extensions: Extension[]): Extension[] {
  const result: Extension[] = []
  for (const extension of extensions) {
    const before = result.at(-1)
    if (before?.feed.num === extension.feed.num && before.to + 1 === extension.from) {
      before.to = extension.to
      before.feed = extension.feed
    } else {
      result.push({ ...extension })
    }
  }
  return result
}

const SQLITE_FULL = 13

/** Names what SQLite met: a full disk is something the user can mend, and nothing that was acknowledged is lost by it. */
function storeError(error: unknown): unknown {
  const { errcode } = error as { errcode?: number }
  if (errcode === undefined) return error
  if ((errcode & 0xff) === SQLITE_FULL) {
    return new FeedError('DISK_FULL', 'the disk is full: nothing was written, and what was acknowledged before is safe. Make room and try again', { cause: error })
  }
  return new FeedError('STORE_IO', `the store failed: ${(error as Error).message}`, { cause: error })
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function keyName(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}
