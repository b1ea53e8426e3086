// The door of the trust layer: people, their devices and keys, and which feeds are wanted.
export {
  type Acquaintance,
  Acquaintances,
  type AcquaintanceState,
  MAX_REQUESTS,
  MAX_REQUESTS_PER_PEER,
  MAX_STRANGERS_PER_MINUTE,
  REQUEST_LIFE_MS,
  type RequestOf
} from './acquaintances.ts'
export { AddressBook, MAX_ADDRESSES, MAX_ADDRESSES_PER_PEER } from './addresses.ts'
export type { DialTarget, KnownAddress } from './addresses.ts'
export { blindedKey, blindedSigningKey, dayOf } from './blinding.ts'
export { Contacts, MAX_ABOUT_LENGTH, MAX_STRANGERS } from './contacts.ts'
export type { ContactsOptions, KnownDevice } from './contacts.ts'
export type { ContactRecord } from './contact-record.ts'
export type { DecidedRelation, Place } from './decisions.ts'
export { DID_LENGTH, formatDid, isDidLike, parseDid, shortTag } from './did.ts'
export { DirectoryBook, MAX_KEPT_RECORDS } from './directory-book.ts'
export type { DirectoryMaterial } from './directory-book.ts'
export { MAX_DEVICE_ADDRESSES, mergeContents } from './directory-content.ts'
export type { DirectoryContent, DirectoryDevice } from './directory-content.ts'
export { certify, directoryKey, directorySeed } from './directory-keys.ts'
export type { Certificate } from './directory-keys.ts'
export { checkRecord, compareRecords, openRecord, readRecord, RECORD_SIZE, sealRecord } from './directory-record.ts'
export type { DirectoryRecord, NewRecord } from './directory-record.ts'
export { TrustError } from './errors.ts'
export type { TrustErrorCode } from './errors.ts'
export {
  deviceAddBody,
  deviceRevokeBody,
  evaluateIdentityLog,
  isCurrent,
  isDeviceAddOf,
  MAX_DEVICE_NAME_LENGTH,
  MAX_DEVICES
} from './identity-log.ts'
export type { Device, DeviceAddBody, DeviceRevokeBody, IdentityLogEntry } from './identity-log.ts'
export {
  decodeGroupLink,
  decodeLink,
  encodeGroupLink,
  encodeLink,
  type GroupLink,
  INVITE_SECRET_SIZE,
  isLinkLike,
  type Link,
  type LinkKind,
  MAX_LINK_ADDRESSES,
  MAX_LINK_PEERS
} from './link.ts'
export { type Introduction, Introductions, MAX_INTRODUCTIONS, MAX_INTRODUCTIONS_PER_DAY } from './introductions.ts'
export {
  type Invite,
  INVITE_ID_SIZE,
  inviteId,
  type InviteProof,
  inviteProof,
  Invites,
  type InviteUse,
  isInviteProof
} from './invites.ts'
export { KnownNames, type NameNote } from './known-names.ts'
export { looksLike, resembles, skeleton } from './look-alike.ts'
export type { NameWarning } from './look-alike.ts'
export {
  MAX_MENTIONS,
  type Mentionable,
  mentionedDids,
  mentionParts,
  namedIn,
  type TextPart,
  withPlaces
} from './mentions.ts'
export { cleanClaim, displayName, foldName, harmless, MAX_NAME_LENGTH, normalizePetname, tagOf } from './names.ts'
export { generatePhrase, PHRASE_WORDS, phraseEntropy, rootSeedFromPhrase } from './phrase.ts'
export { type Audience, MAX_SEALED_BODY, openBody, sealBody, sealedFor, type SealingKey } from './sealed.ts'
export { openSelfKey, type SelfKey, selfKeyBody, SelfKeys } from './self-keys.ts'
export { blockedFeeds, PRIORITY, quotaOf, wantedFeeds } from './policy.ts'
export type { PolicyGroup, PolicyIdentity, PolicyInput, PolicyPerson, SharedList, StoreMode } from './policy.ts'
export { SealedProgress, type Stretch } from './sealed-progress.ts'
export { type Queued, SealedQueue } from './sealed-queue.ts'
export { MAX_SHARED_FOLLOWS, SharedFollows } from './shared-follows.ts'
export { type TopicSecret, TopicSecrets } from './topic-secrets.ts'
export { type Row, Statements, type Write } from './statements.ts'
