// Real nodes for tests: over loopback TCP with encryption, or in memory. To be disposed of with `await using`.
import { generateKeyPair } from '@libp2p/crypto/keys'
import { memoryNetwork } from '../../src/node/memory-network.ts'
import type { NetworkOptions } from '../../src/node/libp2p-options.ts'
import { createNetwork, type Network } from '../../src/node/network.ts'

export type TestNetwork = Network & AsyncDisposable
type Options = Partial<NetworkOptions>

/** A node that is not started, over TCP on loopback, without multicast. */
export async function makeTcpNode(options: Options = {}): Promise<TestNetwork> {
  const privateKey = options.privateKey ?? (await generateKeyPair('Ed25519'))
  const network = await createNetwork({ listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, ...options, privateKey })
  return Object.assign(network, { [Symbol.asyncDispose]: () => network.stop() })
}

/** A started node over TCP on loopback, without multicast. */
export async function startTcpNode(options: Options = {}): Promise<TestNetwork> {
  const network = await makeTcpNode(options)
  await network.start()
  return network
}

/** A started node in this process' memory. */
export async function startMemoryNode(options: Options = {}): Promise<TestNetwork> {
  return startTcpNode({ ...options, libp2p: { ...memoryNetwork(), ...options.libp2p } })
}

/** Connects the first node to the second. */
export async function connect(from: Network, to: Network): Promise<void> {
  await from.connect(addressOf(to))
}

export function addressOf(network: Network): string {
  return network.libp2p.getMultiaddrs()[0].toString()
}

export function tcpPortOf(network: Network): number {
  return Number(/\/tcp\/(\d+)/.exec(addressOf(network))![1])
}

/** Waits until a condition holds; the time limit is for tests that fail. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const end = Date.now() + limitMs
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not so within ${limitMs} ms: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
