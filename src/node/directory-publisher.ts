// Publishes where this device is: for today and tomorrow, when its addresses change, at the turn of the day and every
// twelve hours. What the identity's other devices have published stays in the record.
import type { SingleKadDHT } from '@libp2p/kad-dht'
import {
  blindedKey,
  dayOf,
  type DirectoryBook,
  type DirectoryContent,
  directoryKey,
  type DirectoryRecord,
  mergeContents,
  openRecord,
  readRecord,
  sealRecord
} from '../trust/index.ts'
import { putRecord } from './dht-records.ts'
import type { Found, Wanted } from './directory-lookup.ts'

/** js-libp2p's DHT does not publish again by itself, and forgets after two days. */
const REPUBLISH_MS = 12 * 3_600_000
/** How often it is looked whether there is anything to publish, in ms. */
const LOOK_MS = 10_000
/** After the first sign of a change, others that follow it are waited for, in ms. */
const DELAY_MS = 1_500
const FIRST_RETRY_MS = 5_000
const LAST_RETRY_MS = 600_000
/** How long the present record is looked for before it is replaced, in ms. */
const LOOK_UP_MS = 4_000
/** After this time, and up to as long again, it is seen to it that another device's record did not displace ours, in ms. */
const CHECK_MS = 4_000
/** What a device said longer ago is left out, in s: it has not been on for days. */
const SILENT_S = 3 * 86_400
const DAY_MS = 86_400_000
/** With how many nodes Kademlia puts a record. */
const NEAREST = 20

export interface PublisherOptions {
  dht: SingleKadDHT
  book: DirectoryBook
  /** The identity's public key. */
  root: Uint8Array
  /** Raw Ed25519 public key of the own peer id. */
  peer: Uint8Array
  /** Binary multiaddrs at which others may try this device, the most useful first. */
  addresses: () => Uint8Array[]
  /** How far the own identity log goes. */
  log: () => DirectoryContent['log']
  /** Whether this device may still speak for the identity. */
  isCurrent: () => boolean
  /** Whether the identity has other devices. */
  hasOthers: () => boolean
  lookUp: (wanted: Wanted, signal: AbortSignal) => Promise<Found | undefined>
  /** What the identity's other devices have published. */
  onContent: (content: DirectoryContent) => void
  /** New records were made, whether the DHT took them or not. */
  onPublished: () => void
  onError: (error: unknown) => void
  now: () => number
}

/** What became of publishing. */
export interface Published {
  /** Unix ms. */
  atMs: number
  /** Nodes that keep the record of today. */
  holders: number
  /** Why nothing was published: there is no certificate for the day, or a newer one than ours. */
  problem?: 'uncertified' | 'outdated'
}

export class DirectoryPublisher {
  readonly #options: PublisherOptions
  #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #soon: NodeJS.Timeout | undefined
  #check: NodeJS.Timeout | undefined
  #published: Published | undefined
  /** What the last attempt was made with. */
  #last = { addresses: '', day: 0, tableSize: 0, dueMs: 0 }
  #failures = 0
  #work: Promise<void> | undefined

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  get published(): Published | undefined {
    return this.#published
  }

  start(): void {
    this.#stopping = new AbortController()
    this.#timer = setInterval(() => this.look(), LOOK_MS)
    this.#timer.unref()
    this.lookSoon()
  }

  async stop(): Promise<void> {
    for (const timer of [this.#timer, this.#soon, this.#check]) clearTimeout(timer)
    this.#stopping.abort(new Error('the node is stopping'))
    await this.#work
  }

  /** Something may have changed: addresses, peers. */
  lookSoon(): void {
    if (this.#timer === undefined || this.#stopping.signal.aborted) return
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      this.look()
    }, DELAY_MS).unref()
  }

  /** What was published counts no more, or could not be published before. */
  renew(): void {
    this.#last.day = 0
    this.lookSoon()
  }

  /** Publishes when there is a reason to. */
  look(): void {
    if (this.#work !== undefined || this.#stopping.signal.aborted || !this.#isDue()) return
    this.#work = this.publish()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => (this.#work = undefined))
  }

  /** Publishes now, whether there is a reason or not. */
  async publish(): Promise<void> {
    const { dht, now } = this.#options
    const today = dayOf(now())
    this.#last = { addresses: this.#addresses(), day: today, tableSize: dht.routingTable.size, dueMs: Infinity }
    try {
      const made = [await this.#make(today), await this.#make(today + 1)]
      this.#options.onPublished()
      const holders = []
      for (const { record } of made) holders.push(record === undefined ? 0 : await this.#put(record))
      this.#published = { atMs: now(), holders: holders[0], problem: made[0].problem }
    } finally {
      this.#schedule()
    }
  }

  #isDue(): boolean {
    const { dht, now, addresses, isCurrent } = this.#options
    if (addresses().length === 0 || !isCurrent()) return false
    const { day, tableSize, dueMs } = this.#last
    const nowMs = now()
    return (
      day !== dayOf(nowMs) ||
      this.#last.addresses !== this.#addresses() ||
      (nowMs >= dueMs && dht.routingTable.size > 0) ||
      // The first nodes that one knows are seldom the nearest to the key.
      (tableSize < NEAREST && dht.routingTable.size >= 2 * tableSize + 1)
    )
  }

  #addresses(): string {
    return this.#options
      .addresses()
      .map((address) => Buffer.from(address).toString('hex'))
      .join()
  }

  #schedule(): void {
    // Nodes that have only just begun are slow to answer: a record that few took is soon put again.
    const nearest = Math.min(NEAREST, this.#options.dht.routingTable.size)
    const isKept = (this.#published?.holders ?? 0) >= Math.max(1, nearest / 2)
    this.#failures = isKept ? 0 : this.#failures + 1
    const delay = isKept ? REPUBLISH_MS : Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1))
    this.#last.dueMs = this.#options.now() + delay * (0.75 + Math.random() / 4)
    clearTimeout(this.#check)
    if (this.#options.hasOthers() && !this.#stopping.signal.aborted)
      this.#check = setTimeout(() => void this.#checkPresent(), CHECK_MS * (1 + Math.random())).unref()
  }

  /** Another device may have written at the same moment, without what we said. */
  async #checkPresent(): Promise<void> {
    const day = dayOf(this.#options.now())
    const found = await this.#lookUp(day)
    if (found === undefined || this.#stopping.signal.aborted) return
    if (this.#ownOf(found.content) === undefined) {
      this.#last.dueMs = 0
      this.look()
    }
  }

  /** Makes the record of a day, and keeps it. */
  async #make(day: number): Promise<{ record?: DirectoryRecord; problem?: Published['problem'] }> {
    const { book, root, now } = this.#options
    const [seed, certificate] = [book.seed, book.certificate(day)]
    if (seed === undefined || certificate === undefined) return { problem: 'uncertified' }
    const present = await this.#present(day)
    if (present !== undefined && present.rank > certificate.rank) return { problem: 'outdated' }
    // What was certified before a device was revoked may have been written by that device.
    const before = present?.rank === certificate.rank ? present : undefined
    const sequence = Math.min(Math.max(now(), (before?.sequence ?? 0) + 1), (day + 2) * DAY_MS - 1)
    const content = this.#content(before)
    const bytes = sealRecord({ root, key: directoryKey(seed.seed, day), certificate, sequence, content })
    const record = readRecord(bytes)
    book.keep(root, blindedKey(root, day), record)
    this.#options.onContent(content)
    return { record }
  }

  #put({ day, bytes }: DirectoryRecord): Promise<number> {
    const { dht, root } = this.#options
    return putRecord(dht, blindedKey(root, day), bytes, this.#stopping.signal)
  }

  /** The record that counts now: as others have it, or as we have made it. */
  async #present(day: number): Promise<DirectoryRecord | undefined> {
    const found = await this.#lookUp(day)
    if (found !== undefined)
      this.#options.book.keep(this.#options.root, blindedKey(this.#options.root, day), found.record)
    return this.#options.book.record(this.#options.root, day)
  }

  #lookUp(day: number): Promise<Found | undefined> {
    const { root, lookUp } = this.#options
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(LOOK_UP_MS)])
    return lookUp({ root, blinded: blindedKey(root, day) }, signal)
  }

  /** What the present record says of other devices, and what this one has to say. */
  #content(before: DirectoryRecord | undefined): DirectoryContent {
    const { root, peer, addresses, log, now } = this.#options
    const at = Math.floor(now() / 1_000)
    const own = { log: log(), devices: [{ peer, addresses: addresses(), at }] }
    if (before === undefined) return own
    const content = openRecord(root, before)
    const others = content.devices.filter(
      (device) => Buffer.compare(device.peer, peer) !== 0 && device.at > at - SILENT_S
    )
    return mergeContents([own, { ...content, devices: others }])
  }

  #ownOf({ devices }: DirectoryContent): DirectoryContent['devices'][number] | undefined {
    return devices.find(({ peer }) => Buffer.compare(peer, this.#options.peer) === 0)
  }
}
