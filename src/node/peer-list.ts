// Who is connected, each device once: of several connections with it, the one that is used stands for all.
import type { Connection, PeerId } from '@libp2p/interface'
import type { ContactRecord } from '../trust/index.ts'
import type { Peer, PeerSync } from './comrade.ts'

export interface PeerListOptions {
  connections: readonly Connection[]
  contactOf: (peerId: PeerId) => ContactRecord | undefined
  /** To there and back, in ms. */
  latencyOf: (connection: Connection) => number | undefined
  /** What one's own other device is called. */
  deviceNameOf: (peerId: PeerId) => string | undefined
  /** Peers at whom this device waits to be reached. */
  relays: readonly PeerId[]
  syncOf: (peerId: PeerId) => PeerSync | undefined
}

/** In the order in which they were connected. */
export function peerList(options: PeerListOptions): Peer[] {
  const open = options.connections.filter(({ status }) => status === 'open')
  const byPeer = Map.groupBy(
    open.toSorted((a, b) => a.timeline.open - b.timeline.open),
    ({ remotePeer }) => remotePeer.toString()
  )
  return [...byPeer.values()].map((connections) => peerOf(connections, open, options))
}

/** @param own connections with one peer, the oldest first */
function peerOf(
  own: readonly Connection[],
  all: readonly Connection[],
  { contactOf, latencyOf, deviceNameOf, relays, syncOf }: PeerListOptions
): Peer {
  const used = own.find(({ direct }) => direct) ?? own[0]
  const { remotePeer, remoteAddr, direction, direct } = used
  const contact = contactOf(remotePeer)
  return {
    peerId: remotePeer.toString(),
    ...(contact === undefined ? {} : { did: contact.did, name: contact.name, relation: relationOf(contact) }),
    ...optional('device', contact?.relation === 'self' ? deviceNameOf(remotePeer) : undefined),
    address: remoteAddr.toString(),
    direction,
    ...optional('latencyMs', latencyOf(used)),
    since: new Date(own[0].timeline.open).toISOString(),
    ...(direct ? {} : { through: relayOf(used, all, contactOf) }),
    connections: own.length,
    isRelay: relays.some((relay) => relay.equals(remotePeer)),
    ...optional('sync', syncOf(remotePeer))
  }
}

function relationOf({ relation, isFriend }: ContactRecord): Peer['relation'] {
  return relation === 'followed' && isFriend ? 'friend' : relation
}

/** Its address stands in front; where that names no peer, since the relay dialled this node, it is found by its connection. */
function relayOf(
  { remoteAddr }: Connection,
  all: readonly Connection[],
  contactOf: PeerListOptions['contactOf']
): NonNullable<Peer['through']> {
  const [front] = remoteAddr.toString().split('/p2p-circuit')
  const peerId = all
    .filter(({ direct }) => direct)
    .find((each) => front.endsWith(`/p2p/${each.remotePeer}`) || each.remoteAddr.toString() === front)?.remotePeer
  if (peerId === undefined) return optional('peerId', /\/p2p\/([^/]+)$/.exec(front)?.[1])
  const contact = contactOf(peerId)
  return { peerId: peerId.toString(), ...(contact === undefined ? {} : { did: contact.did, name: contact.name }) }
}

function optional<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: T })
}
