// Why somebody is a member, or is not: one sentence for each thing in the log that bears on it. Every node that holds the
// same operations says the same, in the same order.
import type { Evaluator } from './evaluate.ts'
import type { Candidacy, Certificate, Hex, Join, Leave, Motion, Operation } from './operations.ts'
import { toHex } from './operation.ts'

/** Names a person, safe to be printed. */
export type NameOf = (identity: Hex) => string

type Event = Candidacy | Join | Leave | (Certificate & { proposal: Motion['proposal'] })

/**
 * @param identity the person's root key
 * @param nameOf what the reader calls people; already harmless
 * @returns sentences in the order in which things depend on each other; the last one says what follows from them
 */
export function explain(evaluator: Evaluator, identity: Hex | Uint8Array, nameOf: NameOf): string[] {
  const person = typeof identity === 'string' ? identity : toHex(identity)
  const name = nameOf(person)
  const view = evaluator.view()
  const isFounder = evaluator.log.create.founders.some((founder) => founder.identity === person)
  return [
    ...(isFounder ? [`${name} founded the group.`] : []),
    ...eventsOf(evaluator, person).map((event) => sentence(evaluator, event, name, nameOf)),
    view.seats.has(person) ? `${name} is a member.` : `${name} is not a member.`
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

function sentence(evaluator: Evaluator, event: Event, name: string, nameOf: NameOf): string {
  const what = {
    candidacy: () => candidacySentence(evaluator, event as Candidacy, name, nameOf),
    join: () => joinSentence(evaluator, event as Join, name),
    leave: () => `${name} left.`,
    certificate: () => `${name} was expelled by ${ballotsOf(evaluator, event as Certificate)}.`
  }[event.type]
  const reason = evaluator.invalidity(event.id)
  if (reason !== undefined) return `A ${event.type} of ${name} does not count: ${reason}.`
  if (!evaluator.isLate(event.id)) return what()
  return `A ${event.type} of ${name} does not count: it did not reach the others before a checkpoint that is final now.`
}

function candidacySentence(
  evaluator: Evaluator,
  { id, author, isOwn }: Candidacy,
  name: string,
  nameOf: NameOf
): string {
  const sponsor = evaluator.before(id)?.byMember.get(author)?.identity
  const how = isOwn || sponsor === undefined ? `${name} asked to join` : `${nameOf(sponsor)} proposed ${name}`
  const { count, needed, of } = evaluator.tally(id)!
  return `${how}: ${count} of ${needed} vouches that it takes, by a ring of ${of}${of < 5 ? ', in which nobody is hidden' : ''}.`
}

function joinSentence(evaluator: Evaluator, { id }: Join, name: string): string {
  const view = evaluator.view()
  const { vouches, discounted, needed, motion } = evaluator.count(id)!
  const gone = [...motion.seats.keys()].filter((identity) => !view.seats.has(identity)).length
  const sure = Math.max(0, vouches - gone)
  if (view.admitted.has(evaluator.log.indexOf(id)!)) {
    return `${name} joined, vouched for ${vouches} times (${needed} needed), at least ${sure} of them by who is a member now.`
  }
  if (vouches - discounted >= needed) {
    return `${name}'s joining does not count: somebody removed ${name} without having seen it.`
  }
  const doubt = discounted > 0 ? `, and up to ${discounted} of them by people who do not count for it` : ''
  return `${name}'s joining does not count: ${vouches} vouches${doubt}, and ${needed} are needed.`
}

function ballotsOf(evaluator: Evaluator, { id }: Certificate): string {
  const { count, of } = evaluator.ballots(id)!
  return `${count} of ${of} ballots`
}
