// How two nodes come to know each other: the questions `meet`, `acquaint` and `introduce`, asked and answered. What a user
// may do with it is in meetings.ts, who is on the way in the tables of trust.
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type FeedStore, isUsableKey, packFeed } from '../feeds/index.ts'
import {
  type AcquaintanceState,
  cleanClaim,
  type ContactRecord,
  formatDid,
  INVITE_ID_SIZE,
  inviteId,
  inviteProof,
  isInviteProof,
  type Link
} from '../trust/index.ts'
import { type Card, MAX_CARD_ADDRESSES, makeCard, readAddresses, readCard, rootOfCard } from './card.ts'
import { NodeError } from './comrade.ts'
import type { Connections } from './connections.ts'
import type { Device } from './device.ts'
import type { People } from './people.ts'
import type { Asker, Message } from './people-protocol.ts'
import { refuse } from './refusal-sentences.ts'
import { inviteRefusalOf } from './refusals.ts'

/** Cards of strangers that are checked in a minute, whoever shows them: each may cost hundreds of verifications. */
const MAX_CARDS_PER_MINUTE = 120
const MINUTE_MS = 60_000
const PROOF_SIZE = 32
const KEY_SIZE = 32

export interface EncountersOptions {
  /** Own root key. */
  root: Uint8Array
  store: FeedStore
  people: People
  device: Device
  connections: Connections
  /** Somebody new wants to meet, or was introduced. */
  onRequest: (person: Uint8Array) => void
  onMet: (person: Uint8Array) => void
  /** A person was met, also when that is no news. */
  onCard: (person: Uint8Array) => void
}

export class Encounters {
  readonly #options: EncountersOptions
  /** Peers that are being asked again. */
  readonly #asking = new Set<string>()
  #cards = { minute: 0, count: 0 }

  constructor(options: EncountersOptions) {
    this.#options = options
    const { questions } = options.connections
    questions.answer('meet', (question, asker) => this.#answerMeet(question, asker))
    questions.answer('acquaint', (question, asker) => this.#answerAcquaint(question, asker))
    questions.answer('introduce', (question, asker) => this.#answerIntroduce(question, asker))
  }

  /**
   * Brings an invite to who made it, and is connected.
   * @throws NodeError USED, EXPIRED, DECLINED, NOT_FOUND, UNREACHABLE, BUSY
   */
  async bringInvite(link: Link, peer: PeerId, signal: AbortSignal | undefined): Promise<'met' | 'requested'> {
    const { root, connections } = this.#options
    const parts = { asker: this.#self.toMultihash().bytes, inviter: peer.toMultihash().bytes, key: root }
    const question = {
      type: 'meet',
      invite: inviteId(link.secret),
      proof: inviteProof('meet', link.secret, parts),
      card: this.#ownCard(peer, { hasTopic: false }) // whoever answers has proven nothing yet, and may not decide for it
    }
    const answer = await connections.questions.ask(peer, question, { signal }).catch((error: unknown) => {
      throw inviteRefusalOf(error)
    })
    if (answer.type === 'requested') {
      this.#keepAddresses(link.root, peer, link.addresses)
      return 'requested'
    }
    this.#takeMet(answer, peer, link.root)
    this.#keepAddresses(link.root, peer, link.addresses)
    return 'met'
  }

  /**
   * Tells a peer that one wants to know the person whose device it is, or that one has decided to.
   * @returns 'requested' when it only took note
   * @throws NodeError as PeopleProtocol.ask; BAD_INPUT when its card is not valid
   */
  async acquaint(person: Uint8Array, peer: PeerId, signal?: AbortSignal): Promise<'met' | 'requested'> {
    const { acquaintances } = this.#options.people.contacts
    const question = { type: 'acquaint', card: this.#ownCard(peer, { hasTopic: false }) }
    const answer = await this.#options.connections.questions.ask(peer, question, { signal })
    if (answer.type === 'noted') {
      // Whoever does not answer that we met has not decided, or no longer wants to know: it was told, and may ask again.
      if (acquaintances.of(person)?.state === 'met') acquaintances.meet(person, true)
      return 'requested'
    }
    this.#takeMet(answer, peer, person)
    return 'met'
  }

  /** Hands a contact somebody's identity. @throws NodeError as PeopleProtocol.ask */
  async introduce(peer: PeerId, person: ContactRecord, signal?: AbortSignal): Promise<void> {
    const { people, connections } = this.#options
    const known = people.contacts.addresses.of(person.key).filter(({ peerId }) => peerId !== undefined)
    await connections.questions.ask(
      peer,
      {
        type: 'introduce',
        root: person.key,
        addresses: known.slice(0, MAX_CARD_ADDRESSES).map(({ address }) => address),
        ...(person.claimed === undefined ? {} : { name: person.claimed })
      },
      { signal }
    )
  }

  /** A peer has connected: if it is one with whom something is still open, it is asked again. */
  onConnect(peer: string): void {
    const { contacts } = this.#options.people
    if (this.#asking.has(peer)) return
    const people = contacts.addresses.ofPeer(peer).flatMap(({ identity }) => identity ?? [])
    const person = people.find((each) => this.#isOpen(each))
    if (person === undefined) return
    this.#asking.add(peer)
    this.acquaint(person, peerIdFromString(peer))
      .catch(() => {}) // asked again when it connects the next time
      .finally(() => this.#asking.delete(peer))
  }

  /** Contacts who introduced this person, or say that they follow them: their word, never the person's. */
  contactsInCommon(person: Uint8Array): Uint8Array[] {
    const { introductions, shared } = this.#options.people.contacts
    const known = [...introductions.of(person).map(({ by }) => by), ...shared.friendsOf(person)]
    return [...new Map(known.map((key) => [Buffer.from(key).toString('hex'), key])).values()]
  }

  get #self(): PeerId {
    return this.#options.connections.libp2p.peerId
  }

  /** Whether a person was asked and has not decided, or was not told yet that this user has. */
  #isOpen(person: Uint8Array): boolean {
    const { contacts } = this.#options.people
    const { state, isTold } = contacts.acquaintances.of(person) ?? {}
    const { relation } = contacts.get(person)
    return (state === 'asked' && relation !== 'blocked') || (state === 'met' && !isTold && relation === 'followed')
  }

  /** The answer to `meet`: met, requested, or a refusal. */
  #answerMeet(question: Message, { peerId }: Asker): Message {
    const { root, people } = this.#options
    const { contacts } = people
    const person = rootOfCard(question.card)
    const id = this.#provenInvite(question, peerId, person)
    if (isSame(person, root)) throw new NodeError('BAD_INPUT', refuse('refusal.yourself'))
    const card = this.#readCard(question.card, peerId)
    const answer = { type: 'met', card: this.#ownCard(peerId, { hasTopic: true }) }
    let outcome: Decided = { state: 'met', isNews: false }
    const use = contacts.invites.use(id, person, (which) => {
      const { isAsking } = contacts.invites.find(id)!
      // To make an invite was to say yes once: who was let go since then does not come back by it.
      if (which === 'again' && !isAsking && contacts.get(person).relation !== 'followed') throw unknownInvite()
      outcome = isAsking ? this.#noteAsking(card, peerId) : this.#note(card, peerId)
    })
    if (use === 'used') throw new NodeError('USED', 'somebody else has used this invite: ask for a new one')
    if (use === 'expired') throw new NodeError('EXPIRED', 'this invite has expired: ask for a new one')
    if (outcome.state === 'declined') throw new NodeError('DECLINED', 'they do not want to meet')
    if (outcome.state === 'met') this.#takeUp(card, outcome.isNews)
    else if (outcome.isNews) this.#options.onRequest(person)
    return outcome.state === 'met' ? answer : { type: 'requested' }
  }

  /** A blocked person is told what somebody with a wrong secret is told. @throws NodeError NOT_FOUND */
  #provenInvite(question: Message, peerId: PeerId, person: Uint8Array): Uint8Array {
    const { contacts } = this.#options.people
    const { invite: id, proof } = question
    if (!isBytes(id, INVITE_ID_SIZE) || !isBytes(proof, PROOF_SIZE))
      throw new NodeError('BAD_INPUT', `an invite is named by ${INVITE_ID_SIZE} bytes, and proven by ${PROOF_SIZE}`)
    const invite = contacts.invites.find(id)
    const parts = { asker: peerId.toMultihash().bytes, inviter: this.#self.toMultihash().bytes, key: person }
    const isProven = invite !== undefined && isInviteProof('meet', invite.secret, proof, parts)
    if (!isProven || contacts.get(person).relation === 'blocked') throw unknownInvite()
    return id
  }

  /** What becomes of somebody with an invite about which the user still decides. */
  #noteAsking(card: Card, peer: PeerId): Decided {
    const { contacts } = this.#options.people
    const before = this.#stateOf(card.root)
    if (before === 'met' || before === 'asked') return this.#note(card, peer)
    if (before === 'declined') return { state: 'declined', isNews: false }
    const isNews = contacts.acquaintances.noteAsks(requestOf(card, peer), true)
    if (!isNews && before !== 'asks')
      throw new NodeError('BUSY', 'too many people are waiting for an answer: try again later')
    return { state: 'asks', isNews }
  }

  /**
   * The answer to `acquaint`: that it was noted, whatever becomes of it, unless both want to know each other.
   * Whoever is blocked, declined or one too many learns nothing by it.
   */
  #answerAcquaint(question: Message, { peerId }: Asker): Message {
    const { root, people } = this.#options
    const { contacts } = people
    const person = rootOfCard(question.card)
    const before = this.#stateOf(person)
    const isExpected = before === 'asked' || before === 'met'
    const isKnown = this.contactsInCommon(person).length > 0
    const hasTime = this.#hasTimeForCard()
    if (!isExpected && !isKnown && !hasTime) return { type: 'noted' }
    let card: Card
    try {
      card = this.#readCard(question.card, peerId)
    } catch (error) {
      // Strangers' cards are not looked at any more: an error would tell that the person named is none.
      if (hasTime || !(error instanceof NodeError)) throw error
      return { type: 'noted' }
    }
    if (isSame(person, root) || contacts.get(person).relation === 'blocked') return { type: 'noted' }
    if (isExpected) {
      const answer = { type: 'met', card: this.#ownCard(peerId, { hasTopic: true }) }
      this.#takeUp(card, this.#note(card, peerId).isNews)
      return answer
    }
    if (contacts.acquaintances.noteAsks(requestOf(card, peerId), isKnown)) this.#options.onRequest(person)
    return { type: 'noted' }
  }

  /** The answer to `introduce`. A stranger is told the same as a contact, and nothing comes of it. */
  #answerIntroduce({ root: person, name, addresses }: Message, { peerId }: Asker): Message {
    const { root, people, connections } = this.#options
    const { contacts } = people
    const by = connections.contactOf(peerId)
    if (!isBytes(person, KEY_SIZE) || !isUsableKey(person))
      throw new NodeError('BAD_INPUT', 'an introduction names an Ed25519 key')
    const introduction = { person, addresses: readAddresses(addresses), name: claimOf(name) }
    const isPointless = isSame(person, root) || contacts.get(person).relation !== 'none'
    if (by?.relation !== 'followed' || isPointless || isSame(person, by.key)) return { type: 'noted' }
    const result = contacts.introductions.add({ ...introduction, by: by.key })
    if (result === 'refused') throw new NodeError('BUSY', 'too many introductions in one day')
    if (result === 'new' && this.#stateOf(person) === undefined) this.#options.onRequest(person)
    return { type: 'noted' }
  }

  /** How it stands with a person. To have met counts as long as one follows them; friends may have met at another device. */
  #stateOf(person: Uint8Array): AcquaintanceState | undefined {
    const { contacts } = this.#options.people
    const { relation, isFriend } = contacts.get(person)
    const state = contacts.acquaintances.of(person)?.state
    if (isFriend) return 'met'
    return state === 'met' && relation !== 'followed' ? undefined : state
  }

  #hasTimeForCard(): boolean {
    const minute = Math.floor(Date.now() / MINUTE_MS)
    if (minute !== this.#cards.minute) this.#cards = { minute, count: 0 }
    return ++this.#cards.count <= MAX_CARDS_PER_MINUTE
  }

  #takeMet(answer: Message, peer: PeerId, person: Uint8Array): void {
    if (answer.type !== 'met')
      throw new NodeError('UNREACHABLE', `peer ${peer} does not answer as this protocol has it`)
    if (!isSame(rootOfCard(answer.card), person))
      throw new NodeError('UNREACHABLE', `at that address is somebody else, not ${formatDid(person)}`)
    const card = this.#readCard(answer.card, peer)
    this.#takeUp(card, this.#note(card, peer).isNews)
  }

  /** Reads a card, and compares it with what is known already. @throws NodeError BAD_INPUT */
  #readCard(value: unknown, holder: PeerId): Card {
    const card = readCard(value, { holder, reader: this.#self })
    const known = this.#options.people.contacts.deviceByKey(card.device)
    if (known !== undefined && (!isSame(known.identity, card.root) || known.revoked !== undefined))
      throw new NodeError('BAD_INPUT', 'the card is not valid: its device was revoked, or is of another identity')
    return card
  }

  /** Writes down that one has met, all at once. What follows from it is for {@link #takeUp}. */
  #note(card: Card, peer: PeerId): Decided {
    const { store, people } = this.#options
    const { contacts } = people
    const { root, name, topic, addresses } = card
    const isNews = this.#stateOf(root) !== 'met'
    store.write(
      () => {
        contacts.follow(root)
        contacts.acquaintances.meet(root, true)
        contacts.setFollowsUs(root, true)
        // Until a profile says what they are called.
        if (name !== undefined && contacts.get(root).claimed === undefined) contacts.setClaimed(root, { name }, 0)
        if (topic !== undefined) contacts.topics.learn(root, topic)
        this.#keepAddresses(root, peer, addresses)
        contacts.addresses.tie(peer.toString(), root)
      },
      { isDurable: true }
    )
    return { state: 'met', isNews }
  }

  /** Takes in their identity log, so that their device is recognised and read from now on. */
  #takeUp(card: Card, isNews: boolean): void {
    const { store, people, connections } = this.#options
    people.update()
    store.ingest(card.runs, { isAsked: true })
    people.updateNow()
    connections.onContactsChanged()
    this.#options.onCard(card.root)
    if (isNews) this.#options.onMet(card.root)
  }

  #keepAddresses(identity: Uint8Array, peer: PeerId, addresses: readonly string[]): void {
    const { people, connections } = this.#options
    for (const address of addresses.filter((each) => connections.addresses.isAllowed(each))) {
      try {
        people.contacts.addresses.remember({ address, peerId: peer.toString(), identity })
      } catch {
        // it names another peer, or is longer than an address is
      }
    }
  }

  /** @throws NodeError SIGNING_PAUSED while this device is not in its identity's log */
  #ownCard(reader: PeerId, { hasTopic }: { hasTopic: boolean }): Record<string, unknown> {
    const { root, store, people, device, connections } = this.#options
    const { contacts } = people
    if (device.log.height === 0 || device.log.low !== 1)
      throw new NodeError('SIGNING_PAUSED', 'this device does not hold its identity log yet, and cannot say who it is')
    return makeCard(
      {
        root,
        device: device.key,
        name: contacts.get(root).claimed,
        log: packFeed(store, device.log),
        addresses: connections.libp2p.getMultiaddrs().map(String),
        topic: hasTopic ? contacts.topics.own : undefined
      },
      { holder: this.#self, reader }
    )
  }
}

function unknownInvite(): NodeError {
  return new NodeError('NOT_FOUND', 'this invite is not known here: it may be too old, or of another device')
}

interface Decided {
  state: 'met' | 'asks' | 'declined'
  isNews: boolean
}

function requestOf({ root, name, addresses }: Card, peer: PeerId) {
  return { person: root, name, addresses, peer: peer.toString() }
}

function claimOf(name: unknown): string | undefined {
  return typeof name === 'string' ? cleanClaim(name) : undefined
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
