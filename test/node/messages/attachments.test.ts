import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeRequest } from '../../../src/blobs/blob-frame.ts'
import { type Comrade, joinIdentity, NodeError, type NodeErrorCode } from '../../../src/index.ts'
import { befriend, Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'
import { asked, blobsAt } from '../blobs/support.ts'
import { messagesAt, reaches, shows } from './support.ts'

const withCode = (code: NodeErrorCode) => (error: unknown) => error instanceof NodeError && error.code === code

/** Waits until the file of a message is all there. */
async function arrives(node: Comrade, id: string): Promise<void> {
  await until(
    async () => (await messagesAt(node)).some((each) => each.id === id && each.attachment?.isHere === true),
    'the file is here'
  )
}

async function bytesOf(node: Comrade, id: string): Promise<Buffer> {
  const { read } = await node.messages.attachment(id, { signal: AbortSignal.timeout(20_000) })
  return Buffer.concat(await Array.fromAsync(read()))
}

describe('files that go with private messages', function () {
  this.timeout(60_000)

  it('come whole to the other side, are saved once, and go with the message', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const bytes = randomBytes(300_000)
    const file = homes.of('map.pdf')
    writeFileSync(file, bytes)
    const sent = await alice.messages.send(bob.identity.did, { text: 'the way', attachment: { file } })
    const { id: blob, ...rest } = sent.attachment!
    assert.match(blob, /^bafyrei/)
    assert.deepEqual(rest, { name: 'map.pdf', size: 300_000, isHere: true })
    await shows(bob, 'the way')
    await arrives(bob, sent.id)
    assert.deepEqual(await bytesOf(bob, sent.id), bytes)
    const saved = await bob.messages.save(sent.id, homes.path + '/copy.pdf')
    assert.deepEqual(readFileSync(saved.file), bytes)
    await assert.rejects(bob.messages.save(sent.id, saved.file), withCode('BAD_INPUT'))
    await reaches(alice, sent.id, 'delivered')
    await alice.messages.erase(sent.id)
    await until(() => [...blobsAt(alice), ...blobsAt(bob)].length === 0, 'both have let it go')
    assert.ok(existsSync(saved.file))
    await assert.rejects(bob.messages.attachment(sent.id), withCode('NOT_FOUND'))
    const fleeting = { attachment: { data: bytes, name: 'gone' }, expiresInMs: 1_000 }
    const { id } = await alice.messages.send(bob.identity.did, fleeting)
    assert.equal(blobsAt(alice).length, 2)
    for (const node of [alice, bob])
      await until(async () => (await messagesAt(node)).find((each) => each.id === id)?.type === 'erased', 'it expires')
    await until(() => [...blobsAt(alice), ...blobsAt(bob)].length === 0, 'the file is gone at both ends')
  })

  it('are not fetched unasked past a tenth of the quota, and come from an own other device when the author is off', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const { link } = await bob.devices.invite()
    await joinIdentity({ home: homes.of('phone'), link, deviceName: 'phone' })
    const phone = await homes.start('phone', {}, { quota: 0 })
    for (const node of [alice, bob]) await phone.connect(node.addresses[0])
    await until(
      async () => (await alice.peers()).filter(({ did }) => did === bob.identity.did).length === 2,
      'both devices are connected'
    )
    const data = randomBytes(70_000)
    const sent = await alice.messages.send(bob.identity.did, { attachment: { data, name: '../../.ssh/keys' } })
    await arrives(bob, sent.id)
    await until(async () => (await messagesAt(phone)).length === 1, 'the message is on the phone')
    await alice.stop()
    const [{ attachment }] = await messagesAt(phone)
    assert.deepEqual({ ...attachment, id: '' }, { id: '', name: 'keys', size: 70_000, isHere: false })
    assert.deepEqual(blobsAt(phone), [])
    assert.deepEqual(await bytesOf(phone, sent.id), data)
    const folder = homes.of('downloads')
    mkdirSync(folder)
    symlinkSync(homes.of('elsewhere'), join(folder, 'keys'))
    await assert.rejects(phone.messages.save(sent.id, folder), withCode('BAD_INPUT'))
    assert.equal(existsSync(homes.of('elsewhere')), false)
  })

  it('are given to friends only, and only as long as they are friends', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob', {}, { quota: 0 })]
    const carol = await homes.start('carol')
    await befriend(alice, bob)
    await carol.connect(alice.addresses[0])
    const sent = await alice.messages.send(bob.identity.did, { attachment: { data: randomBytes(100), name: 'secret' } })
    await until(async () => (await messagesAt(bob)).length === 1, 'the message is there')
    const [blob] = blobsAt(alice)
    const want = encodeRequest({ kind: 'want', id: Buffer.from(blob, 'hex') })
    assert.equal((await asked(bob, alice, want))?.[0], 33)
    assert.deepEqual([...(await asked(carol, alice, want))!], [36])
    await alice.contacts.unfollow(bob.identity.did)
    assert.deepEqual([...(await asked(bob, alice, want))!], [36])
    await assert.rejects(bob.messages.attachment(sent.id, { signal: AbortSignal.timeout(300) }))
    assert.deepEqual(blobsAt(bob), [])
    await alice.contacts.follow(bob.identity.did)
    assert.equal((await bytesOf(bob, sent.id)).length, 100)
  })

  it('come to all in a conversation, and are let go by who erases the message', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    const carol = await homes.start('carol', {}, { quota: 0 })
    for (const other of [bob, carol]) await befriend(alice, other)
    const people = [bob, carol].map(({ identity }) => identity.did)
    const { id } = await alice.messages.conversations.create({ name: 'hive', people })
    const data = randomBytes(500)
    const sent = await alice.messages.send(id, { text: 'to all', attachment: { data, name: 'list.txt' } })
    await arrives(bob, sent.id)
    await shows(carol, 'to all')
    assert.deepEqual(await bytesOf(carol, sent.id), data)
    await bob.messages.erase(sent.id)
    await until(() => blobsAt(bob).length === 0, 'it is let go')
    assert.equal(blobsAt(alice).length, 2)
  })

  it('are refused when they cannot be read, are too large, or are no files', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await alice.contacts.follow(bob.identity.did)
    writeFileSync(homes.of('large'), '')
    truncateSync(homes.of('large'), 67_092_481)
    for (const file of [homes.of('nothing'), homes.of('large'), homes.path])
      await assert.rejects(alice.messages.send(bob.identity.did, { attachment: { file } }), withCode('BAD_INPUT'))
    const [name, data] = ['a', randomBytes(10)]
    const wrong = { attachment: { name, data, mime: 'text/html; charset=x' } }
    await assert.rejects(alice.messages.send(bob.identity.did, wrong), withCode('BAD_INPUT'))
    await until(() => blobsAt(alice).length === 0, 'nothing is left of them')
    assert.deepEqual(await messagesAt(alice), [])
  })
})
