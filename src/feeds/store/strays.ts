// Single entries of feeds that are not kept: what somebody who is read has answered. Each lies with the rest of its run,
// whose signature shows that it is its author's. Few, and for a while: an author's wish to erase does not reach them.
import { decodeRun, encodeRun } from '../archive.ts'
import { renderable } from '../body.ts'
import { cidToEntryId } from '../entry-id.ts'
import { FeedError } from '../errors.ts'
import { checkRun, entriesOf, eraseBodies, idsOf, type Run, tailOf } from '../run.ts'
import { bodyOf } from './derived.ts'
import type { StoredEntry } from './reader.ts'
import { feedOfPlace } from './schema.ts'
import type { Row, Stored } from './stored.ts'

/** Largest packed entry, in bytes: a body, and the heads of those that share its signature. */
export const MAX_STRAY_SIZE = 73_728
/** Bytes that all of them may take; the oldest go first. */
const MAX_BYTES = 16_777_216
/** How long one is kept, in ms. */
const LIFETIME_MS = 7 * 86_400_000
/** Strays of one thread that are read. */
const MAX_IN_THREAD = 256
/** A stray has no place in a feed that is kept. */
const NO_PLACE = -1

/** An entry that is kept by itself. */
export interface Stray {
  entry: StoredEntry
  /** As {@link packStray} gives it. */
  packed: Uint8Array
  /** Whatever else its keeper wants to know of it. */
  note: Uint8Array
}

/**
 * A stored entry with all that shows whose it is: its run from there on, without the other bodies.
 * @returns undefined when the run is not stored, or the entry lies where its feed is not trusted
 */
export function packStray(store: Stored, { place, seq }: StoredEntry): Uint8Array | undefined {
  const feed = store.feedByNumber(feedOfPlace(place))
  const row = feed && store.rows(feed, seq, seq)[0]
  if (feed === undefined || row === undefined || seq > feed.height) return undefined
  const tail = tailOf({ ...row, ids: idsOf(row) }, seq)
  const others = Array.from({ length: tail.count - 1 }, (_, i) => seq + 1 + i)
  return encodeRun({ ...tail, records: eraseBodies(tail, new Set(others)) })
}

/**
 * Reads and checks what {@link packStray} has written.
 * @param id of the entry that it has to be @default any
 * @throws FeedError RUN_FORMAT when it is another one or too large; ARCHIVE_FORMAT; the code of what is invalid
 */
export function unpackStray(packed: Uint8Array, arrivedMs: number, id?: Uint8Array): StoredEntry {
  if (packed.length > MAX_STRAY_SIZE)
    throw new FeedError('RUN_FORMAT', `a packed entry has at most ${MAX_STRAY_SIZE} bytes, not ${packed.length}`)
  const run = decodeRun(packed)
  if (id !== undefined && Buffer.compare(idsOf(run).subarray(0, id.length), id) !== 0)
    throw new FeedError('RUN_FORMAT', 'it is another entry than the one that was asked for')
  return entryOf(checkRun(run), arrivedMs)
}

function entryOf(run: Run, arrivedMs: number): StoredEntry {
  return { ...entriesOf(run)[0], place: NO_PLACE, arrivedMs }
}

/** Whether an entry is kept by itself, and not as part of its feed. */
export function isStray({ place }: Pick<StoredEntry, 'place'>): boolean {
  return place === NO_PLACE
}

export class Strays {
  readonly #store: Stored
  /** What they take; undefined: to be added up. */
  #bytes: number | undefined

  constructor(store: Stored) {
    this.#store = store
  }

  /** Keeps an entry that was checked; the oldest go when there is no room. @throws FeedError DISK_FULL, STORE_IO */
  add({ entry: { id, arrivedMs, ...entry }, packed, note }: Stray): void {
    const body = bodyOf({ ...entry, id })
    const known = body && renderable(body)
    const root = known?.type === 'post' && known.root !== undefined ? cidToEntryId(known.root) : undefined
    const expires = known?.type === 'post' ? known.expires : undefined
    const until = Math.min(arrivedMs + LIFETIME_MS, expires ?? Infinity)
    this.#store.room.take(packed.length + note.length)
    const bytes = this.#bytes ?? this.#sum()
    this.#bytes = undefined
    this.#bytes = this.#store.write(() => {
      const before = this.#delete('id = ?', id)
      this.#store.run(
        'INSERT INTO strays (id, root, packed, note, arrived_ms, until_ms) VALUES (?, ?, ?, ?, ?, ?)',
        ...[id, root ?? null, packed, note, arrivedMs, until]
      )
      return this.#trimmed(bytes - before + packed.length + note.length)
    })
  }

  #sum(): number {
    const sum = 'SELECT coalesce(sum(length(packed) + length(note)), 0) AS bytes FROM strays'
    return this.#store.get(sum)!.bytes as number
  }

  /** @returns bytes that are left */
  #trimmed(bytes: number): number {
    while (bytes > MAX_BYTES) bytes -= this.#delete('num = (SELECT min(num) FROM strays)')
    return bytes
  }

  /** @returns bytes of one that was there */
  #delete(which: string, ...values: Uint8Array[]): number {
    const sql = `DELETE FROM strays WHERE ${which} RETURNING length(packed) + length(note) AS bytes`
    return (this.#store.get(sql, ...values)?.bytes as number | undefined) ?? 0
  }

  /** The entry with this id, or undefined. */
  get(id: Uint8Array, nowMs: number): Stray | undefined {
    const row = this.#store.get('SELECT * FROM strays WHERE id = ? AND until_ms > ?', id, nowMs)
    return row && toStray(row)
  }

  /** Those that name this entry as their thread's root. */
  inThread(root: Uint8Array, nowMs: number): Stray[] {
    return this.#store
      .all('SELECT * FROM strays WHERE root = ? AND until_ms > ? LIMIT ?', root, nowMs, MAX_IN_THREAD)
      .map(toStray)
  }

  /** Lets go of all. */
  clear(): void {
    this.#bytes = undefined
    this.#store.run('DELETE FROM strays')
  }

  /** Lets go of those whose time is over. */
  tidy(nowMs: number): void {
    this.#bytes = undefined
    this.#store.run('DELETE FROM strays WHERE until_ms <= ?', nowMs)
  }
}

function toStray({ packed, note, arrived_ms }: Row): Stray {
  const bytes = packed as Uint8Array
  return { entry: entryOf(decodeRun(bytes), arrived_ms as number), packed: bytes, note: note as Uint8Array }
}
