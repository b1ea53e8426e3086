// What is kept of groups' content on the disk: secrets, which entries they open, and how far feeds were looked through.
import type { FeedStore } from '../../feeds/index.ts'
import { fromHex, type Hex, toHex } from '../../groups/index.ts'
import { Statements, type Stretch } from '../../trust/index.ts'
import type { Vault } from '../vault.ts'

/** Places of one feed are a stretch as long as this. */
const STRETCH = 2 ** 32
/** Most entries of one feed that are kept for a secret that may come; the oldest go first. */
export const MAX_SEALED_PER_FEED = 2_048

export interface NamedSecret {
  name: Hex
  secret: Uint8Array
}

/** An entry that was opened. */
export interface StoredPost {
  place: number
  /** The group's number here. */
  num: number
  /** Of the secret. */
  name: Hex
  timeMs: number
  /** Id of the entry that began the thread. */
  root?: Uint8Array
  /** Id of the entry that it answers or reacts to. */
  answered?: Uint8Array
  isReaction?: boolean
  /** Ids of the blobs in which its files are. */
  blobs?: readonly Uint8Array[]
}

/** A file of an entry that was opened. */
export interface StoredFile {
  /** Rises: what was found last has the highest. */
  id: number
  place: number
  /** The group's number here. */
  num: number
  blob: Uint8Array
}

/** An entry that was not opened yet, with the bytes by which it is recognised. */
export interface SealedHead {
  place: number
  head: Uint8Array
}

/** Reactions of one feed to one entry that are counted. Each has to be opened for it. */
const MAX_REACTIONS = 16
/** Answers to one entry that are looked at to count them. */
const MAX_REPLIES_COUNTED = 4_096
const MAX_REACTIONS_COUNTED = 512

/** A point in a group's posts: older ones come after it. */
export interface PostsBefore {
  timeMs: number
  place: number
}

export class ContentStore {
  readonly #store: FeedStore
  readonly #vault: Vault
  readonly #statements: Statements

  /** @param store one in which GroupStore has made the tables */
  constructor(store: FeedStore, vault: Vault) {
    this.#store = store
    this.#vault = vault
    this.#statements = new Statements(store.database)
  }

  secrets(num: number): NamedSecret[] {
    return this.#statements
      .all('SELECT name, secret FROM group_secrets WHERE num = ?', num)
      .flatMap(({ name, secret: sealed }) => {
        const secret = this.#vault.open(sealed as Uint8Array, name as Uint8Array)
        return secret === undefined ? [] : [{ name: toHex(name as Uint8Array), secret }]
      })
  }

  /** On the disk before it returns: an epoch may be lost later, and posts stay. */
  addSecrets(num: number, secrets: readonly NamedSecret[]): void {
    this.#store.write(
      () => {
        for (const { name, secret } of secrets) {
          const sealed = this.#vault.seal(secret, fromHex(name))
          this.#statements.run('INSERT OR IGNORE INTO group_secrets VALUES (?, ?, ?)', num, fromHex(name), sealed)
        }
      },
      { isDurable: true }
    )
  }

  /**
   * Notes what a look at a feed has found, and how far it went.
   * @param low the feed's oldest entry that is here: what is noted of those before goes @default all are here
   */
  addFound(
    feed: number,
    found: { posts: readonly StoredPost[]; sealed: readonly SealedHead[] },
    read?: Stretch,
    low = 1
  ): void {
    this.#store.write(() => {
      if (low > 1) this.#forgetBefore(feed, low)
      for (const post of found.posts) this.#addPost(post)
      for (const { place, head } of found.sealed)
        this.#statements.run('INSERT OR IGNORE INTO group_sealed VALUES (?, ?)', place, head)
      if (found.sealed.length > 0) this.#trim(feed)
      if (read !== undefined)
        this.#statements.run(
          'INSERT INTO group_read VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET low = ?2, high = ?3',
          feed,
          read.low,
          read.high
        )
    })
  }

  #forgetBefore(feed: number, low: number): void {
    for (const table of ['group_files', 'group_posts', 'group_sealed'])
      this.#statements.run(
        `DELETE FROM ${table} WHERE place BETWEEN ? AND ?`,
        ...[feed * STRETCH, feed * STRETCH + low - 1]
      )
  }

  #addPost({ place, num, name, timeMs, root, answered, isReaction = false, blobs = [] }: StoredPost): void {
    this.#statements.run('DELETE FROM group_sealed WHERE place = ?', place)
    const isCounted = answered !== undefined && (!isReaction || this.#reactionsIn(place, answered) < MAX_REACTIONS)
    this.#statements.run(
      'INSERT OR IGNORE INTO group_posts VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...[place, num, fromHex(name), timeMs, root ?? null, isCounted ? answered : null, isReaction ? 1 : 0]
    )
    for (const blob of blobs)
      this.#statements.run('INSERT OR IGNORE INTO group_files (place, num, blob) VALUES (?, ?, ?)', place, num, blob)
  }

  /** Of the feed in which a place is, those to one entry. */
  #reactionsIn(place: number, answered: Uint8Array): number {
    const feed = Math.floor(place / STRETCH)
    const [{ n }] = this.#statements.all(
      'SELECT count(*) AS n FROM group_posts WHERE answered = ? AND is_reaction = 1 AND place BETWEEN ? AND ?',
      ...[answered, feed * STRETCH, (feed + 1) * STRETCH - 1]
    )
    return n as number
  }

  #trim(feed: number): void {
    this.#statements.run(
      `DELETE FROM group_sealed WHERE place BETWEEN ?1 AND ?2 AND place <=
         (SELECT place FROM group_sealed WHERE place BETWEEN ?1 AND ?2 ORDER BY place DESC LIMIT 1 OFFSET ?3)`,
      ...[feed * STRETCH, (feed + 1) * STRETCH - 1, MAX_SEALED_PER_FEED]
    )
  }

  /** What was not opened yet of a feed. */
  sealedIn(feed: number): SealedHead[] {
    return this.#statements.all(
      'SELECT place, head FROM group_sealed WHERE place BETWEEN ? AND ? ORDER BY place DESC',
      feed * STRETCH,
      (feed + 1) * STRETCH - 1
    ) as unknown as SealedHead[]
  }

  read(feed: number): Stretch | undefined {
    const row = this.#statements.all('SELECT low, high FROM group_read WHERE feed = ?', feed)[0]
    return row && { low: row.low as number, high: row.high as number }
  }

  /** All feeds are to be looked through anew. */
  forgetProgress(): void {
    this.#store.write(() => this.#statements.run('DELETE FROM group_read'))
  }

  /** An entry that was opened before; undefined for any other. */
  post(place: number): Pick<StoredPost, 'num' | 'name'> | undefined {
    const row = this.#statements.all('SELECT num, name FROM group_posts WHERE place = ?', place)[0]
    return row && { num: row.num as number, name: toHex(row.name as Uint8Array) }
  }

  /** Where a group's posts are, newest first. @param options.feeds only of these feeds (numbers) */
  posts(
    num: number,
    { before, limit, feeds }: { before?: PostsBefore; limit: number; feeds?: Set<number> }
  ): PostsBefore[] {
    const { timeMs, place } = before ?? { timeMs: Number.MAX_SAFE_INTEGER, place: Number.MAX_SAFE_INTEGER }
    const ofFeeds = feeds === undefined ? '' : 'AND place >> 32 IN (SELECT value FROM json_each(?5))'
    const rows = this.#statements.all(
      `SELECT time AS timeMs, place FROM group_posts WHERE num = ?1 AND (time, place) < (?2, ?3) ${ofFeeds}
       ORDER BY time DESC, place DESC LIMIT ?4`,
      ...[num, timeMs, place, limit, ...(feeds === undefined ? [] : [JSON.stringify([...feeds])])]
    )
    return rows as unknown as PostsBefore[]
  }

  /** Places of a group's posts that name an entry as the one that began their thread; of very many, feeds take turns. */
  postsInThread(num: number, root: Uint8Array, limit: number): number[] {
    const rows = this.#statements.all(
      `SELECT place FROM group_posts WHERE root = ? AND num = ? AND is_reaction = 0
       ORDER BY row_number() OVER (PARTITION BY place >> 32 ORDER BY place), place LIMIT ?`,
      ...[root, num, limit]
    )
    return rows.map(({ place }) => place as number)
  }

  /** Places of replies to an entry in a group; of very many, feeds take turns. */
  repliesTo(num: number, id: Uint8Array): number[] {
    const rows = this.#statements.all(
      `SELECT place FROM group_posts WHERE answered = ? AND is_reaction = 0 AND num = ?
       ORDER BY row_number() OVER (PARTITION BY place >> 32 ORDER BY place), place LIMIT ?`,
      ...[id, num, MAX_REPLIES_COUNTED]
    )
    return rows.map(({ place }) => place as number)
  }

  /** Files of posts that were opened. @param after only of those that were found later */
  files({ after, limit }: { after: number; limit: number }): StoredFile[] {
    const sql = 'SELECT id, place, num, blob FROM group_files WHERE id > ? ORDER BY id LIMIT ?'
    return this.#statements.all(sql, after, limit) as unknown as StoredFile[]
  }

  /** Number of the one that was found last; 0: none is here. */
  lastFile(): number {
    return Number(this.#statements.all('SELECT max(id) AS id FROM group_files')[0].id ?? 0)
  }

  /** Those that are in one blob, the first found first. @param after only of those that were found later */
  filesIn(blob: Uint8Array, { after = 0, limit }: { after?: number; limit: number }): StoredFile[] {
    const sql = 'SELECT id, place, num, blob FROM group_files WHERE blob = ? AND id > ? ORDER BY id LIMIT ?'
    return this.#statements.all(sql, blob, after, limit) as unknown as StoredFile[]
  }

  /** What an entry had is not to be read any more. */
  forgetFiles(place: number): void {
    this.#store.write(() => this.#statements.run('DELETE FROM group_files WHERE place = ?', place))
  }

  /** An entry that is not here any more: should it come again, it is opened anew. */
  forget(place: number): void {
    this.#store.write(() => {
      for (const table of ['group_files', 'group_posts'])
        this.#statements.run(`DELETE FROM ${table} WHERE place = ?`, place)
    })
  }

  /** Places of reactions to an entry in a group. */
  reactionsTo(num: number, id: Uint8Array): number[] {
    const rows = this.#statements.all(
      'SELECT place FROM group_posts WHERE answered = ? AND is_reaction = 1 AND num = ? LIMIT ?',
      ...[id, num, MAX_REACTIONS_COUNTED]
    )
    return rows.map(({ place }) => place as number)
  }
}
