// What the API gives out of groups: the promised fields, always all of them (null where there is nothing).
import type {
  Group,
  GroupCandidate,
  GroupEvent,
  GroupMember,
  GroupMotion,
  GroupRole,
  GroupStanding,
  Sentence
} from '../node/comrade.ts'
import { type WarningShape, warningShape } from './shapes.ts'

export interface MemberShape {
  did: string
  name: string
  warnings: WarningShape[]
  vouches: number
  atLeastNow: number
}

/** A group as `group show` and all that change it give it. */
export interface GroupShape {
  id: string
  name: string
  link: string
  members: MemberShape[]
  size: number
  quorum: number
  you: GroupRole
  reading: 'open' | 'members'
  rule: string
  representative: { did: string; name: string } | null
  warnings: string[]
  sentences: Sentence[]
}

export interface GroupLinkShape {
  id: string
  name: string
  link: string
}

export interface CandidateShape {
  did: string
  name: string
  warnings: WarningShape[]
  motion: string
  vouches: number
  needed: number
  ring: number
}

export interface MotionShape {
  motion: string
  kind: 'expel' | 'rule'
  did: string | null
  name: string | null
  rule: string | null
  ballots: number
  needed: number
  ring: number
  isCarried: boolean
}

/** Something that has happened in a group. */
export interface GroupEventShape {
  group: string
  name: string
  kind: GroupEvent['kind']
  did: string | null
  person: string | null
  rule: string | null
  motion: string | null
  count: number | null
  needed: number | null
}

/** Standing has all its fields by itself. */
export type StandingShape = GroupStanding

export async function groupShape(group: Group): Promise<GroupShape> {
  const { id, name, link, members, size, quorum, you, reading, rule, representative, warnings, sentences } =
    await group.show()
  return {
    id,
    name,
    link,
    members: members.map(memberShape),
    size,
    quorum,
    you,
    reading,
    rule,
    representative: representative ?? null,
    warnings,
    sentences
  }
}

export async function groupLinkShape(group: Group): Promise<GroupLinkShape> {
  return { id: group.id, name: group.name, link: await group.link() }
}

function memberShape({ did, name, warnings, vouches, atLeastNow }: GroupMember): MemberShape {
  return { did, name, warnings: warnings.map(warningShape), vouches, atLeastNow }
}

export function candidateShape({ did, name, warnings, motion, vouches, needed, ring }: GroupCandidate): CandidateShape {
  return { did, name, warnings: warnings.map(warningShape), motion, vouches, needed, ring }
}

export function motionShape({
  motion,
  kind,
  did,
  name,
  rule,
  ballots,
  needed,
  ring,
  isCarried
}: GroupMotion): MotionShape {
  return {
    motion,
    kind,
    did: did ?? null,
    name: name ?? null,
    rule: rule ?? null,
    ballots,
    needed,
    ring,
    isCarried
  }
}

export function groupEventShape({
  group,
  name,
  kind,
  did,
  person,
  rule,
  motion,
  count,
  needed
}: GroupEvent): GroupEventShape {
  return {
    group,
    name,
    kind,
    did: did ?? null,
    person: person ?? null,
    rule: rule ?? null,
    motion: motion ?? null,
    count: count ?? null,
    needed: needed ?? null
  }
}
