// This device as a signer: its feed's writer, the identity log's writer, and what is done when the feed can't be
// continued (an older copy was restored, or the same key was used in two places).
import { encodeBody, FeedError, type FeedState, type FeedStore, FeedWriter, type SigningKey } from '../feeds/index.ts'
import { deviceAddBody, deviceRevokeBody } from '../trust/index.ts'
import { forgetRestored, renewGeneration } from './generation.ts'
import { type Keys, replaceDeviceKey } from './keystore.ts'
import type { People } from './people.ts'

const WAITING = 'this store is older than its keys (a backup was restored): it signs again when a contact has given back what was written since'

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
  readonly #onFork = (feed: FeedState): void => {
    if (Buffer.compare(feed.key, this.key.publicKey) === 0) this.#replaceKey(feed).catch(() => {}) // paused says why; the next start tries again
  }

  constructor(options: DeviceOptions) {
    this.#options = options
    this.#log = new FeedWriter(options.store, options.keys.root)
    this.#writer = new FeedWriter(options.store, options.keys.device)
    options.store.events.on('fork', this.#onFork)
  }

  /** Makes the identity log's first entry, unless this store may be an older copy. */
  async open(): Promise<void> {
    const { store, directory, people, keys, name } = this.#options
    this.#isRestored = renewGeneration(store, directory)
    if (this.#isRestored) {
      this.#log.pause(WAITING)
      this.#writer.pause(WAITING)
      return
    }
    const isNamed = people.contacts.deviceByKey(this.key.publicKey) !== undefined
    if (!isNamed) await this.#log.append([encodeBody(deviceAddBody(keys.root.publicKey, keys.device, name))])
    if (this.#writer.feed.frozen !== undefined) await this.#replaceKey(this.#writer.feed)
  }

  close(): void {
    this.#options.store.events.off('fork', this.#onFork)
    this.#log.close()
    this.#writer.close()
  }

  get key(): SigningKey {
    return this.#writer.key
  }

  get writer(): FeedWriter {
    return this.#writer
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
  }

  /** The same key was used in two places: this device takes a new one, and the identity log says so. */
  async #replaceKey(frozen: FeedState): Promise<void> {
    const { store, directory, passphrase, people, keys, name, onReplaced } = this.#options
    if (this.#log.paused !== undefined) throw new FeedError('SIGNING_PAUSED', this.#log.paused)
    const key = await replaceDeviceKey(directory, passphrase)
    await this.#log.append([encodeBody(deviceRevokeBody(frozen.key, frozen.height)), encodeBody(deviceAddBody(keys.root.publicKey, key, name))])
    this.#writer.close()
    this.#writer = new FeedWriter(store, key)
    people.setDevice(key.publicKey)
    onReplaced(frozen)
  }
}
