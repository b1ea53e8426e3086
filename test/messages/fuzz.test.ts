// Messages that were cut or changed on the way say nothing false, break nothing, and leave the true one to be opened.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MessageError, type Sealed } from '../../src/messages/index.ts'
import { TestDevice } from './devices.ts'

const RUNS = 250

type Change = (sealed: Sealed) => Sealed

const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.nat(4_000), fc.integer({ min: 1, max: 255 })).map(([at, by]) => ({ type, bytes }: Sealed) => ({
    type,
    bytes: Uint8Array.from(bytes, (byte, i) => (i === at % bytes.length ? byte ^ by : byte))
  })),
  fc.nat(4_000).map((length) => ({ type, bytes }: Sealed) => ({
    type,
    bytes: bytes.subarray(0, length % bytes.length)
  })),
  fc.uint8Array({ maxLength: 64 }).map((more) => ({ type, bytes }: Sealed) => ({
    type,
    bytes: Buffer.concat([bytes, more, Buffer.alloc(1)])
  })),
  fc.uint8Array({ maxLength: 4_000 }).map((bytes) => ({ type }: Sealed) => ({ type, bytes })),
  fc.nat(10).map((type) => ({ bytes }: Sealed) => ({ type: type === 2 ? 4 : type, bytes: bytes.subarray(1) }))
)

describe('messages that were changed on the way', () => {
  for (const kind of ['first', 'later'] as const) {
    it(`are refused, and the true ${kind} one is opened once`, async () => {
      await using alice = await TestDevice.create('alice', { isInMemory: true })
      await using bob = await TestDevice.create('bob', { isInMemory: true })
      if (kind === 'later') {
        await bob.read(alice, await alice.write(bob, 'first'))
        await alice.read(bob, await bob.write(alice, 'first'))
      }
      await fc.assert(
        fc.asyncProperty(fc.array(changes, { minLength: 1, maxLength: 4 }), async (several) => {
          if (kind === 'first') {
            await alice.sessions.forget(bob.address)
            await bob.sessions.forget(alice.address)
          }
          const sealed = await alice.write(bob, 'true')
          const before = bob.heard.length
          for (const change of several) await tryToOpen(bob, alice, change(sealed))
          await tryToOpen(bob, alice, sealed)
          // A first message has numbers around it that are not sealed: with others it may still open, but as what it is.
          assert.deepEqual(bob.heard.slice(before), ['true'])
        }),
        { numRuns: RUNS, endOnFailure: true }
      )
    })
  }
})

/** Opens it, or is refused with a code that says so. */
async function tryToOpen(device: TestDevice, from: TestDevice, sealed: Sealed): Promise<void> {
  try {
    await device.read(from, sealed)
  } catch (error) {
    const isKnown = error instanceof MessageError && ['UNREADABLE', 'DUPLICATE', 'IDENTITY'].includes(error.code)
    assert.ok(isKnown, String(error))
  }
}
