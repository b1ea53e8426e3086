// The side that fetches a blob, on one stream to one source: what it may ask for, Download says, which all sources share.
// At most a few chunks are under way, and the first wrong one ends the stream.
import type { MessageStream } from '../feeds/index.ts'
import { type BlobAnswer, type BlobRequest, decodeAnswer, encodeRequest } from './blob-frame.ts'
import type { Download } from './download.ts'
import { BlobError } from './errors.ts'
import type { StoredBlob } from './stored-blob.ts'

/** Chunks that were asked for and have not come: 512 KiB. */
const MAX_UNDER_WAY = 8
/** How long one answer may take, in ms: 64 KiB over a slow relay. */
const ANSWER_TIMEOUT_MS = 30_000

export interface BlobCallerOptions {
  /** Of one answer. @default 30_000 */
  answerTimeoutMs?: number
}

export class BlobCaller {
  readonly #messages: MessageStream
  readonly #answers: AsyncIterator<Uint8Array>
  readonly #timeoutMs: number
  #bitmap: Uint8Array = new Uint8Array()

  constructor(messages: MessageStream, { answerTimeoutMs = ANSWER_TIMEOUT_MS }: BlobCallerOptions = {}) {
    this.#messages = messages
    this.#answers = messages.receive()[Symbol.asyncIterator]()
    this.#timeoutMs = answerTimeoutMs
  }

  /** Whether the other side has something of a blob, and gives it. @throws BlobError FRAME; whatever ends the stream */
  async want(id: Uint8Array): Promise<boolean> {
    const answer = await this.#ask({ kind: 'want', id })
    if (answer.kind === 'no') return false
    if (answer.kind !== 'has') throw unexpected(answer)
    this.#bitmap = answer.bitmap
    return true
  }

  /** As it came: it is to be checked. @throws BlobError FRAME, REFUSED; whatever ends the stream */
  async manifest(): Promise<Uint8Array> {
    const answer = await this.#ask({ kind: 'manifest' })
    if (answer.kind === 'no') throw new BlobError('REFUSED', 'the blob is not there any more')
    if (answer.kind !== 'manifestIs') throw unexpected(answer)
    return answer.manifest
  }

  /**
   * Fetches what this source has and nobody else brings.
   * @param onChunk after each that was stored
   * @returns when there is nothing left to ask of it
   * @throws BlobError CHUNK, FRAME, REFUSED; whatever ends the stream; what the file system throws
   */
  async fill(blob: StoredBlob, download: Download<BlobCaller>, onChunk: () => void): Promise<void> {
    const underWay: number[] = []
    try {
      for (;;) {
        await this.#askMore(download, underWay)
        const index = underWay.shift()
        if (index === undefined) return
        const answer = await this.#answer()
        if (answer.kind === 'no') throw new BlobError('REFUSED', `chunk ${index} is not there any more`)
        if (answer.kind !== 'chunkIs' || answer.index !== index) throw unexpected(answer)
        await blob.write(index, answer.bytes)
        if (download.settle(index)) onChunk()
      }
    } finally {
      download.release(this)
    }
  }

  async #askMore(download: Download<BlobCaller>, underWay: number[]): Promise<void> {
    while (underWay.length < MAX_UNDER_WAY) {
      const index = download.next(this, (each) => this.#has(each))
      if (index === undefined) return
      underWay.push(index)
      await this.#messages.send(encodeRequest({ kind: 'chunk', index }))
    }
  }

  #has(index: number): boolean {
    return ((this.#bitmap[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
  }

  async #ask(request: BlobRequest): Promise<BlobAnswer> {
    await this.#messages.send(encodeRequest(request))
    return this.#answer()
  }

  async #answer(): Promise<BlobAnswer> {
    const onLate = (): void => this.#messages.abort(new BlobError('REFUSED', `no answer within ${this.#timeoutMs} ms`))
    const timer = setTimeout(onLate, this.#timeoutMs)
    try {
      const { done, value } = await this.#answers.next()
      if (done === true) throw new BlobError('REFUSED', 'the other side has ended the stream')
      return decodeAnswer(value)
    } finally {
      clearTimeout(timer)
    }
  }
}

function unexpected({ kind }: BlobAnswer): BlobError {
  return new BlobError('FRAME', `an answer of the kind ${kind} is not to what was asked`)
}
