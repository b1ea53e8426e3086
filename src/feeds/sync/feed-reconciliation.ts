// All feeds that are wanted here, compared with those that the peer wants: reconcile.ts, with feeds in place of positions.
import type { FeedState, FeedStore } from '../store/store.ts'
import { headOf } from './announcer.ts'
import type { BlindIndex } from './blind-index.ts'
import { Reconciliation } from './reconcile.ts'

/** Of the feeds that both want: those of which both have the same, and what the peer has of the others. */
export interface FeedsCompared {
  same: FeedState[]
  differing: { feed: FeedState; theirHeight: number; theirHead: Uint8Array }[]
}

export class FeedReconciliation {
  readonly #feeds: FeedState[]
  readonly #reconciliation: Reconciliation

  constructor(store: FeedStore, index: BlindIndex) {
    this.#feeds = store.wantedFeeds()
    const items = this.#feeds.map((feed) => ({ id: index.idOf(feed), height: feed.height, head: headOf(feed) }))
    this.#reconciliation = new Reconciliation(items)
  }

  /** The initiator's first message. */
  open(): Uint8Array {
    return this.#reconciliation.open()
  }

  /** Takes the peer's next message. @returns what to send @throws FeedError FRAME_FORMAT */
  receive(message: Uint8Array): Uint8Array[] {
    return this.#reconciliation.receive(message)
  }

  /** What came out, once it is over; feeds as they were at the start. */
  outcome(): FeedsCompared | undefined {
    if (!this.#reconciliation.isDone) return undefined
    const { same, differing } = this.#reconciliation.outcome()
    return {
      same: same.map((index) => this.#feeds[index]),
      differing: differing.map(({ index, ...theirs }) => ({ feed: this.#feeds[index], ...theirs }))
    }
  }
}
