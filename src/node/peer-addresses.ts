// Where peers are: which of the addresses that the user gave, that others named and that peers say of themselves are kept,
// and what came of dialling them.
import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { FeedStore } from '../feeds/index.ts'
import type { AddressBook } from '../trust/index.ts'
import { type AddressPolicy, MAX_ADDRESSES_PER_PEER } from './addresses.ts'
import { NodeError } from './comrade.ts'
import type { KnownPeers } from './known-peers.ts'
import type { People } from './people.ts'

export interface PeerAddressesOptions {
  libp2p: Libp2p
  policy: AddressPolicy
  store: FeedStore
  people: People
  peers: KnownPeers
  /** It is known where somebody is who is to be connected. */
  onNews: () => void
}

export class PeerAddresses {
  readonly #options: PeerAddressesOptions

  constructor(options: PeerAddressesOptions) {
    this.#options = options
    for (const { address } of this.#book.given()) options.policy.give(multiaddr(address))
  }

  get #book(): AddressBook {
    return this.#options.people.contacts.addresses
  }

  /** Remembers an address that the user gave, and that may be dialled whatever it is. @throws NodeError BAD_INPUT */
  give(address: string): void {
    this.allow(address)
    this.#book.remember({ address, isGiven: true })
  }

  /** As {@link give}, until the node ends. @throws NodeError BAD_INPUT */
  allow(address: string): void {
    this.#options.policy.give(readAddress(address))
  }

  /** Whether an address that somebody named may be kept and dialled. */
  isAllowed(address: string): boolean {
    try {
      return this.#options.policy.isAllowed(readAddress(address))
    } catch {
      return false // what cannot be read cannot be dialled
    }
  }

  /**
   * Remembers where somebody is who is to be connected; addresses that may not be dialled are left out.
   * @param identity when it is proven whose device it is
   */
  remember(peerId: PeerId, addresses: readonly string[], identity?: Uint8Array): void {
    const known = new Set(this.#book.ofPeer(peerId.toString()).map(({ address }) => address))
    const fresh = addresses.slice(0, MAX_ADDRESSES_PER_PEER).filter((each) => !known.has(each) && this.isAllowed(each))
    for (const address of fresh) this.#keep(address, peerId, identity)
    if (fresh.length > 0) this.#options.onNews()
  }

  /** A peer says where it is: kept of who is known, or is remembered already. */
  learn(peerId: PeerId, addresses: readonly string[]): void {
    const { store, people, peers } = this.#options
    const identity = peers.contactOf(peerId)
    const isMate = identity !== undefined && people.isMate(identity.key)
    const isKept = peers.isOurs(peerId) || isMate || this.#book.ofPeer(peerId.toString()).length > 0
    if (!isKept || !store.isOpen) return
    for (const address of addresses.slice(0, MAX_ADDRESSES_PER_PEER).filter((each) => this.isAllowed(each)))
      this.#keep(address, peerId, identity?.key)
  }

  /** Who was identified before being recognised has told its addresses already. */
  async learnIdentified(peerId: PeerId): Promise<void> {
    try {
      const { addresses } = await this.#options.libp2p.peerStore.get(peerId)
      this.learn(
        peerId,
        addresses.map(({ multiaddr }) => multiaddr.toString())
      )
    } catch {
      // it was not identified yet: then that is still to come
    }
  }

  /** The addresses that led to somebody are tried first the next time. */
  noteReached(peerId: PeerId): void {
    for (const { direction, remoteAddr } of this.#options.libp2p.getConnections(peerId))
      if (direction === 'outbound') this.#book.noteSuccess(remoteAddr.toString(), peerId.toString(), Date.now())
  }

  noteFailure(address: string, peerId?: string): void {
    if (this.#options.store.isOpen) this.#book.noteFailure(address, peerId)
  }

  #keep(address: string, peerId: PeerId, identity: Uint8Array | undefined): void {
    try {
      this.#book.remember({ address, peerId: peerId.toString(), identity })
    } catch {
      // it names another peer, or is longer than an address is
    }
  }
}

/** @throws NodeError BAD_INPUT */
function readAddress(address: string): Multiaddr {
  try {
    const read = multiaddr(address)
    // A multiaddr is read whatever stands for a peer id in it.
    for (const { name, value } of read.getComponents()) if (name === 'p2p') peerIdFromString(value ?? '')
    return read
  } catch (error) {
    throw new NodeError(
      'BAD_INPUT',
      `expected a multiaddr such as /ip4/192.0.2.1/tcp/4040, found "${address.slice(0, 80)}"`,
      { cause: error }
    )
  }
}
