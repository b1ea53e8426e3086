// Prekeys are made each week, given out once, and gone when nothing can come that needs them.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodeCbor, encodeCbor } from '../../src/feeds/index.ts'
import { MAX_BUNDLE_SIZE, MAX_ONE_TIME, MessageError, PREKEY_LIFE_MS, type Sealed } from '../../src/messages/index.ts'
import { MAX_FIRST_MESSAGES } from '../../src/messages/session-table.ts'
import { START_MS, TestDevice } from './devices.ts'

const DAY_MS = 86_400_000
const YEAR_MS = 365 * DAY_MS

interface Parts {
  signed: { id: number }
  kyber: { id: number; key: Uint8Array }
  once?: { id: number }
}

const partsOf = (device: TestDevice): Parts => decodeCbor(device.sessions.bundle()) as Parts

function count(device: TestDevice, kind: string): number {
  const sql = 'SELECT count(*) AS n FROM message_prekeys WHERE kind = ?'
  return device.store.database.prepare(sql).get(kind)!.n as number
}

describe('prekeys', () => {
  it('for one use are different in each bundle, and the others the same for a week', async () => {
    await using bob = await TestDevice.create('bob')
    const [first, second] = [partsOf(bob), partsOf(bob)]
    assert.notEqual(first.once!.id, second.once!.id)
    assert.deepEqual([first.signed, first.kyber], [second.signed, second.kyber])
    bob.nowMs += 8 * DAY_MS
    const later = partsOf(bob)
    assert.notDeepEqual([later.signed, later.kyber], [first.signed, first.kyber])
    assert.deepEqual([count(bob, 'signed'), count(bob, 'kyber')], [2, 2])
  })

  it('open what was sent on their last day two weeks later, and are gone after that', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    bob.sessions.bundle()
    bob.nowMs += 7 * DAY_MS
    const sealed = await alice.write(bob, 'on the last day')
    bob.nowMs = START_MS + PREKEY_LIFE_MS
    await bob.reopen()
    assert.equal(await bob.read(alice, sealed), 'on the last day')
    bob.nowMs += 1
    await bob.reopen()
    assert.deepEqual([count(bob, 'signed'), count(bob, 'kyber')], [0, 0])
  })

  it('are deleted at the next start, also when nobody asks for a bundle', async () => {
    await using bob = await TestDevice.create('bob')
    bob.sessions.bundle()
    bob.nowMs += PREKEY_LIFE_MS + 1
    await bob.reopen()
    assert.deepEqual([count(bob, 'once'), count(bob, 'signed'), count(bob, 'kyber')], [0, 0, 0])
  })

  it('go on being given out when the clock is a year ahead and comes back', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    for (const nowMs of [START_MS, START_MS + YEAR_MS, START_MS, START_MS - YEAR_MS, START_MS]) {
      bob.nowMs = nowMs
      await alice.sessions.forget(bob.address)
      await bob.sessions.forget(alice.address)
      await bob.read(alice, await alice.write(bob, String(nowMs)))
    }
    assert.equal(bob.heard.length, 5)
  })

  it('for one use run out, and a session begins without one', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    bob.store.write(() => {
      for (let id = 1; id <= MAX_ONE_TIME; id++)
        bob.store.database
          .prepare("INSERT INTO message_prekeys VALUES ('once', ?, ?, 1, x'00', NULL, x'00')")
          .run(-id, START_MS)
    })
    assert.equal(partsOf(bob).once, undefined)
    assert.equal(count(bob, 'once'), MAX_ONE_TIME)
    const sealed = await alice.write(bob, 'without')
    assert.equal(await bob.read(alice, sealed), 'without')
    await refusesReplay(bob, alice, sealed)
  })

  it('open a thousand first messages of one device in a week, which hold up no other', async () => {
    await using alice = await TestDevice.create('alice')
    await using carol = await TestDevice.create('carol')
    await using bob = await TestDevice.create('bob')
    await bob.read(alice, await alice.write(bob, 'hello'))
    const { kyber, signed } = partsOf(bob)
    bob.store.write(() => {
      const add = bob.store.database.prepare('INSERT INTO message_kyber_uses VALUES (?, ?, ?, ?)')
      for (let i = 1; i < MAX_FIRST_MESSAGES; i++) add.run(kyber.id, signed.id, Buffer.from(`key ${i}`), alice.address)
    })
    await alice.sessions.forget(bob.address)
    await assert.rejects(bob.read(alice, await alice.write(bob, 'one more')), { code: 'UNREADABLE' })
    assert.equal(await bob.read(carol, await carol.write(bob, 'hello')), 'hello')
    bob.nowMs += 8 * DAY_MS
    await alice.sessions.forget(bob.address)
    assert.equal(await bob.read(alice, await alice.write(bob, 'next week')), 'next week')
  })

  it('open a first message once, also when all else about its sender was forgotten', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const sealed = await alice.write(bob, 'once')
    await bob.read(alice, sealed)
    await refusesReplay(bob, alice, sealed)
    assert.equal(count(bob, 'once'), 0)
  })

  it('for one use serve one of two who use the same at once', async () => {
    await using alice = await TestDevice.create('alice')
    await using carol = await TestDevice.create('carol')
    await using bob = await TestDevice.create('bob')
    const bundle = bob.sessions.bundle()
    const senders = [alice, carol]
    const sealed = await Promise.all(
      senders.map((sender) => sender.sessions.encrypt(bob.address, Buffer.from('me first'), { bundle }))
    )
    const results = await Promise.allSettled(senders.map((sender, i) => bob.read(sender, sealed[i])))
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    assert.deepEqual(bob.heard, ['me first'])
  })
})

describe('bundles from others', () => {
  it('that were changed anywhere are refused, or begin what nobody can open', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const bundle = bob.sessions.bundle()
    // The registration is a number that only says whether it is still the same one.
    const registration = Buffer.from(bundle).indexOf('registration') + 'registration'.length
    const at = fc.nat(bundle.length - 1).filter((place) => place < registration || place > registration + 2)
    await fc.assert(
      fc.asyncProperty(at, fc.integer({ min: 1, max: 255 }), async (place, by) => {
        const changed = Uint8Array.from(bundle, (byte, i) => (i === place ? byte ^ by : byte))
        await alice.sessions.forget(bob.address)
        const sealed = await refusedOrSealed(alice, bob, changed)
        if (sealed !== undefined) await assert.rejects(bob.read(alice, sealed)) // ids, and the one-time key, are not signed
      }),
      { numRuns: 150 }
    )
  })

  it('of another form are refused', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const whole = decodeCbor(bob.sessions.bundle()) as Record<string, unknown>
    const bundles = [
      new Uint8Array(),
      new Uint8Array(MAX_BUNDLE_SIZE + 1),
      encodeCbor({ ...whole, more: 1 }),
      encodeCbor({ ...whole, v: 2 }),
      encodeCbor({ ...whole, registration: 0 }),
      encodeCbor({ ...whole, identity: new Uint8Array(33) })
    ]
    for (const bundle of bundles)
      await assert.rejects(alice.sessions.encrypt(bob.address, Buffer.from('x'), { bundle }), { code: 'BUNDLE' })
    assert.equal(alice.sessions.has(bob.address), false)
  })
})

/** @returns undefined when the bundle was refused, as one should be */
async function refusedOrSealed(from: TestDevice, to: TestDevice, bundle: Uint8Array): Promise<Sealed | undefined> {
  try {
    return await from.sessions.encrypt(to.address, Buffer.from('x'), { bundle })
  } catch (error) {
    assert.ok(error instanceof MessageError && error.code === 'BUNDLE', String(error))
    return undefined
  }
}

async function refusesReplay(device: TestDevice, sender: TestDevice, sealed: Sealed): Promise<void> {
  await device.sessions.forget(sender.address)
  await assert.rejects(device.read(sender, sealed), { code: 'UNREADABLE' })
}
