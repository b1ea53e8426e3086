// What this layer says to the user: why a feed is not signed.
import { speaker } from './sentence.ts'

export const PAUSE_SENTENCES = {
  'pause.forked': 'this feed was continued in two places (at entry {entry}); it cannot be written any more',
  'pause.behind': 'contacts hold {theirs} entries of this feed and this store {ours}: waiting until they are here'
} as const

export const sayPause = speaker(PAUSE_SENTENCES)
