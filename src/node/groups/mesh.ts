// With whom the members of this device's groups keep connections, and where those are: as they say, as they were, or as
// the directory says.
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'
import { fromHex, type Hex, neighbours, type Presence } from '../../groups/index.ts'
import { type DialTarget, formatDid, type KnownAddress } from '../../trust/index.ts'
import type { Connections } from '../connections.ts'
import type { People } from '../people.ts'
import type { Circle } from './circle.ts'
import type { LocalGroup } from './local-group.ts'

/** A neighbour of whom nothing is known is looked up in the directory so often at most, in ms. */
const LOOKUP_INTERVAL_MS = 10 * 60_000
/** How long others' words are waited for before the directory is asked, in ms. */
const LOOKUP_DELAY_MS = 30_000

export interface MeshOptions {
  people: People
  connections: Connections
  circles: () => ReadonlyMap<LocalGroup, Circle>
  /** Connected members of a group. */
  matesOf: (group: LocalGroup) => ReadonlyMap<Hex, PeerId>
}

export class Mesh {
  readonly #options: MeshOptions
  readonly #lookedUp = new Map<Hex, number>()
  #lookup: NodeJS.Timeout | undefined
  readonly #stopping = new AbortController()

  constructor(options: MeshOptions) {
    this.#options = options
  }

  start(): void {
    this.#lookup = setInterval(() => this.#lookUpNeighbours(), LOOKUP_DELAY_MS)
    this.#lookup.unref()
  }

  stop(): void {
    clearInterval(this.#lookup)
    this.#stopping.abort(new Error('the node is stopping'))
  }

  /** Remembers where those are with whom one keeps connections: the redial loop does the rest. */
  remember(group: LocalGroup, circle: Circle): void {
    for (const member of this.#neighboursOf(group, circle)) {
      const reach = circle.reachOf(member)
      if (reach !== undefined) this.#options.connections.addresses.remember(peerIdOf(reach.peerKey), reach.addresses)
    }
  }

  /** Devices of those with whom connections are kept: where they say that they are, else where they were. */
  targets(): DialTarget[] {
    const { addresses } = this.#options.people.contacts
    return [...this.#options.circles()].flatMap(([group, circle]) =>
      [...this.#neighboursOf(group, circle)].flatMap((member) => {
        const reach = circle.reachOf(member)
        if (reach !== undefined) return this.#targetAt(reach)
        const identity = group.evaluator?.view().byMember.get(member)?.identity
        return identity === undefined ? [] : targetsOf(addresses.of(fromHex(identity)))
      })
    )
  }

  #targetAt({ peerKey, addresses: said }: Pick<Presence, 'peerKey' | 'addresses'>): DialTarget {
    const { connections, people } = this.#options
    const peerId = peerIdOf(peerKey).toString()
    const allowed = said.filter((each) => each.endsWith(`/p2p/${peerId}`) && connections.addresses.isAllowed(each))
    const known = people.contacts.addresses.ofPeer(peerId).map(({ address }) => address)
    return { peerId, addresses: [...new Set([...allowed, ...known])] }
  }

  #neighboursOf(group: LocalGroup, circle: Circle): Set<Hex> {
    const members = group.evaluator?.view().byMember.keys() ?? []
    if (circle.self === undefined) return new Set()
    const chosen = neighbours(group.hex, members, circle.self, circle.order.slice(0, 1))
    return new Set([...chosen].filter((member) => !this.#isBlocked(group, member)))
  }

  #isBlocked(group: LocalGroup, member: Hex): boolean {
    const identity = group.evaluator?.view().byMember.get(member)?.identity
    return identity !== undefined && this.#options.people.contacts.get(fromHex(identity)).relation === 'blocked'
  }

  /** Somebody of whom nobody has a word, and who is not connected, may be found by the directory. */
  #lookUpNeighbours(): void {
    const { circles, matesOf } = this.#options
    for (const [group, circle] of circles()) {
      const connected = matesOf(group)
      for (const member of this.#neighboursOf(group, circle)) {
        const seat = group.evaluator?.view().byMember.get(member)
        const isDue = Date.now() - (this.#lookedUp.get(member) ?? 0) > LOOKUP_INTERVAL_MS
        if (seat === undefined || connected.has(member) || circle.reachOf(member) !== undefined || !isDue) continue
        this.#lookedUp.set(member, Date.now())
        void this.#lookUp(seat.identity)
        return // one at a time
      }
    }
  }

  async #lookUp(identity: Hex): Promise<void> {
    const { connections } = this.#options
    try {
      const { signal } = this.#stopping
      const { devices } = await connections.directory.resolve(formatDid(fromHex(identity)), { signal })
      for (const { peerId, addresses } of devices)
        connections.addresses.remember(peerIdFromString(peerId), addresses, fromHex(identity))
    } catch {
      // not found now: asked again later
    }
  }
}

function peerIdOf(peerKey: Uint8Array): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(peerKey))
}

function targetsOf(known: KnownAddress[]): DialTarget[] {
  return [...Map.groupBy(known, ({ peerId }) => peerId)].map(([peerId, addresses]) => ({
    peerId,
    addresses: addresses.map(({ address }) => address)
  }))
}
