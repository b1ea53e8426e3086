// Which connected peers are devices of other members of a group.
import type { PeerId } from '@libp2p/interface'
import { toHex } from '../../groups/index.ts'
import type { Connections } from '../connections.ts'
import type { LocalGroup } from './local-group.ts'

/** Connected peers that have proven to be a device of somebody else who is a member now. */
export function connectedMates(group: LocalGroup, connections: Pick<Connections, 'libp2p' | 'contactOf'>): PeerId[] {
  const seats = group.evaluator?.view().seats
  if (seats === undefined) return []
  return connections.libp2p.getPeers().filter((peerId) => {
    const identity = connections.contactOf(peerId)?.key
    return identity !== undefined && toHex(identity) !== group.identity && seats.has(toHex(identity))
  })
}
