// What one running device offers to whoever embeds it, and to the local API: the shape of `createNode()`'s result. Its parts
// are in contract/, and of files, groups and messages beside what offers them.
import type { Libp2p } from '@libp2p/interface'
import type { Sentence } from '../feeds/index.ts'
import type { FileProgress, Files } from './blobs/contract.ts'
import type { Contacts, Meeting, MeetingRequest } from './contract/contacts.ts'
import type { Devices } from './contract/devices.ts'
import type { FeedItem, Feeds } from './contract/feeds.ts'
import type { Directory, Peer, SyncStatus } from './contract/network.ts'
import type { SettingKey, SettingState } from './contract/settings.ts'
import type { Space, StoreMode } from './contract/space.ts'
import type { Check, Profile, Status } from './contract/status.ts'
import type { GroupEvent, Groups } from './groups/contract.ts'
import type { Message, Messages } from './messages/contract.ts'

export type * from './blobs/contract.ts'
export type * from './contract/contacts.ts'
export type * from './contract/devices.ts'
export type * from './contract/feeds.ts'
export type * from './contract/network.ts'
export type * from './contract/settings.ts'
export type * from './contract/space.ts'
export type * from './contract/status.ts'
export type * from './groups/contract.ts'
export type * from './messages/contract.ts'
export { NodeError, type NodeErrorCode } from './errors.ts'
/** What the node says as a code with values, beside the English text. */
export type { Sentence, SentenceValue } from '../feeds/index.ts'
export type { SentenceCode } from './sentence-codes.ts'

export interface Comrade {
  readonly identity: { readonly did: string; readonly device: string }
  readonly home: string
  /**
   * Given by the `createNode` that made the identity; the words are not stored. With `keepsRecoveryPhrase` they are, and are given
   * at every start. In both cases until {@link forgetRecoveryPhrase}.
   */
  readonly recoveryPhrase: string | undefined
  readonly peerId: string
  readonly addresses: string[]
  readonly feeds: Feeds
  readonly contacts: Contacts
  readonly devices: Devices
  readonly directory: Directory
  readonly groups: Groups
  readonly messages: Messages
  readonly files: Files
  readonly libp2p: Libp2p

  start(): Promise<void>
  /** Leaves cleanly within 3 s. May be called twice. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>

  /** The user has put the recovery phrase by: it is given no more, and is deleted where it was kept. */
  forgetRecoveryPhrase(): void
  status(): Promise<Status>
  profile(change?: { name?: string; about?: string }): Promise<Profile>
  peers(): Promise<Peer[]>
  connect(multiaddr: string, options?: { signal?: AbortSignal }): Promise<void>
  /** Keeps more or less of other people's data from now on; what is no longer covered is deleted, behind when it is much. */
  storeMode(mode?: StoreMode): Promise<Space>
  /** How much other people's data may take, in bytes. */
  quota(bytes?: number): Promise<Space>
  /** The settings that can be changed while the node runs. */
  settings(): Promise<SettingState[]>
  /**
   * Changes one of them, and config.json.
   * @param value undefined takes the user's choice away
   * @throws NodeError BAD_INPUT, DISK_FULL
   */
  configure(key: SettingKey, value: string | boolean | undefined): Promise<SettingState>
  exportTo(file: string, who?: string[]): Promise<{ entries: number; bytes: number }>
  importFrom(file: string): Promise<{ entries: number; bytes: number }>
  doctor(): Promise<Check[]>

  addEventListener<K extends keyof ComradeEvents>(
    type: K,
    listener: (event: ComradeEvents[K]) => void,
    options?: { signal?: AbortSignal }
  ): void
  removeEventListener<K extends keyof ComradeEvents>(type: K, listener: (event: ComradeEvents[K]) => void): void
}

export interface ComradeEvents {
  'peer:connect': CustomEvent<{ peerId: string; did?: string }>
  'peer:disconnect': CustomEvent<{ peerId: string; did?: string }>
  entry: CustomEvent<FeedItem>
  /** Somebody wants to make this user's acquaintance, or was introduced by a contact. */
  request: CustomEvent<MeetingRequest>
  /** This user and somebody else have both said that they want to know each other. */
  met: CustomEvent<Meeting>
  /** Something has happened in a group. */
  group: CustomEvent<GroupEvent>
  /** A private message came or was written, or its state changed. */
  message: CustomEvent<Message>
  /** What others wrote has come further, or all of it is here. At most once in half a second. */
  sync: CustomEvent<SyncStatus>
  /** A file of somebody else's has come further; told some times a second at most. */
  file: CustomEvent<FileProgress>
  /** A feed was frozen because it was written by two machines, or this device's own must not sign. */
  warning: CustomEvent<{ code: string; message: string; sentence: Sentence; feed?: string }>
}
