import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { PeerId } from '@libp2p/interface'
import { encodeCbor } from '../../src/feeds/index.ts'
import { NodeError } from '../../src/node/comrade.ts'
import { framedStream } from '../../src/node/frames.ts'
import {
  MAX_MESSAGE_SIZE,
  MAX_QUESTIONS_PER_MINUTE,
  PEOPLE_PROTOCOL,
  PeopleProtocol
} from '../../src/node/people-protocol.ts'
import { connect, makeTcpNode, startMemoryNode, type TestNetwork, until } from '../support/network.ts'

/** A started node with the protocol; faults and errors are collected. */
async function startPeer(stack: AsyncDisposableStack, start: () => Promise<TestNetwork> = startMemoryNode) {
  const node = stack.use(await start())
  const faults: string[] = []
  const errors: string[] = []
  const clock = { now: 0 }
  const people = new PeopleProtocol({
    libp2p: node.libp2p,
    onFault: (_, error) => faults.push(error.message),
    onError: (type) => errors.push(type),
    now: () => clock.now
  })
  await people.start()
  if (node.libp2p.status !== 'started') await node.start()
  stack.defer(() => people.stop())
  return { node, people, faults, errors, clock }
}

async function setup(stack: AsyncDisposableStack, start?: () => Promise<TestNetwork>) {
  const [alice, bob] = [await startPeer(stack, start), await startPeer(stack, start)]
  bob.people.answer('echo', ({ value }) => ({ type: 'echoed', value: value ?? null }))
  await connect(alice.node, bob.node)
  return { alice, bob, to: bob.node.peerId }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const withCode = (code: string) => (error: Error) => error instanceof NodeError && error.code === code

describe('people protocol', () => {
  for (const [where, start] of [
    ['tcp and noise', makeTcpNode],
    ['memory', startMemoryNode]
  ] as const) {
    it(`gives one answer to one question over ${where}`, async () => {
      await using stack = new AsyncDisposableStack()
      const { alice, bob, to } = await setup(stack, start)
      assert.deepEqual(await alice.people.ask(to, { type: 'echo', value: 7 }), { type: 'echoed', value: 7 })
      assert.deepEqual(bob.faults, [])
    })
  }

  it('keeps no signal that it was given, although it is made of one with a time limit', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, to } = await setup(stack)
    const ask = async (): Promise<WeakRef<AbortSignal>> => {
      const signal = AbortSignal.any([new AbortController().signal, AbortSignal.timeout(60_000)])
      await alice.people.ask(to, { type: 'echo' }, { signal })
      return new WeakRef(signal)
    }
    const signals: WeakRef<AbortSignal>[] = []
    for (let i = 0; i < 20; i++) signals.push(await ask())
    await until(() => {
      collectGarbage()
      return signals.filter((signal) => signal.deref() !== undefined).length <= 2
    })
  })

  it('tells the answerer who asks', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, bob, to } = await setup(stack)
    bob.people.answer('who', (_, { peerId }) => ({ type: 'you', peer: peerId.toString() }))
    const answer = await alice.people.ask(to, { type: 'who' })
    assert.equal(answer.peer, alice.node.peerId.toString())
  })

  it('gives the reason of a refusal, and only a known code', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, bob, to } = await setup(stack)
    bob.people.answer('used', () => {
      throw new NodeError('USED', 'somebody was faster')
    })
    bob.people.answer('locked', () => {
      throw new NodeError('LOCKED', 'the passphrase of /home/bob is needed')
    })
    bob.people.answer('strange', () => ({ type: 'refused', code: 'HOME_IN_USE', message: 5 }))
    await assert.rejects(alice.people.ask(to, { type: 'used' }), { code: 'USED', message: 'somebody was faster' })
    await assert.rejects(alice.people.ask(to, { type: 'locked' }), (error: NodeError) => {
      return error.code === 'FAILED' && !error.message.includes('/home')
    })
    await assert.rejects(alice.people.ask(to, { type: 'strange' }), withCode('FAILED'))
    await assert.rejects(alice.people.ask(to, { type: 'never heard of' }), withCode('NOT_FOUND'))
    assert.deepEqual(bob.faults, [])
  })

  it('ends only the stream when an answerer throws, and blames nobody', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, bob, to } = await setup(stack)
    bob.people.answer('broken', () => {
      throw new TypeError('a mistake')
    })
    await assert.rejects(alice.people.ask(to, { type: 'broken' }), withCode('UNREACHABLE'))
    assert.deepEqual(bob.errors, ['broken'])
    assert.deepEqual(bob.faults, [])
    assert.equal((await alice.people.ask(to, { type: 'echo' })).type, 'echoed')
  })

  it('answers no more than 60 questions of a peer in a minute, and the next ones in the next', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, bob, to } = await setup(stack)
    for (let i = 0; i < MAX_QUESTIONS_PER_MINUTE; i++) await alice.people.ask(to, { type: 'echo', value: i })
    await assert.rejects(alice.people.ask(to, { type: 'echo' }), withCode('BUSY'))
    const carol = await startPeer(stack)
    await connect(carol.node, bob.node)
    assert.equal((await carol.people.ask(to, { type: 'echo' })).type, 'echoed')
    bob.clock.now = 60_000
    assert.equal((await alice.people.ask(to, { type: 'echo' })).type, 'echoed')
  })

  it('does not wait longer than the asker does, nor for a peer that speaks something else', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, bob, to } = await setup(stack)
    bob.people.answer('slow', () => new Promise(() => {}))
    const reason = new Error('enough')
    const asking = alice.people.ask(to, { type: 'slow' }, { signal: abortSoon(reason) })
    await assert.rejects(asking, reason)
    await bob.people.stop()
    await assert.rejects(alice.people.ask(to, { type: 'echo' }), withCode('UNREACHABLE'))
  })

  it('ends what is underway when it stops', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, bob, to } = await setup(stack)
    const asked = Promise.withResolvers<void>()
    bob.people.answer('slow', () => {
      asked.resolve()
      return new Promise(() => {})
    })
    const asking = assert.rejects(alice.people.ask(to, { type: 'slow' }), withCode('UNREACHABLE'))
    await asked.promise
    await bob.people.stop()
    await asking
    assert.deepEqual(bob.errors, [])
  })

  const garbage: Record<string, Uint8Array> = {
    'what is not CBOR': Uint8Array.of(0xff, 1, 2),
    'what is no map': encodeCbor('hello'),
    'a map without a type': encodeCbor({ question: 'echo' }),
    'a map that is not canonical': Uint8Array.of(0xb8, 1, 0x64, 0x74, 0x79, 0x70, 0x65, 0x61, 0x61),
    'more than fits a message': encodeCbor({ type: 'echo', value: new Uint8Array(MAX_MESSAGE_SIZE) })
  }
  for (const [what, bytes] of Object.entries(garbage)) {
    it(`does not answer ${what}, and counts it as a fault`, async () => {
      await using stack = new AsyncDisposableStack()
      const { alice, bob, to } = await setup(stack)
      await send(alice.node, to, bytes)
      await until(() => bob.faults.length === 1)
      assert.equal((await alice.people.ask(to, { type: 'echo' })).type, 'echoed')
    })
  }

  it('gives up an answer that is too large or not one', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, bob, to } = await setup(stack)
    bob.people.answer('large', () => ({ type: 'large', value: new Uint8Array(MAX_MESSAGE_SIZE) }))
    await assert.rejects(alice.people.ask(to, { type: 'large' }), withCode('UNREACHABLE'))
    assert.deepEqual(bob.errors, ['large'])
    await assert.rejects(
      alice.people.ask(to, { type: 'echo', value: new Uint8Array(MAX_MESSAGE_SIZE) }),
      withCode('UNREACHABLE')
    )
  })

  it('goes on answering others while a peer opens a thousand streams and is silent', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, bob, to } = await setup(stack)
    const mallory = stack.use(await startMemoryNode())
    await connect(mallory, bob.node)
    const open = (): Promise<unknown> =>
      mallory.libp2p
        .dialProtocol(to, PEOPLE_PROTOCOL, { signal: AbortSignal.timeout(2_000), maxOutboundStreams: 2_000 })
        .catch(() => {})
    await Promise.all(Array.from({ length: 1_000 }, open))
    const streams = bob.node.libp2p
      .getConnections(mallory.peerId)
      .flatMap((connection) => connection.streams.filter(({ protocol }) => protocol === PEOPLE_PROTOCOL))
    assert.ok(streams.length <= 4, `${streams.length} streams are open`)
    assert.equal((await alice.people.ask(to, { type: 'echo' })).type, 'echoed')
  })
})

function abortSoon(reason: Error): AbortSignal {
  const controller = new AbortController()
  setTimeout(() => controller.abort(reason), 50)
  return controller.signal
}

async function send(from: TestNetwork, to: PeerId, bytes: Uint8Array): Promise<void> {
  const stream = framedStream(await from.libp2p.dialProtocol(to, PEOPLE_PROTOCOL))
  await stream.send(bytes)
}
