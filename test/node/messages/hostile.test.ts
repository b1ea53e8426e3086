// What a contact may send in place of cells, and what it gets.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Comrade } from '../../../src/index.ts'
import { framedStream } from '../../../src/node/frames.ts'
import { MESSAGE_PROTOCOL } from '../../../src/node/messages/cell-streams.ts'
import { befriend, Homes } from '../../support/node.ts'
import { messagesAt, reaches, shows, textsAt } from './support.ts'

/** Sends frames to a connected node by hand, and waits until it has read or ended them. */
async function send(from: Comrade, to: Comrade, frames: readonly Uint8Array[]): Promise<void> {
  const stream = await from.libp2p.dialProtocol(to.libp2p.peerId, MESSAGE_PROTOCOL)
  const messages = framedStream(stream)
  try {
    for (const frame of frames) await messages.send(frame)
    await messages.close()
    for await (const frame of messages.receive()) assert.fail(`cells are not answered: ${frame.length} bytes`)
  } catch {
    // the other side has ended it
  }
}

/** Cells that a node sends from now on, as they leave. */
function capture(node: Comrade): Uint8Array[] {
  const cells: Uint8Array[] = []
  const dial = node.libp2p.dialProtocol.bind(node.libp2p)
  node.libp2p.dialProtocol = async (peer, protocols, options) => {
    const stream = await dial(peer, protocols, options)
    if (protocols !== MESSAGE_PROTOCOL) return stream
    const transmit = stream.send.bind(stream)
    stream.send = (data) => {
      cells.push(new Uint8Array(data.subarray(2)))
      return transmit(data)
    }
    return stream
  }
  return cells
}

describe('what a contact sends in place of cells', function () {
  this.timeout(60_000)

  it('is dropped, and honest messages go on', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    await alice.messages.send(bob.identity.did, { text: 'one' })
    await shows(bob, 'one')
    const wrong = [
      [randomBytes(2_048)],
      [randomBytes(2_047)],
      [randomBytes(2_049)],
      [randomBytes(1)],
      [randomBytes(100_000)],
      Array.from({ length: 500 }, () => randomBytes(2_048)),
      [new Uint8Array(2_048)]
    ]
    for (const frames of wrong) await send(alice, bob, frames)
    await alice.connect(bob.addresses[0])
    const { id } = await alice.messages.send(bob.identity.did, { text: 'two' })
    await reaches(alice, id, 'delivered')
    assert.deepEqual(await textsAt(bob), ['one', 'two'])
  })

  it('may be what was sent before, again, changed, in another order, or by somebody else: each is shown once', async () => {
    await using homes = new Homes()
    const [alice, bob, carol] = [await homes.start('alice'), await homes.start('bob'), await homes.start('carol')]
    await befriend(alice, bob)
    await befriend(carol, bob)
    const cells = capture(alice)
    const texts = ['one', 'two', 'three']
    for (const text of texts) await alice.messages.send(bob.identity.did, { text })
    await shows(bob, ...texts)
    const captured = [...cells]
    assert.ok(captured.length >= 6)
    const changed = captured.map((cell) => {
      const copy = cell.slice()
      copy[1_000] ^= 1
      return copy
    })
    await send(alice, bob, [...captured, ...captured.toReversed(), ...changed])
    await send(carol, bob, captured)
    const { id } = await alice.messages.send(bob.identity.did, { text: 'four' })
    await reaches(alice, id, 'delivered')
    assert.deepEqual(await textsAt(bob), [...texts, 'four'])
    assert.ok((await messagesAt(bob)).every(({ from }) => from === alice.identity.did))
  })

  it('is not even read when it comes from a stranger', async () => {
    await using homes = new Homes()
    const [alice, bob, mallory] = [await homes.start('alice'), await homes.start('bob'), await homes.start('mallory')]
    await befriend(alice, bob)
    const cells = capture(alice)
    await alice.messages.send(bob.identity.did, { text: 'one' })
    await shows(bob, 'one')
    await mallory.connect(bob.addresses[0])
    await send(mallory, bob, [...cells, randomBytes(2_048)])
    assert.deepEqual(await textsAt(bob), ['one'])
  })
})
