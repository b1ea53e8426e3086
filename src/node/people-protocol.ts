// `/comrade/people/1`: one question and one answer on a stream of its own. Meeting, asking friends for an address, and
// joining a device all speak it; each registers what it answers. Bytes: docs/protocol.md.
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import { decodeCbor, encodeCbor, FeedError, type MessageStream, withStream } from '../feeds/index.ts'
import { NodeError, type NodeErrorCode } from './comrade.ts'
import { framedStream } from './frames.ts'
import { noAnswer } from './refusals.ts'

export const PEOPLE_PROTOCOL = '/comrade/people/1'
/** Largest question or answer, in bytes: an identity log of 128 devices fits. */
export const MAX_MESSAGE_SIZE = 131_072
const TIME_LIMIT_MS = 10_000
/** Questions that one peer may ask in a minute; whoever asks more is refused, and not answered. */
export const MAX_QUESTIONS_PER_MINUTE = 60
const MINUTE_MS = 60_000
const MAX_REMEMBERED_PEERS = 1_024
/** Longest reason of a refusal, in UTF-16 code units. */
const MAX_REASON_LENGTH = 256
const REFUSALS: readonly string[] = [
  'BAD_INPUT',
  'NOT_FOUND',
  'NOT_OWN',
  'FAILED',
  'USED',
  'EXPIRED',
  'DECLINED',
  'BUSY'
]

/** A map of canonical DAG-CBOR; `type` says what it is. Its other fields are unchecked until the answerer checks them. */
export interface Message {
  type: string
  [field: string]: unknown
}

/** Who asks. */
export interface Asker {
  peerId: PeerId
  connection: Connection
  /** Ends when the asker went away or the time is over. */
  signal: AbortSignal
}

/**
 * What answers a question. A NodeError becomes a refusal that the asker is told: FAILED when it has a code that is
 * nobody else's concern. Any other error is this node's, and only ends the stream.
 */
export type Answerer = (question: Message, asker: Asker) => Message | Promise<Message>

export interface PeopleProtocolOptions {
  libp2p: Libp2p
  /** A peer sent what is not a question. */
  onFault: (peerId: PeerId, error: Error) => void
  /** An answerer failed. */
  onError: (type: string, error: unknown) => void
  /** @default Date.now */
  now?: () => number
}

export class PeopleProtocol {
  readonly #options: PeopleProtocolOptions
  readonly #now: () => number
  readonly #answerers = new Map<string, Answerer>()
  /** Questions of the present minute, by peer. */
  readonly #asked = new Map<string, number>()
  #minute = 0
  #stopping = new AbortController()

  constructor(options: PeopleProtocolOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Registers who answers questions of this type. */
  answer(type: string, answerer: Answerer): void {
    this.#answerers.set(type, answerer)
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController()
    await this.#options.libp2p.handle(PEOPLE_PROTOCOL, (stream, connection) => this.#accept(stream, connection), {
      maxInboundStreams: 4,
      maxOutboundStreams: 32,
      runOnLimitedConnection: true
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the node is stopping'))
    await this.#options.libp2p.unhandle(PEOPLE_PROTOCOL)
  }

  /**
   * Asks a connected peer, or one that libp2p can dial.
   * @throws NodeError with the peer's reason when it refuses; UNREACHABLE when it does not answer within 10 s or not as
   *   this protocol has it; whatever `signal` was aborted with
   */
  async ask(peerId: PeerId, question: Message, { signal }: { signal?: AbortSignal } = {}): Promise<Message> {
    const limit = this.#limit(signal)
    let answer: Message
    try {
      const stream = await this.#options.libp2p.dialProtocol(peerId, PEOPLE_PROTOCOL, {
        signal: limit,
        runOnLimitedConnection: true
      })
      answer = await withStream(framedStream(stream), limit, async (messages) => {
        await messages.send(encodeMessage(question), { signal: limit })
        return readMessage(messages)
      })
    } catch (error) {
      signal?.throwIfAborted()
      throw noAnswer(peerId, error)
    } finally {
      if (signal !== undefined) release(signal)
    }
    if (answer.type === 'refused') throw refusal(answer)
    return answer
  }

  async #accept(stream: Stream, connection: Connection): Promise<void> {
    const peerId = connection.remotePeer
    const signal = this.#limit()
    try {
      await withStream(framedStream(stream), signal, async (messages) => {
        const question = await readMessage(messages)
        await messages.send(await this.#answerTo(question, { peerId, connection, signal }), { signal })
      })
    } catch (error) {
      // A peer that goes away, or takes too long, is not to blame.
      if (error instanceof FeedError && error.code !== 'ABORTED') this.#options.onFault(peerId, error)
    }
  }

  async #answerTo(question: Message, asker: Asker): Promise<Uint8Array> {
    try {
      this.#count(asker.peerId.toString())
      const answerer = this.#answerers.get(question.type)
      if (answerer === undefined) throw new NodeError('NOT_FOUND', 'this node does not answer questions of that type')
      return encodeMessage(await answerer(question, asker))
    } catch (error) {
      if (error instanceof NodeError) return encodeMessage(refusalOf(error))
      if (!asker.signal.aborted) this.#options.onError(question.type, error)
      throw new NodeError('FAILED', 'the question could not be answered', { cause: error })
    }
  }

  #count(peer: string): void {
    const minute = Math.floor(this.#now() / MINUTE_MS)
    if (minute !== this.#minute || this.#asked.size > MAX_REMEMBERED_PEERS) this.#asked.clear()
    this.#minute = minute
    const count = (this.#asked.get(peer) ?? 0) + 1
    this.#asked.set(peer, count)
    if (count > MAX_QUESTIONS_PER_MINUTE)
      throw new NodeError('BUSY', `at most ${MAX_QUESTIONS_PER_MINUTE} questions are answered in a minute`)
  }

  #limit(signal?: AbortSignal): AbortSignal {
    const limits = [this.#stopping.signal, AbortSignal.timeout(TIME_LIMIT_MS)]
    return AbortSignal.any(signal === undefined ? limits : [...limits, signal])
  }
}

/** Node.js 24 keeps a signal with a time limit for ever when another one was made of it, until a listener is taken off it. */
function release(signal: AbortSignal): void {
  const ignore = (): void => {}
  signal.addEventListener('abort', ignore)
  signal.removeEventListener('abort', ignore)
}

function encodeMessage(message: Message): Uint8Array {
  const frame = encodeCbor(message)
  if (frame.length > MAX_MESSAGE_SIZE)
    throw new RangeError(`a message has at most ${MAX_MESSAGE_SIZE} bytes, not ${frame.length}`)
  return frame
}

async function readMessage(messages: MessageStream): Promise<Message> {
  for await (const frame of messages.receive()) {
    if (frame.length > MAX_MESSAGE_SIZE)
      throw new FeedError('FRAME_FORMAT', `a message has at most ${MAX_MESSAGE_SIZE} bytes, not ${frame.length}`)
    const message = decodeCbor(frame) as Partial<Message> | null
    if (typeof message !== 'object' || message === null || typeof message.type !== 'string')
      throw new FeedError('FRAME_FORMAT', 'a message is a map with a text named type')
    return message as Message
  }
  throw new NodeError('UNREACHABLE', 'the stream ended without a message')
}

/** What the asker is told: nothing of errors that are this node's own concern. */
function refusalOf({ code, message }: NodeError): Message {
  if (!REFUSALS.includes(code))
    return { type: 'refused', code: 'FAILED', message: 'the question could not be answered' }
  return { type: 'refused', code, message: message.slice(0, MAX_REASON_LENGTH).toWellFormed() }
}

function refusal({ code, message }: Message): NodeError {
  const known = REFUSALS.includes(code as string) ? (code as NodeErrorCode) : 'FAILED'
  return new NodeError(
    known,
    typeof message === 'string' ? message.slice(0, MAX_REASON_LENGTH) : 'the peer refuses and gives no reason'
  )
}
