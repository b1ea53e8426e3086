// How far a message to several people has come with each of them.
import type { Statements } from '../trust/index.ts'
import { earlierThan, MESSAGE_STATES, type MessageState } from './message-state.ts'

/** 'unreachable': they do not get it, since the user and they do not follow each other. */
export type RecipientState = MessageState | 'unreachable'

export const RECIPIENT_STATES: readonly RecipientState[] = [...MESSAGE_STATES, 'unreachable']

export interface Recipient {
  /** Root key. */
  person: Uint8Array
  state: RecipientState
}

/** Its writes belong into a transaction of the caller's. */
export class Recipients {
  readonly #statements: Statements

  constructor(statements: Statements) {
    this.#statements = statements
  }

  add(num: number, { person, state }: Recipient): void {
    this.#statements.run('INSERT OR IGNORE INTO message_recipients VALUES (?, ?, ?)', num, person, state)
  }

  of(num: number): Recipient[] {
    return this.#statements
      .all('SELECT person, state FROM message_recipients WHERE num = ? ORDER BY person', num)
      .map(({ person, state }) => ({ person: person as Uint8Array, state: state as RecipientState }))
  }

  /** @returns whether it was less far before */
  advance(num: number, person: Uint8Array, state: MessageState): boolean {
    const earlier = earlierThan(state)
    const sql = `UPDATE message_recipients SET state = ? WHERE num = ? AND person = ? AND state IN (${earlier})`
    return this.#statements.run(sql, state, num, person) > 0
  }

  /** As the device says that wrote the message. @returns whether that is news */
  take(num: number, { person, state }: Recipient): boolean {
    const sql = 'INSERT OR IGNORE INTO message_recipients VALUES (?, ?, ?)'
    if (this.#statements.run(sql, num, person, state) > 0) return true
    return state === 'unreachable' ? this.#giveUpOne(num, person) : this.advance(num, person, state)
  }

  #giveUpOne(num: number, person: Uint8Array): boolean {
    const sql = `UPDATE message_recipients SET state = 'unreachable'
      WHERE num = ? AND person = ? AND state IN ('queued', 'mailed')`
    return this.#statements.run(sql, num, person) > 0
  }

  /** The state of the one with whom it is least far; undefined when it reaches nobody. */
  leastOf(num: number): MessageState | undefined {
    const states = this.of(num).map(({ state }) => state)
    return MESSAGE_STATES.find((state) => states.includes(state))
  }

  /** What has not come to somebody who has left a conversation never will. @returns the messages' numbers */
  giveUp(peer: Uint8Array, person: Uint8Array): number[] {
    const rows = this.#statements.all(
      `UPDATE message_recipients SET state = 'unreachable' WHERE person = ? AND state IN ('queued', 'mailed')
         AND num IN (SELECT num FROM messages WHERE peer = ?) RETURNING num`,
      ...[person, peer]
    )
    return rows.map(({ num }) => num as number)
  }
}
