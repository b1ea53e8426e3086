// This device as a signer: its feed's writer, the identity log's writer, and what is done when the feed can't be
// continued (an older copy was restored, or the same key was used in two places).
import {
  type Body,
  decodeForkProof,
  encodeBody,
  entryId,
  type Extension,
  type FeedState,
  type FeedStore,
  FeedWriter,
  type SigningKey
} from '../feeds/index.ts'
import { deviceAddBody, deviceRevokeBody } from '../trust/index.ts'
import { forgetRestored, renewGeneration } from './generation.ts'
import { type Keys, replaceDeviceKey } from './keystore.ts'
import type { People } from './people.ts'

const WAITING =
  'this store is older than its keys (a backup was restored): it signs again when a contact has given back what was written since'
/** How long the copy whose turn comes second waits to hear of the first one's new key. */
const SECOND_TURN_MS = 3_000

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
}

export class Device {
  readonly #options: DeviceOptions
  readonly #log: FeedWriter
  #writer: FeedWriter
  #isRestored = false
  #isAtWork = false
  #secondTurn: NodeJS.Timeout | undefined
  readonly #onFork = (feed: FeedState): void => {
    if (!this.#isKey(feed)) return
    // Two copies that both run hear of it at the same time: did both write the identity log now, it would fork as well.
    if (this.#hasFirstTurn(feed)) this.#tryToPutInOrder()
    else this.#secondTurn = setTimeout(() => this.#tryToPutInOrder(), SECOND_TURN_MS).unref()
  }
  readonly #onExtended = ({ feed, origin }: Extension): void => {
    const isOthers = origin !== this.#log && Buffer.compare(feed.key, this.#log.key.publicKey) === 0
    if (isOthers) this.#tryToPutInOrder()
  }

  constructor(options: DeviceOptions) {
    this.#options = options
    this.#log = new FeedWriter(options.store, options.keys.root)
    this.#writer = new FeedWriter(options.store, options.keys.device)
    options.store.events.on('fork', this.#onFork)
    options.store.events.on('extended', this.#onExtended)
  }

  /** Makes the identity log's first entry, unless this store may be an older copy. */
  async open(): Promise<void> {
    const { store, directory } = this.#options
    this.#isRestored = renewGeneration(store, directory)
    if (this.#isRestored) {
      this.#log.pause(WAITING)
      this.#writer.pause(WAITING)
    }
    await this.#putInOrder()
  }

  close(): void {
    clearTimeout(this.#secondTurn)
    this.#options.store.events.off('fork', this.#onFork)
    this.#options.store.events.off('extended', this.#onExtended)
    this.#log.close()
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
    return this.#log.feed
  }

  /** Why nothing is signed now, or undefined. */
  get paused(): string | undefined {
    return this.#writer.paused ?? this.#log.paused
  }

  /** A contact who keeps our feeds has given back all it had of them. */
  caughtUp(): void {
    if (!this.#isRestored) return
    this.#isRestored = false
    forgetRestored(this.#options.store)
    this.#log.resume()
    this.#writer.resume()
    this.#tryToPutInOrder()
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
    if (this.#isAtWork || this.#log.paused !== undefined) return
    this.#isAtWork = true
    clearTimeout(this.#secondTurn)
    try {
      const before = this.#writer.feed
      if (before.frozen !== undefined) await this.#replaceKey()
      const missing = this.#missingInLog()
      if (missing.length > 0) await this.#log.append(missing.map(encodeBody))
      if (before.frozen !== undefined) this.#options.onReplaced(before)
    } finally {
      this.#isAtWork = false
    }
  }

  /** What the identity log should say and does not: which own devices' feeds forked, and that this device is one. */
  #missingInLog(): Body[] {
    const { store, people, keys, name } = this.#options
    const forked = people.ownDevices().flatMap(({ device, revoked }) => {
      const feed = store.feed(device)
      return revoked !== undefined || feed?.frozen === undefined ? [] : [deviceRevokeBody(device, feed.frozen - 1)]
    })
    const isNamed = people.contacts.deviceByKey(this.key.publicKey) !== undefined
    return isNamed ? forked : [...forked, deviceAddBody(keys.root.publicKey, this.key, name)]
  }

  async #replaceKey(): Promise<void> {
    const { store, directory, passphrase, people } = this.#options
    const key = await replaceDeviceKey(directory, passphrase)
    people.setDevice(key.publicKey) // wanted before it is written, so that whoever is connected hears of it
    this.#writer.close()
    this.#writer = new FeedWriter(store, key)
  }
}
