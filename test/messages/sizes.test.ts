// What a session adds is bounded, so that short messages take as many cells in a new session as in an old one.
import assert from 'node:assert/strict'
import { cellsFor, pad } from '../../src/messages/index.ts'
import { MIN_CELLS, PIECE_SIZE } from '../../src/messages/cell.ts'
import { TestDevice } from './devices.ts'

const SHORT = pad(new Uint8Array(100))

describe('what a session makes of a short message', () => {
  it('fits the same number of cells in a new session, one that nobody answers, and an old one', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const sizes: number[] = []
    const write = async (from: TestDevice, to: TestDevice, isHeard: boolean): Promise<void> => {
      const bundle = from.sessions.has(to.address) ? undefined : to.sessions.bundle()
      const sealed = await from.sessions.encrypt(to.address, SHORT, { bundle })
      sizes.push(sealed.bytes.length)
      if (isHeard) await to.sessions.decrypt(from.address, sealed, () => {})
    }
    for (let i = 0; i < 200; i++) await write(alice, bob, i % 10 === 0)
    for (let i = 0; i < 600; i++) await (i % 3 === 0 ? write(alice, bob, i % 5 > 0) : write(bob, alice, i % 7 > 0))
    assert.equal(cellsFor(SHORT.length), MIN_CELLS)
    assert.ok(Math.max(...sizes) <= MIN_CELLS * PIECE_SIZE, `the largest has ${Math.max(...sizes)} bytes`)
    assert.ok(Math.max(...sizes) > PIECE_SIZE, 'a first message needs them')
  })
})
