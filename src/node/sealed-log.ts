// What the devices of one identity tell each other: sealed entries in their feeds. It writes what waits to be told, as
// soon as this device signs and has the key, and reads what any own device wrote, each entry once, also after a crash.
import {
  type Body,
  encodeBody,
  entriesBetween,
  type Extension,
  type FeedState,
  type FeedStore,
  FLAG_SEALED,
  holdsSealed,
  bodyOf,
  type StoredEntry
} from '../feeds/index.ts'
import { openBody, openSelfKey, type Place, sealBody, sealedFor, type Stretch } from '../trust/index.ts'
import type { Device } from './device.ts'
import type { People } from './people.ts'

/** How long what is to be written waits for more of it, in ms. */
const WRITE_DELAY_MS = 100
/** How often writing is tried again while this device does not sign, in ms. */
const RETRY_MS = 5_000
/** Bodies in one append. */
const BATCH = 64
/** Entries read at once when feeds are looked through. */
const PAGE = 512
/** Entries after which it is noted how far was read, when there was nothing to read in them. */
const NOTE_EVERY = 1_024
/** Bytes that every body of the type `self/key` contains in canonical DAG-CBOR. */
const SELF_KEY_MARK = Buffer.from('dtypehself/key')

/**
 * Takes what an own device wrote. Called in a write transaction.
 * @param generation of the key under which it was sealed: who wrote it knew of so many revocations at least
 * @returns whether it was news
 */
export type Reader = (body: Body, place: Place, generation: number) => boolean

export interface SealedLogOptions {
  store: FeedStore
  people: People
  device: Device
  /** Own devices told something new: contacts, topic secrets, or what other readers take. */
  onNews: () => void
}

export class SealedLog {
  readonly #options: SealedLogOptions
  readonly #readers = new Map<string, Reader>()
  readonly #read = new Map<string, Stretch & { noted: number }>()
  #generation = 0
  #isClosing = false
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined
  readonly #onExtended = (extension: Extension): void => this.#take(extension)

  constructor(options: SealedLogOptions) {
    this.#options = options
    const { contacts, root } = options.people
    this.on('contact', (body, place) => contacts.applyDecision(body, place))
    this.on('self/topic', (body) => contacts.topics.learn(root, { generation: body.generation, secret: body.secret }))
  }

  /** Registers who takes bodies of this type; before {@link open}. */
  on(type: string, reader: Reader): void {
    this.#readers.set(type, reader)
  }

  /** Reads what own devices wrote meanwhile, and writes what waits. */
  open(): void {
    this.#generation = this.generation
    this.#options.people.contacts.queue.onAdded = () => this.#writeSoon()
    this.#options.store.events.on('extended', this.#onExtended)
    this.#readAll()
    if (this.#isCutShort()) this.#options.people.contacts.topics.rotate()
    this.#writeSoon()
  }

  /** Whether a device was revoked, and this one stopped before it had told the others what follows from that. */
  #isCutShort(): boolean {
    const { people, device } = this.#options
    const { selfKeys } = people.contacts
    const generations = Array.from({ length: this.#generation }, (_, at) => at + 1)
    const isUntold = generations.some((generation) => !selfKeys.isShared(generation))
    return selfKeys.isComplete && device.paused === undefined && isUntold
  }

  /** Writes what waits, where that is possible now. */
  async close(): Promise<void> {
    this.#isClosing = true
    clearTimeout(this.#timer)
    await (this.#writing ?? this.#writeAll())
    const { store } = this.#options
    store.events.off('extended', this.#onExtended)
    try {
      store.write(() => {
        for (const { key } of this.#ownFeeds()) this.#note(key)
      })
    } catch {
      // on a full disk it is read again at the next start
    }
  }

  /** The present generation of the key that own devices share: how many of them were revoked. */
  get generation(): number {
    const { contacts, root } = this.#options.people
    return contacts.devicesOf(root).filter(({ revoked }) => revoked !== undefined).length
  }

  /**
   * Tells the other own devices something; it waits durably until it can be written.
   * @param name what it is about: a newer body takes the place of an older one that still waits
   */
  write(name: string, body: Body): void {
    const { store, people } = this.#options
    store.write(() => people.contacts.queue.add(name, body), { isDurable: true })
  }

  #writeSoon(delayMs = WRITE_DELAY_MS): void {
    if (this.#isClosing) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined))
    }, delayMs)
    this.#timer.unref()
  }

  async #writeAll(): Promise<void> {
    const { store, people, device } = this.#options
    try {
      if (!this.#isClosing) this.#readAll()
      if (people.contacts.selfKeys.isComplete) await this.#shareKeys()
      for (;;) {
        const queued = people.contacts.queue.list(BATCH)
        if (queued.length === 0) return
        const { generation } = this
        const key = people.contacts.selfKeys.of(generation)
        if (key === undefined || device.paused !== undefined) return this.#writeSoon(RETRY_MS)
        const { writer } = device
        const sealing = { audience: 'own', generation, key } as const
        const bodies = queued.map(({ body }) => sealBody(body, writer.key.publicKey, sealing))
        await writer.append(bodies, { isSealed: true })
        store.write(() => people.contacts.queue.remove(queued))
      }
    } catch {
      if (store.isOpen) this.#writeSoon(RETRY_MS) // a full disk, or paused meanwhile; who decided something is not kept waiting
    }
  }

  /** Gives the other devices the keys of generations that a revocation began. */
  async #shareKeys(): Promise<void> {
    const { people, device } = this.#options
    const { selfKeys } = people.contacts
    const others = people
      .ownDevices()
      .filter(({ device: key, revoked }) => !revoked && !isSame(key, device.key.publicKey))
    for (let generation = 1; generation <= this.generation; generation++) {
      if (selfKeys.isShared(generation) || device.paused !== undefined) continue
      const devices = others.map(({ device: key }) => key)
      if (others.length > 0) await device.writer.append([encodeBody(selfKeys.bodyFor(devices, generation))])
      selfKeys.learn([{ generation, key: selfKeys.of(generation)! }])
    }
  }

  /** What fails (a full disk) is tried again: whoever stored the entries is not to blame. */
  #take(extension: Extension): void {
    const { people } = this.#options
    try {
      if (isSame(extension.feed.key, people.root)) this.#onLog()
      else if (this.#isOwn(extension.feed.key)) this.#takeOwn(extension)
    } catch {
      this.#read.clear()
      this.#writeSoon(RETRY_MS)
    }
  }

  #takeOwn({ feed, from, to, runs }: Extension): void {
    const read = this.#progressOf(feed.key)
    const isNext = read !== undefined && (from === read.high + 1 || to === read.low - 1)
    const isOfUse = runs.some((run) => holdsSealed(run) || mayHoldKey(run.records))
    if (isNext && !isOfUse) this.#extend(feed.key, from, to, false)
    else if (this.#readFeed(feed)) this.#options.onNews()
  }

  /** Devices were added or revoked. What a revoked one wrote after its revocation never counted. */
  #onLog(): void {
    const { store, people } = this.#options
    const { contacts, root } = people
    if (this.generation > this.#generation && contacts.selfKeys.isComplete) contacts.topics.rotate() // a revoked device knows the present one
    this.#generation = this.generation
    const isLess = store.write(() =>
      contacts
        .devicesOf(root)
        .filter(({ device, revoked }) => revoked !== undefined && contacts.forgetDecisions(device, revoked.last))
    )
    if (isLess.length > 0) this.#readAnew()
    this.#writeSoon()
  }

  #readAnew(): void {
    this.#options.store.write(() => this.#options.people.contacts.progress.forget())
    this.#read.clear()
    this.#readAll()
    this.#options.onNews()
  }

  /** Reads what was not read yet of all own devices' feeds. */
  #readAll(): void {
    const isNews = this.#ownFeeds().filter((feed) => this.#readFeed(feed)).length > 0
    if (isNews) this.#options.onNews()
  }

  /** Reads what was not read yet of one. @returns whether there was news */
  #readFeed(feed: FeedState): boolean {
    const read = this.#progressOf(feed.key) ?? { low: feed.low, high: feed.low - 1 }
    const missing = [
      [feed.low, read.low - 1],
      [read.high + 1, feed.height]
    ].filter(([from, to]) => from <= to)
    let isNews = false
    for (const [from, to] of missing) {
      isNews = this.#readEntries(feed, from, to) || isNews
      this.#extend(feed.key, from, to, true)
    }
    return isNews
  }

  /** @returns whether there was news */
  #readEntries(feed: FeedState, from: number, to: number): boolean {
    const { store } = this.#options
    let isNews = false
    for (let seq = from; seq <= to; seq += PAGE) {
      const entries = entriesBetween(store, feed, seq, Math.min(to, seq + PAGE - 1))
      isNews = store.write(() => entries.filter((entry) => this.#readEntry(entry)).length > 0) || isNews
    }
    return isNews
  }

  #readEntry(entry: StoredEntry): boolean {
    const { people, device } = this.#options
    if (!people.isCurrent(entry)) return false
    const { selfKeys } = people.contacts
    const plain = bodyOf(entry)
    if (plain?.type === 'self/key') {
      const given = openSelfKey(plain, device.key, people.root)
      if (given !== undefined && selfKeys.learn([given])) setImmediate(() => this.#onKey())
      return false
    }
    if (entry.body === undefined || (entry.flags & FLAG_SEALED) === 0) return false
    const sealed = sealedFor(entry.body)
    const key = sealed?.audience === 'own' ? selfKeys.of(sealed.generation) : undefined
    const body = key && openBody(entry.body, entry.feed, key)
    return (body && this.#readers.get(body.type)?.(body, entry, sealed!.generation)) ?? false
  }

  /** A key came: entries that did not open may do so now. */
  #onKey(): void {
    if (!this.#options.store.isOpen || this.#options.people.contacts.selfKeys.isComplete) return
    this.#readAnew()
    this.#writeSoon()
  }

  #ownFeeds(): FeedState[] {
    const { store, people } = this.#options
    return people.ownDevices().flatMap(({ device }) => {
      const feed = store.feed(device)
      return feed === undefined || feed.height === 0 ? [] : [feed]
    })
  }

  #isOwn(feed: Uint8Array): boolean {
    const identity = this.#options.people.identityOf(feed)
    return identity !== undefined && isSame(identity, this.#options.people.root)
  }

  #progressOf(feed: Uint8Array): (Stretch & { noted: number }) | undefined {
    const known = this.#read.get(name(feed))
    if (known !== undefined) return known
    const stored = this.#options.people.contacts.progress.of(feed)
    if (stored === undefined) return undefined
    const read = { ...stored, noted: stored.high }
    this.#read.set(name(feed), read)
    return read
  }

  /** Notes in memory what was read, and in the store now and then: not for every post. */
  #extend(feed: Uint8Array, from: number, to: number, isOfUse: boolean): void {
    const before = this.#progressOf(feed) ?? { low: from, high: from - 1, noted: 0 }
    const read = { low: Math.min(before.low, from), high: Math.max(before.high, to), noted: before.noted }
    this.#read.set(name(feed), read)
    if (!isOfUse && read.high - read.noted < NOTE_EVERY) return
    read.noted = read.high
    this.#options.store.write(() => this.#note(feed))
  }

  #note(feed: Uint8Array): void {
    const read = this.#read.get(name(feed))
    if (read !== undefined) this.#options.people.contacts.progress.set(feed, read)
  }
}

/** A look at the bytes, so that posts are not decoded for it. */
function mayHoldKey(records: Uint8Array): boolean {
  return Buffer.from(records.buffer, records.byteOffset, records.length).includes(SELF_KEY_MARK)
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function name(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}
