// A process with several whole nodes on loopback TCP. Does over IPC what bench/people/directory.ts asks for.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SingleKadDHT } from '@libp2p/kad-dht'
import { type Comrade, createNode } from '../../src/index.ts'
import { recordsInDht } from '../../src/node/dht-records.ts'
import type { DirectoryService } from '../../src/node/directory-service.ts'
import { blindedKey, dayOf, parseDid } from '../../src/trust/index.ts'

export interface Member {
  did: string
  address: string
}

export interface Outcome {
  ms: number
  isFound: boolean
}

const LIMIT_MS = 10_000
const [directory] = process.argv.slice(2)
const nodes: Comrade[] = []

/** What the parent may ask for. */
const commands = {
  async start(count: number): Promise<Member[]> {
    for (let i = 0; i < count; i++) {
      const home = join(directory, String(i))
      mkdirSync(home, { recursive: true, mode: 0o700 })
      writeFileSync(join(home, 'config.json'), '{"logLevel":"silent"}', { mode: 0o600 })
      const node = await createNode({ home, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
      await node.start()
      nodes.push(node)
    }
    return nodes.map((node) => ({ did: node.identity.did, address: node.addresses[0] }))
  },

  async connect(index: number, address: string): Promise<void> {
    await nodes[index].connect(address)
  },

  /** How many nodes keep each one's record; 0: nothing was published. */
  holders(): number[] {
    return nodes.map(({ directory }) => (directory as DirectoryService).published?.holders ?? 0)
  },

  /**
   * As `comrade resolve` does it. What is only remembered does not count; but when something newer is remembered than
   * what the DHT has, that is the answer, so then the DHT is asked once more by itself.
   */
  async resolve(index: number, did: string): Promise<Outcome> {
    const start = performance.now()
    const source = await nodes[index].directory.resolve(did).then(
      (found) => found.source,
      () => undefined
    )
    const ms = performance.now() - start
    return { ms, isFound: source === 'dht' || (source === 'cache' && (await commands.walk(index, did)).isFound) }
  },

  /** Until another node has answered with a valid record, whether this one holds it too or not. */
  async walk(index: number, did: string): Promise<Outcome> {
    const dht = (nodes[index].libp2p.services as { dht: SingleKadDHT }).dht
    const end = new AbortController()
    const signal = AbortSignal.any([end.signal, AbortSignal.timeout(LIMIT_MS)])
    const start = performance.now()
    const records = recordsInDht(dht, blindedKey(parseDid(did), dayOf(Date.now())), signal)
    const { done } = await records.next()
    const ms = performance.now() - start
    end.abort()
    void records.return(undefined)
    return { ms, isFound: done !== true }
  },

  async stop(): Promise<void> {
    await Promise.all(nodes.map((node) => node.stop()))
  }
}

export type Commands = typeof commands

process.on('disconnect', () => process.exit(1))
process.on('message', ({ id, name, args }: { id: number; name: keyof Commands; args: unknown[] }) => {
  const command = commands[name] as (...args: unknown[]) => unknown
  void Promise.resolve()
    .then(() => command(...args))
    .then(
      (result) => process.send!({ id, result }),
      (error: unknown) => process.send!({ id, error: String(error) })
    )
})
process.send!({ ready: true })
