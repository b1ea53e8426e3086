// What people ask each other about the directory. `find`: a friend is asked for the record under a blinded key; whoever
// asks shows by a proof that they know whom they ask for. `tell`: friends hand each other their own records, so that
// they can answer when the DHT does not.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import type { ContactRecord, Contacts } from '../trust/index.ts'
import type { Asker, Message, PeopleProtocol } from './people-protocol.ts'

const DOMAIN = Buffer.from('comrade/find/1\0')
const PROOF_SIZE = 16
/** Of today and tomorrow; yesterday's may still be somebody's today. */
const MAX_TOLD = 3
const NOTHING: Message = { type: 'found' }

/** HMAC-SHA256(root, "comrade/find/1\0" ‖ asker's peer id ‖ asked one's peer id ‖ blinded key)[0..16]. */
export function findProof(root: Uint8Array, asker: PeerId, asked: PeerId, blinded: Uint8Array): Uint8Array {
  const hmac = createHmac('sha256', root).update(DOMAIN)
  for (const peer of [asker, asked]) hmac.update(peer.toMultihash().bytes)
  return new Uint8Array(hmac.update(blinded).digest().subarray(0, PROOF_SIZE))
}

export interface DirectoryQuestionsOptions {
  questions: PeopleProtocol
  self: PeerId
  contacts: Contacts
  /** Who a connected peer has proven to be. */
  contactOf: (peer: PeerId) => ContactRecord | undefined
  /** Somebody who is followed handed over own records, unchecked. */
  onTold: (root: Uint8Array, records: Uint8Array[]) => void
}

export class DirectoryQuestions {
  readonly #options: DirectoryQuestionsOptions

  constructor(options: DirectoryQuestionsOptions) {
    this.#options = options
    options.questions.answer('find', (question, asker) => this.#answerFind(question, asker))
    options.questions.answer('tell', (question, asker) => this.#answerTell(question, asker))
  }

  /** Connected people whom one follows, and own devices. */
  friends(connected: readonly PeerId[]): PeerId[] {
    return connected.filter((peer) => isTrusted(this.#options.contactOf(peer)))
  }

  /** Asks each of them. @returns records as they come, unchecked */
  async *find(
    friends: readonly PeerId[],
    wanted: { root: Uint8Array; blinded: Uint8Array },
    signal: AbortSignal
  ): AsyncGenerator<Uint8Array> {
    const pending = new Map(
      friends.map((peer) => [peer, this.#ask(peer, wanted, signal).then((record) => ({ peer, record }))])
    )
    while (pending.size > 0) {
      const { peer, record } = await Promise.race(pending.values())
      pending.delete(peer)
      if (record !== undefined) yield record
    }
  }

  /** Hands own records to a friend. */
  async tell(peer: PeerId, records: Uint8Array[], signal: AbortSignal): Promise<void> {
    await this.#options.questions.ask(peer, { type: 'tell', records }, { signal }).catch(() => {}) // the DHT has them too
  }

  async #ask(
    peer: PeerId,
    { root, blinded }: { root: Uint8Array; blinded: Uint8Array },
    signal: AbortSignal
  ): Promise<Uint8Array | undefined> {
    const { questions, self } = this.#options
    const question = { type: 'find', key: blinded, proof: findProof(root, self, peer, blinded) }
    const { record } = await questions.ask(peer, question, { signal }).catch((): Message => NOTHING)
    return record instanceof Uint8Array ? record : undefined
  }

  /** All who are not followed, and who cannot prove that they know the person, hear the same as when nothing is known. */
  #answerFind({ key, proof }: Message, { peerId }: Asker): Message {
    const { contacts, contactOf, self } = this.#options
    if (!(key instanceof Uint8Array) || !(proof instanceof Uint8Array) || proof.length !== PROOF_SIZE) return NOTHING
    const known = contacts.directory.find(key)
    if (known === undefined || !isTrusted(contactOf(peerId)) || !isTrusted(contacts.get(known.identity))) return NOTHING
    if (!timingSafeEqual(proof, findProof(known.identity, peerId, self, key))) return NOTHING
    return { type: 'found', record: known.record.bytes }
  }

  #answerTell({ records }: Message, { peerId }: Asker): Message {
    const asker = this.#options.contactOf(peerId)
    if (asker?.relation === 'followed' && Array.isArray(records) && records.length <= MAX_TOLD)
      this.#options.onTold(
        asker.key,
        records.filter((record) => record instanceof Uint8Array)
      )
    return { type: 'told' }
  }
}

function isTrusted(person: ContactRecord | undefined): boolean {
  return person?.relation === 'followed' || person?.relation === 'self'
}
