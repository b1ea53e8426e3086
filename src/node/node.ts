// One device: composes keys, store, people and network into what `createNode()` gives, and starts and stops it all.
import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { readArchive, writeArchive } from './archive-file.ts'
import {
  encodeBody,
  eraseExpired,
  type FeedState,
  FeedStore,
  Indexer,
  type Sentence,
  type StoredEntry,
  storeSize,
  Trimmer,
  usageByPriority
} from '../feeds/index.ts'
import { libsignalUnavailable } from '../messages/index.ts'
import { formatDid, generatePhrase, quotaOf, type StoreMode } from '../trust/index.ts'
import {
  type Check,
  type Comrade,
  type ComradeEvents,
  type Contacts,
  type Directory,
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
import { Answers } from './answers.ts'
import { setConfig } from './config.ts'
import { NodeContacts } from './contacts.ts'
import { Connections } from './connections.ts'
import { Device } from './device.ts'
import { NodeDevices } from './devices.ts'
import { examine, messagesStatus, pauseStatus } from './doctor.ts'
import { Arrivals, NodeFeeds } from './feeds.ts'
import { toFeedItem } from './feed-item.ts'
import { takeHandover } from './handover.ts'
import { Blobs } from './blobs/blobs.ts'
import { NodeFiles } from './blobs/node-files.ts'
import { PostFiles } from './blobs/post-files.ts'
import { Uploads } from './blobs/uploads.ts'
import { type Home, homeAt, openHome } from './home.ts'
import { createKeys, forgetPhrase, hasKeys, isJoining, type Keys, openKeys } from './keystore.ts'
import { changeSetting, settingStates } from './live-settings.ts'
import { type HomeLock, lockHome } from './lock.ts'
import { createLog, type Log } from './log.ts'
import { Encounters } from './encounters.ts'
import type { OpenedPost } from './groups/content.ts'
import { GroupServices } from './groups/group-services.ts'
import { NodeMeetings } from './meetings.ts'
import { MessageServices } from './messages/message-services.ts'
import { deviceNameOf, type NodeOptions, settle, type Settings } from './options.ts'
import { People } from './people.ts'
import { PersonUsages } from './person-usage.ts'
import { SealedLog } from './sealed-log.ts'
import { sayWarning } from './sentences.ts'
import { type Distances, distancesOf } from './space.ts'
import { SyncState } from './sync-state.ts'
import { StrayEntries } from './stray-entries.ts'
import { Vault } from './vault.ts'
import { version } from './version.ts'

/** How often expired bodies are looked for, and the quota is held, in ms. */
const UPKEEP_MS = 60_000
/** A node leaves within 3 s; what hangs longer is left behind. */
const STOP_TIMEOUT_MS = 2_800
/** Part of the quota that files may take which nobody has asked for by name. */
const BLOB_SHARE = 0.1
/** How long a change of what is kept is waited for before it is answered; the rest is done behind. */
const TRIM_WAIT_MS = 1_000

/**
 * Makes a node: opens (or, on first use, makes) the data directory, the identity and the store. It neither listens nor
 * dials before `start()`. Dispose of it, or call `stop()`, to let the directory go.
 * @throws NodeError HOME_IN_USE, LOCKED, KEYS_EXPOSED, BAD_INPUT; FeedError STORE_NEWER, DISK_FULL
 */
export async function createNode(options: NodeOptions = {}): Promise<Comrade> {
  deviceNameOf(options.deviceName) // before anything is made
  const settings = settle(options, (directory) => homeAt(directory).config)
  const home = openHome(settings.home)
  const lock = lockHome(home.lock)
  const undo = new DisposableStack()
  undo.use(lock)
  try {
    const { keys, phrase } = await takeKeys(home, options)
    const store = undo.adopt(FeedStore.open(home.store), (opened) => opened.close())
    const node = new ComradeNode({ options, settings, home, lock, keys, phrase, store })
    await node.open()
    undo.move()
    return node
  } catch (error) {
    undo.dispose()
    throw error
  }
}

async function takeKeys(
  home: Home,
  { passphrase, onRecoveryPhrase, keepsRecoveryPhrase }: NodeOptions
): Promise<{ keys: Keys; phrase?: string }> {
  if (hasKeys(home.keys)) return { keys: await openKeys(home.keys, { passphrase }) }
  if (isJoining(home.keys))
    throw new NodeError(
      'FAILED',
      `this home was about to join an identity: join again, or remove ${home.keys}.joining to begin an identity of its own`
    )
  const phrase = generatePhrase()
  await onRecoveryPhrase?.(phrase)
  return createKeys(home.keys, { passphrase, phrase, keepsPhrase: keepsRecoveryPhrase })
}

interface Parts {
  options: NodeOptions
  settings: Settings
  home: Home
  lock: HomeLock
  keys: Keys
  phrase: string | undefined
  store: FeedStore
}

class ComradeNode implements Comrade {
  readonly home: string
  readonly feeds: NodeFeeds
  readonly contacts: Contacts
  readonly files: NodeFiles
  readonly devices: NodeDevices
  readonly #groups: GroupServices
  readonly #messages: MessageServices
  readonly #blobs: Blobs
  readonly #uploads: Uploads
  readonly #postFiles: PostFiles
  readonly #parts: Parts
  readonly #store: FeedStore
  readonly #people: People
  readonly #indexer: Indexer
  readonly #answers: Answers
  readonly #strays: StrayEntries
  readonly #trimmer: Trimmer
  readonly #device: Device
  readonly #sealed: SealedLog
  readonly #sync: SyncState
  readonly #usages: PersonUsages
  readonly #events = new EventTarget()
  readonly #log: Log
  #entryEvents: AbortController | undefined
  #connections!: Connections
  #encounters!: Encounters
  #meetings!: NodeMeetings
  #upkeep: NodeJS.Timeout | undefined
  #startedAt = 0
  #stopping: Promise<void> | undefined
  #quota: number
  #phrase: string | undefined

  constructor(parts: Parts) {
    const { store, keys, settings, home, options } = parts
    this.#parts = parts
    this.#store = store
    this.home = home.directory
    this.#phrase = parts.phrase ?? keys.phrase
    this.#quota = settings.quota
    this.#log = createLog(settings.logLevel)
    this.#people = new People({
      store,
      root: keys.identity,
      rootSeed: keys.rootSeed,
      device: keys.device.publicKey,
      mode: settings.store,
      quota: settings.quota
    })
    this.#indexer = new Indexer(store, { hasFullText: settings.fullText })
    this.#trimmer = new Trimmer(store, quotaOf(settings.quota))
    if (settings.store !== 'all') this.#trimmer.removeUnwanted() // a stop may have come before all of it was gone
    this.#device = new Device({
      store,
      keys,
      directory: home.keys,
      passphrase: options.passphrase,
      name: deviceNameOf(options.deviceName),
      people: this.#people,
      onReplaced: (before) => this.#onDeviceReplaced(before),
      onRevoked: () => this.#tellRevocation()
    })
    this.#blobs = new Blobs({
      directory: home.blobs,
      feeds: store,
      people: this.#people,
      connections: () => this.#connections,
      maxFetchedBytes: () => this.#quota * BLOB_SHARE,
      onProgress: () => this.#sync.note(),
      onFile: (progress) => this.#emit('file', progress),
      log: this.#log
    })
    this.#sync = new SyncState({
      peers: () => this.libp2p.getPeers(),
      sessionOf: (peerId) => this.#connections.sessionOf(peerId),
      personOf: (peerId) => {
        const contact = this.#connections.contactOf(peerId)
        return contact?.relation === 'self' ? undefined : contact?.did
      },
      files: () => this.#blobs.fetcher.state,
      onNews: (status) => this.#emit('sync', status)
    })
    this.#uploads = new Uploads({ blobs: this.#blobs })
    this.files = new NodeFiles({ blobs: this.#blobs, uploads: this.#uploads })
    this.#postFiles = new PostFiles({
      store,
      indexer: this.#indexer,
      blobs: this.#blobs,
      uploads: this.#uploads,
      people: this.#people
    })
    this.#answers = new Answers({ store, people: this.#people, groups: () => this.#groups.content })
    this.#strays = new StrayEntries({
      store,
      people: this.#people,
      questions: () => this.#connections.questions,
      catchUp: () => this.#indexer.catchUp(),
      connected: () => this.#connections.libp2p.getPeers(),
      contactOf: (peerId) => this.#connections.contactOf(peerId),
      sharesContacts: () => settings.shareContacts,
      hasRoom: () => this.#distances().used < this.#quota,
      onFault: (peerId) => this.#connections.blame(peerId)
    })
    this.feeds = new NodeFeeds({
      store,
      people: this.#people,
      indexer: this.#indexer,
      writer: () => this.#device.writer,
      holders: () => this.#connections.holders,
      files: () => this.#postFiles,
      groups: () => this.#groups.content,
      answers: this.#answers,
      strays: this.#strays
    })
    this.contacts = new NodeContacts(
      this.#people,
      () => this.#onContactsChanged(),
      () => this.#meetings
    )
    this.#sealed = new SealedLog({
      store,
      people: this.#people,
      device: this.#device,
      onNews: () => this.#onContactsChanged()
    })
    this.#sealed.on('self/directory', (material, _, generation) => {
      if (keys.rootSeed !== undefined) return false // it is made here
      const isNews = this.#people.contacts.directory.importMaterial(material, generation)
      if (isNews) this.#connections?.directory.renew()
      return false // nothing of it concerns contacts
    })
    this.devices = new NodeDevices({
      store,
      people: this.#people,
      identity: keys.identity,
      device: this.#device,
      name: deviceNameOf(options.deviceName),
      peer: () => ({ peerId: this.libp2p.peerId, addresses: this.addresses }),
      directoryMaterial: () => this.#connections.directory.material(),
      onChange: () => this.#onContactsChanged()
    })
    const vault = new Vault(keys.peerSeed)
    this.#groups = new GroupServices({
      store,
      vault,
      people: this.#people,
      device: this.#device,
      privacy: () => settings.privacy,
      connections: () => this.#connections,
      onMates: () => this.#onContactsChanged(),
      onNews: (event) => this.#emit('group', event),
      onWarning: (code, sentence) => this.#emitWarning(code, sentence)
    })
    this.#messages = new MessageServices({
      store,
      blobs: this.#blobs,
      uploads: this.#uploads,
      vault,
      people: this.#people,
      device: this.#device,
      connections: () => this.#connections,
      log: this.#log,
      isHosting: () => settings.mailboxes === 'friends' && this.#people.mode === 'all',
      isGivingReadReceipts: () => settings.readReceipts,
      onMessage: (message) => this.#emit('message', message),
      onWarning: (code, sentence) => {
        this.#log.warn({ code }, sentence.text)
        this.#emitWarning(code, sentence)
      }
    })
    this.#usages = new PersonUsages({
      store,
      people: this.#people,
      blobs: this.#blobs.store,
      senders: () => this.#messages.senders()
    })
    store.events.on('fork', (feed) => this.#onFork(feed))
  }

  /** What needs time before the node can be handed over. */
  async open(): Promise<void> {
    const { settings, keys, options, home } = this.#parts
    takeHandover(home.keys, keys.identity, { store: this.#store, people: this.#people })
    await this.#device.open()
    this.#connections = await Connections.create({
      settings,
      libp2p: options.libp2p,
      peerSeed: keys.peerSeed,
      identity: keys.identity,
      rootSeed: keys.rootSeed,
      onDirectoryMaterial: (material) => this.#sealed.write('self/directory', { type: 'self/directory', ...material }),
      store: this.#store,
      people: this.#people,
      device: this.#device,
      groups: this.#groups.groups,
      log: this.#log,
      onConnect: (peer) => {
        this.#emit('peer:connect', peer)
        this.#sync.note()
        this.#encounters.onConnect(peer.peerId)
      },
      onDisconnect: (peer) => {
        this.#emit('peer:disconnect', peer)
        this.#sync.note()
        this.#messages.onDisconnected(peerIdFromString(peer.peerId))
      },
      onRecognised: (peerId) => {
        this.#messages.onRecognised(peerId)
        this.#blobs.onRecognised(peerId)
        this.#sync.note()
      },
      onSyncProgress: this.#sync.note,
      onSyncEnded: (session) => this.#sync.noteEnded(session),
      onWarning: (code, sentence) => this.#emitWarning(code, sentence)
    })
    this.#connections.questions.answer('join', (question, asker) => this.devices.join(question, asker))
    this.#makeMeetings()
    this.#sealed.open()
    this.#strays.open()
    this.#messages.open()
    await this.#groups.open()
  }

  #makeMeetings(): void {
    const common = { root: this.#parts.keys.identity, people: this.#people, connections: this.#connections }
    const onMet = (person: Uint8Array): void => {
      const { did, name } = this.#people.contacts.get(person)
      this.#emit('met', { did, name, state: 'met' })
    }
    this.#encounters = new Encounters({
      ...common,
      store: this.#store,
      device: this.#device,
      onCard: (person) => this.#messages.onMet(person),
      onRequest: (person) => {
        const request = this.#meetings.requestOf(person)
        if (request !== undefined) this.#emit('request', request)
      },
      onMet
    })
    this.#meetings = new NodeMeetings({
      ...common,
      encounters: this.#encounters,
      directory: this.#connections.directory,
      onChange: () => this.#onContactsChanged(),
      onMet
    })
  }

  /** Here, or on another own device. */
  #onContactsChanged(): void {
    this.#people.update()
    this.#connections.onContactsChanged()
    this.#messages.onContactsChanged()
  }

  get recoveryPhrase(): string | undefined {
    return this.#phrase
  }

  forgetRecoveryPhrase(): void {
    forgetPhrase(this.#parts.home.keys)
    this.#phrase = undefined
  }

  get identity(): { did: string; device: string } {
    return { did: formatDid(this.#parts.keys.identity), device: formatDid(this.#device.key.publicKey) }
  }

  get groups(): Groups {
    return this.#groups.groups
  }

  get messages(): Messages {
    return this.#messages.messages
  }

  get directory(): Directory {
    return this.#connections.directory
  }

  get libp2p(): Libp2p {
    return this.#connections.libp2p
  }

  get peerId(): string {
    return this.libp2p.peerId.toString()
  }

  get addresses(): string[] {
    return this.libp2p.getMultiaddrs().map(String)
  }

  async start(): Promise<void> {
    if (this.#stopping !== undefined)
      throw new NodeError('FAILED', 'a node that was stopped is not started again: make a new one')
    if (this.#startedAt > 0) return
    this.#startedAt = Date.now()
    try {
      await this.#messages.start()
      await this.#blobs.start()
      this.#postFiles.start()
      await this.#connections.start()
    } catch (error) {
      await this.stop()
      throw error
    }
    await this.#groups.start()
    this.#tellRevocation() // what happened before anybody could listen
    this.#upkeep = setInterval(() => this.#doUpkeep(), UPKEEP_MS)
    this.#upkeep.unref()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    clearInterval(this.#upkeep)
    this.#sync.stop()
    this.#entryEvents?.abort()
    this.#postFiles.stop()
    this.#uploads.stop()
    this.#indexer.stop()
    const trimmed = this.#trimmer.stop()
    const limit = Promise.withResolvers<void>()
    const timer = setTimeout(limit.resolve, STOP_TIMEOUT_MS)
    await Promise.race([Promise.all([this.#sealed.close(), this.#leave()]), limit.promise])
    clearTimeout(timer)
    await trimmed
    this.#connections.detach()
    try {
      await this.#groups.close()
      await this.#messages.close()
      this.#device.close()
      this.#people.close()
      this.#store.close()
    } finally {
      this.#parts.lock.release()
    }
  }

  async #leave(): Promise<void> {
    for (const part of [this.#groups, this.#messages, this.#blobs, this.#connections]) {
      try {
        await part.stop()
      } catch (error) {
        // With a full disk libp2p cannot note that a protocol is not spoken any more.
        this.#emitWarning('STOP', sayWarning('warning.stop', { problem: (error as Error).message }))
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
      sync: this.#sync.status(),
      ...pauseStatus(this.#device.paused)
    }
  }

  async profile(change?: { name?: string; about?: string }): Promise<Profile> {
    const { claimed, about } = this.#people.contacts.get(this.#parts.keys.identity)
    // An empty text takes a field away.
    const profile = withoutUndefined({
      name: (change?.name ?? claimed) || undefined,
      about: (change?.about ?? about) || undefined
    })
    if (change !== undefined) await this.#device.writer.append([encodeBody({ type: 'profile', ...profile })])
    return { ...this.identity, ...profile }
  }

  async peers(): Promise<Peer[]> {
    return this.#connections.peers()
  }

  connect(address: string, options?: { signal?: AbortSignal }): Promise<void> {
    return this.#connections.connect(address, options)
  }

  async storeMode(mode?: StoreMode): Promise<Space> {
    if (mode !== undefined) {
      setConfig(this.#parts.home.config, 'store', mode)
      this.#people.setMode(mode)
      this.#connections.onContactsChanged()
      this.#trimmer.removeUnwanted()
      if (mode !== 'all') this.#strays.clear()
      await this.#trimFor(TRIM_WAIT_MS)
    }
    return this.#space()
  }

  async quota(bytes?: number): Promise<Space> {
    if (bytes !== undefined) {
      setConfig(this.#parts.home.config, 'quota', bytes)
      this.#quota = bytes
      this.#people.setQuota(bytes)
      this.#trimmer.setQuota(quotaOf(bytes))
      await this.#trimFor(TRIM_WAIT_MS)
    }
    return this.#space()
  }

  /** Lets go of what is not to be kept, and waits for it, but not for ever: with many entries it takes minutes. */
  async #trimFor(limitMs: number): Promise<void> {
    this.#usages.forget()
    const limit = Promise.withResolvers<void>()
    const timer = setTimeout(limit.resolve, limitMs)
    try {
      await Promise.race([this.#trimmer.catchUp(), limit.promise])
    } finally {
      clearTimeout(timer)
      this.#usages.forget()
    }
  }

  async #space(): Promise<Space> {
    const usages = await this.#usages.get()
    return { ...this.#distances(), ...usages }
  }

  #distances(): Distances {
    return distancesOf(usageByPriority(this.#store), { store: this.#people.mode, quota: this.#quota })
  }

  async settings(): Promise<SettingState[]> {
    return settingStates(this.#parts.home.config, this.#parts.settings)
  }

  async configure(key: SettingKey, value: string | boolean | undefined): Promise<SettingState> {
    const state = changeSetting(this.#parts.home.config, this.#parts.settings, key, value)
    if (key === 'shareContacts') this.#connections.onContactsChanged()
    return state
  }

  async exportTo(file: string, who?: string[]): Promise<{ entries: number; bytes: number }> {
    const people = who?.map((name) => this.#people.contacts.find(name).key)
    const nums = people && new Set(people.flatMap((key) => [...this.#people.feedsOf(key)]))
    const feeds = this.#store
      .wantedFeeds()
      .filter((feed) => feed.height > 0 && (nums === undefined || nums.has(feed.num)))
    // Identity logs first: they say whose the other feeds are.
    feeds.sort((a, b) => Number(this.#isLog(b)) - Number(this.#isLog(a)))
    return writeArchive(this.#store, feeds, file)
  }

  importFrom(file: string): Promise<{ entries: number; bytes: number }> {
    return readArchive(this.#store, file, () => this.#people.updateNow())
  }

  async doctor(): Promise<Check[]> {
    return examine({
      store: this.#store,
      home: this.#parts.home,
      libp2p: this.libp2p,
      reach: this.#connections.reachability(),
      directory: this.#connections.directory,
      isDirectoryOn: this.#parts.settings.directory,
      warnings: this.#parts.settings.warnings,
      paused: this.#device.paused,
      isRevoked: this.#device.revoked !== undefined,
      logForkedAt: this.#device.log.frozen,
      messages: { unavailable: libsignalUnavailable(), ...(await this.messages.mailboxes()) },
      space: this.#distances()
    })
  }

  addEventListener<K extends keyof ComradeEvents>(
    type: K,
    listener: (event: ComradeEvents[K]) => void,
    options?: { signal?: AbortSignal }
  ): void {
    this.#events.addEventListener(type, listener as (event: Event) => void, options)
    if (type === 'entry') this.#emitEntries()
  }

  removeEventListener<K extends keyof ComradeEvents>(type: K, listener: (event: ComradeEvents[K]) => void): void {
    this.#events.removeEventListener(type, listener as (event: Event) => void)
  }

  /** Entries are decoded for events only when somebody listens. */
  #emitEntries(): void {
    if (this.#entryEvents !== undefined || this.#stopping !== undefined) return
    const { signal } = (this.#entryEvents = new AbortController())
    const [arrivals, opened] = [new Arrivals(this.#store), this.#groups.content.opened()]
    const needs = { people: this.#people, blobs: this.#blobs.store }
    const emit = (entry: StoredEntry, post?: OpenedPost): void => {
      if (this.#people.isCurrent(entry))
        this.#emit('entry', this.#answers.counted(toFeedItem(entry, needs, post), entry, post))
    }
    const emitPlain = async (): Promise<void> => {
      for await (const entry of arrivals.entries(signal))
        if (this.#people.isNear(entry.feed) && this.#groups.content.open(entry) === undefined) emit(entry)
    }
    const emitOpened = async (): Promise<void> => {
      for await (const entry of opened.entries(signal))
        if (!this.#people.isBlocked(entry.feed)) emit(entry, this.#groups.content.open(entry))
    }
    Promise.all([emitPlain(), emitOpened()])
      .catch(() => {}) // aborted by stop
      .finally(() => {
        arrivals.close()
        opened.close()
      })
  }

  #emit<K extends keyof ComradeEvents>(type: K, detail: ComradeEvents[K]['detail']): void {
    this.#events.dispatchEvent(new CustomEvent(type, { detail }))
  }

  #warn(code: string, sentence: Sentence, feed: FeedState): void {
    this.#log.warn({ code, feed: formatDid(feed.key) }, sentence.text)
    this.#emitWarning(code, sentence, { feed: formatDid(feed.key) })
  }

  #emitWarning(code: string, sentence: Sentence, more: { feed?: string } = {}): void {
    this.#emit('warning', { code, message: sentence.text, sentence, ...more })
  }

  #onFork(feed: FeedState): void {
    const isOwnLog = Buffer.compare(feed.key, this.#parts.keys.identity) === 0
    this.#warn('FORK', sayWarning(isOwnLog ? 'warning.logFork' : 'warning.fork', { entry: feed.height }), feed)
  }

  #onDeviceReplaced(before: FeedState): void {
    this.#connections?.setDeviceKey()
    void this.#messages.onDeviceReplaced()
    this.#warn('DEVICE_REPLACED', sayWarning('warning.deviceReplaced'), before)
  }

  #tellRevocation(): void {
    const { revoked, writer } = this.#device
    if (revoked !== undefined) this.#warn('REVOKED', revoked, writer.feed)
  }

  #isLog(feed: FeedState): boolean {
    return (
      this.#people.identityOf(feed.key) !== undefined &&
      Buffer.compare(this.#people.identityOf(feed.key)!, feed.key) === 0
    )
  }

  #doUpkeep(): void {
    try {
      eraseExpired(this.#store, Date.now())
      this.#strays.tidy()
    } catch (error) {
      this.#upkeepFailed(error)
    }
    this.#trimmer.catchUp().catch((error: unknown) => this.#upkeepFailed(error))
    void this.#blobs.tidy()
  }

  #upkeepFailed(error: unknown): void {
    this.#log.error({ err: error }, 'upkeep failed')
    this.#emitWarning('UPKEEP', sayWarning('warning.upkeep', { problem: (error as Error).message }))
  }
}

function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Partial<T>
}
