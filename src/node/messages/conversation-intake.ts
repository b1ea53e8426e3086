// What comes in a conversation: whether it is taken from who sent it, and what it changes. Where two devices see by what they
// send that they know different things, each tells the other what it knows.
import {
  changesOf,
  type Content,
  type ContentChanges,
  type ConversationBook,
  type ConversationChanges,
  type ConversationContent,
  type Conversations,
  type ConversationState,
  EMPTY_STATE,
  fromFields,
  isConversationId,
  known,
  merge,
  membersOf,
  newContent,
  type Outbox,
  receive,
  shownTo,
  standingOf,
  toFields,
  viewOf
} from '../../messages/index.ts'
import type { KnownDevice } from './known-devices.ts'

/** How often a device is told the same, in ms: what it was told may be lost, or still be on its way. */
const TELL_AGAIN_MS = 60_000
/** Most conversations of several, and most to which one person may bring this one: others could invite to any number of them. */
const MAX_CONVERSATIONS = 1_000
const MAX_CONVERSATIONS_OF_ONE = 100
/** Most things that were told which are remembered. */
const MAX_TOLD = 1_000

export interface ConversationIntakeOptions {
  book: ConversationBook
  conversations: Conversations
  outbox: Outbox
  /** Own root key. */
  self: Uint8Array
  /** Devices of a person that may be written to. */
  devicesOf: (person: Uint8Array) => Uint8Array[]
  /** Tells a device something that is not kept. */
  tell: (device: Uint8Array, content: Content) => void
}

/** What a device is to be told. */
interface News {
  device: Uint8Array
  /** The other person's root key, or the conversation's id. */
  peer: Uint8Array
  state: ConversationState
}

/** What is to be done with a content. */
export interface Judgement {
  /** Where it is kept: with the other person's root key or the conversation's id. undefined: it is not kept. */
  peer?: Uint8Array
  /** As it is kept. */
  content: Content
  isShown?: boolean
  /** Whether its author's device need not send it again. */
  isAcknowledged: boolean
  /** What other devices are to be told. */
  news: News[]
  /** Something was agreed that this device did not know. */
  isNew?: boolean
  /** Numbers of own messages whose state is another one now. */
  changed: number[]
}

export class ConversationIntake {
  readonly #options: ConversationIntakeOptions
  /** What was told when, by device and conversation. */
  readonly #told = new Map<string, { view: string; atMs: number }>()
  /** Devices from which something came that is not taken yet. */
  readonly #held = new Map<string, Uint8Array>()

  constructor(options: ConversationIntakeOptions) {
    this.#options = options
  }

  /** In the transaction in which the content is kept. */
  judge(content: Content, from: KnownDevice): Judgement {
    const peer = content.conversation ?? (this.#isSelf(from.person) ? content.to : from.person)
    const nothing = { content, isAcknowledged: true, news: [], changed: [] }
    if (peer === undefined || this.#isSelf(peer)) return nothing
    const special = known(content)
    if (special?.type === 'conversation') return this.#takeState(peer, special, from)
    const state = this.#options.book.find(peer)
    if (isConversationId(peer) && !this.#isSelf(from.person)) {
      const refused = this.#refuse(peer, state, from)
      if (refused !== undefined) return { ...nothing, ...refused }
    }
    const isKnown = isSame(content.view ?? NO_VIEW, state === undefined ? NO_VIEW : viewOf(state))
    return { peer, content, isAcknowledged: true, news: isKnown ? [] : [newsFor(from, peer, state)], changed: [] }
  }

  /** When what was judged is on the disk. */
  follow({ isAcknowledged, isNew, news }: Judgement, { device }: KnownDevice): void {
    for (const each of news) if (this.#isDue(each)) this.#options.tell(each.device, this.#contentFor(each))
    if (!isAcknowledged) this.#held.set(hex(device), device)
    if (!isNew) return
    // It may be taken now, and was sealed for one opening only.
    for (const held of this.#held.values()) this.#options.tell(held, newContent({ type: 'resend' }))
    this.#held.clear()
  }

  #isDue({ device, peer, state }: News): boolean {
    const [name, view, now] = [`${hex(device)}/${hex(peer)}`, hex(viewOf(state)), performance.now()]
    const before = this.#told.get(name)
    if (before?.view === view && now - before.atMs < TELL_AGAIN_MS) return false
    if (this.#told.size >= MAX_TOLD) this.#told.clear()
    this.#told.set(name, { view, atMs: now })
    return true
  }

  #contentFor({ device, peer, state }: News): Content {
    const isOwn = this.#options.devicesOf(this.#options.self).some((own) => isSame(own, device))
    const about = isConversationId(peer) ? { conversation: peer } : isOwn ? { to: peer } : {}
    return newContent({ type: 'conversation', ...toFields(state), ...about })
  }

  /** Why a message in a conversation of several is not taken; undefined when it is. */
  #refuse(
    id: Uint8Array,
    state: ConversationState | undefined,
    from: KnownDevice
  ): Pick<Judgement, 'isAcknowledged' | 'news'> | undefined {
    const [self, sender] = [hex(this.#options.self), hex(from.person)]
    // It comes again: until then they have said what conversation it is, or the others who they are.
    if (state === undefined) return { isAcknowledged: false, news: [newsFor(from, id, state)] }
    const isIn = standingOf(state, self) === 'member'
    const standing = standingOf(state, sender)
    if (isIn && standing === 'member') return undefined
    // Who is out lets it go when they hear so; who was added again meanwhile is not forgotten.
    const told = isIn && standing === 'unknown' ? [] : [newsFor(from, id, shownTo(state, { person: sender, self }))]
    return { isAcknowledged: false, news: [...told, ...(isIn ? this.#newsFor(membersOf(state), id, state) : [])] }
  }

  #takeState(peer: Uint8Array, content: ConversationContent, from: KnownDevice): Judgement {
    const { book } = this.#options
    const own = book.find(peer)
    const received = fromFields(content)
    const merged = isConversationId(peer)
      ? receive(own, received, { from: hex(from.person), self: hex(this.#options.self) })
      : merge(own ?? EMPTY_STATE, { ...EMPTY_STATE, timer: received.timer })
    const isOut = this.#isOut(peer, received, merged ?? own)
    const letGo = isOut && !this.#isSelf(from.person) ? this.#letGo(peer, from.person) : []
    const kept = { content: { ...content }, isAcknowledged: true, news: [], changed: letGo }
    if (merged === undefined || (own === undefined && this.#isTooMany(peer, from))) return kept
    const changes = changesOf(own ?? EMPTY_STATE, merged)
    if (!isSameView(own, merged)) book.set(peer, merged)
    const removed = (changes?.removed ?? []).flatMap((person) => this.#letGo(peer, fromHex(person)))
    const changed = [...letGo, ...removed]
    const isNew = changes !== undefined
    // Who was added by somebody who did not know all of it does not know it either.
    const added = this.#newsFor(changes?.added ?? [], peer, merged)
    const news = isSameView(received, merged) ? [] : [newsFor(from, peer, merged), ...added]
    return { ...kept, peer, content: withChanges(content, changes), isShown: isNew, isNew, news, changed }
  }

  /** Whether this would be one conversation more than is taken from somebody. */
  #isTooMany(peer: Uint8Array, { person }: KnownDevice): boolean {
    const { book, conversations } = this.#options
    if (!isConversationId(peer)) return false
    const isFlood = !this.#isSelf(person) && conversations.countSeveral(person) >= MAX_CONVERSATIONS_OF_ONE
    return isFlood || book.count() >= MAX_CONVERSATIONS
  }

  /** Whether the user is out, as whoever tells of this state says, too. */
  #isOut(peer: Uint8Array, received: ConversationState, own: ConversationState | undefined): boolean {
    const self = hex(this.#options.self)
    const isFormer = (state: ConversationState): boolean => standingOf(state, self) === 'former'
    return own !== undefined && isConversationId(peer) && isFormer(received) && isFormer(own)
  }

  /** Somebody is out: what has not come to them never will. */
  #letGo(peer: Uint8Array, person: Uint8Array): number[] {
    const { conversations, outbox, devicesOf } = this.#options
    if (this.#isSelf(person)) return [] // the user's other devices go on getting what was written before
    for (const device of devicesOf(person)) outbox.removeConversation(peer, device)
    return conversations.giveUp(peer, person)
  }

  /** For all devices of these people, by their root keys in hexadecimal. */
  #newsFor(people: readonly string[], peer: Uint8Array, state: ConversationState): News[] {
    const others = people.map(fromHex).filter((person) => !this.#isSelf(person))
    return others.flatMap((person) => this.#options.devicesOf(person).map((device) => ({ device, peer, state })))
  }

  #isSelf(person: Uint8Array): boolean {
    return isSame(person, this.#options.self)
  }
}

const NO_VIEW = new Uint8Array()

function newsFor({ device }: KnownDevice, peer: Uint8Array, state = EMPTY_STATE): News {
  return { device, peer, state }
}

function isSameView(a: ConversationState | undefined, b: ConversationState): boolean {
  return a !== undefined && isSame(viewOf(a), viewOf(b))
}

/** The content as it is kept: with what it has changed here, in place of what it says that it has changed. */
function withChanges(content: ConversationContent, changes: ConversationChanges | undefined): Content {
  const kept: Content = { ...content }
  delete kept.changes
  if (changes !== undefined) kept.changes = toContentChanges(changes)
  return kept
}

export function toContentChanges({ added, removed, ...rest }: ConversationChanges): ContentChanges {
  return { added: added.map(fromHex), removed: removed.map(fromHex), ...rest }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}
