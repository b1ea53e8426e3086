// The directory among nodes that lie, withhold and listen.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { ComponentLogger, Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Comrade } from '../../src/index.ts'
import { openKeys } from '../../src/node/keystore.ts'
import { memoryNetwork } from '../../src/node/memory-network.ts'
import { PeopleProtocol } from '../../src/node/people-protocol.ts'
import { dhtKey } from '../../src/node/record-store.ts'
import { findProof } from '../../src/node/directory-questions.ts'
import { blindedKey, dayOf, parseDid } from '../../src/trust/index.ts'
import { decodeMessage, type DhtMessage, GET_VALUE, mineKeyNear, PUT_VALUE, startHostileNode } from '../support/dht.ts'
import { directoryRecord } from '../support/directory.ts'
import { startMemoryNode } from '../support/network.ts'
import { befriend, Homes } from '../support/node.ts'
import { sleep, until } from '../support/processes.ts'

const today = dayOf(Date.now())
const start = (homes: Homes, name: string) => homes.start(name, { libp2p: memoryNetwork() })

/** The key under which somebody's record of today lies. */
const keyOf = (node: Comrade) => blindedKey(parseDid(node.identity.did), today)

/** Twenty nodes nearer to a key than the honest ones, who know each other only. */
async function surround(
  stack: AsyncDisposableStack,
  key: Uint8Array,
  honest: Comrade[],
  answer: (m: DhtMessage) => DhtMessage
) {
  const nodes: Awaited<ReturnType<typeof startHostileNode>>[] = []
  const closer = () =>
    nodes.map(({ libp2p }) => ({ id: libp2p.peerId, addresses: libp2p.getMultiaddrs().map(({ bytes }) => bytes) }))
  const peers = honest.map(({ libp2p }) => libp2p.peerId)
  for (let i = 0; i < 20; i++) {
    const privateKey = await mineKeyNear(dhtKey(key), peers)
    nodes.push(stack.use(await startHostileNode((message) => ({ ...answer(message), closer: closer() }), privateKey)))
  }
  return nodes
}

/** Connects everybody with all of the hostile nodes. */
async function expose(nodes: Comrade[], hostile: Awaited<ReturnType<typeof surround>>): Promise<void> {
  for (const node of nodes) for (const { libp2p } of hostile) await node.libp2p.dial(libp2p.getMultiaddrs())
}

const source = (node: Comrade, did: string) =>
  node.directory.resolve(did).then(
    (found) => found.source,
    () => undefined
  )

describe('directory among twenty hostile nodes, the nearest to the key', function () {
  this.timeout(120_000)

  it('is answered by a friend, then by what is remembered, where they say nothing', async () => {
    await using stack = new AsyncDisposableStack()
    const homes = stack.use(new Homes())
    const [alice, bob, carol] = [await start(homes, 'alice'), await start(homes, 'bob'), await start(homes, 'carol')]
    const hostile = await surround(stack, keyOf(alice), [alice, bob, carol], ({ type, key }) => ({ type, key }))
    await expose([alice, bob, carol], hostile)
    await befriend(alice, bob)
    await befriend(bob, carol)
    await until(async () => (await source(carol, alice.identity.did)) === 'friend', 'the friend knows')
    await bob.stop()
    await until(async () => (await source(carol, alice.identity.did)) === 'cache', 'it is remembered')
    assert.ok(hostile.some(({ heard }) => heard.length > 0))
  })

  it('does not go back to the older record that they have', async () => {
    await using stack = new AsyncDisposableStack()
    const homes = stack.use(new Homes())
    const [alice, bob, carol] = [await start(homes, 'alice'), await start(homes, 'bob'), await start(homes, 'carol')]
    const { rootSeed } = await openKeys(join(homes.of('alice'), 'keys'))
    const elsewhere = { peer: bob.libp2p.peerId.publicKey!.raw, addresses: [], at: 1 }
    const old = directoryRecord({
      seed: rootSeed,
      sequence: Date.now() - 60_000,
      content: { log: { seq: 1, id: new Uint8Array(32) }, devices: [elsewhere] }
    })
    const hostile = await surround(stack, old.blinded, [alice, bob, carol], ({ type, key }) => {
      const isIt = key !== undefined && Buffer.compare(key, dhtKey(old.blinded)) === 0
      return { type, key, ...(isIt && { value: old.bytes }) }
    })
    await expose([alice, bob, carol], hostile)
    const peersOf = async () => (await carol.directory.resolve(alice.identity.did)).devices.map(({ peerId }) => peerId)
    await until(async () => (await source(carol, alice.identity.did)) === 'dht', 'they answer')
    assert.deepEqual(await peersOf(), [bob.peerId])
    await befriend(alice, bob)
    await befriend(bob, carol)
    await until(async () => (await peersOf())[0] === alice.peerId, 'the friend has a newer one')
    await bob.stop()
    for (let i = 0; i < 3; i++) assert.deepEqual(await peersOf(), [alice.peerId])
    assert.equal(await source(carol, alice.identity.did), 'cache')
  })
})

describe('the question find', function () {
  this.timeout(60_000)

  /** Bob follows Alice, whose record he was told, and Carol. Mallory is connected, and nobody's contact. */
  async function setup(stack: AsyncDisposableStack) {
    const homes = stack.use(new Homes())
    const [alice, bob, carol] = [await start(homes, 'alice'), await start(homes, 'bob'), await start(homes, 'carol')]
    await befriend(alice, bob)
    await befriend(bob, carol)
    const root = parseDid(alice.identity.did)
    const blinded = keyOf(alice)
    const ask = async (
      from: Libp2p,
      proof = findProof(root, from.peerId, bob.libp2p.peerId, blinded),
      key = blinded
    ) => {
      const asker = new PeopleProtocol({ libp2p: from, onFault: () => {}, onError: () => {} })
      return asker.ask(bob.libp2p.peerId, { type: 'find', key, proof })
    }
    await until(async () => {
      await sleep(500) // of one peer, sixty questions a minute are answered
      return (await ask(carol.libp2p)).record !== undefined
    }, 'bob knows where alice is')
    return { homes, alice, bob, carol, root, blinded, ask }
  }

  it('is not answered to strangers, nor to who cannot prove that they know the person', async () => {
    await using stack = new AsyncDisposableStack()
    const { bob, carol, root, blinded, ask } = await setup(stack)
    const mallory = stack.use(await startMemoryNode())
    await mallory.libp2p.dial(bob.libp2p.getMultiaddrs())
    assert.deepEqual(await ask(mallory.libp2p), { type: 'found' })
    assert.deepEqual(await ask(carol.libp2p, new Uint8Array(16)), { type: 'found' })
    const replayed = findProof(root, mallory.libp2p.peerId, bob.libp2p.peerId, blinded)
    assert.deepEqual(await ask(carol.libp2p, replayed), { type: 'found' })
    assert.deepEqual(await ask(carol.libp2p, undefined, new Uint8Array(32)), { type: 'found' })
    assert.deepEqual(await ask(carol.libp2p, undefined, new Uint8Array(31)), { type: 'found' })
  })

  it('is not answered about who is blocked or no longer followed', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, bob, carol, ask } = await setup(stack)
    await bob.contacts.unfollow(alice.identity.did)
    assert.deepEqual(await ask(carol.libp2p), { type: 'found' })
    await bob.contacts.follow(alice.identity.did)
    assert.ok((await ask(carol.libp2p)).record)
    await bob.contacts.block(alice.identity.did)
    assert.deepEqual(await ask(carol.libp2p), { type: 'found' })
    await bob.contacts.unblock(alice.identity.did)
    assert.deepEqual(await ask(carol.libp2p), { type: 'found' })
  })
})

describe('what the directory tells a node of the DHT', function () {
  this.timeout(60_000)

  it('is nothing by which the identity, its devices or its addresses could be known', async () => {
    await using stack = new AsyncDisposableStack()
    const homes = stack.use(new Homes())
    const logged: string[] = []
    const spy = await homes.start('spy', { libp2p: { ...memoryNetwork(), logger: loggerInto(logged) } })
    const ear = stack.use(await startHostileNode(({ type, key, value }) => ({ type, key, value })))
    const [alice, bob] = [await start(homes, 'alice'), await start(homes, 'bob')]
    for (const node of [alice, bob]) {
      await node.libp2p.dial(spy.libp2p.getMultiaddrs())
      await node.libp2p.dial(ear.libp2p.getMultiaddrs())
    }
    await bob.contacts.follow(alice.identity.did)
    const key = Buffer.from(dhtKey(keyOf(alice)))
    await until(() => ear.heard.filter((bytes) => Buffer.from(bytes).includes(key)).length >= 2, 'put and asked for')
    await until(async () => (await source(bob, alice.identity.did)) === 'dht', 'found')

    const told = ear.heard.filter(isAboutRecords)
    assert.ok(told.some((bytes) => decodeMessage(bytes).type === GET_VALUE))
    const puts = told.filter((bytes) => decodeMessage(bytes).type === PUT_VALUE)
    assert.ok(puts.length >= 2)
    const secret = secretsOf(alice)
    for (const bytes of told)
      for (const [what, value] of secret) assert.ok(!Buffer.from(bytes).includes(value), `${what} in a message`)
    // What libp2p logs has the publisher's peer id, since the publisher is who is connected; but never who that is.
    const log = logged.join('\n')
    assert.match(log, /put for key|PUT_VALUE/)
    for (const [what, value] of secret.filter(([name]) => !name.startsWith('peer') && !name.startsWith('address')))
      for (const text of [value.toString('hex'), value.toString('base64'), value.toString()])
        assert.ok(!log.includes(text), `${what} in the log`)
  })

  it('is another key and another value each day, with nothing in common', async () => {
    await using stack = new AsyncDisposableStack()
    const homes = stack.use(new Homes())
    const ear = stack.use(await startHostileNode(({ type, key, value }) => ({ type, key, value })))
    const alice = await start(homes, 'alice')
    await alice.libp2p.dial(ear.libp2p.getMultiaddrs())
    const putsOf = () => ear.heard.map(decodeMessage).filter(({ type, value }) => type === PUT_VALUE && value)
    await until(() => putsOf().length >= 2, 'today and tomorrow are published')
    const [first, second] = putsOf()
    assert.equal(first.value!.length, second.value!.length)
    for (const [a, b, begin] of [
      [first.key!, second.key!, '/comrade/'.length],
      [first.value!, second.value!, 17] // version, day, rank and sequence say when it was made
    ] as const)
      for (let at = begin; at + 8 <= a.length; at++)
        assert.ok(
          !Buffer.from(b.subarray(begin)).includes(Buffer.from(a).subarray(at, at + 8)),
          `bytes at ${at} of both days`
        )
  })
})

/** Whether a message puts or asks for a directory record; others find nodes, whose ids and addresses are public. */
function isAboutRecords(bytes: Uint8Array): boolean {
  const { type, key } = decodeMessage(bytes)
  return (type === PUT_VALUE || type === GET_VALUE) && Buffer.from(key ?? []).includes('/comrade/')
}

/** What would give an identity away. */
function secretsOf(node: Comrade): [string, Buffer][] {
  const { did, device } = node.identity
  const addresses = node.libp2p.getMultiaddrs()
  return [
    ['root key', Buffer.from(parseDid(did))],
    ['device key', Buffer.from(parseDid(device))],
    ['did', Buffer.from(did)],
    ['did without its prefix', Buffer.from(did.slice('did:key:z'.length))],
    ['peer id', Buffer.from(node.libp2p.peerId.publicKey!.raw)],
    ['peer id as text', Buffer.from(node.peerId)],
    ...addresses.map((address): [string, Buffer] => [
      'address',
      Buffer.from(multiaddr(address.toString().replace(/\/p2p\/.*/, '')).bytes)
    ])
  ]
}

/** A logger of libp2p that keeps all it is told, with its arguments written out. */
function loggerInto(lines: string[]): ComponentLogger {
  return {
    forComponent(name) {
      const keep = (...args: unknown[]): void => void lines.push([name, ...args.map(text)].join(' '))
      const newScope = (scope: string) => this.forComponent(`${name}:${scope}`)
      return Object.assign(keep, { error: keep, trace: keep, enabled: true, newScope })
    }
  }
}

function text(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)
}
