// What a store remembers of a peer between two sessions, so that the next one needs to tell only what changed.
import { hash } from 'node:crypto'
import type { FeedStore } from '../store/store.ts'
import { FeedSet } from './feed-set.ts'

/** After so many sessions in a row that trusted the cursor, everything is compared once, whatever was remembered. */
export const MAX_RESUMES = 64
/** Peers remembered; those not seen for longest go first. */
const MAX_PEERS = 1_024

export interface PeerMemory {
  epoch: Uint8Array
  /** How far the peer's changes are known and stored here. */
  cursor: number
  /** Feeds that both sides want. */
  shared: SharedFeeds
  /** Sessions in a row that trusted this. */
  resumed: number
  /** The newest wish to erase in the peer's own feed of which it was told that it was obeyed. */
  told: number
}

export function recallPeer(store: FeedStore, peer: string): PeerMemory | undefined {
  const row = store.get('SELECT * FROM sync_peers WHERE peer = ?', peer)
  return (
    row && {
      epoch: row.epoch as Uint8Array,
      cursor: row.cursor as number,
      shared: new SharedFeeds(row.shared as Uint8Array, row.shared_sum as Uint8Array),
      resumed: row.resumed as number,
      told: row.told as number
    }
  )
}

export function rememberPeer(store: FeedStore, peer: string, memory: PeerMemory): void {
  store.write(() => {
    store.run(
      'INSERT OR REPLACE INTO sync_peers (peer, epoch, cursor, shared, shared_sum, resumed, told, seen_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      peer,
      memory.epoch,
      memory.cursor,
      memory.shared.bits,
      memory.shared.sum,
      memory.resumed,
      memory.told,
      Date.now()
    )
    store.run(
      'DELETE FROM sync_peers WHERE peer IN (SELECT peer FROM sync_peers ORDER BY seen_ms DESC LIMIT -1 OFFSET ?)',
      MAX_PEERS
    )
  })
}

/** The feeds that two peers both want, and a sum over their ids by which the peers can tell that they agree. */
export class SharedFeeds {
  readonly #set: FeedSet
  #sum: bigint

  constructor(bits?: Uint8Array, sum?: Uint8Array) {
    this.#set = new FeedSet(bits)
    this.#sum = sum === undefined ? 0n : Buffer.from(sum).readBigUInt64BE()
  }

  has(num: number): boolean {
    return this.#set.has(num)
  }

  /** @returns whether it is new in the set */
  add(feed: { num: number; key: Uint8Array }): boolean {
    if (!this.#set.add(feed.num)) return false
    this.#sum = BigInt.asUintN(64, this.#sum + summand(feed.key))
    return true
  }

  delete(feed: { num: number; key: Uint8Array }): boolean {
    if (!this.#set.delete(feed.num)) return false
    this.#sum = BigInt.asUintN(64, this.#sum - summand(feed.key))
    return true
  }

  get size(): number {
    return this.#set.size
  }

  get bits(): Uint8Array {
    return this.#set.bits
  }

  /** Sum of the first 8 bytes of each feed id's sha256, modulo 2^64. */
  get sum(): Uint8Array {
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeBigUInt64BE(this.#sum)
    return bytes
  }
}

function summand(key: Uint8Array): bigint {
  return hash('sha256', key, 'buffer').readBigUInt64BE(0)
}

const RESUME_DOMAIN = Buffer.from('comrade/sync/resume/1\0')

/**
 * A tag over what both peers believe they share; equal tags mean that each side's cursor can be trusted:
 * sha256("comrade/sync/resume/1\0" ‖ both epochs, the lower first ‖ sum of the shared feeds)[0..8]
 */
export function resumeTag(epochs: [Uint8Array, Uint8Array], shared: SharedFeeds): Uint8Array {
  const inOrder = [...epochs].sort(Buffer.compare)
  return Uint8Array.from(
    hash('sha256', Buffer.concat([RESUME_DOMAIN, ...inOrder, shared.sum]), 'buffer').subarray(0, 8)
  )
}
