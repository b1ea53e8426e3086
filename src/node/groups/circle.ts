// A circle of nodes that tell each other whom they are connected with and elect one of them: the members of a group, or
// the representatives of several groups.
import {
  type Candidature,
  elect,
  type Hex,
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
  /** Connected peers that are in the circle, by the key that they have there. */
  peers(): Map<Hex, PeerId>
  /** Most members whose words are kept. */
  room: number
}

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
    const links = [...this.rules.peers().keys()].toSorted()
    const what = JSON.stringify([links, self.serves, self.addresses, this.self])
    if (what === this.#said.what && nowMs < this.#said.dueMs) return undefined
    const at = Math.max(nowMs, this.#said.at + 1)
    const bytes = signPresence(this.rules.id, signer, { at, links, ...self })
    this.#said = { at, what, dueMs: nowMs + PRESENCE_RENEWAL_MS }
    this.book.take({ member: this.self!, at, links, ...self }, bytes, nowMs)
    return bytes
  }

  /**
   * Takes what somebody brought.
   * @returns whose word it is, when it is news
   * @throws GroupError when it is no presence, or forged
   */
  hear(bytes: Uint8Array, nowMs: number): Hex | undefined {
    const isWanted = (member: Hex, at: number): boolean =>
      member !== this.self &&
      this.rules.isMember(member) &&
      (this.book.size < this.rules.room || this.book.of(member) !== undefined) &&
      this.book.isNews(member, at, nowMs)
    const presence = readPresence(bytes, this.rules.id, isWanted)
    return presence !== undefined && this.book.take(presence, bytes, nowMs) ? presence.member : undefined
  }

  /** Counts anew. @returns whether another one is the representative now */
  count(nowMs: number): boolean {
    this.book.expire((member) => this.rules.isMember(member), nowMs)
    const { self } = this
    const said: Candidature[] = this.book.all()
    const before = this.#order[0]
    this.#order = self === undefined ? [] : elect(this.rules.term(), said, self)
    return this.#order[0] !== before
  }
}
