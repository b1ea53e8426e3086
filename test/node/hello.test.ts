import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import { generateSeed, signingKey } from '../../src/feeds/signature.ts'
import {
  CLAIM_SIZE,
  decodeClaim,
  findClaimant,
  generateNonce,
  isClaimOf,
  makeClaim,
  type HelloSide,
  type Role
} from '../../src/node/hello.ts'
import { HELLO_PROTOCOL, HelloService, type Recognised } from '../../src/node/hello-service.ts'
import { connect, makeTcpNode, startMemoryNode, until, type TestNetwork } from '../support/network.ts'

const side = (role: Role): HelloSide => ({ role, peerId: randomBytes(38), nonce: generateNonce() })

function setup() {
  const device = signingKey(generateSeed())
  const [alice, bob] = [side('dialer'), side('listener')]
  return { device, alice, bob, bytes: makeClaim(device, alice, bob) }
}

describe('hello', () => {
  it('is recognised by who knows the device key, in both roles', () => {
    const { device, alice, bob, bytes } = setup()
    assert.equal(bytes.length, CLAIM_SIZE)
    assert.ok(isClaimOf(decodeClaim(bytes, alice, bob), device.publicKey))
    assert.ok(isClaimOf(decodeClaim(makeClaim(device, bob, alice), bob, alice), device.publicKey))
  })

  it('finds the one key among many', () => {
    const { device, alice, bob, bytes } = setup()
    const others = Array.from({ length: 20 }, () => signingKey(generateSeed()).publicKey)
    const claim = decodeClaim(bytes, alice, bob)
    assert.equal(findClaimant(claim, [...others, device.publicKey]), device.publicKey)
    assert.equal(findClaimant(claim, others), undefined)
  })

  it('does not contain the key, and looks different every time', () => {
    const { device, alice, bob, bytes } = setup()
    assert.ok(!Buffer.from(bytes).includes(Buffer.from(device.publicKey)))
    const again = makeClaim(device, alice, { ...bob, nonce: generateNonce() })
    assert.notDeepEqual(again.subarray(0, 16), bytes.subarray(0, 16))
  })

  const mutations: Record<string, (alice: HelloSide, bob: HelloSide) => [HelloSide, HelloSide]> = {
    'replayed against another nonce': (alice, bob) => [alice, { ...bob, nonce: generateNonce() }],
    'replayed with another nonce of its own': (alice, bob) => [{ ...alice, nonce: generateNonce() }, bob],
    'from another peer': (alice, bob) => [{ ...alice, peerId: randomBytes(38) }, bob],
    'passed on to another peer': (alice, bob) => [alice, { ...bob, peerId: randomBytes(38) }],
    'reflected to who made it': (alice, bob) => [
      { ...bob, nonce: alice.nonce },
      { ...alice, nonce: bob.nonce }
    ],
    'made in the other role': (alice, bob) => [
      { ...alice, role: 'listener' },
      { ...bob, role: 'dialer' }
    ]
  }
  for (const [what, mutate] of Object.entries(mutations)) {
    it(`is nobody's when it is ${what}`, () => {
      const { device, alice, bob, bytes } = setup()
      assert.ok(!isClaimOf(decodeClaim(bytes, ...mutate(alice, bob)), device.publicKey))
    })
  }

  it("is nobody's with any bit changed", () => {
    const { device, alice, bob, bytes } = setup()
    for (let i = 0; i < CLAIM_SIZE; i++) {
      const changed = Uint8Array.from(bytes, (byte, at) => (at === i ? byte ^ 1 : byte))
      assert.ok(!isClaimOf(decodeClaim(changed, alice, bob), device.publicKey))
    }
  })
})

/** A node with the service; what it recognises is collected. */
async function startGreeter(
  stack: AsyncDisposableStack,
  options: { timeoutMs?: number; start?: () => Promise<TestNetwork> } = {}
) {
  const node = stack.use(await (options.start ?? startMemoryNode)())
  const device = signingKey(generateSeed())
  const recognised: Recognised[] = []
  const hello = new HelloService({
    libp2p: node.libp2p,
    deviceKey: device,
    onRecognised: (event) => recognised.push(event),
    timeoutMs: options.timeoutMs
  })
  await hello.start()
  if (node.libp2p.status !== 'started') await node.start()
  stack.defer(() => hello.stop())
  return { node, device, recognised, hello }
}

const sameKey = (a: Uint8Array | undefined, b: Uint8Array) => a !== undefined && Buffer.compare(a, b) === 0

describe('hello service', () => {
  for (const [where, start] of [
    ['tcp and noise', makeTcpNode],
    ['memory', startMemoryNode]
  ] as const) {
    it(`makes two contacts recognise each other's devices over ${where}`, async () => {
      await using stack = new AsyncDisposableStack()
      const alice = await startGreeter(stack, { start })
      const bob = await startGreeter(stack, { start })
      alice.hello.recognise([bob.device.publicKey])
      bob.hello.recognise([alice.device.publicKey])
      await connect(alice.node, bob.node)
      await until(() => sameKey(alice.hello.deviceOf(bob.node.peerId), bob.device.publicKey))
      await until(() => sameKey(bob.hello.deviceOf(alice.node.peerId), alice.device.publicKey))
      assert.equal(alice.recognised.length, 1)
      assert.ok(alice.recognised[0].peerId.equals(bob.node.peerId))
    })
  }

  it('recognises a stranger on the open connection when the user comes to know the key, and forgets again', async () => {
    await using stack = new AsyncDisposableStack()
    const alice = await startGreeter(stack)
    const bob = await startGreeter(stack)
    bob.hello.recognise([alice.device.publicKey])
    await connect(alice.node, bob.node)
    await until(() => bob.hello.deviceOf(alice.node.peerId) !== undefined)
    assert.equal(alice.hello.deviceOf(bob.node.peerId), undefined)
    alice.hello.recognise([bob.device.publicKey])
    assert.ok(sameKey(alice.hello.deviceOf(bob.node.peerId), bob.device.publicKey))
    alice.hello.recognise([])
    assert.equal(alice.hello.deviceOf(bob.node.peerId), undefined)
    alice.hello.recognise([bob.device.publicKey])
    assert.equal(alice.recognised.length, 2)
  })

  it('forgets the device when the connection closes', async () => {
    await using stack = new AsyncDisposableStack()
    const alice = await startGreeter(stack)
    const bob = await startGreeter(stack)
    alice.hello.recognise([bob.device.publicKey])
    await connect(alice.node, bob.node)
    await until(() => alice.hello.deviceOf(bob.node.peerId) !== undefined)
    await bob.node.libp2p.hangUp(alice.node.peerId)
    await until(() => alice.hello.deviceOf(bob.node.peerId) === undefined)
  })

  const hostile: Record<string, (mallory: TestNetwork, alice: PeerId) => Promise<unknown>> = {
    'too few bytes': async (mallory, alice) => {
      const stream = await mallory.libp2p.dialProtocol(alice, HELLO_PROTOCOL)
      stream.send(new Uint8Array(40))
      await stream.close()
    },
    'too many bytes': async (mallory, alice) => {
      const stream = await mallory.libp2p.dialProtocol(alice, HELLO_PROTOCOL)
      stream.send(new Uint8Array(10_000))
    },
    silence: (mallory, alice) => mallory.libp2p.dialProtocol(alice, HELLO_PROTOCOL)
  }
  for (const [what, attack] of Object.entries(hostile)) {
    it(`counts ${what}, and ends only that stream`, async () => {
      await using stack = new AsyncDisposableStack()
      const alice = await startGreeter(stack, { timeoutMs: 200 })
      const mallory = stack.use(await startMemoryNode())
      await connect(mallory, alice.node)
      await attack(mallory, alice.node.peerId)
      await until(() => alice.hello.failures === 1)
      assert.equal(alice.node.libp2p.getConnections()[0].status, 'open')
      await until(() =>
        alice.node.libp2p.getConnections()[0].streams.every(({ protocol }) => protocol !== HELLO_PROTOCOL)
      )
    })
  }

  it('refuses a second hello on the same connection, and one from who was dialled', async () => {
    await using stack = new AsyncDisposableStack()
    const alice = await startGreeter(stack)
    const bob = await startGreeter(stack)
    await connect(alice.node, bob.node)
    bob.hello.recognise([alice.device.publicKey])
    await until(() => bob.hello.deviceOf(alice.node.peerId) !== undefined)
    await alice.node.libp2p.dialProtocol(bob.node.peerId, HELLO_PROTOCOL).catch(() => {})
    await until(() => bob.hello.failures === 1)
    await bob.node.libp2p.dialProtocol(alice.node.peerId, HELLO_PROTOCOL).catch(() => {})
    await until(() => alice.hello.failures === 1)
    assert.ok(bob.hello.deviceOf(alice.node.peerId))
  })

  it('recognises nobody who carries a claim from one connection to another', async () => {
    await using stack = new AsyncDisposableStack()
    const alice = await startGreeter(stack)
    const bob = await startGreeter(stack)
    const mallory = stack.use(await startMemoryNode())
    bob.hello.recognise([alice.device.publicKey])
    // Mallory, dialled by Alice, relays every byte between her and Bob.
    const toBob = Promise.withResolvers<void>()
    await mallory.libp2p.handle(HELLO_PROTOCOL, async (fromAlice) => {
      const stream = await mallory.libp2p.dialProtocol(bob.node.peerId, HELLO_PROTOCOL)
      fromAlice.addEventListener('message', ({ data }) => stream.send(data))
      stream.addEventListener('message', ({ data }) => fromAlice.send(data))
      stream.addEventListener('remoteCloseWrite', () => toBob.resolve())
    })
    await connect(mallory, bob.node)
    await connect(alice.node, mallory)
    await toBob.promise
    assert.equal(bob.hello.failures, 0)
    assert.equal(bob.hello.deviceOf(mallory.peerId), undefined)
  })
})
