// Hostile neighbours: they keep sync waiting, open a thousand streams, send garbage, and claim what is not so. Two
// honest nodes go on with each other as if nobody else were there.
import assert from 'node:assert/strict'
import type { Connection, Stream } from '@libp2p/interface'
import type { Comrade } from '../../src/index.ts'
import { befriend, Homes, post, reads } from '../support/node.ts'
import { startTcpNode, type TestNetwork } from '../support/network.ts'
import { until } from '../support/processes.ts'

const SYNC = '/comrade/sync/1'
const HELLO = '/comrade/hello/1'
const STREAMS = 1_000

describe('two honest nodes', function () {
  this.timeout(60_000)
  let homes: Homes
  let alice: Comrade
  let bob: Comrade
  let hostile: TestNetwork

  beforeEach(async () => {
    homes = new Homes()
    ;[alice, bob, hostile] = await Promise.all([homes.start('alice'), homes.start('bob'), startTcpNode()])
    await befriend(alice, bob)
  })

  afterEach(async () => {
    await hostile?.stop()
    await homes[Symbol.asyncDispose]()
  })

  /** Connects the hostile node with both. */
  function connections(): Promise<Connection[]> {
    return Promise.all([alice, bob].map((node) => hostile.connect(node.addresses[0])))
  }

  async function goOn(): Promise<void> {
    await post(alice, 'in spite of all')
    await reads(bob, alice.identity.did, 'in spite of all')
    await post(bob, 'indeed')
    await reads(alice, bob.identity.did, 'indeed')
  }

  it('go on beside one that opens sync and never answers', async () => {
    await hostile.libp2p.handle(SYNC, () => {}) // where it is opened by the other side
    for (const connection of await connections()) await connection.newStream(SYNC).catch(ignore)
    await goOn()
  })

  it('go on beside one that opens a thousand streams of every protocol', async () => {
    const opened: Stream[] = []
    for (const connection of await connections()) {
      for (const protocol of [SYNC, HELLO, '/ipfs/ping/1.0.0', '/ipfs/id/1.0.0', '/meshsub/1.1.0']) {
        await Promise.all(
          Array.from({ length: STREAMS / 5 }, () =>
            connection.newStream(protocol).then((stream) => opened.push(stream), ignore)
          )
        )
      }
    }
    await goOn()
    for (const node of [alice, bob]) {
      const streams = node.libp2p
        .getConnections()
        .filter(({ remotePeer }) => remotePeer.equals(hostile.peerId))
        .flatMap(({ streams }) => streams)
      assert.ok(streams.length < 300, `${streams.length} streams are open`)
    }
    for (const stream of opened) stream.abort(new Error('the test is over'))
  })

  it('go on beside one that sends garbage on every protocol', async () => {
    const garbage = Uint8Array.from({ length: 60_000 }, (_, i) => (i * 7_919 + (i >> 3)) & 0xff)
    await hostile.libp2p.handle(SYNC, (stream) => send(stream, garbage))
    for (const connection of await connections()) {
      for (const protocol of [SYNC, HELLO, '/meshsub/1.1.0', '/comrade/kad/1.0.0', '/ipfs/id/push/1.0.0']) {
        for (let i = 0; i < 4; i++) {
          const stream = await connection.newStream(protocol).catch(ignore)
          if (stream) send(stream, garbage.subarray(i))
        }
      }
    }
    await goOn()
  })

  it('go on beside many that connect and say nothing at all', async () => {
    const silent = await Promise.all(Array.from({ length: 6 }, () => startTcpNode()))
    try {
      for (const network of silent)
        for (const node of [alice, bob]) await network.connect(node.addresses[0]).catch(ignore)
      await goOn()
      assert.ok((await alice.peers()).some(({ did }) => did === bob.identity.did))
      await until(async () => (await alice.status()).paused === undefined, 'nothing keeps it from signing')
    } finally {
      await Promise.all(silent.map((network) => network.stop()))
    }
  })
})

function send(stream: Stream, bytes: Uint8Array): void {
  try {
    stream.send(bytes)
  } catch {
    // it was reset already
  }
}

function ignore(): undefined {}
