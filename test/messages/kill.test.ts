// A process that encrypts is killed at any moment: what it gave out can be opened, and no key was used twice.
import assert from 'node:assert/strict'
import { Stage } from '../support/processes.ts'
import type { MessageWriterArgument } from '../support/programs/message-writer.ts'
import { TestDevice } from './devices.ts'

const KILLS = 6

describe('a device that is killed while it writes', function () {
  this.timeout(60_000)

  it('has given out only what can be opened, and goes on', async () => {
    await using stage = new Stage()
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await bob.read(alice, await alice.write(bob, 'first'))
    await alice.read(bob, await bob.write(alice, 'first'))
    await alice.close()
    const given: string[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      const writer = await stage.program('message-writer', argumentOf(alice, bob, `life ${kill}:`))
      await writer.line(({ text }) => text === `life ${kill}: ${3 + 7 * kill}`)
      await writer.end('SIGKILL')
      for (const { text, type, bytes } of writer.lines) {
        const sealed = { type: type as number, bytes: Buffer.from(bytes as string, 'hex') }
        given.push(text as string)
        assert.equal(await bob.read(alice, sealed), text)
      }
    }
    assert.ok(given.length >= KILLS * 3)
    await alice.open()
    await alice.read(bob, await bob.write(alice, 'all there'))
    assert.deepEqual([alice.broken, bob.broken, bob.renewed], [[], [], []])
  })
})

function argumentOf(from: TestDevice, to: TestDevice, word: string): MessageWriterArgument {
  return { path: from.path, seed: Buffer.from(from.seed).toString('hex'), from: from.address, to: to.address, word }
}
