// Several services share the topics of one pubsub: each says which are its own, and judges what comes on them.
import type { PeerId } from '@libp2p/interface'
import type { Judge, Verdict } from './gossip.ts'

/** One service's part of it. */
export interface TopicShare {
  /** Makes these the service's topics. */
  subscribe(topics: ReadonlySet<string>): void
}

export class GossipTopics {
  readonly #subscribe: (topics: ReadonlySet<string>) => void
  readonly #shares: { topics: ReadonlySet<string>; judge: Judge }[] = []

  /** @param subscribe takes the topics of all services; where they are too many, those of whoever came first go first */
  constructor(subscribe: (topics: ReadonlySet<string>) => void) {
    this.#subscribe = subscribe
  }

  share(judge: Judge): TopicShare {
    const share = { topics: new Set<string>() as ReadonlySet<string>, judge }
    this.#shares.push(share)
    return {
      subscribe: (topics) => {
        share.topics = topics
        this.#subscribe(new Set(this.#shares.flatMap((each) => [...each.topics])))
      }
    }
  }

  judge(topic: string, data: Uint8Array, from: PeerId): Verdict | Promise<Verdict> {
    const share = this.#shares.find(({ topics }) => topics.has(topic))
    return share === undefined ? 'ignore' : share.judge(topic, data, from)
  }
}
