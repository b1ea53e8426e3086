// What connected people tell each other once they have recognised each other: under which secret fresh entries are
// gossiped, and, to friends who are to know, whom one follows. Said only when it is news to that device.
import type { PeerId } from '@libp2p/interface'
import { encodeCbor } from '../feeds/index.ts'
import { type ContactRecord, MAX_SHARED_FOLLOWS } from '../trust/index.ts'
import { NodeError } from './comrade.ts'
import type { People } from './people.ts'
import type { Asker, Message, PeopleProtocol } from './people-protocol.ts'

/** A peer that does not know us yet may do so a moment later: when it is asked again, in ms. */
const RETRIES_MS = [1_000, 5_000] as const

export interface GreetingOptions {
  people: People
  questions: PeopleProtocol
  /** Whether friends are told whom one follows. */
  sharesContacts: () => boolean
  /** The device at the other end of a connection, if it was recognised. */
  deviceOf: (peerId: PeerId) => Uint8Array | undefined
  /** Somebody's topic secret is another one now. */
  onSecret: () => void
  /** A friend follows others than before. */
  onShared: () => void
}

export class Greeting {
  readonly #options: GreetingOptions
  /** Peers that are being told something. */
  readonly #underway = new Set<string>()
  readonly #retries = new Set<NodeJS.Timeout>()
  #isStopped = false

  constructor(options: GreetingOptions) {
    this.#options = options
    options.questions.answer('greet', (question, asker) => this.#answer(question, asker))
  }

  stop(): void {
    this.#isStopped = true
    for (const timer of this.#retries) clearTimeout(timer)
    this.#retries.clear()
  }

  /** Tells a connected peer what is news to it. Nothing for whom one does not follow. */
  greet(peerId: PeerId, attempt = 0): void {
    const person = this.#personAt(peerId)
    if (this.#isStopped || person === undefined || this.#underway.has(peerId.toString())) return
    const { contact, device } = person
    const question = this.#questionTo(contact)
    const { greetings, topics } = this.#options.people.contacts
    const isNothing = topics.own.generation === 0 && question.follows === undefined
    if (greetings.isNews(device, encodeCbor(question), isNothing)) void this.#ask(peerId, person, question, attempt)
  }

  async #ask(peerId: PeerId, { contact, device }: Person, question: Message, attempt: number): Promise<void> {
    const { people, questions } = this.#options
    this.#underway.add(peerId.toString())
    try {
      people.contacts.greetings.begin(device, contact.key)
      await questions.ask(peerId, question)
      const isStill = !this.#isStopped && people.contacts.get(contact.key).relation === 'followed'
      if (isStill) people.contacts.greetings.note(device, contact.key, encodeCbor(question))
    } catch {
      if (this.#isStopped || attempt >= RETRIES_MS.length) return // told when they connect the next time
      return this.#greetLater(peerId, attempt)
    } finally {
      this.#underway.delete(peerId.toString())
    }
    this.greet(peerId) // something may have changed meanwhile
  }

  #greetLater(peerId: PeerId, attempt: number): void {
    const timer = setTimeout(() => {
      this.#retries.delete(timer)
      this.greet(peerId, attempt + 1)
    }, RETRIES_MS[attempt])
    timer.unref()
    this.#retries.add(timer)
  }

  #questionTo({ isFriend }: ContactRecord): Message {
    const { people, sharesContacts } = this.#options
    const { generation, secret } = people.contacts.topics.own
    const follows = sharesContacts() && isFriend ? people.contacts.followed(MAX_SHARED_FOLLOWS) : []
    return { type: 'greet', topic: { generation, secret }, ...(follows.length === 0 ? {} : { follows }) }
  }

  #answer({ topic, follows = [] }: Message, { peerId }: Asker): Message {
    const person = this.#personAt(peerId)
    if (person === undefined) throw new NodeError('NOT_FOUND', 'whoever greets is not followed here')
    if (!isMap(topic) || !isKeyList(follows))
      throw new NodeError('BAD_INPUT', 'a greeting has a topic, and perhaps a list of at most 2,000 keys')
    const { contacts } = this.#options.people
    if (contacts.topics.learn(person.contact.key, { generation: topic.generation, secret: topic.secret }))
      this.#options.onSecret()
    if (contacts.shared.set(person.contact.key, follows)) this.#options.onShared()
    return { type: 'greeted' }
  }

  /** Who is at the other end: somebody whom one follows, on a device that was not revoked. */
  #personAt(peerId: PeerId): Person | undefined {
    const { people, deviceOf } = this.#options
    const device = deviceOf(peerId)
    const contact = device && people.contactOfDevice(device)
    if (device === undefined || contact?.relation !== 'followed') return undefined
    return people.contacts.deviceByKey(device)?.revoked === undefined ? { contact, device } : undefined
  }
}

interface Person {
  contact: ContactRecord
  device: Uint8Array
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isKeyList(value: unknown): value is Uint8Array[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_SHARED_FOLLOWS &&
    value.every((key) => key instanceof Uint8Array && key.length === 32)
  )
}
