// Sessions between devices: each message is opened once, by whom it is for, in whatever order it comes.
import assert from 'node:assert/strict'
import {
  BROKEN_INTERVAL_MS,
  brokenDevices,
  FAILURES_UNTIL_GIVEN_UP,
  GIVE_UP_INTERVAL_MS,
  type MessageErrorCode,
  refusedDevices
} from '../../src/messages/index.ts'
import { TestDevice } from './devices.ts'

const fails = (code: MessageErrorCode) => ({ name: 'MessageError', code })

describe('sessions', () => {
  it('open what one device wrote to another, in both directions', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    assert.equal(await bob.read(alice, await alice.write(bob, 'hello')), 'hello')
    assert.equal(await alice.read(bob, await bob.write(alice, 'hello back')), 'hello back')
  })

  it('go on after a restart of either side', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await bob.read(alice, await alice.write(bob, 'one'))
    await alice.reopen()
    await bob.reopen()
    assert.equal(await alice.read(bob, await bob.write(alice, 'two')), 'two')
    assert.equal(await bob.read(alice, await alice.write(bob, 'three')), 'three')
  })

  it('need a bundle for the first message', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await assert.rejects(alice.sessions.encrypt(bob.address, Buffer.from('x')), fails('NO_SESSION'))
  })

  it('open each message once', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const first = await alice.write(bob, 'first')
    await bob.read(alice, first)
    await assert.rejects(bob.read(alice, first), fails('DUPLICATE'))
    await alice.read(bob, await bob.write(alice, 'answer'))
    const later = await alice.write(bob, 'later')
    await bob.read(alice, later)
    for (const sealed of [first, later]) await assert.rejects(bob.read(alice, sealed), fails('DUPLICATE'))
    assert.deepEqual(bob.heard, ['first', 'later'])
  })

  it('open messages in any order, and bear that some are lost', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const sealed = []
    for (let i = 0; i < 20; i++) sealed.push(await alice.write(bob, String(i)))
    const order = [19, 3, 0, 7, 18, 1]
    for (const i of order) await bob.read(alice, sealed[i])
    assert.deepEqual(bob.heard, order.map(String))
  })

  it('open what comes up to five turns late, and are not given up for what comes later', async () => {
    for (const turns of [5, 6]) {
      await using alice = await TestDevice.create('alice', { isInMemory: true })
      await using bob = await TestDevice.create('bob', { isInMemory: true })
      const answer = async (text: string): Promise<void> => {
        await bob.read(alice, await alice.write(bob, text))
        await alice.read(bob, await bob.write(alice, text))
      }
      await answer('hello')
      const late = await alice.write(bob, 'late')
      for (let turn = 0; turn < turns; turn++) await answer('meanwhile')
      if (turns === 5) await bob.read(alice, late)
      else await assert.rejects(bob.read(alice, late), fails('UNREADABLE'))
      await answer('afterwards')
      assert.deepEqual(bob.broken, [])
    }
  })

  it('encrypt ten messages at once, all of which open', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await bob.read(alice, await alice.write(bob, 'first'))
    const texts = Array.from({ length: 10 }, (_, i) => `at once ${i}`)
    const sealed = await Promise.all(texts.map((text) => alice.write(bob, text)))
    for (const message of sealed) await bob.read(alice, message)
    assert.deepEqual(bob.heard.slice(1), texts)
  })

  it('open once what comes ten times at once', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    for (const text of ['first', 'second']) {
      const sealed = await alice.write(bob, text)
      await Promise.allSettled(Array.from({ length: 10 }, () => bob.read(alice, sealed)))
    }
    assert.deepEqual(bob.heard, ['first', 'second'])
  })

  it('keep each of many that come at once by itself: one that is not taken undoes no other', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const sealed = []
    for (let i = 0; i < 12; i++) sealed.push(await alice.write(bob, String(i)))
    const broken = { type: sealed[5].type, bytes: sealed[5].bytes.subarray(1) }
    const accept = (plaintext: Uint8Array): string => {
      const text = Buffer.from(plaintext).toString()
      if (text === '7') throw new Error('no room')
      bob.store.setMeta(`kept ${text}`, 1)
      return text
    }
    const results = await Promise.allSettled(
      [...sealed.slice(0, 5), broken, ...sealed.slice(6)].map((message) =>
        bob.sessions.decrypt(alice.address, message, accept)
      )
    )
    assert.deepEqual(
      results.flatMap(({ status }, i) => (status === 'rejected' ? [i] : [])),
      [5, 7]
    )
    const kept = sealed.map((_, i) => bob.store.meta(`kept ${i}`) === 1)
    assert.deepEqual(
      kept,
      results.map(({ status }) => status === 'fulfilled')
    )
    await bob.reopen()
    assert.equal(await bob.read(alice, sealed[7]), '7')
    assert.equal(await bob.read(alice, sealed[5]), '5')
    await assert.rejects(bob.read(alice, sealed[6]), fails('DUPLICATE'))
  })

  it('encrypt and open at the same time', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await bob.read(alice, await alice.write(bob, 'first'))
    await alice.read(bob, await bob.write(alice, 'first'))
    for (let round = 0; round < 5; round++) {
      const toBob = await Promise.all(['a', 'b', 'c'].map((text) => alice.write(bob, text)))
      const [toAlice] = await Promise.all([
        Promise.all(['d', 'e', 'f'].map((text) => bob.write(alice, text))),
        ...toBob.map((sealed) => bob.read(alice, sealed))
      ])
      await Promise.all(toAlice.map((sealed) => alice.read(bob, sealed)))
    }
    assert.equal(alice.heard.length, 1 + 5 * 3)
    assert.equal(bob.heard.length, 1 + 5 * 3)
  })

  it('finish what is under way when they are closed, and begin nothing more', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const underWay = alice.write(bob, 'the last word')
    await alice.sessions.close()
    assert.equal(await bob.read(alice, await underWay), 'the last word')
    await assert.rejects(alice.sessions.encrypt(bob.address, Buffer.from('x')), fails('CLOSED'))
    assert.throws(() => alice.sessions.bundle(), fails('CLOSED'))
  })

  it('are one with each device of a person', async () => {
    await using phone = await TestDevice.create('phone')
    await using laptop = await TestDevice.create('laptop')
    await using bob = await TestDevice.create('bob')
    for (const device of [phone, laptop]) await device.read(bob, await bob.write(device, 'to both'))
    await laptop.read(phone, await phone.write(laptop, 'to myself'))
    await assert.rejects(laptop.read(bob, await bob.write(phone, 'to the phone')), fails('UNREADABLE'))
    assert.deepEqual([phone.heard, laptop.heard], [['to both'], ['to both', 'to myself']])
  })

  it('come together when both sides begin at the same time', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const [toBob, toAlice] = [await alice.write(bob, 'a1'), await bob.write(alice, 'b1')]
    await alice.read(bob, toAlice)
    await bob.read(alice, toBob)
    for (let i = 2; i < 6; i++) {
      await bob.read(alice, await alice.write(bob, `a${i}`))
      await alice.read(bob, await bob.write(alice, `b${i}`))
    }
    assert.deepEqual(bob.heard, ['a1', 'a2', 'a3', 'a4', 'a5'])
    assert.deepEqual([alice.renewed, bob.renewed], [[], []])
  })

  it('keep the new state and what was written with it together, or neither', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const sealed = await alice.write(bob, 'precious')
    const refuse = (): never => {
      bob.store.setMeta('shown', 1)
      throw new Error('no room')
    }
    await assert.rejects(bob.sessions.decrypt(alice.address, sealed, refuse), { message: 'no room' })
    assert.equal(bob.store.meta('shown'), undefined)
    await bob.reopen()
    assert.equal(await bob.read(alice, sealed), 'precious')
  })

  it('refuse another identity under a known address, until the device is forgotten', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await using mallory = await TestDevice.create('mallory')
    await bob.read(alice, await alice.write(bob, 'hello'))
    const forged = await mallory.write(bob, 'from alice')
    await assert.rejects(bob.read(alice, forged), fails('IDENTITY'))
    await alice.sessions.reset(bob.address)
    const swapped = { bundle: mallory.sessions.bundle() }
    await assert.rejects(alice.sessions.encrypt(bob.address, Buffer.from('x'), swapped), fails('IDENTITY'))
    await bob.sessions.forget(alice.address)
    assert.equal(await bob.read(alice, forged), 'from alice')
  })

  it('say once that another identity came, and do not remember it when the known one is back', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await using mallory = await TestDevice.create('mallory')
    await bob.read(alice, await alice.write(bob, 'hello'))
    for (const text of ['one', 'two'])
      await assert.rejects(bob.read(alice, await mallory.write(bob, text)), fails('IDENTITY'))
    assert.deepEqual([bob.refused, refusedDevices(bob.store.database)], [[alice.address], [alice.address]])
    await bob.reopen()
    await assert.rejects(bob.read(alice, await mallory.write(bob, 'three')), fails('IDENTITY'))
    assert.deepEqual([bob.refused, refusedDevices(bob.store.database)], [[alice.address], [alice.address]])
    await bob.read(alice, await alice.write(bob, 'it is me'))
    assert.deepEqual(refusedDevices(bob.store.database), [])
  })

  it('say nothing of their own about mangled messages', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const sealed = await alice.write(bob, 'whole')
    for (const bytes of [new Uint8Array(), sealed.bytes.subarray(0, 100), new Uint8Array(2_000)])
      await assert.rejects(bob.read(alice, { type: sealed.type, bytes }), fails('UNREADABLE'))
    await assert.rejects(bob.read(alice, { type: 7, bytes: sealed.bytes }), fails('UNREADABLE'))
    await assert.rejects(bob.read(alice, { type: 3, bytes: new Uint8Array(100_000) }), fails('SIZE'))
    assert.deepEqual(bob.broken, [])
    assert.equal(await bob.read(alice, sealed), 'whole')
  })
})

describe('a session that does not open any more', () => {
  it('is begun anew, and both sides are told', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await bob.read(alice, await alice.write(bob, 'one'))
    await alice.read(bob, await bob.write(alice, 'two'))
    await bob.sessions.forget(alice.address)
    await assert.rejects(bob.read(alice, await alice.write(bob, 'lost')), fails('UNREADABLE'))
    assert.deepEqual(bob.broken, [alice.address])
    await alice.read(bob, await bob.write(alice, 'I could not read that'))
    assert.deepEqual(alice.renewed, [bob.address])
    assert.equal(await bob.read(alice, await alice.write(bob, 'again')), 'again')
  })

  it('is missed again a minute later, when nobody could be told', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await bob.read(alice, await alice.write(bob, 'one'))
    await alice.read(bob, await bob.write(alice, 'two'))
    await bob.sessions.forget(alice.address)
    const fail = async (): Promise<void> => {
      for (let i = 0; i < 5; i++)
        await assert.rejects(bob.read(alice, await alice.write(bob, 'lost')), fails('UNREADABLE'))
    }
    await fail()
    assert.equal(bob.broken.length, 1)
    bob.nowMs += BROKEN_INTERVAL_MS
    await fail()
    assert.equal(bob.broken.length, 2)
    await bob.write(alice, 'something that does not arrive')
    bob.nowMs += BROKEN_INTERVAL_MS
    await fail()
    assert.equal(bob.broken.length, 3)
  })

  it('is given up again within the hour, when both sides have lost what it was begun with', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    const lost = new Map([alice, bob].map((device) => [device, device.sessions.bundle()]))
    for (const device of [alice, bob]) await device.restore(device.copy(), { isRestored: true })
    const writeInVain = async (from: TestDevice, to: TestDevice): Promise<void> => {
      for (let i = 0; i < FAILURES_UNTIL_GIVEN_UP; i++) {
        const options = { bundle: lost.get(to) }
        const sealed = await from.sessions.encrypt(to.address, Buffer.from('in vain'), options)
        await assert.rejects(to.read(from, sealed), fails('UNREADABLE'))
      }
    }
    await alice.sessions.encrypt(bob.address, Buffer.from('in vain'), { bundle: lost.get(bob) })
    for (const times of [1, 2, 3]) {
      await writeInVain(bob, alice)
      await writeInVain(alice, bob)
      assert.deepEqual([alice.broken.length, bob.broken.length], [times, times])
      for (const device of [alice, bob]) device.nowMs += BROKEN_INTERVAL_MS
    }
    await alice.read(bob, await bob.write(alice, 'at last'))
    assert.equal(await bob.read(alice, await alice.write(bob, 'indeed')), 'indeed')
  })

  it('is still to be asked for after a restart, until the other side is heard', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await bob.read(alice, await alice.write(bob, 'one'))
    await alice.read(bob, await bob.write(alice, 'two'))
    assert.deepEqual(brokenDevices(bob.store.database), [])
    await bob.sessions.forget(alice.address)
    await assert.rejects(bob.read(alice, await alice.write(bob, 'lost')), fails('UNREADABLE'))
    await bob.reopen()
    assert.deepEqual(brokenDevices(bob.store.database), [alice.address])
    await alice.read(bob, await bob.write(alice, 'send it again'))
    await bob.reopen()
    assert.deepEqual(brokenDevices(bob.store.database), [alice.address])
    await bob.read(alice, await alice.write(bob, 'here it is'))
    assert.deepEqual(brokenDevices(bob.store.database), [])
  })

  it('is given up after several failures in a row, and not more than once an hour', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await bob.read(alice, await alice.write(bob, 'one'))
    await alice.read(bob, await bob.write(alice, 'two'))
    const real = await alice.write(bob, 'real')
    const fail = async (times: number): Promise<void> => {
      const { type, bytes } = await alice.write(bob, 'junk')
      const junk = { type, bytes: bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)) }
      for (let i = 0; i < times; i++) await assert.rejects(bob.read(alice, junk), fails('UNREADABLE'))
    }
    await fail(FAILURES_UNTIL_GIVEN_UP - 1)
    assert.deepEqual(bob.broken, [])
    await fail(10)
    assert.deepEqual(bob.broken, [alice.address])
    assert.equal(await bob.read(alice, real), 'real') // what was under way is opened all the same
    bob.nowMs += GIVE_UP_INTERVAL_MS
    await fail(FAILURES_UNTIL_GIVEN_UP)
    assert.deepEqual(bob.broken, [alice.address, alice.address])
  })
})
