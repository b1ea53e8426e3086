// A host of mailboxes for tests, and streams to it: in memory, with a clock to be set.
import { randomBytes } from 'node:crypto'
import { messageStreamPair } from '../../src/feeds/index.ts'
import { CELL_SIZE } from '../../src/messages/cell.ts'
import {
  MailboxCaller,
  MailboxHost,
  mailboxKey,
  type MailboxKey,
  type MailboxLimits,
  MailboxQueues
} from '../../src/messages/index.ts'
import { temporaryStore } from '../support/feeds.ts'

export interface CallOptions {
  friend?: string
  isHosting?: boolean
}

/** A host with a store of its own. */
export function hostMailboxes({ limits = {}, kind = 'memory' }: HostOptions = {}) {
  const store = temporaryStore(kind)
  const clock = { day: 20_000 }
  const open = (): MailboxQueues => new MailboxQueues(store.store, { today: () => clock.day, limits })
  const host = {
    clock,
    store,
    queues: open(),
    /** As after a start: nothing is in memory. */
    restart: () => (host.queues = open()),
    /** A stream to the host; `ended` tells how it ended on the host's side. */
    async call({ friend, isHosting = true }: CallOptions = {}) {
      const [here, there] = messageStreamPair()
      const ended = new MailboxHost({ queues: host.queues, isHosting, friend }).serve(there).then(
        () => undefined,
        (error: Error) => {
          there.abort(error)
          return error
        }
      )
      return Object.assign(await MailboxCaller.open(here), { stream: here, ended })
    },
    [Symbol.dispose]: () => store[Symbol.dispose]()
  }
  return host
}

interface HostOptions {
  limits?: Partial<MailboxLimits>
  kind?: 'memory' | 'disk'
}

/** Both keys of a queue. */
export function queueKeys(): { receive: MailboxKey; send: MailboxKey } {
  return { receive: mailboxKey(), send: mailboxKey() }
}

export function cell(first?: number): Uint8Array {
  const bytes = randomBytes(CELL_SIZE)
  if (first !== undefined) bytes[0] = first
  return bytes
}
