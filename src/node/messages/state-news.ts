// What this device tells its user's other ones of the messages that it has written: how far they have come. It is kept until it
// has come, and the next is told after that, so that who was away for days hears of each message as it is then.
import { randomBytes } from 'node:crypto'
import { encodeCbor, type FeedStore } from '../../feeds/index.ts'
import {
  type Conversations,
  MAX_STATES,
  newContent,
  type Outbox,
  type OwnCopies,
  type SentState,
  TRANSFER_SIZE,
  type UntoldMessage
} from '../../messages/index.ts'

/** Changes that come together within this time are told together, in ms. */
const GATHERING_MS = 1_000
/** Most bytes of states in one content, which is then no larger than a short text. */
const MAX_STATES_SIZE = 1_800
/** Most contents that one device is told at a time. */
const TOLD_AT_ONCE = 16

export interface StateNewsOptions {
  store: FeedStore
  conversations: Conversations
  outbox: Outbox
  copies: OwnCopies
  /** Own root key. */
  self: Uint8Array
  /** This device's key. */
  deviceKey: () => Uint8Array
  /** Whether this is an own device that may be written to. */
  isOwn: (device: Uint8Array) => boolean
  /** Something waits for these devices. */
  onQueued: (devices: Uint8Array[]) => void
  onError: (error: unknown) => void
}

export class StateNews {
  readonly #options: StateNewsOptions
  #gathering: NodeJS.Timeout | undefined

  constructor(options: StateNewsOptions) {
    this.#options = options
  }

  /** There may be something to be told. */
  note(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined
      this.#tellAll()
    }, GATHERING_MS)
    this.#gathering.unref()
  }

  stop(): void {
    clearTimeout(this.#gathering)
    this.#gathering = undefined
  }

  #tellAll(): void {
    const { store, copies, isOwn, onQueued, onError } = this.#options
    try {
      const [own, ended] = partition(copies.devices(), isOwn)
      if (ended.length > 0) store.write(() => ended.forEach((device) => copies.end(device)))
      onQueued(own.filter((device) => this.#tell(device)))
    } catch (error) {
      onError(error)
    }
  }

  /** @returns whether there was something, and what was told before has come */
  #tell(device: Uint8Array): boolean {
    const { store, copies } = this.#options
    if (copies.untold(device, 1).length === 0 || copies.isUnderWay(device)) return false
    store.write(() => {
      for (let i = 0; i < TOLD_AT_ONCE; i++) {
        const untold = copies.untold(device, MAX_STATES)
        if (untold.length === 0) return
        this.#write(device, untold)
      }
    })
    return true
  }

  #write(device: Uint8Array, untold: readonly UntoldMessage[]): void {
    const { conversations, outbox, copies, self, deviceKey } = this.#options
    const messages = this.#fitting(untold)
    const content = newContent({ type: 'states', messages })
    const place = { author: self, device: deviceKey(), peer: self, timeMs: content.at }
    // Not one that waits for whoever it is addressed to, in the way of messages: it is for this device only.
    const num = conversations.add({ ...place, content, state: 'delivered' })!
    outbox.add(num, device, randomBytes(TRANSFER_SIZE))
    const nums = untold.slice(0, messages.length).map((each) => each.num)
    copies.noteTold(device, nums, num)
  }

  /** As many as one content has room for, but always one. */
  #fitting(untold: readonly UntoldMessage[]): SentState[] {
    const messages: SentState[] = []
    let size = 0
    for (const each of untold) {
      const next = this.#sentState(each)
      size += encodeCbor(next).length
      if (messages.length > 0 && size > MAX_STATES_SIZE) break
      messages.push(next)
    }
    return messages
  }

  #sentState({ num, id, state }: UntoldMessage): SentState {
    const recipients = this.#options.conversations.recipients.of(num)
    if (recipients.length === 0) return [id, state]
    return [id, state, recipients.map(({ person, state: each }) => [person, each])]
  }
}

function partition<T>(all: readonly T[], test: (each: T) => boolean): [T[], T[]] {
  return [all.filter(test), all.filter((each) => !test(each))]
}
