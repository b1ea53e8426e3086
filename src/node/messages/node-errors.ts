// Errors of the layers beneath, as users of private messages get them.
import { MessageError } from '../../messages/index.ts'
import { TrustError } from '../../trust/index.ts'
import { NodeError } from '../comrade.ts'
import { refusalOf } from '../refusals.ts'

/** Does something, and throws what it throws as a {@link NodeError} where there is one for it. */
export async function asNodeError<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toNodeError(error)
  }
}

/** The error as it is where there is no {@link NodeError} for it. */
export function toNodeError(error: unknown): unknown {
  if (error instanceof MessageError) {
    const code = error.code === 'UNAVAILABLE' ? 'UNAVAILABLE' : 'BAD_INPUT'
    return new NodeError(code, error.message, { cause: error })
  }
  if (error instanceof TrustError && (error.code === 'WHO_UNKNOWN' || error.code === 'WHO_AMBIGUOUS'))
    return refusalOf(error)
  return error
}
