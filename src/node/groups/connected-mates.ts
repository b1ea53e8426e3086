// Which connected peers are devices of other members of a group.
import type { PeerId } from '@libp2p/interface'
import { type Hex, toHex } from '../../groups/index.ts'
import type { Connections } from '../connections.ts'
import type { LocalGroup } from './local-group.ts'

export interface Mate {
  /** Member key. */
  member: Hex
  peerId: PeerId
}

/** Connected peers that have proven to be a device of somebody else who is a member now, and whom the user has not blocked. */
export function connectedMates(group: LocalGroup, connections: Pick<Connections, 'libp2p' | 'contactOf'>): Mate[] {
  const seats = group.evaluator?.view().seats
  if (seats === undefined) return []
  return connections.libp2p.getPeers().flatMap((peerId) => {
    const contact = connections.contactOf(peerId)
    const seat = contact && seats.get(toHex(contact.key))
    if (seat === undefined || seat.identity === group.identity || contact?.relation === 'blocked') return []
    return { member: seat.member, peerId }
  })
}
