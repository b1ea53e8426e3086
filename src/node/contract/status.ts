// What a node says of itself: who it is, how it is, and what is wrong with it. Types only.
import type { Sentence } from '../../feeds/index.ts'
import type { SyncStatus } from './network.ts'

export interface Status {
  did: string
  device: string
  peerId: string
  addresses: string[]
  /** Connected now. */
  peers: number
  /** Feeds with at least one stored entry. */
  feeds: number
  /** All that are stored, of whomever. */
  entries: number
  /** Size of the store on disk, in bytes. */
  bytes: number
  uptimeMs: number
  version: string
  /** Whether there can be private messages on this machine; if not, why. */
  messages: { available: boolean; reason?: string; sentence?: Sentence }
  /** How far what others wrote has come. */
  sync: SyncStatus
  /** Why this device does not sign at the moment, if so; and the same as a sentence. */
  paused?: string
  pause?: Sentence
}

export interface Profile {
  did: string
  device: string
  name?: string
  about?: string
}

export interface Check {
  check: string
  ok: boolean
  /** What was found. */
  detail: string
  /** What can be done about it. */
  todo?: string
  /** What `detail` is made of. */
  sentences: Sentence[]
  /** What `todo` says. */
  advice?: Sentence
}

/** What a running node examines; of {@link Check.check}. */
export type CheckName =
  | 'store'
  | 'disk'
  | 'signing'
  | 'identity log'
  | 'addresses'
  | 'peers'
  | 'reachable'
  | 'relay'
  | 'contacts'
  | 'contact'
  | 'directory'
  | 'messages'
  | 'quota'
  | 'config'
