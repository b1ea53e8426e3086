import assert from 'node:assert/strict'
import { connect, startMemoryNode, until } from '../support/network.ts'

describe('memory network', () => {
  it('runs a dozen nodes in one process, each with all services', async () => {
    await using stack = new AsyncDisposableStack()
    const nodes = await Promise.all(Array.from({ length: 12 }, () => startMemoryNode()))
    for (const node of nodes) stack.use(node)
    for (let i = 1; i < nodes.length; i++) await connect(nodes[i], nodes[i - 1])
    assert.ok(nodes.every((node, i) => node.libp2p.getConnections().length >= (i === 0 || i === 11 ? 1 : 2)))
    await until(async () =>
      (await nodes[0].libp2p.peerStore.get(nodes[1].peerId)).protocols.includes('/comrade/kad/1.0.0')
    )
  })
})
