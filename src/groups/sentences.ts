// What this layer says to the user: why somebody is a member or is not, and why something does not count.
import { speaker } from '../feeds/index.ts'

/** What the log says of one person. `name` and `sponsor` are what the reader calls them, already harmless. */
export const STANDING_SENTENCES = {
  'standing.founder': '{name} founded the group.',
  'standing.asked': '{name} asked to join: {count} of {needed} vouches that it takes, by a ring of {ring}.',
  'standing.askedAloud':
    '{name} asked to join: {count} of {needed} vouches that it takes, by a ring of {ring}, in which nobody is hidden.',
  'standing.proposed': '{sponsor} proposed {name}: {count} of {needed} vouches that it takes, by a ring of {ring}.',
  'standing.proposedAloud':
    '{sponsor} proposed {name}: {count} of {needed} vouches that it takes, by a ring of {ring}, in which nobody is hidden.',
  'standing.joined':
    '{name} joined, vouched for {count} times ({needed} needed), at least {sure} of them by who is a member now.',
  'standing.removedUnseen': "{name}'s joining does not count: somebody removed {name} without having seen it.",
  'standing.fewVouches': "{name}'s joining does not count: {count} vouches, and {needed} are needed.",
  'standing.doubtfulVouches':
    "{name}'s joining does not count: {count} vouches, and up to {doubtful} of them by people who do not count for it, and {needed} are needed.",
  'standing.left': '{name} left.',
  'standing.expelled': '{name} was expelled by {count} of {of} ballots.',
  'standing.candidacyInvalid': 'A candidacy of {name} does not count: {reason}.',
  'standing.joinInvalid': 'A join of {name} does not count: {reason}.',
  'standing.leaveInvalid': 'A leave of {name} does not count: {reason}.',
  'standing.certificateInvalid': 'A certificate of {name} does not count: {reason}.',
  'standing.member': '{name} is a member.',
  'standing.notMember': '{name} is not a member.'
} as const

/** Why an operation does not count, in words that follow "it does not count: ". */
export const INVALIDITY_SENTENCES = {
  'invalid.late': 'it did not reach the others before a checkpoint that is final now',
  'invalid.waits': 'it waits for what it stands on',
  'invalid.otherGroup': 'it founds another group',
  'invalid.unknown': 'this program does not know what it means',
  'invalid.proof': 'its proof does not hold for the ring of its motion',
  'invalid.author': 'its author was not a member',
  'invalid.alreadyMember': 'the candidate was a member already',
  'invalid.sponsor': 'its sponsor was not a member',
  'invalid.noCandidacy': 'it stands on no valid candidacy',
  'invalid.otherCandidate': 'the candidacy is for somebody else',
  'invalid.wereMember': 'they were a member already',
  'invalid.usedKey': 'it brings a key that a member has',
  'invalid.oldCandidacy': 'the candidacy is of a period that is over',
  'invalid.expelsStranger': 'it would expel somebody who was not a member',
  'invalid.noMotion': 'it stands on no valid motion',
  'invalid.oldMotion': 'the motion is of a period that is over',
  'invalid.carriedBefore': 'the motion was carried out before',
  'invalid.manyVouches': 'it lists {count} vouches of a ring of {ring}',
  'invalid.manyBallots': 'it lists {count} ballots of a ring of {ring}',
  'invalid.fewVouches': 'it has {count} of {needed} vouches by different members',
  'invalid.fewBallots': 'it has {count} of {needed} ballots by different members',
  'invalid.usedRingKey': 'it brings a ring key that a member has',
  'invalid.rekeyedBefore': 'its author took a new key in this period already',
  'invalid.oldDay': 'its day is before that of the last stable checkpoint',
  'invalid.noCheckpoint': 'it acks no valid checkpoint',
  'invalid.notInRoster': 'its author is not in the roster of the checkpoint',
  'invalid.notOnStable': 'the checkpoint is not on top of the last stable one',
  'invalid.notOnAcked': 'the checkpoint is not on top of the one that its author acked before'
} as const

export const sayStanding = speaker(STANDING_SENTENCES)
export const sayInvalidity = speaker(INVALIDITY_SENTENCES)
