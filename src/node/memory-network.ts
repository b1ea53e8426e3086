// A network in memory for tests and simulations: many nodes in one process, no sockets, no encryption. Everything above
// the transport is the real thing.
import { memory } from '@libp2p/memory'
import { plaintext } from '@libp2p/plaintext'
import type { NetworkOverrides } from './libp2p-options.ts'
import { streamMuxer } from './muxer.ts'

let nextAddress = 0

/**
 * Overrides for {@link createNetwork} that put a node into the memory of this process, at an address of its own
 * (`/memory/…`). Its limits are high enough for simulations. Peer ids are real but nothing is encrypted: never use it
 * where anybody else has code in the process.
 * @param options.latencyMs added to each message. @default 0
 */
export function memoryNetwork({ latencyMs = 0 }: { latencyMs?: number } = {}): NetworkOverrides {
  return {
    addresses: { listen: [`/memory/comrade-${++nextAddress}`] },
    transports: [memory({ latency: latencyMs })],
    connectionEncrypters: [plaintext()],
    streamMuxers: [
      streamMuxer({
        enableKeepAlive: false,
        streamOptions: { maxStreamWindowSize: 1_048_576, maxReadBufferLength: 4_194_304 }
      })
    ],
    peerDiscovery: [],
    connectionManager: {
      inboundConnectionThreshold: Infinity,
      maxIncomingPendingConnections: 1_000,
      maxConnections: 1_000
    },
    connectionMonitor: { enabled: false }
  }
}
