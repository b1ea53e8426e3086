// What a node is made of, put together, and which part tells which. In two steps, since libp2p takes time to be made.
import { peerIdFromString } from '@libp2p/peer-id'
import { type FeedState, type FeedStore, Indexer } from '../feeds/index.ts'
import { Answers } from './answers.ts'
import { Blobs } from './blobs/blobs.ts'
import { NodeFiles } from './blobs/node-files.ts'
import { PostFiles } from './blobs/post-files.ts'
import { Uploads } from './blobs/uploads.ts'
import { Connections } from './connections.ts'
import { NodeContacts } from './contacts.ts'
import { Device } from './device.ts'
import { NodeDevices } from './devices.ts'
import { DiskReserve, sayShort } from './disk-reserve.ts'
import { Encounters } from './encounters.ts'
import { EntryEvents } from './entry-events.ts'
import { NodeFeeds } from './feeds.ts'
import { GroupServices } from './groups/group-services.ts'
import { takeHandover } from './handover.ts'
import type { Home } from './home.ts'
import type { Keys } from './keystore.ts'
import type { HomeLock } from './lock.ts'
import { createLog, type Log } from './log.ts'
import { NodeMeetings } from './meetings.ts'
import { MessageServices } from './messages/message-services.ts'
import { NodeEvents } from './node-events.ts'
import { NodeSpace } from './node-space.ts'
import { deviceNameOf, type NodeOptions, type Settings } from './options.ts'
import { People } from './people.ts'
import { PersonUsages } from './person-usage.ts'
import { SealedLog } from './sealed-log.ts'
import { sayWarning } from './sentences.ts'
import { StrayEntries } from './stray-entries.ts'
import { SyncState } from './sync-state.ts'
import { Upkeep } from './upkeep.ts'
import { Vault } from './vault.ts'

/** Part of the quota that files may take which nobody has asked for by name. */
const BLOB_SHARE = 0.1

/** What `createNode()` has opened, or made on first use. */
export interface OpenedHome {
  options: NodeOptions
  settings: Settings
  home: Home
  lock: HomeLock
  keys: Keys
  /** Words of a phrase that was just made. */
  phrase: string | undefined
  store: FeedStore
}

export class NodeParts {
  readonly events: NodeEvents
  readonly reserve: DiskReserve
  readonly entryEvents: EntryEvents
  readonly feeds: NodeFeeds
  readonly contacts: NodeContacts
  readonly files: NodeFiles
  readonly devices: NodeDevices
  readonly people: People
  readonly indexer: Indexer
  readonly device: Device
  readonly sealed: SealedLog
  readonly sync: SyncState
  readonly space: NodeSpace
  readonly strays: StrayEntries
  readonly blobs: Blobs
  readonly uploads: Uploads
  readonly postFiles: PostFiles
  readonly groups: GroupServices
  readonly messages: MessageServices
  readonly upkeep: Upkeep
  /** Made by {@link open}. */
  connections!: Connections
  readonly #opened: OpenedHome
  readonly #log: Log
  #encounters!: Encounters
  #meetings!: NodeMeetings

  constructor(opened: OpenedHome) {
    const { store, keys, settings, home, options } = opened
    this.#opened = opened
    this.#log = createLog(settings.logLevel, { namesPeople: options.logsPeople })
    this.events = new NodeEvents(this.#log)
    this.reserve = this.#makeReserve()
    store.room = this.reserve
    this.people = new People({
      store,
      root: keys.identity,
      rootSeed: keys.rootSeed,
      device: keys.device.publicKey,
      mode: settings.store,
      quota: settings.quota
    })
    this.indexer = new Indexer(store, { hasFullText: settings.fullText })
    this.device = new Device({
      store,
      keys,
      directory: home.keys,
      passphrase: options.passphrase,
      name: deviceNameOf(options.deviceName),
      people: this.people,
      onReplaced: (before) => this.#onDeviceReplaced(before),
      onRevoked: () => this.tellRevocation()
    })
    this.blobs = new Blobs({
      directory: home.blobs,
      feeds: store,
      people: this.people,
      connections: () => this.connections,
      isOfGroupWith: (person, id) => this.groups.content.files.isOfGroupWith(person, id),
      maxFetchedBytes: () => this.space.limit * BLOB_SHARE,
      onProgress: () => this.sync.note(),
      onFile: (progress) => this.events.emit('file', progress),
      log: this.#log
    })
    this.space = new NodeSpace({
      store,
      people: this.people,
      config: home.config,
      limit: settings.quota,
      usages: new PersonUsages({
        store,
        people: this.people,
        blobs: this.blobs.store,
        senders: () => this.messages.senders(),
        authorOf: (id) => this.groups.content.files.authorOf(id)
      }),
      onMode: (mode) => {
        this.connections.onContactsChanged()
        if (mode !== 'all') this.strays.clear()
      }
    })
    this.sync = new SyncState({
      peers: () => this.connections.libp2p.getPeers(),
      sessionOf: (peerId) => this.connections.sessionOf(peerId),
      personOf: (peerId) => {
        const contact = this.connections.contactOf(peerId)
        return contact?.relation === 'self' ? undefined : contact?.did
      },
      files: () => this.blobs.fetcher.state,
      onNews: (status) => this.events.emit('sync', status)
    })
    this.uploads = new Uploads({ blobs: this.blobs })
    this.files = new NodeFiles({ blobs: this.blobs, uploads: this.uploads })
    this.postFiles = new PostFiles({
      store,
      indexer: this.indexer,
      blobs: this.blobs,
      uploads: this.uploads,
      people: this.people
    })
    const answers = new Answers({ store, people: this.people, groups: () => this.groups.content })
    this.strays = new StrayEntries({
      store,
      people: this.people,
      questions: () => this.connections.questions,
      catchUp: () => this.indexer.catchUp(),
      connected: () => this.connections.libp2p.getPeers(),
      contactOf: (peerId) => this.connections.contactOf(peerId),
      sharesContacts: () => settings.shareContacts,
      hasRoom: () => store.room.isLeft && this.space.distances.used < this.space.limit,
      onFault: (peerId) => this.connections.blame(peerId)
    })
    this.feeds = new NodeFeeds({
      store,
      people: this.people,
      indexer: this.indexer,
      writer: () => this.device.writer,
      holders: () => this.connections.holders,
      files: () => this.postFiles,
      groups: () => this.groups.content,
      answers,
      strays: this.strays
    })
    this.contacts = new NodeContacts(
      this.people,
      () => this.#onContactsChanged(),
      () => this.#meetings
    )
    this.sealed = new SealedLog({
      store,
      people: this.people,
      device: this.device,
      onNews: () => this.#onContactsChanged()
    })
    this.sealed.on('self/directory', (material, _, generation) => {
      if (keys.rootSeed !== undefined) return false // it is made here
      const isNews = this.people.contacts.directory.importMaterial(material, generation)
      if (isNews) this.connections?.directory.renew()
      return false // nothing of it concerns contacts
    })
    this.devices = new NodeDevices({
      store,
      people: this.people,
      identity: keys.identity,
      device: this.device,
      name: deviceNameOf(options.deviceName),
      peer: () => {
        const { libp2p } = this.connections
        return { peerId: libp2p.peerId, addresses: libp2p.getMultiaddrs().map(String) }
      },
      directoryMaterial: () => this.connections.directory.material(),
      onChange: () => this.#onContactsChanged()
    })
    const vault = new Vault(keys.peerSeed)
    this.groups = new GroupServices({
      store,
      vault,
      people: this.people,
      device: this.device,
      blobs: this.blobs,
      privacy: () => settings.privacy,
      connections: () => this.connections,
      onMates: () => this.#onContactsChanged(),
      onNews: (event) => this.events.emit('group', event),
      onWarning: (code, sentence) => this.events.warn(code, sentence)
    })
    this.messages = new MessageServices({
      store,
      blobs: this.blobs,
      uploads: this.uploads,
      vault,
      people: this.people,
      device: this.device,
      connections: () => this.connections,
      log: this.#log,
      isHosting: () => settings.mailboxes === 'friends' && this.people.mode === 'all',
      isGivingReadReceipts: () => settings.readReceipts,
      onMessage: (message) => this.events.emit('message', message),
      onWarning: (code, sentence) => {
        this.#log.warn({ code, name: sentence.values.name }, sentence.text)
        this.events.warn(code, sentence)
      }
    })
    this.entryEvents = new EntryEvents({
      store,
      people: this.people,
      blobs: this.blobs,
      groups: () => this.groups.content,
      answers,
      onEntry: (item) => this.events.emit('entry', item)
    })
    this.upkeep = new Upkeep({
      store,
      strays: this.strays,
      space: this.space,
      blobs: this.blobs,
      onError: (error) => {
        this.#log.error({ err: error }, 'upkeep failed')
        this.events.warn('UPKEEP', sayWarning('warning.upkeep', { problem: (error as Error).message }))
      }
    })
    store.events.on('fork', (feed) => this.#onFork(feed))
  }

  /** Takes what was handed over, makes libp2p, and what needs it. Nothing listens yet. */
  async open(): Promise<void> {
    const { settings, keys, options, home } = this.#opened
    takeHandover(home.keys, keys.identity, { store: this.#opened.store, people: this.people })
    await this.device.open()
    this.connections = await Connections.create({
      settings,
      libp2p: options.libp2p,
      peerSeed: keys.peerSeed,
      identity: keys.identity,
      rootSeed: keys.rootSeed,
      onDirectoryMaterial: (material) => this.sealed.write('self/directory', { type: 'self/directory', ...material }),
      store: this.#opened.store,
      people: this.people,
      device: this.device,
      groups: this.groups.groups,
      log: this.#log,
      onConnect: (peer) => {
        this.events.emit('peer:connect', peer)
        this.sync.note()
        this.#encounters.onConnect(peer.peerId)
      },
      onDisconnect: (peer) => {
        this.events.emit('peer:disconnect', peer)
        this.sync.note()
        this.messages.onDisconnected(peerIdFromString(peer.peerId))
      },
      onRecognised: (peerId) => {
        this.messages.onRecognised(peerId)
        this.blobs.onRecognised(peerId)
        this.sync.note()
      },
      onSyncProgress: this.sync.note,
      onSyncEnded: (session) => this.sync.noteEnded(session),
      onWarning: (code, sentence) => this.events.warn(code, sentence)
    })
    this.connections.questions.answer('join', (question, asker) => this.devices.join(question, asker))
    this.#makeMeetings()
    this.sealed.open()
    this.strays.open()
    this.messages.open()
    await this.groups.open()
  }

  /** Warns when this device was ended by another one of its identity. */
  tellRevocation(): void {
    const { revoked, writer } = this.device
    if (revoked !== undefined) this.events.warnOfFeed('REVOKED', revoked, writer.feed)
  }

  #makeReserve(): DiskReserve {
    const { store, settings, home, options } = this.#opened
    return new DiskReserve({
      directory: home.directory,
      store,
      reserve: settings.reserve,
      maxShare: settings.reserveShare,
      freeBytes: options.freeBytes,
      onShort: () => this.#onDiskShort(),
      onRoomy: () => this.#onRoomy()
    })
  }

  #onDiskShort(): void {
    const sentence = sayShort(this.reserve.state)
    this.#log.warn({ code: 'DISK_SHORT' }, sentence.text)
    this.events.warn('DISK_SHORT', sentence)
  }

  /** What others have, and found no room here, is asked for again. */
  #onRoomy(): void {
    const { store } = this.#opened
    if (!store.isOpen) return
    store.events.emit('roomy')
    this.messages.onRoomy()
    this.blobs.onRoomy()
    this.#log.info({ code: 'DISK_ROOMY' }, 'there is room on the disk again: what others write is taken')
  }

  #makeMeetings(): void {
    const common = { root: this.#opened.keys.identity, people: this.people, connections: this.connections }
    const onMet = (person: Uint8Array): void => {
      const { did, name } = this.people.contacts.get(person)
      this.events.emit('met', { did, name, state: 'met' })
    }
    this.#encounters = new Encounters({
      ...common,
      store: this.#opened.store,
      device: this.device,
      onCard: (person) => this.messages.onMet(person),
      onRequest: (person) => {
        const request = this.#meetings.requestOf(person)
        if (request !== undefined) this.events.emit('request', request)
      },
      onMet
    })
    this.#meetings = new NodeMeetings({
      ...common,
      encounters: this.#encounters,
      directory: this.connections.directory,
      onChange: () => this.#onContactsChanged(),
      onMet
    })
  }

  /** Here, or on another own device. */
  #onContactsChanged(): void {
    this.people.update()
    this.connections.onContactsChanged()
    this.messages.onContactsChanged()
  }

  #onFork(feed: FeedState): void {
    const isOwnLog = Buffer.compare(feed.key, this.#opened.keys.identity) === 0
    const sentence = sayWarning(isOwnLog ? 'warning.logFork' : 'warning.fork', { entry: feed.height })
    this.events.warnOfFeed('FORK', sentence, feed)
  }

  #onDeviceReplaced(before: FeedState): void {
    this.connections?.setDeviceKey()
    void this.messages.onDeviceReplaced()
    this.events.warnOfFeed('DEVICE_REPLACED', sayWarning('warning.deviceReplaced'), before)
  }
}
