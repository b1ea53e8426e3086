// What was written and what came, as people see it: the tables of messages. Who may write to whom is not asked here.
import type { DatabaseSync } from 'node:sqlite'
import { cidToBlobId } from '../blobs/index.ts'
import { Statements } from '../trust/index.ts'
import { type Content, decodeContent, encodeContent, known, lifetimeOf } from './content.ts'
import { CONVERSATION_ID_SIZE } from './conversation-state.ts'
import { earlierThan, type MessageState } from './message-state.ts'
import { type Recipient, Recipients } from './recipients.ts'
import type { Vault } from './vault.ts'

/** Types that do something, and are not read. */
const UNSHOWN: ReadonlySet<string> = new Set(['erase', 'receipt', 'states'])

export interface NewMessage {
  /** Root key of who wrote it, and the key of the device that did. */
  author: Uint8Array
  device: Uint8Array
  /** Root key of the other person in the conversation, or the id of a conversation of several. */
  peer: Uint8Array
  /** That it is shown with, in ms. */
  timeMs: number
  content: Content
  state: MessageState
  /** Whether it is to be read, or only does something. @default by its type */
  isShown?: boolean
  /** When it came, from which on its lifetime counts. @default Date.now() */
  nowMs?: number
}

export interface StoredMessage extends Omit<NewMessage, 'content' | 'nowMs'> {
  /** Rises in the order in which they came to this device. */
  num: number
  id: Uint8Array
  /** undefined when it was erased. */
  content?: Content
  isShown: boolean
  /** When it is erased here. */
  expiresMs?: number
  /** Something that its device wrote before it has not come. */
  isAfterGap: boolean
}

/** What a list is to hold. */
export interface MessageQuery {
  /** A person's root key or a conversation's id. @default everybody */
  peer?: Uint8Array
  /** @default no limit */
  limit?: number
  /** Only newer than this number, the oldest first. Without it: the newest first. */
  after?: number
}

/** Its writes belong into a transaction of the caller's. */
export class Conversations {
  /** Of own messages to several people. */
  readonly recipients: Recipients
  readonly #statements: Statements
  readonly #vault: Vault

  /** @param database one in which the tables of messages were made */
  constructor(database: DatabaseSync, vault: Vault) {
    this.#statements = new Statements(database)
    this.recipients = new Recipients(this.#statements)
    this.#vault = vault
  }

  /** @returns its number, or undefined when it is here already, or was and has been erased */
  add({ author, device, peer, timeMs, content, state, ...more }: NewMessage): number | undefined {
    const { isShown = !UNSHOWN.has(content.type), nowMs = Date.now() } = more
    const lifetime = lifetimeOf(content)
    const sealed = this.#vault.seal(encodeContent(content), nameOf(author, content.id))
    const [added] = this.#statements.all(
      `INSERT OR IGNORE INTO messages (author, id, device, peer, time, content, is_shown, prev, expires, lifetime,
         state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING num`,
      ...[author, content.id, device, peer, timeMs, sealed, isShown ? 1 : 0, content.prev ?? null],
      ...[lifetime === undefined ? null : nowMs + lifetime, lifetime ?? null, state]
    )
    const num = added?.num as number | undefined
    const about = known(content)
    if (num !== undefined && about?.type === 'attachment')
      this.#statements.run('INSERT INTO message_attachments (num, blob) VALUES (?, ?)', num, cidToBlobId(about.blob)!)
    return num
  }

  /** A message that has not come yet is not to be shown when it does. */
  addErased({ author, device, peer, timeMs, id }: Omit<NewMessage, 'content' | 'state'> & { id: Uint8Array }): void {
    this.#statements.run(
      `INSERT OR IGNORE INTO messages (author, id, device, peer, time, is_shown, state) VALUES (?, ?, ?, ?, ?, 0, 'read')`,
      ...[author, id, device, peer, timeMs]
    )
  }

  /** By its author's root key and its id. */
  find(author: Uint8Array, id: Uint8Array): StoredMessage | undefined {
    return this.#select('author = ? AND id = ?', author, id)[0]
  }

  /** Its number, and the other person in the conversation: what is known of it without opening it. */
  placeOf(author: Uint8Array, id: Uint8Array): Pick<StoredMessage, 'num' | 'peer' | 'isShown'> | undefined {
    const [row] = this.#statements.all(
      'SELECT num, peer, is_shown FROM messages WHERE author = ? AND id = ?',
      author,
      id
    )
    return row && { num: row.num as number, peer: row.peer as Uint8Array, isShown: row.is_shown === 1 }
  }

  /** By its id alone; where two people gave the same one, their own is preferred. */
  findById(id: Uint8Array, self: Uint8Array): StoredMessage | undefined {
    return this.find(self, id) ?? this.#select('id = ?', id)[0]
  }

  get(num: number): StoredMessage | undefined {
    return this.#select('num = ?', num)[0]
  }

  list({ peer, limit = -1, after }: MessageQuery = {}): StoredMessage[] {
    const order = after === undefined ? 'DESC' : 'ASC'
    return peer === undefined
      ? this.#select(`is_shown = 1 AND num > ? ORDER BY num ${order} LIMIT ?`, after ?? 0, limit)
      : this.#select(`is_shown = 1 AND peer = ? AND num > ? ORDER BY num ${order} LIMIT ?`, peer, after ?? 0, limit)
  }

  /** Messages that a file belongs to, the newest first, and the ids of the blobs in which these are. */
  attachments(): { num: number; blob: Uint8Array; author: Uint8Array }[] {
    const sql = 'SELECT num, blob, author FROM message_attachments JOIN messages USING (num) ORDER BY num DESC'
    return this.#statements.all(sql).map((row) => ({
      num: row.num as number,
      blob: row.blob as Uint8Array,
      author: row.author as Uint8Array
    }))
  }

  /** Root keys of those with whom messages were exchanged, the last ones first. */
  peers(): Uint8Array[] {
    const sql = 'SELECT peer FROM messages WHERE length(peer) <> ? GROUP BY peer ORDER BY max(num) DESC'
    return this.#statements.all(sql, CONVERSATION_ID_SIZE).map(({ peer }) => peer as Uint8Array)
  }

  /** In how many conversations of several somebody has ever said something. */
  countSeveral(author: Uint8Array): number {
    const sql = 'SELECT count(DISTINCT peer) AS n FROM messages WHERE author = ? AND length(peer) = ?'
    return this.#statements.all(sql, author, CONVERSATION_ID_SIZE)[0].n as number
  }

  /** What a device has written and nobody has acknowledged, the oldest first: number, and who is to have it. */
  undelivered(device: Uint8Array): Pick<StoredMessage, 'num' | 'peer'>[] {
    const sql = `SELECT num, peer FROM messages
      WHERE state IN ('queued', 'mailed') AND device = ? AND content IS NOT NULL ORDER BY num`
    return this.#statements.all(sql, device).map((row) => ({ num: row.num as number, peer: row.peer as Uint8Array }))
  }

  /** Id of what a device has written last in a conversation, of what is to be read. */
  lastOf(device: Uint8Array, peer: Uint8Array): Uint8Array | undefined {
    const sql = 'SELECT id FROM messages WHERE device = ? AND peer = ? AND is_shown = 1 ORDER BY num DESC LIMIT 1'
    return this.#statements.all(sql, device, peer)[0]?.id as Uint8Array | undefined
  }

  /** @returns whether it was less far before */
  advance(num: number, state: MessageState): boolean {
    const sql = `UPDATE messages SET state = ? WHERE num = ? AND state IN (${earlierThan(state)})`
    return this.#statements.run(sql, state, num) > 0
  }

  /** Notes how far an own message has come with somebody. @returns whether that is news */
  advanceFor({ num, peer }: Pick<StoredMessage, 'num' | 'peer'>, person: Uint8Array, state: MessageState): boolean {
    if (peer.length !== CONVERSATION_ID_SIZE) return Buffer.compare(peer, person) === 0 && this.advance(num, state)
    const isNews = this.recipients.advance(num, person, state)
    if (isNews) this.#advanceAll(num)
    return isNews
  }

  /** Takes over how far an own message has come, as the device says that wrote it. @returns whether that is news */
  takeState(
    { num, peer }: Pick<StoredMessage, 'num' | 'peer'>,
    state: MessageState,
    recipients: readonly Recipient[] = []
  ): boolean {
    const several = peer.length === CONVERSATION_ID_SIZE ? recipients : []
    const news = several.filter((each) => this.recipients.take(num, each))
    return this.advance(num, state) || news.length > 0
  }

  /** Somebody has left a conversation: they get nothing any more. @returns the numbers of messages that this changes */
  giveUp(peer: Uint8Array, person: Uint8Array): number[] {
    const nums = this.recipients.giveUp(peer, person)
    for (const num of nums) this.#advanceAll(num)
    return nums
  }

  /** A message to several is as far as with the last of them. */
  #advanceAll(num: number): void {
    const state = this.recipients.leastOf(num)
    if (state !== undefined && state !== 'queued') this.advance(num, state)
  }

  /** Leaves of a message that it was there, so that it is not shown when it comes again. */
  erase(num: number): boolean {
    return this.#statements.run('UPDATE messages SET content = NULL WHERE num = ? AND content IS NOT NULL', num) > 0
  }

  /** Forgets a message that only did something, as soon as no device waits for it any more. */
  forgetDone(num: number): void {
    this.#statements.run(
      `DELETE FROM messages WHERE num = ? AND is_shown = 0 AND content IS NOT NULL
         AND num NOT IN (SELECT num FROM message_outbox WHERE num = ?)`,
      ...[num, num]
    )
  }

  /** When the next message is to be erased, in ms. */
  nextExpiry(): number | undefined {
    const sql = 'SELECT min(expires) AS next FROM messages WHERE expires IS NOT NULL AND content IS NOT NULL'
    return (this.#statements.all(sql)[0].next as number | null) ?? undefined
  }

  /** Whatever is to be kept for longer than from now on: the clock was wrong when it came. */
  shortenExpiries(nowMs: number): void {
    const isWrong = 'expires IS NOT NULL AND content IS NOT NULL AND expires > ? + lifetime'
    if (this.#statements.all(`SELECT 1 FROM messages WHERE ${isWrong} LIMIT 1`, nowMs).length > 0)
      this.#statements.run(`UPDATE messages SET expires = ? + lifetime WHERE ${isWrong}`, nowMs, nowMs)
  }

  /** Numbers of what is to be erased by now. */
  expired(nowMs: number): number[] {
    const sql = 'SELECT num FROM messages WHERE expires <= ? AND content IS NOT NULL'
    return this.#statements.all(sql, nowMs).map(({ num }) => num as number)
  }

  #select(condition: string, ...values: (Uint8Array | number)[]): StoredMessage[] {
    return this.#statements
      .all(
        `SELECT *, prev IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM messages AS b WHERE b.author = messages.author AND b.id = messages.prev)
           AND EXISTS (SELECT 1 FROM messages AS b WHERE b.device = messages.device AND b.peer = messages.peer
             AND b.num < messages.num) AS gap
         FROM messages WHERE ${condition}`,
        ...values
      )
      .map((row) => this.#message(row))
  }

  #message({ num, device, peer, time, content, state, gap, ...row }: Record<string, unknown>): StoredMessage {
    const [author, id] = [row.author as Uint8Array, row.id as Uint8Array]
    const opened = content === null ? undefined : this.#vault.open(content as Uint8Array, nameOf(author, id))
    return {
      num: num as number,
      author,
      id,
      device: device as Uint8Array,
      peer: peer as Uint8Array,
      timeMs: time as number,
      state: state as MessageState,
      isShown: row.is_shown === 1,
      ...(row.expires === null ? {} : { expiresMs: row.expires as number }),
      isAfterGap: gap === 1,
      ...(opened === undefined ? {} : { content: decodeContent(opened) })
    }
  }
}

/** What its content is sealed for. */
function nameOf(author: Uint8Array, id: Uint8Array): Uint8Array {
  return Buffer.concat([author, id])
}
