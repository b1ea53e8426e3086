// Connects with peers: with whom the user names or a part of the node asks for, and, over and over, with all who are to be
// connected.
import type { PeerId } from '@libp2p/interface'
import type { DialTarget } from '../trust/index.ts'
import { NodeError } from './comrade.ts'
import type { Network } from './network.ts'
import type { PeerAddresses } from './peer-addresses.ts'
import type { People } from './people.ts'
import { RedialLoop, type RedialTarget } from './redial.ts'
import { noAnswer } from './refusals.ts'

const REACH_TIMEOUT_MS = 10_000

export interface DiallerOptions {
  network: Network
  addresses: PeerAddresses
  people: People
  /** With whom this node stays connected for its groups. */
  neighbours: () => DialTarget[]
}

export class Dialler {
  readonly redial: RedialLoop
  readonly #options: DiallerOptions

  constructor(options: DiallerOptions) {
    const { network, addresses } = options
    this.#options = options
    this.redial = new RedialLoop({
      targets: () => this.#wanted(),
      isConnected: (target) => network.isConnected(target),
      isRelayed: (target) => network.isRelayed(target),
      dial: (target, signal) => network.dial(target, signal, (address) => addresses.noteFailure(address, target.peerId))
    })
  }

  /** Connects with whoever is at an address that the user gave. @throws NodeError BAD_INPUT, UNREACHABLE; see {@link reach} */
  async connect(address: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const { network, addresses } = this.#options
    addresses.give(address)
    try {
      await network.connect(address, { signal })
    } catch (error) {
      signal?.throwIfAborted()
      throw new NodeError('UNREACHABLE', `nobody answers at ${address}: ${(error as Error).message.split('\n')[0]}`, {
        cause: error
      })
    }
    this.redial.look()
  }

  /**
   * Connects with a peer, if it is not connected already.
   * @param isGiven the user gave these addresses: they are dialled whatever they are
   * @throws NodeError UNREACHABLE when nobody answers within 10 s; whatever `signal` was aborted with
   */
  async reach(
    peerId: PeerId,
    addresses: readonly string[],
    { isGiven = false, signal }: { isGiven?: boolean; signal?: AbortSignal } = {}
  ): Promise<void> {
    const { network } = this.#options
    if (isGiven) for (const address of addresses) this.#options.addresses.allow(address)
    const target = { peerId: peerId.toString(), multiaddrs: [...addresses], priority: 0 }
    if (network.isConnected(target)) return
    const limit = AbortSignal.timeout(REACH_TIMEOUT_MS)
    try {
      await network.dial(target, signal === undefined ? limit : AbortSignal.any([limit, signal]))
    } catch (error) {
      signal?.throwIfAborted()
      throw noAnswer(peerId, error)
    }
  }

  /** Connects with a peer by addresses that somebody named; those that may not be dialled are left out. */
  async dial(peerId: string, addresses: string[], signal: AbortSignal): Promise<void> {
    await this.#options.network.dial({ peerId, multiaddrs: addresses, priority: 0 }, signal)
  }

  /** Who is to be connected: neighbours of groups, and everybody whose addresses are known, those of people first. */
  #wanted(): RedialTarget[] {
    const { neighbours, people } = this.#options
    return [
      ...neighbours().map(({ peerId, addresses }) => ({ peerId, multiaddrs: addresses, priority: 0 })),
      ...people.contacts.addresses.targets().map(({ peerId, addresses, identity }) => ({
        peerId,
        multiaddrs: addresses,
        priority: identity === undefined ? 0 : 1
      }))
    ]
  }
}
