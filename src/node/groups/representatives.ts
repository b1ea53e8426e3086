// Who represents the groups of this device, and what follows from it: for whom it passes connections on, at whom it may
// wait, and, where it is a representative itself, the circle of representatives that it knows.
import type { PeerId } from '@libp2p/interface'
import { generateSeed, isUsableKey, sha256, type Signer, signingKey } from '../../feeds/index.ts'
import { fromHex, type Hex, MAX_PRESENCE_ADDRESSES, type Presence, toHex } from '../../groups/index.ts'
import type { Connections } from '../connections.ts'
import type { People } from '../people.ts'
import { Circle, type Self } from './circle.ts'
import { connectedMates } from './connected-mates.ts'
import type { NodeGroups } from './groups.ts'
import type { LocalGroup } from './local-group.ts'
import { Mesh } from './mesh.ts'
import { PresenceService } from './presence-service.ts'

/** Most members of one group, and representatives of other groups, whose words are kept. */
const GROUP_ROOM = 1_024
const TIER_ROOM = 256
/** Of the addresses that are told, how many are kept for those that do not lead through a relay. */
const DIRECT_ADDRESSES = 2
/** All representatives that know each other are one circle. */
const TIER = sha256(Buffer.from('comrade/tier/1'))
export interface RepresentativesOptions {
  groups: NodeGroups
  people: People
  connections: Connections
  peerKey: Uint8Array
  addresses: () => string[]
}

/** Where a member says that it can be reached. */
type Reach = Pick<Presence, 'peerKey' | 'addresses'>

export class Representatives {
  readonly #options: RepresentativesOptions
  readonly #circles = new Map<LocalGroup, Circle>()
  readonly #tier: Circle
  /** A key for as long as this node runs: that it represents a group says nothing about which one, or whose it is. */
  readonly #tierKey: Signer = signingKey(new Uint8Array(generateSeed()))
  readonly #service: PresenceService
  readonly #mesh: Mesh

  constructor(options: RepresentativesOptions) {
    this.#options = options
    const { connections } = options
    this.#tier = new Circle({
      id: TIER,
      signer: () => (this.#isRepresentative ? this.#tierKey : undefined),
      term: () => TIER,
      isMember: () => true,
      mayBring: (peerId) => connections.contactOf(peerId) !== undefined,
      links: () => this.#tierLinks(),
      peers: () => this.#knownPeers(),
      room: TIER_ROOM
    })
    this.#mesh = new Mesh({
      ...options,
      circles: () => this.#circles,
      matesOf: (group) => this.#matesOf(group)
    })
    this.#service = new PresenceService({
      libp2p: connections.libp2p,
      circles: () => [...this.#groupCircles(), this.#tier],
      self: () => this.#self(),
      onChange: (circle, isElected) => this.#changed(circle, isElected),
      onFault: (peerId) => connections.blame(peerId)
    })
  }

  async start(): Promise<void> {
    const { groups, connections } = this.#options
    groups.events.on('added', this.#onAdded)
    groups.events.on('removed', this.#onRemoved)
    for (const group of groups.all()) this.#onAdded(group)
    connections.onRecognised = () => this.#service.lookSoon()
    connections.carriers = {
      mayRelayFor: (peerId) => this.#mayRelayFor(peerId),
      relays: () => this.#relays(),
      neighbours: () => this.#mesh.targets()
    }
    await this.#service.start()
    this.#mesh.start()
  }

  async stop(): Promise<void> {
    this.#mesh.stop()
    const { groups, connections } = this.#options
    groups.events.off('added', this.#onAdded)
    groups.events.off('removed', this.#onRemoved)
    for (const group of this.#circles.keys()) group.events.off('changed', this.#onChanged)
    connections.onRecognised = () => {}
    connections.carriers = undefined
    await this.#service.stop()
  }

  /** Root key of the member who represents a group now; undefined when nobody is known to be online. */
  of(group: LocalGroup): Hex | undefined {
    const [first] = this.#circles.get(group)?.order ?? []
    return first === undefined ? undefined : group.evaluator?.view().byMember.get(first)?.identity
  }

  /** How many representatives are in the circle of those whom this one knows, and whether it is theirs. */
  get tier(): { size: number; isFirst: boolean } {
    const { order, self } = this.#tier
    return { size: order.length, isFirst: self !== undefined && order[0] === self }
  }

  /** Where connected members of a group can be reached: for its link. */
  reachOf(group: LocalGroup): Reach[] {
    const circle = this.#circles.get(group)
    const own = circle?.self
    return (circle?.order ?? []).flatMap((member) => {
      const reach = member === own ? undefined : circle?.reachOf(member)
      return reach === undefined || !isUsableKey(reach.peerKey) ? [] : this.#tellable(reach)
    })
  }

  /** Members' words are theirs: what is no address would make no link. */
  #tellable({ peerKey, addresses }: Reach): Reach {
    return { peerKey, addresses: addresses.filter((address) => this.#options.connections.addresses.isAllowed(address)) }
  }

  readonly #onChanged = (): void => this.#service.lookSoon()

  readonly #onAdded = (group: LocalGroup): void => {
    if (this.#circles.has(group)) return
    this.#circles.set(group, new Circle(this.#rulesOf(group)))
    group.events.on('changed', this.#onChanged)
    this.#service.lookSoon()
  }

  readonly #onRemoved = (group: LocalGroup): void => {
    group.events.off('changed', this.#onChanged)
    this.#circles.delete(group)
  }

  #rulesOf(group: LocalGroup): Circle['rules'] {
    const view = () => group.evaluator?.view()
    return {
      id: group.id,
      signer: () => (group.seat === undefined ? undefined : group.membership?.member),
      term: () => fromHex(view()?.last?.id ?? group.hex),
      isMember: (member) => view()?.byMember.has(member) ?? false,
      mayBring: () => true,
      links: () => [...this.#matesOf(group).keys()],
      peers: () => [...this.#matesOf(group).values()],
      room: GROUP_ROOM
    }
  }

  /** Circles in which this device speaks. */
  #groupCircles(): Circle[] {
    return [...this.#circles.values()].filter(({ self }) => self !== undefined)
  }

  /** Connected peers that are devices of members, by member key. */
  #matesOf(group: LocalGroup): Map<Hex, PeerId> {
    const mates = connectedMates(group, this.#options.connections)
    return new Map(mates.map(({ member, peerId }) => [member, peerId]))
  }

  get #isRepresentative(): boolean {
    return [...this.#circles.values()].some(({ order, self }) => self !== undefined && order[0] === self)
  }

  /** Contacts, and members of one's groups: some may be representatives. */
  #knownPeers(): PeerId[] {
    const { connections } = this.#options
    return connections.libp2p.getPeers().filter((peerId) => connections.contactOf(peerId) !== undefined)
  }

  #tierLinks(): Hex[] {
    const members = new Map(this.#tier.book.all().map(({ peerKey, member }) => [toHex(peerKey), member]))
    return this.#knownPeers().flatMap((peerId) => members.get(toHex(peerId.publicKey!.raw)) ?? [])
  }

  #self(): Self {
    const { people, peerKey, addresses } = this.#options
    return { serves: people.mode === 'all' || people.mode === 'groups', peerKey, addresses: told(addresses()) }
  }

  #changed(circle: Circle, isElected: boolean): void {
    const group = [...this.#circles].find(([, each]) => each === circle)?.[0]
    if (group === undefined) return this.#service.lookSoon() // who speaks among representatives may be one's neighbour
    this.#mesh.remember(group, circle)
    if (!isElected) return
    this.#options.connections.reviewRelays()
    group.events.emit('represented')
    this.#service.lookSoon() // it may have become a representative itself, or ceased to be one
  }

  /** A representative passes connections on for the members of its group, and for other representatives. */
  #mayRelayFor(peerId: PeerId): boolean {
    const ledHere = [...this.#circles].filter(([, { order, self }]) => self !== undefined && order[0] === self)
    const isMate = ledHere.some(([group]) => [...this.#matesOf(group).values()].some((mate) => mate.equals(peerId)))
    if (isMate || !this.tier.isFirst) return isMate
    const key = peerId.publicKey && toHex(peerId.publicKey.raw)
    return this.#tier.book.all().some(({ peerKey }) => toHex(peerKey) === key)
  }

  /** Connected representatives of one's groups: one may wait at them to be reached. */
  #relays(): PeerId[] {
    return [...this.#circles].flatMap(([group, { order }]) => {
      const peerId = order[0] === undefined ? undefined : this.#matesOf(group).get(order[0])
      return peerId ?? []
    })
  }
}

/** Of many addresses, those told first: a few direct ones, then one through each relay. */
function told(addresses: readonly string[]): string[] {
  const isDirect = (address: string): boolean => !address.includes('/p2p-circuit')
  const direct = addresses.filter(isDirect)
  return [...direct.slice(0, DIRECT_ADDRESSES), ...addresses.filter((each) => !isDirect(each)), ...direct]
    .filter((address, at, all) => all.indexOf(address) === at)
    .slice(0, MAX_PRESENCE_ADDRESSES)
}
