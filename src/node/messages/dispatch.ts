// What leaves: for each device with which this one is connected, what waits for it, in order, again and again until it
// says that it has it. A message that was sealed once is sent as it is, so that it opens once.
import { randomBytes } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import type { FeedStore } from '../../feeds/index.ts'
import {
  cellsFor,
  type Content,
  type Conversations,
  deviceAddress,
  encodeContent,
  MAX_BUNDLE_SIZE,
  MessageError,
  newContent,
  type Outbox,
  type Outgoing,
  pad,
  type Sealed,
  toCells,
  TRANSFER_SIZE
} from '../../messages/index.ts'
import { NodeError } from '../comrade.ts'
import type { Message as Question, PeopleProtocol } from '../people-protocol.ts'
import type { CellStreams } from './cell-streams.ts'
import type { Crypt, Opened } from './crypt.ts'

/** How long an acknowledgement is waited for before all is sent again, at first and at most, in ms. */
const FIRST_RETRY_MS = 2_000
const LAST_RETRY_MS = 600_000
/** How many times the same bytes are sent before it is sealed once more: libsignal does not keep keys for what is very late. */
const ATTEMPTS_AS_SEALED = 3
/** Receipts that come together within this time are one message, in ms. */
const RECEIPT_DELAY_MS = 5
/** Most messages that one receipt is about. */
const RECEIPTS_AT_ONCE = 32
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
  onError: (error: unknown) => void
}

/** What is known of a device while this node runs. */
interface Line {
  device: Uint8Array
  /** Its key for cells, and the connection's end that gave it. */
  key?: { peer: string; bytes: Uint8Array }
  /** The highest number that was sent since the last attempt began. */
  sentUpTo: number
  isRunning: boolean
  isAgain: boolean
  retryMs: number
  /** How often in a row nothing was acknowledged. */
  attempts: number
  timer?: NodeJS.Timeout
  /** Ids to be acknowledged, and other contents that are not kept when they are lost. */
  receipts: Uint8Array[]
  passing: Content[]
  gathering?: NodeJS.Timeout
}

export class Dispatch {
  readonly #options: DispatchOptions
  readonly #lines = new Map<string, Line>()
  #isStopped = false

  constructor(options: DispatchOptions) {
    this.#options = options
  }

  stop(): void {
    this.#isStopped = true
    for (const { timer, gathering } of this.#lines.values()) {
      clearTimeout(timer)
      clearTimeout(gathering)
    }
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
    clearTimeout(line.timer)
    clearTimeout(line.gathering)
    this.#lines.delete(hex(device))
  }

  /** It has acknowledged something: the rest is waited for a while longer. */
  noteProgress(device: Uint8Array): void {
    const line = this.#lines.get(hex(device))
    if (line === undefined || line.timer === undefined) return
    line.retryMs = FIRST_RETRY_MS
    line.attempts = 0
    this.#retryLater(line)
  }

  /** Tells a device that its message is here, together with what else it is to be told. */
  acknowledge(device: Uint8Array, id: Uint8Array): void {
    const line = this.#line(device)
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
    if (line.passing.length < MAX_PASSING) line.passing.push(content)
    this.deliver(device)
  }

  /** What this device did not acknowledge is sealed anew, and sent. */
  sealAnew(device: Uint8Array): void {
    const { store, outbox } = this.#options
    store.write(() => outbox.unseal(device, () => randomBytes(TRANSFER_SIZE)), { isDurable: true })
    this.#line(device).sentUpTo = 0
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
      const idle = {
        sentUpTo: 0,
        isRunning: false,
        isAgain: false,
        retryMs: FIRST_RETRY_MS,
        attempts: 0,
        receipts: [],
        passing: []
      }
      line = { device, ...idle }
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
    try {
      do {
        line.isAgain = false
        await this.#send(line)
      } while (line.isAgain && !this.#isStopped)
    } catch (error) {
      if (!isPassing(error)) this.#options.onError(error)
      line.sentUpTo = 0
    }
    line.isRunning = false
    this.#retryLater(line)
  }

  async #send(line: Line): Promise<void> {
    const { outbox } = this.#options
    while (!this.#isStopped) {
      const peer = this.#options.peerOf(line.device)
      if (peer === undefined) return
      const passing = takePassing(line)
      const next = passing === undefined ? outbox.of(line.device, { after: line.sentUpTo, limit: 1 })[0] : undefined
      if (passing === undefined && next === undefined) return
      const opened = await this.#options.crypt.open()
      if (passing !== undefined) await this.#sendOnce(line, peer.peerId, opened, passing)
      else await this.#sendKept(line, peer, opened, next!)
    }
  }

  async #sendOnce(line: Line, peerId: PeerId, opened: Opened, content: Content): Promise<void> {
    const padded = pad(encodeContent(content))
    const sealed = await this.#seal(line, peerId, opened, padded)
    await this.#transmit(line, peerId, opened, {
      sealed,
      transfer: randomBytes(TRANSFER_SIZE),
      count: cellsFor(padded.length)
    })
  }

  async #sendKept(
    line: Line,
    peer: { peerId: PeerId; person: Uint8Array },
    opened: Opened,
    next: Outgoing
  ): Promise<void> {
    const { store, conversations, outbox, self } = this.#options
    line.sentUpTo = next.num
    let { sealed, count } = next
    if (sealed === undefined) {
      const message = conversations.get(next.num)
      if (message?.content === undefined) {
        store.write(() => outbox.remove(next.num, line.device))
        return
      }
      const isOwn = Buffer.compare(peer.person, self) === 0
      const padded = pad(encodeContent(isOwn ? { ...message.content, to: message.peer } : message.content))
      sealed = await this.#seal(line, peer.peerId, opened, padded)
      count = cellsFor(padded.length)
      const kept = sealed
      store.write(() => outbox.keep(next, kept, count), { isDurable: true })
    }
    await this.#transmit(line, peer.peerId, opened, { sealed, transfer: next.transfer, count })
  }

  async #seal(line: Line, peerId: PeerId, opened: Opened, padded: Uint8Array): Promise<Sealed> {
    const address = deviceAddress(line.device)
    if (opened.sessions.has(address)) return opened.sessions.encrypt(address, padded)
    const { key, bundle } = await this.#ask(peerId, opened, true)
    line.key = { peer: peerId.toString(), bytes: key }
    return opened.sessions.encrypt(address, padded, { bundle })
  }

  async #transmit(
    line: Line,
    peerId: PeerId,
    { keys, address, ...opened }: Opened,
    { sealed, transfer, count }: { sealed: Sealed; transfer: Uint8Array; count: number }
  ): Promise<void> {
    if (line.key?.peer !== peerId.toString()) {
      const { key } = await this.#ask(peerId, { keys, address, ...opened }, false)
      line.key = { peer: peerId.toString(), bytes: key }
    }
    const to = line.key.bytes
    const contents = toCells(sealed, { transfer, from: Buffer.from(address, 'hex'), count })
    await this.#options.streams.send(
      peerId,
      contents.map((content) => keys.seal(content, to))
    )
  }

  /** While the device is connected; when it comes back, it is tried at once. */
  #retryLater(line: Line): void {
    clearTimeout(line.timer)
    line.timer = undefined
    if (this.#isStopped || this.#lines.get(hex(line.device)) !== line) return
    if (!this.#isWaiting(line) || this.#options.peerOf(line.device) === undefined) return
    line.timer = setTimeout(() => {
      line.timer = undefined
      this.#tryAgain(line)
    }, line.retryMs)
    line.timer.unref()
  }

  #tryAgain(line: Line): void {
    line.retryMs = Math.min(2 * line.retryMs, LAST_RETRY_MS)
    line.attempts += 1
    line.sentUpTo = 0
    line.key = undefined // it may have another by now
    if (line.attempts % ATTEMPTS_AS_SEALED === 0) this.sealAnew(line.device)
    else void this.#run(line)
  }

  #isWaiting({ device, receipts, passing }: Line): boolean {
    return receipts.length > 0 || passing.length > 0 || this.#options.outbox.of(device, { limit: 1 }).length > 0
  }
}

function takePassing(line: Line): Content | undefined {
  if (line.passing.length > 0) return line.passing.shift()
  if (line.receipts.length === 0) return undefined
  const ids = line.receipts.splice(0, RECEIPTS_AT_ONCE)
  return newContent({ type: 'receipt', state: 'delivered', ids })
}

/** What happens when somebody goes away, or does not know this device yet: it is tried again. */
function isPassing(error: unknown): boolean {
  if (error instanceof NodeError) return true
  if (error instanceof MessageError) return error.code === 'CLOSED'
  return !(error instanceof TypeError || error instanceof RangeError)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
