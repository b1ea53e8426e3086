// comrade meet: comes to know somebody. On a terminal it asks the two questions: keep their key? give them yours?
import type { ContactShape } from '../../api/shapes.ts'
import { type Invite, type Meeting, type MeetingRequest, NodeError } from '../../node/comrade.ts'
import { eventsOf, type NodeEvent } from '../node-events.ts'
import { contactLine, meetingLine, requestLine } from '../paint.ts'
import { bold, dim } from '../output.ts'
import { parseDuration } from '../quantity.ts'
import { askYesNo } from '../question.ts'
import type { Context, Verb } from '../verb.ts'

/** The node dials, asks, and looks in the directory, each with a limit of its own. */
const MEET_TIMEOUT_MS = 60_000

interface Options {
  expires?: number
  ask?: boolean
  /** false for --no-qr */
  qr: boolean
  yes?: boolean
  name?: string
}

/** Both keys, theirs alone, or none. */
type Decision = 'meet' | 'keep' | 'nothing'

const ACTIONS: Readonly<
  Record<
    string,
    { people: number; run: (context: Context, people: readonly string[], options: Options) => Promise<void> }
  >
> = {
  requests: { people: 0, run: listRequests },
  accept: { people: 1, run: accept },
  decline: { people: 1, run: decline },
  introduce: { people: 2, run: introduce }
}

export const verb: Verb<Options> = {
  arguments: [
    ['[with]', 'a link or a did to meet; or requests, accept, decline, introduce; else a new link is made'],
    ['[who...]', 'for accept and decline a person, for introduce two']
  ],
  actions: [
    ['requests', 'list who wants to meet, was introduced, or was asked'],
    ['accept <who>', 'say yes to somebody who asks'],
    ['decline <who>', 'say no; they are not told'],
    ['introduce <who> <who>', 'bring two of your contacts together']
  ],
  options: [
    {
      flags: '--expires <duration>',
      description: 'how long the new link can be used (default 24h)',
      parse: parseDuration
    },
    { flags: '--ask', description: 'decide about whoever brings the new link; else making it is your yes' },
    { flags: '--no-qr', description: 'do not show the new link as a QR code' },
    { flags: '--yes', description: 'keep their key and give them yours, without being asked' },
    { flags: '--name <petname>', description: 'give them a name of your own' }
  ],
  examples: [
    'comrade meet',
    'comrade meet comrade:meet/AbC…',
    'comrade meet did:key:z6Mk… --yes --name alice',
    'comrade meet requests',
    'comrade meet accept alice',
    'comrade meet introduce alice bob'
  ],
  async run(context, [first, ...who], options) {
    const action = first !== undefined && Object.hasOwn(ACTIONS, first) ? ACTIONS[first] : undefined
    const expected = action?.people ?? 0
    if (who.length !== expected)
      throw new NodeError('BAD_INPUT', `comrade meet ${first ?? ''} takes ${expected} people, not ${who.length}`)
    if (action !== undefined) return action.run(context, who, options)
    return first === undefined ? invite(context, options) : meet(context, first, options)
  }
}

/** Makes a link; on a terminal, waits for who brings it. */
async function invite(context: Context, { expires, ask, qr, yes, name }: Options): Promise<void> {
  const { client, output, signal } = context
  const isWaiting = mayAsk(context)
  const events = isWaiting ? await eventsOf(client, signal) : undefined
  const mayDecide = ask === true || (isWaiting && yes !== true)
  const made = await client.post<Invite>('meet/invite', { expiresInMs: expires, ask: mayDecide }, { signal })
  output.result(made, () => [[made.link]])
  if (qr && !output.json && process.stderr.isTTY) {
    const { renderUnicodeCompact } = await import('uqr')
    process.stderr.write(renderUnicodeCompact(made.link) + '\n')
  }
  output.talk(dim(`good for one person, until ${made.expires}; whoever has it can use it`))
  output.next('comrade meet <link>    (what they run)')
  if (events !== undefined) await receive(context, events, made, { yes, name })
}

/** Waits until somebody was met, and asks about each who comes. */
async function receive(
  context: Context,
  events: AsyncIterable<NodeEvent>,
  made: Invite,
  options: Pick<Options, 'yes' | 'name'>
): Promise<void> {
  const { client, output, signal } = context
  output.talk(dim(`waiting for them; ^C leaves, and the link stays good until ${made.expires}`))
  for await (const event of events) {
    if (event.event === 'met') return printMeeting(context, event as unknown as Meeting)
    const request = event as unknown as MeetingRequest
    if (event.event !== 'request' || request.kind !== 'asks') continue
    const decision = options.yes ? 'meet' : await decide(context, request.name, request.did)
    if (decision === 'keep') await client.post('follow', { who: request.did }, { signal })
    const verb = decision === 'meet' ? 'accept' : 'decline'
    const body = { who: request.did, name: decision === 'meet' ? options.name : undefined }
    const meeting = await client.post<Meeting>(`meet/${verb}`, body, { signal })
    if (meeting.state === 'met') return printMeeting(context, meeting)
    output.result(pick(meeting), () => [meetingLine(meeting)])
  }
}

/** Brings a link, or asks a person. */
async function meet(context: Context, linkOrDid: string, { yes, name }: Options): Promise<void> {
  const { client, output, signal } = context
  const isAsking = yes !== true
  if (isAsking && !mayAsk(context)) {
    throw new NodeError('BAD_INPUT', 'to meet somebody is to keep their key and to give them yours: say so with --yes')
  }
  const decision = isAsking ? await decideAbout(context, linkOrDid, name) : 'meet'
  if (decision !== 'meet') return
  const events = mayAsk(context) ? await eventsOf(client, signal) : undefined
  const meeting = await client.post<Meeting>('meet', { with: linkOrDid, name }, { signal, timeoutMs: MEET_TIMEOUT_MS })
  printMeeting(context, meeting)
  if (meeting.state !== 'requested' || events === undefined) return
  output.talk(dim('waiting for their answer; ^C leaves, and the request stands for a month'))
  for await (const event of events)
    if (event.event === 'met' && event.did === meeting.did) return printMeeting(context, event as unknown as Meeting)
}

/** Asks about whom a link or a did names; what is not to be met is dealt with. */
async function decideAbout(context: Context, linkOrDid: string, petname: string | undefined): Promise<Decision> {
  const { client, output, signal } = context
  const { did, name } = await client.post<ContactShape>('meet/look', { with: linkOrDid }, { signal })
  const decision = await decide(context, name, did)
  if (decision === 'nothing') output.result({ did, name, state: 'declined' }, () => [[dim('nothing was done')]])
  if (decision !== 'keep') return decision
  // Their key without giving one's own is to follow them.
  if (petname !== undefined) await client.post('name', { who: did, petname }, { signal })
  const contact = await client.post<ContactShape>('follow', { who: did }, { signal })
  output.result({ did, name: contact.name, state: 'declined' }, () => [contactLine(contact)])
  return decision
}

/** The two questions. */
async function decide({ output, signal }: Context, name: string, did: string): Promise<Decision> {
  if (!(await askYesNo(output, [bold(name), `  ${did}  keep their key?`], signal))) return 'nothing'
  return (await askYesNo(output, ['give them yours?'], signal)) ? 'meet' : 'keep'
}

async function listRequests({ client, output, signal }: Context): Promise<void> {
  const requests = await client.get<MeetingRequest[]>('meet/requests', {}, { signal })
  for (const request of requests) output.result(request, () => [requestLine(request)])
  if (requests.length === 0) output.talk('nobody is waiting')
  const open = requests.find(({ kind }) => kind !== 'asked')
  if (open !== undefined) output.next(`comrade meet accept ${open.did}`, `comrade meet decline ${open.did}`)
}

async function accept(context: Context, [who]: readonly string[], { name }: Options): Promise<void> {
  const { client, signal } = context
  printMeeting(
    context,
    await client.post<Meeting>('meet/accept', { who, name }, { signal, timeoutMs: MEET_TIMEOUT_MS })
  )
}

async function decline(context: Context, [who]: readonly string[]): Promise<void> {
  const { client, signal } = context
  printMeeting(context, await client.post<Meeting>('meet/decline', { who }, { signal }))
}

async function introduce({ client, output, signal }: Context, [one, other]: readonly string[]): Promise<void> {
  const done = await client.post<{ introduced: string[] }>('meet/introduce', { one, other }, { signal })
  output.result(done, () => `${one} and ${other} were told of each other`)
}

function printMeeting({ output }: Context, meeting: Meeting): void {
  output.result(pick(meeting), () => [meetingLine(meeting)])
  if (meeting.state === 'met') output.next(`comrade feed ${meeting.did}`, `comrade name ${meeting.did} <petname>`)
  if (meeting.state === 'requested') output.next('comrade meet requests')
}

/** The promised fields, also of an event. */
function pick({ did, name, state }: Meeting): Meeting {
  return { did, name, state }
}

function mayAsk({ isInteractive, json }: Context): boolean {
  return isInteractive && !json
}
