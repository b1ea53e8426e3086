// comrade status: how the running node does.
import type { StatusShape } from '../../api/shapes.ts'
import { coloured, dim, type Line } from '../output.ts'
import { formatDuration, formatSize } from '../quantity.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['comrade status', 'comrade status --json'],
  async run({ client, output, signal }) {
    const status = await client.get<StatusShape>('status', {}, { signal })
    output.result(status, () => lines(status))
    if (status.peers === 0) output.next('comrade up --peer <multiaddr>    (no peer is connected)')
  }
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
    [dim('stored  '), `${status.entries} entries of ${status.feeds} feeds, ${formatSize(status.bytes)}`],
    [dim('up      '), `${formatDuration(status.uptimeMs)}, version ${status.version}`]
  ]
}
