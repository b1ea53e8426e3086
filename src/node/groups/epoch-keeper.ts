// Makes an epoch when the group needs one: at once by whoever wants to write, otherwise by whichever member's device comes
// first after a random while.
import { currentEpoch, epochNeed, makeEpoch, MAX_RECIPIENTS } from '../../groups/index.ts'
import { NodeError } from '../comrade.ts'
import { refuse } from '../refusal-sentences.ts'
import type { GroupKey, Keyring } from './keyring.ts'
import type { LocalGroup } from './local-group.ts'

/** Longest that a device waits for another one to make the epoch, in ms. */
const MAX_DELAY_MS = 2_000
/** How long to wait after the store failed (the disk is full), in ms. */
const RETRY_MS = 10_000

/** So often the wait is doubled when a member makes epochs again and again that others cannot open: up to some hours. */
const MAX_CHEATS = 12

export interface EpochKeeperOptions {
  group: LocalGroup
  keyring: Keyring
  /** How long after it was made nothing is made, but to write, in ms. @default 0 */
  waitMs?: number
  /** Ms to wait for others. @default random, up to 2 s */
  delay?: () => number
}

export class EpochKeeper {
  readonly #group: LocalGroup
  readonly #keyring: Keyring
  readonly #delay: () => number
  readonly #notBeforeMs: number
  #timer: NodeJS.Timeout | undefined
  /** How many epochs were made because this member was given a wrong key. */
  #cheats = 0

  constructor({ group, keyring, waitMs = 0, delay = () => Math.random() * MAX_DELAY_MS }: EpochKeeperOptions) {
    this.#notBeforeMs = performance.now() + waitMs
    this.#group = group
    this.#keyring = keyring
    this.#delay = delay
  }

  /** Call it when the log has changed and the keyring has learnt what is new. */
  look(): void {
    const need = this.#timer === undefined ? this.#need() : undefined
    if (need === undefined) return
    const isAlone = this.#group.evaluated.view().seats.size === 1
    const delayMs = this.#delay() * (need === 'cheated' ? 2 ** Math.min(this.#cheats, MAX_CHEATS) : 1)
    this.#lookIn(isAlone ? 0 : Math.max(0, this.#notBeforeMs - performance.now()) + delayMs)
  }

  /**
   * The key that a writer uses now; an epoch is made when there is none.
   * @throws NodeError FAILED when this device cannot write: it is no member, or the group is too large; GroupError
   */
  writersKey(): GroupKey {
    const { evaluated: evaluator, seat } = this.#group
    if (seat === undefined) throw new NodeError('NOT_OWN', refuse('refusal.groupReaders'))
    if (evaluator.log.create.reading === 'open') return this.#keyring.keys[0]
    if (this.#need() !== undefined) this.#make()
    const epoch = currentEpoch(evaluator)
    const key = epoch && this.#keyring.key(epoch.secret)
    if (key !== undefined) return key
    const { size } = evaluator.view().seats
    if (size > MAX_RECIPIENTS)
      throw new NodeError('FAILED', refuse('refusal.groupTooLarge', { max: MAX_RECIPIENTS, count: size }))
    throw new NodeError('FAILED', refuse(this.#group.hasKeys ? 'refusal.groupNoKey' : 'refusal.groupLostKeys'))
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  /** Who has lost the key that epochs are wrapped to can open none: another one would not help. */
  #need(): ReturnType<typeof epochNeed> | 'owed' {
    const { evaluator, seat, hasKeys } = this.#group
    if (evaluator === undefined || seat === undefined) return undefined
    const need = epochNeed(evaluator, ({ secret }) => this.#keyring.key(secret) !== undefined || !hasKeys)
    if (need !== undefined || !hasKeys) return need
    return this.#keyring.isOwed(evaluator.view().byMember.keys()) ? 'owed' : undefined
  }

  #lookIn(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      try {
        const need = this.#need()
        if (need === 'cheated') this.#cheats++
        if (need !== undefined) this.#make()
      } catch {
        this.#lookIn(RETRY_MS) // the disk is full; whoever writes is told
      }
    }, delayMs)
    this.#timer.unref()
  }

  #make(): void {
    const { evaluated: evaluator, id } = this.#group
    const { history } = evaluator.log.create
    const recipients = [...evaluator.view().byMember.values()].map(({ member, kem }) => ({ member, kem }))
    const earlier = history ? this.#keyring.ungiven : []
    this.#group.sign('epoch', makeEpoch(id, recipients, { earlier }))
    this.#keyring.learn()
  }
}

/** The secret of a key, for sealing and opening. */
export function secretOf(group: LocalGroup, { secret }: GroupKey): { group: Uint8Array; secret: Uint8Array } {
  return { group: group.id, secret }
}
