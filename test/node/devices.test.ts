// Several devices of one identity: joining by a link, being ended, and what others see of it.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { encodeBody, FeedStore, FeedWriter, generateSeed, signingKey } from '../../src/feeds/index.ts'
import { type Comrade, joinIdentity, NodeError, type NodeErrorCode } from '../../src/index.ts'
import { homeAt } from '../../src/node/home.ts'
import { openKeys } from '../../src/node/keystore.ts'
import { decodeLink, deviceAddBody, encodeLink } from '../../src/trust/index.ts'
import { befriend, Homes, post, postsOf, reads, warningsOf } from '../support/node.ts'
import { until } from '../support/processes.ts'

const has = (code: NodeErrorCode) => (error: unknown) => error instanceof NodeError && error.code === code

describe('devices', function () {
  this.timeout(60_000)
  let homes: Homes
  let laptop: Comrade

  beforeEach(async () => {
    homes = new Homes()
    laptop = await homes.start('laptop', { deviceName: 'laptop' })
  })

  afterEach(async () => {
    await homes[Symbol.asyncDispose]()
  })

  async function join(name: string, link?: string): Promise<Comrade> {
    const given = link ?? (await laptop.devices.invite()).link
    await joinIdentity({ home: homes.of(name), link: given, deviceName: name })
    return homes.start(name)
  }

  async function areConnected(one: Comrade, other: Comrade): Promise<void> {
    const knows = async (node: Comrade, peer: Comrade): Promise<boolean> =>
      (await node.peers()).some(({ peerId, did }) => peerId === peer.peerId && did === peer.identity.did)
    await until(async () => (await knows(one, other)) && (await knows(other, one)), 'they know each other')
  }

  const texts = async (node: Comrade, did: string): Promise<(string | undefined)[]> =>
    (await postsOf(node, did)).map(({ text }) => text).toReversed()

  it('join by a link, connect by themselves, and are one person to others', async () => {
    const { did } = laptop.identity
    await post(laptop, 'before')
    const friend = await homes.start('friend')
    await befriend(laptop, friend)
    const pi = await join('pi')
    assert.equal(pi.identity.did, did)
    await areConnected(laptop, pi)
    assert.deepEqual(await laptop.devices.list(), [
      { device: laptop.identity.device, name: 'laptop', state: 'this' },
      { device: pi.identity.device, name: 'pi', state: 'active' }
    ])
    await until(async () => (await pi.devices.list()).length === 2, 'the new device knows both')
    await post(pi, 'from the pi')
    await post(laptop, 'from the laptop')
    const all = ['before', 'from the laptop', 'from the pi']
    for (const node of [laptop, pi, friend]) await reads(node, did, ...all)
    const items = await postsOf(friend, did)
    assert.deepEqual([...new Set(items.map(({ author }) => author))], [did])
    assert.equal(new Set(items.map(({ name }) => name)).size, 1)
    assert.equal(new Set(items.map(({ feed }) => feed)).size, 2)
    assert.equal((await friend.contacts.list()).length, 1)
    const [own] = (await laptop.peers()).filter(({ peerId }) => peerId === pi.peerId)
    assert.deepEqual([own.relation, own.device], ['self', 'pi'])
    const [theirs] = (await friend.peers()).filter(({ peerId }) => peerId === laptop.peerId)
    assert.deepEqual([theirs.relation, theirs.device], ['friend', undefined])
  })

  it('find each other again after each was off', async () => {
    const pi = await join('pi')
    await areConnected(laptop, pi)
    await pi.stop()
    const again = await homes.start('pi')
    await areConnected(laptop, again)
    await laptop.stop()
    laptop = await homes.start('laptop')
    await areConnected(laptop, again)
  })

  it('do not give the root key to those that join: they neither invite nor end others', async () => {
    const pi = await join('pi')
    await assert.rejects(pi.devices.invite(), has('NOT_OWN'))
    await assert.rejects(pi.devices.revoke('laptop'), has('NOT_OWN'))
    const keys = await openKeys(homeAt(homes.of('pi')).keys)
    assert.equal(keys.rootSeed, undefined)
    const seed = readFileSync(`${homeAt(homes.of('laptop')).keys}/root.key`, 'utf8')
    assert.ok(!readFileSync(`${homeAt(homes.of('pi')).keys}/root.key`, 'utf8').includes(JSON.parse(seed).seed))
  })

  it('that are ended say so, and do not sign; what they wrote before stays', async () => {
    const { did } = laptop.identity
    const friend = await homes.start('friend')
    await befriend(laptop, friend)
    const pi = await join('pi')
    await post(pi, 'before')
    await reads(laptop, did, 'before')
    const warnings = warningsOf(pi)
    assert.deepEqual(await laptop.devices.revoke('PI'), { device: pi.identity.device, name: 'pi', state: 'revoked' })
    await until(async () => (await pi.status()).paused !== undefined, 'the revoked device has heard of it')
    assert.match((await pi.status()).paused!, /revoked by another/)
    assert.deepEqual(warnings, ['REVOKED'])
    await assert.rejects(post(pi, 'after'), { code: 'SIGNING_PAUSED' })
    await reads(friend, did, 'before')
    assert.equal((await pi.devices.list())[1].state, 'revoked')
    await pi.stop()
    const again = await homes.start('pi')
    await assert.rejects(post(again, 'after a restart'), { code: 'SIGNING_PAUSED' })
    const doctor = await again.doctor()
    assert.equal(doctor.find(({ check }) => check === 'signing')?.ok, false)
  })

  it('that are ended while they are off have nothing more counted, and hear of it when they are back', async () => {
    const { did } = laptop.identity
    const friend = await homes.start('friend')
    await befriend(laptop, friend)
    const pi = await join('pi')
    await post(pi, 'before')
    await reads(friend, did, 'before')
    await reads(laptop, did, 'before')
    await laptop.stop()
    await friend.stop()
    await post(pi, 'by the thief')
    await pi.profile({ name: 'Thief' })
    await pi.stop()
    laptop = await homes.start('laptop')
    await laptop.devices.revoke(pi.identity.device)
    const back = await homes.start('pi')
    const again = await homes.start('friend')
    await back.connect(laptop.addresses[0])
    await laptop.connect(again.addresses[0])
    await areConnected(laptop, again)
    await until(async () => (await back.status()).paused !== undefined, 'the revoked device has heard of it')
    await again.connect(back.addresses[0])
    await post(laptop, 'the end')
    await reads(again, did, 'before', 'the end')
    assert.deepEqual(await texts(again, did), ['before', 'the end'])
    assert.equal((await again.contacts.find(did)).claimed, undefined)
  })

  it('that are ended are no longer taken for this person', async () => {
    const friend = await homes.start('friend')
    await befriend(laptop, friend)
    const pi = await join('pi')
    await areConnected(laptop, pi)
    await friend.connect(pi.addresses[0])
    await until(async () => (await friend.peers()).filter(({ did }) => did !== undefined).length === 2, 'one person')
    await laptop.devices.revoke('pi')
    for (const node of [laptop, friend])
      await until(
        async () => (await node.peers()).every(({ peerId, did }) => peerId !== pi.peerId || did === undefined),
        'it is a stranger'
      )
  })

  it('are ended by name or did, of several with one name by did alone, and not by themselves', async () => {
    const one = await join('pi')
    await one.stop()
    const { link } = await laptop.devices.invite()
    const { device } = await joinIdentity({ home: homes.of('other'), link, deviceName: 'Pi' })
    await assert.rejects(laptop.devices.revoke('pi'), (error) => {
      assert.ok(has('WHO_AMBIGUOUS')(error))
      return (error as Error).message.includes(device) && (error as Error).message.includes(one.identity.device)
    })
    await assert.rejects(laptop.devices.revoke('nobody'), has('NOT_FOUND'))
    await assert.rejects(laptop.devices.revoke(laptop.identity.did), has('NOT_FOUND'))
    await assert.rejects(laptop.devices.revoke('laptop'), has('BAD_INPUT'))
    assert.equal((await laptop.devices.revoke(device)).state, 'revoked')
    assert.equal((await laptop.devices.revoke(device)).state, 'revoked', 'again')
    assert.equal((await laptop.devices.revoke('pi')).device, one.identity.device)
  })

  describe('that join', () => {
    it('use an invite once', async () => {
      const { link } = await laptop.devices.invite()
      await join('pi', link)
      await assert.rejects(joinIdentity({ home: homes.of('other'), link }), has('USED'))
      assert.equal((await laptop.devices.list()).length, 2)
      assert.deepEqual(
        readdirSync(homes.of('other')).filter((name) => name.startsWith('keys.')),
        []
      )
    })

    it('have one winner among many who bring the same link at once', async () => {
      const { link } = await laptop.devices.invite()
      const tries = await Promise.allSettled(
        Array.from({ length: 5 }, (_, i) => joinIdentity({ home: homes.of(`d${i}`), link, deviceName: `d${i}` }))
      )
      assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const each of tries) if (each.status === 'rejected') assert.ok(has('USED')(each.reason), String(each.reason))
      assert.equal((await laptop.devices.list()).length, 2)
    })

    it('are refused with a link that has expired, was mangled, is for meeting, or has another secret', async () => {
      const { link } = await laptop.devices.invite()
      const parts = decodeLink(link, 'device')
      const wrong: [string, NodeErrorCode][] = [
        [encodeLink({ kind: 'device', ...parts, expiresMs: Date.now() - 1_000 }), 'EXPIRED'],
        [link.slice(0, -3), 'BAD_INPUT'],
        [encodeLink({ kind: 'meet', ...parts }), 'BAD_INPUT'],
        [encodeLink({ kind: 'device', ...parts, secret: new Uint8Array(16) }), 'NOT_FOUND'],
        ['hello', 'BAD_INPUT']
      ]
      for (const [given, code] of wrong)
        await assert.rejects(joinIdentity({ home: homes.of('pi'), link: given }), has(code), code)
      assert.equal((await laptop.devices.list()).length, 1)
      await join('pi', link) // nothing of it has used up the invite, or the home
    })

    it('do not take another identity for the one that the link names', async () => {
      const { link } = await laptop.devices.invite()
      const { publicKey } = signingKey(new Uint8Array(32).fill(7))
      const forged = encodeLink({ kind: 'device', ...decodeLink(link, 'device'), root: publicKey })
      await assert.rejects(joinIdentity({ home: homes.of('pi'), link: forged }), has('BAD_INPUT'))
      assert.equal((await laptop.devices.list()).length, 1)
    })

    it('say that nobody answers, and leave an empty home', async () => {
      const { link } = await laptop.devices.invite()
      await laptop.stop()
      await assert.rejects(joinIdentity({ home: homes.of('pi'), link }), has('UNREACHABLE'))
      const node = await homes.start('pi')
      assert.notEqual(node.identity.did, laptop.identity.did)
    })

    it('do not join where there is an identity, or a node runs', async () => {
      const { link } = await laptop.devices.invite()
      await assert.rejects(joinIdentity({ home: homes.of('laptop'), link }), has('HOME_IN_USE'))
      const other = await homes.start('other')
      await other.stop()
      await assert.rejects(joinIdentity({ home: homes.of('other'), link }), has('FAILED'))
      await join('pi', link)
    })

    it('are handed no new key when they were ended meanwhile', async () => {
      const { link } = await laptop.devices.invite()
      const joining = joinIdentity({ home: homes.of('phone'), link, deviceName: 'phone' })
      joining.catch(() => {}) // looked at below
      await until(async () => (await laptop.devices.list()).length === 2, 'it is in the log')
      await laptop.devices.revoke('phone')
      await assert.rejects(joining, has('DECLINED'))
    })

    it('cannot come back under a key that was revoked', async () => {
      const { link } = await laptop.devices.invite()
      const { device } = await joinIdentity({ home: homes.of('pi'), link })
      await laptop.devices.revoke(device)
      interrupted()
      await assert.rejects(joinIdentity({ home: homes.of('again'), link }), has('DECLINED'))
      const next = await laptop.devices.invite()
      interrupted()
      await assert.rejects(joinIdentity({ home: homes.of('again'), link: next.link }), has('DECLINED'))
      await joinIdentity({ home: homes.of('again'), link: next.link }) // under a new key, by the same invite
    })

    it('get the same answer again when it was lost, also by another invite', async () => {
      const { link } = await laptop.devices.invite()
      const { device } = await joinIdentity({ home: homes.of('pi'), link })
      for (const given of [link, (await laptop.devices.invite()).link]) {
        interrupted()
        assert.equal((await joinIdentity({ home: homes.of('again'), link: given })).device, device)
      }
      assert.equal((await laptop.devices.list()).length, 2)
    })
  })

  /** A home in which the keys of `pi` lie as those of a try do that never heard an answer. */
  function interrupted(): void {
    rmSync(homes.of('again'), { recursive: true, force: true })
    mkdirSync(homes.of('again'), { mode: 0o700 })
    homes.copy('pi/keys', 'again/keys.joining')
  }

  it('stay those up to the fork where the log was continued in two places, and everybody goes on', async () => {
    const { did } = laptop.identity
    const friend = await homes.start('friend')
    await befriend(laptop, friend)
    await laptop.stop()
    homes.copy('laptop', 'copy')
    for (const name of ['laptop', 'copy']) await addBehindItsBack(name, 1)
    const added = () => Array.fromAsync(friend.feeds.read({ author: did, types: ['device/add'] }))
    laptop = await homes.start('laptop')
    await laptop.connect(friend.addresses[0])
    await until(async () => (await added()).length === 2, 'the friend has one branch')
    await laptop.stop()
    const warnings: string[] = []
    friend.addEventListener('warning', ({ detail }) => warnings.push(detail.message))
    laptop = await homes.start('copy')
    laptop.addEventListener('warning', ({ detail }) => warnings.push(detail.message, detail.sentence.code))
    await laptop.connect(friend.addresses[0])
    await until(
      () => warnings.some((message) => /this identity's log was continued in two places/.test(message)),
      'told'
    )
    assert.ok(warnings.includes('warning.logFork'))
    assert.deepEqual(await laptop.devices.list(), [{ device: laptop.identity.device, name: 'laptop', state: 'this' }])
    await assert.rejects(laptop.devices.invite(), has('SIGNING_PAUSED'))
    assert.equal((await laptop.status()).paused, undefined)
    const log = (await laptop.doctor()).find(({ check }) => check === 'identity log')
    assert.equal(log?.ok, false)
    await post(laptop, 'on it goes')
    await reads(friend, did, 'on it goes')
  })

  /** Appends devices to the log of a home whose node is stopped. */
  async function addBehindItsBack(name: string, count: number): Promise<void> {
    const keys = await openKeys(homeAt(homes.of(name)).keys)
    const store = FeedStore.open(homeAt(homes.of(name)).store)
    const writer = new FeedWriter(store, keys.root!)
    await writer.append(
      Array.from({ length: count }, (_, i) =>
        encodeBody(deviceAddBody(keys.identity, signingKey(generateSeed()), `device number ${i}`))
      )
    )
    writer.close()
    store.close()
  }

  it('are 128 at most in an identity, ever', async () => {
    const { identity } = laptop
    const invites = await Promise.all(Array.from({ length: 3 }, () => laptop.devices.invite()))
    const first = await joinIdentity({ home: homes.of('first'), link: invites[0].link })
    await laptop.stop()
    await addBehindItsBack('laptop', 125)
    laptop = await homes.start('laptop')
    // Its start has not read what was written behind its back; the next entry makes it.
    await laptop.devices.revoke(first.device)
    assert.equal((await laptop.devices.list()).length, 127)
    const last = await join('last', (await laptop.devices.invite()).link)
    assert.equal(last.identity.did, identity.did)
    assert.equal((await last.devices.list()).length, 128)
    await assert.rejects(laptop.devices.invite(), has('FAILED'))
    const { addresses } = laptop
    const open = encodeLink({ kind: 'device', ...decodeLink(invites[1].link, 'device'), addresses })
    await assert.rejects(joinIdentity({ home: homes.of('more'), link: open }), has('FAILED'))
  })
})
