// The other side of a stream of /comrade/mailbox/1: asks a host, one request after the other.
import type { MessageStream } from '../feeds/index.ts'
import { MessageError } from './errors.ts'
import {
  decodeAnswer,
  decodeGreeting,
  encodeRequest,
  type MailboxAnswer,
  type MailboxGreeting,
  type MailboxRequest,
  requestBody
} from './mailbox-frame.ts'
import { type MailboxKey, macKey, macOf } from './mailbox-key.ts'
import type { NumberedCell } from './mailbox-queues.ts'

export class MailboxCaller {
  readonly #stream: MessageStream
  readonly #frames: AsyncIterator<Uint8Array>
  readonly #greeting: MailboxGreeting
  #place = 0

  /**
   * Takes the host's greeting.
   * @throws MessageError FRAME; whatever ended the stream
   */
  static async open(stream: MessageStream): Promise<MailboxCaller> {
    const frames = stream.receive()[Symbol.asyncIterator]()
    return new MailboxCaller(stream, frames, decodeGreeting(await nextFrame(frames)))
  }

  private constructor(stream: MessageStream, frames: AsyncIterator<Uint8Array>, greeting: MailboxGreeting) {
    this.#stream = stream
    this.#frames = frames
    this.#greeting = greeting
  }

  /** The host's public key. */
  get host(): Uint8Array {
    return this.#greeting.key
  }

  /** Whether it makes queues and takes cells. */
  get isHosting(): boolean {
    return this.#greeting.isHosting
  }

  /** @param send the id that writes to the queue */
  make(receive: MailboxKey, send: Uint8Array): Promise<boolean> {
    return this.#isDone(receive, { kind: 'make', id: receive.id, cell: send })
  }

  /** @param cell exactly 2,048 bytes */
  put(send: MailboxKey, cell: Uint8Array): Promise<boolean> {
    return this.#isDone(send, { kind: 'put', id: send.id, cell })
  }

  /** The oldest cell with a higher number than this. */
  async fetch(receive: MailboxKey, after: number): Promise<NumberedCell | 'empty' | 'no'> {
    const { kind, number, cell } = await this.#ask(receive, { kind: 'fetch', id: receive.id, number: after })
    if (kind !== 'cell') return kind === 'empty' ? 'empty' : 'no'
    if (number <= after) throw new MessageError('FRAME', `asked for a cell after ${after}, the host gave ${number}`)
    return { number, cell }
  }

  /** Has all cells up to this number deleted. */
  acknowledge(receive: MailboxKey, number: number): Promise<boolean> {
    return this.#isDone(receive, { kind: 'acknowledge', id: receive.id, number })
  }

  end(receive: MailboxKey): Promise<boolean> {
    return this.#isDone(receive, { kind: 'end', id: receive.id })
  }

  async #isDone(key: MailboxKey, request: MailboxRequest): Promise<boolean> {
    return (await this.#ask(key, request)).kind === 'done'
  }

  async #ask({ secret, id }: MailboxKey, request: MailboxRequest): Promise<Required<MailboxAnswer>> {
    const { key: host, nonce } = this.#greeting
    const body = requestBody(request)
    const mac = macOf(macKey(secret, host, id, host), nonce, this.#place++, body)
    await this.#stream.send(encodeRequest(body, mac))
    return decodeAnswer(await nextFrame(this.#frames))
  }
}

async function nextFrame(frames: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const { done, value } = await frames.next()
  if (done === true) throw new MessageError('FRAME', 'the host ended the stream without an answer')
  return value
}
