// All that runs on a device for its groups, put together, started and stopped: who holds which log (groups.ts), what is
// written in them (content.ts), how vouches leave (stem.ts), what is done without being asked (upkeep.ts), and who is online
// (representatives.ts). Replication runs with the other protocols, in connections.ts.
import type { FeedStore, Sentence } from '../../feeds/index.ts'
import type { Blobs } from '../blobs/blobs.ts'
import { type GroupEvent, NodeError } from '../comrade.ts'
import type { Config } from '../config.ts'
import type { Connections } from '../connections.ts'
import type { Device } from '../device.ts'
import type { People } from '../people.ts'
import { sayWarning } from '../sentences.ts'
import type { Vault } from '../vault.ts'
import { connectedMates } from './connected-mates.ts'
import { GroupContent } from './content.ts'
import { GroupNews } from './group-news.ts'
import { NodeGroups } from './groups.ts'
import type { LocalGroup } from './local-group.ts'
import { Representatives } from './representatives.ts'
import { Stem } from './stem.ts'
import { STEM_TIMINGS } from './stem-timing.ts'
import { Upkeep } from './upkeep.ts'

export interface GroupServicesOptions {
  store: FeedStore
  vault: Vault
  people: People
  device: Device
  blobs: Blobs
  privacy: () => Config['privacy']
  connections: () => Connections
  /** Other people share a group with this device now. */
  onMates: () => void
  onNews: (event: GroupEvent) => void
  onWarning: (code: string, sentence: Sentence) => void
}

export class GroupServices {
  readonly groups: NodeGroups
  readonly #options: GroupServicesOptions
  readonly #upkeep: Upkeep
  readonly #news: GroupNews
  #content!: GroupContent
  #stem!: Stem<LocalGroup>
  #representatives: Representatives | undefined

  constructor(options: GroupServicesOptions) {
    this.#options = options
    const { store, vault, people, device, connections, onNews } = options
    this.groups = new NodeGroups({
      store,
      vault,
      people,
      device,
      connections,
      publisher: {
        publish: (group, bytes) => this.#stem.publish(group, bytes),
        pending: (group) => this.#stem.pending(group)
      },
      peerKey: () => peerKeyOf(connections()),
      addresses: () => addressesOf(connections())
    })
    people.standingOf = (identity) => this.groups.standingOf(identity)
    this.#news = new GroupNews({ groups: this.groups, onNews, onError: this.#onError })
    this.#upkeep = new Upkeep({
      groups: this.groups,
      isPaused: () => device.paused !== undefined,
      onError: this.#onError
    })
  }

  /** What members wrote. */
  get content(): GroupContent {
    return this.#content
  }

  /** Reads what is stored; once there are connections, which need not be started. */
  async open(): Promise<void> {
    const { store, vault, people, blobs, privacy, connections, onMates } = this.#options
    // Nothing of what goes wrong in it is told with who brought it.
    this.#stem = new Stem<LocalGroup>({
      questions: connections().questions,
      store,
      timing: () => STEM_TIMINGS[privacy()],
      groups: () => this.groups.all(),
      mates: (group) => connectedMates(group, connections()).map(({ peerId }) => peerId),
      check: async (group, bytes) => {
        if (!store.room.isLeft) throw new NodeError('BUSY', 'there is no room on the disk for what others bring')
        return this.groups.intakeOf(group).check(bytes)
      },
      onFault: (peerId) => connections().blame(peerId),
      onError: this.#onError
    })
    await this.groups.load()
    this.#content = new GroupContent({ store, vault, people, groups: this.groups, blobs, onMates })
    await this.#news.open()
  }

  /** Once connections have started. */
  async start(): Promise<void> {
    const { people, connections } = this.#options
    this.#stem.start()
    this.#representatives = new Representatives({
      groups: this.groups,
      people,
      connections: connections(),
      peerKey: peerKeyOf(connections()),
      addresses: () => addressesOf(connections())
    })
    this.groups.online = this.#representatives
    await this.#representatives.start()
    this.#upkeep.start()
  }

  /** Before connections are stopped. */
  async stop(): Promise<void> {
    this.#upkeep.stop()
    this.#stem?.stop()
    await this.#representatives?.stop()
  }

  /** Before the store is closed. */
  async close(): Promise<void> {
    this.#news.close()
    this.#content?.close()
    await this.groups.close()
  }

  readonly #onError = (error: unknown): void =>
    this.#options.onWarning('GROUP', sayWarning('warning.group', { problem: (error as Error).message }))
}

function peerKeyOf({ libp2p }: Connections): Uint8Array {
  return libp2p.peerId.publicKey!.raw
}

function addressesOf({ libp2p }: Connections): string[] {
  return libp2p.getMultiaddrs().map(String)
}
