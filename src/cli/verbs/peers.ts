// comrade peers: the nodes that are connected now.
import type { PeerShape } from '../../api/shapes.ts'
import { bold, dim } from '../output.ts'
import { formatAgo } from '../quantity.ts'
import type { Verb } from '../verb.ts'

function whoOf({ did, name, device }: PeerShape): string {
  return device === null ? (name ?? did ?? 'not known') : `your own device ${device}`
}

/** Which side dialled, or through whom the connection leads. */
function wayOf({ direction, relayed, through }: PeerShape): string {
  if (!relayed) return direction
  return `${direction}, relayed by ${through?.name ?? through?.peerId ?? 'somebody'}`
}

export const verb: Verb = {
  examples: ['comrade peers', 'comrade peers --json'],
  async run({ client, output, signal }) {
    const peers = await client.get<PeerShape[]>('peers', {}, { signal })
    for (const peer of peers) {
      const latency = peer.latencyMs === null ? '' : `  ${Math.round(peer.latencyMs)} ms`
      output.result(peer, () => [
        bold(whoOf(peer)),
        `  ${wayOf(peer)}${latency}  since ${formatAgo(peer.since, Date.now())}`,
        dim(`  ${peer.address}`)
      ])
    }
    if (peers.length === 0) output.talk('no peer is connected')
    if (peers.length === 0) output.next('comrade up --peer <multiaddr>    (in place of the running node)')
  }
}
