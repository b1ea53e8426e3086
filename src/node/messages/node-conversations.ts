// node.messages.conversations: begins conversations of several, and changes what is agreed in a conversation.
import { randomBytes } from 'node:crypto'
import {
  changesOf,
  type ConversationBook,
  type Conversations,
  type ConversationState,
  CONVERSATION_ID_SIZE,
  MAX_CONVERSATION_NAME_SIZE,
  MAX_TIMER_MS,
  membersOf,
  type Outbox,
  standingOf,
  type StoredMessage,
  toFields,
  withMember,
  withName,
  withoutMember,
  withTimer
} from '../../messages/index.ts'
import { NodeError } from '../comrade.ts'
import type { People } from '../people.ts'
import { refuse } from '../refusal-sentences.ts'
import type { Addressees } from './addressees.ts'
import type { Conversation, Message, MessageConversations } from './contract.ts'
import { toContentChanges } from './conversation-intake.ts'
import { personName } from './message-item.ts'
import { toNodeError } from './node-errors.ts'
import type { Fields, MessageWriter } from './writer.ts'

export interface NodeConversationsOptions {
  people: People
  writer: MessageWriter
  addressees: Addressees
  book: ConversationBook
  conversations: Conversations
  outbox: Outbox
  /** Something that is shown was written. */
  onWritten: (message: StoredMessage) => Message
}

type Change = (state: ConversationState) => ConversationState

export class NodeConversations implements MessageConversations {
  readonly #options: NodeConversationsOptions

  constructor(options: NodeConversationsOptions) {
    this.#options = options
  }

  async create({ name = '', people }: { name?: string; people: readonly string[] }): Promise<Conversation> {
    const { addressees } = this.#options
    const others = people.map((who) => addressees.followed(who))
    if (others.length === 0) throw new NodeError('BAD_INPUT', refuse('refusal.conversationAlone'))
    const id = new Uint8Array(randomBytes(CONVERSATION_ID_SIZE))
    const members = [this.#options.people.root, ...others]
    await this.#change(id, (state) =>
      members.reduce((all, person) => withMember(all, hex(person)), withName(state, checkName(name)))
    )
    return this.#toItem(id)
  }

  list(): Conversation[] {
    return this.#options.book.several().map(({ id }) => this.#toItem(id))
  }

  get(which: string): Conversation {
    return this.#toItem(this.#options.addressees.conversation(which))
  }

  async add(which: string, who: string): Promise<Conversation> {
    const person = hex(this.#options.addressees.followed(who))
    return this.#changeOwn(which, (state) => withMember(state, person))
  }

  async remove(which: string, who: string): Promise<Conversation> {
    const { addressees } = this.#options
    const person = hex(addressees.person(who).key)
    const id = addressees.conversation(which)
    if (standingOf(addressees.stateOf(id), person) !== 'member')
      throw new NodeError('WHO_UNKNOWN', refuse('refusal.notInConversation'))
    return this.#changeOwn(which, (state) => withoutMember(state, person))
  }

  async rename(which: string, name: string): Promise<Conversation> {
    const checked = checkName(name)
    return this.#changeOwn(which, (state) => withName(state, checked))
  }

  async leave(which: string): Promise<Conversation> {
    const self = hex(this.#options.people.root)
    return this.#changeOwn(which, (state) => withoutMember(state, self))
  }

  timer(whom: string): number | undefined {
    return timerOf(this.#options.book.get(this.#options.addressees.find(whom)))
  }

  async setTimer(whom: string, timerMs: number | undefined): Promise<Message> {
    if (timerMs !== undefined && !(Number.isSafeInteger(timerMs) && timerMs >= 1 && timerMs <= MAX_TIMER_MS))
      throw new NodeError('BAD_INPUT', `expected a time from 1 to ${MAX_TIMER_MS} ms, found ${timerMs}`)
    return this.#change(this.#options.addressees.writable(whom), (state) => withTimer(state, timerMs ?? 0))
  }

  async #changeOwn(which: string, change: Change): Promise<Conversation> {
    const { addressees } = this.#options
    const id = addressees.conversation(which)
    addressees.stateOf(id)
    await this.#change(id, change)
    return this.#toItem(id)
  }

  /** Changes the state and writes the message that tells of it, in one transaction. */
  async #change(peer: Uint8Array, change: Change): Promise<Message> {
    const { writer, book, onWritten } = this.#options
    let removed: Uint8Array[] = []
    const fields = (): Fields => {
      const before = book.get(peer)
      const after = changed(before, change)
      const changes = changesOf(before, after) ?? { added: [], removed: [] }
      removed = changes.removed.map(fromHex)
      book.set(peer, after)
      for (const person of removed) this.#letGo(peer, person)
      return { type: 'conversation', ...toFields(after), changes: toContentChanges(changes) }
    }
    // Who is removed is told so, as the last thing that they get.
    return onWritten(await writer.queue({ peer, fields, also: () => removed }))
  }

  #letGo(peer: Uint8Array, person: Uint8Array): void {
    const { people, outbox, conversations } = this.#options
    if (people.isSelf(person)) return
    for (const { device } of people.contacts.devicesOf(person)) outbox.removeConversation(peer, device)
    conversations.giveUp(peer, person)
  }

  #toItem(id: Uint8Array): Conversation {
    const { people, book } = this.#options
    const state = book.get(id)
    const timerMs = timerOf(state)
    const members = membersOf(state).map((key) => {
      const person = fromHex(key)
      const isReached = ['self', 'followed'].includes(people.contacts.get(person).relation)
      return { ...personName(person, people), isReached }
    })
    const isMember = standingOf(state, hex(people.root)) === 'member'
    members.sort((a, b) => (a.name < b.name ? -1 : 1))
    return { id: hex(id), name: state.name.value, members, isMember, ...(timerMs === undefined ? {} : { timerMs }) }
  }
}

function changed(before: ConversationState, change: Change): ConversationState {
  try {
    return change(before)
  } catch (error) {
    throw toNodeError(error)
  }
}

function timerOf({ timer }: ConversationState): number | undefined {
  return timer.value === 0 ? undefined : timer.value
}

function checkName(name: string): string {
  if (name.isWellFormed() && Buffer.byteLength(name) <= MAX_CONVERSATION_NAME_SIZE) return name
  throw new NodeError('BAD_INPUT', refuse('refusal.conversationName', { max: MAX_CONVERSATION_NAME_SIZE }))
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}
