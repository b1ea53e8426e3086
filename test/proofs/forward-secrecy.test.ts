// The promise: who has recorded all that was sent, and takes a device's disk and keys, opens nothing that came before with
// it, and after a round trip with new keys nothing that comes later. The attack: exactly that, with whole nodes.
import assert from 'node:assert/strict'
import type { Comrade } from '../../src/index.ts'
import { FeedStore } from '../../src/feeds/index.ts'
import {
  CELL_SIZE,
  CellKeys,
  decodeContent,
  deviceAddress,
  loadLibsignal,
  MessageError,
  readPiece,
  Reassembly,
  Sessions,
  unpad,
  Wiping
} from '../../src/messages/index.ts'
import { homeAt } from '../../src/node/home.ts'
import { openKeys } from '../../src/node/keystore.ts'
import { MESSAGE_PROTOCOL } from '../../src/node/messages/cell-streams.ts'
import { Vault } from '../../src/node/vault.ts'
import { parseDid } from '../../src/trust/index.ts'
import { reaches, shows } from '../node/messages/support.ts'
import { befriend, Homes } from '../support/node.ts'
import { type Frame, framesOf } from './stage.ts'

describe('whoever has recorded all that was sent, and takes a device', function () {
  this.timeout(120_000)

  it('opens nothing from before, and nothing from after the sessions have healed', async () => {
    await using homes = new Homes()
    const [alice, first] = [await homes.start('alice'), await homes.start('bob')]
    let bob = first
    await befriend(alice, bob)
    const recorded = framesOf(alice)
    const toAlice = framesOf(bob)
    for (let i = 0; i < 5; i++) {
      await say(alice, bob, `before ${i}`)
      await say(bob, alice, `before, too ${i}`)
    }
    await bob.stop()
    homes.copy('bob', 'thief')

    bob = await homes.start('bob')
    toAlice.push(...(await meet(bob, alice)))
    // The key of Bob's next answer was on the disk already: healing is a round trip with keys that were made after it.
    const healing = ['just after', 'while it heals']
    for (const text of healing) {
      await say(alice, bob, text)
      await say(bob, alice, `an answer to ${text}`)
    }
    for (let i = 0; i < 3; i++) await say(alice, bob, `healed ${i}`)
    // The attack works: what the stolen session would have opened next, the thief's copy of it opens, and no more.
    const opened = await read(homes.of('thief'), recorded, alice)
    assert.equal(opened[0], healing[0])
    assert.deepEqual(
      opened.filter((text) => !healing.includes(text)),
      []
    )

    await Promise.all([alice.stop(), bob.stop()])
    assert.ok(cellsIn(recorded).length >= 2 * 8 && cellsIn(toAlice).length >= 2 * 6)
    for (const [name, author] of [
      ['bob', alice],
      ['alice', bob]
    ] as const)
      assert.deepEqual(await read(homes.of(name), [...recorded, ...toAlice], author), [], `${name} taken at the end`)
  })
})

async function say(from: Comrade, to: Comrade, text: string): Promise<void> {
  const { id } = await from.messages.send(to.identity.did, { text })
  await shows(to, text)
  await reaches(from, id, 'delivered')
}

async function meet(node: Comrade, other: Comrade): Promise<Frame[]> {
  const frames = framesOf(node)
  await node.connect(other.addresses[0])
  return frames
}

function cellsIn(frames: readonly Frame[]): Buffer[] {
  return frames
    .filter(({ protocol, bytes }) => protocol === MESSAGE_PROTOCOL && bytes.length === 2 + CELL_SIZE)
    .map(({ bytes }) => bytes.subarray(2))
}

/** Texts that a home opens of what was recorded, with all of its keys and its sessions. */
async function read(directory: string, frames: readonly Frame[], author: Comrade): Promise<string[]> {
  await loadLibsignal()
  const home = homeAt(directory)
  const keys = await openKeys(home.keys)
  const vault = new Vault(keys.peerSeed)
  const store = FeedStore.open(home.store)
  const sessions = await Sessions.open({ store, vault, address: deviceAddress(keys.device.publicKey) })
  const cellKeys = new CellKeys({ database: store.database, vault, wiping: new Wiping(store) })
  const reassembly = new Reassembly()
  const from = deviceAddress(parseDid(author.identity.device))
  const texts: string[] = []
  let unsealed = 0
  for (const cell of cellsIn(frames)) {
    try {
      const whole = reassembly.add(readPiece(cellKeys.open(cell)), '')
      unsealed += 1
      if (whole === undefined) continue
      const content = await sessions.decrypt(from, whole, (plaintext) => decodeContent(unpad(plaintext)))
      if (typeof content.text === 'string') texts.push(content.text)
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
    }
  }
  assert.ok(unsealed >= 10, 'the outer layer is opened: it is the sessions that hold')
  assert.equal(sessions.isAnew, false)
  await sessions.close()
  store.close()
  return texts
}
