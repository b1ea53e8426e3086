// The door of this layer: what is not exported here is its own business.
export { backoffMs } from './backoff.ts'
export {
  type AddedDevice,
  addedDeviceOf,
  certifiedDevices,
  checkCredential,
  type Credential,
  type CredentialUse,
  makeCredential
} from './credential.ts'
export { dutiesOf } from './duties.ts'
export { type Duty, dutyKey } from './duty.ts'
export { currentEpoch, epochNeed, withoutEpoch, writersEpoch } from './epoch.ts'
export {
  earlierSecrets,
  type EpochBody,
  epochBodyOf,
  epochName,
  kemKey,
  makeEpoch,
  openGroupSecret,
  type Recipient,
  unwrapSecret
} from './epoch-secret.ts'
export { type Candidature, elect } from './election.ts'
export { GroupError, type GroupErrorCode } from './errors.ts'
export { Evaluator, type ProofPlace, type Tally, type VerifyProof } from './evaluate.ts'
export { explain, type NameOf } from './explain.ts'
export type { Ballotable, CheckpointFact, RemovalFact, Seat } from './facts.ts'
export { DAYS_PER_PERIOD, type Finality } from './finality.ts'
export { FIRST_ROSTER, MAX_DAYS_OFF } from './finality-duties.ts'
export { GroupLog, MAX_LOOSE_CANDIDACIES, MAX_WAITING, MAX_WAITING_PER_AUTHOR, type Placement } from './log.ts'
export type { Count, Members } from './members.ts'
export {
  encodeAnonymous,
  foundingTerms,
  fromHex,
  MAX_OPERATION_SIZE,
  type NewOperation,
  operationId,
  possessionContext,
  readChecked,
  readOperation,
  signOperation,
  toHex
} from './operation.ts'
export type {
  Ack,
  Anonymous,
  Ballot,
  Candidacy,
  Certificate,
  Checkpoint,
  Create,
  Epoch,
  Founder,
  Hex,
  Join,
  Keys,
  Leave,
  Motion,
  Operation,
  Rekey,
  Retract,
  SignedOperation,
  Unknown,
  Vouch
} from './operations.ts'
export {
  type BodyOf,
  MAX_EARLIER,
  MAX_FOUNDERS,
  MAX_GROUP_NAME_LENGTH,
  MAX_IDS,
  MAX_RECIPIENTS,
  type SignedType
} from './operation-schemas.ts'
export { FULL_MESH, neighbours } from './neighbours.ts'
export {
  MAX_BURST,
  MAX_PRESENCE_ADDRESSES,
  MAX_PRESENCE_SIZE,
  type Presence,
  MAX_SKEW_MS,
  PRESENCE_RENEWAL_MS,
  PresenceBook,
  readPresence,
  signPresence
} from './presence.ts'
export {
  isProven,
  makeStatement,
  type NewStatement,
  PART_PROOF,
  type Provable,
  provableOf,
  provenStatement,
  signedStatementOf
} from './proof.ts'
export {
  DEFAULT_RULE,
  isqrt,
  majority,
  MAX_QUORUM,
  quorum,
  type QuorumKind,
  type Rule,
  strictestQuorum,
  strictestSlots,
  supermajority
} from './quorum.ts'
export { type Fit, MAX_JOINS_PER_CANDIDACY, MAX_PER_AUTHOR, MAX_PER_TAG, Quotas } from './quotas.ts'
export { ready } from './ristretto.ts'
export { isPossessed, POSSESSION_BYTES, proofOfPossession, publicRingKey, ringKey, type RingKey } from './ring-key.ts'
export { partsOf } from './ring-parts.ts'
export { proofBytes, prove, verify, type ProofInput, type SignedStatement } from './ring-signature.ts'
export {
  BALLOT_SLOT,
  LSAG_PROOF,
  MAX_RING,
  slotTagOf,
  tagOf,
  type RingContext,
  type RingStatement,
  type TaggedStatement
} from './ring-statement.ts'
export {
  type GroupSecret,
  hasHint,
  hintKey,
  isSealedForGroup,
  MAX_GROUP_BODY,
  openForGroup,
  SEALED_SIZES,
  sealForGroup
} from './sealing.ts'
export { INVALIDITY_SENTENCES, STANDING_SENTENCES } from './sentences.ts'
export { padOperation, STEM_SIZE, stemName, unpadOperation } from './stem-message.ts'
export { fingerprintBytes, withOperation } from './fingerprint.ts'
export { groupTopic } from './topic.ts'
export { hasPlace, MOTION_LIFE_PERIODS } from './validity.ts'
export { spentKeys } from './spent-keys.ts'
export type { View } from './view.ts'
