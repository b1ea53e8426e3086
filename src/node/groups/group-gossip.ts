// Gossip of groups: fresh operations that were made here go to whoever is subscribed to the group's topic, and what comes
// there is checked like what a session brings. What gossip misses, sessions bring.
import type { PeerId } from '@libp2p/interface'
import {
  GroupError,
  groupTopic,
  type Hex,
  MAX_OPERATION_SIZE,
  type Operation,
  operationId,
  toHex
} from '../../groups/index.ts'
import { MAX_MESSAGE_SIZE, type Verdict } from '../gossip.ts'
import type { TopicShare } from '../gossip-topics.ts'
import type { GroupReplica } from './group-replica.ts'
import type { LocalGroup } from './local-group.ts'

/** Most topics that groups have of the 400 of this node. */
const MAX_GROUP_TOPICS = 100
/** How often the names are looked at again: the month may have turned. */
const REFRESH_MS = 10 * 60_000
/** Around the turn of a month both names are subscribed: clocks differ. */
const CLOCK_SKEW_MS = 24 * 3_600_000
/** How long an operation that came another way is still passed on: as long as gossipsub remembers a message. */
const FRESH_MS = 120_000
const MAX_FRESH = 4_096
/** Messages of one peer, and of all, that are being checked; more are passed over, and come by sessions. */
const MAX_JUDGED_PER_PEER = 16
const MAX_JUDGED = 128

export interface GroupGossipOptions {
  /** Registers the judge, and takes the names of topics. */
  share: (judge: GroupGossip['judge']) => TopicShare
  publish: (topic: string, data: Uint8Array) => Promise<unknown>
  /** Something of the group is missing here, and this peer may have it. */
  onGap: (group: Uint8Array, from: PeerId) => void
}

interface Heard {
  group: LocalGroup
  replica: GroupReplica
  onPlaced: (operations: readonly Operation[], origin: unknown) => void
}

export class GroupGossip {
  readonly #options: GroupGossipOptions
  readonly #share: TopicShare
  readonly #groups = new Map<Hex, Heard>()
  #topics = new Map<string, Heard>()
  /** When operations got their place here, the newest last; only in memory. */
  readonly #fresh = new Map<Hex, number>()
  readonly #judging = new Map<string, number>()
  #judged = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: GroupGossipOptions) {
    this.#options = options
    this.#share = options.share((topic, data, from) => this.judge(topic, data, from))
  }

  /** Call it after the network has started. */
  start(): void {
    this.#timer = setInterval(() => this.#refresh(), REFRESH_MS)
    this.#timer.unref()
    this.#refresh()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    for (const { group, onPlaced } of this.#groups.values()) group.events.off('placed', onPlaced)
    this.#groups.clear()
  }

  add(group: LocalGroup, replica: GroupReplica): void {
    const onPlaced = (operations: readonly Operation[], origin: unknown): void => {
      for (const { id } of operations) this.#noteFresh(id)
      if (origin === undefined) this.#publishSoon(group, operations)
    }
    group.events.on('placed', onPlaced)
    this.#groups.set(group.hex, { group, replica, onPlaced })
    this.#refresh()
  }

  remove(group: LocalGroup): void {
    const heard = this.#groups.get(group.hex)
    if (heard === undefined) return
    group.events.off('placed', heard.onPlaced)
    this.#groups.delete(group.hex)
    this.#refresh()
  }

  /**
   * Says what becomes of a message.
   * - not an operation of this group, or with a proof that does not hold → reject
   * - new here and placed → accept
   * - known → accept for two minutes after it got its place (it may have come by a session a moment before), then ignore
   * - it stands on what is not here, or there are too many of its kind → ignore; what is missing is fetched
   */
  async judge(topic: string, data: Uint8Array, from: PeerId): Promise<Verdict> {
    const heard = this.#topics.get(topic)
    if (heard === undefined) return 'ignore'
    if (data.length > MAX_OPERATION_SIZE) return 'reject'
    const peer = from.toString()
    const pending = this.#judging.get(peer) ?? 0
    if (pending >= MAX_JUDGED_PER_PEER || this.#judged >= MAX_JUDGED) return 'ignore'
    this.#judging.set(peer, pending + 1)
    this.#judged++
    try {
      return await this.#take(heard, Uint8Array.from(data), from)
    } finally {
      this.#judged--
      const left = this.#judging.get(peer)! - 1
      if (left === 0) this.#judging.delete(peer)
      else this.#judging.set(peer, left)
    }
  }

  async #take({ group, replica }: Heard, bytes: Uint8Array, from: PeerId): Promise<Verdict> {
    try {
      const { placed, isGap } = await replica.receive([bytes], from.toString())
      if (isGap) this.#options.onGap(group.id, from)
      return placed === 1 && this.#isFresh(idOf(bytes)) ? 'accept' : 'ignore'
    } catch (error) {
      return error instanceof GroupError ? 'reject' : 'ignore' // the disk may be full
    }
  }

  #refresh(): void {
    if (this.#timer === undefined) return
    this.#topics = new Map()
    for (const heard of this.#groups.values()) {
      const names = topicsOf(heard.group.id)
      if (this.#topics.size + names.size > MAX_GROUP_TOPICS) break
      for (const name of names) this.#topics.set(name, heard)
    }
    this.#share.subscribe(new Set(this.#topics.keys()))
  }

  /** After sessions have pushed to those who are connected. */
  #publishSoon(group: LocalGroup, operations: readonly Operation[]): void {
    setImmediate(() => {
      if (this.#timer === undefined || !this.#groups.has(group.hex)) return
      for (const { id } of operations) this.#publish(group, id)
    })
  }

  #publish(group: LocalGroup, id: Hex): void {
    const bytes = group.bytesOf(id)
    if (bytes === undefined || bytes.length > MAX_MESSAGE_SIZE) return // sessions bring it
    this.#options.publish(groupTopic(group.id, Date.now()), bytes).catch(() => {}) // the network is stopping
  }

  #noteFresh(id: Hex): void {
    if (this.#fresh.size >= MAX_FRESH) this.#fresh.delete(this.#fresh.keys().next().value!)
    this.#fresh.set(id, performance.now())
  }

  #isFresh(id: Hex): boolean {
    const atMs = this.#fresh.get(id)
    return atMs !== undefined && performance.now() - atMs < FRESH_MS
  }
}

/** The topic's name now and, near the turn of a month, its other name. */
function topicsOf(group: Uint8Array): Set<string> {
  const now = Date.now()
  return new Set([now - CLOCK_SKEW_MS, now + CLOCK_SKEW_MS].map((time) => groupTopic(group, time)))
}

function idOf(bytes: Uint8Array): Hex {
  return toHex(operationId(bytes))
}
