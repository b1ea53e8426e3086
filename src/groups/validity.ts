// Whether one operation is valid: by itself and by what its past says, so for ever. Every rule has a sentence, which is
// what `group log` shows of an operation that does not count.
import type { Sentence } from '../feeds/index.ts'
import type { Ballotable, CheckpointFact, Seat } from './facts.ts'
import type {
  Ack,
  Anonymous,
  Candidacy,
  Certificate,
  Checkpoint,
  Create,
  Hex,
  Join,
  Motion,
  Operation,
  Rekey
} from './operations.ts'
import { majority, strictestSlots } from './quorum.ts'
import { BALLOT_SLOT } from './ring-statement.ts'
import { sayInvalidity } from './sentences.ts'
import type { View } from './view.ts'

/** A motion may be decided in its own period and the one after it: slots of old periods cannot be hoarded. */
export const MOTION_LIFE_PERIODS = 1
const TALLY = {
  vouch: { few: 'invalid.fewVouches', many: 'invalid.manyVouches' },
  ballot: { few: 'invalid.fewBallots', many: 'invalid.manyBallots' }
} as const

/** What a rule asks about other operations in the past of the one that is judged. */
export interface Witness {
  operation(id: Hex): { at: number; operation: Operation; isValid: boolean }
  /** A valid motion or candidacy, with what was so when it was opened. */
  motion(at: number): Ballotable
  /** Whether a nameless operation has the form for its motion and its proof holds. Dear. */
  isProven(id: Hex): boolean
  checkpoint(at: number): CheckpointFact
  /** Checkpoints that somebody acked in the past of what is judged. */
  ackedBy(identity: Hex): Iterable<CheckpointFact>
  /** Whether a member key changed its ring key in this period already, and not too late. */
  hasRekeyed(member: Hex, period: number): boolean
  /** Whether a motion has a certificate already that did not come too late. */
  isCertified(motion: number): boolean
  isPast(at: number, of: number): boolean
}

/** Why an operation is not valid; undefined when it is. */
export function invalidity(operation: Operation, view: View, witness: Witness, create: Create): Sentence | undefined {
  switch (operation.type) {
    case 'create':
      return operation === create ? undefined : sayInvalidity('invalid.otherGroup')
    case 'unknown':
      return sayInvalidity('invalid.unknown')
    case 'candidacy':
      return judgeCandidacy(operation, view)
    case 'join':
      return judgeJoin(operation, view, witness)
    case 'vouch':
    case 'ballot':
    case 'retract':
      return witness.isProven(operation.id) ? undefined : sayInvalidity('invalid.proof')
    default: {
      const author = view.byMember.get(operation.author)
      return author === undefined
        ? sayInvalidity('invalid.author')
        : judgeOfMember(operation, author, view, witness, create)
    }
  }
}

function judgeOfMember(
  operation: Exclude<Operation, Anonymous | Create | Candidacy | Join | { type: 'unknown' }>,
  author: Seat,
  view: View,
  witness: Witness,
  create: Create
): Sentence | undefined {
  switch (operation.type) {
    case 'leave':
    case 'epoch':
      return undefined
    case 'motion':
      return judgeMotion(operation, view)
    case 'certificate':
      return judgeCertificate(operation, view, witness)
    case 'rekey':
      return judgeRekey(operation, view, witness)
    case 'checkpoint':
      return judgeCheckpoint(operation, view, create)
    case 'ack':
      return judgeAck(operation, author, view, witness)
  }
}

function judgeCandidacy({ identity, isOwn, author }: Candidacy, view: View): Sentence | undefined {
  if (view.seats.has(identity)) return sayInvalidity('invalid.alreadyMember')
  return isOwn || view.byMember.has(author) ? undefined : sayInvalidity('invalid.sponsor')
}

function judgeJoin(join: Join, view: View, witness: Witness): Sentence | undefined {
  const { at, operation: candidacy, isValid } = witness.operation(join.candidacy)
  if (candidacy.type !== 'candidacy' || !isValid) return sayInvalidity('invalid.noCandidacy')
  if (candidacy.identity !== join.identity) return sayInvalidity('invalid.otherCandidate')
  if (view.seats.has(join.identity)) return sayInvalidity('invalid.wereMember')
  if (view.byMember.has(join.author) || view.ring.includes(join.ring)) return sayInvalidity('invalid.usedKey')
  const motion = witness.motion(at)
  if (isExpired(motion, view)) return sayInvalidity('invalid.oldCandidacy')
  return judgeTally(join.vouches, 'vouch', join.candidacy, motion, motion.quorum, witness)
}

function judgeMotion({ proposal }: Motion, view: View): Sentence | undefined {
  if (proposal.kind === 'rule' || view.seats.has(proposal.identity)) return undefined
  return sayInvalidity('invalid.expelsStranger')
}

function judgeCertificate(certificate: Certificate, view: View, witness: Witness): Sentence | undefined {
  const { at, operation, isValid } = witness.operation(certificate.motion)
  if (operation.type !== 'motion' || !isValid) return sayInvalidity('invalid.noMotion')
  const motion = witness.motion(at)
  if (isExpired(motion, view)) return sayInvalidity('invalid.oldMotion')
  if (witness.isCertified(at)) return sayInvalidity('invalid.carriedBefore')
  return judgeTally(certificate.ballots, 'ballot', operation.id, motion, majority(motion.ring.length), witness)
}

/** Cheap before dear: lists and tags first, and proofs only where they could be enough. */
function judgeTally(
  ids: readonly Hex[],
  type: 'vouch' | 'ballot',
  motion: Hex,
  { ring }: Ballotable,
  needed: number,
  witness: Witness
): Sentence | undefined {
  if (ids.length > ring.length) return sayInvalidity(TALLY[type].many, { count: ids.length, ring: ring.length })
  const listed = ids.map((id) => witness.operation(id).operation).filter((o) => isFor(o, type, motion))
  const claimed = new Set(listed.map(({ tag }) => tag)).size
  const proven =
    claimed < needed ? claimed : new Set(listed.filter(({ id }) => witness.isProven(id)).map((o) => o.tag)).size
  return proven < needed ? sayInvalidity(TALLY[type].few, { count: proven, needed }) : undefined
}

/** Whether an operation is a vouch or ballot for this motion, as it says itself. */
export function isFor(operation: Operation, type: 'vouch' | 'ballot', motion: Hex): operation is Anonymous {
  return operation.type === type && operation.motion === motion
}

/** What must hold of a nameless operation before its proof is looked at. */
export function hasPlace(
  operation: Anonymous,
  motion: Operation,
  { ring, rules }: Pick<Ballotable, 'ring' | 'rules'>
): boolean {
  if (ring.length === 0 || motion.type !== (operation.type === 'ballot' ? 'motion' : 'candidacy')) return false
  return operation.type === 'ballot' ? operation.slot === BALLOT_SLOT : operation.slot < strictestSlots(rules)
}

function judgeRekey({ ring, author }: Rekey, view: View, witness: Witness): Sentence | undefined {
  if (view.ring.includes(ring)) return sayInvalidity('invalid.usedRingKey')
  return witness.hasRekeyed(author, view.period) ? sayInvalidity('invalid.rekeyedBefore') : undefined
}

function judgeCheckpoint({ day }: Checkpoint, { last }: View, create: Create): Sentence | undefined {
  return day < (last?.day ?? create.day) ? sayInvalidity('invalid.oldDay') : undefined
}

function judgeAck(ack: Ack, { identity }: Seat, { finality }: View, witness: Witness): Sentence | undefined {
  const { at, operation, isValid } = witness.operation(ack.checkpoint)
  if (operation.type !== 'checkpoint' || !isValid) return sayInvalidity('invalid.noCheckpoint')
  if (!witness.checkpoint(at).roster.has(identity)) return sayInvalidity('invalid.notInRoster')
  const isUnder = (other: CheckpointFact): boolean => other.at === at || witness.isPast(other.at, at)
  if (!finality.stable.every(isUnder)) return sayInvalidity('invalid.notOnStable')
  for (const acked of witness.ackedBy(identity)) {
    if (!isUnder(acked)) return sayInvalidity('invalid.notOnAcked')
  }
  return undefined
}

/** Whether a motion's time is over: nothing decides it any more. */
export function isExpired(motion: { period: number }, view: { period: number }): boolean {
  return view.period - motion.period > MOTION_LIFE_PERIODS
}
