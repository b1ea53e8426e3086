// A thin adaptor over @libp2p/gossipsub: which topics are subscribed, who judges what arrives, what a bad message costs.
// What a message means is the caller's business.
import { TopicValidatorResult, type GossipSub, type GossipsubOpts, type Message } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import { gossipId } from '../feeds/index.ts'

/** js gossipsub drops subscriptions without a word when a peer has near 1,000 of them. */
export const MAX_TOPICS = 400
/** Largest message in bytes. Large ones fill the outbound buffers of gossipsub. */
export const MAX_MESSAGE_SIZE = 16_384
const MAX_RPC_DATA_SIZE = 131_072
/** Faults weigh half after this time. */
const FAULT_HALF_LIFE_MS = 600_000
const MAX_FAULTY_PEERS = 4_096
/** Score of a peer with n faults: -6 · n². One is forgiven, two end gossip, three publishing to it, four all. */
const FAULT_WEIGHT = -6
const GRAYLIST_SCORE = -80
/**
 * How long gossipsub remembers what it thinks of a peer who went, in ms: faults are counted here, and with js gossipsub's
 * hour strangers with ever new peer ids would fill the memory.
 */
const RETAIN_SCORE_MS = 5_000

/**
 * 'accept': delivered and passed on. 'ignore': neither, and nobody is blamed. 'reject': neither, and the sender is
 * blamed. gossipsub has marked the message as seen by then: an ignored one does not come again for two minutes.
 */
export type Verdict = 'accept' | 'ignore' | 'reject'

export type Judge = (topic: string, data: Uint8Array, from: PeerId) => Verdict | Promise<Verdict>

/** What peers did wrong, fading with time. One account for all topics, and for other protocols that care to add. */
export class PeerFaults {
  readonly #now: () => number
  readonly #faults = new Map<string, { count: number; atMs: number }>()

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  add(peerId: string): void {
    const count = this.count(peerId) + 1
    this.#faults.delete(peerId)
    if (this.#faults.size >= MAX_FAULTY_PEERS) this.#faults.delete(this.#faults.keys().next().value!)
    this.#faults.set(peerId, { count, atMs: this.#now() })
  }

  count(peerId: string): number {
    const fault = this.#faults.get(peerId)
    return fault === undefined ? 0 : fault.count * 2 ** (-(this.#now() - fault.atMs) / FAULT_HALF_LIFE_MS)
  }

  /** 0 or below. */
  score(peerId: string): number {
    return FAULT_WEIGHT * this.count(peerId) ** 2
  }
}

/**
 * The options of the gossipsub service. Scores come from faults alone: rates say nothing about human traffic (no topic
 * has parameters, so they do not count), and many peers may share one IP address.
 */
export function gossipOptions(faults: PeerFaults): Partial<GossipsubOpts> {
  return {
    globalSignaturePolicy: 'StrictNoSign',
    msgIdFn: (message) => gossipId(message.data),
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    fallbackToFloodsub: false,
    floodPublish: false,
    doPX: false,
    tagMeshPeers: false, // a write to the peer store for each topic and peer: with hundreds of topics it held the loop for seconds
    idontwantMinDataSize: 4_096,
    maxInboundDataLength: MAX_RPC_DATA_SIZE,
    directConnectTicks: Number.MAX_SAFE_INTEGER, // whom we dial is the redial loop's business
    scoreParams: {
      retainScore: RETAIN_SCORE_MS,
      IPColocationFactorWeight: 0,
      appSpecificWeight: 1,
      appSpecificScore: (peerId) => faults.score(peerId)
    },
    scoreThresholds: { gossipThreshold: -10, publishThreshold: -50, graylistThreshold: GRAYLIST_SCORE }
  }
}

/**
 * Forgets streams to peers who are gone: one that is opened just when its peer goes stays with gossipsub for ever, with all that
 * belongs to the connection, and when the peer comes back, none is opened in its place. Call it when one has come or gone.
 */
export function forgetGoneStreams(pubsub: GossipSub): void {
  const streams = 'streamsOutbound' in pubsub ? pubsub.streamsOutbound : undefined
  if (!(streams instanceof Map)) return // an embedder's own
  const present = new Set(pubsub.getPeers().map(String))
  for (const peer of streams.keys()) if (!present.has(String(peer))) streams.delete(peer)
}

export class Gossip {
  readonly #pubsub: GossipSub
  readonly #judge: Judge
  readonly #faults: PeerFaults

  /** @param options.faults the account that {@link gossipOptions} was given */
  constructor(pubsub: GossipSub, { judge, faults }: { judge: Judge; faults: PeerFaults }) {
    this.#pubsub = pubsub
    this.#judge = judge
    this.#faults = faults
  }

  get topics(): string[] {
    return this.#pubsub.getTopics()
  }

  /** Makes these the subscribed topics. Of more than 400, the first 400. Call it after the node has started. */
  subscribe(topics: ReadonlySet<string>): void {
    const wanted = new Set([...topics].slice(0, MAX_TOPICS))
    for (const topic of this.#pubsub.getTopics()) if (!wanted.has(topic)) this.#unsubscribe(topic)
    const current = new Set(this.#pubsub.getTopics())
    for (const topic of wanted) if (!current.has(topic)) this.#subscribe(topic)
  }

  /**
   * Sends a message to the peers that are subscribed.
   * @returns how many it was handed to; 0 when nobody is there, or when it was already sent
   * @throws RangeError when it has more than 16,384 bytes
   */
  async publish(topic: string, data: Uint8Array): Promise<number> {
    if (data.length > MAX_MESSAGE_SIZE)
      throw new RangeError(`a gossip message has at most ${MAX_MESSAGE_SIZE} bytes, not ${data.length}`)
    return (await this.#pubsub.publish(topic, data)).recipients.length
  }

  /**
   * Makes these the direct peers: everything is sent to them, outside of the mesh. Only for peers that do the same: one
   * that does not is left out of its mesh and hears less.
   */
  setDirectPeers(peerIds: ReadonlySet<string>): void {
    const direct = directSet(this.#pubsub)
    direct.clear()
    for (const peerId of peerIds) direct.add(peerId)
  }

  #subscribe(topic: string): void {
    this.#pubsub.topicValidators.set(topic, (from, message) => this.#validate(topic, from, message))
    this.#pubsub.subscribe(topic)
  }

  #unsubscribe(topic: string): void {
    this.#pubsub.unsubscribe(topic)
    this.#pubsub.topicValidators.delete(topic)
  }

  async #validate(topic: string, from: PeerId, message: Message): Promise<TopicValidatorResult> {
    // gossipsub looks at scores only now and then: a burst would cost a signature check for each of its messages.
    if (this.#faults.score(from.toString()) < GRAYLIST_SCORE) return TopicValidatorResult.Ignore
    const verdict = message.data.length > MAX_MESSAGE_SIZE ? 'reject' : await this.#judge(topic, message.data, from)
    if (verdict === 'reject') this.#faults.add(from.toString())
    return RESULTS[verdict]
  }
}

const RESULTS: Record<Verdict, TopicValidatorResult> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject
}

/** gossipsub has a public set of direct peers that it reads at every use, but its interface does not name it. */
function directSet(pubsub: GossipSub): Set<string> {
  const direct = 'direct' in pubsub ? pubsub.direct : undefined
  if (!(direct instanceof Set)) throw new TypeError('this version of gossipsub has no set of direct peers')
  return direct as Set<string>
}
