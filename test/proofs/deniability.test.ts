// The promise: a record of a conversation proves to nobody who wrote what. The attack on a real one: to find anything that
// verifies under the author's keys. And the proof that there is nothing to find: somebody who has no more of Alice than what
// everybody gets makes up a conversation with her that stands every check that a real one stands.
import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, verify } from 'node:crypto'
import { decodeCbor, FeedStore, sha256 } from '../../src/feeds/index.ts'
import { type DeviceAddress, type Sealed, Sessions } from '../../src/messages/index.ts'
import { homeAt } from '../../src/node/home.ts'
import { openKeys } from '../../src/node/keystore.ts'
import { Vault } from '../../src/node/vault.ts'
import { parseDid } from '../../src/trust/index.ts'
import { START_MS, TestDevice } from '../messages/devices.ts'
import { reaches } from '../node/messages/support.ts'
import { befriend, Homes } from '../support/node.ts'
import { contentsOf, framesOf, rowsOf, tablesOf, valuesOf } from './stage.ts'

const SIGNATURE_SIZE = 64
const CONFESSION = ['I took the cake', 'all of it']

describe('whoever wants to prove what somebody wrote', function () {
  this.timeout(120_000)

  it('cannot: what was made up with her public keys alone stands every check that a real conversation stands', async () => {
    await using alice = await TestDevice.create('alice')
    await using bob = await TestDevice.create('bob')
    await using liar = await TestDevice.create('bob')
    await using mallory = await TestDevice.create('mallory')
    const identity = identityOf(alice)

    await alice.read(bob, await bob.write(alice, 'who took the cake?'))
    await bob.read(alice, await alice.write(bob, 'let me think'))
    const real = await recordOf(bob, () => inTurn(CONFESSION, (text) => alice.write(bob, text)))
    assert.deepEqual(await judge(real, alice.address, identity), CONFESSION)

    // Of Alice, the liar has her address and her public identity key: they are in every bundle that she gives away.
    const madeUp = await fabricate(liar, alice.address, identity, CONFESSION)
    assert.deepEqual(await judge(madeUp, alice.address, identity), CONFESSION)
    assert.equal(liar.store.database.prepare('SELECT count(*) AS n FROM message_devices').get()!.n, 1)

    // The judge is not blind.
    const changed = real.sealed.map(({ type, bytes }) => ({
      type,
      bytes: Uint8Array.from(bytes, (b, i) => b ^ +(i === 40))
    }))
    assert.equal(await judge({ ...real, sealed: changed }, alice.address, identity), undefined)
    assert.equal(await judge(real, alice.address, identityOf(mallory)), undefined)
    assert.equal(await judge({ ...madeUp, sealed: real.sealed }, alice.address, identity), undefined)
  })

  it('finds nothing that was stored or sent which verifies under an identity, device or peer key', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const frames = framesOf(alice)
    const { id } = await alice.messages.send(bob.identity.did, { text: CONFESSION[0] })
    await reaches(alice, id, 'delivered')
    const keys = [alice.identity.did, alice.identity.device].map(parseDid)
    keys.push(alice.libp2p.peerId.publicKey!.raw)
    await Promise.all([alice.stop(), bob.stop()])

    const directory = homes.of('bob')
    const opened = await contentsOf(directory)
    assert.ok(
      opened.some((content) => Buffer.from(content).includes(Buffer.from(CONFESSION[0]))),
      'what is looked at is the message'
    )
    const stored = tablesOf(directory, 'message').flatMap((table) => valuesOf(rowsOf(directory, table)))
    const sent = frames.filter(({ protocol }) => protocol.startsWith('/comrade/message/')).map(({ bytes }) => bytes)
    assert.ok(stored.length > 10 && sent.length >= 2)
    for (const bytes of [...opened, ...stored, ...sent]) assert.equal(signedBy(bytes, keys), undefined)

    // The search finds a signature where there is one, wherever it stands.
    const { device } = await openKeys(homeAt(homes.of('alice')).keys)
    const text = Buffer.from('I took the cake')
    const signature = Buffer.from(device.sign(text))
    for (const signed of [Buffer.concat([text, signature]), Buffer.concat([signature, text])])
      assert.equal(signedBy(signed, keys), keys[1])
  })
})

/** What somebody shows a judge: their database before some messages came, their keys, and the messages. */
interface Exhibit {
  store: () => FeedStore
  seed: Uint8Array
  self: DeviceAddress
  sealed: Sealed[]
}

async function recordOf(device: TestDevice, send: () => Promise<Sealed[]>): Promise<Exhibit> {
  await device.sessions.close()
  const path = `${device.copy()}/feeds.sqlite`
  await device.begin()
  return { store: () => FeedStore.open(path), seed: device.seed, self: device.address, sealed: await send() }
}

/**
 * Opens the messages with the keys and the database of whoever accuses.
 * @returns what they say, or undefined when they are not in a session with this identity
 */
async function judge(
  { store: open, seed, self, sealed }: Exhibit,
  author: DeviceAddress,
  identity: Uint8Array
): Promise<string[] | undefined> {
  const store = open()
  const before = store.database.prepare('SELECT * FROM message_devices WHERE address = ?').get(author)
  try {
    const session = sessionOf(store, seed, author)
    if (Buffer.compare(before!.identity as Uint8Array, identity) !== 0 || !session.includes(Buffer.from(identity)))
      return undefined
    const sessions = await Sessions.open({ store, vault: new Vault(seed), address: self, now: () => START_MS })
    const read = (each: Sealed): Promise<string> =>
      sessions.decrypt(author, each, (text) => Buffer.from(text).toString())
    try {
      return await inTurn(sealed, read)
    } catch {
      return undefined
    } finally {
      await sessions.close()
    }
  } finally {
    // What was opened for the judge is not opened for the next one otherwise.
    if (before !== undefined)
      store.write(() =>
        store.database
          .prepare('UPDATE message_devices SET session = ? WHERE address = ?')
          .run(before.session as Uint8Array, author)
      )
    store.close()
  }
}

/**
 * Talks to a puppet, and then writes into both databases that the puppet was somebody else: of the keys that a session began
 * with nothing is left that would tell.
 */
async function fabricate(
  liar: TestDevice,
  victim: DeviceAddress,
  identity: Uint8Array,
  texts: readonly string[]
): Promise<Exhibit> {
  const seed = sha256(randomBytes(32))
  const store = FeedStore.open(':memory:')
  const start = (): Promise<Sessions> =>
    Sessions.open({ store, vault: new Vault(seed), address: victim, now: () => START_MS })
  let puppet = await start()
  const tell = async (text: string): Promise<Sealed> => puppet.encrypt(liar.address, Buffer.from(text))
  await puppet.decrypt(
    liar.address,
    await liar.sessions.encrypt(victim, Buffer.from('who took the cake?'), { bundle: puppet.bundle() }),
    () => {}
  )
  await liar.sessions.decrypt(victim, await tell('let me think'), () => {})
  await Promise.all([puppet.close(), liar.sessions.close()])
  const mask = liar.store.database.prepare('SELECT identity FROM message_devices').get()!.identity as Uint8Array
  rename(liar.store, liar.seed, victim, mask, identity)
  rename(store, seed, liar.address, mask, identity)
  puppet = await start()
  await liar.begin()
  const record = await recordOf(liar, () => inTurn(texts, tell))
  await puppet.close()
  store.close()
  return record
}

/** Puts one identity key in place of another in a session and beside it. */
function rename(store: FeedStore, seed: Uint8Array, address: DeviceAddress, from: Uint8Array, to: Uint8Array): void {
  const session = sessionOf(store, seed, address)
  const name = Buffer.from(from)
  assert.ok(session.includes(name))
  for (let at = session.indexOf(name); at >= 0; at = session.indexOf(name)) session.set(to, at)
  const sealed = new Vault(seed).seal(session, aboutSession(address))
  store.write(() => {
    const { database } = store
    database.prepare('UPDATE message_devices SET session = ? WHERE address = ?').run(sealed, address)
    database.prepare('UPDATE message_devices SET identity = ? WHERE identity = ?').run(to, from)
  })
}

/** libsignal's record of a session, unsealed. */
function sessionOf({ database }: FeedStore, seed: Uint8Array, address: DeviceAddress): Buffer {
  const row = database.prepare('SELECT session FROM message_devices WHERE address = ?').get(address)
  return Buffer.from(new Vault(seed).open(row!.session as Uint8Array, aboutSession(address))!)
}

/** What a session is sealed for. */
function aboutSession(address: DeviceAddress): Buffer {
  return Buffer.from(`comrade/message/session/1\0${address}`)
}

/** libsignal's identity key, as each bundle has it. */
function identityOf(device: TestDevice): Uint8Array {
  return (decodeCbor(device.sessions.bundle()) as { identity: Uint8Array }).identity
}

async function inTurn<T, U>(all: readonly T[], work: (each: T) => Promise<U>): Promise<U[]> {
  const results: U[] = []
  for (const each of all) results.push(await work(each))
  return results
}

/** The key under which some 64 bytes of these sign those before, those after, or all of the others. */
function signedBy(bytes: Uint8Array, keys: readonly Uint8Array[]): Uint8Array | undefined {
  const publics = keys.map((x) =>
    createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(x).toString('base64url') } })
  )
  for (let at = 0; at + SIGNATURE_SIZE <= bytes.length; at++) {
    const signature = bytes.subarray(at, at + SIGNATURE_SIZE)
    if (signature[SIGNATURE_SIZE - 1] > 0x10) continue // S is less than the group's order (RFC 8032, 5.1.7)
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at + SIGNATURE_SIZE)]
    for (const text of [before, after, Buffer.concat([before, after])]) {
      const found = publics.findIndex((key) => verify(null, text, key, signature))
      if (found >= 0) return keys[found]
    }
  }
  return undefined
}
