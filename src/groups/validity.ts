// Whether one operation is valid: by itself and by what its past says, so for ever. Every rule has a sentence, which is
// what `group log` shows of an operation that does not count.
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
import type { View } from './view.ts'

/** A motion may be decided in its own period and the one after it: slots of old periods cannot be hoarded. */
export const MOTION_LIFE_PERIODS = 1
const PLURAL = { vouch: 'vouches', ballot: 'ballots' } as const

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

/** Why an operation is not valid, in words that follow "it does not count: "; undefined when it is. */
export function invalidity(operation: Operation, view: View, witness: Witness, create: Create): string | undefined {
  switch (operation.type) {
    case 'create':
      return operation === create ? undefined : 'it founds another group'
    case 'unknown':
      return 'this program does not know what it means'
    case 'candidacy':
      return judgeCandidacy(operation, view)
    case 'join':
      return judgeJoin(operation, view, witness)
    case 'vouch':
    case 'ballot':
    case 'retract':
      return witness.isProven(operation.id) ? undefined : 'its proof does not hold for the ring of its motion'
    default: {
      const author = view.byMember.get(operation.author)
      return author === undefined
        ? 'its author was not a member'
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
): string | undefined {
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

function judgeCandidacy({ identity, isOwn, author }: Candidacy, view: View): string | undefined {
  if (view.seats.has(identity)) return 'the candidate was a member already'
  return isOwn || view.byMember.has(author) ? undefined : 'its sponsor was not a member'
}

function judgeJoin(join: Join, view: View, witness: Witness): string | undefined {
  const { at, operation: candidacy, isValid } = witness.operation(join.candidacy)
  if (candidacy.type !== 'candidacy' || !isValid) return 'it stands on no valid candidacy'
  if (candidacy.identity !== join.identity) return 'the candidacy is for somebody else'
  if (view.seats.has(join.identity)) return 'they were a member already'
  if (view.byMember.has(join.author) || view.ring.includes(join.ring)) return 'it brings a key that a member has'
  const motion = witness.motion(at)
  if (isExpired(motion, view)) return 'the candidacy is of a period that is over'
  return judgeTally(join.vouches, 'vouch', join.candidacy, motion, motion.quorum, witness)
}

function judgeMotion({ proposal }: Motion, view: View): string | undefined {
  if (proposal.kind === 'rule' || view.seats.has(proposal.identity)) return undefined
  return 'it would expel somebody who was not a member'
}

function judgeCertificate(certificate: Certificate, view: View, witness: Witness): string | undefined {
  const { at, operation, isValid } = witness.operation(certificate.motion)
  if (operation.type !== 'motion' || !isValid) return 'it stands on no valid motion'
  const motion = witness.motion(at)
  if (isExpired(motion, view)) return 'the motion is of a period that is over'
  if (witness.isCertified(at)) return 'the motion was carried out before'
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
): string | undefined {
  if (ids.length > ring.length) return `it lists ${ids.length} ${PLURAL[type]} of a ring of ${ring.length}`
  const listed = ids.map((id) => witness.operation(id).operation).filter((o) => isFor(o, type, motion))
  const claimed = new Set(listed.map(({ tag }) => tag)).size
  const proven =
    claimed < needed ? claimed : new Set(listed.filter(({ id }) => witness.isProven(id)).map((o) => o.tag)).size
  return proven < needed ? `it has ${proven} of ${needed} ${PLURAL[type]} by different members` : undefined
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

function judgeRekey({ ring, author }: Rekey, view: View, witness: Witness): string | undefined {
  if (view.ring.includes(ring)) return 'it brings a ring key that a member has'
  return witness.hasRekeyed(author, view.period) ? 'its author took a new key in this period already' : undefined
}

function judgeCheckpoint({ day }: Checkpoint, { last }: View, create: Create): string | undefined {
  return day < (last?.day ?? create.day) ? 'its day is before that of the last stable checkpoint' : undefined
}

function judgeAck(ack: Ack, { identity }: Seat, { finality }: View, witness: Witness): string | undefined {
  const { at, operation, isValid } = witness.operation(ack.checkpoint)
  if (operation.type !== 'checkpoint' || !isValid) return 'it acks no valid checkpoint'
  if (!witness.checkpoint(at).roster.has(identity)) return 'its author is not in the roster of the checkpoint'
  const isUnder = (other: CheckpointFact): boolean => other.at === at || witness.isPast(other.at, at)
  if (!finality.stable.every(isUnder)) return 'the checkpoint is not on top of the last stable one'
  for (const acked of witness.ackedBy(identity)) {
    if (!isUnder(acked)) return 'the checkpoint is not on top of the one that its author acked before'
  }
  return undefined
}

/** Whether a motion's time is over: nothing decides it any more. */
export function isExpired(motion: { period: number }, view: { period: number }): boolean {
  return view.period - motion.period > MOTION_LIFE_PERIODS
}
