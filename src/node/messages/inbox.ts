// What arrives: cells are put together, opened, and what they say is stored in the same transaction as the session's new
// state. Each message is taken once, however often it comes.
import { FeedError, type Room, Turn } from '../../feeds/index.ts'
import {
  type Content,
  type Conversations,
  decodeContent,
  deviceAddress,
  known,
  type KnownContent,
  lifetimeOf,
  type MailboxContacts,
  MessageError,
  type Outbox,
  readPiece,
  type Reassembled,
  Reassembly,
  type Transfers,
  unpad
} from '../../messages/index.ts'
import type { ConversationIntake, Judgement } from './conversation-intake.ts'
import type { Crypt } from './crypt.ts'
import type { KnownDevice } from './known-devices.ts'

/** A device is asked to seal anew at most this often, in ms. */
const REPEATED_INTERVAL_MS = 60_000

export interface InboxOptions {
  crypt: Crypt
  conversations: Conversations
  outbox: Outbox
  transfers: Transfers
  mailboxContacts: MailboxContacts
  intake: ConversationIntake
  /** Where what others send is to find room. */
  room: Room
  /** Own root key. */
  self: Uint8Array
  /** Numbers of messages that came, or whose state changed. */
  onChanged: (nums: number[]) => void
  /** A device is to hear that its message is here, or still, when it had come before. */
  onAcknowledge: (device: Uint8Array, id: Uint8Array, options?: { isAgain: boolean }) => void
  /** A device has said that something of this one came. */
  onProgress: (device: Uint8Array) => void
  /** A device asks for what it did not acknowledge, sealed anew. */
  onResend: (device: Uint8Array) => void
  /** A device has used a key a second time: it is to be asked to seal anew what this one did not acknowledge. */
  onRepeated: (device: Uint8Array) => void
  /** @default Date.now */
  now?: () => number
  /** Lets others have their turn. @default one of its own */
  turn?: Turn
}

/** What a message has led to. */
interface Outcome {
  changed: number[]
  acknowledge?: Uint8Array
  judgement?: Judgement
  isReceipt?: boolean
  isResend?: boolean
}

export class Inbox {
  readonly #options: InboxOptions
  readonly #now: () => number
  readonly #turn: Turn
  readonly #reassembly: Reassembly
  /** When a device was last asked to seal anew, by its key in hexadecimal. */
  readonly #repeatedMs = new Map<string, number>()
  /** Devices from which something found no room. */
  readonly #leftOut = new Map<string, Uint8Array>()

  constructor(options: InboxOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#turn = options.turn ?? new Turn()
    this.#reassembly = new Reassembly({ now: this.#now })
  }

  /**
   * Takes one cell.
   * @param from the device that has shown on its connection which one it is, or those that may have left it in a mailbox
   * @param options.isProven false: it comes from a mailbox, whose host may have made it up @default true
   * @throws MessageError CELL for what is no cell for this device from that one; FeedError DISK_FULL
   */
  async take(cell: Uint8Array, from: readonly KnownDevice[], { isProven = true } = {}): Promise<void> {
    const { keys } = await this.#options.crypt.open()
    const piece = readPiece(keys.open(cell))
    const address = Buffer.from(piece.from).toString('hex')
    const sender = from.find(({ device }) => deviceAddress(device) === address)
    if (sender === undefined) throw new MessageError('CELL', 'this cell says that another device has sent it')
    const whole = this.#reassembly.add(piece, address)
    if (whole !== undefined) await this.#takeWhole(whole, sender, isProven)
  }

  /** There is room again: whoever sent what was left out is asked for it. */
  onRoomy(): void {
    const devices = [...this.#leftOut.values()]
    this.#leftOut.clear()
    for (const device of devices) this.#options.onRepeated(device)
  }

  async #takeWhole(whole: Reassembled, from: KnownDevice, isProven: boolean): Promise<void> {
    const { transfers, onAcknowledge } = this.#options
    const before = transfers.find(from.device, whole.transfer)
    if (before !== undefined) {
      if (before.id !== undefined) onAcknowledge(from.device, before.id, { isAgain: true })
      return
    }
    const outcome = await this.#open(whole, from, isProven)
    if (outcome === undefined) return
    await this.#turn.giveWay()
    this.#options.onChanged(outcome.changed)
    const { acknowledge, changed } = outcome
    if (acknowledge !== undefined) onAcknowledge(from.device, acknowledge, { isAgain: changed.length === 0 })
    if (outcome.judgement !== undefined) this.#options.intake.follow(outcome.judgement, from)
    if (outcome.isReceipt) this.#options.onProgress(from.device)
    if (outcome.isResend) this.#options.onResend(from.device)
  }

  /** What no session opens is not to blame on anybody: it may have come late, or the session was lost. */
  async #open(whole: Reassembled, from: KnownDevice, isProven: boolean): Promise<Outcome | undefined> {
    const { crypt, transfers } = this.#options
    const { sessions } = await crypt.open()
    try {
      const accept = (plaintext: Uint8Array): Outcome => {
        const content = contentOf(plaintext)
        const outcome = content === undefined ? { changed: [] } : this.#accept(content, from)
        if (!this.#isOfOwn(outcome, from)) this.#options.room.take(whole.bytes.length)
        transfers.add(from.device, whole.transfer, { id: outcome.acknowledge, nowMs: this.#now() })
        return outcome
      }
      return await sessions.decrypt(deviceAddress(from.device), whole, accept, { isProven })
    } catch (error) {
      if (error instanceof FeedError) this.#leftOut.set(hex(from.device), from.device)
      if (!(error instanceof MessageError) || error.code === 'CLOSED') throw error
      if (error.code === 'DUPLICATE') this.#noteRepeated(whole, from)
      return undefined
    }
  }

  /**
   * A key that was used twice, for what has not come yet: the sender's database is an older copy, or this came so late that its
   * key is gone. When it is sealed anew, it can be opened.
   */
  #noteRepeated({ transfer }: Reassembled, { device }: KnownDevice): void {
    const { transfers, onAcknowledge, onRepeated } = this.#options
    const before = transfers.find(device, transfer) // by another way, at the same time
    if (before?.id !== undefined) onAcknowledge(device, before.id)
    const name = hex(device)
    const now = this.#now()
    if (before !== undefined || Math.abs(now - (this.#repeatedMs.get(name) ?? -Infinity)) < REPEATED_INTERVAL_MS) return
    this.#repeatedMs.set(name, now)
    onRepeated(device)
  }

  /** What own devices send, and how far own messages have come, is no data of others. */
  #isOfOwn({ isReceipt = false, changed }: Outcome, { person }: KnownDevice): boolean {
    return this.#isSelf(person) || (isReceipt && changed.length > 0)
  }

  /** In the transaction that stores the session's state. */
  #accept(content: Content, from: KnownDevice): Outcome {
    const special = known(content)
    if (special?.type === 'receipt') return this.#takeReceipt(special, from)
    // Acknowledged, so that whoever asks hears this device, and asks no more.
    if (special?.type === 'resend') return { changed: [], isResend: true, acknowledge: content.id }
    if (special?.type === 'mailboxes') {
      const { key, descriptor, at } = special
      this.#options.mailboxContacts.set(from.device, { key, descriptor, atMs: Math.min(at, this.#now()) })
      return { changed: [] }
    }
    if (special?.type === 'states') return { changed: this.#takeStates(special, from), acknowledge: content.id }
    const judgement = this.#options.intake.judge(content, from)
    const changed = [...this.#keep(judgement, from), ...judgement.changed]
    return { changed, judgement, ...(judgement.isAcknowledged ? { acknowledge: content.id } : {}) }
  }

  /** @returns the numbers of messages that came or are others now */
  #keep({ peer, content, isShown }: Judgement, from: KnownDevice): number[] {
    if (peer === undefined) return []
    const now = this.#now()
    const about = { author: from.person, device: from.device, peer, timeMs: Math.min(content.at, now) }
    if (lifetimeOf(content) === 0) {
      this.#options.conversations.addErased({ ...about, id: content.id })
      return []
    }
    const state = this.#isSelf(from.person) ? 'queued' : 'delivered'
    const num = this.#options.conversations.add({ ...about, content, isShown, nowMs: now, state })
    const special = known(content)
    const erased = special?.type === 'erase' ? this.#erase(special.about, about) : []
    return [...(num === undefined ? [] : [num]), ...erased]
  }

  /** Only who wrote it may take it back; what has not come yet is not shown when it does. */
  #erase(
    id: Uint8Array,
    about: { author: Uint8Array; device: Uint8Array; peer: Uint8Array; timeMs: number }
  ): number[] {
    const { conversations, outbox } = this.#options
    const message = conversations.find(about.author, id)
    if (message === undefined) conversations.addErased({ ...about, id })
    else outbox.removeMessage(message.num) // an own one, erased on another device
    return message !== undefined && conversations.erase(message.num) ? [message.num] : []
  }

  #takeReceipt({ id, ids, state, to }: KnownContent & { type: 'receipt' }, from: KnownDevice): Outcome {
    const isOwnReading = this.#isSelf(from.person) && to !== undefined
    const changed = ids.flatMap((about) =>
      isOwnReading ? this.#noteRead(to, about) : this.#noteTaken(about, state, from)
    )
    // One that says that something was read is kept by its author until it has come.
    return { changed, isReceipt: true, ...(state === 'read' ? { acknowledge: id } : {}) }
  }

  /** One's own other devices only say that they need it no more; how far it has come, the recipient says. */
  #noteTaken(id: Uint8Array, state: 'delivered' | 'read', { device, person }: KnownDevice): number[] {
    const { conversations, outbox, self } = this.#options
    const message = conversations.placeOf(self, id)
    if (message === undefined) return []
    outbox.remove(message.num, device)
    const isNews = conversations.advanceFor(message, person, state)
    if (!message.isShown) conversations.forgetDone(message.num)
    return isNews ? [message.num] : []
  }

  /** On another device of one's own a message of somebody else was read. */
  #noteRead(author: Uint8Array, id: Uint8Array): number[] {
    const { conversations } = this.#options
    const message = conversations.placeOf(author, id)
    return message !== undefined && conversations.advance(message.num, 'read') ? [message.num] : []
  }

  /** Only one's own devices know how far one's own messages have come. */
  #takeStates({ messages }: KnownContent & { type: 'states' }, from: KnownDevice): number[] {
    const { conversations, self } = this.#options
    if (!this.#isSelf(from.person)) return []
    return messages.flatMap(([id, state, several = []]) => {
      const message = conversations.placeOf(self, id)
      const recipients = several.map(([person, each]) => ({ person, state: each }))
      return message !== undefined && conversations.takeState(message, state, recipients) ? [message.num] : []
    })
  }

  #isSelf(person: Uint8Array): boolean {
    return Buffer.compare(person, this.#options.self) === 0
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Whatever is wrong with what a session opened, it is not opened again. */
function contentOf(plaintext: Uint8Array): Content | undefined {
  try {
    return decodeContent(unpad(plaintext))
  } catch (error) {
    if (error instanceof MessageError) return undefined
    throw error
  }
}
