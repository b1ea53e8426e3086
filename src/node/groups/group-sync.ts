// Brings the logs of this device's groups to other devices that hold them, and theirs here: by sessions of
// /comrade/group/1 with whoever is connected, and by gossip.
import { EventEmitter } from 'node:events'
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { FeedStore } from '../../feeds/index.ts'
import type { Gossip } from '../gossip.ts'
import type { GossipTopics } from '../gossip-topics.ts'
import { SessionService, type SessionServiceOptions } from '../session-service.ts'
import { GroupGossip } from './group-gossip.ts'
import { type GroupReplica, type GroupReplicas, replicaOf } from './group-replica.ts'
import { GroupSession } from './group-session.ts'
import type { Intake, Receipt } from './intake.ts'
import type { LocalGroup } from './local-group.ts'
import { LogClaims } from './log-claims.ts'

export const GROUP_PROTOCOL = '/comrade/group/1'

/** The groups of this device. */
export interface HeldGroups {
  all(): readonly LocalGroup[]
  intakeOf(group: LocalGroup): Pick<Intake, 'receive'>
  readonly events: EventEmitter<{ added: [LocalGroup]; removed: [LocalGroup] }>
}

export interface GroupSyncOptions extends Pick<SessionServiceOptions<GroupSession>, 'isBlocked' | 'onFault'> {
  libp2p: Libp2p
  /** Says whether there is room for what others bring. */
  store: FeedStore
  groups: HeldGroups
  gossip: Gossip
  topics: GossipTopics
}

export class GroupSync implements GroupReplicas {
  readonly events = new EventEmitter<{ added: [GroupReplica]; removed: [GroupReplica] }>()
  readonly #groups: HeldGroups
  readonly #store: FeedStore
  readonly #replicas = new Map<LocalGroup, GroupReplica>()
  readonly #sessions: SessionService<GroupSession>
  readonly #gossip: GroupGossip

  constructor({ groups, store, gossip, topics, ...common }: GroupSyncOptions) {
    this.events.setMaxListeners(0)
    this.#groups = groups
    this.#store = store
    const claims = new LogClaims()
    this.#sessions = new SessionService({
      ...common,
      protocol: GROUP_PROTOCOL,
      isNeeded: () => this.#replicas.size > 0,
      makeSession: (stream, place) => new GroupSession(this, stream, { ...place, claims })
    })
    this.#gossip = new GroupGossip({
      share: (judge) => topics.share(judge),
      publish: (topic, data) => gossip.publish(topic, data),
      onGap: (group, from) => this.#compare(group, from)
    })
  }

  all(): GroupReplica[] {
    return [...this.#replicas.values()]
  }

  /** Sessions, before anybody connects. */
  async start(): Promise<void> {
    for (const group of this.#groups.all()) this.#add(group)
    this.#groups.events.on('added', this.#add)
    this.#groups.events.on('removed', this.#remove)
    this.#store.events.on('roomy', this.#onRoomy)
    await this.#sessions.start()
  }

  /** Gossip, once the network has started. */
  startGossip(): void {
    this.#gossip.start()
  }

  async stop(): Promise<void> {
    this.#groups.events.off('added', this.#add)
    this.#groups.events.off('removed', this.#remove)
    this.#store.events.off('roomy', this.#onRoomy)
    this.#gossip.stop()
    await this.#sessions.stop()
  }

  /** The most operations of a group that a connected peer said it has. */
  sizeElsewhere(group: Uint8Array): number {
    return Math.max(0, ...this.#sessions.sessions.map((session) => session.sizeOf(group)))
  }

  /** Ends the session with a peer, as when it was recognised as blocked. */
  end(peerId: PeerId, reason: string): void {
    this.#sessions.end(peerId, reason)
  }

  readonly #add = (group: LocalGroup): void => {
    const replica = replicaOf(group, (operations, origin) => this.#receive(group, operations, origin))
    this.#replicas.set(group, replica)
    this.#gossip.add(group, replica)
    this.events.emit('added', replica)
    this.#sessions.look()
  }

  readonly #remove = (group: LocalGroup): void => {
    const replica = this.#replicas.get(group)
    this.#replicas.delete(group)
    this.#gossip.remove(group)
    if (replica !== undefined) this.events.emit('removed', replica)
  }

  async #receive(group: LocalGroup, operations: readonly Uint8Array[], origin: unknown): Promise<Receipt> {
    if (this.#store.room.isLeft) return this.#groups.intakeOf(group).receive(operations, origin)
    return { placed: 0, isGap: false }
  }

  /** What was left out is found by the next sessions, which compare all. */
  readonly #onRoomy = (): void => this.#sessions.endAll('there is room again for what was left out')

  /** Whoever told of what stands on something missing has that, most likely; else anybody who holds the group. */
  #compare(group: Uint8Array, from: PeerId): void {
    const session = this.#sessions.sessionOf(from)
    const sessions = session?.shares(group) ? [session] : this.#sessions.sessions
    for (const each of sessions) each.compare(group)
  }
}
