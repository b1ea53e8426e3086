// What to do about one feed when a peer says how much of it it has. Pure: two states in, one step out.
import { bottomOf, isOutgrown } from '../store/limits.ts'
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
  /** How much of it is wanted here, where that is not all: only so many of the newest, and nothing above that seq. */
  newest?: number
  last?: number
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
  /**
   * The peer has entries that are missing here. A feed that is new here is fetched from its newest entry down, and so is
   * one of which only newer entries are wanted than are held.
   */
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
  const to = Math.min(theirs.height, mine.last ?? Infinity)
  if (to > mine.height) {
    const isDown = mine.height === 0 || isOutgrown(mine, to)
    return { kind: 'want', from: isDown ? bottomOf(mine, to) : mine.height + 1, to, isDown }
  }
  if (theirs.height < mine.height) return { kind: 'behind', from: theirs.height + 1 }
  if (theirs.height > to) return { kind: 'nothing' } // what the peer has beyond is not wanted
  return isSameHead(mine, theirs) ? { kind: 'nothing' } : { kind: 'probe' }
}

function isSameHead(mine: Held, theirs: Claimed): boolean {
  return mine.height === 0 || Buffer.compare(mine.head.subarray(0, HEAD_SIZE), theirs.head) === 0
}
