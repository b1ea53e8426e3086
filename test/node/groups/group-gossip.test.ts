import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'mocha'
import { groupTopic } from '../../../src/groups/index.ts'
import { Gossip, MAX_MESSAGE_SIZE } from '../../../src/node/gossip.ts'
import { GossipTopics } from '../../../src/node/gossip-topics.ts'
import { GroupGossip } from '../../../src/node/groups/group-gossip.ts'
import { connect, startMemoryNode, until } from '../../support/network.ts'
import { candidacyOf, foundingOf, Holder, idOf } from './replicas.ts'

const FOUNDING = foundingOf('portland')
const GROUP = idOf(FOUNDING)

/** A node with gossip of groups, and no sessions. */
async function startGossiper(stack: AsyncDisposableStack, name: string) {
  const node = stack.use(await startMemoryNode())
  const holder = stack.use(new Holder(name))
  const gaps: string[] = []
  const topics = new GossipTopics((all) => gossip.subscribe(all))
  const gossip: Gossip = new Gossip(node.libp2p.services.pubsub, {
    judge: (topic, data, from) => topics.judge(topic, data, from),
    faults: node.faults
  })
  const groups = new GroupGossip({
    share: (judge) => topics.share(judge),
    publish: (topic, data) => gossip.publish(topic, data),
    onGap: (_, from) => gaps.push(from.toString())
  })
  groups.start()
  stack.defer(() => groups.stop())
  const hold = (): void => {
    holder.hold(FOUNDING)
    groups.add(holder.group(GROUP), holder.replica(GROUP))
  }
  return { node, holder, gossip, groups, topics, gaps, hold }
}

type Gossiper = Awaited<ReturnType<typeof startGossiper>>

const topic = (): string => groupTopic(Buffer.from(GROUP, 'hex'), Date.now())
const knows = (from: Gossiper, to: Gossiper): Promise<void> =>
  until(() => from.node.libp2p.services.pubsub.getSubscribers(topic()).some((peer) => peer.equals(to.node.peerId)))
const sizeOf = ({ holder }: Gossiper): number => holder.group(GROUP).size

async function line(stack: AsyncDisposableStack): Promise<[Gossiper, Gossiper, Gossiper]> {
  const all = [
    await startGossiper(stack, 'alice'),
    await startGossiper(stack, 'bob'),
    await startGossiper(stack, 'carol')
  ] as const
  for (const each of all) each.hold()
  await connect(all[0].node, all[1].node)
  await connect(all[1].node, all[2].node)
  await Promise.all([knows(all[0], all[1]), knows(all[1], all[0]), knows(all[1], all[2]), knows(all[2], all[1])])
  return [...all]
}

describe('gossip of groups', function () {
  this.timeout(30_000)

  it('carries what was made here over others who hold the group', async () => {
    await using stack = new AsyncDisposableStack()
    const [alice, bob, carol] = await line(stack)
    alice.holder.say(GROUP, candidacyOf(GROUP, 'x', [GROUP]))
    await until(() => sizeOf(bob) === 2 && sizeOf(carol) === 2)
    carol.holder.say(GROUP, candidacyOf(GROUP, 'y', [GROUP]))
    await until(() => sizeOf(alice) === 3)
    assert.deepEqual([...alice.gaps, ...bob.gaps, ...carol.gaps], [])
  })

  it('does not pass on what is junk, and holds it against who brought it', async () => {
    await using stack = new AsyncDisposableStack()
    const [alice, bob, carol] = await line(stack)
    const good = candidacyOf(GROUP, 'x', [GROUP])
    const changed = Uint8Array.from(good)
    changed[changed.length - 1] ^= 1
    await alice.gossip.publish(topic(), changed)
    await until(() => bob.node.faults.count(alice.node.peerId.toString()) > 0.9)
    assert.equal(carol.holder.received, 0)
    await alice.gossip.publish(topic(), good)
    await until(() => sizeOf(carol) === 2)
    assert.equal(sizeOf(bob), 2)
  })

  it('fetches what is missing from who told of what stands on it', async () => {
    await using stack = new AsyncDisposableStack()
    const [alice, bob, carol] = await line(stack)
    const missing = candidacyOf(GROUP, 'missing', [GROUP])
    await alice.gossip.publish(topic(), candidacyOf(GROUP, 'x', [idOf(missing)]))
    await until(() => bob.gaps.length === 1)
    assert.deepEqual(bob.gaps, [alice.node.peerId.toString()])
    assert.equal(carol.holder.received, 0, 'what cannot be placed is not passed on')
    assert.equal(bob.node.faults.count(alice.node.peerId.toString()), 0)
  })

  it('judges: accepts what is new or fresh, ignores what is old, or of a group that is not held', async () => {
    await using stack = new AsyncDisposableStack()
    const alice = await startGossiper(stack, 'alice')
    const from = alice.node.peerId
    alice.hold()
    const fresh = candidacyOf(GROUP, 'x', [GROUP])
    const judge = (data: Uint8Array, name = topic()) => alice.topics.judge(name, data, from)
    assert.equal(await judge(fresh), 'accept')
    assert.equal(await judge(fresh), 'accept')
    assert.equal(await judge(FOUNDING), 'ignore', 'it was there before this node ran')
    assert.equal(await judge(fresh, groupTopic(randomBytes(32), Date.now())), 'ignore')
    assert.equal(await judge(new Uint8Array(MAX_MESSAGE_SIZE)), 'reject')
    assert.equal(await judge(new Uint8Array()), 'reject')
    alice.groups.remove(alice.holder.group(GROUP))
    assert.equal(await judge(fresh), 'ignore')
  })

  it('takes a bounded number of messages at a time', async () => {
    await using stack = new AsyncDisposableStack()
    const alice = await startGossiper(stack, 'alice')
    alice.hold()
    const flood = Array.from({ length: 100 }, (_, i) => candidacyOf(GROUP, `x${i}`, [GROUP]))
    const verdicts = await Promise.all(flood.map((data) => alice.groups.judge(topic(), data, alice.node.peerId)))
    assert.equal(verdicts.filter((verdict) => verdict === 'accept').length, 16)
    assert.equal(verdicts.filter((verdict) => verdict === 'ignore').length, 84)
    assert.equal(await alice.groups.judge(topic(), flood[99], alice.node.peerId), 'accept')
  })

  it('names a topic so that nothing is told of the group, and another name comes each month', () => {
    const group = Buffer.from(GROUP, 'hex')
    const names = ['2026-01-31T23:59:59Z', '2026-02-01T00:00:00Z'].map((time) => groupTopic(group, Date.parse(time)))
    assert.notEqual(names[0], names[1])
    for (const name of names) assert.match(name, /^\/comrade\/group\/1\/[0-9a-f]{32}$/)
    assert.ok(!names[0].includes(GROUP.slice(0, 8)))
  })
})
