// Five nodes in a line, each connected only with its neighbours: what one end writes is read at the other at once.
import assert from 'node:assert/strict'
import { type NodeProcess, Stage } from '../support/processes.ts'

/** What is promised, from the end of `post` to the line of `feed --follow`. */
const PROMISE_MS = 2_000
const NODES = 5

describe('five nodes in a line', function () {
  this.timeout(60_000)

  // Without --no-lan they would dial each other: the addresses of all are in the DHT.
  it('carry a post from one end to the other within two seconds, both ways', async () => {
    await using stage = new Stage()
    const nodes: NodeProcess[] = []
    for (let i = 0; i < NODES; i++)
      nodes.push(await stage.up(`node${i}`, '--no-lan', ...(i === 0 ? [] : ['--peer', nodes[i - 1].address])))
    const ends = [nodes[0], nodes[NODES - 1]]
    await Promise.all(nodes.map((node) => followAll(node, ends)))
    for (const [from, to] of [ends, ends.toReversed()]) {
      const reader = to.follow('feed', '--follow')
      await from.json('post', `from ${from.did}`)
      await reader.line(({ text }) => text === `from ${from.did}`)
      await from.json('post', 'and now at once')
      const postedMs = performance.now()
      await reader.line(({ text, author }) => text === 'and now at once' && author === from.did)
      const tookMs = performance.now() - postedMs
      assert.ok(tookMs < PROMISE_MS, `it took ${tookMs} ms`)
      assert.equal(await reader.end('SIGINT'), 130)
    }
    const peers = await Promise.all(nodes.map((node) => node.json('peers')))
    assert.deepEqual(
      peers.map(({ length }) => length),
      [1, 2, 2, 2, 1]
    )
  })
})

async function followAll(node: NodeProcess, people: NodeProcess[]): Promise<void> {
  for (const { did } of people) if (did !== node.did) await node.json('follow', did)
}
