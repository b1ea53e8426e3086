import assert from 'node:assert/strict'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import type { Stream } from '@libp2p/interface'
import fc from 'fast-check'
import { FrameDecoder, MAX_FRAME_SIZE, framePrefix } from '../../src/feeds/sync/frame-queue.ts'
import { messageStreamPair, type MessageStream } from '../../src/feeds/sync/message-stream.ts'
import { framedStream, type FrameOptions } from '../../src/node/frames.ts'
import { addressOf, startMemoryNode, startTcpNode, tcpPortOf, until, type TestNetwork } from '../support/network.ts'

const PROTOCOL = '/frames-test/1'

/** Both ends of a stream between two connected nodes, raw and framed. */
async function openPair(alice: TestNetwork, bob: TestNetwork, options?: FrameOptions, address = addressOf(bob)) {
  const accepted = Promise.withResolvers<{ raw: Stream; framed: MessageStream }>()
  await bob.libp2p.handle(PROTOCOL, (raw) => accepted.resolve({ raw, framed: framedStream(raw, options) }))
  await alice.connect(address)
  const raw = await alice.libp2p.dialProtocol(bob.peerId, PROTOCOL)
  return { here: { raw, framed: framedStream(raw, options) }, there: await accepted.promise }
}

async function readAll(stream: MessageStream): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  for await (const frame of stream.receive()) frames.push(frame)
  return frames
}

function decodeAll(bytes: Uint8Array, chunkSize: number): Uint8Array[] {
  const frames: Uint8Array[] = []
  const decoder = new FrameDecoder()
  for (let i = 0; i < bytes.length; i += chunkSize)
    decoder.push(bytes.subarray(i, i + chunkSize), (frame) => frames.push(frame))
  return frames
}

describe('frame decoder', () => {
  it('finds the same frames wherever the chunks are cut', () => {
    const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 12 })
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 400 }), (sent, chunkSize) => {
        const bytes = Buffer.concat(sent.flatMap((frame) => [framePrefix(frame.length), frame]))
        assert.deepEqual(
          decodeAll(bytes, chunkSize).map((frame) => Buffer.from(frame)),
          sent.map((frame) => Buffer.from(frame))
        )
      })
    )
  })

  it('writes the prefixes of unsigned varints', () => {
    assert.deepEqual([...framePrefix(127)], [0x7f])
    assert.deepEqual([...framePrefix(128)], [0x80, 0x01])
    assert.deepEqual([...framePrefix(16_384)], [0x80, 0x80, 0x01])
    assert.deepEqual([...framePrefix(MAX_FRAME_SIZE)], [0x80, 0x80, 0x40])
    assert.throws(() => framePrefix(0), RangeError)
    assert.throws(() => framePrefix(MAX_FRAME_SIZE + 1), RangeError)
  })

  for (const [what, bytes] of Object.entries({
    'a length above 1 MiB': [0x81, 0x80, 0x40],
    'a length without end': [0xff, 0xff, 0xff, 0xff, 0x01],
    'a length padded with zeros': [0x81, 0x00],
    'an empty frame': [0x00]
  })) {
    it(`refuses ${what}`, () => {
      assert.throws(() => decodeAll(Uint8Array.from(bytes), 1), { code: 'FRAME_FORMAT' })
    })
  }

  it('never throws anything but FRAME_FORMAT at random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 50 }), (bytes, chunkSize) => {
        try {
          decodeAll(bytes, chunkSize)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'FRAME_FORMAT')
        }
      })
    )
  })
})

describe('message stream in memory', () => {
  it('carries frames in order whatever the chunks, and counts the bytes', async () => {
    const [alice, bob] = messageStreamPair({ chunkSizes: [1, 7, 3] })
    const reading = readAll(bob)
    for (const size of [1, 200, 5]) await alice.send(new Uint8Array(size).fill(size))
    await alice.close()
    assert.deepEqual(
      (await reading).map((frame) => frame.length),
      [1, 200, 5]
    )
    assert.equal(alice.bytesSent, 210)
    assert.equal(bob.bytesReceived, 210)
  })

  it('makes a writer wait until the reader reads', async () => {
    const [alice, bob] = messageStreamPair()
    let sent = 0
    const writing = (async () => {
      for (; sent < 64; sent++) await alice.send(new Uint8Array(65_536))
      await alice.close()
    })()
    await new Promise(setImmediate)
    assert.ok(sent < 20)
    assert.equal((await readAll(bob)).length, 64)
    await writing
  })

  it('throws at both ends when one aborts', async () => {
    const [alice, bob] = messageStreamPair()
    const reading = readAll(bob)
    alice.abort(new Error('enough'))
    await assert.rejects(reading, { code: 'ABORTED' })
    await assert.rejects(bob.send(Uint8Array.of(1)), { code: 'ABORTED' })
    await assert.rejects(readAll(alice), /enough/)
  })

  it('lets a waiting writer be aborted', async () => {
    const [alice] = messageStreamPair()
    const controller = new AbortController()
    const writing = alice.send(new Uint8Array(MAX_FRAME_SIZE), { signal: controller.signal })
    controller.abort()
    await assert.rejects(writing, { code: 'ABORTED' })
  })
})

describe('frames over libp2p', () => {
  for (const [where, start] of [
    ['tcp', startTcpNode],
    ['memory', startMemoryNode]
  ] as const) {
    it(`carries frames of all sizes both ways over ${where}`, async () => {
      await using alice = await start()
      await using bob = await start()
      const { here, there } = await openPair(alice, bob)
      const sizes = [1, 127, 128, 65_536, MAX_FRAME_SIZE, 3]
      const echo = (async () => {
        for await (const frame of there.framed.receive()) await there.framed.send(frame)
        await there.framed.close()
      })()
      const reading = readAll(here.framed)
      for (const size of sizes) await here.framed.send(new Uint8Array(size).fill(size))
      await here.framed.close()
      await echo
      const frames = await reading
      assert.deepEqual(
        frames.map((frame) => frame.length),
        sizes
      )
      assert.ok(frames.every((frame) => frame.every((byte) => byte === (frame.length & 255))))
      assert.equal(here.framed.bytesSent, here.framed.bytesReceived)
      await until(() => here.raw.status !== 'open' && there.raw.status !== 'open')
    })
  }

  it('gives what came before the peer closed to a reader that begins later', async () => {
    await using alice = await startTcpNode()
    await using bob = await startTcpNode()
    const { here, there } = await openPair(alice, bob)
    await here.framed.send(Uint8Array.of(1, 2, 3))
    await here.framed.close()
    await until(() => there.raw.remoteWriteStatus === 'closed')
    assert.deepEqual(
      (await readAll(there.framed)).map((frame) => [...frame]),
      [[1, 2, 3]]
    )
  })

  it('adapts a stream that the peer has already closed', async () => {
    await using alice = await startTcpNode()
    await using bob = await startTcpNode()
    const accepted = Promise.withResolvers<Stream>()
    await bob.libp2p.handle(PROTOCOL, (stream) => accepted.resolve(stream))
    await alice.connect(addressOf(bob))
    const stream = await alice.libp2p.dialProtocol(bob.peerId, PROTOCOL)
    stream.send(Uint8Array.of(1, 9))
    await stream.close()
    const raw = await accepted.promise
    await until(() => raw.remoteWriteStatus === 'closed')
    assert.deepEqual(
      (await readAll(framedStream(raw))).map((frame) => [...frame]),
      [[9]]
    )
  })

  it('throws to the reader when the stream was reset, and when the connection went', async () => {
    await using alice = await startTcpNode()
    await using bob = await startTcpNode()
    const { here, there } = await openPair(alice, bob)
    const reading = readAll(there.framed)
    here.framed.abort(new Error('enough'))
    await assert.rejects(reading)
    await assert.rejects(here.framed.send(Uint8Array.of(1)))
  })

  it('does not take it for a malformed frame when the way to the peer ends inside one', async () => {
    await using alice = await startTcpNode()
    await using bob = await startTcpNode()
    const sockets: Socket[] = []
    const way = createServer((socket) => {
      const onward = createConnection(tcpPortOf(bob), '127.0.0.1')
      sockets.push(
        socket.on('error', () => {}),
        onward.on('error', () => {})
      )
      socket.pipe(onward).pipe(socket)
    })
    await new Promise<void>((done) => way.listen(0, '127.0.0.1', done))
    const { port } = way.address() as AddressInfo
    const { here, there } = await openPair(alice, bob, {}, `/ip4/127.0.0.1/tcp/${port}/p2p/${bob.peerId}`)
    here.raw.send(Uint8Array.of(1, 7, 100, 1, 2, 3))
    const received: number[] = []
    await assert.rejects(
      async () => {
        for await (const frame of there.framed.receive()) {
          received.push(...frame)
          for (const socket of sockets) socket.destroy()
        }
      },
      { code: 'ABORTED' }
    )
    assert.deepEqual(received, [7])
    way.close()
  })

  it('ends only the stream at a malformed frame', async () => {
    await using alice = await startTcpNode()
    await using bob = await startTcpNode()
    const { here, there } = await openPair(alice, bob)
    here.raw.send(Uint8Array.of(1, 7, 0xff, 0xff, 0xff))
    const received: number[] = []
    await assert.rejects(
      async () => {
        for await (const frame of there.framed.receive()) received.push(...frame)
      },
      { code: 'FRAME_FORMAT' }
    )
    assert.deepEqual(received, [7])
    await until(() => here.raw.status !== 'open')
    assert.equal(bob.libp2p.getConnections()[0].status, 'open')
  })

  it('holds a writer back while nobody reads, without losing a byte or the stream', async () => {
    await using alice = await startTcpNode()
    await using bob = await startTcpNode()
    const { here, there } = await openPair(alice, bob)
    const count = 400 // 25 MiB: far more than all buffers
    let sent = 0
    const writing = (async () => {
      for (; sent < count; sent++) await here.framed.send(new Uint8Array(65_536).fill(sent))
      await here.framed.close()
    })()
    await until(() => there.raw.readStatus === 'paused')
    for (let before = -1; before !== sent;) {
      before = sent
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    assert.ok(sent < count / 2, `${sent} frames were taken`)
    let next = 0
    for await (const frame of there.framed.receive()) {
      assert.equal(frame[0], next++ & 255)
      if (next % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    assert.equal(next, count)
    await writing
  })

  it('gives up on a reader that does not read for too long', async () => {
    await using alice = await startTcpNode()
    await using bob = await startTcpNode()
    const { here } = await openPair(alice, bob, { sendTimeoutMs: 100 })
    await assert.rejects(
      async () => {
        for (let i = 0; i < 400; i++) await here.framed.send(new Uint8Array(65_536))
      },
      { code: 'TIMEOUT' }
    )
    await until(() => here.raw.status === 'aborted')
  })

  it('does not keep a stream whose peer never closes its side', async () => {
    await using alice = await startTcpNode()
    await using bob = await startTcpNode()
    const { here } = await openPair(alice, bob, { closeTimeoutMs: 50 })
    await here.framed.send(Uint8Array.of(1))
    await here.framed.close()
    await until(() => here.raw.status === 'aborted')
  })
})
