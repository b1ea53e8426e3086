// What has happened in a group, for whoever listens: the difference between what was known of it and what is known now.
import { formatEntryId } from '../../feeds/index.ts'
import type { Group, GroupCandidate, GroupDetails, GroupEvent, GroupMember, GroupMotion } from './contract.ts'
import type { NodeGroups } from './groups.ts'
import type { LocalGroup } from './local-group.ts'

/** How long changes are gathered before they are told, in ms: a log arrives in many pieces. */
const GATHER_MS = 100

/** A group as its members see it at one moment. */
export interface GroupState {
  members: readonly Pick<GroupMember, 'did' | 'name'>[]
  candidates: readonly Pick<GroupCandidate, 'did' | 'name' | 'motion' | 'vouches' | 'needed'>[]
  motions: readonly GroupMotion[]
  representative?: GroupDetails['representative']
}

/** One thing that has happened; the group itself is added by {@link GroupNews}. */
export type Happening = Omit<GroupEvent, 'group' | 'name'>

/** @param before undefined when nothing was known yet: then nothing of what is known now is news, but that it is */
export function happenings(before: GroupState | undefined, after: GroupState): Happening[] {
  if (before === undefined) return [{ kind: 'arrived' }]
  const ofLog = [...ofMembers(before, after), ...ofCandidates(before, after), ...ofMotions(before, after)]
  const { did, name } = after.representative ?? {}
  return before.representative?.did === did ? ofLog : [...ofLog, { kind: 'representative', did, person: name }]
}

function ofMembers(before: GroupState, after: GroupState): Happening[] {
  const gone = without(before.members, after.members)
  const joined = without(after.members, before.members)
  return [
    ...joined.map(({ did, name }): Happening => ({ kind: 'joined', did, person: name })),
    ...gone.map(({ did, name }): Happening => ({ kind: 'gone', did, person: name }))
  ]
}

function ofCandidates(before: GroupState, after: GroupState): Happening[] {
  return after.candidates.flatMap(({ did, name, motion, vouches, needed }): Happening[] => {
    const known = before.candidates.find((candidate) => candidate.did === did)
    const about = { did, person: name, motion, count: vouches, needed }
    if (known === undefined) return [{ kind: 'candidate', ...about }]
    return known.vouches === vouches ? [] : [{ kind: 'vouched', ...about }]
  })
}

function ofMotions(before: GroupState, after: GroupState): Happening[] {
  return after.motions.flatMap(({ motion, did, name, rule, ballots, needed, isCarried }): Happening[] => {
    const known = before.motions.find((each) => each.motion === motion)
    const about = { did, person: name, rule, motion, count: ballots, needed }
    if (isCarried) return known?.isCarried === true ? [] : [{ kind: 'carried', ...about }]
    if (known === undefined) return [{ kind: 'motion', ...about }]
    return known.ballots === ballots ? [] : [{ kind: 'voted', ...about }]
  })
}

function without<Person extends { did: string }>(people: readonly Person[], others: readonly Person[]): Person[] {
  const known = new Set(others.map(({ did }) => did))
  return people.filter(({ did }) => !known.has(did))
}

export interface GroupNewsOptions {
  groups: NodeGroups
  onNews: (event: GroupEvent) => void
  onError: (error: unknown) => void
}

/** Watches the groups of a node. */
export class GroupNews {
  readonly #options: GroupNewsOptions
  readonly #known = new Map<LocalGroup, GroupState | undefined>()
  readonly #gathering = new Map<LocalGroup, NodeJS.Timeout>()
  #isClosed = false

  constructor(options: GroupNewsOptions) {
    this.#options = options
  }

  /** What is stored by now is not told. */
  async open(): Promise<void> {
    const { groups } = this.#options
    groups.events.on('added', (group) => this.#watch(group, undefined))
    groups.events.on('removed', (group) => this.#forget(group))
    for (const group of groups.all()) this.#watch(group, await this.#stateOf(group))
  }

  close(): void {
    this.#isClosed = true
    for (const group of this.#known.keys()) this.#forget(group)
  }

  #watch(group: LocalGroup, known: GroupState | undefined): void {
    this.#known.set(group, known)
    group.events.on('changed', () => this.#gather(group))
    group.events.on('represented', () => this.#gather(group))
  }

  #forget(group: LocalGroup): void {
    this.#known.delete(group)
    clearTimeout(this.#gathering.get(group))
    this.#gathering.delete(group)
  }

  #gather(group: LocalGroup): void {
    if (this.#isClosed || this.#gathering.has(group)) return
    const timer = setTimeout(() => {
      this.#gathering.delete(group)
      this.#tell(group).catch((error: unknown) => {
        if (!this.#isClosed) this.#options.onError(error)
      })
    }, GATHER_MS)
    this.#gathering.set(group, timer.unref())
  }

  async #tell(group: LocalGroup): Promise<void> {
    const after = await this.#stateOf(group)
    if (after === undefined || !this.#known.has(group)) return
    const { id, name } = await this.#groupOf(group)
    const news = happenings(this.#known.get(group), after)
    this.#known.set(group, after)
    for (const happening of news) this.#options.onNews({ group: id, name, ...happening })
  }

  /** undefined while the log has not arrived. */
  async #stateOf(local: LocalGroup): Promise<GroupState | undefined> {
    if (local.evaluator === undefined) return undefined
    const group = await this.#groupOf(local)
    const { members, representative } = await group.show()
    return { members, representative, candidates: await group.candidates(), motions: await group.motions() }
  }

  #groupOf({ id }: LocalGroup): Promise<Group> {
    return this.#options.groups.get(formatEntryId(id))
  }
}
