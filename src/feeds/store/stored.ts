// What the store holds, as its parts see it: the state of a feed, a stored run, and the few operations on which reading,
// indexing and erasing are built.
import type { SQLInputValue, StatementSync } from 'node:sqlite'
import { HASH_SIZE } from '../entry.ts'
import { idsOf, type Run } from '../run.ts'
import type { Room } from './room.ts'
import { seqOfPlace } from './schema.ts'

export type Row = Record<string, unknown>

/** What is held of one feed. Stored is everything from `low` to `height`; nothing when height is 0. */
export interface FeedState {
  num: number
  key: Uint8Array
  low: number
  height: number
  /** Id of the entry at `height`; empty at height 0. */
  head: Uint8Array
  /** Id of the entry before `low`, where it is known without a look. */
  beforeLow?: Uint8Array
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
  /** Bytes of the stored records. */
  bytes: number
  /** What is kept of it, as far as that is less than all: see WantedFeed. An own feed has no limits. */
  newest?: number
  last?: number
  maxBytes?: number
}

/** A run as it was stored. */
export interface StoredRun extends Run {
  arrival: number
  arrivedMs: number
}

/** The store as its parts use it. */
export interface Stored {
  /** One statement's first row; statements are prepared once. */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined
  all(sql: string, ...values: SQLInputValue[]): Row[]
  /** @returns how many rows were changed */
  run(sql: string, ...values: SQLInputValue[]): number
  prepare(sql: string): StatementSync
  /** A value kept beside the feeds, or undefined. */
  meta(key: string): unknown
  setMeta(key: string, value: SQLInputValue): void
  /**
   * Runs `work` in one write transaction.
   * @param options.isDurable on the disk before this returns (synchronous=FULL). @default false: a power cut may take it
   * @throws FeedError DISK_FULL, STORE_IO; nothing of `work` stays, and counters are as before
   */
  write<T>(work: () => T, options?: { isDurable?: boolean }): T
  /** Where what others write is to find room. */
  readonly room: Room
  /** The feed's state, or undefined when it was never wanted. */
  feed(key: Uint8Array): FeedState | undefined
  feedByNumber(num: number): FeedState | undefined
  /** Stored runs that hold entries from seq `from` to `to`, in order. The first may begin before `from`, the last end after `to`. */
  rows(feed: FeedState, from: number, to: number): StoredRun[]
  /** Where an entry with this id may stand. */
  readonly ids: { find(id: Uint8Array): number[] }
  /** Runs in the order of their arrival, from that number on. */
  rowsByArrival(from: number, limit: number): StoredRun[]
  /** The change counter's next value, for a feed that is being changed. */
  nextChange(): number
  /** Call it when runs are deleted: their arrival numbers are not given out again. */
  keepArrival(): void
}

/** The id of a stored entry; undefined when it is not stored. */
export function idOf(stored: Stored, feed: FeedState, seq: number): Uint8Array | undefined {
  if (seq === feed.height && feed.head.length > 0) return feed.head
  if (seq < feed.low) return undefined
  const row = stored.rows(feed, seq, seq)[0]
  return row && idsOf(row).subarray((seq - row.first) * HASH_SIZE, (seq - row.first + 1) * HASH_SIZE)
}

export function toRun(row: Row, feed: Uint8Array): StoredRun {
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

export function toFeedState(row: Row | undefined): FeedState | undefined {
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
      isWhole: row.whole === 1,
      bytes: row.bytes as number,
      ...(row.own === 1 ? undefined : limitsOf(row))
    }
  )
}

function limitsOf(row: Row): Pick<FeedState, 'newest' | 'last' | 'maxBytes'> {
  return {
    newest: (row.newest as number | null) ?? undefined,
    last: (row.last as number | null) ?? undefined,
    maxBytes: (row.max_bytes as number | null) ?? undefined
  }
}
