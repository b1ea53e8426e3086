// The one place where libsignal is loaded: when it is first needed, since it costs 25 MB and most of what a node does
// needs no private messages. It has compiled parts, and not for every platform.
import { MessageError } from './errors.ts'
import { libsignalMissing, type Unavailable } from './libsignal-build.ts'
import { adviseLibsignal, sayLibsignal } from './sentences.ts'

export type Libsignal = typeof import('@signalapp/libsignal-client')

let loading: Promise<Libsignal> | undefined
let loaded: Libsignal | undefined
/** Asked once: a machine does not change while a program runs. */
let missing: { found: Unavailable | undefined } | undefined

/**
 * Loads libsignal, once.
 * @throws MessageError UNAVAILABLE where it is not installed or has no build for this platform
 */
export function loadLibsignal(): Promise<Libsignal> {
  loading ??= load()
  return loading
}

/** Whether libsignal was loaded in this process. */
export function isLibsignalLoaded(): boolean {
  return loading !== undefined
}

/** What {@link loadLibsignal} has loaded. @throws MessageError UNAVAILABLE when it has not */
export function loadedLibsignal(): Libsignal {
  if (loaded === undefined) throw new MessageError('UNAVAILABLE', 'libsignal was not loaded yet')
  return loaded
}

/** Why there are no private messages here, if so; it is not loaded for that. What only loading shows is known after it. */
export function libsignalUnavailable(): Unavailable | undefined {
  missing ??= { found: libsignalMissing() }
  return missing.found
}

async function load(): Promise<Libsignal> {
  const unavailable = libsignalUnavailable()
  if (unavailable !== undefined) throw errorOf(unavailable)
  try {
    return (loaded = await import('@signalapp/libsignal-client'))
  } catch (error) {
    const problem = error instanceof Error ? error.message.split('\n')[0] : String(error)
    const found = { reason: sayLibsignal('libsignal.broken', { problem }), advice: adviseLibsignal('advice.rebuild') }
    missing = { found }
    throw errorOf(found, error)
  }
}

function errorOf({ reason }: Unavailable, cause?: unknown): MessageError {
  const message = `private messages need @signalapp/libsignal-client, which ${reason.text}`
  return new MessageError('UNAVAILABLE', message, { cause })
}
