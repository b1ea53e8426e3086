// What is agreed in each conversation, as this device knows it: a table. Of two people who never agreed on anything there
// is no row.
import type { DatabaseSync } from 'node:sqlite'
import { decodeCbor, encodeCbor } from '../feeds/index.ts'
import { Statements } from '../trust/index.ts'
import {
  CONVERSATION_ID_SIZE,
  type ConversationState,
  EMPTY_STATE,
  fromFields,
  type StateFields,
  toFields
} from './conversation-state.ts'
import type { Vault } from './vault.ts'

/** Its writes belong into a transaction of the caller's. */
export class ConversationBook {
  readonly #statements: Statements
  readonly #vault: Vault

  /** @param database one in which the tables of messages were made */
  constructor(database: DatabaseSync, vault: Vault) {
    this.#statements = new Statements(database)
    this.#vault = vault
  }

  /** @param peer a conversation's id, or the other person's root key. @returns undefined when nothing was agreed */
  find(peer: Uint8Array): ConversationState | undefined {
    const [row] = this.#statements.all('SELECT state FROM message_conversations WHERE peer = ?', peer)
    return row && this.#open(peer, row.state as Uint8Array)
  }

  get(peer: Uint8Array): ConversationState {
    return this.find(peer) ?? EMPTY_STATE
  }

  set(peer: Uint8Array, state: ConversationState): void {
    const sealed = this.#vault.seal(encodeCbor(toFields(state)), nameOf(peer))
    this.#statements.run('INSERT OR REPLACE INTO message_conversations VALUES (?, ?)', peer, sealed)
  }

  /** All conversations of several, with their ids. */
  several(): { id: Uint8Array; state: ConversationState }[] {
    return this.#statements
      .all('SELECT peer, state FROM message_conversations WHERE length(peer) = ?', CONVERSATION_ID_SIZE)
      .map(({ peer, state }) => ({
        id: peer as Uint8Array,
        state: this.#open(peer as Uint8Array, state as Uint8Array) ?? EMPTY_STATE
      }))
  }

  /** How many conversations of several there are. */
  count(): number {
    const sql = 'SELECT count(*) AS n FROM message_conversations WHERE length(peer) = ?'
    return this.#statements.all(sql, CONVERSATION_ID_SIZE)[0].n as number
  }

  #open(peer: Uint8Array, sealed: Uint8Array): ConversationState | undefined {
    const opened = this.#vault.open(sealed, nameOf(peer))
    return opened && fromFields(decodeCbor(opened) as StateFields)
  }
}

/** Whether messages with this `peer` are those of a conversation of several: else it is a person's root key. */
export function isConversationId(peer: Uint8Array): boolean {
  return peer.length === CONVERSATION_ID_SIZE
}

/** What a state is sealed for. */
function nameOf(peer: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from('conversation\0'), peer])
}
