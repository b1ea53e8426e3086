// Whole nodes in the process of the tests: over loopback TCP, with homes that are removed at the end.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Comrade, createNode, type FeedItem, type NodeOptions } from '../../src/index.ts'
import { until } from './processes.ts'

/** Where homes are made and copied. Nodes that are still running at the end are stopped first. */
export class Homes implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), 'comrade-node-'))
  readonly #nodes = new Set<Comrade>()

  of(name: string): string {
    return join(this.path, name)
  }

  /**
   * Starts a node in this home, with these settings in config.json. It logs nothing: what goes wrong here is meant to. The
   * machine may have little room: nothing of its disk is kept free.
   */
  async start(name: string, options: NodeOptions = {}, config: object = {}): Promise<Comrade> {
    mkdirSync(this.of(name), { recursive: true, mode: 0o700 })
    const settings = JSON.stringify({ logLevel: 'silent', ...config })
    writeFileSync(join(this.of(name), 'config.json'), settings, { mode: 0o600 })
    const alone = { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, reserve: 0 }
    const node = await createNode({ home: this.of(name), ...alone, ...options })
    this.#nodes.add(node)
    await node.start()
    return node
  }

  /** Copies a file or folder of a home whose node is stopped. */
  copy(from: string, to: string): void {
    rmSync(this.of(to), { recursive: true, force: true })
    cpSync(this.of(from), this.of(to), { recursive: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#nodes].map((node) => node.stop()))
    rmSync(this.path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

/** Connects two nodes whose users follow each other. */
export async function befriend(one: Comrade, other: Comrade): Promise<void> {
  await one.contacts.follow(other.identity.did)
  await other.contacts.follow(one.identity.did)
  await one.connect(other.addresses[0])
  await until(async () => (await isFriend(one, other)) && (await isFriend(other, one)), 'they are friends')
}

async function isFriend(node: Comrade, other: Comrade): Promise<boolean> {
  return (await node.contacts.find(other.identity.did)).relation === 'friend'
}

export async function post(node: Comrade, ...texts: string[]): Promise<number[]> {
  const published = await node.feeds.publishAll(texts.map((text) => ({ type: 'post', text })))
  return published.map(({ seq }) => seq)
}

/** What a node holds of a person's posts, newest first. */
export async function postsOf(node: Comrade, author: string): Promise<FeedItem[]> {
  return Array.fromAsync(node.feeds.read({ author, types: ['post'], limit: 10_000 }))
}

/** Waits until a node holds all of these texts by that person. */
export async function reads(node: Comrade, author: string, ...texts: string[]): Promise<void> {
  await until(
    async () => {
      const found = new Set((await postsOf(node, author)).map(({ text }) => text))
      return texts.every((text) => found.has(text))
    },
    `${texts.join(', ')} can be read`
  )
}

/** The codes of the warnings that a node gives from now on. */
export function warningsOf(node: Comrade): string[] {
  const codes: string[] = []
  node.addEventListener('warning', ({ detail }) => codes.push(detail.code))
  return codes
}
