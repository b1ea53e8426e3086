// What a crash leaves, at every step of encrypting and opening; and what follows when an older copy is put back.
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TestDevice } from './devices.ts'

const FAULTS = ['before', 'within', 'after'] as const

describe('a crash', () => {
  for (const fault of FAULTS) {
    it(`${fault} the new state of an encrypted message was written harms no later message`, async () => {
      await using alice = await TestDevice.create('alice')
      await using bob = await TestDevice.create('bob')
      for (const text of ['first', 'second', 'third']) {
        const bundle = bob.sessions.bundle()
        alice.fault = fault
        await assert.rejects(alice.sessions.encrypt(bob.address, Buffer.from('never sent'), { bundle }))
        await alice.crash()
        await bob.read(alice, await alice.write(bob, text))
        await alice.read(bob, await bob.write(alice, text))
      }
      assert.deepEqual(bob.heard, ['first', 'second', 'third'])
      assert.deepEqual([alice.broken, bob.broken, bob.renewed], [[], [], []])
    })

    it(`${fault} the new state of an opened message was written shows it once`, async () => {
      await using alice = await TestDevice.create('alice')
      await using bob = await TestDevice.create('bob')
      for (const text of ['first', 'second', 'third']) {
        const sealed = await alice.write(bob, text)
        const keep = (plaintext: Uint8Array): void => bob.store.setMeta(`kept ${text}`, plaintext)
        bob.fault = fault
        await assert.rejects(bob.sessions.decrypt(alice.address, sealed, keep))
        await bob.crash()
        const again = bob.sessions.decrypt(alice.address, sealed, keep)
        if (fault === 'after') await assert.rejects(again, { code: 'DUPLICATE' })
        else await again
        assert.equal(Buffer.from(bob.store.meta(`kept ${text}`) as Uint8Array).toString(), text)
        await alice.read(bob, await bob.write(alice, text))
      }
    })

    it(`${fault} prekeys were written gives out no prekey twice`, async () => {
      await using alice = await TestDevice.create('alice')
      await using bob = await TestDevice.create('bob')
      bob.fault = fault
      assert.throws(() => bob.sessions.bundle())
      await bob.crash()
      await bob.read(alice, await alice.write(bob, 'hello'))
    })
  }
})

describe('an older copy of the database', () => {
  it('has no sessions any more, and begins new ones by itself', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await bob.read(alice, await alice.write(bob, 'one'))
    await alice.read(bob, await bob.write(alice, 'two'))
    const older = alice.copy()
    const [bundle, registration] = [alice.sessions.bundle(), registrationOf(alice)]
    await bob.read(alice, await alice.write(bob, 'three'))
    await alice.restore(older, { isRestored: true })
    assert.equal(alice.sessions.isAnew, true)
    assert.notEqual(registrationOf(alice), registration)
    assert.equal(alice.sessions.has(bob.address), false)
    await bob.read(alice, await alice.write(bob, 'after the restore'))
    assert.deepEqual(bob.renewed, [alice.address])
    await alice.read(bob, await bob.write(alice, 'an answer'))
    // What was given out before belongs to nobody any more.
    await bob.sessions.reset(alice.address)
    const stale = await bob.sessions.encrypt(alice.address, Buffer.from('to the old one'), { bundle })
    await assert.rejects(alice.read(bob, stale), { code: 'UNREADABLE' })
    await alice.reopen()
    assert.equal(alice.sessions.isAnew, false)
  })

  it('is told by whoever writes in a session that it does not have any more', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const older = alice.copy()
    await bob.read(alice, await alice.write(bob, 'one'))
    await alice.read(bob, await bob.write(alice, 'two'))
    await alice.restore(older, { isRestored: true })
    await assert.rejects(alice.read(bob, await bob.write(alice, 'lost')), { code: 'UNREADABLE' })
    assert.deepEqual(alice.broken, [bob.address])
    await bob.read(alice, await alice.write(bob, 'say that again'))
    assert.equal(await alice.read(bob, await bob.write(alice, 'lost')), 'lost')
  })

  it('may be none at all: contacts know the device again', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const empty = mkdtempSync(join(tmpdir(), 'comrade-sessions-'))
    await bob.read(alice, await alice.write(bob, 'one'))
    await alice.read(bob, await bob.write(alice, 'two'))
    await alice.restore(empty, { isRestored: true })
    await assert.rejects(alice.read(bob, await bob.write(alice, 'lost')), { code: 'UNREADABLE' })
    await bob.read(alice, await alice.write(bob, 'say that again'))
    assert.equal(await alice.read(bob, await bob.write(alice, 'lost')), 'lost')
  })

  it('of another device is taken over with nothing in it', async () => {
    await using alice = await TestDevice.create('alice')
    await using other = await TestDevice.create('other')
    await using bob = await TestDevice.create('bob')
    await bob.read(alice, await alice.write(bob, 'one'))
    await other.restore(alice.copy(), { isRestored: false })
    assert.equal(other.sessions.has(bob.address), false)
    await bob.read(other, await other.write(bob, 'from another device'))
  })
})

function registrationOf({ store }: TestDevice): unknown {
  return store.database.prepare('SELECT registration FROM message_registration').get()!.registration
}
