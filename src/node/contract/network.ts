// What a node says of the network: who is connected, how far feeds have come, and where people are. Types only.
import type { Relation } from './contacts.ts'

/** A device that is connected, once, however many connections there are with it. */
export interface Peer {
  peerId: string
  /** Absent for whoever is not known. */
  did?: string
  name?: string
  /** How one stands with that person; 'self' for one's own other devices. */
  relation?: Relation
  /** What one's own other device is called. */
  device?: string
  /** Of the connection that is used: a direct one, where there is one. The same of `direction` and `latencyMs`. */
  address: string
  direction: 'inbound' | 'outbound'
  latencyMs?: number
  /** Since when there has been a connection without a break. */
  since: string
  /** Through whom the connection leads, when no direct one is open; without a `peerId` when that cannot be told. */
  through?: { peerId?: string; did?: string; name?: string }
  /** How many connections are open. */
  connections: number
  /** This device waits at that one to be reached by others. */
  isRelay: boolean
  /** Absent while no feeds are exchanged, as with whoever speaks another protocol. */
  sync?: PeerSync
}

/** How far feeds have come between this device and a peer. */
export interface PeerSync {
  /** 'comparing': both find out what differs. 'current': all that the peer said it has is here. */
  state: 'comparing' | 'fetching' | 'current'
  /** Feeds that both keep. */
  feeds: number
  /** Entries that came since they were connected, and that went. */
  received: number
  sent: number
  /** Entries that are still to come from there, as many as the peer says it has. */
  missing: number
  /** When the two were compared, or an entry last went either way. */
  last?: string
}

/** The same of all who are connected. */
export interface SyncStatus {
  /** Devices that are compared with, fetched from, and that have nothing more to give. */
  comparing: number
  fetching: number
  current: number
  /** People, other than oneself, of whom a device has nothing more to give. */
  people: number
  /** Entries that came from others since the start. */
  received: number
  /** Entries that are still to come. */
  missing: number
  /** Files that are being fetched now, and their bytes; `waiting` are those that nobody is asked for now. */
  files: { fetching: number; waiting: number; have: number; size: number }
  last?: string
}

export interface Directory {
  /**
   * Finds where a person's devices are, without telling the network who is asked for.
   * @throws NodeError NOT_FOUND when nobody answers with a record, BAD_INPUT when it is not a did
   */
  resolve(did: string, options?: { signal?: AbortSignal }): Promise<Resolved>
}

export interface Resolved {
  did: string
  devices: { peerId: string; addresses: string[] }[]
  /** Where the answer came from. */
  source: 'cache' | 'dht' | 'friend'
  ms: number
}
