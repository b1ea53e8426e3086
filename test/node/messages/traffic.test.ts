// What somebody on the way can see: sizes and numbers of frames.
import assert from 'node:assert/strict'
import type { Stream } from '@libp2p/interface'
import type { Comrade } from '../../../src/index.ts'
import { MESSAGE_PROTOCOL } from '../../../src/node/messages/cell-streams.ts'
import { befriend, Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'
import { reaches } from './support.ts'

/** Notes the size of whatever a node sends in streams of cells. */
function watch(node: Comrade): number[] {
  const sizes: number[] = []
  const dial = node.libp2p.dialProtocol.bind(node.libp2p)
  node.libp2p.dialProtocol = async (peer, protocols, options) => {
    const stream: Stream = await dial(peer, protocols, options)
    if (protocols !== MESSAGE_PROTOCOL) return stream
    const send = stream.send.bind(stream)
    stream.send = (data) => {
      sizes.push(data.byteLength)
      return send(data)
    }
    return stream
  }
  return sizes
}

describe('the traffic of private messages', function () {
  this.timeout(120_000)

  it('is the same for every short text, receipt and reaction, in a new session and in an old one', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const [fromAlice, fromBob] = [watch(alice), watch(bob)]
    const two = [2_050, 2_050] // a cell, and its length before it
    let first: string | undefined
    for (const size of [1, 2, 15, 16, 17, 100, 255, 256, 1_000, 1_499, 1_500]) {
      const { id } = await alice.messages.send(bob.identity.did, { text: 'x'.repeat(size), reply: first })
      await reaches(alice, id, 'delivered')
      first ??= id
      assert.deepEqual([fromAlice.splice(0), fromBob.splice(0)], [two, two], `a text of ${size} bytes, and its receipt`)
    }
    for (const expiresInMs of [undefined, 3_600_000]) {
      const { id } = await alice.messages.send(bob.identity.did, { text: 'é'.repeat(750), expiresInMs })
      await reaches(alice, id, 'delivered')
      assert.deepEqual([fromAlice.splice(0), fromBob.splice(0)], [two, two])
    }
    const { id } = await bob.messages.react(first!, '🌻')
    await reaches(bob, id, 'delivered')
    assert.deepEqual([fromAlice.splice(0), fromBob.splice(0)], [two, two], 'a reaction')
    await bob.messages.erase(id)
    await until(() => fromBob.length === 2 && fromAlice.length === 2, 'it is erased')
    assert.deepEqual([fromAlice.splice(0), fromBob.splice(0)], [two, two], 'a request to erase')
  })

  it('is cells of that size for long texts too', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const fromAlice = watch(alice)
    for (const [size, cells] of [
      [3_000, 3],
      [28_000, 16]
    ]) {
      const { id } = await alice.messages.send(bob.identity.did, { text: 'x'.repeat(size) })
      await reaches(alice, id, 'delivered')
      assert.deepEqual(
        fromAlice.splice(0),
        Array.from({ length: cells }, () => 2_050)
      )
    }
  })
})
