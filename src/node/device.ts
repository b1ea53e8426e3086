// This device as a signer: its feed's writer, the identity log's writer where it holds the root key, and what is done when
// the feed can't be continued (an older copy was restored, the same key was used in two places, the device was revoked).
import {
  type Body,
  decodeForkProof,
  encodeBody,
  entryId,
  type Extension,
  type FeedState,
  type FeedStore,
  FeedWriter,
  type Sentence,
  type SigningKey
} from '../feeds/index.ts'
import { deviceAddBody, deviceRevokeBody } from '../trust/index.ts'
import { NodeError } from './comrade.ts'
import { forgetRestored, renewGeneration, type Restored } from './generation.ts'
import { type Keys, replaceDeviceKey } from './keystore.ts'
import type { People } from './people.ts'
import { sayDevice } from './sentences.ts'

const WAITING: Record<Exclude<Restored, 'no'>, Sentence> = {
  backup: sayDevice('pause.backup'),
  phrase: sayDevice('pause.phrase')
}
const REVOKED = sayDevice('pause.revoked')
/** How long the copy whose turn comes second waits to hear of the first one's new key. */
const SECOND_TURN_MS = 3_000
/**
 * How long nothing may have been added to a log that was given back before it is continued: others may hold more of it,
 * and a log that is continued too early can never be mended. As long as an attempt to reach them lasts, or to ask the
 * directory, and what follows.
 */
const QUIET_MS = 12_000

export interface DeviceOptions {
  store: FeedStore
  keys: Keys
  /** Directory of the keys. */
  directory: string
  passphrase: string | undefined
  name: string
  people: People
  /** The feed that this device writes is another one now. */
  onReplaced: (before: FeedState) => void
  /** Another device of the identity has ended this one, while it was running. */
  onRevoked: () => void
}

export class Device {
  readonly #options: DeviceOptions
  /** Undefined where the root key is not held. */
  readonly #log: FeedWriter | undefined
  #writer: FeedWriter
  #restored: Restored = 'no'
  #isRevoked = false
  #isAtWork = false
  #secondTurn: NodeJS.Timeout | undefined
  #quiet: NodeJS.Timeout | undefined
  #isGivenBack = false
  #logLength = 0
  readonly #onFork = (feed: FeedState): void => {
    if (!this.#isKey(feed)) return
    // Two copies that both run hear of it at the same time: did both write the identity log now, it would fork as well.
    if (this.#hasFirstTurn(feed)) this.#tryToPutInOrder()
    else this.#secondTurn = setTimeout(() => this.#tryToPutInOrder(), SECOND_TURN_MS).unref()
  }
  readonly #onExtended = ({ feed, origin }: Extension): void => {
    const isOthers = origin !== this.#log && Buffer.compare(feed.key, this.#options.keys.identity) === 0
    if (!isOthers) return
    if (this.#isGivenBack) this.#resumeWhenQuiet()
    const wasRevoked = this.#isRevoked
    this.#noteRevocation()
    if (this.#isRevoked && !wasRevoked) this.#options.onRevoked()
    this.#tryToPutInOrder()
  }

  constructor(options: DeviceOptions) {
    this.#options = options
    const { store, keys } = options
    if (keys.root === undefined) store.own(keys.identity)
    else this.#log = new FeedWriter(store, keys.root)
    this.#writer = new FeedWriter(store, keys.device)
    options.store.events.on('fork', this.#onFork)
    options.store.events.on('extended', this.#onExtended)
  }

  /** Makes the identity log's first entry, unless this store may be an older copy. */
  async open(): Promise<void> {
    const { store, directory } = this.#options
    this.#restored = renewGeneration(store, directory)
    if (this.#restored !== 'no') this.#pause(WAITING[this.#restored])
    this.#noteRevocation()
    await this.#putInOrder()
  }

  close(): void {
    clearTimeout(this.#secondTurn)
    clearTimeout(this.#quiet)
    this.#options.store.events.off('fork', this.#onFork)
    this.#options.store.events.off('extended', this.#onExtended)
    this.#log?.close()
    this.#writer.close()
  }

  get key(): SigningKey {
    return this.#writer.key
  }

  get writer(): FeedWriter {
    return this.#writer
  }

  /** The feed of the identity log. */
  get log(): FeedState {
    return this.#options.store.feed(this.#options.keys.identity)!
  }

  /** Whether the root key is here, with which the identity log is signed. */
  get holdsRoot(): boolean {
    return this.#log !== undefined
  }

  /** Why nothing is signed now, or undefined. */
  get paused(): Sentence | undefined {
    const { paused, feed } = this.#writer
    if (feed.frozen !== undefined && this.#log === undefined)
      return sayDevice('pause.forkedForGood', { entry: feed.frozen })
    return paused ?? (this.log.frozen === undefined ? this.#log?.paused : undefined)
  }

  /** Why nothing is signed ever again: another device of the identity has ended this one. */
  get revoked(): Sentence | undefined {
    return this.#isRevoked ? REVOKED : undefined
  }

  /** Whether this device's key was made for this store and has signed nothing elsewhere: only the log can be missing. */
  get isNew(): boolean {
    return this.#restored === 'phrase'
  }

  /** Somebody who keeps our feeds has given back all it had of them. */
  caughtUp(): void {
    if (this.#restored === 'backup') this.#resume()
    // Two who give back the log may hold different lengths of it, and a log that forked cannot be mended.
    else if (this.#restored === 'phrase' && !this.#isGivenBack) {
      this.#isGivenBack = true
      this.#resumeWhenQuiet()
    }
  }

  /** The identity's own directory record says how long its log is: a restored device does not continue a shorter one. */
  noteLogLength(entries: number): void {
    this.#logLength = Math.max(entries, this.#logLength)
  }

  /**
   * Appends to the identity log.
   * @throws NodeError NOT_OWN without the root key; FeedError SIGNING_PAUSED, FEED_FROZEN, DISK_FULL
   */
  async appendToLog(bodies: Body[]): Promise<void> {
    if (this.#log === undefined)
      throw new NodeError(
        'NOT_OWN',
        "this device does not hold the identity's root key: do it on one that does, or restore from the phrase"
      )
    await this.#log.append(bodies.map(encodeBody))
  }

  #resumeWhenQuiet(): void {
    clearTimeout(this.#quiet)
    this.#quiet = setTimeout(() => {
      const { height } = this.log
      if (height >= this.#logLength) this.#resume()
      else this.#pause(sayDevice('pause.logIncomplete', { count: this.#logLength, height }))
    }, QUIET_MS).unref()
  }

  #resume(): void {
    this.#restored = 'no'
    this.#isGivenBack = false
    clearTimeout(this.#quiet)
    forgetRestored(this.#options.store)
    this.#log?.resume()
    this.#writer.resume()
    this.#noteRevocation()
    this.#tryToPutInOrder()
  }

  #pause(reason: Sentence): void {
    this.#log?.pause(reason)
    this.#writer.pause(reason)
  }

  /** A device that forked is revoked by its own other copy, and goes on under a new key; that is not meant here. */
  #noteRevocation(): void {
    const isRevoked = this.#options.people.contacts.deviceByKey(this.key.publicKey)?.revoked !== undefined
    if (!isRevoked || this.#isRevoked || this.#writer.feed.frozen !== undefined) return
    this.#isRevoked = true
    this.#pause(REVOKED)
  }

  #isKey(feed: FeedState): boolean {
    return Buffer.compare(feed.key, this.key.publicKey) === 0
  }

  /** Of two copies, the one whose branch has the lower id. Both have the same proof, so both know. */
  #hasFirstTurn(feed: FeedState): boolean {
    const { store } = this.#options
    const [first] = decodeForkProof(store.forkProof(feed)!).branches
    const own = store.idOf(feed, feed.frozen!)
    return own !== undefined && Buffer.compare(entryId(first.headers[0]), own) === 0
  }

  /** What fails (a full disk) is tried again when the log changes, and at the next start; `paused` says why nothing is signed. */
  #tryToPutInOrder(): void {
    this.#putInOrder().catch(() => {})
  }

  /** Takes a new device key when the feed of the present one forked, and brings the identity log up to date. */
  async #putInOrder(): Promise<void> {
    const before = this.#writer.feed
    if (before.frozen !== undefined && this.#isRevoked) {
      this.#isRevoked = false // it was another copy that revoked it, as this one would have
      if (this.#restored === 'no') this.#log?.resume()
    }
    if (this.#isAtWork || this.#log === undefined || this.#log.paused !== undefined) return
    this.#isAtWork = true
    clearTimeout(this.#secondTurn)
    try {
      if (before.frozen !== undefined) await this.#replaceKey()
      const missing = this.#missingInLog()
      if (missing.length > 0) await this.#log.append(missing.map(encodeBody))
      if (before.frozen !== undefined) this.#options.onReplaced(before)
    } finally {
      this.#isAtWork = false
    }
  }

  /** What the identity log should say and does not: which feeds written here forked, and that this device is one. */
  #missingInLog(): Body[] {
    const { store, people, keys, name } = this.#options
    const forked = people.ownDevices().flatMap(({ device, revoked }) => {
      const feed = store.feed(device)
      if (revoked !== undefined || feed?.frozen === undefined || !feed.isOwn) return []
      return [deviceRevokeBody(device, feed.frozen - 1)]
    })
    const isNamed = people.contacts.deviceByKey(this.key.publicKey) !== undefined
    return isNamed ? forked : [...forked, deviceAddBody(keys.identity, this.key, name)]
  }

  async #replaceKey(): Promise<void> {
    const { store, directory, passphrase, people } = this.#options
    const key = await replaceDeviceKey(directory, passphrase)
    people.setDevice(key.publicKey) // wanted before it is written, so that whoever is connected hears of it
    this.#writer.close()
    this.#writer = new FeedWriter(store, key)
  }
}
