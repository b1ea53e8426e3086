// The door of the node: one device, for whoever embeds it.
export {
  type Check,
  type CheckName,
  type Comrade,
  type ComradeEvents,
  type Contact,
  type Contacts,
  type Directory,
  type DeviceInfo,
  type Devices,
  type FeedItem,
  type MissingEntry,
  type MissingReason,
  type ReactionCount,
  type ThreadItem,
  type Feeds,
  type Invite,
  type Meeting,
  type MeetingRequest,
  type Mention,
  NodeError,
  type NodeErrorCode,
  type Peer,
  type PeerSync,
  type PersonUsage,
  type Profile,
  type Published,
  type ReadOptions,
  type Relation,
  type Resolved,
  type SettingKey,
  type SettingState,
  type Sentence,
  type SentenceCode,
  type SentenceValue,
  type Space,
  type Status,
  type SyncStatus
} from './comrade.ts'
export type * from './blobs/contract.ts'
export type * from './groups/contract.ts'
export type * from './messages/contract.ts'
export { type Joined, joinIdentity, type JoinOptions } from './join.ts'
export { memoryNetwork } from './memory-network.ts'
export { mentionParts, type NameNote, type TextPart } from '../trust/index.ts'
export { createNode } from './create-node.ts'
export type { NodeOptions } from './options.ts'
export { type Restored, restoreIdentity, type RestoreOptions } from './restore.ts'
