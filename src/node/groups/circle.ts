// A circle of nodes that tell each other whom they are connected with and elect one of them: the members of a group, or
// the representatives of several groups.
import {
  elect,
  type Hex,
  MAX_SKEW_MS,
  type Presence,
  PRESENCE_RENEWAL_MS,
  PresenceBook,
  readPresence,
  signPresence
} from '../../groups/index.ts'
import type { PeerId } from '@libp2p/interface'
import type { Signer } from '../../feeds/index.ts'

/** What a circle is made of. */
export interface CircleRules {
  /** Names the circle, 32 bytes. */
  id: Uint8Array
  /** This node's key in it; undefined while it has none. */
  signer(): Signer | undefined
  /** Ties are decided by it, 32 bytes. */
  term(): Uint8Array
  /** Whether this key may speak. */
  isMember(member: Hex): boolean
  /** Whether a peer may bring what others say. */
  mayBring(peerId: PeerId): boolean
  /** Keys of those in the circle with whom this node is connected. */
  links(): Hex[]
  /** Connected peers that are told what is said. */
  peers(): PeerId[]
  /** Most members whose words are kept. */
  room: number
}

/** Words that came before it was known that their author, or who brought them, may speak here. */
const MAX_EARLY = 32
/** An own word follows another one after so many ms at least, but for the first ones: others take twice as many. */
const SPEAK_EVERY_MS = 1_000
const OWN_BURST = 16

/** What this node says about itself in every circle. */
export interface Self {
  serves: boolean
  peerKey: Uint8Array
  addresses: string[]
}

export class Circle {
  readonly rules: CircleRules
  readonly book = new PresenceBook()
  #said: { at: number; what: string; dueMs: number } = { at: 0, what: '', dueMs: 0 }
  #order: Hex[] = []
  /** What may still be said at once. */
  #credit = { words: OWN_BURST, atMs: 0 }
  #early: { bytes: Uint8Array; from: PeerId }[] = []
  /** Somebody is connected otherwise than when it was counted. */
  #isStale = true
  /** Somebody can be reached elsewhere. */
  #isMoved = false
  /** For whom and in which term it was counted. */
  #counted = ''

  constructor(rules: CircleRules) {
    this.rules = rules
  }

  /** This node's key. */
  get self(): Hex | undefined {
    const signer = this.rules.signer()
    return signer && Buffer.from(signer.publicKey).toString('hex')
  }

  /** Representatives in their order, as of the last {@link count}. */
  get order(): readonly Hex[] {
    return this.#order
  }

  /** Where a member can be reached, as it says. */
  reachOf(member: Hex): Pick<Presence, 'peerKey' | 'addresses'> | undefined {
    return this.book.of(member)
  }

  /** This node's own word, when there is a new one to say. */
  speak(self: Self, nowMs: number): Uint8Array | undefined {
    const signer = this.rules.signer()
    if (signer === undefined) return undefined
    const links = this.rules.links().toSorted()
    const what = JSON.stringify([links, self.serves, self.addresses, this.self])
    if ((what === this.#said.what && !this.#isDue(nowMs)) || !this.#maySpeak(nowMs)) return undefined
    // What was said by a clock that was wrong by more than others put up with, nobody has heard.
    const at = this.#said.at - nowMs > MAX_SKEW_MS ? nowMs : Math.max(nowMs, this.#said.at + 1)
    const bytes = signPresence(this.rules.id, signer, { at, links, ...self })
    this.#said = { at, what, dueMs: nowMs + PRESENCE_RENEWAL_MS }
    this.#take({ member: this.self!, at, links, ...self }, bytes, nowMs)
    return bytes
  }

  /** Also when the clock was set back since. */
  #isDue(nowMs: number): boolean {
    return nowMs >= this.#said.dueMs || nowMs < this.#said.dueMs - PRESENCE_RENEWAL_MS
  }

  #maySpeak(nowMs: number): boolean {
    const passedMs = Math.max(0, nowMs - this.#credit.atMs)
    const words = Math.min(OWN_BURST, this.#credit.words + passedMs / SPEAK_EVERY_MS)
    this.#credit = { words: words < 1 ? words : words - 1, atMs: nowMs }
    return words >= 1
  }

  /**
   * Takes what somebody brought. What comes too early waits until the next {@link hearEarly}.
   * @returns whose word it is, when it is news
   * @throws GroupError when it is no presence, or forged
   */
  hear(bytes: Uint8Array, from: PeerId, nowMs: number): Hex | undefined {
    let isEarly = !this.rules.mayBring(from)
    const isWanted = (member: Hex, at: number): boolean => {
      if (member === this.self || !this.book.isNews(member, at, nowMs)) return false
      isEarly ||= !this.rules.isMember(member)
      return !isEarly && (this.book.size < this.rules.room || this.book.of(member) !== undefined)
    }
    const presence = readPresence(bytes, this.rules.id, isWanted)
    if (presence === undefined) {
      if (isEarly) this.#early = [...this.#early, { bytes: Uint8Array.from(bytes), from }].slice(-MAX_EARLY)
      return undefined
    }
    return this.#take(presence, bytes, nowMs) ? presence.member : undefined
  }

  #take(presence: Presence, bytes: Uint8Array, nowMs: number): boolean {
    const before = this.book.of(presence.member)
    if (!this.book.take(presence, bytes, nowMs)) return false
    this.#isStale ||= linksOf(before) !== linksOf(presence)
    this.#isMoved ||= placesOf(before) !== placesOf(presence)
    return true
  }

  /** Takes what came too early, when it does not any more. @returns what was news, by member */
  hearEarly(nowMs: number): Map<Hex, Uint8Array> {
    const early = this.#early
    this.#early = []
    const news = new Map<Hex, Uint8Array>()
    for (const { bytes, from } of early) {
      try {
        const member = this.hear(bytes, from, nowMs)
        if (member !== undefined) news.set(member, bytes)
      } catch {
        // it is forged; who brought it can't be told off any more
      }
    }
    return news
  }

  /** Whether somebody can be reached elsewhere than when it was asked last. */
  hasMoved(): boolean {
    const isMoved = this.#isMoved
    this.#isMoved = false
    return isMoved
  }

  /** Counts anew, when there is reason to. @returns whether another one is the representative now */
  count(nowMs: number): boolean {
    const { self } = this
    const term = this.rules.term()
    const counted = `${self} ${Buffer.from(term).toString('hex')}`
    const isExpired = this.book.expire((member) => this.rules.isMember(member), nowMs)
    if (!this.#isStale && !isExpired && counted === this.#counted) return false
    this.#isStale = false
    this.#counted = counted
    const before = this.#order[0]
    this.#order = self === undefined ? [] : elect(term, this.book.all(), self)
    return this.#order[0] !== before
  }
}

function linksOf(presence: Presence | undefined): string {
  return JSON.stringify(presence && [presence.serves, presence.links])
}

function placesOf(presence: Presence | undefined): string {
  return JSON.stringify(presence && [Buffer.from(presence.peerKey).toString('hex'), presence.addresses])
}
