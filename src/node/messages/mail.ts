// What is for a device that is away: it is left in its mailboxes, in the same sealed bytes that are sent when the device is
// connected again.
import type { FeedStore } from '../../feeds/index.ts'
import {
  type Conversations,
  deviceAddress,
  type MailboxContact,
  type Outbox,
  type Outgoing,
  type Sealed
} from '../../messages/index.ts'
import { NodeError } from '../comrade.ts'
import type { Crypt, Opened } from './crypt.ts'
import { isPassing, type Line, takePassing } from './line.ts'
import { cellsOf, type Parcel, parcelOf, type Seal } from './parcel.ts'

/** How long somebody is away before their mailboxes are used: a connection may only have been lost for a moment, in ms. */
const AWAY_MS = 5_000
/** How long until it is tried again when no mailbox took anything, at first and at most, in ms. */
const FIRST_RETRY_MS = 10_000
const LAST_RETRY_MS = 600_000
/** How many of what waits for a device are read at a time. */
const LOOKED_AT_ONCE = 64

/** The mailboxes of others. */
export interface Mailing {
  of(device: Uint8Array): MailboxContact | undefined
  /** @param seal makes the cells, for one host */
  put(to: MailboxContact, seal: () => readonly Uint8Array[]): Promise<boolean>
  readonly contacts: {
    bundleOf(device: Uint8Array, nowMs: number): Uint8Array | undefined
    removeBundle(device: Uint8Array): void
    isPut(transfer: Uint8Array, nowMs: number): boolean
    notePut(transfer: Uint8Array, nowMs: number): void
  }
}

export interface MailOptions {
  store: FeedStore
  crypt: Crypt
  conversations: Conversations
  outbox: Outbox
  mailboxes: Mailing
  /** Whether a device is connected. */
  peerOf: (device: Uint8Array) => object | undefined
  /** Whose a device is, if it may be written to. */
  personOf: (device: Uint8Array) => Uint8Array | undefined
  /** Whether this line is still that of its device. */
  isInUse: (line: Line) => boolean
  /** What waits for a device, sealed once and kept as it is; what was erased is left out. */
  parcelsOf: (line: Line, person: Uint8Array, all: readonly Outgoing[], seal: Seal) => Promise<Parcel[]>
  /** Something was to be sent meanwhile. */
  deliver: (device: Uint8Array) => void
  /** A message is in a mailbox of its recipient. */
  onMailed: (num: number) => void
  onError: (error: unknown) => void
  /** @default 5_000 */
  awayMs?: number
}

export class Mail {
  readonly #options: MailOptions

  constructor(options: MailOptions) {
    this.#options = options
  }

  /** The device is away. */
  later(line: Line, delayMs = this.#options.awayMs ?? AWAY_MS): void {
    if (!this.#options.isInUse(line)) return
    line.mailing ??= setTimeout(() => {
      line.mailing = undefined
      void this.#run(line)
    }, delayMs)
    line.mailing.unref()
  }

  async #run(line: Line): Promise<void> {
    const { isInUse, deliver, onError } = this.#options
    if (!isInUse(line)) return
    if (line.isRunning) {
      line.isAgain = true // what is at work sees that nobody is there, and comes back to here
      return
    }
    line.isRunning = true
    let isDone = false
    try {
      while (isInUse(line) && (await this.#putNext(line)) === 'more');
      isDone = true
      line.mailRetryMs = undefined
    } catch (error) {
      if (!isPassing(error)) onError(error)
    }
    line.isRunning = false
    if (line.isAgain) deliver(line.device)
    else if (!isDone) this.later(line, (line.mailRetryMs = nextRetryMs(line)))
  }

  /** @throws NodeError UNREACHABLE when no mailbox takes it */
  async #putNext(line: Line): Promise<'more' | 'done'> {
    const { mailboxes, personOf, peerOf, crypt, parcelsOf } = this.#options
    const [box, person] = [mailboxes.of(line.device), personOf(line.device)]
    if (box === undefined || person === undefined || peerOf(line.device) !== undefined) return 'done'
    const next = this.#nextOf(line.device)
    if (line.passing.length + line.receipts.length === 0 && next === undefined) return 'done'
    const opened = await crypt.open()
    const address = deviceAddress(line.device)
    const isNew = !opened.sessions.has(address)
    const bundle = isNew ? mailboxes.contacts.bundleOf(line.device, Date.now()) : undefined
    if (isNew && bundle === undefined) return 'done'
    const seal: Seal = (padded) => this.#seal(line.device, opened, padded, bundle)
    if (await this.#putPassing(line, box, opened, seal)) return 'more'
    const [parcel] = await parcelsOf(line, person, [next!], seal)
    if (parcel !== undefined) await this.#putKept(line, next!, box, opened, parcel)
    return 'more'
  }

  /** The oldest that no mailbox has, of what may be thousands. */
  #nextOf(device: Uint8Array): Outgoing | undefined {
    const { mailboxes, outbox } = this.#options
    const isWaiting = ({ transfer }: Outgoing): boolean => !mailboxes.contacts.isPut(transfer, Date.now())
    for (let after = 0; ;) {
      const some = outbox.of(device, { after, limit: LOOKED_AT_ONCE })
      const next = some.find(isWaiting)
      if (next !== undefined || some.length < LOOKED_AT_ONCE) return next
      after = some.at(-1)!.num
    }
  }

  /** With a bundle, a session is begun: it serves once, also when nothing could be begun with it. */
  async #seal(device: Uint8Array, { sessions }: Opened, padded: Uint8Array, bundle?: Uint8Array): Promise<Sealed> {
    if (bundle === undefined) return sessions.encrypt(deviceAddress(device), padded)
    const { store, mailboxes } = this.#options
    try {
      return await sessions.encrypt(deviceAddress(device), padded, { bundle })
    } finally {
      store.write(() => mailboxes.contacts.removeBundle(device))
    }
  }

  /** @returns whether there was something */
  async #putPassing(line: Line, box: MailboxContact, opened: Opened, seal: Seal): Promise<boolean> {
    const passing = takePassing(line)
    if (passing === undefined) return false
    try {
      await this.#put(box, opened, await parcelOf(passing, seal))
    } catch (error) {
      line.passing.unshift(passing)
      throw error
    }
    return true
  }

  async #putKept(line: Line, next: Outgoing, box: MailboxContact, opened: Opened, parcel: Parcel): Promise<void> {
    const { store, conversations, mailboxes, personOf, onMailed } = this.#options
    await this.#put(box, opened, parcel)
    const isMailed = store.write(() => {
      mailboxes.contacts.notePut(next.transfer, Date.now())
      const [message, person] = [conversations.get(next.num), personOf(line.device)]
      return message !== undefined && person !== undefined && conversations.advanceFor(message, person, 'mailed')
    })
    if (isMailed) onMailed(next.num)
  }

  async #put(box: MailboxContact, opened: Opened, parcel: Parcel): Promise<void> {
    const key = opened.keys.check(box.key)
    if (!(await this.#options.mailboxes.put(box, () => cellsOf(parcel, opened, key))))
      throw new NodeError('UNREACHABLE', 'no mailbox took the message')
  }
}

function nextRetryMs({ mailRetryMs }: Line): number {
  return mailRetryMs === undefined ? FIRST_RETRY_MS : Math.min(2 * mailRetryMs, LAST_RETRY_MS)
}
