// The door of this layer: what is not exported here is its own business.
export { GroupError, type GroupErrorCode } from './errors.ts'
export { ready } from './ristretto.ts'
export { isPossessed, POSSESSION_BYTES, proofOfPossession, publicRingKey, ringKey, type RingKey } from './ring-key.ts'
export { proofBytes, prove, verify, type ProofInput, type SignedStatement } from './ring-signature.ts'
export {
  LSAG_PROOF,
  MAX_RING,
  slotTagOf,
  tagOf,
  type RingContext,
  type RingStatement,
  type TaggedStatement
} from './ring-statement.ts'
