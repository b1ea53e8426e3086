// The host's side of one stream of /comrade/mailbox/1: a frame comes in, a frame goes out. Whatever is not allowed gets the
// same answer: nobody learns whether a queue exists, is full, or is not theirs.
import { randomBytes } from 'node:crypto'
import { type MessageStream, Turn } from '../feeds/index.ts'
import { MessageError } from './errors.ts'
import { type AnswerKind, decodeRequest, encodeAnswer, encodeGreeting, type ReceivedRequest } from './mailbox-frame.ts'
import { isSameMac, MAILBOX_KEY_SIZE, macKey, macOf } from './mailbox-key.ts'
import type { HostedQueue, MailboxQueues } from './mailbox-queues.ts'

/** Refused requests after which a stream is ended: more than there are queues of one person. */
export const MAX_REFUSALS = 64

export interface MailboxHostOptions {
  queues: MailboxQueues
  /** Whether queues are made and cells taken. What is there is given out and deleted in any case. */
  isHosting: boolean
  /** A name of the person at the other end, where queues are made for them. */
  friend?: string
  /** A request has come; what this throws ends the stream. @default does nothing */
  onRequest?: () => void
}

export class MailboxHost {
  readonly #options: MailboxHostOptions
  readonly #nonce = randomBytes(32)
  #place = 0
  #refusals = 0
  /** Of the queue that was asked for last: most streams go through one queue after the other. */
  #known: { id: Uint8Array; key: Uint8Array } | undefined

  constructor(options: MailboxHostOptions) {
    this.#options = options
  }

  /**
   * Answers until the other side is done.
   * @throws MessageError FRAME, FLOOD; whatever ended the stream or `onRequest` threw
   */
  async serve(stream: MessageStream): Promise<void> {
    const turn = new Turn()
    await stream.send(this.greeting())
    for await (const frame of stream.receive()) {
      this.#options.onRequest?.()
      await stream.send(this.answer(frame))
      if (this.#refusals >= MAX_REFUSALS)
        throw new MessageError('FLOOD', `${MAX_REFUSALS} requests of one stream were refused`)
      await turn.giveWay()
    }
  }

  /** The first frame. */
  greeting(): Uint8Array {
    const { queues, isHosting } = this.#options
    return encodeGreeting({ isHosting, nonce: this.#nonce, key: queues.key.id })
  }

  /** @throws MessageError FRAME: the stream is to be ended */
  answer(frame: Uint8Array): Uint8Array {
    const request = decodeRequest(frame)
    const place = this.#place++
    const queue = this.#options.queues.find(request.id)
    const isMeant = queue === undefined ? request.kind === 'make' && this.#mayMake() : isOf(queue, request)
    if (!isMeant || !this.#isAuthentic(request, place)) return this.#refuse()
    return queue === undefined || request.kind === 'make' ? this.#make(request) : this.#serve(queue.num, request)
  }

  #mayMake(): boolean {
    return this.#options.isHosting && this.#options.friend !== undefined
  }

  #make({ id, cell }: ReceivedRequest): Uint8Array {
    const { queues, friend } = this.#options
    const send = Uint8Array.from(cell.subarray(0, MAILBOX_KEY_SIZE))
    if (!this.#mayMake()) return this.#refuse()
    return queues.make({ receive: Uint8Array.from(id), send }, friend!) ? answer('done') : this.#refuse()
  }

  #serve(num: number, { kind, number, cell }: ReceivedRequest): Uint8Array {
    const { queues, isHosting, friend } = this.#options
    switch (kind) {
      case 'put':
        return isHosting && queues.put(num, cell) ? answer('done') : this.#refuse()
      case 'fetch': {
        const found = queues.fetch(num, number, friend)
        return found === undefined ? answer('empty') : encodeAnswer({ kind: 'cell', ...found })
      }
      case 'acknowledge':
        queues.acknowledge(num, number)
        return answer('done')
      case 'end':
        queues.end(num)
        return answer('done')
      default:
        return this.#refuse()
    }
  }

  #isAuthentic({ id, body, mac }: ReceivedRequest, place: number): boolean {
    try {
      return isSameMac(mac, macOf(this.#keyOf(id), this.#nonce, place, body))
    } catch {
      return false // an id that is no key to agree with
    }
  }

  #keyOf(id: Uint8Array): Uint8Array {
    if (this.#known === undefined || Buffer.compare(this.#known.id, id) !== 0) {
      const { id: host, secret } = this.#options.queues.key
      this.#known = { id: Uint8Array.from(id), key: macKey(secret, id, id, host) }
    }
    return this.#known.key
  }

  #refuse(): Uint8Array {
    this.#refusals++
    return answer('no')
  }
}

/** Whoever may write may only write, and whoever may read may not write. */
function isOf({ role }: HostedQueue, { kind }: ReceivedRequest): boolean {
  return (role === 'send') === (kind === 'put')
}

/** Of the answers that say nothing else there is one frame each: most are one of them. */
const ANSWERS = new Map<AnswerKind, Uint8Array>()

function answer(kind: AnswerKind): Uint8Array {
  let frame = ANSWERS.get(kind)
  if (frame === undefined) ANSWERS.set(kind, (frame = encodeAnswer({ kind })))
  return frame
}
