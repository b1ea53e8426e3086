// What this layer says to the user: why there are no private messages on a machine, and what its owner can do.
import { speaker } from '../feeds/sentence.ts'

/** Continue "private messages need @signalapp/libsignal-client, which …". */
export const LIBSIGNAL_SENTENCES = {
  'libsignal.notInstalled': 'is not installed',
  'libsignal.noBuild': 'has no build for {system}',
  'libsignal.oldLibrary': 'needs glibc {needed}, and this system has {found}',
  'libsignal.otherLibrary': 'needs glibc {needed}, and this system has another C library',
  'libsignal.broken': 'cannot be loaded: {problem}'
} as const

export const LIBSIGNAL_ADVICE = {
  'advice.installOptional': 'npm install --include=optional',
  'advice.otherMachine':
    'run the node on another machine: there are builds for Linux on x64 and arm64 with glibc {needed} or newer, for macOS and for Windows',
  'advice.newerSystem':
    'run the node on a newer system: there are builds for Linux on x64 and arm64 with glibc {needed} or newer, for macOS and for Windows',
  'advice.rebuild': 'npm rebuild, or npm ci, and start the node again'
} as const

export const sayLibsignal = speaker(LIBSIGNAL_SENTENCES)
export const adviseLibsignal = speaker(LIBSIGNAL_ADVICE)
