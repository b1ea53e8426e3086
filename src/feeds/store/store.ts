// The store of feeds: what is held of which feed, and the rules by which a run is taken in. Every write is one
// transaction, and listeners hear of it after it was committed.
import { EventEmitter } from 'node:events'
import { randomBytes } from 'node:crypto'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { FeedError } from '../errors.ts'
import { encodeForkProof, type ForkProof, verifyForkProof } from '../fork.ts'
import { type CheckedRun, lastOf, placesOf } from '../run.ts'
import { migrate, openDatabase, storeError } from './database.ts'
import { IdIndex } from './id-index.ts'
import { bottomOf } from './limits.ts'
import { type IngestOutcome, Placement } from './placement.ts'
import { ENDLESS_ROOM, type Room } from './room.ts'
import { FEEDS_MIGRATIONS, placeOf } from './schema.ts'
import { type FeedState, idOf, type Row, type Stored, type StoredRun, toFeedState, toRun } from './stored.ts'
import { Tables } from './tables.ts'
import { type WantedFeed, Wants } from './wants.ts'

export type { IngestOutcome } from './placement.ts'
export type { FeedState, StoredRun } from './stored.ts'
export type { WantedFeed } from './wants.ts'

/** Bytes of the random name under which a store's change counter is known to peers. */
export const EPOCH_SIZE = 8
/** After an unclean end, changes that peers saw may be gone here: the counter goes on beyond all of them. */
const COUNTER_SKIP = 0x100_0000

/** Feeds of these priorities are the user's own words, and of people whom the user has chosen. */
const OWN_PRIORITY = 0
const FOLLOWED_PRIORITY = 1

/** A feed grew: entries `from` to `to` are stored. */
export interface Extension {
  feed: FeedState
  from: number
  to: number
  /** The runs that brought them; these may reach beyond `from` and `to`. */
  runs: CheckedRun[]
  /** Whoever handed the entries to the store, so that they are not sent back there. */
  origin: unknown
}

export interface StoreEvents {
  extended: [Extension]
  /** A feed is wanted that was not, or no longer is. */
  wanted: [FeedState]
  /** More or less of a wanted feed is kept than before. */
  limited: [FeedState]
  /** A fork was proven; the feed is frozen. */
  fork: [FeedState]
  /** A peer holds more of an own feed than this store: whoever signs it must catch up first. */
  ownAhead: [{ feed: FeedState; height: number }]
  /** There is room again for what others write. */
  roomy: []
  closed: []
}

export class FeedStore implements Stored {
  readonly database: DatabaseSync
  readonly events = new EventEmitter<StoreEvents>()
  /** Where what others write is to find room. */
  room: Room = ENDLESS_ROOM
  /** Names this store's change counter. New after a restored copy was noticed. */
  epoch: Uint8Array
  readonly #tables: Tables
  readonly #placement: Placement
  readonly #wants: Wants
  /** Finds entries by id. */
  readonly ids: IdIndex

  /** @param path a file, or ':memory:' */
  static open(path: string): FeedStore {
    const database = openDatabase(path)
    try {
      migrate(database, 'feeds', FEEDS_MIGRATIONS)
      return new FeedStore(database)
    } catch (error) {
      database.close()
      throw storeError(error)
    }
  }

  private constructor(database: DatabaseSync) {
    this.database = database
    this.events.setMaxListeners(0)
    this.#tables = new Tables(database, { onUndo: () => this.#reload() })
    this.ids = new IdIndex(this)
    this.#placement = new Placement(this, this.ids, this.#tables.counters)
    this.#wants = new Wants(this, this.#tables.counters)
    this.epoch = (this.meta('epoch') as Uint8Array | undefined) ?? this.renewEpoch()
    this.#readCounters()
    this.write(
      () => {
        this.#saveCounter(0)
        this.ids.reload()
      },
      { isDurable: true }
    )
  }

  /** What is kept in memory beside the tables is read again: a transaction failed. */
  #reload(): void {
    this.ids.reload()
    this.#wants.reload()
  }

  #readCounters(): void {
    const { counters } = this.#tables
    const changed = Number(this.get('SELECT max(changed) AS n FROM feeds')?.n ?? 0)
    const reached = Math.max(changed, Number(this.meta('counter') ?? 0))
    counters.change = this.meta('clean') === 1 ? reached : reached + COUNTER_SKIP
    const arrived = Number(this.get('SELECT arrival + count AS n FROM runs ORDER BY arrival DESC LIMIT 1')?.n ?? 1)
    counters.arrival = Math.max(arrived, Number(this.meta('arrival') ?? 1))
  }

  /** Leaves a clean mark, so that peers can go on from the cursor they have. Safe to call twice. */
  close(): void {
    if (!this.isOpen) return
    try {
      this.write(() => this.#saveCounter(1), { isDurable: true })
    } catch (error) {
      // Without the mark, peers compare a little more the next time; there is nothing to lose in it.
      if (!(error instanceof FeedError && error.code === 'DISK_FULL')) throw error
    } finally {
      this.#tables.close()
      this.events.emit('closed')
    }
  }

  get isOpen(): boolean {
    return this.#tables.isOpen
  }

  /** The number of the last change; grows with every change of a feed's height, want or freeze. */
  get counter(): number {
    return this.#tables.counters.change
  }

  /** The arrival number of the newest entry. */
  get arrival(): number {
    return this.#tables.counters.arrival - 1
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
    return this.all('SELECT * FROM feeds WHERE priority IS NOT NULL ORDER BY priority, num').map((row) =>
      toFeedState(row)!
    )
  }

  /** Feeds that are one's own or followed: own ones first, then those that changed last. */
  nearFeeds(limit: number): FeedState[] {
    return this.all('SELECT * FROM feeds WHERE priority <= 1 ORDER BY own DESC, changed DESC LIMIT ?', limit).map(
      (row) => toFeedState(row)!
    )
  }

  /** Wanted feeds of which older entries are missing that are to be kept. */
  feedsWithGap(): FeedState[] {
    return this.all(
      'SELECT * FROM feeds WHERE priority IS NOT NULL AND low > max(1, height - coalesce(newest, height) + 1) ORDER BY priority'
    ).map((row) => toFeedState(row)!)
  }

  /** Feeds that changed after the counter stood at `cursor`, in the order of their changes. */
  changedSince(cursor: number): FeedState[] {
    return this.all('SELECT * FROM feeds WHERE changed > ? ORDER BY changed', cursor).map((row) => toFeedState(row)!)
  }

  /**
   * Sets which feeds are kept, all of them at once. What is no longer wanted stays on the disk until somebody deletes it
   * (`deleteUnwanted`); what limits no longer cover goes in slices (`deleteBeyondLimits`, `eraseOverLimits`): see Trimmer.
   */
  setWanted(wanted: readonly WantedFeed[]): void {
    const changes = this.#wants.set(wanted)
    this.#tell('wanted', changes.wanted)
    this.#tell('limited', changes.limited)
  }

  #tell(event: 'wanted' | 'limited', nums: readonly number[]): void {
    if (this.events.listenerCount(event) > 0) for (const num of nums) this.events.emit(event, this.feedByNumber(num)!)
  }

  /** Marks a feed as written by this device: always wanted, and continued by {@link append}. */
  own(key: Uint8Array): FeedState {
    this.write(() => {
      const known = this.feed(key)
      if (known?.priority !== 0) this.#wants.want({ feed: key, priority: 0, isWhole: known?.isWhole }, true)
      this.run('UPDATE feeds SET own = 1 WHERE key = ?', key)
    })
    this.#wants.reload()
    return this.feed(key)!
  }

  /**
   * Takes in runs that were checked, in one transaction. Each outcome stands at its run's index.
   * @param options.isAsked the user has asked for just these: they are taken also where others' have no room @default false
   * @throws FeedError DISK_FULL, STORE_IO: then nothing of it was stored
   */
  ingest(
    runs: readonly CheckedRun[],
    options: { origin?: unknown; isDurable?: boolean; isAsked?: boolean } = {}
  ): IngestOutcome[] {
    const extensions: Extension[] = []
    const forks: number[] = []
    const states = new Map<string, FeedState | undefined>()
    const outcomes = this.write(
      () => runs.map((run) => this.#ingestRun(run, options, { extensions, forks, states })),
      options
    )
    for (const extension of joined(extensions)) this.events.emit('extended', extension)
    for (const num of forks) this.events.emit('fork', this.feedByNumber(num)!)
    return outcomes
  }

  /** Whether what is new of a feed may be stored now. */
  mayGrow(feed: FeedState): boolean {
    return this.room.isLeft || needsNoRoom(feed)
  }

  #ingestRun(
    run: CheckedRun,
    { origin, isAsked = false }: { origin?: unknown; isAsked?: boolean },
    { extensions, forks, states }: Ingestion
  ): IngestOutcome {
    const name = keyName(run.feed)
    if (!states.has(name)) states.set(name, this.feed(run.feed))
    const feed = states.get(name)
    if (feed === undefined || feed.priority === undefined) return { kind: 'unwanted' }
    if (feed.frozen !== undefined && lastOf(run) >= feed.frozen) return { kind: 'frozen' }
    if (!isWelcome(feed, run)) return { kind: 'unwanted' }
    const outcome = this.#placement.place(feed, run)
    if (outcome.kind === 'stored' && !isAsked && !needsNoRoom(feed)) this.room.take(run.records.length)
    if (outcome.kind === 'frozen') {
      forks.push(feed.num)
      states.delete(name)
    }
    if (outcome.kind === 'stored')
      extensions.push({ feed: { ...feed }, runs: [run], from: outcome.from, to: outcome.to, origin })
    return outcome
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
    this.write(() => this.#placement.freeze(feed, seq, encodeForkProof(proof)), { isDurable: feed.isOwn })
    this.events.emit('fork', this.feedByNumber(feed.num)!)
    return true
  }

  /** The proof for which a feed is frozen. */
  forkProof(feed: FeedState): Uint8Array | undefined {
    return this.get('SELECT proof FROM forks WHERE feed = ?', feed.num)?.proof as Uint8Array | undefined
  }

  /** Stored runs that hold entries from seq `from` to `to`, in order. The first may begin before `from`, the last end after `to`. */
  rows(feed: FeedState, from: number, to: number): StoredRun[] {
    return [...this.rowsUp(feed, from, to)]
  }

  /** The same, read one by one. Nothing may be written before the last one was taken or the loop was left. */
  *rowsUp(feed: FeedState, from: number, to: number): Generator<StoredRun> {
    const start = this.get('SELECT max(place) AS place FROM runs WHERE place <= ?', placeOf(feed.num, from))?.place as
      | number
      | null
    const lowest = Math.max(start ?? 0, placeOf(feed.num, 0))
    const rows = this.prepare('SELECT * FROM runs WHERE place BETWEEN ? AND ? ORDER BY place').iterate(
      lowest,
      placeOf(feed.num, to)
    )
    for (const row of rows) {
      const run = toRun(row, feed.key)
      if (lastOf(run) >= from) yield run
    }
  }

  /** The same, from the newest down. */
  *rowsDown(feed: FeedState, from: number, to: number): Generator<StoredRun> {
    const rows = this.prepare('SELECT * FROM runs WHERE place BETWEEN ? AND ? ORDER BY place DESC').iterate(
      placeOf(feed.num, 0),
      placeOf(feed.num, to)
    )
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

  /** The id of a stored entry; undefined when it is not stored. */
  idOf(feed: FeedState, seq: number): Uint8Array | undefined {
    return idOf(this, feed, seq)
  }

  /** Changes a feed's counter so that peers are told of it again. */
  touch(num: number): void {
    this.run('UPDATE feeds SET changed = ? WHERE num = ?', ++this.#tables.counters.change, num)
  }

  nextChange(): number {
    return ++this.#tables.counters.change
  }

  keepArrival(): void {
    this.#placement.keepArrival()
  }

  #saveCounter(clean: 0 | 1): void {
    this.setMeta('counter', this.counter)
    this.setMeta('clean', clean)
  }

  // The operations of Stored, for the store's parts and for the layers that keep their tables in the same file.

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#tables.prepare(sql).get(...values)
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#tables.prepare(sql).all(...values)
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#tables.prepare(sql).run(...values).changes)
  }

  prepare(sql: string): StatementSync {
    return this.#tables.prepare(sql)
  }

  meta(key: string): unknown {
    return this.get('SELECT value FROM meta WHERE key = ?', key)?.value
  }

  setMeta(key: string, value: SQLInputValue): void {
    this.run('INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2', key, value)
  }

  write<T>(work: () => T, options: { isDurable?: boolean } = {}): T {
    return this.#tables.write(work, options)
  }
}

/** What one call of ingest has found so far. */
interface Ingestion {
  extensions: Extension[]
  forks: number[]
  /** The feeds it met, as its runs have left them. */
  states: Map<string, FeedState | undefined>
}

/** Extensions of one feed that follow each other, as one. */
function joined(extensions: Extension[]): Extension[] {
  const result: Extension[] = []
  for (const extension of extensions) {
    const before = result.at(-1)
    if (before?.feed.num === extension.feed.num && before.to + 1 === extension.from) {
      before.to = extension.to
      before.feed = extension.feed
      before.runs.push(...extension.runs)
    } else if (before?.feed.num === extension.feed.num && extension.to + 1 === before.from) {
      before.from = extension.from
      before.feed = extension.feed
      before.runs.push(...extension.runs)
    } else {
      result.push({ ...extension })
    }
  }
  return result
}

/** Whether a run is one of those that are to be kept of its feed. */
function isWelcome(feed: FeedState, run: CheckedRun): boolean {
  if (feed.last !== undefined && run.first > feed.last) return false
  if (feed.newest !== undefined && lastOf(run) < bottomOf(feed, feed.height)) return false
  if (!feed.isWhole) return true
  if (feed.maxBytes !== undefined && feed.bytes + run.records.length > feed.maxBytes) return false
  return !placesOf(run.records, run.count).some(({ isErased }) => isErased)
}

/** Own words; and short logs that say which devices count, as far as the user has chosen whose. */
function needsNoRoom({ priority, isWhole }: FeedState): boolean {
  return priority === OWN_PRIORITY || (priority === FOLLOWED_PRIORITY && isWhole)
}

function keyName(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}
