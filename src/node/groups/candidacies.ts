// What is open in a group's log: candidacies that can still be vouched for, and motions with where they stand.
import {
  type Candidacy,
  type Evaluator,
  type Hex,
  type Motion,
  MOTION_LIFE_PERIODS,
  type Operation,
  type Tally
} from '../../groups/index.ts'

export interface OpenCandidacy extends Tally {
  id: Hex
  identity: Hex
}

export interface StandingMotion extends Tally {
  id: Hex
  proposal: Motion['proposal']
  isCarried: boolean
  /** Whether it can still be voted for. */
  isOpen: boolean
}

/** One for each person who is no member, {@link byPromise}; the persons with most vouches first. */
export function openCandidacies(evaluator: Evaluator): OpenCandidacy[] {
  const byPerson = Map.groupBy(candidaciesOf(evaluator), ({ identity }) => identity)
  const best = [...byPerson.values()].map(([first]) => first)
  return best.toSorted((a, b) => b.count - a.count || (a.id < b.id ? -1 : 1))
}

/** All that can still be vouched for, of one person or of all; the best first. */
export function candidaciesOf(evaluator: Evaluator, who?: Hex): OpenCandidacy[] {
  const open = ofType<Candidacy>(evaluator, 'candidacy').flatMap(({ id, identity }): OpenCandidacy[] => {
    if (who !== undefined && identity !== who) return []
    const tally = isOpenFor(evaluator, id, identity) ? evaluator.tally(id) : undefined
    return tally === undefined ? [] : [{ id, identity, ...tally }]
  })
  return open.toSorted(byPromise)
}

/**
 * Those with enough vouches come first, then those with more, then those that more members can vouch for: any member may open
 * another one for the same person, on a past in which hardly anybody was a member.
 */
function byPromise(a: OpenCandidacy, b: OpenCandidacy): number {
  const isEnough = ({ count, needed }: OpenCandidacy): number => Number(count >= needed)
  return isEnough(b) - isEnough(a) || b.count - a.count || b.of - a.of || (a.id < b.id ? -1 : 1)
}

/** A removal that the candidacy does not know of would undo any join on it, unless it repeats one that it knows of. */
function isOpenFor(evaluator: Evaluator, candidacy: Hex, identity: Hex): boolean {
  const { seats, removals } = evaluator.view()
  if (seats.has(identity) || !isCurrent(evaluator, candidacy)) return false
  const past = evaluator.log.past(evaluator.log.indexOf(candidacy)!)
  const known = new Set([...(removals.get(identity) ?? [])].flatMap(({ at, motion }) => (past.has(at) ? [motion] : [])))
  return (removals.get(identity) ?? []).every(({ motion }) => known.has(motion))
}

/** Motions that are open, and those that were carried; the newest last. */
export function standingMotions(evaluator: Evaluator): StandingMotion[] {
  const carried = new Set(
    ofType<Operation & { type: 'certificate' }>(evaluator, 'certificate')
      .filter(({ id }) => evaluator.invalidity(id) === undefined && !evaluator.isLate(id))
      .map(({ motion }) => motion)
  )
  return ofType<Motion>(evaluator, 'motion').flatMap(({ id, proposal }) => {
    const tally = evaluator.tally(id)
    const isCarried = carried.has(id)
    const isOpen = !isCarried && isCurrent(evaluator, id) && isStillAsked(evaluator, proposal)
    return tally === undefined || !(isCarried || isOpen) ? [] : [{ id, proposal, isCarried, isOpen, ...tally }]
  })
}

function isStillAsked(evaluator: Evaluator, proposal: Motion['proposal']): boolean {
  return proposal.kind === 'rule' || evaluator.view().seats.has(proposal.identity)
}

/** Neither too late for what is final, nor of a period that is over. */
function isCurrent(evaluator: Evaluator, motion: Hex): boolean {
  const place = evaluator.place(motion)
  if (place === undefined || evaluator.isLate(motion)) return false
  return evaluator.view().period - place.period <= MOTION_LIFE_PERIODS
}

function ofType<Kind extends Operation>({ log }: Evaluator, type: Kind['type']): Kind[] {
  const found: Kind[] = []
  for (let at = 0; at < log.size; at++) {
    const operation = log.at(at)
    if (operation.type === type) found.push(operation as Kind)
  }
  return found
}
