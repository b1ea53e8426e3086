// Publishes vouches, ballots and retracts so that nobody can tell who made them. One waits here for a random time; then
// it goes to one other member, who tosses a coin whether to pass it on to another or to spread it. Whoever holds one
// treats it by the same rules, its author too: what others can see of a node says nothing of which of them it made.
import type { PeerId } from '@libp2p/interface'
import type { FeedStore } from '../../feeds/index.ts'
import {
  type Anonymous,
  fromHex,
  GroupError,
  type Hex,
  isPossessed,
  MOTION_LIFE_PERIODS,
  type Operation,
  padOperation,
  readOperation,
  stemName,
  toHex,
  unpadOperation
} from '../../groups/index.ts'
import { NodeError } from '../comrade.ts'
import type { Asker, Message, PeopleProtocol } from '../people-protocol.ts'
import type { LocalGroup } from './local-group.ts'
import { Outbox, type Waiting } from './outbox.ts'
import {
  embargoMs,
  heldBackMs,
  hopMs,
  LONGEST_HOLD_MS,
  type Random,
  secureRandom,
  shuffled,
  type StemTiming
} from './stem-timing.ts'

/** How likely it is that an operation is passed on once more instead of spread: a way has five hops on average. */
export const PASS_PROBABILITY = 0.8
/** Mates that are asked in turn when one does not take an operation. */
const MAX_TRIES = 3
/** How long an own operation that nobody took waits at first, in ms. */
const FIRST_TRY_MS = 100
/** So often an operation is given to another mate when it stays unseen; then whoever carries it spreads it. */
const MAX_SILENCES = 3
/** Operations of others that are on their way here; more are refused. */
export const MAX_CARRIED = 256
const CARRIED: Message = { type: 'carried' }

/** What is needed of a group. */
export type StemGroup = Pick<LocalGroup, 'id' | 'hex' | 'evaluator' | 'seat' | 'events' | 'take'>

export interface StemOptions<Group extends StemGroup> {
  questions: Pick<PeopleProtocol, 'answer' | 'ask'>
  store: FeedStore
  timing: () => StemTiming
  /** Groups that are held here. */
  groups: () => Iterable<Group>
  /** Connected peers that are devices of other members. */
  mates: (group: Group) => PeerId[]
  /**
   * Reads a nameless operation and verifies its proof, also when it was verified a moment ago: an answer that comes
   * sooner would tell that this node has had it before.
   * @throws GroupError for which whoever brought it is to blame; NodeError for any other reason why it is not taken
   */
  check: (group: Group, bytes: Uint8Array) => Promise<Anonymous>
  /** A member brought what is no operation, or not proven. */
  onFault: (peerId: PeerId) => void
  onError: (error: unknown) => void
  /** From 0 to below 1. @default a secure generator */
  random?: Random
}

/** An operation that is on its way and was not seen in the log yet. */
interface Carried<Group> {
  readonly group: Group
  readonly operation: Anonymous
  readonly bytes: Uint8Array
  /** Made here, and in the outbox. */
  readonly isOwn: boolean
  /** Who brought it; undefined as long as nobody did. */
  from?: PeerId
  /** Who took it last. */
  to?: PeerId
  /** How often nobody was there who took it. */
  refusals: number
  /** How often it was passed on and not seen. */
  silences: number
  /** Changes when it comes in again: what was underway with it is then left. */
  turn: number
  timer?: NodeJS.Timeout
}

export class Stem<Group extends StemGroup = StemGroup> {
  readonly #options: StemOptions<Group>
  readonly #random: Random
  readonly #outbox: Outbox
  readonly #carried = new Map<Hex, Carried<Group>>()
  readonly #watched = new Set<Group>()
  #stopping: AbortController | undefined
  /** It is in the log: from there on it is everybody's. */
  readonly #onPlaced = (operations: readonly Operation[]): void => {
    for (const { id } of operations) this.#drop(this.#carried.get(id))
  }

  constructor(options: StemOptions<Group>) {
    this.#options = options
    this.#random = options.random ?? secureRandom
    this.#outbox = new Outbox(options.store)
    options.questions.answer('stem', (question, asker) => this.#answer(question, asker))
  }

  /** Goes on with what was not seen when the node stopped. Call it when the groups are loaded. */
  start(): void {
    this.#stopping = new AbortController()
    for (const waiting of this.#outbox.all()) this.#resume(waiting)
  }

  stop(): void {
    this.#stopping?.abort(new Error('the node is stopping'))
    this.#stopping = undefined
    for (const { timer } of this.#carried.values()) clearTimeout(timer)
    this.#carried.clear()
    for (const { events } of this.#watched) events.off('placed', this.#onPlaced)
    this.#watched.clear()
  }

  /**
   * Publishes an operation that this device has made: it is kept on the disk until it was seen in the group's log. Who
   * is the only member has nobody to hide among, and nobody to pass it on.
   * @throws FeedError DISK_FULL, STORE_IO
   */
  publish(group: Group, bytes: Uint8Array): void {
    const operation = readOwn(group, bytes)
    if (isAlone(group)) return void group.take([{ operation, bytes }], undefined)
    const delayMs = heldBackMs(this.#options.timing(), this.#random)
    this.#outbox.add({ id: fromHex(operation.id), group: group.id, bytes, dueMs: Date.now() + delayMs })
    if (this.#stopping === undefined) return
    this.#wait(this.#carry({ group, operation, bytes, isOwn: true }), delayMs, this.#setOff)
  }

  /** Own operations of a group that were not seen in its log yet. */
  pending(group: Group): Anonymous[] {
    return this.#outbox.of(group.id).map(({ bytes }) => readOwn(group, bytes))
  }

  #resume({ id, group: groupId, bytes, dueMs }: Waiting): void {
    const group = this.#groups().find((each) => Buffer.compare(each.id, groupId) === 0)
    if (group === undefined || isPlaced(group, toHex(id))) return this.#outbox.remove(id)
    // Would it leave as soon as the node is back, it would tell that it comes from one who was away.
    const heldMs = Math.min(dueMs - Date.now(), LONGEST_HOLD_MS) // the clock may have been set back by years
    const leftMs = Math.max(heldMs, embargoMs(this.#options.timing(), this.#random))
    this.#wait(this.#carry({ group, operation: readOwn(group, bytes), bytes, isOwn: true }), leftMs, this.#setOff)
  }

  /** The first pass of an own operation. */
  readonly #setOff = (carried: Carried<Group>): void => {
    const { group, operation } = carried
    if (isOver(group, operation)) return this.#drop(carried)
    if (isAlone(group)) this.#spread(carried) // all others have gone
    else void this.#pass(carried)
  }

  /** Gives it to one other member. */
  async #pass(carried: Carried<Group>): Promise<void> {
    const turn = ++carried.turn
    for (const mate of this.#nextMates(carried)) {
      const isTaken = await this.#hand(carried, mate)
      if (carried.turn !== turn || this.#carried.get(carried.operation.id) !== carried) return
      if (!isTaken) continue
      carried.to = mate
      return this.#wait(carried, embargoMs(this.#options.timing(), this.#random), this.#miss)
    }
    // Nobody takes it: who was given it ends its way here; who made it waits for a member.
    if (carried.from !== undefined) this.#spread(carried)
    else this.#wait(carried, this.#untilNextTry(carried), this.#setOff)
  }

  /** It was passed on and is not in the log: whoever took it may have gone away, or keeps it. */
  readonly #miss = (carried: Carried<Group>): void => {
    carried.silences++
    if (carried.silences >= MAX_SILENCES) this.#spread(carried)
    else void this.#pass(carried)
  }

  /** Soon at first, since the motion may be a moment behind the vouch; then less and less often. */
  #untilNextTry(carried: Carried<Group>): number {
    const soonMs = FIRST_TRY_MS * 2 ** carried.refusals++
    return Math.min(soonMs, embargoMs(this.#options.timing(), this.#random))
  }

  /** Any of the members who are connected but the one who brought it, and another one than the last time if there is one. */
  #nextMates({ group, from, to }: Carried<Group>): PeerId[] {
    const mates = this.#options.mates(group).filter((mate) => from === undefined || !mate.equals(from))
    const others = mates.filter((mate) => to === undefined || !mate.equals(to))
    return shuffled(others.length > 0 ? others : mates, this.#random).slice(0, MAX_TRIES)
  }

  async #hand({ group, bytes }: Carried<Group>, mate: PeerId): Promise<boolean> {
    const question = { type: 'stem', group: stemName(group.id), operation: padOperation(bytes) }
    try {
      const answer = await this.#options.questions.ask(mate, question, { signal: this.#stopping?.signal })
      return answer.type === 'carried'
    } catch {
      return false // away, stopping, or without the motion yet: another one may take it
    }
  }

  async #answer({ group: name, operation: padded }: Message, { peerId }: Asker): Promise<Message> {
    const group = this.#groupNamed(name)
    if (this.#stopping === undefined || group === undefined || !this.#isMate(group, peerId))
      throw new NodeError('NOT_FOUND', 'there is no such group here')
    const { operation, bytes } = await this.#read(group, padded, peerId)
    const known = this.#carried.get(operation.id)
    if (isPlaced(group, operation.id)) return CARRIED
    if (known === undefined && this.#carried.size >= MAX_CARRIED)
      throw new NodeError('BUSY', 'too much is on its way here')
    const carried = known ?? this.#carry({ group, operation, bytes, isOwn: false })
    carried.turn++
    carried.from = peerId
    carried.to = undefined
    this.#wait(carried, hopMs(this.#options.timing(), this.#random), this.#hop)
    return CARRIED
  }

  async #read(group: Group, padded: unknown, peerId: PeerId): Promise<{ operation: Anonymous; bytes: Uint8Array }> {
    try {
      if (!(padded instanceof Uint8Array)) throw new GroupError('OPERATION', 'a stem brings an operation')
      const bytes = unpadOperation(padded)
      return { operation: await this.#options.check(group, bytes), bytes }
    } catch (error) {
      if (!(error instanceof GroupError)) throw error
      this.#options.onFault(peerId)
      throw new NodeError('BAD_INPUT', error.message, { cause: error })
    }
  }

  readonly #hop = (carried: Carried<Group>): void => {
    if (this.#random() < PASS_PROBABILITY) void this.#pass(carried)
    else this.#spread(carried)
  }

  /** The end of its way: it is given to everybody, as any operation that somebody brought. */
  #spread(carried: Carried<Group>): void {
    const { group, operation, bytes } = carried
    try {
      group.take([{ operation, bytes }], undefined)
    } catch (error) {
      this.#options.onError(error)
      this.#wait(carried, embargoMs(this.#options.timing(), this.#random), (again) => this.#spread(again))
    }
  }

  #carry(fresh: Omit<Carried<Group>, 'refusals' | 'silences' | 'turn'>): Carried<Group> {
    const { group, operation } = fresh
    if (!this.#watched.has(group)) group.events.on('placed', this.#onPlaced)
    this.#watched.add(group)
    const carried = { ...fresh, refusals: 0, silences: 0, turn: 0 }
    this.#carried.set(operation.id, carried)
    return carried
  }

  #wait(carried: Carried<Group>, delayMs: number, step: (carried: Carried<Group>) => void): void {
    clearTimeout(carried.timer)
    carried.timer = setTimeout(() => {
      if (this.#groups().includes(carried.group)) step(carried)
      else this.#drop(carried) // the group was forgotten
    }, delayMs).unref()
  }

  #drop(carried: Carried<Group> | undefined): void {
    if (carried === undefined) return
    clearTimeout(carried.timer)
    this.#carried.delete(carried.operation.id)
    try {
      if (carried.isOwn) this.#outbox.remove(fromHex(carried.operation.id))
    } catch (error) {
      this.#options.onError(error) // the disk is full: it is removed at the next start
    }
  }

  #groups(): Group[] {
    return [...this.#options.groups()]
  }

  #groupNamed(name: unknown): Group | undefined {
    if (!(name instanceof Uint8Array)) return undefined
    return this.#groups().find(({ id }) => Buffer.compare(stemName(id), name) === 0)
  }

  #isMate(group: Group, peerId: PeerId): boolean {
    return this.#options.mates(group).some((mate) => mate.equals(peerId))
  }
}

function readOwn({ hex }: StemGroup, bytes: Uint8Array): Anonymous {
  return readOperation(bytes, hex, isPossessed) as Anonymous
}

function isPlaced({ evaluator }: StemGroup, id: Hex): boolean {
  return evaluator?.log.indexOf(id) !== undefined
}

/** Whether this device is the only member. */
function isAlone({ evaluator, seat }: StemGroup): boolean {
  return seat !== undefined && evaluator?.view().seats.size === 1
}

/** Whether the motion is of a period that is over, so that nothing would come of it. */
function isOver({ evaluator }: StemGroup, { motion }: Anonymous): boolean {
  const place = evaluator?.place(motion)
  return place !== undefined && place.period + MOTION_LIFE_PERIODS < evaluator!.view().period
}
