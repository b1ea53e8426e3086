// The frame around whatever is said on a message stream: it ends with the work, and not without it.
import { FeedError } from '../errors.ts'
import type { MessageStream } from './message-stream.ts'

/**
 * Closes the stream when the work is done, and aborts it when the work fails or `signal` aborts.
 * @throws what the work throws; the signal's reason when it had aborted before
 */
export async function withStream<T>(
  stream: MessageStream,
  signal: AbortSignal,
  work: (stream: MessageStream) => Promise<T>
): Promise<T> {
  const onAbort = (): void => stream.abort(asError(signal.reason))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    const result = await work(stream)
    stream.close().catch(() => {}) // nothing is left to be said
    return result
  } catch (error) {
    stream.abort(asError(error))
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new FeedError('ABORTED', 'it was ended')
}
