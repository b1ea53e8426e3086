// Keeps the port that the system chose: where `listen` says 0, the one of the last start is taken again. So the addresses
// that friends remember, and a router's forwarding, outlive a restart.
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { FeedStore } from '../feeds/index.ts'
import { ipOf, isRelayed } from './addresses.ts'

const META = 'ports'
const ANY_PORT = /^(\/(ip[46])\/([^/]+)\/tcp\/)0$/

/** Ports by what was to be listened on, as `{"/ip4/0.0.0.0/tcp/0": 40123}`. */
type Ports = Record<string, number>

/** The addresses to listen on, with the ports of the last start where those are free. */
export async function withKeptPorts(listen: readonly string[], store: FeedStore): Promise<string[]> {
  const ports = readPorts(store)
  const kept: string[] = []
  for (const address of listen) {
    const [, prefix, , host] = ANY_PORT.exec(address) ?? []
    const port = ports[address]
    kept.push(prefix !== undefined && port !== undefined && (await isFree(host, port)) ? prefix + port : address)
  }
  return kept
}

/** Notes on which ports the node listens now. */
export function keepPorts(listen: readonly string[], actual: readonly Multiaddr[], store: FeedStore): void {
  const ports: Ports = {}
  for (const address of listen) {
    const [, , family] = ANY_PORT.exec(address) ?? []
    const found = family && actual.find((each) => !isRelayed(each) && isOfFamily(each, family))
    const port = found && /\/tcp\/(\d+)/.exec(found.toString())?.[1]
    if (port !== undefined) ports[address] = Number(port)
  }
  const text = JSON.stringify(ports)
  if (store.meta(META) !== text) store.write(() => store.setMeta(META, text))
}

function readPorts(store: FeedStore): Ports {
  return JSON.parse((store.meta(META) as string | undefined) ?? '{}') as Ports
}

function isOfFamily(address: Multiaddr, family: string): boolean {
  return ipOf(address)?.includes(':') === (family === 'ip6')
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer().listen({ host, port, ipv6Only: host.includes(':') })
  try {
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
