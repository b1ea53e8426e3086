// The demo's nodes: each a process of its own with a home of its own, on loopback only, asked by its socket.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Client, createClient } from '../../src/api/client.ts'
import { socketPath } from '../../src/node/home.ts'

const ROOT = dirname(dirname(import.meta.dirname))
/** How long a node may take to start, and to leave, in ms. The first start may bundle the sources. */
const START_LIMIT_MS = 120_000
const LEAVE_LIMIT_MS = 10_000

export interface DemoNode {
  name: string
  did: string
  client: Client
}

/** Seven or so nodes that end together. */
export class Nodes implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'comrade-demo-'))
  readonly #children: ChildProcess[] = []

  /** Starts a node, and resolves when it can be asked. @throws when it ends before */
  async start(name: string): Promise<DemoNode> {
    const home = join(this.directory, name.toLowerCase())
    const options = ['--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns', '--recovery-file', `${home}.words`]
    // In a process group of its own: ^C in the terminal is for this program, which then ends its nodes one and all.
    const child = spawn(join(ROOT, 'comrade'), ['--home', home, '--json', 'up', ...options], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true
    })
    this.#children.push(child)
    const { did } = await ready(child)
    const client = createClient(socketPath(home))
    await client.post('profile', { name })
    return { name, did, client }
  }

  /** Ends the nodes and removes what they wrote. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map(ended))
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

async function ready(child: ChildProcess): Promise<{ did: string }> {
  const lines = createInterface({ input: child.stdout! })
  const signal = AbortSignal.timeout(START_LIMIT_MS)
  const first = once(lines, 'line', { signal }).then(([line]) => JSON.parse(String(line)) as { did: string })
  const gone = once(child, 'close', { signal }).then(() => {
    throw new Error('a node has ended before it was ready: try ./comrade up by itself')
  })
  return Promise.race([first, gone])
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), LEAVE_LIMIT_MS)
  await closed
  clearTimeout(timer)
}
