// The protocols that run with every known peer: questions, sync, the streams of groups, gossip, and what is told first.
import type { PeerId } from '@libp2p/interface'
import type { FeedStore, SyncSession } from '../feeds/index.ts'
import { Gossip } from './gossip.ts'
import { GossipService } from './gossip-service.ts'
import { GossipTopics } from './gossip-topics.ts'
import { Greeting } from './greeting.ts'
import { GroupSync, type HeldGroups } from './groups/group-sync.ts'
import type { KnownPeers } from './known-peers.ts'
import type { Log } from './log.ts'
import type { Network } from './network.ts'
import type { Settings } from './options.ts'
import type { People } from './people.ts'
import { PeopleProtocol } from './people-protocol.ts'
import type { SessionService } from './session-service.ts'
import { pull, syncService } from './sync-service.ts'

export interface ProtocolsOptions {
  network: Network
  settings: Settings
  store: FeedStore
  people: People
  groups: HeldGroups
  peers: KnownPeers
  log: Log
  /** A session has compared and fetched everything that differed at its start. */
  onSettled: (peerId: PeerId, session: SyncSession) => void
  /** A session has come further. Called often. */
  onSyncProgress: () => void
  onSyncEnded: (session: SyncSession) => void
}

export class Protocols {
  readonly questions: PeopleProtocol
  readonly sync: SessionService<SyncSession>
  readonly groups: GroupSync
  readonly gossip: Gossip
  readonly greeting: Greeting
  readonly #entries: GossipService

  constructor(options: ProtocolsOptions) {
    const { network, settings, store, people, peers, log } = options
    const { libp2p } = network
    this.sync = syncService({
      libp2p,
      store,
      isPacked: settings.compress,
      deviceOf: (peerId) => peers.deviceOf(peerId),
      isBlocked: (peerId) => peers.isBlocked(peerId),
      onSettled: options.onSettled,
      onProgress: options.onSyncProgress,
      onEnded: options.onSyncEnded,
      onFault: (peerId, error) => {
        log.warn({ peer: peerId.toString(), code: error.code }, `sync with this peer was ended: ${error.message}`)
        network.faults.add(peerId.toString())
      }
    })
    this.questions = new PeopleProtocol({
      libp2p,
      onFault: (peerId, error) => {
        log.warn({ peer: peerId.toString() }, `a question of this peer was not answered: ${error.message}`)
        network.faults.add(peerId.toString())
      },
      onError: (type, error) => log.error({ err: error, type }, 'a question could not be answered')
    })
    const topics = new GossipTopics((all) => this.gossip.subscribe(all))
    this.gossip = new Gossip(libp2p.services.pubsub, {
      judge: (topic, data, from) => topics.judge(topic, data, from),
      faults: network.faults
    })
    this.groups = new GroupSync({
      libp2p,
      store,
      groups: options.groups,
      gossip: this.gossip,
      topics,
      isBlocked: (peerId) => peers.isBlocked(peerId),
      onFault: (peerId, error) => {
        log.warn(
          { peer: peerId.toString(), code: error.code },
          `replication with this peer was ended: ${error.message}`
        )
        network.faults.add(peerId.toString())
      }
    })
    this.#entries = new GossipService({
      store,
      gossip: this.gossip,
      share: (judge) => topics.share(judge),
      secretOf: (feed) => people.topicSecretOf(feed),
      pull: (feed, height, from) => pull(this.sync, feed, height, from)
    })
    this.greeting = new Greeting({
      people,
      questions: this.questions,
      sharesContacts: () => settings.shareContacts,
      deviceOf: (peerId) => peers.deviceOf(peerId),
      onSecret: () => this.#entries.onSecretsChanged(),
      onShared: () => people.update()
    })
  }

  /** Before the network is started, so that no connection is missed. */
  async start(): Promise<void> {
    await this.questions.start()
    await this.sync.start()
    await this.groups.start()
  }

  /** Once the network has started. */
  startGossip(): void {
    this.groups.startGossip()
    this.#entries.start()
  }

  /** Nothing more is said unasked. */
  stopTelling(): void {
    this.#entries.stop()
    this.greeting.stop()
  }

  /** In the order in which they are stopped. */
  get services(): { stop(): Promise<void> }[] {
    return [this.groups, this.sync, this.questions]
  }

  /** Somebody was followed, or neither any more, or has another topic secret. */
  onSecretsChanged(): void {
    this.#entries.onSecretsChanged()
  }

  /** Ends what runs with this peer. */
  end(peerId: PeerId, reason: string): void {
    this.sync.end(peerId, reason)
    this.groups.end(peerId, reason)
  }
}
