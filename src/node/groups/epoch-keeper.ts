// Makes an epoch when the group needs one: at once by whoever wants to write, otherwise by whichever member's device comes
// first after a random while.
import { currentEpoch, epochNeed, makeEpoch, MAX_RECIPIENTS } from '../../groups/index.ts'
import { NodeError } from '../comrade.ts'
import type { GroupKey, Keyring } from './keyring.ts'
import type { LocalGroup } from './local-group.ts'

/** Longest that a device waits for another one to make the epoch, in ms. */
const MAX_DELAY_MS = 2_000
/** How long to wait after the store failed (the disk is full), in ms. */
const RETRY_MS = 10_000

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

  constructor({ group, keyring, waitMs = 0, delay = () => Math.random() * MAX_DELAY_MS }: EpochKeeperOptions) {
    this.#notBeforeMs = performance.now() + waitMs
    this.#group = group
    this.#keyring = keyring
    this.#delay = delay
  }

  /** Call it when the log has changed and the keyring has learnt what is new. */
  look(): void {
    if (this.#timer !== undefined || !this.#isNeeded()) return
    const isAlone = this.#group.evaluated.view().seats.size === 1
    this.#lookIn(isAlone ? 0 : Math.max(0, this.#notBeforeMs - performance.now()) + this.#delay())
  }

  /**
   * The key that a writer uses now; an epoch is made when there is none.
   * @throws NodeError FAILED when this device cannot write: it is no member, or the group is too large; GroupError
   */
  writersKey(): GroupKey {
    const { evaluated: evaluator, seat } = this.#group
    if (seat === undefined)
      throw new NodeError('NOT_OWN', 'only members can post to a group, on the device that joined')
    if (evaluator.log.create.reading === 'open') return this.#keyring.keys[0]
    if (this.#isNeeded()) this.#make()
    const epoch = currentEpoch(evaluator)
    const key = epoch && this.#keyring.key(epoch.secret)
    if (key !== undefined) return key
    const { size } = evaluator.view().seats
    throw new NodeError(
      'FAILED',
      size > MAX_RECIPIENTS
        ? `what only members read can be posted to at most ${MAX_RECIPIENTS} of them, and there are ${size}`
        : 'no key could be made for this group'
    )
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #isNeeded(): boolean {
    const { evaluator, seat } = this.#group
    if (evaluator === undefined || seat === undefined) return false
    const need = epochNeed(evaluator, ({ secret }) => this.#keyring.key(secret) !== undefined)
    return need !== undefined || this.#keyring.isOwed(evaluator.view().byMember.keys())
  }

  #lookIn(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      try {
        if (this.#isNeeded()) this.#make()
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
