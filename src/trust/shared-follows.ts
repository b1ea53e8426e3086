// Whom friends follow, as far as they chose to say so: what reaches two steps, and what people have in common. It counts
// as long as the one who said it is a friend.
import type { Statements, Write } from './statements.ts'

/** People whom one friend can name. */
export const MAX_SHARED_FOLLOWS = 2_000
/**
 * Names that one friend may bring which its list did not have: at once, and how many more a day. What is kept for each is
 * known to the store for good, and ever new ones would fill it.
 */
export const MAX_NEW_NAMES = 3 * MAX_SHARED_FOLLOWS
export const NEW_NAMES_PER_DAY = MAX_SHARED_FOLLOWS
const DAY_MS = 86_400_000
const IS_FRIEND = `friend IN (SELECT key FROM contacts WHERE relation = 'followed' AND follows_us = 1)`

interface Options {
  self: Uint8Array
  write: Write
  /** What this friend says has changed. @default nobody is told */
  onChange?: (friend: Uint8Array) => void
}

/** Made by Contacts, which owns the tables. */
export class SharedFollows {
  readonly #statements: Statements
  readonly #self: Uint8Array
  readonly #write: Write
  readonly #onChange: (friend: Uint8Array) => void
  /** How many new names friends may still bring, of those who have brought any; only in memory. */
  readonly #room = new Map<string, { names: number; atMs: number }>()

  constructor(statements: Statements, { self, write, onChange = () => {} }: Options) {
    this.#statements = statements
    this.#self = self
    this.#write = write
    this.#onChange = onChange
  }

  /**
   * Puts a friend's list in place of what it said before; an empty one ends it. Only the first 2,000 count, and of new names
   * those for which there is room.
   * @returns whether something changed
   */
  set(friend: Uint8Array, people: readonly Uint8Array[], nowMs: number = Date.now()): boolean {
    const room = this.#roomOf(friend, nowMs)
    return this.#write(() => {
      const before = new Set(this.#of(friend).map(name))
      const after = new Map(
        people
          .slice(0, MAX_SHARED_FOLLOWS)
          .filter((person) => Buffer.compare(person, this.#self) !== 0 && Buffer.compare(person, friend) !== 0)
          .map((person) => [name(person), person])
      )
      const fresh = [...after.keys()].filter((key) => !before.has(key))
      for (const key of fresh.slice(room)) after.delete(key)
      if (before.size === after.size && [...after.keys()].every((key) => before.has(key))) return false
      this.#room.set(name(friend), { names: room - Math.min(room, fresh.length), atMs: nowMs })
      this.forget(friend)
      for (const person of after.values())
        this.#statements.run('INSERT INTO shared_follows VALUES (?, ?)', friend, person)
      return true
    })
  }

  /** Of somebody who is no longer followed. */
  forget(friend: Uint8Array): void {
    this.#onChange(friend)
    this.#statements.run('DELETE FROM shared_follows WHERE friend = ?', friend)
  }

  /** The friends who say that they follow this person. */
  friendsOf(person: Uint8Array): Uint8Array[] {
    return this.#statements
      .all(`SELECT friend FROM shared_follows WHERE person = ? AND ${IS_FRIEND}`, person)
      .map((row) => row.friend as Uint8Array)
  }

  /**
   * Those whom friends follow and one does not follow oneself; nobody who is blocked.
   * @returns pairs of friend and person, by friend
   */
  list(): { friend: Uint8Array; person: Uint8Array }[] {
    return this.#statements
      .all(
        `SELECT friend, person FROM shared_follows
         WHERE ${IS_FRIEND} AND person NOT IN (SELECT key FROM contacts WHERE relation <> 'none') ORDER BY friend, person`
      )
      .map((row) => ({ friend: row.friend as Uint8Array, person: row.person as Uint8Array }))
  }

  #roomOf(friend: Uint8Array, nowMs: number): number {
    const { names, atMs } = this.#room.get(name(friend)) ?? { names: MAX_NEW_NAMES, atMs: nowMs }
    const added = (Math.max(0, nowMs - atMs) / DAY_MS) * NEW_NAMES_PER_DAY
    return Math.min(MAX_NEW_NAMES, Math.floor(names + added))
  }

  #of(friend: Uint8Array): Uint8Array[] {
    return this.#statements
      .all('SELECT person FROM shared_follows WHERE friend = ?', friend)
      .map((row) => row.person as Uint8Array)
  }
}

function name(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('hex')
}
