// What a host keeps: queues of cells that it cannot read, for recipients that it does not write down. Quotas of friends are
// counted by what the running process has seen of who asks, which is gone when it ends. Rules: README.md, Mailboxes.
import { randomBytes, randomInt } from 'node:crypto'
import { type FeedStore, migrate } from '../feeds/index.ts'
import { Statements } from '../trust/index.ts'
import { CELL_SIZE } from './cell.ts'
import { mailboxKey, type MailboxKey } from './mailbox-key.ts'
import { MAILBOX_MIGRATIONS } from './mailbox-schema.ts'
import { Wiping } from './wiping.ts'

/** Cells that wait in one queue. */
export const MAX_QUEUE_CELLS = 128
/** How long a cell waits, in days on which the host ran. */
export const CELL_DAYS = 14
/** How long a queue stays that nobody asks for, likewise. */
export const QUEUE_DAYS = 60
/** Numbers of cells in one queue; a queue that has used them up takes no more. */
const STRETCH = 2 ** 22
const MAX_NUM = 2 ** 31
/** How much of a cell lies in the first table. */
const FIRST_PART = 2_000

/** What a host keeps at most; the defaults are for 50 friends with four full queues each. */
export interface MailboxLimits {
  queues: number
  cells: number
  queuesPerFriend: number
  cellsPerFriend: number
}

/** Queues that one friend has at a host, for all devices together. */
export const MAX_QUEUES_PER_FRIEND = 64
const LIMITS: MailboxLimits = {
  queues: 3_200,
  cells: 25_600,
  queuesPerFriend: MAX_QUEUES_PER_FRIEND,
  cellsPerFriend: 512
}

export interface MailboxQueuesOptions {
  /** UTC days since 1970. @default of Date.now */
  today?: () => number
  limits?: Partial<MailboxLimits>
}

/** A queue, as somebody named it by one of its ids. */
export interface HostedQueue {
  num: number
  /** Which of its two ids it was named by. */
  role: 'receive' | 'send'
}

export interface NumberedCell {
  number: number
  cell: Uint8Array
}

export class MailboxQueues {
  /** The host's own key. */
  readonly key: MailboxKey
  readonly #statements: Statements
  readonly #store: Pick<FeedStore, 'database' | 'write' | 'room'>
  readonly #wiping: Wiping
  readonly #today: () => number
  readonly #limits: MailboxLimits
  /** Numbers of queues by friend, as far as they have asked since this was made. Never written down. */
  readonly #owners = new Map<string, Set<number>>()

  /** @throws FeedError STORE_NEWER */
  constructor(
    store: Pick<FeedStore, 'database' | 'write' | 'room'>,
    { today = utcDay, limits = {} }: MailboxQueuesOptions = {}
  ) {
    migrate(store.database, 'mailbox', MAILBOX_MIGRATIONS)
    this.#statements = new Statements(store.database)
    this.#store = store
    this.#wiping = new Wiping(store)
    this.#today = today
    this.#limits = { ...LIMITS, ...limits }
    this.key = mailboxKey(this.#hostSecret())
  }

  /** How much is kept. */
  get size(): { queues: number; cells: number } {
    const [row] = this.#statements.all('SELECT count(*) AS queues, coalesce(sum(held), 0) AS cells FROM mailbox_queues')
    return { queues: row.queues as number, cells: row.cells as number }
  }

  find(id: Uint8Array): HostedQueue | undefined {
    const [row] = this.#statements.all(
      `SELECT num, receive = ?1 AS receives FROM mailbox_queues WHERE receive = ?1 OR send = ?1`,
      id
    )
    return row && { num: row.num as number, role: row.receives === 1 ? 'receive' : 'send' }
  }

  /**
   * Makes a queue for a friend. To make it once more does nothing.
   * @param friend any name that is the same for all devices of a person
   * @returns whether it is there
   */
  make({ receive, send }: { receive: Uint8Array; send: Uint8Array }, friend: string): boolean {
    const [before] = this.#statements.all('SELECT num, send FROM mailbox_queues WHERE receive = ?', receive)
    if (before !== undefined) return Buffer.compare(before.send as Uint8Array, send) === 0
    const isTaken = this.find(send) !== undefined || Buffer.compare(receive, send) === 0
    const { queues, queuesPerFriend } = this.#limits
    if (
      isTaken ||
      !this.#store.room.isLeft ||
      this.size.queues >= queues ||
      this.#ownedBy(friend).size >= queuesPerFriend
    )
      return false
    const num = this.#freeNum()
    this.#store.write(
      () =>
        this.#statements.run(
          'INSERT INTO mailbox_queues VALUES (?, ?, ?, 1, 0, (SELECT age FROM mailbox_host))',
          num,
          receive,
          send
        ),
      { isDurable: true }
    )
    this.#ownedBy(friend).add(num)
    return true
  }

  /** Takes a cell; it is on the disk before this returns. @returns whether there was room @throws FeedError DISK_FULL */
  put(num: number, cell: Uint8Array): boolean {
    if (cell.length !== CELL_SIZE) throw new RangeError(`a cell has ${CELL_SIZE} bytes, not ${cell.length}`)
    const [{ next, held }] = this.#statements.all('SELECT next, held FROM mailbox_queues WHERE num = ?', num)
    const isFull = (held as number) >= MAX_QUEUE_CELLS || (next as number) >= STRETCH
    if (isFull || !this.#hasRoomFor(num) || !this.#store.room.isLeft) return false
    this.#store.room.take(CELL_SIZE)
    const place = num * STRETCH + (next as number)
    this.#store.write(
      () => {
        this.#statements.run('INSERT INTO mailbox_cells VALUES (?, ?)', place, cell.subarray(0, FIRST_PART))
        this.#statements.run(
          'INSERT INTO mailbox_ends SELECT ?, age, ? FROM mailbox_host',
          place,
          cell.subarray(FIRST_PART)
        )
        this.#statements.run('UPDATE mailbox_queues SET next = next + 1, held = held + 1 WHERE num = ?', num)
      },
      { isDurable: true }
    )
    return true
  }

  /**
   * The oldest cell with a higher number than this; undefined when there is none.
   * @param friend who asks, if it is one: what waits in the queue counts as theirs from now on
   */
  fetch(num: number, after: number, friend?: string): NumberedCell | undefined {
    if (friend !== undefined) this.#ownedBy(friend).add(num)
    this.#noteRead(num)
    const [row] = this.#statements.all(
      `SELECT place, mailbox_cells.bytes AS first, mailbox_ends.bytes AS rest FROM mailbox_cells JOIN mailbox_ends USING (place)
       WHERE place BETWEEN ? AND ? ORDER BY place LIMIT 1`,
      num * STRETCH + Math.min(after + 1, STRETCH - 1),
      num * STRETCH + STRETCH - 1
    )
    if (row === undefined) return undefined
    const cell = Buffer.concat([row.first as Uint8Array, row.rest as Uint8Array])
    return { number: (row.place as number) - num * STRETCH, cell }
  }

  /** Deletes all cells up to this number. */
  acknowledge(num: number, number: number): void {
    const last = num * STRETCH + Math.min(number, STRETCH - 1)
    this.#wiping.write(() => this.#deleteCells('place BETWEEN ? AND ?', num * STRETCH, last))
  }

  /** Deletes a queue and what is in it. */
  end(num: number): void {
    this.#wiping.write(() => this.#deleteQueue(num))
    for (const owned of this.#owners.values()) owned.delete(num)
  }

  /**
   * Lets go what has waited too long. A day counts when this node ran on it, and no more than one for each time that the
   * date has become another one: a clock that jumps by a year deletes nothing.
   */
  expire(): void {
    const today = this.#today()
    if (this.#statements.run('UPDATE mailbox_host SET age = age + 1, day = ?1 WHERE day <> ?1', today) === 0) return
    const { age } = this.#statements.all('SELECT age FROM mailbox_host')[0] as { age: number }
    const unread = this.#statements.all('SELECT num FROM mailbox_queues WHERE read_age < ?', age - QUEUE_DAYS)
    for (const { num } of unread) this.end(num as number)
    this.#wiping.write(() =>
      this.#deleteCells('place IN (SELECT place FROM mailbox_ends WHERE age < ?)', age - CELL_DAYS)
    )
  }

  /** Leaves nothing of what was deleted in the write-ahead log either; otherwise that is done within a second. */
  flush(): void {
    this.#wiping.flush()
  }

  /** Made once; a node that starts writes nothing. */
  #hostSecret(): Uint8Array {
    const [row] = this.#statements.all('SELECT secret FROM mailbox_host')
    if (row !== undefined) return row.secret as Uint8Array
    const secret = randomBytes(32)
    this.#store.write(
      () => this.#statements.run('INSERT INTO mailbox_host VALUES (0, ?, ?, 0)', secret, this.#today()),
      { isDurable: true }
    )
    return secret
  }

  #hasRoomFor(num: number): boolean {
    if (this.size.cells >= this.#limits.cells) return false
    const owned = [...this.#owners.values()].find((nums) => nums.has(num))
    if (owned === undefined) return true
    const [{ held }] = this.#statements.all(
      'SELECT coalesce(sum(held), 0) AS held FROM mailbox_queues WHERE num IN (SELECT value FROM json_each(?))',
      JSON.stringify([...owned])
    )
    return (held as number) < this.#limits.cellsPerFriend
  }

  #ownedBy(friend: string): Set<number> {
    let owned = this.#owners.get(friend)
    if (owned === undefined) this.#owners.set(friend, (owned = new Set()))
    return owned
  }

  #freeNum(): number {
    for (;;) {
      const num = randomInt(MAX_NUM)
      if (this.#statements.all('SELECT 1 FROM mailbox_queues WHERE num = ?', num).length === 0) return num
    }
  }

  /** Written once a day: more would say when somebody is awake. */
  #noteRead(num: number): void {
    const isNews = 'read_age <> (SELECT age FROM mailbox_host)'
    if (this.#statements.all(`SELECT 1 FROM mailbox_queues WHERE num = ? AND ${isNews}`, num).length > 0)
      this.#store.write(() =>
        this.#statements.run('UPDATE mailbox_queues SET read_age = (SELECT age FROM mailbox_host) WHERE num = ?', num)
      )
  }

  #deleteQueue(num: number): void {
    this.#deleteCells('place BETWEEN ? AND ?', num * STRETCH, num * STRETCH + STRETCH - 1)
    this.#statements.run('DELETE FROM mailbox_queues WHERE num = ?', num)
  }

  #deleteCells(which: string, ...values: number[]): void {
    const deleted = this.#statements.all(`SELECT place FROM mailbox_ends WHERE ${which}`, ...values)
    for (const { place } of deleted) {
      for (const table of ['mailbox_cells', 'mailbox_ends'])
        this.#statements.run(`DELETE FROM ${table} WHERE place = ?`, place as number)
      const num = Math.floor((place as number) / STRETCH)
      this.#statements.run('UPDATE mailbox_queues SET held = held - 1 WHERE num = ?', num)
    }
  }
}

function utcDay(): number {
  return Math.floor(Date.now() / 86_400_000)
}
