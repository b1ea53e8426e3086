// comrade group: forms a group, and decides in it who belongs to it. Each action asks one route of the node.
import type { CandidateShape, GroupLinkShape, GroupShape, MotionShape, StandingShape } from '../../api/group-shapes.ts'
import { type Action, findAction, listActions } from '../action.ts'
import { candidateLine, groupLine, groupLines, handleOf, motionLine, shellWord, standingLines } from '../group-lines.ts'
import { isSure, mayBeSeen } from '../exposure.ts'
import { changing } from '../node-events.ts'
import { bold } from '../output.ts'
import type { Context, Verb } from '../verb.ts'

/** The node dials whom the link names, and waits for the log for a while. */
const OPEN_TIMEOUT_MS = 60_000

interface Options {
  quorum?: string
  open?: boolean
  history?: boolean
  follow?: boolean
  yes?: boolean
}

const ACTIONS: Readonly<Record<string, Action<Options>>> = {
  create: { takes: '<name>', summary: 'found a group, with you as its only member', run: create },
  list: { summary: 'list the groups whose log is kept here', run: list },
  show: { takes: '<group>', summary: 'show its members and rules', run: show },
  link: { takes: '<group>', summary: 'print the link with which others open it', run: link },
  open: { takes: '<link>', summary: 'fetch and keep the log of a group', run: open },
  apply: { takes: '<group>', summary: 'ask to become a member', run: apply },
  candidates: { takes: '<group>', summary: 'list who asks to become a member', run: candidates },
  propose: { takes: '<group> <who>', summary: 'propose somebody who has not asked', run: propose },
  vouch: { takes: '<group> <who>', summary: 'vouch for a candidate, without your name', run: vouch },
  retract: { takes: '<group> <who>', summary: 'take a vouch back, without your name', run: retract },
  join: { takes: '<group>', summary: 'become a member, when the vouches are enough', run: join },
  leave: { takes: '<group>', summary: 'be a member no longer', run: leave },
  expel: { takes: '<group> <who>', summary: 'move that somebody be expelled, with your ballot', run: expel },
  rule: { takes: '<group> <rule>', summary: 'move another quorum, with your ballot', run: rule },
  motions: { takes: '<group>', summary: 'list what members vote about', run: motions },
  ballot: { takes: '<group> <motion>', summary: 'vote for a motion, without your name', run: ballot },
  log: { takes: '<group>', summary: 'tell why each person is a member, or is not', run: log },
  forget: { takes: '<group>', summary: 'keep the log of a group no longer', run: forget }
}

export const verb: Verb<Options> = {
  arguments: [
    ['<action>', 'what to do: see the actions below'],
    [
      '[given...]',
      'a group: by its name (with or without @), its id or the beginning of it, or its link; then what the action takes'
    ]
  ],
  actions: listActions(ACTIONS),
  options: [
    {
      flags: '--quorum <rule>',
      description: 'for create: how many vouches admit: isqrt (default), log2, constant:<k>, percent:<p>'
    },
    { flags: '--open', description: 'for create: whoever has the link reads what members write' },
    { flags: '--history', description: 'for create: who joins later reads what was written before' },
    { flags: '--follow', description: 'for show, candidates, motions: go on with what changes, until interrupted' },
    { flags: '--yes', description: 'for vouch, ballot, expel, rule, leave: do not ask again' }
  ],
  examples: [
    'comrade group create @portland',
    'comrade group open comrade:group/AbC…',
    'comrade group apply @portland',
    'comrade group candidates @portland',
    'comrade group vouch @portland alice',
    'comrade group join @portland',
    'comrade group log @portland'
  ],
  async run(context, [name, ...given], options) {
    await findAction('group', ACTIONS, name, given).run(context, given, options)
  }
}

async function create({ client, output, signal }: Context, [given]: Given, options: Options): Promise<void> {
  const { quorum, open: isOpen, history } = options
  const body = { name: given.replace(/^@/, ''), quorum, open: isOpen, history }
  const made = await client.post<GroupShape>('group/create', body, { signal })
  output.result(made, () => groupLines(made))
  output.next(`comrade group link ${handleOf(made)}    (for whom you want in it)`)
}

async function list({ client, output, signal }: Context): Promise<void> {
  const groups = await client.get<GroupShape[]>('group/list', {}, { signal })
  for (const group of groups) output.result(group, () => [groupLine(group)])
  if (groups.length === 0) output.talk('no group yet')
  if (groups.length === 0) output.next('comrade group create @<name>', 'comrade group open <link>')
}

async function show(context: Context, [group]: Given, { follow }: Options): Promise<void> {
  const { client, output, signal } = context
  const ask = async (): Promise<GroupShape[]> => [await client.get<GroupShape>('group/show', { group }, { signal })]
  const [shown] = await changing(context, follow, ask, groupLines)
  if (shown.you === 'outside') output.next(`comrade group apply ${handleOf(shown)}`)
  if (shown.you === 'candidate') output.next(`comrade group join ${handleOf(shown)}    (when the vouches are enough)`)
}

async function link({ client, output, signal }: Context, [group]: Given): Promise<void> {
  const made = await client.get<GroupLinkShape>('group/link', { group }, { signal })
  output.result(made, () => [[made.link]])
  output.next('comrade group open <link>    (what they run)')
}

async function open({ client, output, signal }: Context, [given]: Given): Promise<void> {
  const opened = await client.post<GroupShape>('group/open', { link: given }, { signal, timeoutMs: OPEN_TIMEOUT_MS })
  output.result(opened, () => groupLines(opened))
  if (opened.name !== '' && opened.you === 'outside') output.next(`comrade group apply ${handleOf(opened)}`)
}

async function apply({ client, output, signal }: Context, [group]: Given): Promise<void> {
  const applied = await client.post<CandidateShape>('group/apply', { group }, { signal })
  output.result(applied, () => [candidateLine(applied)])
  output.next(
    `comrade group vouch ${shellWord(group)} ${applied.did}    (what members run)`,
    `comrade group join ${shellWord(group)}    (then)`
  )
}

async function candidates(context: Context, [group]: Given, { follow }: Options): Promise<void> {
  const { client, output, signal } = context
  const ask = (): Promise<CandidateShape[]> => client.get('group/candidates', { group }, { signal })
  const all = await changing(context, follow, ask, (candidate) => [candidateLine(candidate)])
  if (all.length === 0) output.talk('nobody asks to become a member')
  else output.next(`comrade group vouch ${shellWord(group)} ${all[0].did}`)
}

async function propose({ client, output, signal }: Context, [group, who]: Given): Promise<void> {
  const proposed = await client.post<CandidateShape>('group/propose', { group, who }, { signal })
  output.result(proposed, () => [candidateLine(proposed)])
  output.next(`comrade group vouch ${shellWord(group)} ${proposed.did}`)
}

async function vouch(context: Context, [group, who]: Given, { yes }: Options): Promise<void> {
  const { client, output, signal } = context
  const [found] = await client.get<CandidateShape[]>('group/candidates', { group, who }, { signal })
  if (found !== undefined && !(await mayBeSeen(context, 'vouch', found.ring, found.vouches, yes))) return
  const vouched = await client.post<CandidateShape>('group/vouch', { group, who }, { signal })
  output.result(vouched, () => [candidateLine(vouched)])
  output.next(`comrade group candidates ${shellWord(group)}    (it counts as soon as it has gone round)`)
}

async function retract({ client, output, signal }: Context, [group, who]: Given): Promise<void> {
  const left = await client.post<CandidateShape>('group/retract', { group, who }, { signal })
  output.result(left, () => [candidateLine(left)])
}

async function join({ client, output, signal }: Context, [group]: Given): Promise<void> {
  const joined = await client.post<GroupShape>('group/join', { group }, { signal })
  output.result(joined, () => groupLines(joined))
  output.next(`comrade group candidates ${handleOf(joined)}`)
}

async function leave(context: Context, [group]: Given, { yes }: Options): Promise<void> {
  const { client, output, signal } = context
  if (!(await isSure(context, ['leave ', bold(group), '? to come back takes vouches again'], yes))) return
  const left = await client.post<GroupShape>('group/leave', { group }, { signal })
  output.result(left, () => groupLines(left))
  output.next(`comrade group forget ${handleOf(left)}    (to keep its log no longer)`)
}

async function expel(context: Context, [group, who]: Given, { yes }: Options): Promise<void> {
  await move(context, group, 'group/expel', { group, who }, yes)
}

async function rule(context: Context, [group, given]: Given, { yes }: Options): Promise<void> {
  await move(context, group, 'group/rule', { group, rule: given }, yes)
}

/** Opens a motion with one's own ballot, so its ring is the members of now. */
async function move(context: Context, group: string, route: string, body: object, yes?: boolean): Promise<void> {
  const { client, output, signal } = context
  const { size } = await client.get<GroupShape>('group/show', { group }, { signal })
  if (!(await mayBeSeen(context, 'ballot', size, 0, yes))) return
  const motion = await client.post<MotionShape>(route, body, { signal })
  output.result(motion, () => [motionLine(motion)])
  if (motion.needed > 1)
    output.next(`comrade group ballot ${shellWord(group)} ${motion.motion}    (what other members run)`)
}

async function motions(context: Context, [group]: Given, { follow }: Options): Promise<void> {
  const { client, output, signal } = context
  const ask = (): Promise<MotionShape[]> => client.get('group/motions', { group }, { signal })
  const all = await changing(context, follow, ask, (motion) => [motionLine(motion)])
  const isOpen = all.find(({ isCarried }) => !isCarried)
  if (all.length === 0) output.talk('there is nothing to vote about')
  if (isOpen !== undefined) output.next(`comrade group ballot ${shellWord(group)} ${isOpen.motion}`)
}

async function ballot(context: Context, [group, given]: Given, { yes }: Options): Promise<void> {
  const { client, output, signal } = context
  const [found] = await client.get<MotionShape[]>('group/motions', { group, motion: given }, { signal })
  if (found !== undefined && !(await mayBeSeen(context, 'ballot', found.ring, found.ballots, yes))) return
  const motion = await client.post<MotionShape>('group/ballot', { group, motion: given }, { signal })
  output.result(motion, () => [motionLine(motion)])
  output.next(`comrade group motions ${shellWord(group)}    (it counts as soon as it has gone round)`)
}

async function log({ client, output, signal }: Context, [group]: Given): Promise<void> {
  const people = await client.get<StandingShape[]>('group/log', { group }, { signal })
  for (const person of people) output.result(person, () => standingLines(person))
}

async function forget({ client, output, signal }: Context, [group]: Given): Promise<void> {
  const forgotten = await client.post<{ id: string; name: string }>('group/forget', { group }, { signal })
  output.result(forgotten, () => [[bold(`@${forgotten.name}`), '  forgotten']])
}

type Given = readonly string[]
