import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Gossip, MAX_MESSAGE_SIZE, MAX_TOPICS, PeerFaults, type Judge } from '../../src/node/gossip.ts'
import { connect, startMemoryNode, startTcpNode, until } from '../support/network.ts'

/** A node with gossip; what its judge was asked about is collected. */
async function startGossiper(
  stack: AsyncDisposableStack,
  { judge = () => 'accept', start = startMemoryNode }: { judge?: Judge; start?: typeof startMemoryNode } = {}
) {
  const node = stack.use(await start())
  const heard: { topic: string; data: Uint8Array; from: string }[] = []
  const gossip = new Gossip(node.libp2p.services.pubsub, {
    faults: node.faults,
    judge: (topic, data, from) => {
      heard.push({ topic, data, from: from.toString() })
      return judge(topic, data, from)
    }
  })
  return { node, gossip, heard }
}

type Gossiper = Awaited<ReturnType<typeof startGossiper>>

/** What gossipsub keeps to itself. */
interface Insides {
  streamsOutbound: Map<string, unknown>
  score: { peerStats: Map<string, unknown> }
  mesh: Map<string, Set<string>>
  sendRpc: (to: string, rpc: object) => boolean
  handleIWant: (from: string, iwant: { messageIDs?: Uint8Array[] }[]) => unknown
}

const insides = ({ node }: Gossiper) => node.libp2p.services.pubsub as unknown as Insides

/** Sends control messages past gossipsub's own rules. */
function sendControl(
  from: Gossiper,
  to: Gossiper,
  control: { graft: object[]; prune: object[]; ihave: object[] }
): void {
  const rpc = { subscriptions: [], messages: [], control: { iwant: [], idontwant: [], ...control } }
  insides(from).sendRpc(to.node.peerId.toString(), rpc)
}

/** Counts the messages that others ask `peer` for. */
function countAsked(peer: Gossiper): () => number {
  const pubsub = insides(peer)
  const handle = pubsub.handleIWant.bind(pubsub)
  let asked = 0
  pubsub.handleIWant = (from, iwant) => {
    for (const { messageIDs } of iwant) asked += messageIDs?.length ?? 0
    return handle(from, iwant)
  }
  return () => asked
}

/** Waits until `from` knows that `to` is subscribed. */
const knowsSubscriber = (from: Gossiper, to: Gossiper, topic: string) =>
  until(() => from.node.libp2p.services.pubsub.getSubscribers(topic).some((peer) => peer.equals(to.node.peerId)))

describe('gossip', () => {
  for (const [where, start] of [
    ['tcp', startTcpNode],
    ['memory', startMemoryNode]
  ] as const) {
    it(`carries a message to the subscribers over ${where}, and to nobody else`, async () => {
      await using stack = new AsyncDisposableStack()
      const [alice, bob, carol] = [
        await startGossiper(stack, { start }),
        await startGossiper(stack, { start }),
        await startGossiper(stack, { start })
      ]
      bob.gossip.subscribe(new Set(['t']))
      carol.gossip.subscribe(new Set(['other']))
      await connect(alice.node, bob.node)
      await connect(alice.node, carol.node)
      await knowsSubscriber(alice, bob, 't')
      assert.equal(await alice.gossip.publish('t', Uint8Array.of(1, 2)), 1)
      await until(() => bob.heard.length === 1)
      assert.deepEqual(
        [bob.heard[0].topic, [...bob.heard[0].data], bob.heard[0].from],
        ['t', [1, 2], alice.node.peerId.toString()]
      )
      assert.equal(carol.heard.length, 0)
    })
  }

  it('takes the true message also after one with the same beginning and a spoiled end', async () => {
    await using stack = new AsyncDisposableStack()
    const judge: Judge = (_, data) => (data[112] === 1 ? 'accept' : 'reject')
    const [alice, bob] = [await startGossiper(stack), await startGossiper(stack, { judge })]
    bob.gossip.subscribe(new Set(['t']))
    await connect(alice.node, bob.node)
    await knowsSubscriber(alice, bob, 't')
    const header = randomBytes(112)
    await alice.gossip.publish('t', Buffer.concat([header, Uint8Array.of(0)]))
    await alice.gossip.publish('t', Buffer.concat([header, Uint8Array.of(1)]))
    await until(() => bob.heard.length === 2)
  })

  it('does not throw when nobody listens, nor when a message is sent twice', async () => {
    await using stack = new AsyncDisposableStack()
    const alice = await startGossiper(stack)
    assert.equal(await alice.gossip.publish('t', Uint8Array.of(1)), 0)
    assert.equal(await alice.gossip.publish('t', Uint8Array.of(1)), 0)
    await assert.rejects(alice.gossip.publish('t', new Uint8Array(MAX_MESSAGE_SIZE + 1)), RangeError)
  })

  it('reconciles the subscribed topics, and takes no more than 400', async () => {
    await using stack = new AsyncDisposableStack()
    const { gossip, node } = await startGossiper(stack)
    gossip.subscribe(new Set(['a', 'b']))
    gossip.subscribe(new Set(['b', 'c']))
    assert.deepEqual(gossip.topics.sort(), ['b', 'c'])
    gossip.subscribe(new Set(Array.from({ length: MAX_TOPICS + 50 }, (_, i) => `t${i}`)))
    assert.equal(gossip.topics.length, MAX_TOPICS)
    assert.ok(gossip.topics.includes('t0') && !gossip.topics.includes(`t${MAX_TOPICS}`))
    assert.equal(node.libp2p.services.pubsub.topicValidators.size, MAX_TOPICS)
  })

  it('tells all 400 topics to a peer', async () => {
    await using stack = new AsyncDisposableStack()
    const [alice, bob] = [await startGossiper(stack), await startGossiper(stack)]
    const topics = Array.from({ length: MAX_TOPICS }, () => randomBytes(32).toString('base64url'))
    bob.gossip.subscribe(new Set(topics))
    await connect(alice.node, bob.node)
    for (const topic of topics) await knowsSubscriber(alice, bob, topic)
  })

  it('keeps a bounded number of the topics that a peer names, and goes on hearing others', async () => {
    await using stack = new AsyncDisposableStack()
    const [alice, bob, mallory] = [await startGossiper(stack), await startGossiper(stack), await startGossiper(stack)]
    bob.gossip.subscribe(new Set(['t']))
    await connect(mallory.node, bob.node)
    const nameOf = (i: number) => `${i} ${'x'.repeat(40)}`
    const name = (i: number) => mallory.node.libp2p.services.pubsub.subscribe(nameOf(i))
    name(0)
    await knowsSubscriber(bob, mallory, nameOf(0))
    for (let i = 1; i < 3_000; i++) name(i)
    await knowsSubscriber(bob, mallory, nameOf(500))
    await connect(alice.node, bob.node)
    await knowsSubscriber(alice, bob, 't')
    await alice.gossip.publish('t', Uint8Array.of(1))
    await until(() => bob.heard.length === 1)
    const named = (bob.node.libp2p.services.pubsub as unknown as { topics: Map<string, unknown> }).topics
    assert.ok(named.size < 1_100, `${named.size} topics`)
  })

  it('asks a peer that announces messages without end for a bounded number, takes it into no mesh that is not its own, and goes on hearing others', async () => {
    await using stack = new AsyncDisposableStack()
    const [alice, bob, mallory] = [await startGossiper(stack), await startGossiper(stack), await startGossiper(stack)]
    bob.gossip.subscribe(new Set(['t']))
    await connect(mallory.node, bob.node)
    await knowsSubscriber(mallory, bob, 't')
    const asked = countAsked(mallory)
    const topics = Array.from({ length: 100 }, (_, i) => `${i} ${'x'.repeat(40)}`)
    for (let round = 0; round < 200; round++) {
      sendControl(mallory, bob, {
        graft: ['t', ...topics].map((topicID) => ({ topicID })),
        prune: Array.from({ length: 20 }, () => ({ topicID: 't', peers: [] })),
        ihave: [{ topicID: 't', messageIDs: Array.from({ length: 100 }, () => randomBytes(32)) }]
      })
    }
    await until(() => asked() > 0)
    await connect(alice.node, bob.node)
    await knowsSubscriber(alice, bob, 't')
    await alice.gossip.publish('t', Uint8Array.of(1))
    await until(() => bob.heard.length === 1)
    assert.ok(asked() <= 5_000, `asked for ${asked()} of 20,000`)
    assert.deepEqual([...insides(bob).mesh.keys()], ['t'])
    const { tags } = await bob.node.libp2p.peerStore.get(mallory.node.peerId)
    assert.ok(![...tags.keys()].includes('t'), 'gossip writes to the peer store')
  })

  it('passes on what the judge accepts, and neither what it ignores nor what it rejects', async () => {
    await using stack = new AsyncDisposableStack()
    const judge: Judge = (_, data) => (['accept', 'ignore', 'reject'] as const)[data[0]]
    const [alice, bob, carol] = [
      await startGossiper(stack),
      await startGossiper(stack, { judge }),
      await startGossiper(stack)
    ]
    for (const { gossip } of [bob, carol]) gossip.subscribe(new Set(['t']))
    await connect(alice.node, bob.node)
    await connect(bob.node, carol.node)
    bob.gossip.setDirectPeers(new Set([carol.node.peerId.toString()]))
    carol.gossip.setDirectPeers(new Set([bob.node.peerId.toString()]))
    await knowsSubscriber(alice, bob, 't')
    await knowsSubscriber(bob, carol, 't')
    for (const verdict of [1, 2, 0]) await alice.gossip.publish('t', Uint8Array.of(verdict))
    await until(() => carol.heard.length === 1)
    assert.deepEqual(
      carol.heard.map(({ data }) => data[0]),
      [0]
    )
    assert.equal(bob.node.faults.count(alice.node.peerId.toString()) > 0.9, true)
  })

  it('no longer hears who sends invalid messages again and again, and goes on hearing others', async () => {
    await using stack = new AsyncDisposableStack()
    const [mallory, alice, bob] = [
      await startGossiper(stack),
      await startGossiper(stack),
      await startGossiper(stack, { judge: (_, data) => (data[0] === 0 ? 'reject' : 'accept') })
    ]
    bob.gossip.subscribe(new Set(['t']))
    await connect(mallory.node, bob.node)
    await connect(alice.node, bob.node)
    await knowsSubscriber(mallory, bob, 't')
    await knowsSubscriber(alice, bob, 't')
    for (let i = 0; i < 400; i++) await mallory.gossip.publish('t', Uint8Array.of(0, i, i >> 8))
    await until(() => bob.heard.length >= 4)
    await alice.gossip.publish('t', Uint8Array.of(1))
    await until(() => bob.heard.some(({ data }) => data[0] === 1))
    assert.equal(bob.heard.length, 5)
    assert.ok(alice.node.faults.count(bob.node.peerId.toString()) === 0)
  })

  it('keeps nothing of strangers who come and go, also when they go while a stream to them is opened', async () => {
    await using stack = new AsyncDisposableStack()
    const alice = await startGossiper(stack, { start: startTcpNode })
    for (let i = 0; i < 40; i++) {
      const stranger = stack.use(await startTcpNode())
      await connect(stranger, alice.node)
      if (i % 2 === 0) await until(() => alice.node.libp2p.services.pubsub.getPeers().length > 0)
      await stranger.stop()
    }
    await until(() => alice.node.libp2p.getPeers().length === 0)
    const last = stack.use(await startTcpNode())
    await connect(last, alice.node)
    await last.stop()
    const { streamsOutbound, score } = insides(alice)
    await until(() => score.peerStats.size <= 1 && streamsOutbound.size <= 1, 20_000)
  }).timeout(30_000)

  it('goes on with who comes back, when the last stream to them was left over', async () => {
    await using stack = new AsyncDisposableStack()
    const [alice, bob] = [await startGossiper(stack), await startGossiper(stack)]
    const [name, { streamsOutbound }] = [bob.node.peerId.toString(), insides(alice)]
    for (const { gossip } of [alice, bob]) gossip.subscribe(new Set(['bees']))
    await connect(alice.node, bob.node)
    await until(() => streamsOutbound.has(name))
    const stream = streamsOutbound.get(name) as object
    await alice.node.libp2p.hangUp(bob.node.peerId)
    await until(() => alice.node.libp2p.services.pubsub.getPeers().length === 0 && !streamsOutbound.has(name))
    streamsOutbound.set(name, Object.create(stream)) // as where it was opened a moment later: nobody hears that it ends
    await connect(alice.node, bob.node)
    await knowsSubscriber(alice, bob, 'bees')
    await knowsSubscriber(bob, alice, 'bees')
    await until(async () => (await alice.gossip.publish('bees', randomBytes(100))) > 0 && bob.heard.length > 0)
  })

  it('forgives faults with time, and remembers a bounded number of peers', () => {
    let now = 0
    const faults = new PeerFaults(() => now)
    for (let i = 0; i < 4; i++) faults.add('mallory')
    assert.ok(faults.score('mallory') < -80)
    now += 600_000
    assert.equal(faults.count('mallory'), 2)
    for (let i = 0; i < 5_000; i++) faults.add(`p${i}`)
    assert.equal(faults.count('mallory'), 0)
    assert.equal(faults.score('nobody'), -0)
  })
})
