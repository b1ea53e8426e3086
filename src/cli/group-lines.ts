// How groups, candidates and motions look to a person. Names and reasons are made harmless by the output, line by line.
import type {
  CandidateShape,
  GroupEventShape,
  GroupShape,
  MemberShape,
  MotionShape,
  StandingShape
} from '../api/group-shapes.ts'
import { bold, coloured, dim, type Line, type Segment } from './output.ts'
import { warningMark } from './paint.ts'

const ROLES: Readonly<Record<GroupShape['you'], string>> = {
  member: 'you are a member',
  candidate: 'you are a candidate',
  outside: 'you are outside'
}

/** A group, in one line. */
export function groupLine(group: GroupShape): Line {
  return [...groupHead(group), dim(group.name === '' ? '' : `  ${group.id}`)]
}

/** A group with its members. */
export function groupLines(group: GroupShape): Line[] {
  const { id, link, members, size, quorum, rule, reading, representative, warnings } = group
  return [
    groupHead(group),
    ...members.map(memberLine),
    ...(size === 0
      ? []
      : [
          [dim('quorum   '), `${counted(quorum, 'vouch', 'vouches')} `, dim(`(${rule})`)],
          [dim('read by  '), reading === 'open' ? 'whoever has the link' : 'members']
        ]),
    ...(representative === null ? [] : [[dim('carried  '), `by ${representative.name}`]]),
    [dim('link     '), link],
    [dim('id       '), id],
    ...warnings.map((warning): Line => [coloured('yellow', 'note     '), warning])
  ]
}

function groupHead({ id, name, size, you }: GroupShape): Segment[] {
  const members = name === '' ? '  its log has not arrived yet' : `  ${counted(size, 'member', 'members')}`
  return [bold(name === '' ? id : `@${name}`), members, `  ${ROLES[you]}`]
}

function memberLine({ did, name, warnings, vouches, atLeastNow }: MemberShape): Line {
  const admitted = vouches === 0 ? 'founder' : `vouched for by ${vouches}, at least ${atLeastNow} of them members now`
  return ['  ', bold(name), warningMark(warnings), `  ${admitted}`, dim(`  ${did}`)]
}

/** Somebody who asks to join, or was proposed. */
export function candidateLine({ did, name, warnings, vouches, needed, ring }: CandidateShape): Line {
  return [
    bold(name),
    warningMark(warnings),
    `  ${vouches} of ${counted(needed, 'vouch', 'vouches')}, from a ring of ${ring}`,
    dim(`  ${did}`)
  ]
}

/** What members vote about. */
export function motionLine({ motion, kind, did, name, rule, ballots, needed, ring, isCarried }: MotionShape): Line {
  const what: Segment[] = kind === 'expel' ? ['expel ', bold(name ?? did ?? '')] : ['rule ', bold(rule ?? '')]
  const state = isCarried ? coloured('green', '  carried') : ''
  return [
    ...what,
    `  ${ballots} of ${counted(needed, 'ballot', 'ballots')}, from a ring of ${ring}`,
    state,
    dim(`  ${motion}`)
  ]
}

/** What has happened in a group, in one line. */
export function groupEventLine({ name, kind, did, person, rule, count, needed }: GroupEventShape): Line {
  const what = rule === null ? (person ?? did ?? '') : `the rule ${rule}`
  const says = {
    arrived: 'its log has arrived',
    candidate: `${what} asks to become a member, or was proposed`,
    vouched: `${what} has ${count} of ${needed} vouches`,
    joined: `${what} is a member`,
    gone: `${what} is a member no longer`,
    motion: rule === null ? `there is a motion to expel ${what}` : `there is a motion for ${what}`,
    voted: `the motion about ${what} has ${count} of ${needed} ballots`,
    carried: `the motion about ${what} was carried`,
    representative: what === '' ? 'nobody is known to be online' : `${what} carries for the others`
  }[kind]
  return [coloured('cyan', `@${name}  `), says]
}

/** Why somebody is a member, or is not. */
export function standingLines({ name, reasons }: StandingShape): Line[] {
  return [[bold(name)], ...reasons.map((reason): Line => [`  ${reason}`])]
}

/**
 * What one types for a group in the next command line: its name, which somebody else may have chosen, only where no shell
 * finds anything in it; else its id.
 */
export function handleOf({ id, name }: { id: string; name: string }): string {
  return /^\w[\w-]*$/.test(name) ? `@${name}` : id
}

/** A word of a command line as one types it. */
export function shellWord(text: string): string {
  return /^[\w@:/.#+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
