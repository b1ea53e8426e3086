// Whom a user means to write to: a person, or a conversation of several.
import { type ConversationBook, type ConversationState, isConversationId, standingOf } from '../../messages/index.ts'
import type { ContactRecord } from '../../trust/index.ts'
import { foldName, harmless } from '../../trust/index.ts'
import { NodeError } from '../comrade.ts'
import type { People } from '../people.ts'
import { refuse } from '../refusal-sentences.ts'
import { toNodeError } from './node-errors.ts'

/** What a conversation is named with, so that none can be taken for a person. */
const SIGN = '+'
const ID = /^[0-9a-f]{32}$/
/** Fewest digits of an id that name a conversation. */
const ID_BEGINNING = /^[0-9a-f]{4,32}$/

interface Found {
  id: Uint8Array
  state: ConversationState
}

export class Addressees {
  readonly #people: People
  readonly #book: ConversationBook

  constructor(people: People, book: ConversationBook) {
    this.#people = people
    this.#book = book
  }

  /** @returns a person's root key or a conversation's id. @throws NodeError WHO_UNKNOWN, WHO_AMBIGUOUS */
  find(text: string): Uint8Array {
    return text.startsWith(SIGN) || ID.test(text) ? this.conversation(text) : this.person(text).key
  }

  /** As {@link find}, and whether the user may write there. @throws NodeError BAD_INPUT besides */
  writable(text: string): Uint8Array {
    const peer = this.find(text)
    this.check(peer)
    return peer
  }

  /** @throws NodeError BAD_INPUT when the user may not write there */
  check(peer: Uint8Array): void {
    if (isConversationId(peer)) this.stateOf(peer)
    else this.#checkPerson(this.#people.contacts.get(peer))
  }

  isWritten(peer: Uint8Array): boolean {
    return !isConversationId(peer) || this.#isMember(this.#book.get(peer))
  }

  /** Somebody whom the user follows. @throws NodeError WHO_UNKNOWN, WHO_AMBIGUOUS, BAD_INPUT */
  followed(who: string): Uint8Array {
    const person = this.person(who)
    this.#checkPerson(person)
    return person.key
  }

  /** @throws NodeError WHO_UNKNOWN, WHO_AMBIGUOUS */
  person(who: string): ContactRecord {
    try {
      return this.#people.contacts.find(who)
    } catch (error) {
      throw toNodeError(error)
    }
  }

  /** Its id. @param text the id; or +, and the beginning of it or the name. @throws NodeError WHO_UNKNOWN, WHO_AMBIGUOUS */
  conversation(text: string): Uint8Array {
    const given = text.startsWith(SIGN) ? text.slice(SIGN.length) : text
    const all = this.#book.several()
    const isNamed = ({ state: { name } }: Found): boolean => given !== '' && foldName(name.value) === foldName(given)
    const isMeant = ({ id }: Found): boolean => ID_BEGINNING.test(given) && hex(id).startsWith(given)
    // A name is given by others, who may have taken it from another conversation's id: a whole id comes first.
    const found = ID.test(given) ? all.filter(isMeant) : all.filter((each) => isNamed(each) || isMeant(each))
    if (found.length === 1) return found[0].id
    const shown = harmless(text.slice(0, 80))
    if (found.length === 0) throw new NodeError('WHO_UNKNOWN', refuse('refusal.noConversation', { name: shown }))
    const choices = found.map(({ id }) => `${SIGN}${hex(id)}`).join(', ')
    throw new NodeError('WHO_AMBIGUOUS', `${found.length} conversations are called ${shown}: ${choices}`)
  }

  /** What is agreed in a conversation to which the user belongs. @throws NodeError BAD_INPUT to others */
  stateOf(id: Uint8Array): ConversationState {
    const state = this.#book.get(id)
    if (this.#isMember(state)) return state
    throw new NodeError('BAD_INPUT', refuse('refusal.leftConversation'))
  }

  #isMember(state: ConversationState): boolean {
    return standingOf(state, hex(this.#people.root)) === 'member'
  }

  #checkPerson({ relation }: ContactRecord): void {
    if (relation === 'self') throw new NodeError('BAD_INPUT', refuse('refusal.messageSelf'))
    if (relation === 'blocked') throw new NodeError('BAD_INPUT', refuse('refusal.messageBlocked'))
    if (relation !== 'followed') throw new NodeError('BAD_INPUT', refuse('refusal.messageStranger'))
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
