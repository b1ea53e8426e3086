// What leaves: for each device with which this one is connected, what waits for it, in order, again and again until it
// says that it has it. What was sealed and not acknowledged is sealed anew, and taken once by its id.
import { randomBytes } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import { type FeedStore, Turn } from '../../feeds/index.ts'
import {
  type Content,
  type Conversations,
  deviceAddress,
  MAX_BUNDLE_SIZE,
  type Outbox,
  type Outgoing,
  type Sealed,
  TRANSFER_SIZE
} from '../../messages/index.ts'
import { NodeError } from '../comrade.ts'
import type { Message as Question, PeopleProtocol } from '../people-protocol.ts'
import type { CellStreams } from './cell-streams.ts'
import type { Crypt, Opened } from './crypt.ts'
import { clearTimers, idle, isPassing, type Line, takePassing } from './line.ts'
import { Mail, type Mailing } from './mail.ts'
import { cellsOf, type Parcel, parcelOf, type Seal } from './parcel.ts'

/** How long an acknowledgement is waited for before all is sent again, at first and at most, in ms. */
const FIRST_RETRY_MS = 2_000
const LAST_RETRY_MS = 600_000
/** Receipts that come together within this time are one message, in ms. */
const RECEIPT_DELAY_MS = 5
/** Most messages that are sealed together: what a disk takes for one, it takes for all of them. */
const SEALED_AT_ONCE = 32
/** Most messages that are sent to a device before it has acknowledged one of them. */
const MAX_UNDER_WAY = 256
/** Most receipts and the like that wait for one device; those that are left out are asked for again. */
const MAX_PASSING = 1_024

export interface DispatchOptions {
  store: FeedStore
  crypt: Crypt
  conversations: Conversations
  outbox: Outbox
  streams: CellStreams
  questions: PeopleProtocol
  /** Own root key. */
  self: Uint8Array
  /** A connected peer that has shown to be this device, and whose it is, if it may be written to. */
  peerOf: (device: Uint8Array) => { peerId: PeerId; person: Uint8Array } | undefined
  /** Whose a device is, if it may be written to. */
  personOf: (device: Uint8Array) => Uint8Array | undefined
  /** Where to leave what is for a device that is away. */
  mailboxes: Mailing
  /** A message is in a mailbox of its recipient. */
  onMailed: (num: number) => void
  /** @default 5_000 */
  awayMs?: number
  /** @default 2_000 */
  firstRetryMs?: number
  /** Lets others have their turn. @default one of its own */
  turn?: Turn
  /** @default 600_000 */
  lastRetryMs?: number
  onError: (error: unknown) => void
}

export class Dispatch {
  readonly #options: DispatchOptions
  readonly #firstRetryMs: number
  readonly #lastRetryMs: number
  readonly #mail: Mail
  readonly #lines = new Map<string, Line>()
  readonly #turn: Turn
  #isStopped = false

  constructor(options: DispatchOptions) {
    this.#options = options
    this.#firstRetryMs = options.firstRetryMs ?? FIRST_RETRY_MS
    this.#turn = options.turn ?? new Turn()
    this.#lastRetryMs = options.lastRetryMs ?? LAST_RETRY_MS
    this.#mail = new Mail({
      ...options,
      isInUse: (line) => !this.#isStopped && this.#lines.get(hex(line.device)) === line,
      parcelsOf: (line, person, all, seal) => this.#keptParcels(line, person, all, seal),
      deliver: (device) => this.deliver(device)
    })
  }

  stop(): void {
    this.#isStopped = true
    for (const line of this.#lines.values()) clearTimers(line)
    this.#lines.clear()
  }

  /** Something may be waiting for this device, which may be connected. */
  deliver(device: Uint8Array): void {
    void this.#run(this.#line(device))
  }

  /** The device at the other end went away: what it did not acknowledge is sent when it comes back. */
  rest(device: Uint8Array): void {
    const line = this.#lines.get(hex(device))
    if (line === undefined) return
    clearTimers(line)
    // One that is running sees by itself that nobody is there; beside it, no second one may begin.
    if (line.isRunning) Object.assign(line, idle(this.#firstRetryMs))
    else this.#lines.delete(hex(device))
  }

  /** It has acknowledged something: the rest is waited for a while longer. */
  noteProgress(device: Uint8Array): void {
    const line = this.#lines.get(hex(device))
    if (line === undefined) return
    line.retryMs = this.#firstRetryMs
    if (line.timer !== undefined) this.#retryLater(line)
    this.deliver(device) // there is room for more under way
  }

  /** Tells a device that its message is here, together with what else it is to be told. */
  acknowledge(device: Uint8Array, id: Uint8Array, { isAgain = false }: { isAgain?: boolean } = {}): void {
    const line = this.#line(device)
    if (isAgain) line.key = undefined // it has not heard so: it may have another by now
    if (line.receipts.length < MAX_PASSING) line.receipts.push(id)
    line.gathering ??= setTimeout(() => {
      line.gathering = undefined
      this.deliver(device)
    }, RECEIPT_DELAY_MS)
    line.gathering.unref()
  }

  /** Sends something that is not kept: when it is lost, the device asks again. */
  pass(device: Uint8Array, content: Content): void {
    const line = this.#line(device)
    const isAsked = content.type === 'resend' && line.passing.some(({ type }) => type === 'resend')
    if (!isAsked && line.passing.length < MAX_PASSING) line.passing.push(content)
    this.deliver(device)
  }

  /** What this device did not acknowledge is sealed anew, and sent; later, where that cannot be written, as on a full disk. */
  sealAnew(device: Uint8Array): void {
    const { store, outbox, onError } = this.#options
    const line = this.#line(device)
    try {
      store.write(() => outbox.unseal(device, () => randomBytes(TRANSFER_SIZE)), { isDurable: true })
    } catch (error) {
      if (!isPassing(error)) onError(error)
      return this.#retryLater(line)
    }
    line.sentUpTo = 0
    this.deliver(device)
  }

  /** Asks a device for its key, and for a bundle when there is no session with it. */
  async #ask(peerId: PeerId, opened: Opened, isNew: boolean): Promise<{ key: Uint8Array; bundle?: Uint8Array }> {
    const question: Question = { type: 'prekeys', isNew }
    const { key, bundle } = await this.#options.questions.ask(peerId, question)
    if (bundle !== undefined && (!(bundle instanceof Uint8Array) || bundle.length > MAX_BUNDLE_SIZE))
      throw new NodeError('UNREACHABLE', `peer ${peerId} does not answer as this protocol has it`)
    return { key: opened.keys.check(key), bundle }
  }

  #line(device: Uint8Array): Line {
    const name = hex(device)
    let line = this.#lines.get(name)
    if (line === undefined) {
      line = { device, isRunning: false, isAgain: false, ...idle(this.#firstRetryMs) }
      this.#lines.set(name, line)
    }
    return line
  }

  /** One after the other for each device, so that what it gets has an order. */
  async #run(line: Line): Promise<void> {
    if (line.isRunning) {
      line.isAgain = true
      return
    }
    line.isRunning = true
    do {
      line.isAgain = false
      await this.#trySend(line)
    } while (line.isAgain && !this.#isStopped)
    line.isRunning = false
    this.#retryLater(line)
  }

  async #trySend(line: Line): Promise<void> {
    try {
      await this.#send(line)
    } catch (error) {
      if (!isPassing(error)) this.#options.onError(error)
      line.sentUpTo = 0
    }
  }

  async #send(line: Line): Promise<void> {
    const { outbox } = this.#options
    while (!this.#isStopped) {
      const peer = this.#options.peerOf(line.device)
      if (peer === undefined) return this.#mail.later(line)
      if (!this.#hasMore(line)) return
      const passing = takePassing(line)
      const opened = await this.#options.crypt.open()
      if (passing !== undefined) {
        await this.#sendOnce(line, peer.peerId, opened, passing)
        continue
      }
      if (outbox.countUpTo(line.device, line.sentUpTo) >= MAX_UNDER_WAY) return
      // Those that begin a session wait for its first.
      const hasSession = opened.sessions.has(deviceAddress(line.device))
      const limit = hasSession ? SEALED_AT_ONCE : 1
      const next = outbox.of(line.device, { after: line.sentUpTo, limit })
      await this.#sendKept(line, peer, opened, { next, hasSession })
    }
  }

  async #sendOnce(line: Line, peerId: PeerId, opened: Opened, content: Content): Promise<void> {
    const parcel = await parcelOf(content, (padded) => this.#seal(line, peerId, opened, padded))
    await this.#transmit(line, peerId, opened, parcel)
  }

  async #sendKept(
    line: Line,
    peer: { peerId: PeerId; person: Uint8Array },
    opened: Opened,
    { next, hasSession }: { next: readonly Outgoing[]; hasSession: boolean }
  ): Promise<void> {
    line.sentUpTo = next.at(-1)?.num ?? line.sentUpTo
    const address = deviceAddress(line.device)
    const seal: Seal = (padded) =>
      hasSession ? opened.sessions.encrypt(address, padded) : this.#seal(line, peer.peerId, opened, padded)
    for (const parcel of await this.#keptParcels(line, peer.person, next, seal)) {
      await this.#turn.giveWay()
      await this.#transmit(line, peer.peerId, opened, parcel)
    }
  }

  /** What waits for a device, sealed once and kept as it is. What was erased is left out. */
  async #keptParcels(line: Line, person: Uint8Array, all: readonly Outgoing[], seal: Seal): Promise<Parcel[]> {
    const { store, outbox } = this.#options
    const made = await Promise.all(all.map(async (each) => this.#keptParcel(person, each, seal)))
    // Not waited for to be on the disk: after a power cut it is sealed anew, under the same name, and taken once.
    if (all.some(({ sealed }) => sealed === undefined))
      store.write(() =>
        all.forEach((each, i) => {
          const parcel = made[i]
          if (parcel === undefined) outbox.remove(each.num, line.device)
          else if (each.sealed === undefined) outbox.keep(line.device, each, parcel.sealed, parcel.count)
        })
      )
    return made.filter((parcel) => parcel !== undefined)
  }

  /** undefined when it was erased. */
  async #keptParcel(person: Uint8Array, next: Outgoing, seal: Seal): Promise<Parcel | undefined> {
    const { sealed, transfer, count } = next
    if (sealed !== undefined) return { sealed, transfer, count }
    const message = this.#options.conversations.get(next.num)
    if (message?.content === undefined) return undefined
    const isOwn = Buffer.compare(person, this.#options.self) === 0
    const parcel = await parcelOf(contentFor(message.content, isOwn ? message.peer : undefined), seal)
    return { ...parcel, transfer }
  }

  async #seal(line: Line, peerId: PeerId, opened: Opened, padded: Uint8Array): Promise<Sealed> {
    const address = deviceAddress(line.device)
    if (opened.sessions.has(address)) return opened.sessions.encrypt(address, padded)
    const { key, bundle } = await this.#ask(peerId, opened, true)
    line.key = { peer: peerId.toString(), bytes: key }
    return opened.sessions.encrypt(address, padded, { bundle })
  }

  async #transmit(line: Line, peerId: PeerId, opened: Opened, parcel: Parcel): Promise<void> {
    if (line.key?.peer !== peerId.toString()) {
      const { key } = await this.#ask(peerId, opened, false)
      line.key = { peer: peerId.toString(), bytes: key }
    }
    await this.#options.streams.send(peerId, cellsOf(parcel, opened, line.key.bytes))
  }

  /** While the device is connected; when it comes back, it is tried at once. */
  #retryLater(line: Line): void {
    clearTimeout(line.timer)
    line.timer = undefined
    if (this.#isStopped || this.#lines.get(hex(line.device)) !== line) return
    if (!this.#isWaiting(line)) return
    if (this.#options.peerOf(line.device) === undefined) return this.#mail.later(line) // it went away meanwhile
    line.timer = setTimeout(() => {
      line.timer = undefined
      this.#tryAgain(line)
    }, line.retryMs)
    line.timer.unref()
  }

  #tryAgain(line: Line): void {
    line.retryMs = Math.min(2 * line.retryMs, this.#lastRetryMs)
    line.sentUpTo = 0
    line.key = undefined // it may have another by now
    // libsignal does not keep the keys of what comes late for long, and each receipt moves the session on.
    this.sealAnew(line.device)
  }

  #hasMore({ device, receipts, passing, sentUpTo }: Line): boolean {
    const { outbox } = this.#options
    return receipts.length + passing.length > 0 || outbox.of(device, { after: sentUpTo, limit: 1 }).length > 0
  }

  #isWaiting({ device, receipts, passing }: Line): boolean {
    return receipts.length > 0 || passing.length > 0 || this.#options.outbox.of(device, { limit: 1 }).length > 0
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** What a device gets of a message. @param peer with whom the conversation is, for one's own other devices */
function contentFor(content: Content, peer: Uint8Array | undefined): Content {
  return peer === undefined || content.conversation !== undefined ? content : { ...content, to: peer }
}
