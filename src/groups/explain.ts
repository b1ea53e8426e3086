// Why somebody is a member, or is not: one sentence for each thing in the log that bears on it. Every node that holds the
// same operations says the same, in the same order.
import type { Sentence } from '../feeds/index.ts'
import type { Evaluator } from './evaluate.ts'
import type { Candidacy, Certificate, Hex, Join, Leave, Motion, Operation } from './operations.ts'
import { toHex } from './operation.ts'
import { sayInvalidity, sayStanding } from './sentences.ts'

/** Of a ring of fewer nobody is hidden. */
const HIDING_RING = 5

/** Names a person, safe to be printed. */
export type NameOf = (identity: Hex) => string

type Event = Candidacy | Join | Leave | (Certificate & { proposal: Motion['proposal'] })

/**
 * @param identity the person's root key
 * @param nameOf what the reader calls people; already harmless
 * @returns sentences in the order in which things depend on each other; the last one says what follows from them
 */
export function explain(evaluator: Evaluator, identity: Hex | Uint8Array, nameOf: NameOf): Sentence[] {
  const person = typeof identity === 'string' ? identity : toHex(identity)
  const name = nameOf(person)
  const view = evaluator.view()
  const isFounder = evaluator.log.create.founders.some((founder) => founder.identity === person)
  return [
    ...(isFounder ? [sayStanding('standing.founder', { name })] : []),
    ...eventsOf(evaluator, person).map((event) => sentence(evaluator, event, name, nameOf)),
    sayStanding(view.seats.has(person) ? 'standing.member' : 'standing.notMember', { name })
  ]
}

function eventsOf({ log, authorOf }: Evaluator, person: Hex): Event[] {
  const events: { event: Event; depth: number }[] = []
  for (let at = 0; at < log.size; at++) {
    const event = eventOf(log.at(at), (id) => log.at(log.indexOf(id)!))
    if (event === undefined || subjectOf(event, authorOf) !== person) continue
    events.push({ event, depth: log.past(at).size })
  }
  return events.toSorted((a, b) => a.depth - b.depth || (a.event.id < b.event.id ? -1 : 1)).map(({ event }) => event)
}

function eventOf(operation: Operation, find: (id: Hex) => Operation): Event | undefined {
  if (operation.type === 'candidacy' || operation.type === 'join' || operation.type === 'leave') return operation
  if (operation.type !== 'certificate') return undefined
  const motion = find(operation.motion)
  return motion.type === 'motion' ? { ...operation, proposal: motion.proposal } : undefined
}

function subjectOf(event: Event, authorOf: Evaluator['authorOf']): Hex | undefined {
  if (event.type === 'leave') return authorOf(event.id)
  if (event.type === 'certificate') return event.proposal.kind === 'expel' ? event.proposal.identity : undefined
  return event.identity
}

function sentence(evaluator: Evaluator, event: Event, name: string, nameOf: NameOf): Sentence {
  const reason = evaluator.invalidity(event.id)
  if (reason !== undefined) return sayStanding(`standing.${event.type}Invalid`, { name, reason })
  if (evaluator.isLate(event.id))
    return sayStanding(`standing.${event.type}Invalid`, { name, reason: sayInvalidity('invalid.late') })
  switch (event.type) {
    case 'candidacy':
      return candidacySentence(evaluator, event, name, nameOf)
    case 'join':
      return joinSentence(evaluator, event, name)
    case 'leave':
      return sayStanding('standing.left', { name })
    case 'certificate':
      return sayStanding('standing.expelled', { name, ...ballotsOf(evaluator, event) })
  }
}

function candidacySentence(
  evaluator: Evaluator,
  { id, author, isOwn }: Candidacy,
  name: string,
  nameOf: NameOf
): Sentence {
  const sponsor = evaluator.before(id)?.byMember.get(author)?.identity
  const { count, needed, of: ring } = evaluator.tally(id)!
  const values = { name, count, needed, ring }
  if (isOwn || sponsor === undefined)
    return sayStanding(ring < HIDING_RING ? 'standing.askedAloud' : 'standing.asked', values)
  const code = ring < HIDING_RING ? 'standing.proposedAloud' : 'standing.proposed'
  return sayStanding(code, { ...values, sponsor: nameOf(sponsor) })
}

function joinSentence(evaluator: Evaluator, { id }: Join, name: string): Sentence {
  const view = evaluator.view()
  const { vouches: count, discounted: doubtful, needed, motion } = evaluator.count(id)!
  const gone = [...motion.seats.keys()].filter((identity) => !view.seats.has(identity)).length
  if (view.admitted.has(evaluator.log.indexOf(id)!))
    return sayStanding('standing.joined', { name, count, needed, sure: Math.max(0, count - gone) })
  if (count - doubtful >= needed) return sayStanding('standing.removedUnseen', { name })
  if (doubtful > 0) return sayStanding('standing.doubtfulVouches', { name, count, doubtful, needed })
  return sayStanding('standing.fewVouches', { name, count, needed })
}

function ballotsOf(evaluator: Evaluator, { id }: Certificate): { count: number; of: number } {
  const { count, of } = evaluator.ballots(id)!
  return { count, of }
}
