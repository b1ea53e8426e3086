// The one place where libsignal is loaded: when it is first needed, since it costs 25 MB and most of what a node does
// needs no private messages. It has compiled parts, and not for every platform.
import { MessageError } from './errors.ts'

export type Libsignal = typeof import('@signalapp/libsignal-client')

let loading: Promise<Libsignal> | undefined

/**
 * Loads libsignal, once.
 * @throws MessageError UNAVAILABLE where it is not installed or has no build for this platform
 */
export function loadLibsignal(): Promise<Libsignal> {
  loading ??= import('@signalapp/libsignal-client').catch((error: unknown) => {
    throw unavailable(error)
  })
  return loading
}

/** Whether libsignal was loaded in this process. */
export function isLibsignalLoaded(): boolean {
  return loading !== undefined
}

function unavailable(error: unknown): MessageError {
  const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
  return new MessageError(
    'UNAVAILABLE',
    `private messages need @signalapp/libsignal-client, which cannot be loaded on ${process.platform} ${process.arch}: ${reason}`,
    { cause: error }
  )
}
