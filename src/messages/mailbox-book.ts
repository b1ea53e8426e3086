// The queues that this device has at others' nodes: one for each contact at each of a few hosts. What they are read and
// written with is on the disk, sealed, before a host or a contact hears of it, or messages would wait where nobody asks.
import { type FeedStore, migrate } from '../feeds/index.ts'
import { type Row, Statements } from '../trust/index.ts'
import { MAILBOX_KEY_SIZE, mailboxKey, type MailboxKey } from './mailbox-key.ts'
import { MAILBOX_MIGRATIONS } from './mailbox-schema.ts'
import type { Vault } from './vault.ts'

const PURPOSE = Buffer.from('comrade/mailbox/own/1\0')

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
  /** How many devices of the contact had been revoked when it was added: those do not know it. */
  generation: number
}

export class MailboxBook {
  readonly #statements: Statements
  readonly #store: Pick<FeedStore, 'database' | 'write'>
  readonly #vault: Vault

  /** @throws FeedError STORE_NEWER */
  constructor(store: Pick<FeedStore, 'database' | 'write'>, vault: Vault) {
    migrate(store.database, 'mailbox', MAILBOX_MIGRATIONS)
    this.#statements = new Statements(store.database)
    this.#store = store
    this.#vault = vault
  }

  all(): OwnQueue[] {
    return this.#queues('SELECT * FROM mailbox_own')
  }

  /** For this contact, those that are being ended left out. */
  of(contact: Uint8Array): OwnQueue[] {
    return this.#queues(`SELECT * FROM mailbox_own WHERE contact = ? AND state <> 'ending'`, contact)
  }

  at(peer: string): OwnQueue[] {
    return this.#queues('SELECT * FROM mailbox_own WHERE peer = ?', peer)
  }

  /** How many there are at a host. */
  countAt(peer: string): number {
    return this.#statements.all('SELECT count(*) AS n FROM mailbox_own WHERE peer = ?', peer)[0].n as number
  }

  /** A new queue, which this host is still to make. */
  add(contact: Uint8Array, peer: string, generation: number): OwnQueue {
    const [receive, send] = [mailboxKey(), mailboxKey()]
    const secrets = this.#vault.seal(Buffer.concat([receive.secret, send.secret]), about(receive.id))
    const insert = `INSERT INTO mailbox_own VALUES (?, ?, ?, ?, NULL, 'making', ?)`
    this.#change(insert, receive.id, secrets, contact, peer, generation)
    return { contact, peer, receive, send, host: undefined, state: 'making', generation }
  }

  setMade({ receive }: OwnQueue, host: Uint8Array): void {
    this.#change(`UPDATE mailbox_own SET state = 'made', host = ? WHERE receive = ?`, host, receive.id)
  }

  setEnding({ receive }: OwnQueue): void {
    this.#change(`UPDATE mailbox_own SET state = 'ending' WHERE receive = ?`, receive.id)
  }

  remove({ peer, receive }: OwnQueue): void {
    this.#change('DELETE FROM mailbox_own WHERE receive = ?', receive.id)
    if (this.missedMs(peer) > 0 && this.countAt(peer) === 0) this.noteMissed(peer, 0)
  }

  /** For how long a host was not reached since it was last, while others were, in ms. */
  missedMs(peer: string): number {
    const [row] = this.#statements.all('SELECT missed_ms FROM mailbox_hosts WHERE peer = ?', peer)
    return (row?.missed_ms as number | undefined) ?? 0
  }

  /** @param missedMs 0: it was reached */
  noteMissed(peer: string, missedMs: number): void {
    this.#store.write(() => {
      if (missedMs === 0) this.#statements.run('DELETE FROM mailbox_hosts WHERE peer = ?', peer)
      else this.#statements.run('INSERT OR REPLACE INTO mailbox_hosts VALUES (?, ?)', peer, Math.round(missedMs))
    })
  }

  /** Where the keys of the home are others, those of before are of no use. */
  #queues(sql: string, ...values: (string | Uint8Array)[]): OwnQueue[] {
    return this.#statements.all(sql, ...values).flatMap((row) => this.#toQueue(row) ?? [])
  }

  #toQueue({ receive, secrets, contact, peer, host, state, generation }: Row): OwnQueue | undefined {
    const opened = this.#vault.open(secrets as Uint8Array, about(receive as Uint8Array))
    return (
      opened && {
        contact: contact as Uint8Array,
        peer: peer as string,
        receive: { id: receive as Uint8Array, secret: opened.subarray(0, MAILBOX_KEY_SIZE) },
        send: lazyKey(opened.subarray(MAILBOX_KEY_SIZE)),
        host: (host as Uint8Array | null) ?? undefined,
        state: state as QueueState,
        generation: generation as number
      }
    )
  }

  #change(sql: string, ...values: (string | number | Uint8Array)[]): void {
    this.#store.write(() => this.#statements.run(sql, ...values), { isDurable: true })
  }
}

/** Its id is needed only when the queue is made, and takes longer than all else that is read here. */
function lazyKey(secret: Uint8Array): MailboxKey {
  return {
    secret,
    get id() {
      return mailboxKey(secret).id
    }
  }
}

function about(id: Uint8Array): Uint8Array {
  return Buffer.concat([PURPOSE, id])
}
