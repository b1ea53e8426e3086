// What to do about one feed when a peer says how much of it it has. Pure: two states in, one step out.
import { HEAD_SIZE } from './reconcileset.ts'

/** Stands for the head of a feed of which nothing is held. */
export const ZERO_HEAD = new Uint8Array(HEAD_SIZE)

/** How much of a feed this side holds. */
export interface Held {
  height: number
  /** Id of the entry at `height`; empty at height 0. */
  head: Uint8Array
  /** The seq from which on the feed is not trusted, if a fork was proven. */
  frozen?: number
}

/** How much of it the peer says it holds. */
export interface Claimed {
  height: number
  /** The first 8 bytes of the head's id; zeros at height 0. */
  head: Uint8Array
}

export type Step =
  /** Both hold the same. */
  | { kind: 'nothing' }
  /** The peer has entries that are missing here. A feed that is new here is fetched from its newest entry down. */
  | { kind: 'want'; from: number; to: number; isDown: boolean }
  /** The peer lacks entries from here on; it will ask for them. */
  | { kind: 'behind'; from: number }
  /** Same height, different heads: somewhere below, the feed was forked. */
  | { kind: 'probe' }
  /** The fork is known here: hand over the proof instead of entries. */
  | { kind: 'prove' }

/** The heart of sync: compares one feed's two states. */
export function diffFeed(mine: Held, theirs: Claimed): Step {
  if (mine.frozen !== undefined && theirs.height >= mine.frozen) return { kind: 'prove' }
  if (theirs.height > mine.height)
    return { kind: 'want', from: mine.height + 1, to: theirs.height, isDown: mine.height === 0 }
  if (theirs.height < mine.height) return { kind: 'behind', from: theirs.height + 1 }
  return isSameHead(mine, theirs) ? { kind: 'nothing' } : { kind: 'probe' }
}

function isSameHead(mine: Held, theirs: Claimed): boolean {
  return mine.height === 0 || Buffer.compare(mine.head.subarray(0, HEAD_SIZE), theirs.head) === 0
}
