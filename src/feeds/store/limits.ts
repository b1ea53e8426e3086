// How much of a feed is kept, as plain rules. Limits fall between runs: entries that share a signature with one that is
// kept stay with it, since without the last of them none could be shown to be the author's.
import { lastOf } from '../run.ts'
import type { FeedState } from './stored.ts'

type Extent = Pick<FeedState, 'low' | 'height'>

/** The lowest seq that is to be kept of a feed at this height. */
export function bottomOf({ newest }: Pick<FeedState, 'newest'>, height: number): number {
  return newest === undefined ? 1 : Math.max(1, height - newest + 1)
}

/** Whether older entries are missing that are to be kept. */
export function hasGap(feed: Extent & Pick<FeedState, 'newest'>): boolean {
  return feed.height > 0 && feed.low > bottomOf(feed, feed.height)
}

/** Whether nothing of what is held would be kept beside an entry at `top`: then what lies between them is not needed. */
export function isOutgrown(feed: Pick<FeedState, 'height' | 'newest'>, top: number): boolean {
  return feed.height > 0 && feed.newest !== undefined && feed.height < bottomOf(feed, top)
}

/** Whether a stored run may be handed on: not what lies beyond a fork, but what shares its signature with kept entries. */
export function isServed(
  feed: Pick<FeedState, 'height' | 'last' | 'frozen'>,
  run: { first: number; count: number }
): boolean {
  const last = lastOf(run)
  if (last <= feed.height) return true
  return feed.last === feed.height && run.first <= feed.last && (feed.frozen === undefined || last < feed.frozen)
}
