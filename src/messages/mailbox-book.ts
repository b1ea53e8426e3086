// The queues that this device has at others' nodes: one for each contact at each of a few hosts. What they are read and
// written with is on the disk before a host or a contact hears of it, or messages would wait where nobody asks.
import { type FeedStore, migrate } from '../feeds/index.ts'
import { type Row, Statements } from '../trust/index.ts'
import { mailboxKey, type MailboxKey } from './mailbox-key.ts'
import { MAILBOX_MIGRATIONS } from './mailbox-schema.ts'

/** 'making' until the host has agreed, 'ending' until it was told that the queue is not needed any more. */
export type QueueState = 'making' | 'made' | 'ending'

export interface OwnQueue {
  /** Who writes to it: 32 bytes. */
  contact: Uint8Array
  /** Peer id of the host. */
  peer: string
  receive: MailboxKey
  send: MailboxKey
  /** The host's key; undefined until the queue was made. */
  host: Uint8Array | undefined
  state: QueueState
}

export class MailboxBook {
  readonly #statements: Statements
  readonly #store: Pick<FeedStore, 'database' | 'write'>

  /** @throws FeedError STORE_NEWER */
  constructor(store: Pick<FeedStore, 'database' | 'write'>) {
    migrate(store.database, 'mailbox', MAILBOX_MIGRATIONS)
    this.#statements = new Statements(store.database)
    this.#store = store
  }

  all(): OwnQueue[] {
    return this.#statements.all('SELECT * FROM mailbox_own').map(toQueue)
  }

  /** For this contact, those that are being ended left out. */
  of(contact: Uint8Array): OwnQueue[] {
    return this.#statements
      .all(`SELECT * FROM mailbox_own WHERE contact = ? AND state <> 'ending'`, contact)
      .map(toQueue)
  }

  at(peer: string): OwnQueue[] {
    return this.#statements.all('SELECT * FROM mailbox_own WHERE peer = ?', peer).map(toQueue)
  }

  /** A new queue, which this host is still to make. */
  add(contact: Uint8Array, peer: string): OwnQueue {
    const [receive, send] = [mailboxKey(), mailboxKey()]
    this.#change(
      `INSERT INTO mailbox_own VALUES (?, ?, ?, ?, NULL, 'making')`,
      receive.secret,
      send.secret,
      contact,
      peer
    )
    return { contact, peer, receive, send, host: undefined, state: 'making' }
  }

  setMade({ receive }: OwnQueue, host: Uint8Array): void {
    this.#change(`UPDATE mailbox_own SET state = 'made', host = ? WHERE receive = ?`, host, receive.secret)
  }

  setEnding({ receive }: OwnQueue): void {
    this.#change(`UPDATE mailbox_own SET state = 'ending' WHERE receive = ?`, receive.secret)
  }

  remove({ receive }: OwnQueue): void {
    this.#change('DELETE FROM mailbox_own WHERE receive = ?', receive.secret)
  }

  #change(sql: string, ...values: (string | Uint8Array)[]): void {
    this.#store.write(() => this.#statements.run(sql, ...values), { isDurable: true })
  }
}

function toQueue({ receive, send, contact, peer, host, state }: Row): OwnQueue {
  return {
    contact: contact as Uint8Array,
    peer: peer as string,
    receive: mailboxKey(receive as Uint8Array),
    send: mailboxKey(send as Uint8Array),
    host: (host as Uint8Array | null) ?? undefined,
    state: state as QueueState
  }
}
