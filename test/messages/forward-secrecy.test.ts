// Whoever takes the disk opens nothing that was sent before, and finds nothing of the keys that opened it.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import type { FeedStore } from '../../src/feeds/index.ts'
import type { Sealed } from '../../src/messages/index.ts'
import { TestDevice } from './devices.ts'

const ROUNDS = 30
/** Bytes of a sealed record that stand for it: no two records share them. */
const SAMPLE_SIZE = 24

describe('a stolen copy of the database', () => {
  it('opens none of the messages that were sent before, in either direction', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const captured: Sealed[] = []
    const sent: Sealed[] = []
    for (let i = 0; i < ROUNDS; i++) {
      captured.push(await alice.write(bob, `to bob ${i}`))
      await bob.read(alice, captured.at(-1)!)
      sent.push(await bob.write(alice, `to alice ${i}`))
      await alice.read(bob, sent.at(-1)!)
    }
    await bob.crash() // from here on the thief has bob's device, and all its keys
    for (const sealed of [...captured, ...sent]) await assert.rejects(bob.read(alice, sealed))
    assert.equal(bob.heard.length, ROUNDS)
  })

  it('opens nothing newer after both have written once more', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await using thief = await TestDevice.create('bob')
    for (let i = 0; i < 5; i++) {
      await bob.read(alice, await alice.write(bob, 'before'))
      await alice.read(bob, await bob.write(alice, 'before'))
    }
    await thief.restore(bob.copy(), { isRestored: false })
    for (let i = 0; i < 2; i++) {
      await bob.read(alice, await alice.write(bob, 'healing'))
      await alice.read(bob, await bob.write(alice, 'healing'))
    }
    const sealed = await alice.write(bob, 'healed')
    await assert.rejects(thief.read(alice, sealed), { code: 'UNREADABLE' })
    assert.equal(await bob.read(alice, sealed), 'healed')
  })

  it('holds no earlier record of a session or prekey anywhere in its files', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const earlier: Buffer[] = []
    for (let i = 0; i < ROUNDS; i++) {
      const sealed = await alice.write(bob, `to bob ${i}`)
      earlier.push(...samples(bob.store))
      await bob.read(alice, sealed)
      earlier.push(...samples(bob.store))
      await alice.read(bob, await bob.write(alice, `to alice ${i}`))
    }
    const current = samples(bob.store)
    const gone = earlier.filter((sample) => !current.some((other) => other.equals(sample)))
    assert.ok(gone.length > ROUNDS)
    await bob.sessions.close() // or a second later, by itself
    const bytes = bob.bytes()
    assert.deepEqual(
      current.filter((sample) => !bytes.includes(sample)),
      [],
      'the samples can be found at all'
    )
    assert.equal(gone.filter((sample) => bytes.includes(sample)).length, 0)
  })

  it('has nothing that says who is written to, but sealed records and hashes of device keys', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await bob.read(alice, await alice.write(bob, 'a canary in a mine'))
    await bob.sessions.close()
    assert.equal(bob.bytes().includes('canary'), false)
  })

  it('is worth nothing without the keys beside it', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await using thief = await TestDevice.create('thief')
    await bob.read(alice, await alice.write(bob, 'hello'))
    const next = await alice.write(bob, 'next')
    const copy = bob.copy()
    await thief.restore(copy, { isRestored: false })
    await assert.rejects(thief.read(alice, next), { code: 'UNREADABLE' })
    rmSync(copy, { recursive: true, force: true })
  })
})

/** Some bytes from the middle and from the end of every secret record that there is now. */
function samples({ database }: FeedStore): Buffer[] {
  const sessions = database.prepare('SELECT session AS record FROM message_devices WHERE session IS NOT NULL').all()
  const prekeys = database.prepare('SELECT record FROM message_prekeys').all()
  return [...sessions, ...prekeys].flatMap(({ record }) => {
    const bytes = Buffer.from(record as Uint8Array)
    const middle = bytes.length >> 1
    return [Buffer.from(bytes.subarray(middle, middle + SAMPLE_SIZE)), Buffer.from(bytes.subarray(-SAMPLE_SIZE))]
  })
}
