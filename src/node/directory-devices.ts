// Devices as directory records have them, and as people and libp2p have them.
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { Libp2p } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { type DirectoryContent, MAX_DEVICE_ADDRESSES } from '../trust/index.ts'
import { ipOf, isPublicIp } from './addresses.ts'
import type { Resolved } from './comrade.ts'

/** Where others may try this device, the most useful first: from anywhere, from the local network, from this machine. */
export function ownAddresses(libp2p: Libp2p): Uint8Array[] {
  const ranked = libp2p.getMultiaddrs().map((address) => {
    const plain = multiaddr(address.toString().replace(/\/p2p\/[^/]+$/, ''))
    const ip = ipOf(plain)
    const rank = ip === undefined || isPublicIp(ip) ? 0 : ip.startsWith('127.') || ip === '::1' ? 2 : 1
    return { bytes: plain.bytes, rank }
  })
  const sorted = ranked.toSorted((a, b) => a.rank - b.rank).map(({ bytes }) => new Uint8Array(bytes))
  return sorted.slice(0, MAX_DEVICE_ADDRESSES)
}

/** Peer ids and addresses as text; what cannot be read is left out. */
export function toDevices({ devices }: DirectoryContent): Resolved['devices'] {
  return devices.flatMap(({ peer, addresses }) => {
    try {
      const peerId = peerIdFromPublicKey(publicKeyFromRaw(peer)).toString()
      return [{ peerId, addresses: addresses.flatMap((bytes) => readAddress(bytes, peerId)) }]
    } catch {
      return []
    }
  })
}

function readAddress(bytes: Uint8Array, peerId: string): string[] {
  try {
    return [`${multiaddr(bytes).toString()}/p2p/${peerId}`]
  } catch {
    return []
  }
}
