// What this device says namelessly: which of its ring keys speaks on a motion, which slot it uses, and whether it has
// spoken already. Nothing is kept about it: all is seen by comparing own tags with those in the log.
import { randomInt } from 'node:crypto'
import {
  type Anonymous,
  BALLOT_SLOT,
  DAYS_PER_PERIOD,
  fromHex,
  type Hex,
  type ProofPlace,
  slotTagOf,
  strictestSlots,
  tagOf,
  toHex
} from '../../groups/index.ts'
import { NodeError } from '../comrade.ts'
import { refuse } from '../refusal-sentences.ts'
import type { LocalGroup } from './local-group.ts'
import type { Publisher } from './publisher.ts'
import type { Verifier } from './verifier.ts'

/** One's voice on one motion. */
interface Voice {
  motion: Hex
  place: ProofPlace
  secret: Uint8Array
  /** What was said already. */
  said: readonly Anonymous[]
}

export class BallotBox {
  readonly #group: LocalGroup
  readonly #publisher: Publisher
  readonly #verifier: Verifier
  #last: Promise<unknown> = Promise.resolve()

  constructor(group: LocalGroup, publisher: Publisher, verifier: Verifier) {
    this.#group = group
    this.#publisher = publisher
    this.#verifier = verifier
  }

  /** Whether one's key is in the ring of a motion. */
  hasVoice(motion: Hex): boolean {
    return this.#keyIn(this.#group.evaluated.place(motion)) !== undefined
  }

  /** Whether one vouched for a candidacy and has not taken it back. */
  isVouchedFor(candidacy: Hex): boolean {
    return this.hasVoice(candidacy) && isGiven(this.#voice(candidacy))
  }

  /** @throws NodeError NOT_OWN, USED */
  async vouch(candidacy: Hex): Promise<void> {
    await this.#inTurn(async () => {
      const voice = this.#voice(candidacy)
      if (voice.said.some(({ type }) => type === 'retract'))
        throw new NodeError('USED', refuse('refusal.vouchTakenBack'))
      if (voice.said.length > 0) throw new NodeError('USED', refuse('refusal.vouchedBefore'))
      await this.#say('vouch', voice, this.#freeSlot(voice))
    })
  }

  /** @throws NodeError NOT_OWN, USED, NOT_FOUND */
  async retract(candidacy: Hex): Promise<void> {
    await this.#inTurn(async () => {
      const voice = this.#voice(candidacy)
      const vouch = voice.said.find(({ type }) => type === 'vouch')
      if (vouch === undefined) throw new NodeError('NOT_FOUND', 'you did not vouch for this candidate')
      if (voice.said.some(({ type }) => type === 'retract'))
        throw new NodeError('USED', 'you took your vouch back already')
      await this.#say('retract', voice, vouch.slot)
    })
  }

  /** @throws NodeError NOT_OWN, USED */
  async ballot(motion: Hex): Promise<void> {
    await this.#inTurn(async () => {
      const voice = this.#voice(motion)
      if (voice.said.length > 0) throw new NodeError('USED', refuse('refusal.votedBefore'))
      await this.#say('ballot', voice, BALLOT_SLOT)
    })
  }

  /** One after the other: two that are made at once would take the same slot. */
  async #inTurn(speak: () => Promise<void>): Promise<void> {
    const said = this.#last.then(speak)
    this.#last = said.catch(() => {}) // whoever speaks is told
    await said
  }

  #voice(motion: Hex): Voice {
    const place = this.#group.evaluated.place(motion)
    const key = this.#keyIn(place)
    if (place === undefined || key === undefined) throw new NodeError('NOT_OWN', refuse('refusal.noVoice'))
    const secret = this.#group.membership!.ringSecrets.get(key)!
    const tag = toHex(tagOf(secret, this.#group.id, fromHex(motion)))
    const said = this.#nameless().filter((operation) => operation.motion === motion && operation.tag === tag)
    return { motion, place, secret, said }
  }

  #keyIn(place: ProofPlace | undefined): Hex | undefined {
    const secrets = this.#group.membership?.ringSecrets
    return place?.ring.find((each) => secrets?.has(each))
  }

  /** Any slot of the motion's period that no vouch of ours has taken: the first one would tell how many came before. */
  #freeSlot({ motion, place, secret }: Voice): number {
    const taken = new Set(this.#nameless().map(({ slotTag }) => slotTag))
    const slots = strictestSlots(this.#group.evaluated.before(motion)!.rules)
    const free = Array.from({ length: slots }, (_, slot) => slot).filter((slot) => {
      const context = { group: this.#group.id, motion: fromHex(motion), period: place.period, slot }
      return !taken.has(toHex(slotTagOf(secret, context)))
    })
    if (free.length > 0) return free[randomInt(free.length)]
    throw new NodeError('USED', refuse('refusal.vouchesSpent', { count: slots, days: DAYS_PER_PERIOD }))
  }

  async #say(kind: Anonymous['type'], { motion, place, secret }: Voice, slot: number): Promise<void> {
    this.#publisher.publish(this.#group, await this.#verifier.prove({ kind, motion, slot }, place, secret))
  }

  /** In the log, or on their way there. */
  #nameless(): Anonymous[] {
    const { log } = this.#group.evaluated
    const placed = Array.from({ length: log.size }, (_, at) => log.at(at))
    return [...placed, ...this.#publisher.pending(this.#group)].filter(
      (operation): operation is Anonymous =>
        operation.type === 'vouch' || operation.type === 'ballot' || operation.type === 'retract'
    )
  }
}

/** A vouch, and no retract of it. */
function isGiven({ said }: Voice): boolean {
  return said.length > 0 && said.every(({ type }) => type === 'vouch')
}
