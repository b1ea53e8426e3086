// comrade status: how the running node does.
import type { StatusShape, SyncShape } from '../../api/shapes.ts'
import { coloured, dim, type Line } from '../output.ts'
import { formatAgo, formatDuration, formatSize } from '../quantity.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['comrade status', 'comrade status --json'],
  async run({ client, output, signal }) {
    const status = await client.get<StatusShape>('status', {}, { signal })
    output.result(status, () => lines(status))
    if (status.peers === 0) output.next('comrade up --peer <multiaddr>    (no peer is connected)')
  }
}

/** What is under way, else with whom nothing is. */
function syncText({ comparing, fetching, people, missing, files, last }: SyncShape): string {
  const parts = [
    ...(comparing > 0 ? [`comparing with ${count(comparing, 'device', 'devices')}`] : []),
    ...(fetching > 0
      ? [`fetching from ${count(fetching, 'device', 'devices')}, ${count(missing, 'entry', 'entries')} to come`]
      : []),
    ...(files.fetching > 0
      ? [
          `fetching ${count(files.fetching, 'file', 'files')}, ${formatSize(files.have)} of ${formatSize(files.size)} here`
        ]
      : []),
    ...(people > 0 ? [`up to date with ${count(people, 'person', 'people')}`] : [])
  ]
  if (parts.length === 0) parts.push('nobody to exchange with')
  if (last !== null) parts.push(`last exchange ${formatAgo(last, Date.now())}`)
  return parts.join('; ')
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`
}

function lines(status: StatusShape): Line[] {
  const paused: Line[] = status.paused === undefined ? [] : [[coloured('yellow', `paused  ${status.paused}`)]]
  const { available, reason } = status.messages
  const unavailable: Line[] = available ? [] : [[coloured('yellow', `note    ${reason}`)]]
  return [
    ...paused,
    ...unavailable,
    [dim('did     '), status.did],
    [dim('device  '), status.device],
    [dim('peer id '), status.peerId],
    ...status.addresses.map((address): Line => [dim('address '), address]),
    [dim('peers   '), `${status.peers} connected`],
    [dim('sync    '), syncText(status.sync)],
    [dim('stored  '), `${status.entries} entries of ${status.feeds} feeds, ${formatSize(status.bytes)}`],
    [dim('up      '), `${formatDuration(status.uptimeMs)}, version ${status.version}`]
  ]
}
