// Under which secret an author's fresh entries are gossiped. Generation 0 follows from the identity, so that anybody who
// knows it can listen. Blocking somebody, or ending a friendship, begins a new generation that only friends are told.
import { randomBytes } from 'node:crypto'
import { topicSecret } from '../feeds/index.ts'
import type { SealedQueue } from './sealed-queue.ts'
import type { Statements, Write } from './statements.ts'

const SECRET_SIZE = 32
const MAX_GENERATION = 0xffff_ffff
/** Generations that may have passed unheard: above it nobody blocks so often, and a stolen device would leave none to come. */
const MAX_STEP = 65_536

export interface TopicSecret {
  generation: number
  /** 32 bytes. */
  secret: Uint8Array
}

interface Options {
  self: Uint8Array
  write: Write
  queue: SealedQueue
}

/** Made by Contacts, which owns the tables. */
export class TopicSecrets {
  readonly #statements: Statements
  readonly #self: Uint8Array
  readonly #write: Write
  readonly #queue: SealedQueue

  constructor(statements: Statements, { self, write, queue }: Options) {
    this.#statements = statements
    this.#self = self
    this.#write = write
    this.#queue = queue
  }

  /** One's own, as it is told to friends. */
  get own(): TopicSecret {
    return this.of(this.#self)
  }

  /** The newest that is known of an identity. */
  of(identity: Uint8Array): TopicSecret {
    const row = this.#statements.all('SELECT * FROM topic_secrets WHERE identity = ?', identity)[0]
    if (row === undefined) return { generation: 0, secret: topicSecret(identity) }
    return { generation: row.generation as number, secret: row.secret as Uint8Array }
  }

  /**
   * Keeps what a device of this identity told. A generation that two of its devices began at the same time has the
   * secret with the higher bytes. Anything else that is not newer, or is too far ahead, or has not the form of a secret, changes nothing.
   * @returns whether it was news
   */
  learn(identity: Uint8Array, told: { generation: unknown; secret: unknown }): boolean {
    if (!isTopicSecret(told) || told.generation === 0) return false
    const known = this.of(identity)
    const isNewer =
      (told.generation > known.generation && told.generation <= known.generation + MAX_STEP) ||
      (told.generation === known.generation && Buffer.compare(told.secret, known.secret) > 0)
    if (isNewer) this.#write(() => this.#set(identity, told), { isDurable: true })
    return isNewer
  }

  /** Begins a new generation of one's own. */
  rotate(): void {
    this.#write(
      () => {
        const next = { generation: this.own.generation + 1, secret: new Uint8Array(randomBytes(SECRET_SIZE)) }
        this.#set(this.#self, next)
        this.#queue.add('self/topic', { type: 'self/topic', ...next })
      },
      { isDurable: true }
    )
  }

  /** Of somebody who is no longer followed. */
  forget(identity: Uint8Array): void {
    this.#statements.run('DELETE FROM topic_secrets WHERE identity = ?', identity)
  }

  #set(identity: Uint8Array, { generation, secret }: TopicSecret): void {
    this.#statements.run(
      'INSERT INTO topic_secrets VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET generation = ?2, secret = ?3',
      identity,
      generation,
      secret
    )
  }
}

function isTopicSecret(value: { generation: unknown; secret: unknown }): value is TopicSecret {
  const { generation, secret } = value
  return (
    Number.isInteger(generation) &&
    (generation as number) >= 0 &&
    (generation as number) <= MAX_GENERATION &&
    secret instanceof Uint8Array &&
    secret.length === SECRET_SIZE
  )
}
