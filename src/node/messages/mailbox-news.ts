// What devices of contacts are told so that they can write to this one while it is away: where it has mailboxes for them, to
// which key cells are sealed, by which identity its messages are known, and a prekey bundle if they have none. Those that are
// connected are told by the question `mailboxes`, others by a message, if there is a session. Nothing of it needs libsignal
// in this process.
import { hash } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import type { FeedStore } from '../../feeds/index.ts'
import {
  type Content,
  deviceAddress,
  encodeDescriptor,
  libsignalUnavailable,
  type MailboxContacts,
  type MailboxDescriptor,
  MAX_BUNDLE_SIZE,
  MAX_DESCRIPTOR_SIZE,
  MessageError,
  newContent,
  noteIdentity
} from '../../messages/index.ts'
import { NodeError } from '../comrade.ts'
import type { Asker, Message as Question, PeopleProtocol } from '../people-protocol.ts'
import type { Crypt } from './crypt.ts'
import type { KnownDevice } from './known-devices.ts'

/** A bundle that is older is renewed, in ms. */
const BUNDLE_RENEWED_MS = 7 * 86_400_000
/** The other side may not know yet whose device this is: how long until it is told again, in ms, and how often. */
const FIRST_RETRY_MS = 1_000
const MAX_RETRIES = 5

export interface MailboxNewsOptions {
  store: FeedStore
  contacts: MailboxContacts
  questions: PeopleProtocol
  crypt: Crypt
  /** This device's mailboxes for a person. */
  descriptorFor: (person: Uint8Array) => MailboxDescriptor | undefined
  /** Which device a peer has shown to be, if it is a contact's or an own other one. */
  deviceAt: (peerId: PeerId) => KnownDevice | undefined
  /** The peer that has shown to be this device, while it is connected. */
  peerOf: (device: Uint8Array) => { peerId: PeerId } | undefined
  /** Whether a device can be written to without beginning a session. */
  hasSession: (device: Uint8Array) => boolean
  /** Sends a message that is not kept. */
  pass: (device: Uint8Array, content: Content) => void
  /** A device has said where it can be written to: its user follows this one. */
  onHeard: (known: KnownDevice) => void
  onError: (error: unknown) => void
}

/** What a connected device was told since it connected. */
interface Telling {
  digest?: string
  isRunning: boolean
  isAgain: boolean
  retries: number
  timer?: NodeJS.Timeout
}

export class MailboxNews {
  readonly #options: MailboxNewsOptions
  readonly #tellings = new Map<string, Telling>()
  #isStopped = false

  constructor(options: MailboxNewsOptions) {
    this.#options = options
    options.questions.answer('mailboxes', (question, asker) => this.#answer(question, asker))
  }

  start(): void {
    this.#isStopped = false
  }

  stop(): void {
    this.#isStopped = true
    for (const { timer } of this.#tellings.values()) clearTimeout(timer)
    this.#tellings.clear()
  }

  /** Something may have changed for this device, or it has connected. */
  tell(known: KnownDevice): void {
    if (this.#isStopped || libsignalUnavailable() !== undefined) return
    if (this.#options.peerOf(known.device) === undefined) return this.#tellAway(known)
    const telling = this.#tellings.get(hex(known.device)) ?? { isRunning: false, isAgain: false, retries: 0 }
    this.#tellings.set(hex(known.device), telling)
    void this.#run(known, telling)
  }

  /** Devices that went away are told again when they come back. */
  onDisconnected(): void {
    for (const [name, { timer }] of this.#tellings) {
      if (this.#options.peerOf(Buffer.from(name, 'hex')) !== undefined) continue
      clearTimeout(timer)
      this.#tellings.delete(name)
    }
  }

  #tellAway({ device, person }: KnownDevice): void {
    const { store, contacts, hasSession, pass } = this.#options
    if (!hasSession(device)) return
    const { key, descriptor, digest } = this.#news(person)
    if (contacts.isTold(device, digest)) return
    pass(device, newContent({ type: 'mailboxes', key, descriptor }))
    store.write(() => contacts.noteTold(device, digest))
  }

  /** One after the other for each device: the last word is the newest. */
  async #run(known: KnownDevice, telling: Telling): Promise<void> {
    telling.isAgain = true
    if (telling.isRunning) return
    telling.isRunning = true
    clearTimeout(telling.timer)
    try {
      while (telling.isAgain && this.#isCurrent(known, telling)) {
        telling.isAgain = false
        await this.#tellNow(known, telling)
      }
      telling.retries = 0
    } catch (error) {
      if (!(error instanceof NodeError) && this.#isCurrent(known, telling)) this.#options.onError(error)
      this.#retryLater(known, telling)
    }
    telling.isRunning = false
  }

  async #tellNow({ device, person }: KnownDevice, telling: Telling): Promise<void> {
    const { store, contacts, questions, peerOf } = this.#options
    const { key, descriptor, digest } = this.#news(person)
    const peer = peerOf(device)
    if (peer === undefined || telling.digest === hex(digest)) return
    const { identity } = this.#options.crypt.stock
    const question: Question = { type: 'mailboxes', at: Date.now(), key, identity, descriptor }
    const { needs } = await questions.ask(peer.peerId, question)
    if (!this.#isCurrent({ device, person }, telling)) return
    if (!contacts.isTold(device, digest)) store.write(() => contacts.noteTold(device, digest))
    const bundle = needs === true ? await this.#bundle() : undefined
    if (!this.#isCurrent({ device, person }, telling)) return
    if (bundle !== undefined) await questions.ask(peer.peerId, { ...question, bundle })
    telling.digest = hex(digest)
  }

  #retryLater(known: KnownDevice, telling: Telling): void {
    if (!this.#isCurrent(known, telling) || telling.retries >= MAX_RETRIES) return
    telling.timer = setTimeout(() => void this.#run(known, telling), FIRST_RETRY_MS * 2 ** telling.retries++).unref()
  }

  #isCurrent({ device }: KnownDevice, telling: Telling): boolean {
    return this.#tellings.get(hex(device)) === telling
  }

  #news(person: Uint8Array): { key: Uint8Array; descriptor: Uint8Array; digest: Uint8Array } {
    const { crypt, descriptorFor } = this.#options
    const { hosts } = descriptorFor(person) ?? { hosts: [] }
    const key = crypt.keys.current()
    const parts = [hex(key), ...hosts.map(({ secret }) => hex(secret)).toSorted()]
    return { key, descriptor: encodeDescriptor({ hosts }), digest: hash('sha256', parts.join(), 'buffer') }
  }

  /** undefined where none can be made: that is said once, when the node starts. */
  async #bundle(): Promise<Uint8Array | undefined> {
    const { stock } = this.#options.crypt
    try {
      await stock.fill()
      return stock.bundle()
    } catch (error) {
      if (error instanceof MessageError && error.code === 'UNAVAILABLE') return undefined
      throw error
    }
  }

  #answer(question: Question, { peerId }: Asker): Question {
    const { store, contacts, crypt, deviceAt, onHeard } = this.#options
    const known = deviceAt(peerId)
    if (known === undefined)
      throw new NodeError('DECLINED', 'mailboxes are used with contacts, from a device that has shown that it is one')
    const { at, key, identity, descriptor, bundle } = readNews(question, (bytes) => crypt.keys.check(bytes))
    const now = Date.now()
    store.write(() => {
      contacts.setNow(known.device, { key, descriptor, atMs: Math.min(at, now) })
      noteIdentity(store.database, deviceAddress(known.device), identity)
      if (bundle !== undefined) contacts.setBundle(known.device, bundle, now)
    })
    onHeard(known)
    const needs =
      libsignalUnavailable() === undefined && contacts.bundleOf(known.device, now, BUNDLE_RENEWED_MS) === undefined
    return { type: 'mailboxes', needs }
  }
}

interface News {
  at: number
  key: Uint8Array
  /** Of libsignal: by it, what its device leaves in a mailbox is known from what the host makes up. */
  identity: Uint8Array
  descriptor: Uint8Array
  bundle?: Uint8Array
}

/** @throws NodeError BAD_INPUT */
function readNews({ at, key, identity, descriptor, bundle }: Question, checkKey: (key: unknown) => Uint8Array): News {
  const isTime = typeof at === 'number' && Number.isSafeInteger(at) && at >= 0
  const isWhole = isTime && isBytes(descriptor, MAX_DESCRIPTOR_SIZE)
  if (!isWhole || !(bundle === undefined || isBytes(bundle, MAX_BUNDLE_SIZE)))
    throw new NodeError(
      'BAD_INPUT',
      'mailboxes are told with a time, a key, an identity, a descriptor and perhaps a bundle'
    )
  try {
    return { at, key: checkKey(key), identity: checkKey(identity), descriptor, bundle }
  } catch (error) {
    throw new NodeError('BAD_INPUT', (error as Error).message, { cause: error })
  }
}

function isBytes(value: unknown, maxSize: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length <= maxSize
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
