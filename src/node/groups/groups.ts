// node.groups: the groups of which this device holds the log, and how it comes to hold another.
import { EventEmitter } from 'node:events'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { type FeedStore, formatEntryId } from '../../feeds/index.ts'
import {
  type Hex,
  isPossessed,
  MAX_GROUP_NAME_LENGTH,
  operationId,
  readOperation,
  ready,
  toHex
} from '../../groups/index.ts'
import { decodeGroupLink, encodeGroupLink, type GroupLink, harmless, TrustError } from '../../trust/index.ts'
import { NodeError } from '../comrade.ts'
import type { Connections } from '../connections.ts'
import type { Device } from '../device.ts'
import type { People } from '../people.ts'
import { refuse } from '../refusal-sentences.ts'
import type { Vault } from '../vault.ts'
import type { Group, GroupSummary, Groups, NewGroup } from './contract.ts'
import { found } from './founding.ts'
import { GroupStore } from './group-store.ts'
import { Intake } from './intake.ts'
import { LocalGroup } from './local-group.ts'
import { NodeGroup } from './node-group.ts'
import type { Publisher } from './publisher.ts'
import { parseRule } from './rule-text.ts'
import { Verifier } from './verifier.ts'

/** How long opening a group waits for its log before it is answered; it goes on behind. */
const OPEN_WAIT_MS = 5_000

/** Characters of an id's beginning that name a group; all ids begin with the same seven. */
const MIN_ID_LENGTH = 12

/** A group of which this device holds the log. */
interface Held {
  local: LocalGroup
  group: NodeGroup
  intake: Intake
}

export interface GroupsEvents {
  added: [LocalGroup]
  removed: [LocalGroup]
}

/** What is known of the members who are online. */
export interface Online {
  /** Root key of who represents the group. */
  of(group: LocalGroup): Hex | undefined
  /** Where others of the group can be reached. */
  reachOf(group: LocalGroup): GroupLink['peers']
  /** How many representatives of groups know each other, this one among them, and whether it is first. */
  readonly tier: { size: number; isFirst: boolean }
}

export interface NodeGroupsOptions {
  store: FeedStore
  vault: Vault
  people: People
  device: Device
  connections: () => Connections
  publisher: Publisher
  /** Raw Ed25519 public key of this libp2p peer. */
  peerKey: () => Uint8Array
  addresses: () => string[]
}

export class NodeGroups implements Groups {
  readonly events = new EventEmitter<GroupsEvents>()
  /** What is known of who is online; absent while the node is not running. */
  online: Online | undefined
  readonly #options: NodeGroupsOptions
  readonly #store: GroupStore
  readonly #verifier = new Verifier()
  readonly #groups = new Map<string, Held>()

  constructor(options: NodeGroupsOptions) {
    this.#options = options
    this.#store = new GroupStore(options.store, options.vault)
    this.events.setMaxListeners(0)
  }

  /** Reads what is stored. */
  async load(): Promise<void> {
    const stored = this.#store.groups()
    if (stored.length === 0) return
    await ready()
    for (const group of stored) this.#add(group)
  }

  async close(): Promise<void> {
    for (const { local, intake } of this.#groups.values()) {
      intake.close()
      local.close()
    }
    await this.#verifier.close()
  }

  /** Those whose log this device holds or fetches. */
  all(): LocalGroup[] {
    return [...this.#groups.values()].map(({ local }) => local)
  }

  byId(id: Uint8Array): LocalGroup | undefined {
    return this.#groups.get(toHex(id))?.local
  }

  /** What others bring of a group comes in by it. @throws NodeError NOT_FOUND when the group was forgotten */
  intakeOf(group: LocalGroup): Intake {
    const held = this.#groups.get(group.hex)
    if (held?.local === group) return held.intake
    throw new NodeError('NOT_FOUND', refuse('refusal.groupGone'))
  }

  async create({ name, quorum = 'isqrt', open = false, history = false }: NewGroup): Promise<Group> {
    checkName(name)
    const rule = parseRule(quorum)
    await ready()
    const reading = open ? 'open' : 'members'
    const { bytes, keys } = found(this.#options, { name, rule, reading, history }, Date.now())
    const id = operationId(bytes)
    const { local, group } = this.#add({ id, num: this.#store.add(id) })
    try {
      local.addKeys(keys)
      local.take([{ operation: readOperation(bytes, undefined, isPossessed), bytes }], undefined)
    } catch (error) {
      this.#drop(local) // the disk is full: a group without its beginning would never be one
      throw error
    }
    this.events.emit('added', local)
    return group
  }

  #drop(local: LocalGroup): void {
    this.#groups.get(local.hex)?.intake.close()
    this.#groups.delete(local.hex)
    local.close()
    this.#store.remove(local.num)
  }

  async open(text: string, { signal }: { signal?: AbortSignal } = {}): Promise<Group> {
    const link = readLink(text)
    await ready()
    let known = this.#groups.get(toHex(link.group))
    if (known === undefined) {
      known = this.#add({ id: link.group, num: this.#store.add(link.group) })
      this.events.emit('added', known.local)
    }
    await this.#fetch(known.local, link, signal)
    return known.group
  }

  async forget(name: string): Promise<void> {
    const { local, group, intake } = this.#find(name)
    if (local.seat !== undefined)
      throw new NodeError('FAILED', refuse('refusal.leaveFirst', { group: harmless(group.name) }))
    this.#store.remove(local.num)
    this.#groups.delete(local.hex)
    this.events.emit('removed', local)
    intake.close()
    local.close()
  }

  async list(): Promise<GroupSummary[]> {
    return [...this.#groups.values()].map(({ group }) => group.summary())
  }

  async get(name: string): Promise<Group> {
    return this.#find(name).group
  }

  /** The group of this device that is called so. @throws NodeError NOT_FOUND, WHO_AMBIGUOUS */
  local(name: string): LocalGroup {
    return this.#find(name).local
  }

  /**
   * How often somebody was vouched for in the groups that this user is a member of, and in how many of these they are.
   * Groups of which one only holds the log say nothing: anybody can found one and fill it.
   */
  standingOf(identity: Uint8Array): { vouches: number; groups: number } {
    const person = toHex(identity)
    const counts = this.all().flatMap(({ evaluator, identity: self }) => {
      const seats = evaluator?.view().seats
      const seat = seats?.has(self) === true ? seats.get(person) : undefined
      if (evaluator === undefined || seat === undefined) return []
      return [evaluator.count(evaluator.log.at(seat.origin).id)?.vouches ?? 0]
    })
    return { vouches: counts.reduce((sum, count) => sum + count, 0), groups: counts.length }
  }

  #add(stored: { num: number; id: Uint8Array }): Held {
    const { publisher, people } = this.#options
    const local = new LocalGroup(this.#store, stored, people.root)
    const verifier = this.#verifier
    const link = (): string => this.#linkOf(local)
    const representative = (): Hex | undefined => this.online?.of(local)
    const group = new NodeGroup({ group: local, speaker: this.#options, publisher, verifier, link, representative })
    const held = { local, group, intake: new Intake(local, verifier) }
    this.#groups.set(local.hex, held)
    return held
  }

  #find(name: string): Held {
    const all = [...this.#groups.values()]
    const id = /^\s*comrade:/i.test(name) ? formatEntryId(readLink(name).group) : name
    const plain = name.replace(/^@/, '')
    const ways = [
      all.filter(({ group }) => group.id === id), // before names: a founder may name a group by another one's id, or its beginning
      all.filter(
        ({ group }) => (group.name === plain && plain !== '') || (id.length >= MIN_ID_LENGTH && group.id.startsWith(id))
      )
    ]
    const found = ways.find((groups) => groups.length > 0) ?? []
    if (found.length === 1) return found[0]
    const shown = harmless(name.slice(0, 80))
    if (found.length === 0) throw new NodeError('NOT_FOUND', refuse('refusal.noGroup', { name: shown }))
    const choices = found.map(({ group }) => group.id).join(', ')
    throw new NodeError('WHO_AMBIGUOUS', `several groups are called ${shown}: ${choices}`)
  }

  /** Connects with whom the link names, until as much of the log is here as they have. */
  async #fetch(local: LocalGroup, { peers }: GroupLink, signal: AbortSignal | undefined): Promise<void> {
    const connections = this.#options.connections()
    const own = Buffer.from(this.#options.peerKey())
    const others = peers.filter(({ peerKey }) => !own.equals(peerKey))
    const dials = others.map(async ({ peerKey, addresses }) => {
      const peerId = peerIdFromPublicKey(publicKeyFromRaw(peerKey))
      for (const address of addresses) connections.addresses.give(`${address}/p2p/${peerId}`)
      await connections.dialler.reach(peerId, addresses, { isGiven: true, signal })
    })
    const isReached = await Promise.any(dials).then(
      () => true,
      () => false
    )
    signal?.throwIfAborted()
    const isHere = (): boolean => local.size > 0 && local.size >= connections.groupSizeElsewhere(local.id)
    if (isReached && !isHere()) await arrived(local, isHere, signal)
  }

  #linkOf(local: LocalGroup): string {
    const { peerKey, addresses } = this.#options
    const own = { peerKey: peerKey(), addresses: addresses() }
    return encodeGroupLink({ group: local.id, peers: [own, ...(this.online?.reachOf(local) ?? [])] })
  }
}

/** Resolves when the group's log has arrived, or after a while. Who asks to join by half of a log asks half of the members. */
async function arrived(local: LocalGroup, isHere: () => boolean, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, OPEN_WAIT_MS)
  const onChanged = (): void => {
    if (isHere()) resolve()
  }
  local.events.on('changed', onChanged)
  signal?.addEventListener('abort', () => resolve(), { once: true })
  await promise
  clearTimeout(timer)
  local.events.off('changed', onChanged)
  signal?.throwIfAborted()
}

function checkName(name: string): void {
  const isNamed = name.length >= 1 && name.length <= MAX_GROUP_NAME_LENGTH && name.isWellFormed()
  if (isNamed && !/[\s@/\p{C}]/u.test(name)) return
  throw new NodeError(
    'BAD_INPUT',
    refuse('refusal.groupName', { max: MAX_GROUP_NAME_LENGTH, found: harmless(name.slice(0, 80)) })
  )
}

/** @throws NodeError BAD_INPUT */
function readLink(text: string): GroupLink {
  try {
    return decodeGroupLink(text)
  } catch (error) {
    if (!(error instanceof TrustError)) throw error
    throw new NodeError('BAD_INPUT', refuse('refusal.link', { problem: error.message }), { cause: error })
  }
}
