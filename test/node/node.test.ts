// Whole nodes as an embedding developer has them: over loopback TCP, and a dozen in memory.
import assert from 'node:assert/strict'
import { type Comrade, createNode, memoryNetwork } from '../../src/index.ts'
import { befriend, Homes, post, postsOf, reads } from '../support/node.ts'
import { until } from '../support/processes.ts'

describe('a node', function () {
  this.timeout(60_000)
  let homes: Homes

  beforeEach(() => {
    homes = new Homes()
  })

  afterEach(async () => {
    await homes[Symbol.asyncDispose]()
  })

  it('is the same person, device and peer at every start, and tells its recovery phrase once', async () => {
    const first = await homes.start('alice')
    const { identity, peerId } = first
    assert.equal(first.recoveryPhrase!.split(' ').length, 24)
    await first.stop()
    const second = await homes.start('alice')
    assert.deepEqual([second.identity, second.peerId, second.recoveryPhrase], [identity, peerId, undefined])
  })

  it('has a home to itself, and lets it go when it stops', async () => {
    const first = await homes.start('alice')
    await assert.rejects(homes.start('alice'), { code: 'HOME_IN_USE' })
    await post(first, 'still here')
    await first.stop()
    await homes.start('alice')
  })

  it('can be made, used and left without ever being started', async () => {
    const node = await createNode({ home: homes.of('alice'), mdns: false })
    await post(node, 'offline')
    assert.deepEqual((await node.status()).peers, 0)
    await node.stop()
    await node.stop()
    await assert.rejects(node.start(), { code: 'FAILED' })
  })

  it('makes friends of two who follow each other, and no longer when one of them ends it', async () => {
    const [alice, bob] = await Promise.all([homes.start('alice'), homes.start('bob')])
    await befriend(alice, bob)
    await bob.contacts.unfollow(alice.identity.did)
    await until(async () => (await alice.contacts.find(bob.identity.did)).relation === 'followed', 'alice knows')
  })

  it('passes on what is followed in any order, from whoever comes first', async () => {
    const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((name) => homes.start(name)))
    const { did } = alice.identity
    await bob.connect(alice.addresses[0])
    await carol.connect(bob.addresses[0])
    await carol.contacts.follow(did)
    await post(alice, 'before bob follows')
    await bob.contacts.follow(did)
    await reads(carol, did, 'before bob follows')
    await post(alice, 'and after')
    await reads(carol, did, 'before bob follows', 'and after')
  })

  it('gives every entry once to who reads on, also those that arrive while the stored ones are read', async () => {
    const alice = await homes.start('alice')
    await post(alice, ...Array.from({ length: 2_000 }, (_, i) => `old ${i}`))
    const seqs: number[] = []
    const reading = (async () => {
      for await (const { seq, text } of alice.feeds.read({ live: true, types: ['post'], limit: 10_000 })) {
        if (text === 'the last') return
        seqs.push(seq)
      }
    })()
    for (let i = 0; i < 20; i++) await post(alice, `new ${i}`)
    await until(() => new Set(seqs).size === 2_020, 'all were given')
    await post(alice, 'the last')
    await reading
    assert.deepEqual(
      seqs.toSorted((a, b) => a - b),
      Array.from({ length: 2_020 }, (_, i) => i + 1)
    )
  })

  it('drops those whom it blocks', async () => {
    const [alice, bob] = await Promise.all([homes.start('alice'), homes.start('bob')])
    await befriend(alice, bob)
    await post(bob, 'hello')
    await reads(alice, bob.identity.did, 'hello')
    await alice.contacts.block(bob.identity.did)
    await until(async () => (await alice.peers()).length === 0, 'the connection is closed')
    await post(bob, 'are you there?')
    await bob.connect(alice.addresses[0]).catch(() => {}) // it may be refused at once
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.ok(!(await postsOf(alice, bob.identity.did)).some(({ text }) => text === 'are you there?'))
  })
})

describe('twelve nodes in the memory of one process', function () {
  this.timeout(60_000)

  it('read what all of them wrote, though each is connected with two', async () => {
    await using homes = new Homes()
    const nodes = await Promise.all(
      Array.from({ length: 12 }, (_, i) => homes.start(`node${i}`, { listen: undefined, libp2p: memoryNetwork() }))
    )
    for (const [i, node] of nodes.entries()) await node.connect(nodes[(i + 1) % nodes.length].addresses[0])
    for (const node of nodes) await followAll(node, nodes)
    await Promise.all(nodes.map((node, i) => post(node, `by ${i}`, `again by ${i}`)))
    await Promise.all(
      nodes.flatMap((node) => nodes.map((author, i) => reads(node, author.identity.did, `by ${i}`, `again by ${i}`)))
    )
    // Of each: the device in the identity log, two posts, and eleven follows, sealed.
    for (const node of nodes)
      await until(async () => (await node.status()).entries === 12 * (1 + 2 + 11), 'all of everybody is here')
  })
})

async function followAll(node: Comrade, people: Comrade[]): Promise<void> {
  for (const { identity } of people) if (identity.did !== node.identity.did) await node.contacts.follow(identity.did)
}
