// An own libp2p protocol beside Comrade: node.libp2p is the libp2p node itself. Here one peer asks another to add up
// numbers, on a connection that Comrade's own protocols share. In a package: import … from 'comrade-node'.
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { createNode, type Comrade } from '../src/index.ts'

const PROTOCOL = '/example/sum/1'
const TIMEOUT_MS = 5_000
const MAX_MESSAGE_SIZE = 1_024

/** One request, one reply, both JSON. What comes from a peer is checked, and never waited for without a limit. */
async function reply(stream: Stream): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const messages = lpStream(stream, { maxDataLength: MAX_MESSAGE_SIZE })
    const request = await messages.read({ signal })
    const numbers: unknown = JSON.parse(new TextDecoder().decode(request.subarray()))
    if (!Array.isArray(numbers) || !numbers.every(Number.isFinite)) throw new Error('expected a list of numbers')
    const sum = numbers.reduce((total: number, number: number) => total + number, 0)
    await messages.write(new TextEncoder().encode(JSON.stringify(sum)), { signal })
    await stream.close({ signal })
  } catch (error) {
    stream.abort(error as Error)
  }
}

async function askForSum(node: Comrade, peer: Comrade, numbers: number[]): Promise<number> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const stream = await node.libp2p.dialProtocol(peer.libp2p.peerId, PROTOCOL, { signal })
  const messages = lpStream(stream, { maxDataLength: MAX_MESSAGE_SIZE })
  await messages.write(new TextEncoder().encode(JSON.stringify(numbers)), { signal })
  const sum = await messages.read({ signal })
  await stream.close({ signal })
  return Number(JSON.parse(new TextDecoder().decode(sum.subarray())))
}

using directory = mkdtempDisposableSync(join(tmpdir(), 'comrade-'))
const options = { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false }
await using alice = await createNode({ ...options, home: join(directory.path, 'alice') })
await using bob = await createNode({ ...options, home: join(directory.path, 'bob') })

await alice.libp2p.handle(PROTOCOL, reply)
await Promise.all([alice.start(), bob.start()])
await bob.connect(alice.addresses[0])
console.log(`bob asks alice for 1 + 2 + 39 and is told ${await askForSum(bob, alice, [1, 2, 39])}`)
