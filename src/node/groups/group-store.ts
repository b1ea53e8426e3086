// What is kept of groups on the disk: which ones, their operations in an order in which each has what it stands on
// before it, and the secrets of this device as a member.
import { type FeedStore, migrate, type Room } from '../../feeds/index.ts'
import { Statements } from '../../trust/index.ts'
import type { Vault } from '../vault.ts'
import { GROUP_MIGRATIONS } from './schema.ts'

/** Operations of one group have places in a stretch as long as this. */
const STRETCH = 2 ** 32

export type KeyKind = 'member' | 'ring' | 'kem'

export interface StoredKey {
  kind: KeyKind
  public: Uint8Array
  secret: Uint8Array
}

export interface StoredOperation {
  /** Its index in the log. */
  at: number
  id: Uint8Array
  bytes: Uint8Array
}

export class GroupStore {
  readonly #store: FeedStore
  readonly #vault: Vault
  readonly #statements: Statements

  /** @throws FeedError STORE_NEWER */
  constructor(store: FeedStore, vault: Vault) {
    this.#store = store
    this.#vault = vault
    migrate(store.database, 'groups', GROUP_MIGRATIONS)
    this.#statements = new Statements(store.database)
  }

  /** Where what others bring is to find room. */
  get room(): Room {
    return this.#store.room
  }

  groups(): { num: number; id: Uint8Array }[] {
    return this.#statements.all('SELECT num, id FROM groups ORDER BY num') as { num: number; id: Uint8Array }[]
  }

  /** @returns the group's number here */
  add(id: Uint8Array): number {
    return this.write(() => {
      this.#statements.run('INSERT INTO groups (id) VALUES (?)', id)
      return this.#statements.all('SELECT num FROM groups WHERE id = ?', id)[0].num as number
    })
  }

  /** Forgets a group with its secrets, which cannot be read from the file either. */
  remove(num: number): void {
    this.#writeWithoutTrace(() => {
      this.#statements.run('DELETE FROM group_operations WHERE place BETWEEN ? AND ?', num * STRETCH, endOf(num))
      this.#statements.run('DELETE FROM groups WHERE num = ?', num)
    })
  }

  /** By rising index. */
  operations(num: number): Uint8Array[] {
    return this.#statements
      .all('SELECT bytes FROM group_operations WHERE place BETWEEN ? AND ? ORDER BY place', num * STRETCH, endOf(num))
      .map(({ bytes }) => bytes as Uint8Array)
  }

  operation(num: number, at: number): Uint8Array | undefined {
    return this.#statements.all('SELECT bytes FROM group_operations WHERE place = ?', num * STRETCH + at)[0]?.bytes as
      | Uint8Array
      | undefined
  }

  /** @param isDurable for what this device said: it is on the disk before anybody hears of it */
  addOperations(num: number, operations: readonly StoredOperation[], { isDurable = false } = {}): void {
    this.#store.write(
      () => {
        for (const { at, id, bytes } of operations)
          this.#statements.run('INSERT INTO group_operations VALUES (?, ?, ?)', num * STRETCH + at, id, bytes)
      },
      { isDurable }
    )
  }

  /** By age, the oldest first. */
  keys(num: number): StoredKey[] {
    const rows = this.#statements.all('SELECT kind, public, secret FROM group_keys WHERE num = ? ORDER BY id', num)
    return (rows as unknown as StoredKey[]).flatMap((row) => {
      const secret = this.#vault.open(row.secret, row.public)
      return secret === undefined ? [] : [{ ...row, secret }] // the files in keys/ are others: it is of no use any more
    })
  }

  addKeys(num: number, keys: readonly StoredKey[]): void {
    this.write(() => {
      for (const key of keys)
        this.#statements.run(
          'INSERT INTO group_keys (num, kind, public, secret) VALUES (?, ?, ?, ?)',
          num,
          key.kind,
          key.public,
          this.#vault.seal(key.secret, key.public)
        )
    })
  }

  /** Forgets a secret, so that it cannot be read from the file either. */
  removeKey(num: number, publicKey: Uint8Array): void {
    this.#writeWithoutTrace(() =>
      this.#statements.run('DELETE FROM group_keys WHERE num = ? AND public = ?', num, publicKey)
    )
  }

  /** What was there is overwritten in the file, and taken away from the write-ahead log. */
  #writeWithoutTrace(work: () => void): void {
    this.#statements.all('PRAGMA secure_delete = ON')
    try {
      this.write(work)
    } finally {
      this.#statements.all('PRAGMA secure_delete = OFF')
    }
    this.#statements.all('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  /** In one transaction, on the disk before it returns. */
  write<T>(work: () => T): T {
    return this.#store.write(work, { isDurable: true })
  }
}

function endOf(num: number): number {
  return (num + 1) * STRETCH - 1
}
