// The connected peers that hold this device's feed, by what their sessions say. Whoever of them is followed is a friend.
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { SyncSession } from '../feeds/index.ts'
import type { Device } from './device.ts'
import type { Gossip } from './gossip.ts'
import type { KnownPeers } from './known-peers.ts'
import type { People } from './people.ts'

export interface HoldersOptions {
  libp2p: Libp2p
  device: Device
  people: People
  peers: KnownPeers
  gossip: Gossip
}

export class Holders {
  readonly #options: HoldersOptions
  readonly #holding = new Set<string>()

  constructor(options: HoldersOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#holding.size
  }

  /** What differed has been compared and fetched. */
  note(peerId: PeerId, session: SyncSession): void {
    const { device, people, peers } = this.#options
    const isHolding = session.shares(device.writer.feed)
    if (isHolding) this.#holding.add(peerId.toString())
    else this.#holding.delete(peerId.toString())
    if (this.#hasGivenBack(session, isHolding)) device.caughtUp()
    const contact = peers.contactOf(peerId)
    if (contact !== undefined) people.contacts.setFollowsUs(contact.key, isHolding)
    this.#updateDirectPeers()
  }

  /** This peer is not connected any more. */
  forget(peerId: PeerId): void {
    this.#holding.delete(peerId.toString())
    this.#updateDirectPeers()
  }

  /** Whether a restored store may rely on what this peer had: somebody who holds less than we do can't know what is missing. */
  #hasGivenBack(session: SyncSession, isHolding: boolean): boolean {
    const { log, writer, isNew } = this.#options.device
    if (isNew) return session.holdsOwn(log) // of the feed of a new device nobody can hold anything
    return isHolding && session.holdsOwn(log) && (writer.feed.height === 0 || session.holdsOwn(writer.feed))
  }

  /** Friends and own devices that are connected hear everything directly. */
  #updateDirectPeers(): void {
    const { libp2p, peers, gossip } = this.#options
    const direct = [...this.#holding].filter((name) => {
      const peer = libp2p.getPeers().find((each) => each.toString() === name)
      const contact = peer && peers.contactOf(peer)
      return contact?.isFriend === true || contact?.relation === 'self'
    })
    gossip.setDirectPeers(new Set(direct))
  }
}
