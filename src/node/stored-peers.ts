// How many peers libp2p's peer store remembers. Whoever connects, or is named by the DHT, gets a record in it, which libp2p
// keeps for months and does not count: strangers with ever new peer ids would fill the disk.
import type { Libp2p, Peer, PeerId, PeerUpdate } from '@libp2p/interface'

/** Records that are kept. The DHT's table has some hundred peers; where friends are is remembered elsewhere too. */
const MAX_STORED_PEERS = 2_048
/** It is looked again when so many of that number have come. */
const LOOK_SHARE = 1 / 8

export interface StoredPeersOptions {
  libp2p: Pick<Libp2p, 'peerStore' | 'getConnections' | 'addEventListener'>
  /** Peers whose records are kept in any case. */
  isWanted: (peerId: string) => boolean
  /** @default 2,048 */
  max?: number
}

export class StoredPeers {
  readonly #options: StoredPeersOptions
  readonly #max: number
  readonly #step: number
  /** Records that were made since it was looked last. What earlier runs have left is looked at with the first. */
  #fresh = Infinity

  constructor(options: StoredPeersOptions) {
    this.#options = options
    this.#max = options.max ?? MAX_STORED_PEERS
    this.#step = Math.ceil(this.#max * LOOK_SHARE)
  }

  /** Counts new records from now on. */
  watch(): void {
    this.#options.libp2p.addEventListener('peer:update', ({ detail }) => this.#note(detail))
  }

  #note({ previous }: PeerUpdate): void {
    if (previous !== undefined || ++this.#fresh < this.#step) return
    this.#fresh = 0
    this.#tidy().catch(() => {}) // the store is closing, or the disk is full: looked at again with those that come
  }

  /** Forgets the oldest: first those who are not in the DHT's table, whose members have a tag. */
  async #tidy(): Promise<void> {
    const { peerStore } = this.#options.libp2p
    const peers = await peerStore.all()
    const excess = Math.max(0, peers.length - this.#max)
    const spare = peers
      .filter(({ id }) => !this.#isNeeded(id))
      .toSorted((a, b) => Number(a.tags.size > 0) - Number(b.tags.size > 0) || updatedMs(a) - updatedMs(b))
    for (const { id } of spare.slice(0, excess)) await peerStore.delete(id)
  }

  #isNeeded(peerId: PeerId): boolean {
    const { libp2p, isWanted } = this.#options
    return libp2p.getConnections(peerId).length > 0 || isWanted(peerId.toString())
  }
}

/** When a record was written last, Unix ms: libp2p's types do not name it. */
function updatedMs(peer: Peer & { updated?: number }): number {
  return peer.updated ?? 0
}
