// One device, as `createNode()` gives it: starts and stops the parts that node-parts.ts puts together, and answers from
// them.
import type { Libp2p } from '@libp2p/interface'
import { encodeBody, type FeedStore, storeSize } from '../feeds/index.ts'
import { libsignalUnavailable } from '../messages/index.ts'
import { formatDid, type StoreMode } from '../trust/index.ts'
import { feedsToArchive, readArchive, writeArchive } from './archive-file.ts'
import {
  type Check,
  type Comrade,
  type ComradeEvents,
  type Contacts,
  type Devices,
  type Directory,
  type Feeds,
  type Files,
  type Groups,
  type Messages,
  NodeError,
  type Peer,
  type Profile,
  type SettingKey,
  type SettingState,
  type Space,
  type Status
} from './comrade.ts'
import { examine, messagesStatus, pauseStatus } from './doctor.ts'
import { forgetPhrase } from './keystore.ts'
import { changeSetting, settingStates } from './live-settings.ts'
import { NodeParts, type OpenedHome } from './node-parts.ts'
import { sayWarning } from './sentences.ts'
import { version } from './version.ts'

/** A node leaves within 3 s; what hangs longer is left behind. */
const STOP_TIMEOUT_MS = 2_800

export class ComradeNode implements Comrade {
  readonly #opened: OpenedHome
  readonly #parts: NodeParts
  readonly #store: FeedStore
  #phrase: string | undefined
  #startedAt = 0
  #stopping: Promise<void> | undefined

  constructor(opened: OpenedHome) {
    this.#opened = opened
    this.#store = opened.store
    this.#phrase = opened.phrase ?? opened.keys.phrase
    this.#parts = new NodeParts(opened)
  }

  /** What needs time before the node can be handed over. */
  open(): Promise<void> {
    return this.#parts.open()
  }

  get home(): string {
    return this.#opened.home.directory
  }

  get feeds(): Feeds {
    return this.#parts.feeds
  }

  get contacts(): Contacts {
    return this.#parts.contacts
  }

  get devices(): Devices {
    return this.#parts.devices
  }

  get directory(): Directory {
    return this.#parts.connections.directory
  }

  get groups(): Groups {
    return this.#parts.groups.groups
  }

  get messages(): Messages {
    return this.#parts.messages.messages
  }

  get files(): Files {
    return this.#parts.files
  }

  get libp2p(): Libp2p {
    return this.#parts.connections.libp2p
  }

  get peerId(): string {
    return this.libp2p.peerId.toString()
  }

  get addresses(): string[] {
    return this.libp2p.getMultiaddrs().map(String)
  }

  get identity(): { did: string; device: string } {
    return { did: formatDid(this.#opened.keys.identity), device: formatDid(this.#parts.device.key.publicKey) }
  }

  get recoveryPhrase(): string | undefined {
    return this.#phrase
  }

  forgetRecoveryPhrase(): void {
    forgetPhrase(this.#opened.home.keys)
    this.#phrase = undefined
  }

  async start(): Promise<void> {
    if (this.#stopping !== undefined)
      throw new NodeError('FAILED', 'a node that was stopped is not started again: make a new one')
    if (this.#startedAt > 0) return
    this.#startedAt = Date.now()
    const parts = this.#parts
    try {
      parts.reserve.start()
      await parts.messages.start()
      await parts.blobs.start()
      parts.postFiles.start()
      parts.groups.content.files.start()
      await parts.connections.start()
    } catch (error) {
      await this.stop()
      throw error
    }
    await parts.groups.start()
    parts.tellRevocation() // what happened before anybody could listen
    parts.upkeep.start()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const parts = this.#parts
    parts.upkeep.stop()
    parts.reserve.stop()
    parts.sync.stop()
    parts.entryEvents.stop()
    parts.postFiles.stop()
    parts.groups.content.files.stop()
    parts.uploads.stop()
    parts.indexer.stop()
    const trimmed = parts.space.stop()
    const limit = Promise.withResolvers<void>()
    const timer = setTimeout(limit.resolve, STOP_TIMEOUT_MS)
    await Promise.race([Promise.all([parts.sealed.close(), this.#leave()]), limit.promise])
    clearTimeout(timer)
    await trimmed
    parts.connections.detach()
    try {
      await parts.groups.close()
      await parts.messages.close()
      parts.device.close()
      parts.people.close()
      this.#store.close()
    } finally {
      this.#opened.lock.release()
    }
  }

  async #leave(): Promise<void> {
    const { groups, messages, blobs, connections, events } = this.#parts
    for (const part of [groups, messages, blobs, connections]) {
      try {
        await part.stop()
      } catch (error) {
        // With a full disk libp2p cannot note that a protocol is not spoken any more.
        events.warn('STOP', sayWarning('warning.stop', { problem: (error as Error).message }))
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async status(): Promise<Status> {
    const { feeds, entries, bytes } = storeSize(this.#store)
    return {
      ...this.identity,
      peerId: this.peerId,
      addresses: this.addresses,
      peers: this.libp2p.getPeers().length,
      feeds,
      entries,
      bytes,
      uptimeMs: this.#startedAt === 0 ? 0 : Date.now() - this.#startedAt,
      version,
      messages: messagesStatus(libsignalUnavailable()),
      sync: this.#parts.sync.status(),
      ...pauseStatus(this.#parts.device.paused)
    }
  }

  async profile(change?: { name?: string; about?: string }): Promise<Profile> {
    const { people, device } = this.#parts
    const { claimed, about } = people.contacts.get(this.#opened.keys.identity)
    // An empty text takes a field away.
    const profile = withoutUndefined({
      name: (change?.name ?? claimed) || undefined,
      about: (change?.about ?? about) || undefined
    })
    if (change !== undefined) await device.writer.append([encodeBody({ type: 'profile', ...profile })])
    return { ...this.identity, ...profile }
  }

  async peers(): Promise<Peer[]> {
    return this.#parts.connections.peers()
  }

  connect(address: string, options?: { signal?: AbortSignal }): Promise<void> {
    return this.#parts.connections.dialler.connect(address, options)
  }

  storeMode(mode?: StoreMode): Promise<Space> {
    return this.#parts.space.storeMode(mode)
  }

  quota(bytes?: number): Promise<Space> {
    return this.#parts.space.quota(bytes)
  }

  async settings(): Promise<SettingState[]> {
    return settingStates(this.#opened.home.config, this.#opened.settings)
  }

  async configure(key: SettingKey, value: string | boolean | undefined): Promise<SettingState> {
    const state = changeSetting(this.#opened.home.config, this.#opened.settings, key, value)
    if (key === 'shareContacts') this.#parts.connections.onContactsChanged()
    return state
  }

  async exportTo(file: string, who?: string[]): Promise<{ entries: number; bytes: number }> {
    return writeArchive(this.#store, feedsToArchive(this.#store, this.#parts.people, who), file)
  }

  importFrom(file: string): Promise<{ entries: number; bytes: number }> {
    return readArchive(this.#store, file, () => this.#parts.people.updateNow())
  }

  async doctor(): Promise<Check[]> {
    const { settings } = this.#opened
    const { connections, device, space, reserve } = this.#parts
    return examine({
      store: this.#store,
      disk: reserve.look(),
      libp2p: this.libp2p,
      reach: connections.reachability(),
      directory: connections.directory,
      isDirectoryOn: settings.directory,
      warnings: settings.warnings,
      paused: device.paused,
      isRevoked: device.revoked !== undefined,
      logForkedAt: device.log.frozen,
      messages: { unavailable: libsignalUnavailable(), ...(await this.messages.mailboxes()) },
      space: space.distances
    })
  }

  addEventListener<K extends keyof ComradeEvents>(
    type: K,
    listener: (event: ComradeEvents[K]) => void,
    options?: { signal?: AbortSignal }
  ): void {
    this.#parts.events.addEventListener(type, listener, options)
    if (type === 'entry') this.#parts.entryEvents.start()
  }

  removeEventListener<K extends keyof ComradeEvents>(type: K, listener: (event: ComradeEvents[K]) => void): void {
    this.#parts.events.removeEventListener(type, listener)
  }
}

function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Partial<T>
}
