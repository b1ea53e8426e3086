// Does for each group what a member's device does by itself (src/groups/duties.ts): after a random wait, and only what is
// still due by then, so that a group comes to rest after a few operations however many devices are awake.
import { decodeCbor } from '../../feeds/index.ts'
import {
  backoffMs,
  type Duty,
  dutiesOf,
  dutyKey,
  fromHex,
  type Operation,
  type SignedType,
  spentKeys
} from '../../groups/index.ts'
import { type Clock, SYSTEM_CLOCK } from '../redial.ts'
import { DAY_MS } from './founding.ts'
import type { GroupsEvents } from './groups.ts'
import type { LocalGroup } from './local-group.ts'
import { broughtKeys, freshKeys } from './membership.ts'

/** After the start: what others did meanwhile comes first. */
const START_WAIT_MS = 5_000
/** Changes within this time are looked at together. */
const LOOK_DELAY_MS = 200
/** When nothing changes: a day may have begun. */
const LOOK_INTERVAL_MS = 600_000
/** The longest wait before each duty; several times what it takes to hear of what others do. */
const LONGEST_WAIT_MS: Readonly<Record<Duty['type'], number>> = {
  certificate: 2_000,
  checkpoint: 10_000,
  ack: 5_000,
  rekey: 600_000,
  again: 2_000
}

export interface UpkeepOptions {
  groups: {
    all(): LocalGroup[]
    events: {
      on<Name extends keyof GroupsEvents>(name: Name, listener: (...args: GroupsEvents[Name]) => void): unknown
      off<Name extends keyof GroupsEvents>(name: Name, listener: (...args: GroupsEvents[Name]) => void): unknown
    }
  }
  /** While this device may not sign: it is restored and not up to date, or revoked. */
  isPaused(): boolean
  onError(error: unknown): void
  /** @default the system's */
  clock?: Clock
  /** A number from 0 to 1. @default Math.random */
  random?: () => number
}

export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #keepers = new Map<LocalGroup, Keeper>()

  constructor(options: UpkeepOptions) {
    this.#options = options
  }

  start(): void {
    const { events } = this.#options.groups
    events.on('added', this.#add)
    events.on('removed', this.#remove)
    for (const group of this.#options.groups.all()) this.#keep(group, START_WAIT_MS)
  }

  stop(): void {
    const { events } = this.#options.groups
    events.off('added', this.#add)
    events.off('removed', this.#remove)
    for (const keeper of this.#keepers.values()) keeper.stop()
    this.#keepers.clear()
  }

  readonly #add = (group: LocalGroup): void => this.#keep(group, 0)

  #keep(group: LocalGroup, waitMs: number): void {
    if (!this.#keepers.has(group)) this.#keepers.set(group, new Keeper(group, waitMs, this.#options))
  }

  readonly #remove = (group: LocalGroup): void => {
    this.#keepers.get(group)?.stop()
    this.#keepers.delete(group)
  }
}

/** The upkeep of one group. */
class Keeper {
  readonly #group: LocalGroup
  readonly #options: UpkeepOptions
  readonly #clock: Clock
  readonly #random: () => number
  /** What waits to be done, by its name. */
  readonly #waiting = new Map<string, unknown>()
  /** Nothing is looked at before. */
  readonly #readyMs: number
  #look: { timer: unknown; dueMs: number } | undefined

  constructor(group: LocalGroup, waitMs: number, options: UpkeepOptions) {
    this.#group = group
    this.#options = options
    this.#clock = options.clock ?? SYSTEM_CLOCK
    this.#random = options.random ?? Math.random
    this.#readyMs = this.#clock.now() + waitMs
    group.events.on('changed', this.#onChanged)
    this.#lookIn(waitMs)
  }

  stop(): void {
    this.#group.events.off('changed', this.#onChanged)
    this.#clock.clearTimeout(this.#look?.timer)
    for (const timer of this.#waiting.values()) this.#clock.clearTimeout(timer)
    this.#waiting.clear()
  }

  readonly #onChanged = (): void => {
    this.#lookIn(Math.max(LOOK_DELAY_MS, this.#readyMs - this.#clock.now()))
  }

  #lookIn(delayMs: number): void {
    const dueMs = this.#clock.now() + delayMs
    if (this.#look !== undefined && this.#look.dueMs <= dueMs) return
    this.#clock.clearTimeout(this.#look?.timer)
    this.#look = { dueMs, timer: this.#clock.setTimeout(() => this.#doLook(), delayMs) }
  }

  #doLook(): void {
    this.#look = undefined
    this.#try(() => {
      const due = new Map(this.#due().map((duty) => [dutyKey(duty), duty]))
      for (const [key, timer] of this.#waiting) {
        if (due.has(key)) continue
        this.#clock.clearTimeout(timer)
        this.#waiting.delete(key)
      }
      for (const [key, duty] of due) {
        if (this.#waiting.has(key)) continue
        this.#waiting.set(
          key,
          this.#clock.setTimeout(() => this.#do(key), this.#waitMs(duty))
        )
      }
      this.#forgetKeys()
    })
    this.#lookIn(LOOK_INTERVAL_MS)
  }

  #due(): Duty[] {
    const { evaluator, membership, hasKeys } = this.#group
    if (evaluator === undefined || membership === undefined || this.#options.isPaused()) return []
    return dutiesOf(evaluator, membership.memberKey, Math.floor(this.#clock.now() / DAY_MS), { hasKeys })
  }

  /** Alone there is nobody to wait for. */
  #waitMs({ type, isShared }: Duty): number {
    const longest = LONGEST_WAIT_MS[type]
    const members = this.#group.evaluated.view().seats.size
    if (members <= 1) return 0
    return isShared ? backoffMs(this.#random(), members, longest) : this.#random() * longest
  }

  #do(key: string): void {
    this.#waiting.delete(key)
    this.#try(() => {
      const duty = this.#due().find((each) => dutyKey(each) === key)
      if (duty !== undefined) perform(this.#group, duty)
    })
  }

  /** What fails (a full disk) is tried again at a later look. */
  #try(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#options.onError(error)
    }
  }

  #forgetKeys(): void {
    const { evaluator, membership } = this.#group
    if (evaluator === undefined || membership === undefined || membership.ringSecrets.size < 2) return
    for (const { ring, kem } of spentKeys(evaluator, membership.memberKey)) {
      if (membership.ringSecrets.has(ring)) this.#group.removeKey(ring)
      if (membership.kemSecrets.has(kem)) this.#group.removeKey(kem)
    }
  }
}

/** Signs what a duty asks for. */
function perform(group: LocalGroup, duty: Duty): Operation {
  switch (duty.type) {
    case 'certificate':
      return group.sign('certificate', { motion: fromHex(duty.motion), ballots: duty.ballots.map(fromHex) })
    case 'checkpoint': {
      const { day, retracts, carried } = duty
      return group.sign('checkpoint', { day, retracts: retracts.map(fromHex) }, carried)
    }
    case 'ack':
      return group.sign('ack', { checkpoint: fromHex(duty.checkpoint) })
    case 'rekey': {
      const keys = freshKeys()
      group.addKeys(keys)
      return group.sign('rekey', broughtKeys(keys, group.id, group.membership!.member.publicKey))
    }
    case 'again': {
      const { type, body } = decodeCbor(group.bytesOf(duty.of)!) as { type: SignedType; body: never }
      return group.sign(type, body)
    }
  }
}
